"""The clouds of Azure: authority, endpoint and token scope, which only work together; and where a token may go."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from asrnet.errors import InputError
from asrnet.settings.values import is_loopback

if TYPE_CHECKING:
    from azure.core import AzureClouds

_HTTPS_PORT: Final = 443
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")
_PLAIN_NETLOC: Final = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?")
"""No user info, no escapes, nothing that two URL parsers could read differently."""


class Cloud(Struct, frozen=True, kw_only=True):
    """One cloud. ``endpoint`` is Azure Resource Manager's address, without a slash at the end."""

    name: str
    authority: str
    arm_host: str
    scope: str
    endpoint: str
    setting: str

    @property
    def is_loopback(self) -> bool:
        """Whether the endpoint is on this machine: an emulator."""
        return is_loopback(_host(self.endpoint))

    def admits(self, url: str) -> bool:
        """Whether a bearer token may be sent to ``url``.

        Allowed are Resource Manager's host and its subdomains, over https on the default port, and the exact host and
        port of the endpoint.
        """
        parts, endpoint = _plain(url), urlsplit(self.endpoint)
        if parts is None:
            return False
        # Another name or address of this machine may be somebody else's server on the same port.
        if (parts.scheme, parts.netloc.lower()) == (endpoint.scheme, endpoint.netloc.lower()):
            return True
        is_usual = parts.scheme == "https" and parts.port in {None, _HTTPS_PORT}
        return is_usual and not self.is_loopback and self._is_resource_manager(_host(url))

    def at(self, endpoint: str) -> Cloud:
        """This cloud reached through ``endpoint``, an https URL of Resource Manager's or a URL of this machine."""
        parts = _plain(endpoint)
        if parts is None or parts.scheme not in {"http", "https"}:
            raise InputError(f"the endpoint '{endpoint}' is not an address", hint=f"it looks like {self.endpoint}")
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise InputError(f"the endpoint '{endpoint}' has more than a host and a port")
        host = _host(endpoint)
        if parts.scheme == "http" and not is_loopback(host):
            raise InputError(
                f"the endpoint '{endpoint}' is http and not on this machine: a token would travel in the clear",
                hint="use https, or http on 127.0.0.1",
            )
        if not (is_loopback(host) or self._is_resource_manager(host)):
            raise InputError(
                f"the endpoint '{endpoint}' is not Azure Resource Manager of the {self.name} cloud",
                hint=f"tokens go only to {self.arm_host}, the hosts under it, and this machine; choose the right cloud",
            )
        return replace(self, endpoint=endpoint.rstrip("/"))

    @property
    def is_known_authority(self) -> bool:
        """Whether the authority is one of Microsoft's, which their libraries know without asking."""
        return _authority_host(self.authority) in {cloud.authority for cloud in (PUBLIC, CHINA, USGOVERNMENT)}

    def signing_in_at(self, authority: str) -> Cloud:
        """This cloud with tokens from ``authority``, a host or an https address; InputError where it is neither."""
        address = authority if "://" in authority else f"https://{authority}"
        parts = _plain(address)
        if parts is None or parts.scheme != "https":
            raise InputError(
                "the sign-in authority is not an https URL", hint=f"it looks like https://{self.authority}"
            )
        if parts.path.strip("/") or parts.query or parts.fragment:
            raise InputError("the sign-in authority has more than a host", hint="give the tenant separately")
        host = _authority_host(address)
        return replace(self, authority=host if parts.port is None else f"https://{host}:{parts.port}")

    def _is_resource_manager(self, host: str) -> bool:
        return host == self.arm_host or host.endswith("." + self.arm_host)

    @property
    def sdk_setting(self) -> AzureClouds:
        """The SDKs' own name of this cloud."""
        from azure.core import AzureClouds

        return AzureClouds[self.setting]


PUBLIC: Final = Cloud(
    name="public",
    authority="login.microsoftonline.com",
    arm_host="management.azure.com",
    scope="https://management.azure.com/.default",
    endpoint="https://management.azure.com",
    setting="AZURE_PUBLIC_CLOUD",
)
CHINA: Final = Cloud(
    name="china",
    authority="login.chinacloudapi.cn",
    arm_host="management.chinacloudapi.cn",
    scope="https://management.chinacloudapi.cn/.default",
    endpoint="https://management.chinacloudapi.cn",
    setting="AZURE_CHINA_CLOUD",
)
USGOVERNMENT: Final = Cloud(
    name="usgovernment",
    authority="login.microsoftonline.us",
    arm_host="management.usgovcloudapi.net",
    scope="https://management.core.usgovcloudapi.net/.default",
    endpoint="https://management.usgovcloudapi.net",
    setting="AZURE_US_GOVERNMENT",
)

# The names other tools give the same clouds: the CLI, Terraform's ARM_ENVIRONMENT, the SDKs.
_NAMES: Final = {
    **dict.fromkeys(("public", "azurecloud", "azurepubliccloud"), PUBLIC),
    **dict.fromkeys(("china", "azurechinacloud"), CHINA),
    **dict.fromkeys(("usgovernment", "usgov", "azureusgovernment", "azureusgovernmentcloud"), USGOVERNMENT),
}


def cloud(name: str = "public", endpoint: str | None = None) -> Cloud:
    """The cloud called ``name``, reached through ``endpoint`` where one is given; InputError where it is unknown."""
    named = _NAMES.get(name.lower().replace("_", ""))
    if named is None:
        raise InputError(f"there is no cloud '{name}'", hint="use public, china or usgovernment")
    return named.at(endpoint) if endpoint else named


def _plain(url: str) -> SplitResult | None:
    """The parts of ``url``; None if two parsers could disagree about its host."""
    # urlsplit drops tabs and newlines, so it could see a different host than the library that sends the request.
    if _CONTROL.search(url):
        return None
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:  # an unclosed bracket, or an invalid port
        return None
    return parts if _PLAIN_NETLOC.fullmatch(parts.netloc) else None


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()


def _authority_host(authority: str) -> str:
    return _host(authority) if "://" in authority else authority

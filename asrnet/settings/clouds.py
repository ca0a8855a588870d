"""The clouds of Azure: authority, endpoint and token scope, which only work together; and where a token may go."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct
from msgspec.structs import replace

from asrnet.errors import InputError
from asrnet.settings.values import PLAIN_NETLOC, is_loopback
from asrnet.settings.values import endpoint as checked_endpoint

_HTTPS_PORT: Final = 443
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")


class Cloud(Struct, frozen=True, kw_only=True):
    """One cloud. ``endpoint`` is Azure Resource Manager's address, without a slash at the end.

    ``setting`` is the name that the SDKs give the cloud, in azure-core's ``AzureClouds``.
    """

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

    def reached_through(self, endpoint: str) -> Cloud:
        """This cloud reached through ``endpoint``, an https URL of Resource Manager's or a URL of this machine."""
        try:
            endpoint = checked_endpoint(endpoint)
        except InputError as error:
            raise InputError(f"the endpoint: {error.message}", hint=error.hint) from None
        host = _host(endpoint)
        if not (is_loopback(host) or self._is_resource_manager(host)):
            raise InputError(
                f"the endpoint '{endpoint}' is not Azure Resource Manager of the {self.name} cloud",
                hint=f"tokens go only to {self.arm_host}, the hosts under it, and this machine; choose the right cloud",
            )
        return replace(self, endpoint=endpoint)

    @property
    def is_known_authority(self) -> bool:
        """Whether the authority is one of Microsoft's, which their libraries know without asking."""
        return _authority_host(self.authority) in {cloud.authority for cloud in (PUBLIC, CHINA, USGOVERNMENT)}

    def signing_in_at(self, authority: str) -> Cloud:
        """This cloud with tokens from ``authority``, a host or an https address; InputError if it is neither."""
        hint = f"it looks like https://{self.authority}; the tenant is given separately"
        try:
            address = checked_endpoint(authority if "://" in authority else f"https://{authority}")
        except InputError as error:
            raise InputError(f"the sign-in authority: {error.message}", hint=hint) from None
        if not address.startswith("https://"):
            raise InputError("the sign-in authority is not an https URL", hint=hint)
        # With a port the scheme has to stay: azure-identity would take the host in "localhost:4591" for a scheme.
        return replace(self, authority=_host(address) if urlsplit(address).port is None else address)

    def _is_resource_manager(self, host: str) -> bool:
        return host == self.arm_host or host.endswith("." + self.arm_host)


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
    """The cloud called ``name``, reached through ``endpoint`` if one is given; InputError if it is unknown."""
    named = _NAMES.get(name.lower().replace("_", ""))
    if named is None:
        raise InputError(f"there is no cloud '{name}'", hint="use public, china or usgovernment")
    return named.reached_through(endpoint) if endpoint else named


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
    return parts if re.fullmatch(PLAIN_NETLOC, parts.netloc) else None


def _host(url: str) -> str:
    return (urlsplit(url).hostname or "").lower()


def _authority_host(authority: str) -> str:
    return _host(authority) if "://" in authority else authority

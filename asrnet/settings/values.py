"""Parsers for the values of options. They raise InputError without naming the option, which the caller adds."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from asrnet.errors import InputError, did_you_mean, known_names

if TYPE_CHECKING:
    from urllib.parse import SplitResult

_YES: Final = ("true", "1", "yes", "on")
_NO: Final = ("false", "0", "no", "off")
# Compiled when used: most runs need none of them, and compiling takes as long as importing the rest of this module.
_NUMBER: Final = r"[0-9]{1,15}(?P<fraction>\.[0-9]{1,6})?"
_SHARD: Final = r"(?P<index>[0-9]{1,6})/(?P<count>[0-9]{1,6})"
_FORMAT: Final = r"[a-z][a-z0-9-]*"
_API_VERSION: Final = r"20[0-9]{2}-[0-9]{2}-[0-9]{2}(-preview)?"

PLAIN_NETLOC: Final = r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:\d{1,5})?"
"""A host and perhaps a port: no user, no escapes, nothing that two URL parsers could read differently."""

PROVIDERS: Final = ("Microsoft.Network", "Microsoft.RecoveryServices")
"""The providers whose API version can be overridden."""


class Output(Struct, frozen=True):
    """A format and the path to write it to, or None for standard output."""

    format: str
    path: str | None = None


class ApiVersion(Struct, frozen=True):
    """The API version to request from a provider."""

    provider: str
    version: str


class Shard(Struct, frozen=True):
    """Part ``index`` (from 1) of ``count``."""

    index: int
    count: int


def flag(value: object) -> bool:
    """A boolean, written as true, yes, on, 1 or their opposites."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in (*_YES, *_NO):
        raise InputError(f"found '{value}', expected true or false")
    return word in _YES


def number(value: object, *, at_least: float, at_most: float, whole: bool = True) -> float:
    """A number within bounds: a whole number, or a number of seconds with a fraction."""
    match = re.fullmatch(_NUMBER, str(value).strip())
    if not match or (whole and match["fraction"]) or not at_least <= float(match[0]) <= at_most:
        unit = "a whole number" if whole else "a number of seconds"
        bounds = f"of at least {at_least:g}" if at_most == float("inf") else f"from {at_least:g} to {at_most:g}"
        raise InputError(f"found '{str(value)[:60]}', expected {unit} {bounds}")
    return int(match[0]) if whole else float(match[0])


def output(text: str) -> Output:
    """``FORMAT`` or ``FORMAT=PATH``. The renderers check that the format exists."""
    name, equals, path = text.partition("=")
    if not re.fullmatch(_FORMAT, name) or (equals and not path):
        raise InputError(f"found '{text}', expected FORMAT or FORMAT=PATH, such as json=plan.json")
    return Output(name, path or None)


def backend(text: str) -> str:
    """``azure``, or ``fake:`` and the path of a world."""
    kind, _, world = text.partition(":")
    if text != "azure" and not (kind == "fake" and world.strip()):
        raise InputError(
            f"found '{text}', expected azure or fake:WORLD{did_you_mean(text, ['azure'])}",
            hint="WORLD is the path of a world file, as in fake:world.yaml",
        )
    return text


def api_version(text: str) -> ApiVersion:
    """``PROVIDER=VERSION``, the provider in any case."""
    provider, equals, version = text.strip().partition("=")
    providers = {name.lower(): name for name in PROVIDERS}
    if not equals or not re.fullmatch(_API_VERSION, version):
        raise InputError(f"found '{text[:80]}', expected PROVIDER=VERSION, such as {PROVIDERS[0]}=2024-05-01")
    if provider.lower() not in providers:
        raise InputError(
            f"found the provider '{provider[:60]}', expected {' or '.join(PROVIDERS)}"
            f"{did_you_mean(provider, PROVIDERS)}"
        )
    return ApiVersion(providers[provider.lower()], version)


def finding_kind(text: str) -> str:
    """A kind of finding, as in ``FindingKind``."""
    from asrnet.model.findings import FindingKind  # 1 ms, and only two options of one command need it

    if text not in list(FindingKind):
        raise InputError(
            f"found '{text}', expected a kind of finding{did_you_mean(text, FindingKind)}",
            hint=known_names(text, sorted(FindingKind), "kinds"),
        )
    return text


def shard(text: str) -> Shard:
    """A shard, written ``I/N``."""
    match = re.fullmatch(_SHARD, text.strip())
    if not match or not 1 <= int(match["index"]) <= int(match["count"]):
        raise InputError(f"found '{text[:60]}', expected I/N with I from 1 to N, such as 2/4")
    return Shard(int(match["index"]), int(match["count"]))


def endpoint(text: str) -> str:
    """The URL of an Azure Resource Manager endpoint, without a trailing slash; http is allowed on loopback only."""
    from urllib.parse import urlsplit  # needed by few runs, and slow to import

    try:
        url = urlsplit(text.strip())
        _ = url.port
    except ValueError as error:
        raise InputError(f"not a URL: {error}") from error
    if re.search(r"[\s\x00-\x1f\\]", text.strip()):
        raise InputError("the URL has a space, a backslash or a control character in it, expected none")
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise InputError(f"found '{_without_secrets(url)}', expected a URL, such as https://127.0.0.1:4591")
    if url.username is not None or url.password is not None:
        raise InputError("the URL has a user or password in it, expected none")
    if not re.fullmatch(PLAIN_NETLOC, url.netloc):
        raise InputError(f"found '{_without_secrets(url)}', expected a host of letters, digits, dots and hyphens")
    if url.path.strip("/") or url.query or url.fragment:
        raise InputError(f"found more than '{_without_secrets(url)}', expected only a scheme, a host and a port")
    if url.scheme == "http" and not is_loopback(url.hostname):
        raise InputError(
            f"'{_without_secrets(url)}' is http and not this machine: tokens would be sent unencrypted",
            hint="use https, or http with 127.0.0.1, ::1 or localhost",
        )
    return f"{url.scheme}://{url.netloc}"


def _without_secrets(url: SplitResult) -> str:
    """The URL without the parts that may hold secrets: user, password, path and query."""
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}" if url.netloc else url.path[:60]


def is_loopback(host: str) -> bool:
    """Whether ``host``, a name or an address without brackets, is this machine."""
    import ipaddress

    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

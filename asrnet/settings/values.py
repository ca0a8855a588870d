"""How the value of an option reads. Everything here raises InputError without saying where the value was given."""

from __future__ import annotations

import ipaddress
import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from asrnet.errors import InputError
from asrnet.files.problems import did_you_mean, there_are
from asrnet.model.findings import FindingKind
from asrnet.settings import Output, Shard
from asrnet.settings.table import Option

_YES: Final = ("true", "1", "yes", "on")
_NO: Final = ("false", "0", "no", "off")
_NUMBER = re.compile(r"[0-9]{1,15}(?P<fraction>\.[0-9]{1,6})?")
_SHARD = re.compile(r"(?P<index>[0-9]{1,6})/(?P<count>[0-9]{1,6})")
_FORMAT = re.compile(r"[a-z][a-z0-9-]*")


def flag(value: object) -> bool:
    """True or False, in the words people use."""
    if isinstance(value, bool):
        return value
    word = str(value).strip().lower()
    if word not in (*_YES, *_NO):
        raise InputError(f"found '{value}', expected true or false")
    return word in _YES


def number(value: object, option: Option) -> int | float:
    """A whole number, or seconds, within the option's bounds."""
    is_whole = option.kind != "seconds"
    found = _NUMBER.fullmatch(str(value).strip())
    if not found or (is_whole and found["fraction"]) or not option.at_least <= float(found[0]) <= option.at_most:
        raise InputError(f"found '{str(value)[:60]}', expected {_expected(option)}")
    return int(found[0]) if is_whole else float(found[0])


def _expected(option: Option) -> str:
    words = "a number of seconds" if option.kind == "seconds" else "a whole number"
    if option.at_most == float("inf"):
        return f"{words}, at least {option.at_least:g}"
    return f"{words} from {option.at_least:g} to {option.at_most:g}"


def output(text: str) -> Output:
    """``FORMAT`` or ``FORMAT=PATH``. Which formats there are is for the renderers to say."""
    name, equals, path = text.partition("=")
    if not _FORMAT.fullmatch(name) or (equals and not path):
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


def kind(text: str) -> str:
    """The kind of a finding."""
    if text not in list(FindingKind):
        raise InputError(
            f"found '{text}', expected the kind of a finding{did_you_mean(text, FindingKind)}",
            hint=there_are(text, FindingKind),
        )
    return text


def shard(text: str) -> Shard:
    """``I/N``."""
    found = _SHARD.fullmatch(text.strip())
    if not found or not 1 <= int(found["index"]) <= int(found["count"]):
        raise InputError(f"found '{text[:60]}', expected I/N with I from 1 to N, such as 2/4")
    return Shard(int(found["index"]), int(found["count"]))


def endpoint(text: str) -> str:
    """The URL of an Azure Resource Manager, without a slash at its end: https, or http on loopback."""
    url = _split(text)
    if url.scheme not in {"http", "https"} or not url.hostname:
        raise InputError(f"found '{_bare(url)}', expected a URL, such as https://127.0.0.1:4591")
    if url.username is not None or url.password is not None:
        raise InputError("the URL has a user or password in it, expected none")
    if url.path.strip("/") or url.query or url.fragment:
        raise InputError(f"found '{_bare(url)}' with more behind it, expected scheme, host and port only")
    if url.scheme == "http" and not _is_loopback(url.hostname):
        raise InputError(
            f"'{_bare(url)}' is http and not this machine: tokens would travel unprotected",
            hint="use https, or http with 127.0.0.1, ::1 or localhost",
        )
    return f"{url.scheme}://{url.netloc}"


def _split(text: str) -> SplitResult:
    try:
        url = urlsplit(text.strip())
        _ = url.port
    except ValueError as error:
        raise InputError(f"not a URL: {error}") from error
    if re.search(r"[\s\x00-\x1f\\]", text.strip()):
        raise InputError("the URL has a space, a backslash or a control character in it, expected none")
    return url


def _bare(url: SplitResult) -> str:
    """The URL as far as it can hold no secret."""
    return f"{url.scheme}://{url.netloc.rpartition('@')[2]}" if url.netloc else url.path[:60]


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

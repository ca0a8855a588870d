"""References to Azure resources in files (aliases, full ids, templates), checked by Azure's rules for names.

The functions raise InputError, to which the loader adds the file and the line.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from asrnet.errors import InputError, did_you_mean
from asrnet.model import arm as ids
from asrnet.model.arm import ArmId

COPY: Final = "copy"
NONE: Final = "none"
GROUP: Final = "group"
_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_PARTS: Final = 3
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}|[{}]")
_SAMPLE: Final = {"name": "net", "resource_group": "group", "recovery_region": "westus", "subnet": "web"}
_PLACEHOLDERS: Final = {
    ids.VNET: ("name", "resource_group"),
    ids.SECURITY_GROUP: tuple(_SAMPLE),
    ids.ROUTE_TABLE: tuple(_SAMPLE),
}
_PLACEHOLDERS_OF_COPIES: Final = ("name", "resource_group", "recovery_region")
_REGION = re.compile(r"[a-z0-9]{2,64}")

_NOUNS: Final = {
    ids.VNET: "a virtual network",
    ids.VAULT: "a vault",
    ids.SECURITY_GROUP: "a network security group",
    ids.ROUTE_TABLE: "a route table",
}

_ATTACHABLE_NAME: Final = (
    re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,78}[A-Za-z0-9_])?"),
    "1 to 80 letters, digits, '.', '_' or '-', beginning with a letter or digit, ending with one or '_'",
)

# "Naming rules and restrictions for Azure resources"
_NAMES: Final = {
    ids.SECURITY_GROUP: _ATTACHABLE_NAME,
    ids.ROUTE_TABLE: _ATTACHABLE_NAME,
    ids.VNET: (
        re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}[A-Za-z0-9_]"),
        "2 to 64 letters, digits, '.', '_' or '-', beginning with a letter or digit, ending with one or '_'",
    ),
    ids.VAULT: (
        re.compile(r"[A-Za-z][A-Za-z0-9-]{1,49}"),
        "2 to 50 letters, digits or '-', beginning with a letter",
    ),
    GROUP: (
        re.compile(r"[\w.()-]{0,89}[\w()-]"),
        "1 to 90 letters, digits, '.', '_', '-' or parentheses, not ending with '.'",
    ),
}


def subscription(text: str, aliases: Mapping[str, str]) -> str:
    """The GUID, in lower case, of a subscription given by alias or GUID."""
    if text in aliases:
        return aliases[text]
    if _GUID.fullmatch(text):
        return text.lower()
    if not aliases:
        raise InputError(
            f"unknown subscription alias '{text}': no aliases are declared",
            hint=f"declare it: subscriptions: {{{text}: GUID}}",
        )
    raise InputError(
        f"unknown subscription alias '{text}'{did_you_mean(text, aliases)}",
        hint=f"declared under subscriptions: {', '.join(sorted(aliases))}",
    )


def alias(name: str, text: str) -> str:
    """The GUID, in lower case, that ``name`` is declared to stand for."""
    if not name.strip() or name != name.strip() or "/" in name:
        raise InputError(f"'{name}' cannot be an alias: it must not be empty, hold '/', or begin or end with a space")
    if not _GUID.fullmatch(text):
        raise InputError(f"found '{text[:60]}', expected a subscription's id (a GUID)")
    return text.lower()


def resource(text: str, kind: str, aliases: Mapping[str, str], *, orelse: str = "") -> ArmId:
    """The id of a resource of type ``kind`` given as ``alias/resource group/name`` or in full.

    ``orelse`` is added to error messages and names the alternatives.
    """
    if text.startswith("/"):
        return _checked(ArmId(text), kind)
    parts = text.split("/")
    if len(parts) != _PARTS:
        raise InputError(
            f"found '{text[:120]}', expected {_NOUNS[kind]}: alias/resource group/name, or a full resource id{orelse}",
            hint=_example(text, aliases) if len(parts) == 1 else "",
        )
    where, group, name = parts
    _check_name(group, GROUP)
    _check_name(name, kind)
    return ArmId(_id_text(subscription(where, aliases), group, kind, name))


def _example(name: str, aliases: Mapping[str, str]) -> str:
    """A reference to ``name`` as it could be written, with the first alias under ``subscriptions``."""
    alias = next(iter(aliases), "")
    return f"for example {alias}/RESOURCE_GROUP/{name[:60]}; an alias is a name under subscriptions" if alias else ""


def template(text: str, kind: str, aliases: Mapping[str, str], *, orelse: str = "") -> str:
    """The id of a resource of type ``kind`` in which placeholders such as ``{name}`` are still to be filled in."""
    _check_placeholders(text, _PLACEHOLDERS[kind])
    resource(text.format(**_SAMPLE), kind, aliases, orelse=orelse)
    if text.startswith("/"):
        return text
    where, group, name = text.split("/")
    return _id_text(subscription(where, aliases), group, kind, name)


def check_template(text: str, kind: str) -> None:
    """Raise InputError unless ``text``, filled in, can name a copy of the type ``kind``, or its ``GROUP``."""
    _check_placeholders(text, _PLACEHOLDERS_OF_COPIES)
    _check_name(text.format(**_SAMPLE), kind)


def region(text: str) -> str:
    """A region's short name."""
    short = ids.normal_location(text)
    if not _REGION.fullmatch(short):
        raise InputError(f"found '{text[:60]}', expected a region of Azure, such as eastasia or East Asia")
    return short


def label(text: str) -> str:
    """``text`` itself, if it can be the name of a row or a vault: printable, and no space at its ends."""
    if not text or text != text.strip() or not text.isprintable():
        raise InputError(f"found {text[:60]!r}, expected a name: printable, and without a space at its ends")
    return text


def _checked(identifier: ArmId, kind: str) -> ArmId:
    if identifier.type != kind:
        actual = _NOUNS.get(identifier.type) or (f"a {identifier.type}" if identifier.type else "no resource")
        raise InputError(f"expected the id of {_NOUNS[kind]}, but '{identifier}' is the id of {actual}")
    _check_name(identifier.resource_group, GROUP)
    _check_name(identifier.name, kind)
    return identifier


def _check_name(name: str, kind: str) -> None:
    pattern, rule = _NAMES[kind]
    if not pattern.fullmatch(name):
        noun = _NOUNS.get(kind, "a resource group")
        raise InputError(f"'{name[:120]}' cannot be the name of {noun}: expected {rule}")


def _check_placeholders(text: str, placeholders: Sequence[str]) -> None:
    for match in _PLACEHOLDER.finditer(text):
        if match[1] not in placeholders:
            raise InputError(
                f"unknown placeholder '{match[0]}'{did_you_mean(match[1] or '', placeholders)}",
                hint=f"known placeholders: {', '.join(f'{{{name}}}' for name in placeholders)}",
            )


def _id_text(guid: str, group: str, kind: str, name: str) -> str:
    return f"/subscriptions/{guid}/resourceGroups/{group}/providers/{ids.SPELLING[kind]}/{name}"

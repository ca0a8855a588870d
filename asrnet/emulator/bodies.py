"""Reading the members of request bodies. A member of the wrong type is refused; unknown members are ignored."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final, Literal

from asrnet.emulator.messages import GatewayError
from asrnet.errors import InputError
from asrnet.model.arm import ArmId, normal_location
from asrnet.model.bodies import member

Body = Mapping[str, object]

_LONGEST_LOCATION: Final = 90
"""No region has a name this long, and world files do not accept longer ones either."""
_GREATEST_NUMBER: Final = 2**31 - 1


def an_object(body: Body, name: str) -> Body:
    """Read an object; return an empty one if it is absent, and refuse any other type."""
    value = member(body, name)
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise _wrong(name, "an object")
    return value


def a_list(body: Body, name: str) -> Sequence[object]:
    """Read a list; return an empty one if it is absent, and refuse any other type."""
    value = member(body, name)
    if value is None:
        return ()
    if not isinstance(value, list):
        raise _wrong(name, "a list")
    return value


def objects(body: Body, name: str) -> tuple[Body, ...]:
    """Read a list of objects; return an empty one if it is absent."""
    values = a_list(body, name)
    if not all(isinstance(value, Mapping) for value in values):
        raise _wrong(name, "a list of objects")
    return tuple(value for value in values if isinstance(value, Mapping))


def texts(body: Body, name: str) -> tuple[str, ...]:
    """Read a list of strings; return an empty one if it is absent."""
    values = a_list(body, name)
    if not all(isinstance(value, str) for value in values):
        raise _wrong(name, "a list of strings")
    return tuple(value for value in values if isinstance(value, str))


def text(body: Body, name: str) -> str | None:
    """Read a string; return None if it is absent or empty."""
    value = member(body, name)
    if value is not None and not isinstance(value, str):
        raise _wrong(name, "a string")
    return value or None


def flag(body: Body, name: str) -> bool | None:
    """Read a boolean, also when sent as text, as some clients do; return None if it is absent."""
    value = member(body, name)
    if isinstance(value, str):
        value = {"true": True, "false": False}.get(value.lower(), value)
    if value is not None and not isinstance(value, bool):
        raise _wrong(name, "a boolean")
    return value


def number(body: Body, name: str, default: int) -> int:
    """Read a non-negative integer; return ``default`` if it is absent."""
    value = member(body, name)
    if value is None:
        return default
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _GREATEST_NUMBER:
        raise _wrong(name, "a whole number")
    return value


def an_id(body: Body, name: str) -> ArmId | None:
    """Read a resource id; return None if it is absent or empty."""
    value = text(body, name)
    try:
        return ArmId(value) if value else None
    except InputError as error:
        raise GatewayError(400, "LinkedInvalidPropertyId", f"Property '{name}' is invalid: {error.message}.") from error


def string_map(body: Body, name: str) -> dict[str, str]:
    """Read an object whose values are strings, such as tags; return an empty one if it is absent."""
    values = an_object(body, name)
    if not all(isinstance(value, str) for value in values.values()):
        raise _wrong(name, "an object whose values are strings")
    return {key: str(value) for key, value in values.items()}


def location_of(body: Body) -> str:
    """Read the region of a new resource and return its short name. A body without one is refused."""
    location = text(body, "location")
    if location is None:
        raise GatewayError(400, "LocationRequired", "The location property is required for this definition.")
    an_object(body, "properties")
    if len(location) > _LONGEST_LOCATION:
        message = f"The provided location '{location[:90]}…' is not available."
        raise GatewayError(400, "LocationNotAvailableForResourceType", message)
    return normal_location(location)


def _wrong(name: str, expected: str) -> GatewayError:
    return GatewayError(400, "InvalidRequestContent", f"The property '{name}' in the request is not {expected}.")


# Source: "Naming rules and restrictions for Azure resources".
_NAMING_RULES: Final = {
    "resource group": (r"[\w.()-]{0,89}[\w()-]", "letters, digits, '_', '-', '(', ')' and '.', but not end with '.'"),
    "virtual network": (
        r"[a-z0-9]([\w.-]{0,62}\w)?",
        "letters, digits, '_', '-' and '.', and must end with a letter, a digit or '_'",
    ),
    "subnet": (
        r"[a-z0-9]([\w.-]{0,78}\w)?",
        "up to 80 letters, digits, '_', '-' and '.', and must end with a letter, a digit or '_'",
    ),
    "vault": (r"[a-z][a-z0-9-]{1,49}", "2 to 50 letters, digits and '-', and must begin with a letter"),
}


def check_name(kind: Literal["resource group", "virtual network", "subnet", "vault"], name: str) -> None:
    """Refuse, with 400, a name that Azure does not allow for this kind of resource."""
    pattern, rule = _NAMING_RULES[kind]
    if not re.fullmatch(pattern, name, re.IGNORECASE):
        message = f"Resource name '{name[:200]}' is invalid for a {kind}. It may contain {rule}."
        raise GatewayError(400, "InvalidResourceName", message)

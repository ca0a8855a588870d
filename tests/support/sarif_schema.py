"""The required members of SARIF 2.1.0 (OASIS, 3.13 to 3.51), of the objects that asrnet writes, as JSON Schema.

Members that asrnet does not write are omitted, so that a new one fails here.
"""

from __future__ import annotations

from typing import Any, Final


def _object(required: str, **properties: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": required.split(),
        "properties": properties,
        "additionalProperties": False,
    }


_TEXT: Final = {"type": "string", "minLength": 1}
_MESSAGE: Final = _object("text", text=_TEXT)
_LEVEL: Final = {"enum": ["none", "note", "warning", "error"]}
_RULE: Final = _object(
    "id",
    id=_TEXT,
    name=_TEXT,
    shortDescription=_MESSAGE,
    help=_MESSAGE,
    defaultConfiguration=_object("", level=_LEVEL),
)
_LOCATION: Final = _object(
    "",
    physicalLocation=_object(
        "artifactLocation",
        artifactLocation=_object("uri", uri={"type": "string", "format": "uri-reference", "pattern": r"^[^\s\\]+$"}),
        region=_object("startLine", startLine={"type": "integer", "minimum": 1}),
    ),
    logicalLocations={"type": "array", "items": _object("", fullyQualifiedName=_TEXT, kind=_TEXT)},
)
_RESULT: Final = _object(
    "message ruleId ruleIndex level",
    ruleId=_TEXT,
    ruleIndex={"type": "integer", "minimum": 0},
    level=_LEVEL,
    message=_MESSAGE,
    locations={"type": "array", "items": _LOCATION},
    partialFingerprints={"type": "object", "additionalProperties": {"type": "string"}},
)
_DRIVER: Final = _object(
    "name",
    name={"const": "asrnet"},
    version=_TEXT,
    semanticVersion={"type": "string", "pattern": r"^\d+\.\d+\.\d+"},
    rules={"type": "array", "uniqueItems": True, "items": _RULE},
)
SARIF: Final = _object(
    "version runs",
    **{"$schema": {"type": "string", "format": "uri"}},
    version={"const": "2.1.0"},
    runs={
        "type": "array",
        "minItems": 1,
        "items": _object(
            "tool",
            tool=_object("driver", driver=_DRIVER),
            columnKind={"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
            results={"type": "array", "items": _RESULT},
        ),
    },
)

"""JSON Schema (2020-12) of asrnet's files and of the outputs of ``-o json``, generated from their Structs.

A schema describes the form of a file. Rules between entries are checked by the loaders and ``asrnet validate``.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from inspect import cleandoc
from typing import Any, Final

import msgspec

from asrnet.errors import InputError, did_you_mean, either
from asrnet.model.arm import ArmId

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

# The import paths of the Structs and not the Structs, so that a command that needs one schema imports no other.
_STRUCTS: Final[Mapping[str, tuple[str, str]]] = {
    "desired": ("asrnet.desired.entries", "DesiredFile"),
    "world": ("asrnet.fake.world_format", "WorldDocument"),
    "topology": ("asrnet.vmm.document", "TopologyFile"),
    "plan": ("asrnet.model.plan", "Plan"),
    "report": ("asrnet.model.report", "Report"),
    "live": ("asrnet.inventory.live_pairs", "LivePairs"),
    "prediction": ("asrnet.failover", "Prediction"),
    "targets": ("asrnet.inventory.targets", "Targets"),
    "doctor": ("asrnet.diagnostics.checks", "Examination"),
    "explanations": ("asrnet.model.explanation", "Explanations"),
    "validation": ("asrnet.files.validation", "Validation"),
}
KINDS: Final = tuple(_STRUCTS)
"""The kinds of files and outputs that have a schema."""


def json_schema(kind: str) -> dict[str, Any]:
    """The schema of files of this ``kind``, one of ``KINDS``. Raises InputError for another."""
    if kind not in KINDS:
        raise InputError(f"there is no schema '{kind}', expected {either(KINDS)}{did_you_mean(kind, KINDS)}")
    module, name = _STRUCTS[kind]
    (root,), components = msgspec.json.schema_components(
        [getattr(import_module(module), name)], schema_hook=_id_schema, ref_template="#/$defs/{name}"
    )
    for part in components.values():
        part["description"] = cleandoc(part.get("description", ""))
    schema = {"$schema": DIALECT, "title": f"asrnet {kind}", **root, "$defs": components}
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(schema))
    return plain


def _id_schema(kind: type) -> dict[str, Any]:
    if kind is not ArmId:
        raise NotImplementedError(f"no schema for {kind.__name__}")
    return {
        "type": "string",
        "pattern": "^/[Ss]ubscriptions/[0-9a-fA-F-]{36}(/|$)",
        "description": "The id of a resource of Azure: /subscriptions/GUID/resourceGroups/GROUP/providers/...",
    }

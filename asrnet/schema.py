"""JSON Schema (2020-12) of asrnet's files and of the outputs of ``-o json``, generated from their Structs.

A schema describes the form of a file. Rules between entries are checked by the loaders and ``asrnet validate``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from inspect import cleandoc
from typing import Any, Final

import msgspec

from asrnet.errors import InputError
from asrnet.files.problems import did_you_mean, either
from asrnet.model.arm import ArmId

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def json_schema(kind: str) -> dict[str, Any]:
    """The schema of files of this ``kind``, one of ``KINDS``. Raises InputError for another."""
    if kind not in _STRUCTS:
        raise InputError(f"there is no schema '{kind}', expected {either(KINDS)}{did_you_mean(kind, KINDS)}")
    (root,), components = msgspec.json.schema_components(
        [_STRUCTS[kind]()], schema_hook=_id_schema, ref_template="#/$defs/{name}"
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


def _desired() -> type:
    from asrnet.desired.entries import DesiredFile

    return DesiredFile


def _world() -> type:
    from asrnet.fake.world_format import WorldDocument

    return WorldDocument


def _topology() -> type:
    from asrnet.vmm.document import TopologyFile

    return TopologyFile


def _plan() -> type:
    from asrnet.model.plan import Plan

    return Plan


def _report() -> type:
    from asrnet.applying import Report

    return Report


def _live() -> type:
    from asrnet.inventory.live_pairs import LivePairs

    return LivePairs


def _prediction() -> type:
    from asrnet.failover import Prediction

    return Prediction


def _targets() -> type:
    from asrnet.inventory.targets import Targets

    return Targets


def _doctor() -> type:
    from asrnet.diagnostics.checks import Examination

    return Examination


def _explanations() -> type:
    from asrnet.model.explanation import Explanations

    return Explanations


def _validation() -> type:
    from asrnet.files.validation import Validation

    return Validation


# Functions, so that a command that needs one schema does not import the Structs of the others.
_STRUCTS: Final[Mapping[str, Callable[[], type]]] = {
    "desired": _desired,
    "world": _world,
    "topology": _topology,
    "plan": _plan,
    "report": _report,
    "live": _live,
    "prediction": _prediction,
    "targets": _targets,
    "doctor": _doctor,
    "explanations": _explanations,
    "validation": _validation,
}
KINDS: Final = tuple(_STRUCTS)
"""The kinds of files and outputs that have a schema."""

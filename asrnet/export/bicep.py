"""Exports live mappings for Bicep: a resource for each mapping, in the form of the reference of resource types.

Each resource is written as it is in Azure, so deploying the file changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from asrnet.desired import EVERYTHING, DesiredState, Selection
from asrnet.errors import InputError
from asrnet.export.exported import Exported, Names, mappings_by_id, not_exported, one_line, title
from asrnet.inventory.live_pairs import LivePair, live_pairs
from asrnet.inventory.read import Inventory
from asrnet.model.arm import ArmId
from asrnet.model.azure import NetworkMapping
from asrnet.model.bodies import API_VERSION, mapping_body

TYPE: Final = (
    f"Microsoft.RecoveryServices/vaults/replicationFabrics/replicationNetworks/replicationNetworkMappings@{API_VERSION}"
)

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_]+")
_ESCAPES: Final = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_INDENT: Final = "  "


def export_bicep(inventory: Inventory, desired: DesiredState, *, selection: Selection = EVERYTHING) -> Exported:
    """Bicep resources for the live mappings, named after the pairs of ``desired``.

    The same mappings give the same text. Half pairs are exported as they are. Raises InputError if the vaults are in
    several resource groups, because a file is deployed to one.
    """
    live = live_pairs(inventory, desired, selection)
    mappings = mappings_by_id(inventory)
    both = {
        pair.forward: [mappings[mapping_id] for mapping_id in (pair.forward, pair.reverse) if mapping_id]
        for pair in live.pairs
    }
    problems = {forward: without_fabric(of_pair) for forward, of_pair in both.items()}
    exported = [pair for pair in live.pairs if not problems[pair.forward]]
    groups = {group.key: group for group in (_group(pair.forward) for pair in exported)}
    if len(groups) > 1:
        raise InputError(
            f"the mappings are in {len(groups)} resource groups, and a Bicep file is deployed to one",
            hint="select vaults of one group with --vault",
        )
    names = Names(identifier)
    left_out = not_exported(live, problems)
    sections = ["".join(f"// {one_line(line)}\n" for line in _head(list(groups.values())))]
    for pair in exported:
        resources = _resources(pair, both[pair.forward], names.name(pair), inventory)
        sections.append(f"// {one_line(title(pair))}\n" + "\n".join(resources))
    if left_out:
        sections.append("".join(f"// left out: {one_line(line)}\n" for line in left_out))
    return Exported(text="\n".join(sections), left_out=left_out)


def without_fabric(mappings: list[NetworkMapping]) -> str:
    """Why a pair cannot be written: Site Recovery does not report a fabric that must be sent. Empty if it can."""
    # A mapping from a VMM server to Azure is sent with a constant instead, see ``mapping_body``.
    unknown = [
        mapping.name for mapping in mappings if mapping.recovery_fabric_id is None and mapping.kind != "vmm_to_azure"
    ]
    return f"Site Recovery does not report the recovery fabric of {' and '.join(unknown)}" if unknown else ""


def _group(mapping_id: ArmId) -> ArmId:
    return ArmId(f"/subscriptions/{mapping_id.subscription}/resourceGroups/{mapping_id.resource_group}")


def _head(groups: list[ArmId]) -> Iterator[str]:
    yield "The existing network mappings of Site Recovery. Deploying this file as it is changes none of them:"
    for group in groups:
        scope = f"--subscription {group.subscription} --resource-group {group.resource_group}"
        yield f"az deployment group what-if {scope} --template-file FILE"
    yield "Rows of asrnet's desired state that declare these pairs should say managed_by: bicep."


def _resources(pair: LivePair, mappings: list[NetworkMapping], name: str, inventory: Inventory) -> Iterator[str]:
    for mapping, direction in zip(mappings, ("forward", "reverse"), strict=False):
        body = mapping_body(mapping)["properties"]
        body["recoveryNetworkId"] = inventory.in_azure_spelling(mapping.recovery_network_id)
        if pair.kind == "azure_to_azure":
            body["fabricSpecificDetails"]["primaryNetworkId"] = inventory.in_azure_spelling(mapping.primary_network_id)
        # The names of the vault, the fabric, the network and the mapping: every second segment from the vault on.
        segments = "/".join(part.name for part in (mapping.vault_id, mapping.fabric_id, mapping.id.parent, mapping.id))
        value = {"name": segments, "properties": body}
        yield f"resource {name}_{direction} {string(TYPE)} = {_value(value, '')}\n"


def _value(value: Any, indent: str) -> str:
    if not isinstance(value, Mapping):
        return string(str(value))
    inner = indent + _INDENT
    members = "".join(f"{inner}{key}: {_value(member, inner)}\n" for key, member in value.items())
    return f"{{\n{members}{indent}}}"


def identifier(text: str) -> str:
    """``text`` as a symbolic name of Bicep: ASCII letters, digits and _, starting with a letter or _."""
    name = _NOT_IN_A_NAME.sub("_", text).strip("_")
    return name if name[:1].isalpha() else f"_{name}"


def string(text: str) -> str:
    """``text`` as a string of Bicep without interpolation (Bicep's documentation, *Strings*)."""
    escaped = "".join(_ESCAPES.get(char) or (char if char.isprintable() else f"\\u{{{ord(char):x}}}") for char in text)
    return "'" + escaped.replace("${", "\\${") + "'"

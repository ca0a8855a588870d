"""Exports live mappings for Terraform: for each mapping a resource of the azurerm provider and its import block.

The arguments follow the provider's documentation of ``azurerm_site_recovery_network_mapping`` and
``azurerm_site_recovery_hyperv_network_mapping``. Every argument forces a new resource, so each must equal what the
provider reads back: names as in the imported id, and ids of networks in a spelling that it can parse.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from msgspec import Struct

from asrnet.desired import EVERYTHING, DesiredState, Selection
from asrnet.export.exported import Exported, Names, mappings_by_id, not_exported, one_line, title
from asrnet.inventory.live_pairs import LivePair, live_pairs
from asrnet.inventory.read import Inventory
from asrnet.model.arm import ArmId
from asrnet.model.azure import NetworkMapping
from asrnet.vmm import ServerNetwork, Topology

BETWEEN_REGIONS: Final = "azurerm_site_recovery_network_mapping"
FROM_VMM: Final = "azurerm_site_recovery_hyperv_network_mapping"

_NOT_IN_A_NAME = re.compile(r"[^A-Za-z0-9_-]+")
_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_TEMPLATE = re.compile(r"([$%])\{")
_BEYOND_FOUR_DIGITS: Final = 0xFFFF  # HCL writes characters up to here as \uXXXX, others as \UXXXXXXXX


class _Resource(Struct, frozen=True, kw_only=True):
    """A Terraform resource. ``provider`` is the alias of its provider, if it needs one."""

    kind: str
    name: str
    arguments: Mapping[str, ArmId | str]
    import_id: ArmId
    provider: str = ""


def export_terraform(inventory: Inventory, desired: DesiredState, *, selection: Selection = EVERYTHING) -> Exported:
    """Terraform resources and import blocks for the live mappings, named after the pairs of ``desired``.

    The same mappings give the same text. Half pairs are exported as they are.
    """
    live = live_pairs(inventory, desired, selection)
    providers = _providers({vault.id.subscription for vault in live.vaults if not vault.error}, desired)
    reader = _Reader(inventory, providers)
    names = Names(identifier)
    problems = {pair.forward: reader.problem(pair) for pair in live.pairs}
    sections = [
        f"{_comment(title(pair))}{_blocks(reader.resources(pair, names.name(pair)))}"
        for pair in live.pairs
        if not problems[pair.forward]
    ]
    left_out = not_exported(live, problems)
    comments = ["".join(_comment(f"left out: {line}") for line in left_out)] if left_out else []
    return Exported(text="\n".join([_head(providers), *sections, *comments]), left_out=left_out)


class _Reader:
    """Builds the resources of a pair."""

    def __init__(self, inventory: Inventory, providers: Mapping[str, str]) -> None:
        self._inventory = inventory
        self._providers = providers if len(providers) > 1 else {}
        self._mappings = mappings_by_id(inventory)

    def problem(self, pair: LivePair) -> str:
        """Why no resource can represent ``pair``; empty if one can."""
        if pair.kind == "vmm_to_vmm":
            return "the azurerm provider has no resource for a mapping between two VMM servers"
        if pair.kind == "vmm_to_azure":
            return "" if self._vm_network(pair) else "the names of the VMM server and its network could not be read"
        unknown = [mapping.name for mapping in self._both(pair) if mapping.recovery_fabric_id is None]
        return f"Site Recovery does not report the recovery fabric of {' and '.join(unknown)}" if unknown else ""

    def resources(self, pair: LivePair, name: str) -> list[_Resource]:
        """The resources of a pair without a problem, the forward mapping first."""
        return [
            _Resource(
                kind=FROM_VMM if pair.kind == "vmm_to_azure" else BETWEEN_REGIONS,
                name=name if pair.kind == "vmm_to_azure" else f"{name}_{direction}",
                arguments=self._from_vmm(mapping, pair)
                if pair.kind == "vmm_to_azure"
                else self._between_regions(mapping),
                import_id=mapping.id,
                provider=self._providers.get(mapping.id.subscription, ""),
            )
            # A half pair has no reverse mapping.
            for mapping, direction in zip(self._both(pair), ("forward", "reverse"), strict=False)
        ]

    def _both(self, pair: LivePair) -> list[NetworkMapping]:
        """The forward mapping and the reverse, if there is one."""
        return [self._mappings[mapping_id] for mapping_id in (pair.forward, pair.reverse) if mapping_id]

    def _between_regions(self, mapping: NetworkMapping) -> dict[str, ArmId | str]:
        return {
            "name": mapping.name,
            "resource_group_name": mapping.vault_id.resource_group,
            "recovery_vault_name": mapping.vault_id.name,
            "source_recovery_fabric_name": mapping.fabric_id.name,
            "target_recovery_fabric_name": mapping.recovery_fabric_id.name if mapping.recovery_fabric_id else "",
            "source_network_id": self._inventory.in_azure_spelling(mapping.primary_network_id),
            "target_network_id": self._inventory.in_azure_spelling(mapping.recovery_network_id),
        }

    def _from_vmm(self, mapping: NetworkMapping, pair: LivePair) -> dict[str, ArmId | str]:
        vm_network = self._vm_network(pair)
        return {
            "name": mapping.name,
            "recovery_vault_id": mapping.vault_id,
            "source_system_center_virtual_machine_manager_name": vm_network.server.name if vm_network else "",
            "source_network_name": vm_network.network.name if vm_network else "",
            "target_network_id": self._inventory.in_azure_spelling(mapping.recovery_network_id),
        }

    def _vm_network(self, pair: LivePair) -> ServerNetwork | None:
        topology = self._inventory.vaults[pair.vault].topology
        return topology.network_by_id(pair.primary_network_id) if isinstance(topology, Topology) else None


def identifier(text: str) -> str:
    """``text`` as a Terraform identifier: ASCII letters, digits, - and _, starting with a letter or _."""
    name = _NOT_IN_A_NAME.sub("-", text).strip("-")
    return name if name[:1].isalpha() or name[:1] == "_" else f"_{name}"


def _providers(subscriptions: Iterable[str], desired: DesiredState) -> dict[str, str]:
    """The provider's alias for each subscription: its alias in ``desired``, if it has one."""
    # In reverse order, so that the first of two aliases of one subscription is taken.
    declared = {guid: alias for alias, guid in reversed(list(desired.subscriptions.items()))}
    return {guid: identifier(declared.get(guid, f"subscription-{guid}")) for guid in sorted(subscriptions)}


def _head(providers: Mapping[str, str]) -> str:
    lines = [
        "The existing network mappings of Site Recovery, for Terraform 1.5 or later with the azurerm provider.",
        "terraform plan must report imports only: nothing to add, change or destroy.",
    ]
    if len(providers) == 1:
        lines.append(f"Configure the provider with the vaults' subscription: {next(iter(providers))}")
    elif providers:
        lines.append("The vaults are in several subscriptions, and each needs a provider with this alias:")
        lines += [f"  {alias}: {guid}" for guid, alias in providers.items()]
    lines.append("Rows of asrnet's desired state that declare these pairs should say managed_by: terraform.")
    return "".join(_comment(line) for line in lines)


def _comment(text: str) -> str:
    """``text`` as one comment line."""
    return f"# {one_line(text)}\n"


def _blocks(resources: Sequence[_Resource]) -> str:
    """For each resource its block, followed by the block that imports it."""
    blocks = []
    for resource in resources:
        pairs = [("provider", f"azurerm.{resource.provider}")] if resource.provider else []
        pairs += [(name, string(str(value))) for name, value in resource.arguments.items()]
        blocks.append(_block(f"resource {string(resource.kind)} {string(resource.name)}", pairs))
        address = f"{resource.kind}.{resource.name}"
        blocks.append(_block("import", [("to", address), ("id", string(str(resource.import_id)))]))
    return "\n".join(blocks)


def _block(header: str, pairs: Sequence[tuple[str, str]]) -> str:
    """A block in the layout of ``terraform fmt``."""
    width = max(len(name) for name, _ in pairs)
    body = "".join(f"  {name:{width}} = {value}\n" for name, value in pairs)
    return f"{header} {{\n{body}}}\n"


def string(text: str) -> str:
    """``text`` as a quoted HCL string without template sequences (HCL Native Syntax Specification)."""
    escaped = "".join(_ESCAPES.get(char) or (char if char.isprintable() else _escaped(char)) for char in text)
    # HCL parsers disagree on how to read $$${ and $${, so the $ or % itself is written as a Unicode escape.
    literal = _TEMPLATE.sub(lambda match: f"{_escaped(match[1])}{{", escaped)
    return f'"{literal}"'


def _escaped(char: str) -> str:
    return f"\\U{ord(char):08x}" if ord(char) > _BEYOND_FOUR_DIGITS else f"\\u{ord(char):04x}"

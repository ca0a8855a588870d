"""Exports live mappings as the desired state that declares them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from itertools import chain, count
from typing import Any, Final

from msgspec import Struct, structs

from asrnet import desired as files
from asrnet.desired import DesiredState, Region, Row, Rule, VmmRow, VmNetworkName
from asrnet.desired.copies import is_copy, original_of
from asrnet.errors import InputError, printable
from asrnet.inventory.live_pairs import LivePair, LiveStatus, live_pairs
from asrnet.inventory.read import Inventory, Unknown
from asrnet.model.arm import VNET, ArmId
from asrnet.vmm import Topology

_LEFT_OUT: Final[dict[LiveStatus, str]] = {
    "duplicate": "one of several mappings of this network to that region",
    "not_paired": "not in the state Paired",
    "zone_to_zone": "within one region",
}
_LEFT_OUT_ON_PREMISES: Final[dict[LiveStatus, str]] = {
    **_LEFT_OUT,
    "duplicate": "one of several mappings of this network to that server",
    "half": "it has no reverse, and a row for two VMM servers declares both directions",
    "shared": "its recovery network fails back to another one, and a row for two VMM servers declares both directions",
}


class Dump(Struct, frozen=True, kw_only=True):
    """A desired state, with messages about the mappings that were left out and remarks on half pairs."""

    desired: DesiredState
    left_out: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    def text(self, folder: str = ".") -> str:
        """The YAML text of a file in ``folder``, with the remarks and the omissions as comments at its top."""
        comments = "".join(f"# {printable(line)}\n" for line in self.remarks)
        comments += "".join(f"# left out: {printable(line)}\n" for line in self.left_out)
        topology = self.desired.topology and os.path.relpath(self.desired.topology, folder or ".")
        return comments + files.dump_desired(structs.replace(self.desired, topology=topology))


def export_desired(inventory: Inventory, desired: DesiredState, *, accept_halves: bool = False) -> Dump:
    """Export the live mappings as a desired state, with the names, vaults and aliases of ``desired``.

    Half pairs are written as pairs, so that the next plan creates the missing reverse; otherwise its plan is empty.
    With ``accept_halves`` they are written as they are, with ``failback: none``. What ``desired`` says of a pair beyond
    its networks stays: the tool that manages it, its machines, its test network, and that it has no way back.
    """
    live = live_pairs(inventory, desired)
    entries = _Entries(desired)
    topologies = {vault.name: vault.topology for vault in inventory.vaults.values()}
    left_out: list[str] = []
    between_regions: list[LivePair] = []
    vmm_rows: list[VmmRow] = []
    taken: set[str] = set()
    for pair in live.pairs:
        problem = _problem(pair, topologies[pair.vault])
        if problem:
            left_out.append(
                f"mapping {pair.forward.name} of {pair.primary_network} to {pair.recovery_network}: {problem}"
            )
        elif pair.kind == "azure_to_azure":
            between_regions.append(_starting_at_the_original(pair, inventory))
        else:
            vmm_row = _vmm_row(pair, _row_name(pair, taken), topologies[pair.vault])
            vmm_rows.append(structs.replace(vmm_row, **entries.settings_of(pair)))
    left_out += [f"vault {vault.name}: {vault.error}" for vault in inventory.vaults.values() if vault.error]
    left_out += [mapping for vault in live.vaults for mapping in vault.unreadable]
    rows, remarks = _rows(between_regions, live.pairs, taken, entries, accept_halves=accept_halves)
    # A rule would match networks that have rows here. Ignored networks have rows here, too, if they are mapped.
    rules = [rule.name for rule in desired.rules if rule.vault in inventory.vaults]
    if rules:
        remarks.append(f"not in this file: the rules {', '.join(rules)}; the pairs they made are rows here")
    ignored = [entry.name for entry in desired.ignore if entry.name]
    if ignored:
        remarks.append(f"not in this file: the networks under ignore ({', '.join(ignored)}); mapped ones are rows here")
    declared = {(region.primary, region.recovery): region for region in desired.regions}
    directions = dict.fromkeys((pair.primary_location or "", pair.recovery_location or "") for pair in between_regions)
    state = DesiredState(
        cloud=desired.cloud,
        subscriptions=desired.subscriptions,
        vaults=tuple(vault for vault in desired.vaults if vault.name in inventory.vaults),
        regions=tuple(
            declared.get((primary, recovery)) or Region(primary=primary, recovery=recovery)
            for primary, recovery in directions
        ),
        pairs=tuple(rows),
        vmm_pairs=tuple(vmm_rows),
        ignore=tuple(entry for entry in desired.ignore if entry.machine),
        topology=desired.topology,
        freeze=tuple(entry for entry in desired.freeze if entry.vault in inventory.vaults),
        limits=desired.limits,
        machines=desired.machines,
        release_addresses=desired.release_addresses,
    )
    return Dump(desired=state, left_out=tuple(left_out), remarks=tuple(remarks))


class _Entries:
    """The rows and rules of a desired state, by the pairs that they make."""

    def __init__(self, desired: DesiredState) -> None:
        entries: tuple[Row | Rule | VmmRow, ...] = (*desired.pairs, *desired.vmm_pairs, *desired.rules)
        self._entries = {(entry.vault, entry.name): entry for entry in entries}

    def of(self, pair: LivePair) -> Row | Rule | VmmRow | None:
        """The row or rule that declares a live pair."""
        name = pair.pair or ""
        # The pair of a rule is named RULE/NETWORK; a row may have a name with a slash as well.
        return self._entries.get((pair.vault, name)) or self._entries.get((pair.vault, name.partition("/")[0]))

    def settings_of(self, pair: LivePair) -> dict[str, Any]:
        """The members that a row of a live pair keeps, by name."""
        entry = self.of(pair)
        if entry is None:
            return {}
        settings: dict[str, Any] = {
            "managed_by": entry.managed_by,
            "machines": entry.machines,
            "release_addresses": entry.release_addresses,
        }
        if isinstance(entry, Row):
            settings["test"] = entry.test
        elif isinstance(entry, Rule) and entry.test not in {None, "none"}:
            network_id = pair.primary_network_id
            text = str(entry.test).format(name=network_id.name, resource_group=network_id.resource_group)
            settings["test"] = ArmId(text)
        elif isinstance(entry, Rule):
            settings["test"] = entry.test
        return settings


def _problem(pair: LivePair, topology: Topology | Unknown) -> str:
    """Why a mapping cannot be declared; empty if it can."""
    if pair.absent:
        return _do_not_exist([network.name for network in pair.absent])
    if pair.kind == "azure_to_azure":
        for network in (pair.primary_network_id, pair.recovery_network_id):
            if network.type != VNET:
                return f"{network.name} is no virtual network of Resource Manager ({network.type})"
        return _LEFT_OUT.get(pair.status, "")
    if isinstance(topology, Unknown):
        return f"the VMM servers could not be read: {topology.error}"
    ends = (pair.primary_network_id, *((pair.recovery_network_id,) if pair.kind == "vmm_to_vmm" else ()))
    missing = [network.name for network in ends if topology.network_by_id(network) is None]
    if missing:
        return f"the VM {'network' if len(missing) == 1 else 'networks'} {_do_not_exist(missing)}"
    return _LEFT_OUT_ON_PREMISES.get(pair.status, "")


def _do_not_exist(names: Sequence[str]) -> str:
    return f"{' and '.join(names)} {'does' if len(names) == 1 else 'do'} not exist"


def _starting_at_the_original(pair: LivePair, inventory: Inventory) -> LivePair:
    """``pair`` with its sides swapped if only the reverse, from a copy to its original, is mapped."""
    primary = inventory.networks.get(pair.primary_network_id)
    if pair.reverse or primary is None or not is_copy(primary):
        return pair
    # The tag's value may have been cut to Azure's limit, so the start is compared.
    if not str(pair.recovery_network_id).lower().startswith(original_of(primary).lower()):
        return pair
    return structs.replace(
        pair,
        primary_network_id=pair.recovery_network_id,
        recovery_network_id=pair.primary_network_id,
        primary_network=pair.recovery_network,
        recovery_network=pair.primary_network,
        primary_location=pair.recovery_location,
        recovery_location=pair.primary_location,
    )


def _rows(
    pairs: Sequence[LivePair], live: Sequence[LivePair], taken: set[str], entries: _Entries, *, accept_halves: bool
) -> tuple[list[Row], list[str]]:
    """A row for each of ``pairs``, and remarks on the half pairs among them. ``live`` has all live pairs."""
    # A network can have one mapping to a region. A row must not claim the reverse if the recovery network is mapped
    # elsewhere already, and of several half pairs with one recovery network only the first can own the reverse.
    mapped = {(pair.vault, pair.primary_network_id, pair.recovery_location) for pair in live}
    claimed: dict[tuple[str, ArmId, str | None], LivePair] = {}
    rows: list[Row] = []
    remarks: list[str] = []
    for pair in pairs:
        name = _row_name(pair, taken)
        way_back = (pair.vault, pair.recovery_network_id, pair.primary_location)
        owns_reverse = pair.reverse is not None
        settings, entry = entries.settings_of(pair), entries.of(pair)
        manager = settings.get("managed_by")
        if pair.status == "half" and isinstance(entry, Row | Rule) and not entry.failback:
            remarks.append(f"half, as declared: {name} has one mapping only, so machines cannot fail back")
        elif pair.status == "half" and accept_halves:
            remarks.append(f"half, and accepted as such: {name} has one mapping only, so machines cannot fail back")
        elif pair.status == "half" and way_back in mapped:
            remarks.append(f"half: {name} has no way back: {pair.recovery_network} is mapped to another network")
        elif pair.status == "half" and way_back in claimed:
            other = claimed[way_back].primary_network
            remarks.append(f"half: {name} has no way back: {pair.recovery_network} is to fail back to {other}")
        elif pair.status == "half":
            claimed[way_back] = pair
            owns_reverse = True
            completes = f"{manager} manages the pair" if manager else "the next plan creates the other"
            remarks.append(f"half: {name} has one mapping only; {completes}")
        row = Row(
            name=name,
            vault=pair.vault,
            primary=pair.primary_network_id,
            recovery=pair.recovery_network_id,
            failback=owns_reverse,
            **settings,
        )
        rows.append(row)
    return rows, remarks


def _row_name(pair: LivePair, taken: set[str]) -> str:
    """The shortest free name for the row of ``pair``, which is added to ``taken``."""
    plain = pair.primary_network if _is_label(pair.primary_network) else pair.primary_network_id.name
    longer = f"{plain}-{pair.recovery_location}"
    names = chain(
        (pair.pair or plain, longer, f"{pair.primary_network_id.resource_group}-{longer}"),
        (f"{longer}-{number}" for number in count(2)),
    )
    name = next(name for name in names if name not in taken)
    taken.add(name)
    return name


def _vmm_row(pair: LivePair, name: str, topology: Topology | Unknown) -> VmmRow:
    primary, recovery = pair.primary_network_id, pair.recovery_network_id
    return VmmRow(
        name=name,
        vault=pair.vault,
        primary=_vm_network(primary, topology),
        recovery=_vm_network(recovery, topology) if pair.kind == "vmm_to_vmm" else recovery,
    )


def _vm_network(network_id: ArmId, topology: Topology | Unknown) -> VmNetworkName:
    """A VM network by the names people use, if they are unique and can be written; else by its resource names."""
    resources = VmNetworkName(server=network_id.parent.name, network=network_id.name)
    located = None if isinstance(topology, Unknown) else topology.network_by_id(network_id)
    if isinstance(topology, Unknown) or located is None:
        return resources
    for server in (located.server.name, located.server.fabric):
        for network in (located.network.name, network_id.name):
            name = VmNetworkName(server=server, network=network)
            if not all(_is_label(part) and "/" not in part for part in (server, network)):
                continue
            with suppress(InputError):
                if topology.network(name).network.id == network_id:
                    return name
    return resources


def _is_label(text: str) -> bool:
    return text != "" and text == text.strip() and text.isprintable()

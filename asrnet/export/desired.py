"""Live mappings -> the desired state that asks for exactly these: where to start from, and what to compare with."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct, structs

from asrnet import desired as files
from asrnet.desired import DesiredState, Region, Row, VmmRow, VmNetworkName
from asrnet.errors import InputError, harmless
from asrnet.inventory.live_pairs import LivePair, LiveStatus, live_pairs
from asrnet.inventory.read import Inventory, Unknown
from asrnet.model.arm import ArmId
from asrnet.vmm import ServerNetwork, Topology

_LEFT_OUT: Final[dict[LiveStatus, str]] = {
    "duplicate": "one of several mappings of this network to that region",
    "not_paired": "not in the state Paired",
    "zone_to_zone": "within one region",
}
_LEFT_OUT_ON_PREMISES: Final[dict[LiveStatus, str]] = {
    **_LEFT_OUT,
    "duplicate": "one of several mappings of this network to that server",
    "half": "it has no reverse, and a row for two VMM servers is a pair",
    "shared": "its recovery network fails back elsewhere, and a row for two VMM servers is a pair",
}


class Dump(Struct, frozen=True, kw_only=True):
    """A desired state, and in words what it could not take up."""

    desired: DesiredState
    left_out: tuple[str, ...]

    def text(self, folder: str = ".") -> str:
        """The YAML file that is to lie in ``folder``; what was left out is said in comments at its top."""
        comments = "".join(f"# left out: {harmless(line)}\n" for line in self.left_out)
        topology = self.desired.topology and os.path.relpath(self.desired.topology, folder or ".")
        return comments + files.dump_desired(structs.replace(self.desired, topology=topology))


def dump(inventory: Inventory, desired: DesiredState) -> Dump:
    """The desired state whose plan is empty, with the names, vaults and aliases that ``desired`` has.

    A half pair becomes a row with ``failback: none``: what is, not what should be.
    """
    all_live = live_pairs(inventory, desired)
    live = all_live.pairs
    topologies = {vault.name: vault.topology for vault in inventory.vaults.values()}
    problems = {pair.forward: _problem(pair, topologies[pair.vault]) for pair in live}
    kept = [pair for pair in live if not problems[pair.forward]]
    left_out = [f"{_label(pair)}: {problem}" for pair in live if (problem := problems[pair.forward])]
    left_out += [f"vault {vault.name}: {vault.error}" for vault in inventory.vaults.values() if vault.error]
    left_out += [said for vault in all_live.vaults for said in vault.unreadable]
    between_regions = [pair for pair in kept if pair.kind == "azure_to_azure"]
    names = _Names()
    state = DesiredState(
        cloud=desired.cloud,
        subscriptions=desired.subscriptions,
        vaults=tuple(vault for vault in desired.vaults if vault.name in inventory.vaults),
        regions=tuple(_regions(between_regions, desired)),
        pairs=tuple(_row(pair, names) for pair in between_regions),
        vmm_pairs=tuple(
            _vmm_row(pair, names, topologies[pair.vault]) for pair in kept if pair.kind != "azure_to_azure"
        ),
        topology=desired.topology,
        limits=desired.limits,
    )
    return Dump(desired=state, left_out=tuple(left_out))


def _problem(pair: LivePair, topology: Topology | Unknown) -> str:
    if pair.absent:
        return _absent([network.name for network in pair.absent])
    if pair.kind == "azure_to_azure":
        return _LEFT_OUT.get(pair.status, "")
    if isinstance(topology, Unknown):
        return f"the VMM servers could not be read: {topology.error}"
    ends = (pair.primary_network_id, *((pair.recovery_network_id,) if pair.kind == "vmm_to_vmm" else ()))
    gone = [network.name for network in ends if topology.network_by_id(network) is None]
    if gone:
        return f"the VM {'network' if len(gone) == 1 else 'networks'} {_absent(gone)}"
    return _LEFT_OUT_ON_PREMISES.get(pair.status, "")


def _absent(names: Sequence[str]) -> str:
    return f"{' and '.join(names)} {'does' if len(names) == 1 else 'do'} not exist"


def _label(pair: LivePair) -> str:
    return f"mapping {pair.forward.name} of {pair.primary_network} to {pair.recovery_network}"


def _regions(pairs: Iterable[LivePair], desired: DesiredState) -> Iterator[Region]:
    known = {(region.primary, region.recovery): region for region in desired.regions}
    used = dict.fromkeys((pair.primary_location or "", pair.recovery_location or "") for pair in pairs)
    for primary, recovery in used:
        yield known.get((primary, recovery)) or Region(primary=primary, recovery=recovery)


class _Names:
    """Names for rows, each given once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def name(self, pair: LivePair) -> str:
        """The nicest name for ``pair`` that no row has."""
        name = next(name for name in _candidates(pair) if name not in self._taken)
        self._taken.add(name)
        return name


def _candidates(pair: LivePair) -> Iterator[str]:
    """Names for a row, the nicest first, without end."""
    plain = pair.primary_network if _is_label(pair.primary_network) else pair.primary_network_id.name
    longer = f"{plain}-{pair.recovery_location}"
    yield from (pair.pair or plain, longer, f"{pair.primary_network_id.resource_group}-{longer}")
    number = 2
    while True:
        yield f"{longer}-{number}"
        number += 1


def _row(pair: LivePair, names: _Names) -> Row:
    return Row(
        name=names.name(pair),
        vault=pair.vault,
        primary=pair.primary_network_id,
        recovery=pair.recovery_network_id,
        failback=pair.reverse is not None,
    )


def _vmm_row(pair: LivePair, names: _Names, topology: Topology | Unknown) -> VmmRow:
    primary, recovery = pair.primary_network_id, pair.recovery_network_id
    return VmmRow(
        name=names.name(pair),
        vault=pair.vault,
        primary=_vm_network(primary, topology),
        recovery=_vm_network(recovery, topology) if pair.kind == "vmm_to_vmm" else recovery,
    )


def _vm_network(network_id: ArmId, topology: Topology | Unknown) -> VmNetworkName:
    """The names of a VM network where they are its own and can be written, else those of the resources."""
    resources = VmNetworkName(server=network_id.parent.name, network=network_id.name)
    if isinstance(topology, Unknown):
        return resources
    names = _vm_network_names(topology.network_by_id(network_id), network_id)
    return next((name for name in names if _leads_to(name, network_id, topology)), resources)


def _vm_network_names(found: ServerNetwork | None, network_id: ArmId) -> Iterator[VmNetworkName]:
    servers = (found.server.name, found.server.fabric) if found else ()
    networks = (found.network.name, network_id.name) if found else ()
    for server in filter(_can_be_written, servers):
        for network in filter(_can_be_written, networks):
            yield VmNetworkName(server=server, network=network)


def _leads_to(name: VmNetworkName, network_id: ArmId, topology: Topology) -> bool:
    try:
        return topology.network(name).network.id == network_id
    except InputError:
        return False


def _can_be_written(name: str) -> bool:
    return "/" not in name and _is_label(name)


def _is_label(text: str) -> bool:
    return text != "" and text == text.strip() and text.isprintable()

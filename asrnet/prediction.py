"""Where machines land, from what was read: those that vaults protect, those of a list, or one for every subnet."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import partial

from msgspec import Struct, structs

from asrnet.desired import EVERYTHING, DesiredState, Selection, VmmRow
from asrnet.errors import InputError
from asrnet.failover import (
    Entry,
    Gaps,
    Machine,
    Network,
    NetworkNames,
    Operation,
    Prediction,
    machines_of_entries,
    machines_of_items,
    machines_of_subnets,
    read_entries,
)
from asrnet.failover import predict as predict_machines
from asrnet.files.problems import did_you_mean
from asrnet.inventory import read as inventories
from asrnet.inventory import targets as targeting
from asrnet.inventory.live_pairs import live_pairs
from asrnet.inventory.read import Absent, Inventory, Unknown, VaultInventory
from asrnet.model.arm import VNET, ArmId
from asrnet.model.azure import COPY_TAG, VirtualNetwork
from asrnet.ports import Backend
from asrnet.vmm import Topology, eligible_hosts, vm_networks


class Question(Struct, frozen=True, kw_only=True):
    """What is to be predicted.

    The machines are those of the vaults, or of the file ``listed_in``, or with ``all_subnets`` one for every subnet of
    every primary network. ``only`` names those that fail over, empty for all. ``test_network`` is by any of its names.
    """

    operation: Operation = "failover"
    test_network: str | None = None
    only: tuple[str, ...] = ()
    listed_in: str | None = None
    all_subnets: bool = False

    @property
    def is_about_items(self) -> bool:
        """Whether it needs to be known what the vaults protect."""
        return self.listed_in is None and not self.all_subnets


class Scene(Struct, frozen=True, kw_only=True):
    """Everything that the answer to a question needs to know: the machines it is about, and where they are."""

    inventory: Inventory
    machines: tuple[Machine, ...]
    test_network_id: ArmId | None = None


def read(question: Question, desired: DesiredState, backend: Backend, *, selection: Selection = EVERYTHING) -> Scene:
    """What ``question`` is about, read.

    Raises like ``inventory.read``; InputError for machines and networks that are not there, DocumentError for a list
    that is wrong.
    """
    entries = read_entries(question.listed_in) if question.listed_in is not None else ()
    found = inventories.read_inventory(desired, backend, selection=selection, confirm=False)
    named = _named_by_id(question, entries)
    wanted = {*networks_of_machines(found), *named}
    found = inventories.extended(found, backend, wanted, subscriptions=desired.subscriptions.values())
    _expect_readable(named, found)
    names = _names(_networks(found).values(), desired, found)
    test_network = _test_network(question.test_network, names) if question.test_network else None
    machines = machines_of_entries(entries, names) if entries else _machines(question, desired, found)
    machines = _chosen(question, machines)
    machines = _of_pairs(machines, desired, found, selection)
    scene = Scene(inventory=found, machines=machines, test_network_id=test_network)
    # Which addresses are in use is told network by network only: asked for where machines land.
    with_addresses = inventories.with_addresses(found, backend, _landed_on(question.operation, scene))
    return structs.replace(scene, inventory=with_addresses)


def _named_by_id(question: Question, entries: Iterable[Entry]) -> set[ArmId]:
    """The networks that the question gives by their ids, which may be anywhere."""
    rows = (entry.row for entry in entries)
    names = {name for row in rows for name in (row.primary_network, row.replica_network)} | {question.test_network}
    return {found for name in names if name and (found := _id(name))}


def _id(name: str) -> ArmId | None:
    if not name.startswith("/"):
        return None
    try:
        return ArmId(name)
    except InputError:
        return None


def _expect_readable(named: Iterable[ArmId], inventory: Inventory) -> None:
    """Raises InputError for a network that may exist: to call it unknown would be a lie."""
    for network_id in sorted(named):
        state = inventory.missing.get(network_id)
        if isinstance(state, Unknown):
            raise InputError(f"{network_id} could not be read: {state.error}", hint=state.error.hint) from state.error


def _test_network(name: str, names: NetworkNames) -> ArmId:
    try:
        return names.find(name).id
    except InputError as error:
        hint = error.hint or "machines are named before the network of a test"
        raise InputError(f"the network of the test failover: {error.message}", hint=hint) from error


def _landed_on(operation: Operation, scene: Scene) -> set[ArmId]:
    """The networks that any machine lands on; which those are depends on no address, so one of each kind will do."""
    # A machine that comes back has failed over before.
    operations: set[Operation] = {"failover", "failback"} if operation == "failback" else {operation}
    one_of_each = {_alike(machine): machine for machine in scene.machines}
    alike = structs.replace(scene, machines=tuple(map(_without_addresses, one_of_each.values())))
    landings = (landing for each in operations for landing in _prediction(each, alike).landings)
    return {landing.network_id for landing in landings if landing.network_id}


def _alike(machine: Machine) -> Hashable:
    """Machines of which this is the same land on the same networks."""
    networks = (
        (nic.primary_network_id, nic.recovery_network_id, nic.test_network_id, machine.replicas.get(nic.name))
        for nic in machine.nics
    )
    places = (machine.vault_id, machine.home_fabric_id, machine.recovery_fabric_id)
    return machine.kind, machine.re_protected, *places, *networks


def _without_addresses(machine: Machine) -> Machine:
    nics = (structs.replace(nic, ip_configurations=()) for nic in machine.nics)
    return structs.replace(machine, nics=tuple(nics))


def networks_of_machines(inventory: Inventory) -> Iterator[ArmId]:
    """Every network that a mapping leads from or to, or that is set on a machine."""
    for vault in inventory.vaults.values():
        for mapping in vault.mappings:
            yield from (mapping.primary_network_id, mapping.recovery_network_id)
        for item in () if isinstance(vault.items, Unknown) else vault.items:
            for nic in item.nics:
                yield from filter(None, (nic.primary_network_id, nic.recovery_network_id, nic.test_network_id))


def predict(question: Question, scene: Scene) -> Prediction:
    """The answer, from what ``read`` has found."""
    return _prediction(question.operation, scene)


def _prediction(operation: Operation, scene: Scene) -> Prediction:
    vaults = scene.inventory.vaults.values()
    return predict_machines(
        scene.machines,
        networks=_networks(scene.inventory),
        mappings=[mapping for vault in vaults for mapping in vault.mappings],
        gaps=Gaps(
            vaults=frozenset(vault.id for vault in vaults if vault.error),
            mappings=tuple(mapping for vault in vaults for mapping in vault.unreadable),
        ),
        absent={name for name, state in scene.inventory.missing.items() if isinstance(state, Absent)},
        operation=operation,
        test_network_id=scene.test_network_id,
        eligible_hosts=partial(_eligible_hosts, _topologies(scene.inventory)),
    )


def unread(question: Question, scene: Scene, answer: Prediction) -> tuple[str, ...]:
    """What the answer lacks because it could not be read, and why."""
    inventory = scene.inventory
    items = [problem for vault in inventory.vaults.values() for problem in _unread_items(vault)]
    return (
        *targeting.unread(inventory),
        *(items if question.is_about_items else ()),
        *_unread_mappings(inventory, answer),
        *_unread_networks(inventory, answer),
    )


def _unread_items(vault: VaultInventory) -> Iterator[str]:
    if isinstance(vault.items, Unknown):
        yield f"the machines of vault {vault.name}: {vault.items.error}"


def _unread_mappings(inventory: Inventory, answer: Prediction) -> Iterator[str]:
    """Those that make no sense, where any of them may be one that a machine follows."""
    if any(notice.code == "mapping_not_read" for landing in answer.landings for notice in landing.notices):
        for vault in inventory.vaults.values():
            for mapping in vault.unreadable:
                yield f"the mapping {mapping.name} of vault {vault.name}: it {mapping.problem}"


def _unread_networks(inventory: Inventory, answer: Prediction) -> Iterator[str]:
    landed = {landing.network_id for landing in answer.landings if landing.network_id}
    for network_id in sorted(landed):
        state = inventory.network(network_id) if network_id.type == VNET else None
        if isinstance(state, Unknown):
            yield f"network {network_id.name}: {state.error}"


def _topologies(inventory: Inventory) -> list[Topology]:
    return [vault.topology for vault in inventory.vaults.values() if isinstance(vault.topology, Topology)]


def _networks(inventory: Inventory) -> dict[ArmId, Network]:
    on_premises = {network.id: network for topology in _topologies(inventory) for network in vm_networks(topology)}
    return {**inventory.networks, **on_premises}


def _names(networks: Iterable[Network], desired: DesiredState, inventory: Inventory) -> NetworkNames:
    fabrics = [fabric for vault in inventory.vaults.values() for fabric in vault.fabrics]
    return NetworkNames(networks, fabrics=fabrics, subscriptions=desired.subscriptions)


def _eligible_hosts(topologies: Sequence[Topology], primary: ArmId, recovery: ArmId) -> tuple[str, ...] | None:
    known = (eligible_hosts(topology, primary, recovery) for topology in topologies)
    return next((hosts for hosts in known if hosts is not None), None)


def _machines(question: Question, desired: DesiredState, inventory: Inventory) -> tuple[Machine, ...]:
    if question.all_subnets:
        return machines_of_subnets(_primary_networks(desired, inventory))
    vaults = inventory.vaults.values()
    return machines_of_items(
        item for vault in vaults for item in (() if isinstance(vault.items, Unknown) else vault.items)
    )


def _primary_networks(desired: DesiredState, inventory: Inventory) -> list[Network]:
    """The networks that machines fail over from: no copies, and none that others only fail over to."""
    live = live_pairs(inventory, desired).pairs
    declared = inventory.resolved(desired).pairs
    primaries = {pair.primary_network_id for pair in live} | {pair.primary for pair in declared}
    recoveries = {pair.recovery_network_id for pair in live} | {pair.recovery for pair in declared}
    regions = {region.primary for region in desired.regions}
    return [
        network
        for network_id, network in sorted(_networks(inventory).items())
        if network_id in primaries or (network_id not in recoveries and _may_be_primary(network, regions))
    ]


def _may_be_primary(network: Network, regions: set[str]) -> bool:
    if not isinstance(network, VirtualNetwork):
        return True
    return COPY_TAG not in network.tags and (not regions or network.location in regions)


def _chosen(question: Question, machines: tuple[Machine, ...]) -> tuple[Machine, ...]:
    names = {machine.name.lower() for machine in machines}
    for name in question.only:
        if name.lower() not in names:
            known = [machine.name for machine in machines]
            raise InputError(f"there is no machine '{name}'{did_you_mean(name, known)}", hint=_hint(question))
    wanted = {name.lower() for name in question.only}
    return tuple(machine for machine in machines if not wanted or machine.name.lower() in wanted)


def _hint(question: Question) -> str:
    if question.listed_in:
        return f"machines are those of {question.listed_in}"
    return "with --all-subnets a machine is called like its network" if question.all_subnets else ""


def _of_pairs(
    machines: tuple[Machine, ...], desired: DesiredState, inventory: Inventory, selection: Selection
) -> tuple[Machine, ...]:
    """The machines on a network of the selected pairs. Raises InputError for VM networks that are not there."""
    if not selection.pairs:
        return machines
    chosen = live_pairs(inventory, desired, selection).pairs
    networks = {network for pair in chosen for network in (pair.primary_network_id, pair.recovery_network_id)}
    for pair in inventory.resolved(desired).pairs:
        if selection.has_pair(pair.name):
            networks |= {network for network in (pair.primary, pair.recovery) if network}
    for row in desired.vmm_pairs:
        if selection.has_pair(row.name):
            networks |= set(_networks_of_row(row, inventory))
    return tuple(one for one in machines if any(nic.primary_network_id in networks for nic in one.nics))


def _networks_of_row(row: VmmRow, inventory: Inventory) -> Iterator[ArmId]:
    vault = inventory.vaults.get(row.vault)
    if vault is None or not isinstance(vault.topology, Topology) or vault.error:
        return
    for end in (row.primary, row.recovery):
        network_id = end if isinstance(end, ArmId) else vault.topology.network(end, row.source).network.id
        if network_id:
            yield network_id

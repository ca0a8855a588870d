"""Where machines land: those that the vaults protect, those of a list, or one for every subnet.

``read_machines`` reads everything that the question needs, and ``predict`` answers it::

    inputs = read_machines(desired, backend, Question(operation="failback"))
    prediction = predict(inputs)

The rules themselves are in ``asrnet.failover``, which performs no I/O.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct, structs

from asrnet.desired import EVERYTHING, DesiredState, Selection
from asrnet.desired.copies import is_copy
from asrnet.errors import InputError, did_you_mean
from asrnet.failover import (
    Entry,
    Gaps,
    InterfaceComparison,
    KnownInterfaces,
    Machine,
    Network,
    NetworkNames,
    Operation,
    PlannedCounts,
    Prediction,
    PresentLanding,
    compare_interfaces,
    machines_of_entries,
    machines_of_items,
    machines_of_subnets,
    read_entries,
    simulate,
    subscription_of,
)
from asrnet.files.problems import raise_any
from asrnet.inventory import read as inventories
from asrnet.inventory.live_pairs import live_pairs
from asrnet.inventory.planned import inventory_after
from asrnet.inventory.read import Absent, Inventory, Unknown
from asrnet.model.arm import VAULT, VNET, ArmId
from asrnet.model.azure import NetworkInterface, VirtualNetwork
from asrnet.model.findings import Finding, FindingKind, finding
from asrnet.model.plan import Plan
from asrnet.ports import Backend
from asrnet.vmm import Topology, eligible_hosts, failback_hosts, vm_networks


class Question(Struct, frozen=True, kw_only=True):
    """What to predict.

    The machines are those of the vaults, those of the file ``listed_in`` or, with ``all_subnets``, one for every subnet
    of every primary network. ``only`` restricts them to those named. ``test_network`` is any name of the network.
    ``recovery_region`` is the target of machines that are not protected yet, unless their row has one. With
    ``with_interfaces``, the machines' NICs are compared with those of their replicas. ``forced`` names the limits that
    are lifted for a plan.
    """

    operation: Operation = "failover"
    test_network: str | None = None
    only: tuple[str, ...] = ()
    listed_in: str | None = None
    all_subnets: bool = False
    recovery_region: str | None = None
    with_interfaces: bool = False
    forced: tuple[str, ...] = ()

    @property
    def is_about_items(self) -> bool:
        """Whether the machines are those that the vaults protect."""
        return self.listed_in is None and not self.all_subnets


DEFAULT_QUESTION: Final = Question()
"""The failover of all machines that the vaults protect."""


class PredictionInputs(Struct, frozen=True, kw_only=True):
    """Everything that a prediction depends on.

    With a ``plan``, the prediction is for after the plan is applied. ``interfaces`` are the network interfaces by
    subscription, if the question needs them.
    """

    question: Question
    inventory: Inventory
    machines: tuple[Machine, ...]
    test_network_id: ArmId | None = None
    plan: Plan | None = None
    interfaces: Mapping[str, tuple[NetworkInterface, ...] | Unknown] = {}

    @property
    def topologies(self) -> list[Topology]:
        """The VMM topologies that could be read."""
        return _topologies(self.inventory)

    @property
    def networks(self) -> dict[ArmId, Network]:
        """The virtual networks and the VM networks that could be read."""
        return _networks(self.inventory)


def conflicts_of(question: Question) -> Iterator[InputError]:
    """A mistake for each part of ``question`` that another part makes pointless."""
    if question.recovery_region and question.is_about_items:
        hint = "use it with --machines and --all-subnets; protected machines already have a recovery region"
        yield InputError("a recovery region cannot be chosen for protected machines", hint=hint)
    if question.with_interfaces and not question.is_about_items:
        yield InputError("only protected machines have NICs to compare", hint="leave out --nics")
    if question.with_interfaces and question.operation == "failback":
        hint = "after re-protection the failback is a failover: predict that"
        yield InputError("the NIC settings after failback are not set until a machine is re-protected", hint=hint)


def read_machines(
    desired: DesiredState,
    backend: Backend,
    question: Question = DEFAULT_QUESTION,
    *,
    selection: Selection = EVERYTHING,
    make_plan: Callable[[Inventory], Plan] | None = None,
) -> PredictionInputs:
    """Read the machines of the ``question`` and everything that decides where they land.

    With ``make_plan``, the prediction is for after that plan is applied. Raises the errors of ``read_inventory``;
    InputError for machines, networks and regions that do not exist; DocumentError for an invalid list.
    """
    raise_any(conflicts_of(question))
    entries = read_entries(question.listed_in) if question.listed_in is not None else []
    # A prediction writes nothing, so networks that a lagging list may lack need not be confirmed one by one.
    inventory = inventories.read_inventory(desired, backend, selection=selection, confirm=False)
    plan = make_plan(inventory) if make_plan else None
    # Networks that the lists may lack: those of mappings and machines, and those that the question gives by id.
    named_by_id = _networks_named_by_id(question, entries)
    networks = {*networks_of_machines(inventory), *named_by_id}
    inventory = inventories.extended(inventory, backend, networks, subscriptions=desired.subscriptions.values())
    for network_id in sorted(named_by_id):
        # A network that may exist must not be reported as unknown to Azure.
        state = inventory.missing.get(network_id)
        if isinstance(state, Unknown):
            message = f"{network_id} could not be read: {state.error}"
            raise InputError(message, hint=state.error.hint) from state.error

    names = NetworkNames(
        _networks(inventory).values(),
        fabrics=[fabric for vault in inventory.vaults.values() for fabric in vault.fabrics],
        subscriptions=desired.subscriptions,
    )
    # The machines: those of a list, one for each subnet, or those that the vaults protect.
    if entries:
        machines = machines_of_entries(entries, names)
    elif question.all_subnets:
        machines = machines_of_subnets(_primary_networks(desired, inventory))
    else:
        machines = machines_of_items(
            item
            for vault in inventory.vaults.values()
            for item in (() if isinstance(vault.items, Unknown) else vault.items)
        )
    if question.recovery_region:
        region = names.region(question.recovery_region)
        machines = tuple(
            machine if machine.recovery_location else structs.replace(machine, recovery_location=region)
            for machine in machines
        )
    # Names are checked first: a name of no machine is a mistake, a machine outside the selected pairs is not.
    machines = _machines_of_pairs(_machines_named(question, machines), desired, inventory, selection)
    inputs = PredictionInputs(
        question=question,
        inventory=inventory,
        machines=machines,
        test_network_id=_test_network(question.test_network, names) if question.test_network else None,
        plan=plan,
    )
    if question.with_interfaces:
        subscriptions = {subscription_of(nic) for machine in machines for nic in machine.nics} - {None}
        interfaces = inventories.read_interfaces(backend, filter(None, subscriptions))
        inputs = structs.replace(inputs, interfaces=interfaces)
    # Addresses in use are read network by network, so only for networks on which machines land.
    with_addresses = inventories.with_addresses(inventory, backend, _networks_landed_on(inputs))
    return structs.replace(inputs, inventory=with_addresses)


def predict(inputs: PredictionInputs) -> Prediction:
    """Where every address of the machines lands, and by which rule. With a plan, after the plan is applied.

    Pure: the same inputs give the same prediction. Each rule names its source (docs/failover-rules.md).
    """
    operation = inputs.question.operation
    prediction, after = _predict(operation, inputs), inputs
    if inputs.plan is not None:
        # Simulated twice, for today and for after the plan. Each simulation assigns addresses afresh, in the same
        # order.
        after = _after_plan(inputs, inputs.plan)
        refused = inputs.plan.violations(inputs.question.forced)
        prediction = _with_present_landings(_predict(operation, after), prediction, inputs.plan, refused)
    if not inputs.question.with_interfaces:
        return prediction
    interfaces = _known_interfaces(inputs.interfaces)
    comparisons = compare_interfaces(
        after.machines, prediction.landings, interfaces, after.networks, operation=operation
    )
    vault_names = {vault.id: vault.name for vault in inputs.inventory.vaults.values()}
    unread = [listed.error for listed in inputs.interfaces.values() if isinstance(listed, Unknown)]
    hints = {str(error): error.hint for error in unread}
    findings = tuple(_interface_findings(comparisons, vault_names, hints))
    return structs.replace(prediction, interfaces=comparisons, findings=findings)


def _known_interfaces(by_subscription: Mapping[str, tuple[NetworkInterface, ...] | Unknown]) -> KnownInterfaces:
    interfaces: list[NetworkInterface] = []
    unread: dict[str, str] = {}
    for subscription, listed in by_subscription.items():
        if isinstance(listed, Unknown):
            unread[subscription] = str(listed.error)
        else:
            interfaces += listed
    return KnownInterfaces(interfaces, unread)


def interfaces_of_machines(inventory: Inventory, backend: Backend) -> tuple[list[NetworkInterface], list[str]]:
    """The network interfaces of all protected machines, and a line for each list that could not be read.

    Raises CredentialError.
    """
    items = [
        item for vault in inventory.vaults.values() if not isinstance(vault.items, Unknown) for item in vault.items
    ]
    nics = [nic for item in items for nic in item.nics]
    listed = inventories.read_interfaces(backend, {name for nic in nics if (name := subscription_of(nic))})
    sources = map(_known_interfaces(listed).find, nics)
    interfaces = {source.id: source for source in sources if isinstance(source, NetworkInterface)}
    return list(interfaces.values()), _unread_interfaces(listed)


def _unread_interfaces(by_subscription: Mapping[str, tuple[NetworkInterface, ...] | Unknown]) -> list[str]:
    return [
        f"network interfaces of subscription {subscription}: {listed.error}"
        for subscription, listed in sorted(by_subscription.items())
        if isinstance(listed, Unknown)
    ]


def _after_plan(inputs: PredictionInputs, plan: Plan) -> PredictionInputs:
    """``inputs`` after ``plan`` is applied: with its mappings, networks, subnets and machines."""
    inventory = inventory_after(inputs.inventory, plan.changes)
    machines = inputs.machines
    if inputs.question.is_about_items:
        machines_after = {
            machine.item_id: machine
            for vault in inventory.vaults.values()
            for machine in machines_of_items(() if isinstance(vault.items, Unknown) else vault.items)
        }
        machines = tuple(machines_after[machine.item_id] for machine in machines)
    return structs.replace(inputs, inventory=inventory, machines=machines)


def _with_present_landings(after: Prediction, before: Prediction, plan: Plan, refused: tuple[str, ...]) -> Prediction:
    """Add the landings of ``before`` to those of ``after``. Both have the same addresses in the same order."""
    landings = tuple(
        structs.replace(
            landing,
            now=PresentLanding(
                outcome=present.outcome,
                rule=present.rule,
                network_id=present.network_id,
                network=present.network,
                subnet=present.subnet,
                ip=present.ip,
            ),
        )
        for landing, present in zip(after.landings, before.landings, strict=True)
    )
    moved = sum(landing.has_moved for landing in landings)
    counts = PlannedCounts(
        changes=len(plan.changes),
        blocked=plan.summary.blocked,
        moved=moved,
        left_alone=plan.machines_left_alone,
        refused=refused,
    )
    return structs.replace(after, landings=landings, planned=counts)


def _interface_findings(
    comparisons: Iterable[InterfaceComparison], vault_names: Mapping[ArmId, str], hints: Mapping[str, str]
) -> Iterator[Finding]:
    """The findings of the comparisons. ``hints`` are the hints of the errors of lists that could not be read."""
    for comparison in comparisons:
        vault_id = comparison.item_id.within(VAULT) if comparison.item_id else None
        vault = vault_names.get(vault_id) if vault_id else None
        label = f"{comparison.machine} ({comparison.nic})" if comparison.nic else comparison.machine
        subject = comparison.interface_id or comparison.item_id
        if comparison.left_behind:
            yield finding(
                FindingKind.NETWORK_RULES_LEFT_BEHIND,
                f"{label} comes up without {', '.join(comparison.left_behind)}",
                vault=vault,
                subject=subject,
                hint="set it in the machine's network settings; if Site Recovery has no setting for it, use a "
                "script in the recovery plan",
            )
        if comparison.unknown:
            yield finding(
                FindingKind.UNKNOWN,
                f"what {label} leaves behind is not known: {'; '.join(comparison.unknown)}",
                vault=vault,
                subject=subject,
                hint=next((hint for error, hint in hints.items() if error in "; ".join(comparison.unknown)), ""),
                severity="warning",
            )


def unread_inputs(inputs: PredictionInputs, prediction: Prediction) -> tuple[str, ...]:
    """What could not be read for the prediction, and why; one line each."""
    vaults = inputs.inventory.vaults.values()
    # Only what this prediction depends on: machines of a list do not come from the vaults.
    problems = list(inputs.inventory.unread("vault", "servers"))
    if inputs.question.is_about_items:
        problems += inputs.inventory.unread("machines")
    problems += _unread_interfaces(inputs.interfaces)
    # An unreadable mapping matters only if a machine may fail over by it.
    if any(notice.code == "mapping_not_read" for landing in prediction.landings for notice in landing.notices):
        problems += [
            f"the mapping {mapping.name} of vault {vault.name}: it {mapping.problem}"
            for vault in vaults
            for mapping in vault.unreadable
        ]
    landed_on = {landing.network_id for landing in prediction.landings if landing.network_id}
    for network_id in sorted(landed_on):
        state = inputs.inventory.network(network_id) if network_id.type == VNET else None
        if isinstance(state, Unknown):
            problems.append(f"network {network_id.name}: {state.error}")
    return tuple(problems)


def networks_of_machines(inventory: Inventory) -> Iterator[ArmId]:
    """Every network of a mapping, and every network that is set on a machine."""
    for vault in inventory.vaults.values():
        for mapping in vault.mappings:
            yield from (mapping.primary_network_id, mapping.recovery_network_id)
        for item in () if isinstance(vault.items, Unknown) else vault.items:
            yield from filter(None, (item.recovery_network_id, item.test_network_id))
            for nic in item.nics:
                yield from filter(None, (nic.primary_network_id, nic.recovery_network_id, nic.test_network_id))


def _predict(operation: Operation, inputs: PredictionInputs) -> Prediction:
    vaults = inputs.inventory.vaults.values()
    topologies = inputs.topologies

    def hosts(start: ArmId | None, target: ArmId, *, is_failback: bool) -> tuple[str, ...] | None:
        # Only the topology of the network's own vault contains the network; the others return None.
        for topology in topologies:
            if is_failback:
                names = failback_hosts(topology, start, target)
            else:
                names = eligible_hosts(topology, start, target) if start else None
            if names is not None:
                return names
        return None

    return simulate(
        inputs.machines,
        networks=inputs.networks,
        mappings=[mapping for vault in vaults for mapping in vault.mappings],
        gaps=Gaps(
            vaults=frozenset(vault.id for vault in vaults if vault.error),
            mappings=tuple(mapping for vault in vaults for mapping in vault.unreadable),
        ),
        absent={network for network, state in inputs.inventory.missing.items() if isinstance(state, Absent)},
        operation=operation,
        test_network_id=inputs.test_network_id,
        eligible_hosts=hosts,
    )


def _topologies(inventory: Inventory) -> list[Topology]:
    return [vault.topology for vault in inventory.vaults.values() if isinstance(vault.topology, Topology)]


def _networks(inventory: Inventory) -> dict[ArmId, Network]:
    on_premises = {network.id: network for topology in _topologies(inventory) for network in vm_networks(topology)}
    return {**inventory.networks, **on_premises}


def _networks_named_by_id(question: Question, entries: Iterable[Entry]) -> set[ArmId]:
    """The networks that the question gives by id, which may be in any subscription."""
    names = {question.test_network}
    for entry in entries:
        names |= {entry.row.primary_network, entry.row.replica_network}
    network_ids = set()
    for name in names:
        if name and name.startswith("/"):
            try:
                network_ids.add(ArmId(name))
            except InputError:
                continue  # looked up by name later, with a message about what is wrong
    return network_ids


def _test_network(name: str, names: NetworkNames) -> ArmId:
    try:
        return names.find(name).id
    except InputError as error:
        hint = error.hint or "give the names of machines before --test-failover"
        raise InputError(f"the network of the test failover: {error.message}", hint=hint) from error


def _networks_landed_on(inputs: PredictionInputs) -> set[ArmId]:
    """The networks on which machines land.

    Thousands of machines may differ only in their addresses, which do not affect the network, so one of each kind is
    predicted.
    """
    one_of_each: dict[Hashable, Machine] = {}
    for machine in inputs.machines:
        settings = tuple(
            (
                *(nic.primary_network_id, nic.recovery_network_id, nic.unclear_recovery_network, nic.test_network_id),
                machine.replicas.get(nic.name),
            )
            for nic in machine.nics
        )
        places = (
            *(machine.vault_id, machine.home_fabric_id, machine.recovery_fabric_id),
            *(machine.home_location, machine.recovery_location, machine.between_zones),
        )
        nics = tuple(structs.replace(nic, selection="", ip_configurations=()) for nic in machine.nics)
        group_key = (machine.kind, machine.is_reversed, places, settings)
        one_of_each.setdefault(group_key, structs.replace(machine, nics=nics))
    sample = structs.replace(inputs, machines=tuple(one_of_each.values()))
    # A machine that fails back has failed over before.
    operation = inputs.question.operation
    operations: set[Operation] = {"failover", "failback"} if operation == "failback" else {operation}
    samples = [sample] if inputs.plan is None else [sample, _after_plan(sample, inputs.plan)]
    landings = (landing for name in operations for part in samples for landing in _predict(name, part).landings)
    return {landing.network_id for landing in landings if landing.network_id}


def _primary_networks(desired: DesiredState, inventory: Inventory) -> list[Network]:
    """The networks that machines fail over from. Copies and mere recovery networks are left out."""
    live = live_pairs(inventory, desired).pairs
    declared = inventory.resolved(desired).pairs
    primaries = {pair.primary_network_id for pair in live} | {pair.primary for pair in declared}
    recoveries = {pair.recovery_network_id for pair in live} | {pair.recovery for pair in declared}
    regions = {region.primary for region in desired.regions}
    networks = []
    for network_id, network in sorted(_networks(inventory).items()):
        may_be_primary = network_id not in recoveries
        if isinstance(network, VirtualNetwork):
            is_in_region = not regions or network.location in regions
            may_be_primary = may_be_primary and not is_copy(network) and is_in_region
        if network_id in primaries or may_be_primary:
            networks.append(network)
    return networks


OTHER_MACHINES: Final = "--all-subnets predicts one machine per subnet, --machines FILE those of a list"
"""The alternatives if a vault protects no machines."""


def _machines_named(question: Question, machines: tuple[Machine, ...]) -> tuple[Machine, ...]:
    """The machines that the question names, or all of them. Raises InputError for a name that no machine has."""
    names = {machine.name.lower() for machine in machines}
    for name in question.only:
        if name.lower() not in names:
            hint = ""
            if question.listed_in:
                hint = f"the machines are those of {question.listed_in}"
            elif question.all_subnets:
                hint = "with --all-subnets a machine has the name of its network"
            elif not machines:
                hint = f"no vault protects a machine; {OTHER_MACHINES}"
            nearest = did_you_mean(name, [machine.name for machine in machines])
            raise InputError(f"there is no machine '{name}'{nearest}", hint=hint)
    chosen = {name.lower() for name in question.only}
    return tuple(machine for machine in machines if not chosen or machine.name.lower() in chosen)


def _machines_of_pairs(
    machines: tuple[Machine, ...], desired: DesiredState, inventory: Inventory, selection: Selection
) -> tuple[Machine, ...]:
    """The machines on networks of the selected pairs. Raises InputError for VM networks that do not exist."""
    if not selection.pairs:
        return machines
    networks: set[ArmId | None] = set()
    for live in live_pairs(inventory, desired, selection).pairs:
        networks |= {live.primary_network_id, live.recovery_network_id}
    for declared in inventory.resolved(desired).pairs:
        if selection.has_pair(declared.name):
            networks |= {declared.primary, declared.recovery}
    for row in desired.vmm_pairs:
        vault = inventory.vaults.get(row.vault)
        if not selection.has_pair(row.name) or vault is None or vault.error or not isinstance(vault.topology, Topology):
            continue
        for end in (row.primary, row.recovery):
            networks.add(end if isinstance(end, ArmId) else vault.topology.network(end, row.source).network.id)
    networks.discard(None)
    return tuple(machine for machine in machines if any(nic.primary_network_id in networks for nic in machine.nics))

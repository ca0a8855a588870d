"""Reads everything a plan needs, in parallel, each list once, and keeps absent and unknown apart.

A network is absent only when a GET by its id says so: a list may lag, or leave out what the identity may not see. A
failure is kept with the vault or network it concerns; the run fails only if nothing at all could be read.
"""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from msgspec import Struct, structs

from asrnet.clocks import Bounded
from asrnet.desired import EVERYTHING, DesiredState, Selection, Vault
from asrnet.desired.copies import attached_to, copy_of
from asrnet.desired.pairs import unmapped
from asrnet.errors import (
    AsrError,
    CredentialError,
    ForbiddenError,
    NotFoundError,
    ResourceGroupNotFoundError,
    VaultUnusedError,
    printable,
)
from asrnet.inventory import test_networks
from asrnet.inventory.activity import OTHER_UNFINISHED_STATES, read_jobs
from asrnet.inventory.values import Absent, Inventory, PartKind, Unknown, UnreadPart, VaultInventory
from asrnet.model.arm import VNET, ArmId
from asrnet.model.azure import (
    Fabric,
    Job,
    LiveMapping,
    NetworkInterface,
    NetworkMapping,
    NetworkSecurityGroup,
    ProtectedItem,
    RouteTable,
    UnreadableMapping,
    VirtualNetwork,
)
from asrnet.ports import Backend
from asrnet.vmm import Topology, merge_all, read_topology, read_topology_of_vault, with_networks

__all__ = [
    "READS_AT_ONCE",
    "Absent",
    "Inventory",
    "PartKind",
    "Unknown",
    "UnreadPart",
    "VaultInventory",
    "confirmed",
    "extended",
    "mapped_networks",
    "read_inventory",
    "with_addresses",
]

S = TypeVar("S")
T = TypeVar("T")

READS_AT_ONCE = 8
"""How many lists and GETs are under way at once."""


def read_inventory(
    desired: DesiredState, backend: Backend, *, selection: Selection = EVERYTHING, confirm: bool = True
) -> Inventory:
    """Everything that planning ``desired`` needs to know.

    If lists of networks may lag, ``confirm`` reads the networks of pairs that are not mapped as declared one by one; a
    run that writes nothing does not need that. Raises CredentialError, and the first vault's error when none could be
    read.
    """
    read_at = backend.clock.now()
    reads = Bounded(backend.clock, READS_AT_ONCE)
    vault_reads = [_start_vault(vault, backend, reads) for vault in desired.vaults if selection.has_vault(vault.name)]
    # A run on one vault must plan what a run on all would: rules look at the mappings of the other vaults, and a test
    # network must not be used by one of those mappings or by a machine.
    others = [vault for vault in desired.vaults if not selection.has_vault(vault.name)]
    mappings_of_others = {
        vault.name: reads.start(partial(_listed, backend.mappings.mappings, vault.id))
        for vault in others
        if desired.rules or desired.has_tests
    }
    items_of_others = {
        vault.name: reads.start(partial(_listed, backend.mappings.protected_items, vault.id))
        for vault in others
        if desired.has_tests
    }
    lists = _start_lists(_subscriptions(desired), backend, reads)
    # All these reads run at once. Vaults are awaited first: if none can be read, the run ends here.
    vaults = [_finish_vault(vault_read, reads) for vault_read in vault_reads]
    errors = [vault.error for vault in vaults if vault.error]
    if errors and len(errors) == len(vaults):
        raise errors[0]
    vaults = _with_other_jobs(vaults, backend, reads)
    vaults = _with_rights(vaults, desired, backend, reads)
    vaults = _with_topologies(vaults, desired, backend, reads)
    networks, without_region, failed = _finish_lists(lists, reads)
    other_vaults: dict[str, VaultInventory] = {}
    for vault in others if mappings_of_others else ():
        other = VaultInventory(name=vault.name, id=vault.id)
        mappings = _answer(mappings_of_others[vault.name], reads)
        if not isinstance(mappings, AsrError):
            other = structs.replace(other, mappings=_readable(mappings))
        elif not isinstance(mappings, VaultUnusedError):
            other = structs.replace(other, error=mappings)
        if vault.name in items_of_others and not isinstance(mappings, AsrError):
            items = _answer(items_of_others[vault.name], reads)
            other = structs.replace(other, items=_or_unknown(items))
        other_vaults[vault.name] = other
    inventory = Inventory(
        read_at=read_at,
        vaults={vault.name: vault for vault in vaults},
        networks=networks,
        missing={network_id: _without_region(network_id) for network_id in without_region},
        subscriptions=failed,
        listed=frozenset(lists),
        without_region=without_region,
        other_vaults=other_vaults,
        tenant=backend.tenant(),
    )
    if confirm:
        inventory = confirmed(inventory, backend, _ends_to_change(inventory, desired, selection))
    # Twice, because the recovery network of a copy is known only after its primary was read.
    for _ in range(2):
        sought = _unread_networks(inventory, desired)
        if not sought:
            break
        inventory = _read_by_id(inventory, sought, backend)
    inventory = with_addresses(inventory, backend, _networks_with_static_addresses(inventory, desired))
    return _with_attachments(_around_test_networks(inventory, desired, backend), desired, backend)


def _networks_with_static_addresses(inventory: Inventory, desired: DesiredState) -> set[ArmId]:
    """The recovery networks to which machines with static addresses will move. Those addresses may be in use there."""
    networks: dict[tuple[str, ArmId], set[ArmId]] = defaultdict(set)
    for vault in inventory.vaults.values() if desired.vaults_that_follow else ():
        for item in () if isinstance(vault.items, Unknown) else vault.items:
            if any(address.recovery_ip for nic in item.nics for address in nic.ip_configurations):
                for nic in item.nics:
                    if nic.primary_network_id:
                        current = nic.recovery_network_id or item.recovery_network_id
                        networks[vault.name, nic.primary_network_id] |= {current} if current else set()
    return {
        pair.recovery
        for pair in (inventory.resolved(desired).pairs if networks else ())
        if pair.follow and pair.recovery and networks.get((pair.vault, pair.primary), set()) - {pair.recovery}
    }


def _around_test_networks(inventory: Inventory, desired: DesiredState, backend: Backend) -> Inventory:
    """``inventory`` with the networks that decide whether a test network is connected to production.

    Each network that is read may name further peers, so this takes one round per hop.
    """
    pairs = inventory.resolved(desired).pairs
    if not any(pair.test for pair in pairs):
        return inventory
    while unread := test_networks.networks_around(pairs, inventory):
        inventory = _read_by_id(inventory, unread, backend)
        if unread <= test_networks.networks_around(pairs, inventory):  # no second request for unreadable ones
            break
    return _with_registration_zones(inventory, desired, backend)


def _with_registration_zones(inventory: Inventory, desired: DesiredState, backend: Backend) -> Inventory:
    """``inventory`` with the private DNS zone of each network, if the backend can read it."""
    subscriptions = {network_id.subscription for network_id in inventory.networks} | set(desired.subscriptions.values())
    reads = Bounded(backend.clock, READS_AT_ONCE)
    answer = _answer(reads.start(partial(backend.networks.registration_zones, subscriptions)), reads)
    if answer is None or isinstance(answer, AsrError):
        return inventory
    networks = {
        network_id: structs.replace(network, registration_zone=answer.get(network_id))
        for network_id, network in inventory.networks.items()
    }
    return structs.replace(inventory, networks=networks)


def _with_attachments(inventory: Inventory, desired: DesiredState, backend: Backend) -> Inventory:
    """``inventory`` with the security groups and route tables that copies are to be attached to."""
    if not any(region.copy.network_security_group or region.copy.route_table for region in desired.regions):
        return inventory
    resource_ids: set[ArmId] = set()
    for pair in inventory.resolved(desired).pairs:
        primary = inventory.networks.get(pair.primary)
        if pair.copy and pair.recovery and primary and not pair.managed_by:
            recovery = inventory.network(pair.recovery)
            if isinstance(recovery, Absent) or pair.copy.copy.add_subnets:
                resource_ids.update(attached_to(copy_of(primary, pair.copy)))
    reads = Bounded(backend.clock, READS_AT_ONCE)
    futures = {
        resource_id: reads.start(partial(backend.networks.subnet_attachment, resource_id))
        for resource_id in sorted(resource_ids)
    }
    attachments: dict[ArmId, NetworkSecurityGroup | RouteTable | Absent | Unknown] = {}
    for resource_id, future in futures.items():
        answer = _answer(future, reads)
        attachments[resource_id] = Unknown(error=answer) if isinstance(answer, AsrError) else answer or Absent()
    return structs.replace(inventory, attachments=attachments)


def confirmed(inventory: Inventory, backend: Backend, networks: Iterable[ArmId]) -> Inventory:
    """``inventory`` after a GET of each of ``networks``, if lists may lag. Raises CredentialError."""
    doubtful = set(networks) & inventory.networks.keys() if backend.lists_may_lag else set()
    certain = {name: network for name, network in inventory.networks.items() if name not in doubtful}
    return _read_by_id(structs.replace(inventory, networks=certain), doubtful, backend) if doubtful else inventory


def _ends_to_change(inventory: Inventory, desired: DesiredState, selection: Selection) -> Iterator[ArmId]:
    """The networks of all pairs that are not mapped as they are declared."""
    live = {name: vault.mappings for name, vault in inventory.vaults.items()}
    for pair in unmapped(inventory.resolved(desired).pairs, live):
        if selection.has_vault(pair.vault) and selection.has_pair(pair.name):
            yield from (network for network in (pair.primary, pair.recovery) if network)
    landed = {mapping.recovery_network_id for mappings in live.values() for mapping in mappings}
    targets = {row.recovery for row in desired.vmm_pairs if isinstance(row.recovery, ArmId)}
    yield from targets - landed


def extended(
    inventory: Inventory, backend: Backend, networks: Iterable[ArmId], *, subscriptions: Iterable[str] = ()
) -> Inventory:
    """``inventory`` with the virtual ``networks`` too, and with all those of ``subscriptions``.

    The list of each subscription is read once, and networks that no list has are read by id. Raises CredentialError.
    """
    reads = Bounded(backend.clock, READS_AT_ONCE)
    sought_ids = {network for network in networks if network.type == VNET}
    concerned = {network.subscription for network in sought_ids - inventory.networks.keys()} | set(subscriptions)
    lists = _start_lists(concerned - inventory.listed, backend, reads)
    listed, without_region, failed = _finish_lists(lists, reads)
    grown = structs.replace(
        inventory,
        networks={**inventory.networks, **listed},
        missing={**inventory.missing, **{network_id: _without_region(network_id) for network_id in without_region}},
        without_region=inventory.without_region | without_region,
        subscriptions={**inventory.subscriptions, **failed},
        listed=inventory.listed | lists.keys(),
    )
    return _read_by_id(grown, sought_ids, backend)


def mapped_networks(inventory: Inventory) -> set[ArmId]:
    """The networks of all live mappings."""
    mappings = [mapping for vault in inventory.vaults.values() for mapping in vault.mappings]
    return {network for mapping in mappings for network in (mapping.primary_network_id, mapping.recovery_network_id)}


def with_addresses(inventory: Inventory, backend: Backend, networks: Iterable[ArmId]) -> Inventory:
    """``inventory`` with the addresses in use in ``networks``, by a GET of each network that has any.

    If a GET fails, that network stays as it is. Raises CredentialError.
    """
    reads = Bounded(backend.clock, READS_AT_ONCE)
    asked = {network_id: inventory.networks[network_id] for network_id in networks if network_id in inventory.networks}
    futures = {
        network_id: reads.start(partial(backend.networks.virtual_network, network_id, addresses=True))
        for network_id, network in sorted(asked.items())
        if any(len(subnet.used_ips) < subnet.used for subnet in network.subnets)
    }
    networks = dict(inventory.networks)
    for network_id, future in futures.items():
        answer = _answer(future, reads)
        if isinstance(answer, VirtualNetwork):
            networks[network_id] = answer
    return structs.replace(inventory, networks=networks)


def read_interfaces(
    backend: Backend, subscriptions: Iterable[str]
) -> dict[str, tuple[NetworkInterface, ...] | Unknown]:
    """The network interfaces of ``subscriptions``, one list each. Raises CredentialError."""
    reads = Bounded(backend.clock, READS_AT_ONCE)
    port = backend.networks
    futures = {name: reads.start(partial(_listed, port.network_interfaces, name)) for name in sorted(subscriptions)}
    interfaces: dict[str, tuple[NetworkInterface, ...] | Unknown] = {}
    for name, future in futures.items():
        answer = _answer(future, reads)
        interfaces[name] = _or_unknown(answer)
    return interfaces


def _start_lists(
    subscriptions: Iterable[str], backend: Backend, reads: Bounded
) -> dict[str, Future[tuple[VirtualNetwork, ...]]]:
    port = backend.networks
    return {name: reads.start(partial(_listed, port.virtual_networks, name)) for name in sorted(subscriptions)}


def _finish_lists(
    lists: Mapping[str, Future[tuple[VirtualNetwork, ...]]], reads: Bounded
) -> tuple[dict[ArmId, VirtualNetwork], frozenset[ArmId], dict[str, AsrError]]:
    """The networks of all lists, those that do not say their region, and the subscriptions whose lists failed."""
    networks: dict[ArmId, VirtualNetwork] = {}
    without_region: set[ArmId] = set()
    failed: dict[str, AsrError] = {}
    for subscription, future in lists.items():
        answer = _answer(future, reads)
        if isinstance(answer, AsrError):
            failed[subscription] = answer
        else:
            networks |= {network.id: network for network in answer if network.location}
            without_region |= {network.id for network in answer if not network.location}
    return networks, frozenset(without_region), failed


def _without_region(network_id: ArmId) -> Unknown:
    # Without its region it is unknown whether rules match a network, and no fabric can be found or created for it.
    return Unknown(error=AsrError(f"{network_id.name} does not say its region"))


class _VaultReads(Struct, frozen=True, kw_only=True):
    vault: Vault
    location: Future[str]
    fabrics: Future[tuple[Fabric, ...]]
    mappings: Future[tuple[LiveMapping, ...]]
    items: Future[tuple[ProtectedItem, ...]]
    jobs: Future[tuple[Job, ...]]


def _start_vault(vault: Vault, backend: Backend, reads: Bounded) -> _VaultReads:
    port = backend.mappings
    return _VaultReads(
        vault=vault,
        location=reads.start(partial(port.vault_location, vault.id)),
        fabrics=reads.start(partial(_listed, port.fabrics, vault.id)),
        mappings=reads.start(partial(_listed, port.mappings, vault.id)),
        items=reads.start(partial(_listed, port.protected_items, vault.id)),
        jobs=reads.start(partial(read_jobs, port, vault.id, ("InProgress",))),
    )


def _finish_vault(started: _VaultReads, reads: Bounded) -> VaultInventory:
    fabrics, mappings = _answer(started.fabrics, reads), _answer(started.mappings, reads)
    location = _answer(started.location, reads)
    items, jobs = _answer(started.items, reads), _answer(started.jobs, reads)
    vault = VaultInventory(
        name=started.vault.name, id=started.vault.id, location=None if isinstance(location, AsrError) else location
    )
    # Reported in 2021: a vault in which Site Recovery was never used refuses its lists. Such a vault is empty, which is
    # no error.
    if isinstance(fabrics, VaultUnusedError) and isinstance(mappings, VaultUnusedError):
        return vault
    # Only a GET of the vault itself shows that it does not exist; the errors of its lists do not.
    errors = [answer for answer in (location, fabrics, mappings) if isinstance(answer, AsrError)]
    if isinstance(fabrics, AsrError) or isinstance(mappings, AsrError):
        error, source = errors[0], started.vault.source
        if isinstance(error, NotFoundError):
            advice = [f"vault {vault.name} is declared at {source}: check its id"] if source.file else []
            advice.append(error.hint or f"this lists the vaults that you may see: {_list_of_vaults(vault.id)}")
            error.hint = printable("; ".join(advice))
        return structs.replace(vault, error=error)
    return structs.replace(
        vault,
        fabrics=fabrics,
        mappings=_readable(mappings),
        unreadable=tuple(mapping for mapping in mappings if isinstance(mapping, UnreadableMapping)),
        items=_or_unknown(items),
        running_jobs=_or_unknown(jobs),
    )


def _list_of_vaults(vault: ArmId) -> str:
    """The az command that prints the ids of the vaults in the subscription of ``vault``."""
    kind = "Microsoft.RecoveryServices/vaults"
    command = ["az", "resource", "list", "--subscription", vault.subscription, "--resource-type", kind]
    return f"{shlex.join(command)} --query '[].id' -o tsv"


def _with_other_jobs(vaults: Sequence[VaultInventory], backend: Backend, reads: Bounded) -> list[VaultInventory]:
    """The vaults with their unfinished jobs that are not in progress, such as one that waits for a manual action.

    The service filters by one state, so each state takes a request. A vault without machines has no such jobs and is
    skipped: three more requests would add more than half to what an empty vault takes.
    """
    futures = {
        vault.name: [
            reads.start(partial(read_jobs, backend.mappings, vault.id, (state,))) for state in OTHER_UNFINISHED_STATES
        ]
        for vault in vaults
        if vault.items and isinstance(vault.running_jobs, tuple)
    }
    complete = []
    for vault in vaults:
        jobs = vault.running_jobs
        for future in futures.get(vault.name, ()):
            more = _answer(future, reads)
            if isinstance(more, AsrError):
                jobs = Unknown(error=more)
            elif isinstance(jobs, tuple):
                jobs = (*jobs, *more)
        complete.append(structs.replace(vault, running_jobs=jobs))
    return complete


def _readable(mappings: Iterable[LiveMapping]) -> tuple[NetworkMapping, ...]:
    return tuple(mapping for mapping in mappings if isinstance(mapping, NetworkMapping))


def _with_rights(
    vaults: Sequence[VaultInventory], desired: DesiredState, backend: Backend, reads: Bounded
) -> list[VaultInventory]:
    """The vaults with this identity's rights, if machines may follow, so that a plan names missing rights."""
    may_follow = desired.vaults_that_follow
    futures = {
        vault.name: reads.start(partial(backend.surroundings.rights, vault.id))
        for vault in vaults
        if isinstance(vault.items, tuple) and vault.items and vault.name in may_follow
    }
    complete = []
    for vault in vaults:
        if vault.name in futures:
            answer = _answer(futures[vault.name], reads)
            complete.append(structs.replace(vault, rights=_or_unknown(answer)))
        else:
            complete.append(vault)
    return complete


def _with_topologies(
    vaults: Sequence[VaultInventory], desired: DesiredState, backend: Backend, reads: Bounded
) -> list[VaultInventory]:
    """The vaults with their VMM servers.

    Raises InputError if the topology file names something that none of them has.
    """
    with_servers = [_with_topology(vault, backend, reads) for vault in vaults]
    if not desired.topology:
        return with_servers
    topologies = {
        vault.name: vault.topology for vault in with_servers if isinstance(vault.topology, Topology) and not vault.error
    }
    declared, complete = read_topology(desired.topology), len(topologies) == len(desired.vaults)
    merged = dict(zip(topologies, merge_all(list(topologies.values()), declared, complete=complete), strict=True))
    return [structs.replace(vault, topology=merged.get(vault.name, vault.topology)) for vault in with_servers]


def _with_topology(vault: VaultInventory, backend: Backend, reads: Bounded) -> VaultInventory:
    # For vaults that protect only Azure machines, the lists of servers are not read.
    if not any(fabric.kind == "vmm" for fabric in vault.fabrics):
        return vault
    try:
        topology = read_topology_of_vault(vault.id, vault.fabrics, backend, reads)
    except CredentialError:
        raise
    except AsrError as error:
        return structs.replace(vault, topology=Unknown(error=error))
    items = vault.items if isinstance(vault.items, Unknown) else with_networks(vault.items, topology)
    return structs.replace(vault, topology=topology, items=items)


def _listed(read_list: Callable[[S], Iterable[T]], scope: S) -> tuple[T, ...]:
    return tuple(read_list(scope))


def _answer(future: Future[T], reads: Bounded) -> T | AsrError:
    answer = reads.answer(future)
    if isinstance(answer, CredentialError):
        raise answer
    return answer


def _or_unknown(answer: T | AsrError) -> T | Unknown:
    return Unknown(error=answer) if isinstance(answer, AsrError) else answer


def _subscriptions(desired: DesiredState) -> set[str]:
    """Every subscription that rows name, rules search, copies are created in, or tests run in."""
    ends = (network for row in desired.pairs for network in (row.primary, row.recovery, row.test))
    named = {network.subscription for network in ends if isinstance(network, ArmId) and network.type == VNET}
    named |= {region.test.subscription for region in desired.regions if region.test}
    copied = {region.copy.subscription for region in desired.regions if region.copy.subscription}
    searched = set(desired.subscriptions.values()) if desired.rules else set()
    to_azure = {row.recovery.subscription for row in desired.vmm_pairs if isinstance(row.recovery, ArmId)}
    return named | copied | searched | to_azure


def _read_by_id(inventory: Inventory, sought_ids: set[ArmId], backend: Backend) -> Inventory:
    """``inventory`` after a GET of each of ``sought_ids`` that was not read before."""
    reads = Bounded(backend.clock, READS_AT_ONCE)
    futures = {
        network_id: reads.start(partial(backend.networks.virtual_network, network_id))
        for network_id in sorted(sought_ids - inventory.networks.keys() - inventory.missing.keys())
        # After a refused list, a single network may still be readable; after other failures, more requests only do
        # harm.
        if isinstance(inventory.subscriptions.get(network_id.subscription), (ForbiddenError, type(None)))
    }
    networks, missing = dict(inventory.networks), dict(inventory.missing)
    for network_id, future in futures.items():
        answer = _answer(future, reads)
        if isinstance(answer, VirtualNetwork) and answer.location:
            networks[network_id] = answer
        elif isinstance(answer, VirtualNetwork):
            missing[network_id] = _without_region(network_id)
        elif answer is None or isinstance(answer, ResourceGroupNotFoundError):
            missing[network_id] = Absent(no_group=answer is not None)
        else:
            missing[network_id] = Unknown(error=answer)
    return structs.replace(inventory, networks=networks, missing=missing)


def _unread_networks(inventory: Inventory, desired: DesiredState) -> set[ArmId]:
    """The networks of all pairs, and of live mappings in listed subscriptions, that were not read yet.

    Not all of them are virtual networks: the pairs of a saved plan, and mappings, may be on premises.
    """
    pairs = inventory.resolved(desired).pairs
    ends = {network for pair in pairs for network in (pair.primary, pair.recovery, pair.test) if network}
    ends |= {row.recovery for row in desired.vmm_pairs if isinstance(row.recovery, ArmId)}
    listed = _subscriptions(desired) - inventory.subscriptions.keys()
    ends |= {
        network
        for vault in inventory.vaults.values()
        for mapping in vault.mappings
        for network in (mapping.primary_network_id, mapping.recovery_network_id)
        if network.subscription in listed
    }
    unknown = ends - inventory.networks.keys() - inventory.missing.keys()
    return {network for network in unknown if network.type == VNET}

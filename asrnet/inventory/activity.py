"""Machines that must keep their mappings and networks, because they are failing over or run in the recovery region.

A mapping decides where machines land when they are re-protected. Updating or deleting it during a failover, a commit or
a re-protection can cut off their way back, so updates and deletes wait. Creates remove nothing and go ahead. The update
of a machine waits for jobs only; planning judges the machine's own state (``asrnet.planning.machines``).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from asrnet.errors import AsrError
from asrnet.model.arm import ArmId
from asrnet.model.azure import Job, NetworkMapping, ProtectedItem
from asrnet.model.findings import FindingKind
from asrnet.model.plan import Change
from asrnet.ports import MappingReader

OTHER_UNFINISHED_STATES: Final = ("NotStarted", "Suspended", "Cancelling")
"""The states of jobs that have not ended and are not in progress.

A job that waits for a manual action is Suspended. One that is canceled is Cancelling at first (an example of the
specification), and works on its machine until it is Cancelled.
"""

UNFINISHED_STATES: Final = ("InProgress", *OTHER_UNFINISHED_STATES)
"""The states of unfinished jobs. InProgress is read first, because such a job may be canceled between two reads."""

# The specification has protection states and scenarios as text, without a list of values. So parts of their names are
# matched, and a state that has none of the parts below is taken for a failover (see ``_reason_to_wait``).
_MOVING: Final = ("failover", "failback", "reprotect", "commit", "switchprotection", "changerecoverypoint", "reverse")
# When replication is enabled, the machine gets its network from the mapping of that moment (documented).
_ENABLING: Final = "enable"
_INITIAL_REPLICATION: Final = "initialreplication"
_AT_REST: Final = ("protect", "enabl", "disabl", "replication", "resync", "none", "marked", "delet")
_MACHINES_NAMED: Final = 3
_FAILING_OVER: Final = "finish the failover and re-protect, or use --force failover_active"
_IN_RECOVERY_REGION: Final = "fail back first, or use --force failover_active"
_REPROTECTING: Final = "wait until the re-protection has ended, or use --force failover_active"
_UNCLEAR: Final = "see in the vault what the machine is doing; if nothing is under way, use --force failover_active"
_BY_JOB_STATE: Final = {
    "suspended": "the job waits for a person: continue or cancel it in the vault, or use --force failover_active",
    "cancelling": "wait until the job is canceled, or use --force failover_active",
}
_UNFINISHED: Final = "wait until the job has ended, or use --force failover_active"


class Hold(Struct, frozen=True, kw_only=True):
    """Why a change must wait: the kind of finding, the reason in words, and what to do about it."""

    kind: FindingKind
    reason: str
    hint: str


class Activity(Struct, frozen=True, kw_only=True):
    """What the machines of one vault are doing.

    ``networks`` has, for each network, what is happening to a machine on it; ``fabrics`` the same for machines whose
    networks are not known. ``vault`` is what holds the whole vault, ``unread`` what could not be read. ``reversed`` has
    the machines that run in the recovery region, by each of their networks; ``undirected`` those that may run there, by
    the networks that they run on. ``machines`` has the unfinished job of each machine that has one, ``any_machine`` an
    unfinished job that may affect any machine, such as that of a recovery plan.
    """

    networks: Mapping[ArmId, Hold] = {}
    fabrics: Mapping[ArmId, Hold] = {}
    vault: Hold | None = None
    unread: str = ""
    reversed: Mapping[ArmId, Sequence[ProtectedItem]] = {}
    undirected: Mapping[ArmId, Sequence[ProtectedItem]] = {}
    machines: Mapping[ArmId, Hold] = {}
    any_machine: Hold | None = None

    def hold(self, change: Change, forced: Collection[str] = ()) -> Hold | None:
        """Why ``change`` must wait, unless that safeguard is ``forced``; None if it may go on."""
        if change.kind != "protected_item" and not changes_live_mapping(change):
            return None
        mappings = _mappings_of(change)
        if FindingKind.FAILOVER_ACTIVE not in forced:
            if self.unread:
                return Hold(
                    kind=FindingKind.FAILOVER_ACTIVE,
                    reason=f"whether a failover is under way could not be read: {self.unread}",
                    hint="plan again when it can be read ('asrnet doctor' shows what is missing), "
                    "or use --force failover_active",
                )
            if change.kind == "protected_item":
                hold = self.machines.get(change.resource_id) or self.any_machine
            else:
                hold = self.vault or next(filter(None, map(self._failover, mappings)), None)
            if hold:
                return hold
        machines = {
            item.id: item
            for step in change.steps
            if step.action != "create" and isinstance(step.before, NetworkMapping)
            for item in (*self._reversed(step.before), *self._perhaps_reversed(step.before, change))
        }
        if machines and FindingKind.REVERSED not in forced:
            whose = "its" if len(machines) == 1 else "their"
            return Hold(
                kind=FindingKind.REVERSED,
                reason=f"{_describe_reversed(list(machines.values()))}; {whose} next re-protection uses the mapping",
                hint="fail back first, or use --force reversed together with --pair",
            )
        return None

    def _failover(self, mapping: NetworkMapping) -> Hold | None:
        """The hold of a machine that may be failing over or back through ``mapping``; None if there is none."""
        for network in (mapping.primary_network_id, mapping.recovery_network_id):
            if network in self.networks:
                return self.networks[network]
        for fabric in (mapping.fabric_id, mapping.recovery_fabric_id):
            if fabric and fabric in self.fabrics:
                return self.fabrics[fabric]
        return None

    def _reversed(self, mapping: NetworkMapping) -> Iterator[ProtectedItem]:
        """The machines that run in the recovery region and will be re-protected with ``mapping`` or its opposite.

        A mapping from another primary network to the recovery network that they run in does not concern them.
        """
        return _between_the_fabrics(self.reversed.get(mapping.primary_network_id, ()), mapping)

    def _perhaps_reversed(self, mapping: NetworkMapping, change: Change) -> Iterator[ProtectedItem]:
        """The machines in the pair's recovery region whose first protected region is not known.

        Machines in the pair's primary region, where they normally run, are not among them.
        """
        network = mapping.recovery_network_id
        if change.direction == "reverse":
            network = mapping.primary_network_id
        elif mapping.primary_network_id != (change.primary_network_id or mapping.primary_network_id):
            return  # this is the reverse mapping, which a retarget deletes first
        yield from _between_the_fabrics(self.undirected.get(network, ()), mapping)


def _between_the_fabrics(items: Iterable[ProtectedItem], mapping: NetworkMapping) -> Iterator[ProtectedItem]:
    fabrics = {mapping.fabric_id, mapping.recovery_fabric_id} - {None}
    for item in items:
        if fabrics <= {item.fabric_id, item.recovery_fabric_id} or item.recovery_fabric_id is None:
            yield item


def activity(items: Iterable[ProtectedItem] | AsrError, jobs: Iterable[Job] | AsrError) -> Activity:
    """What the machines of a vault are doing, from its items and unfinished jobs, or why that is not known."""
    if isinstance(items, AsrError):
        return Activity(unread=str(items))
    if isinstance(jobs, AsrError):
        return Activity(unread=str(jobs))
    networks: dict[ArmId, Hold] = {}
    fabrics: dict[ArmId, Hold] = {}
    by_name: dict[str, list[ProtectedItem]] = {}
    in_recovery_region: dict[ArmId, list[ProtectedItem]] = {}
    undirected: dict[ArmId, list[ProtectedItem]] = {}
    jobs_of_machines: dict[ArmId, Hold] = {}

    def add(item: ProtectedItem, hold: Hold) -> None:
        for network in networks_of_item(item):
            networks.setdefault(network, hold)
        if not _reports_its_networks(item):
            for fabric in (item.fabric_id, item.recovery_fabric_id):
                if fabric:
                    fabrics.setdefault(fabric, hold)

    for item in items:
        for name in {item.friendly_name.lower(), item.id.name.lower()}:
            by_name.setdefault(name, []).append(item)
        if hold := _reason_to_wait(item):
            add(item, hold)
        elif item.is_reversed:
            for network in networks_of_item(item):
                in_recovery_region.setdefault(network, []).append(item)
            if not _reports_its_networks(item):
                reason = f"{item.friendly_name} runs in the recovery region, on a network that is not known"
                add(item, Hold(kind=FindingKind.FAILOVER_ACTIVE, reason=reason, hint=_IN_RECOVERY_REGION))
        elif item.direction_unclear:
            for network in filter(None, {nic.primary_network_id for nic in item.nics}):
                undirected.setdefault(network, []).append(item)
    vault: Hold | None = None
    any_machine: Hold | None = None
    for job in jobs:
        if job.has_ended or not _decides_landing(job):
            continue
        hold = Hold(
            kind=FindingKind.FAILOVER_ACTIVE,
            reason=f"the job {job.scenario or job.name} is unfinished for {job.target or 'a machine'}",
            hint=_BY_JOB_STATE.get(job.state.lower(), _UNFINISHED),
        )
        machines = [item for name in (job.target, job.target_id) for item in by_name.get(name.lower(), ())]
        for item in machines:
            add(item, hold)
            jobs_of_machines.setdefault(item.id, hold)
        # The job is about no listed machine: a machine that is being enabled is not listed yet, and the job of a
        # recovery plan names only the plan.
        if not machines:
            vault = vault or hold
            # Enabling a machine takes its network from a mapping, and moves no other machine.
            any_machine = any_machine or (None if _ENABLING in job.scenario.lower() else hold)
    return Activity(
        networks=networks,
        fabrics=fabrics,
        vault=vault,
        reversed=in_recovery_region,
        undirected=undirected,
        machines=jobs_of_machines,
        any_machine=any_machine,
    )


def read_jobs(port: MappingReader, vault: ArmId, states: Iterable[str] = UNFINISHED_STATES) -> tuple[Job, ...]:
    """The jobs of a vault in any of these states: one list for each, because the service filters by one state."""
    return tuple(job for state in states for job in port.jobs(vault, state=state))


def networks_of_item(item: ProtectedItem) -> set[ArmId]:
    """Every network that a machine is on or lands on, as far as Site Recovery reports them."""
    networks = {network for nic in item.nics for network in (nic.primary_network_id, nic.recovery_network_id)}
    return {network for network in (*networks, item.recovery_network_id) if network}


def _reports_its_networks(item: ProtectedItem) -> bool:
    return bool(item.nics) and all(nic.primary_network_id for nic in item.nics)


def machines_in_recovery_region(items: Iterable[ProtectedItem], primary: ArmId, recovery: ArmId) -> list[ProtectedItem]:
    """The reversed machines of the pair of ``primary`` and ``recovery``, which run on the recovery network."""
    machines = []
    for item in items:
        if not item.is_reversed or item.has_failed_over:
            continue
        homes = {nic.recovery_network_id or item.recovery_network_id for nic in item.nics}
        if any(nic.primary_network_id == recovery for nic in item.nics) and (primary in homes or None in homes):
            machines.append(item)
    return machines


def machines_failed_over(items: Iterable[ProtectedItem], primary: ArmId, recovery: ArmId) -> list[ProtectedItem]:
    """The machines of the pair of ``primary`` and ``recovery`` that have failed over and are not re-protected."""
    machines = []
    for item in items:
        ways = {(nic.primary_network_id, nic.recovery_network_id or item.recovery_network_id) for nic in item.nics}
        of_pair = {(primary, recovery), (primary, None), (recovery, primary), (recovery, None)}
        if item.has_failed_over and ways & of_pair:
            machines.append(item)
    return machines


def is_uncommitted(item: ProtectedItem) -> bool:
    """Whether the failover of a machine is not committed, so that it can still change to another recovery point."""
    # Specified for planned failovers: PlannedFailoverCommitRequired.
    return any(word in item.state.lower() for word in ("commitpending", "commitrequired"))


def _reason_to_wait(item: ProtectedItem) -> Hold | None:
    """Why the networks of a machine must not be remapped now; None if they may.

    A missing value, or one that this version does not know, does not prove that nothing is under way.
    """
    state = item.state.lower()
    if item.has_failed_over:
        reason, hint = f"runs on the recovery side (state {item.state})", _FAILING_OVER
    elif item.active_location.lower() != "primary":
        reason, hint = f"is active on an unknown side ({item.active_location or 'not reported'})", _UNCLEAR
    elif any(word in state for word in _MOVING):
        reason, hint = f"is in state {item.state}", _REPROTECTING if "reprotect" in state else _FAILING_OVER
    elif any(word in item.scenario.lower() for word in _MOVING):
        reason = f"is in {item.scenario}"
        hint = _REPROTECTING if "reprotect" in item.scenario.lower() else _FAILING_OVER
    elif not state:
        reason, hint = "does not report its state", _UNCLEAR
    elif not any(word in state for word in _AT_REST):
        reason, hint = f"is in state {item.state}, which this version does not know", _UNCLEAR
    elif not item.provider:
        reason, hint = "reports neither its networks nor whether it runs in the recovery region", _UNCLEAR
    # Re-protection starts a new replication. Recorded: only the initial region differs from a first protection.
    elif _INITIAL_REPLICATION in state and item.provider == "A2A" and item.is_reversed:
        reason, hint = f"is being re-protected (state {item.state})", _REPROTECTING
    elif _INITIAL_REPLICATION in state and item.provider == "A2A" and item.direction_unclear:
        reason = f"may be re-protected (state {item.state}; where it was first protected is not known)"
        hint = _REPROTECTING
    else:
        return None
    return Hold(kind=FindingKind.FAILOVER_ACTIVE, reason=f"{item.friendly_name} {reason}", hint=hint)


def _decides_landing(job: Job) -> bool:
    """Whether a job decides where machines run or land. A job without a scenario may do so."""
    return not job.scenario or any(word in job.scenario.lower() for word in (*_MOVING, _ENABLING))


def _describe_reversed(items: Sequence[ProtectedItem]) -> str:
    """How many machines run in the recovery region, and which network each of them fails back to."""
    machines_by_home: dict[str, list[str]] = {}
    for item in items[:_MACHINES_NAMED]:
        networks = [nic.recovery_network_id or item.recovery_network_id for nic in item.nics]
        home = next((network.name for network in networks if network), "")
        home = home or item.recovery_location or "an unknown network"
        machines_by_home.setdefault(home, []).append(item.friendly_name)
    homes = [
        f"{', '.join(names)} {'fails' if len(names) == 1 else 'fail'} back to {home}"
        for home, names in machines_by_home.items()
    ]
    if len(items) > _MACHINES_NAMED:
        homes.append(f"and {len(items) - _MACHINES_NAMED} more")
    number = "1 machine runs" if len(items) == 1 else f"{len(items)} machines run"
    if not any(item.is_reversed for item in items):
        number = "1 machine" if len(items) == 1 else f"{len(items)} machines"
        number += " may run in the recovery region (where it was first protected is not known)"
        return f"{number}: {', '.join(homes)}"
    return f"{number} in the recovery region: {', '.join(homes)}"


def networks_of(change: Change) -> set[ArmId]:
    """Every network that a mapping change involves, before and after it."""
    return {
        network
        for mapping in _mappings_of(change)
        for network in (mapping.primary_network_id, mapping.recovery_network_id)
    }


def _mappings_of(change: Change) -> list[NetworkMapping]:
    return [part for step in change.steps for part in (step.before, step.after) if isinstance(part, NetworkMapping)]


def changes_live_mapping(change: Change) -> bool:
    """Whether a change updates or deletes a mapping, and so needs to be guarded."""
    return change.kind == "network_mapping" and any(step.action != "create" for step in change.steps)

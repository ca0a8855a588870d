"""What must not be changed now: mappings of networks whose machines are failing over.

A mapping decides where machines land. Changing it while a failover, a commit or a re-protection is under way can take
the way back from under it, so updates and deletes wait; creates take nothing away and go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from asrnet.model.arm import ASR_NETWORK, ArmId
from asrnet.model.azure import Job, NetworkMapping, ProtectedItem
from asrnet.model.plan import Change

_MOVING_STATES = ("failover", "failback", "reprotect", "commit", "switchprotection", "changerecoverypoint")
_MOVING_SCENARIOS = (*_MOVING_STATES, "reverse", "enable")


class Activity(Struct, frozen=True, kw_only=True):
    """Failovers under way: what happens to each network, and ``everywhere`` what concerns the whole vault.

    ``servers`` are the VMM servers with machines of which it is not known which VM network they are on.
    """

    networks: Mapping[ArmId, str]
    servers: Mapping[ArmId, str] = {}
    everywhere: str = ""

    def reason(self, networks: Iterable[ArmId]) -> str:
        """Why mappings of ``networks`` must stay as they are; an empty string when they need not."""
        if self.everywhere:
            return self.everywhere
        return next(filter(None, map(self._reason, networks)), "")

    def _reason(self, network: ArmId) -> str:
        on_server = self.servers.get(network.parent, "") if self.servers and network.type == ASR_NETWORK else ""
        return self.networks.get(network, on_server)


def activity(items: Iterable[ProtectedItem], jobs: Iterable[Job]) -> Activity:
    """What the protected items and the running jobs of a vault say."""
    networks: dict[ArmId, str] = {}
    servers: dict[ArmId, str] = {}
    for item in items:
        why = _moving(item)
        for nic in item.nics if why else ():
            for network in (nic.primary_network_id, nic.recovery_network_id):
                if network:
                    networks.setdefault(network, f"{item.friendly_name} {why}")
            for fabric in (item.fabric_id, item.recovery_fabric_id):
                if fabric and nic.primary_network_id is None:
                    servers.setdefault(fabric, f"{item.friendly_name} {why}")
    running = [job for job in jobs if job.state in {"InProgress", "NotStarted", "Suspended"} and _moves(job)]
    everywhere = f"the job {running[0].scenario} is running for {running[0].target or 'a machine'}" if running else ""
    return Activity(networks=networks, servers=servers, everywhere=everywhere)


def _moving(item: ProtectedItem) -> str:
    if item.has_failed_over:
        return f"runs on the recovery side (state {item.state})"
    if any(word in item.state.lower() for word in _MOVING_STATES):
        return f"is in state {item.state}"
    return ""


def _moves(job: Job) -> bool:
    return any(word in job.scenario.lower() for word in _MOVING_SCENARIOS)


def networks_of(change: Change) -> set[ArmId]:
    """Every network that a change of mappings is about, before and after."""
    mappings = [part for step in change.steps for part in (step.before, step.after) if isinstance(part, NetworkMapping)]
    return {network for part in mappings for network in (part.primary_network_id, part.recovery_network_id)}


def takes_away(change: Change) -> bool:
    """Whether a change updates or deletes a mapping, and so needs to be guarded."""
    return change.kind == "network_mapping" and any(step.action != "create" for step in change.steps)

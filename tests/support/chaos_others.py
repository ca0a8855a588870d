"""Somebody else in a scene of chaos: creates, retargets and deletes mappings, creates networks, starts failovers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import Final

from chaos import COPIES, Scene, Site
from msgspec import structs
from states import EA, SEA

from asrnet.model.arm import VAULT, ArmId
from asrnet.model.azure import NetworkMapping, VirtualNetwork, VmNetwork
from asrnet.model.plan import Plan, Step

WAYS: Final = ("meddle", "meddle", "meddle", "squat", "squat", "squat", "restore", "copy", "fabric", "failover")

_NEVER: Final = float("inf")


class Others:
    """Random foreign actions in ``scene``. ``disturbed`` are the vaults in which failovers were started."""

    def __init__(self, scene: Scene) -> None:
        self.did: Counter[str] = Counter()
        self.disturbed: set[str] = set()
        self._scene = scene
        self._quiet = False
        self._missed: NetworkMapping | None = None
        self._targets: Sequence[Step] = ()
        self._written: Callable[[], Collection[ArmId]] = tuple
        self._reads_left = self._pause()

    def _pause(self) -> float:
        """The number of reads before somebody acts; often nobody does."""
        return self._scene.random.choice([_NEVER, _NEVER, 2, 3, 6, 10, 14, 20])

    def be_quiet(self) -> None:
        """Stop all foreign actions."""
        self._quiet = True

    def before_a_read(self) -> ArmId | None:
        """Maybe act; return the mapping that was written, if any."""
        if self._missed and not self._quiet and not self._scene.world.state.mapping(self._missed.id):
            again, self._missed = self._missed, None
            self._scene.build.add(again)
            return again.id
        self._reads_left -= 1
        if self._quiet or self._reads_left > 0:
            return None
        self._reads_left = self._pause()
        return self._act()

    def after_a_write(self, action: str, mapping_id: ArmId) -> None:
        """Maybe recreate what is being deleted, as soon as it is gone."""
        if action == "delete" and self._scene.chance(0.1):
            self._missed = self._scene.world.state.mapping(mapping_id)

    def at_any_moment(self, act: Callable[[], None], is_over: Callable[[], bool]) -> None:
        """A second actor beside a run: it acts at random moments until ``is_over``."""
        clock, random = self._scene.clock, self._scene.random
        for _ in range(random.choice([0, 0, 3, 8, 16])):
            clock.sleep(random.choice([0.1, 0.5, 1.0, 2.5]) * random.uniform(0.1, 2.0))
            if is_over() or self._quiet:
                return
            act()

    def act(self) -> ArmId | None:
        """Act; return the mapping or network that was written, if any."""
        if self._quiet:
            return None
        return self._aimed_act() if self._targets and self._scene.chance(0.7) else self._act()

    def aim_at(self, plan: Plan, written: Callable[[], Collection[ArmId]]) -> None:
        """Act on the very resources that asrnet is about to write or has ``written`` so far."""
        self._written = written
        self._targets = [step for change in plan.changes for step in change.steps if change.kind != "fabric"]

    def _aimed_act(self) -> ArmId | None:
        """Create what is about to be created, differently; or change what is about to be changed or deleted."""
        written = self._written()
        left = [step for step in self._targets if step.resource_id not in written]
        step = self._scene.random.choice(left or self._targets)
        if isinstance(step.after, VirtualNetwork):
            if self._scene.world.state.network(step.resource_id):
                return None
            self.did["aimed copy"] += 1
            return self._scene.build.virtual_network(
                step.resource_id.name, SEA, group=COPIES, subnets={"precious": "10.9.0.0/24"}
            ).id
        vault_id = step.resource_id.within(VAULT)
        site = next(site for site in self._scene.sites if site.vault.id == vault_id)
        live = self._scene.world.state.mapping(step.resource_id)
        if live:
            self.did["aimed meddling"] += 1
            return self._meddle(site, live)
        wanted = step.after
        if not isinstance(wanted, NetworkMapping) or wanted.kind != "azure_to_azure":
            return None
        elsewhere = [end for end in self._elsewhere(site, wanted) if end.id != wanted.recovery_network_id]
        taken = {mapping.primary_network_id for mapping in self._scene.live(site)}
        fabrics = {fabric.id for fabric in self._scene.world.state.fabrics.values(site.vault.id.key)}
        if not fabrics >= {wanted.fabric_id, wanted.recovery_fabric_id}:
            return None
        if not elsewhere or wanted.primary_network_id in taken:
            return None
        self.did["aimed squatting"] += 1
        name = self._scene.random.choice([wanted.name, "portal"])
        theirs = structs.replace(
            wanted,
            id=wanted.id.parent.child("replicationNetworkMappings", name),
            recovery_network_id=self._scene.random.choice(elsewhere).id,
        )
        if self._scene.world.state.mapping(theirs.id):
            return None
        self._scene.build.add(theirs)
        return theirs.id

    def between_plan_and_apply(self) -> ArmId | None:
        """Maybe act right after the plan was made."""
        return self._act() if not self._quiet and self._scene.chance(0.4) else None

    def _act(self) -> ArmId | None:
        site = self._scene.random.choice(self._scene.sites)
        what = self._scene.random.choice(WAYS)
        self.did[what] += 1
        if what == "copy":
            return self._make_a_copy()
        others = {"fabric": self._make_a_fabric, "failover": self._fail_over}
        if what in others:
            others[what](site)
            return None
        live = self._scene.live(site)
        if what == "meddle" and live:
            return self._meddle(site, self._scene.random.choice(live))
        return self._restore(site, live) if what == "restore" else self._squat(site, live)

    def _meddle(self, site: Site, mapping: NetworkMapping) -> ArmId:
        """Retarget, break or delete a mapping."""
        recovery = self._scene.random.choice([None, *self._elsewhere(site, mapping)])
        if recovery is None:
            self._scene.world.state.remove_mapping(mapping.id)
        else:
            as_azure_says = ArmId(f"/{recovery.id.key}") if isinstance(recovery, VirtualNetwork) else recovery.id
            state = self._scene.random.choice(["Paired", "Paired", "NotPaired"])
            moved = structs.replace(mapping, recovery_network_id=as_azure_says, state=state)
            self._scene.world.state.put_mapping(moved)
        return mapping.id

    def _restore(self, site: Site, live: Sequence[NetworkMapping]) -> ArmId | None:
        """Recreate a mapping of the initial scene."""
        there = {mapping.id for mapping in live}
        gone = [mapping for mapping in site.mapped if mapping.id not in there]
        if not gone:
            return None
        again = self._scene.random.choice(gone)
        self._scene.build.add(again)
        return again.id

    def _elsewhere(self, site: Site, mapping: NetworkMapping) -> Sequence[VirtualNetwork | VmNetwork]:
        if mapping.kind == "vmm_to_vmm":
            return site.far if site.servers and mapping.fabric_id == site.servers[0].id else site.near
        return self._scene.near if mapping.primary_location == SEA else self._scene.far

    def _squat(self, site: Site, live: Sequence[NetworkMapping]) -> ArmId | None:
        """Map an unmapped network, maybe under the name that asrnet would use."""
        random = self._scene.random
        networks = {network.id: network for network in (*self._scene.near, *self._scene.far)}
        pairs = [(row.primary, row.recovery) for row in self._scene.desired.pairs if row.vault == site.name]
        ways = [way for near, far in pairs if far for way in ((near, far), (far, near))]
        if len(site.fabrics) < 2 or not ways:
            return None
        asked, wanted = (networks[one] for one in random.choice(ways))
        taken = {mapping.primary_network_id for mapping in live}
        free = [each for each in networks.values() if each.location == asked.location and each.id not in taken]
        if not free:
            return None
        primary = asked if asked in free and random.random() < 0.5 else random.choice(free)
        name = random.choice(["portal", f"{asked.name}-to-{wanted.name}", f"{asked.name}-to-{wanted.name}"])
        recovery = random.choice(self._scene.near if asked.location == SEA else self._scene.far)
        fabric = site.fabrics[primary.location]
        path = ("replicationNetworks", "azureNetwork", "replicationNetworkMappings", name)
        if self._scene.world.state.mapping(fabric.id.child(*path)):
            return None
        return self._scene.build.mapping(fabric, primary, site.fabrics[recovery.location], recovery, name=name).id

    def _make_a_fabric(self, site: Site) -> None:
        """Create the missing fabric of a vault under another name."""
        there = {fabric.location for fabric in self._scene.world.state.fabrics.values(site.vault.id.key)}
        for place in {EA, SEA} - there:
            self._scene.build.azure_fabric(site.vault, place, name=f"theirs-{place}")

    def _make_a_copy(self) -> ArmId | None:
        """Create a network in the place of a copy, with content that a second PUT would delete."""
        asked = {row.primary.name for row in self._scene.desired.pairs if row.recovery is None}
        asked |= {network.name for network in self._scene.auto}
        names = [f"{name}-asr" for name in sorted(asked)]
        there = {network.name for network in self._scene.world.state.virtual_networks}
        free = [name for name in names if name not in there]
        if not free:
            return None
        name = self._scene.random.choice(free)
        return self._scene.build.virtual_network(name, SEA, group=COPIES, subnets={"precious": "10.9.0.0/24"}).id

    def _fail_over(self, site: Site) -> None:
        """Start the failover of a machine, or of one that nobody has listed yet."""
        items = [
            item
            for item in self._scene.world.state.protected_items.values(site.vault.id.key)
            if item.state == "Protected" and item.active_location == "Primary"
        ]
        if not site.fabrics.keys() >= {EA, SEA}:
            return
        self.disturbed.add(site.name)
        if items:
            item = self._scene.random.choice(items)
            self._scene.build.add(structs.replace(item, state="UnplannedFailoverCommitPending"))
        else:
            self._scene.build.job(site.vault, "UnplannedFailover", target="vm")

    def finish_failovers(self) -> None:
        """All failovers are over, and their machines protected again."""
        state = self._scene.world.state
        for item in list(state.protected_items):
            self._scene.build.add(structs.replace(item, state="Protected", active_location="Primary"))
        for job in [job for job in state.jobs if job.scenario == "UnplannedFailover"]:
            self._scene.build.add(structs.replace(job, state="Succeeded"))
        self._scene.moving.clear()
        self.disturbed.clear()

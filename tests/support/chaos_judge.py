"""Checks ``drift --correct`` in a chaos scene from a witness's record, without asrnet's planner."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import partial

from chaos import Scene, Site
from chaos_others import Others
from chaos_plans import judge_order, judge_pairs, judge_plan, way_of
from chaos_wishes import Way, wishes_of
from msgspec import structs
from second_hand import blind
from witness import Made, Witness, Wrote, subnets_of

from asrnet import applying, exit_codes
from asrnet.applying import AppliedChange, Options, Report
from asrnet.applying.looks import MAX_AGE
from asrnet.drift import Correction, correct_detected, detect_drift
from asrnet.emulator.app import App
from asrnet.errors import AsrError
from asrnet.fake.faults import Fault
from asrnet.fake.ports import backend as fake_backend
from asrnet.model.arm import VAULT, ArmId
from asrnet.model.azure import Fabric, Job, LiveMapping, NetworkMapping, Nic, ProtectedItem, VirtualNetwork
from asrnet.model.limits import Limits
from asrnet.model.plan import Plan
from asrnet.ports import Backend


class LossError(AssertionError):
    """A write overwrote a change by somebody else that was old enough to be noticed."""


WENT_WRONG = {"failed", "rolled_back", "in_flight"}


class Chaos:
    """A scene that is corrected repeatedly and recorded by a witness."""

    def __init__(
        self, scene: Scene, backend: Backend, faults: Sequence[Fault], app: App | None = None, *, looks: bool = True
    ) -> None:
        self.scene = scene
        self.app = app
        self.others = Others(scene)
        self.outcomes: Counter[str] = Counter()
        for fault in faults:
            scene.world.faults.add(fault)
        lags = bool(scene.world.behaviour.list_lag) or any(fault.effect == "list_lags" for fault in faults)
        self.witness = Witness(
            backend,
            scene.world,
            self.others.before_a_read,
            lag=25.0 if lags else 0.0,
            on_write=self.others.after_a_write,
        )
        self._looks = looks
        self._apply_with = self.witness.backend if looks else blind(self.witness.backend)
        self._age = MAX_AGE + self.witness.lag
        self.wishes = {site.name: tuple(wishes_of(scene, site)) for site in scene.sites}
        self._is_over = False
        self._limits = scene.desired.limits
        self._frozen = {freeze.vault for freeze in scene.desired.freeze}

    # One run.

    def run(self) -> int:
        """One run of drift --correct; its exit code."""
        self.witness.forget()
        try:
            correction = correct_detected(
                partial(detect_drift, self.scene.desired, self.witness.backend, allow_delete=self.scene.allow_delete),
                self._applied,
            )
        except AsrError:
            assert not self.witness.wrote_anything
            return exit_codes.ERROR
        finally:
            self._is_over = True
        self._judge_losses()
        if not self._looks:
            return exit_codes.DONE  # the other checks would only report the missing read
        self._judge_writes()
        code = exit_codes.exit_code(correction)
        self._judge_code(correction, code)
        return code

    def _second_hand(self) -> None:
        self.others.at_any_moment(lambda: self.witness.disturbed(self.others.act), lambda: self._is_over)

    def _applied(self, plan: Plan) -> Report:
        self.witness.planned(self.others.between_plan_and_apply)
        self.others.aim_at(plan, lambda: {event.id for event in self.witness.writes})
        self._is_over = False
        self.scene.clock.start(self._second_hand)
        report = applying.apply(plan, self._apply_with, Options(timeout=self.scene.timeout))
        if not self._looks:
            return report
        self._judge_limits(plan)
        for site in self.scene.sites:
            judge_plan(plan, site.name, self.wishes[site.name], self.witness.planned_by(site.vault.id, "mappings"))
        judge_order(report, self.witness)
        if not self.witness.was_disturbed_while_applying():
            judge_pairs(report)
        for change in report.changes:
            self.outcomes[f"{change.kind} {change.action} {change.outcome}"] += 1
            if change.outcome == "succeeded":
                self._judge_success(change)
        return report

    # Nothing unmanaged is touched, and nothing that others have changed.

    def _judge_losses(self) -> None:
        for event in self.witness.events:
            if isinstance(event, Wrote):
                self._judge_loss(event, self._site_of(event.id))
            if isinstance(event, Made) and event.there and not event.is_repeat:
                theirs = self.witness.theirs_since(event.what.id, event)
                if event.when - theirs > self._age:
                    raise LossError(event)

    def _judge_writes(self) -> None:
        for event in self.witness.events:
            if isinstance(event, Wrote):
                site = self._site_of(event.id)
                assert site.name not in self._frozen, event
                self._judge_write(event, site)
            if isinstance(event, Made) and isinstance(event.what, Fabric):
                self._judge_fabric(event, event.what)
            if isinstance(event, Made) and isinstance(event.what, VirtualNetwork):
                self._judge_network(event, event.what)

    def _site_of(self, resource_id: ArmId) -> Site:
        return next(site for site in self.scene.sites if site.vault.id == resource_id.within(VAULT))

    def _judge_fabric(self, made: Made, fabric: Fabric) -> None:
        """Fabrics are created only where allowed, and only after their list was read."""
        site = self._site_of(fabric.id)
        listed = self.witness.listed_to_apply(site.vault.id, "fabrics", made, made.when - MAX_AGE)
        assert self.scene.desired.vault(site.name).create_fabrics, fabric
        assert site.name not in self._frozen, fabric
        assert listed is not None, fabric
        assert fabric.location not in {each.location for each in listed}, fabric

    def _judge_network(self, made: Made, network: VirtualNetwork) -> None:
        """Only copies are created, and only after a read: a PUT on an existing network would delete its subnets."""
        asked = {
            wish.way[1]
            for name, wishes in self.wishes.items()
            for wish in wishes
            if wish.copied and not wish.is_reverse and not wish.external and name not in self._frozen
        }
        looked = self.witness.got_to_apply(network.id, made)
        assert network.id in asked, network
        assert looked is not None, network
        ours = (
            made.is_repeat and looked.found and looked.found.subnets and subnets_of(looked.found) == subnets_of(network)
        )
        assert looked.found is None or ours, network
        assert looked.ended == made.when, network  # the very last moment

    def _judge_write(self, wrote: Wrote, site: Site) -> None:
        undone = self._undone_by(wrote)
        if undone:
            self._judge_undo(wrote, undone)
        elif wrote.action == "create":
            self._judge_create(wrote, site)
        else:
            self._judge_change(wrote, site)

    def _judge_loss(self, wrote: Wrote, site: Site) -> None:
        """A write finds the state of the plan, of our own earlier write, or of a very recent foreign change."""
        planned = {mapping.id: mapping for mapping in self.witness.planned_by(site.vault.id, "mappings", wrote)}
        before = planned.get(wrote.id)
        known = {way_of(before) if before else None}
        for event in self.witness.before(wrote):
            if isinstance(event, Wrote) and event.id == wrote.id:
                known.add(way_of(event.after) if event.after else None)
        made = way_of(wrote.after) if wrote.after else None
        there = way_of(wrote.there) if wrote.there else None
        if there not in {*known, made} and wrote.when - self.witness.theirs_since(wrote.id, wrote) > self._age:
            raise LossError(wrote)

    def _undone_by(self, wrote: Wrote) -> Wrote | None:
        """The write of this run that this one undoes, if any, restoring the previous or last read state."""
        earlier = self.witness.before(wrote)
        writes = (each for each in earlier if isinstance(each, Wrote) and each.id == wrote.id)
        before = next((each for each in writes if each.after != wrote.after), None)  # the others are repeats
        if before is None or wrote.after is None:
            return None
        got = self.witness.got_to_apply(wrote.id, before)
        ways = {way_of(each) for each in (before.there, got.found if got else None) if each}
        return before if way_of(wrote.after) in ways else None

    def _judge_undo(self, wrote: Wrote, undone: Wrote) -> None:
        """A mapping is read before it is put back: it must be as this run left it."""
        seen = self.witness.got_to_apply(wrote.id, wrote)
        assert seen, wrote
        assert self.witness.events.index(seen) > self.witness.events.index(undone), wrote
        left = way_of(undone.after) if undone.after else None
        assert (way_of(seen.found) if seen.found else None) in {left, way_of(wrote.after) if wrote.after else None}, (
            wrote
        )

    def _judge_create(self, wrote: Wrote, site: Site) -> None:
        """Creating is an upsert: a recent list must show the name free and the network unmapped."""
        assert wrote.after
        assert way_of(wrote.after) in self._ways(site), wrote
        recent = wrote.when - MAX_AGE
        lists = self.witness.lists_to_apply(site.vault.id, "mappings", wrote, recent)
        if not lists:
            # A list of many slow pages is older than that when it arrives: then the name is read as well.
            got = self.witness.got_to_apply(wrote.id, wrote)
            assert got, wrote
            assert got.when >= recent, wrote
            assert got.found is None or way_of(got.found) == way_of(wrote.after), wrote
            lists = self.witness.lists_to_apply(site.vault.id, "mappings", wrote, 0.0)
        free = any(self._is_free(wrote, mappings) for mappings in lists)
        assert free, wrote
        # A broken 200 for a PUT that never arrived looks like a created network.
        assert self.app or wrote.baseless == (), wrote

    def _is_free(self, wrote: Wrote, mappings: Sequence[LiveMapping]) -> bool:
        """Whether a list, or a GET, shows the name and the network of a create as free.

        Mappings that this run deleted, and the one that it creates, do not count.
        """
        wanted = wrote.after
        assert wanted
        deleted = {each.id for each in self.witness.writes if each.action == "delete"}
        for mapping in mappings:
            if not isinstance(mapping, NetworkMapping) or mapping.id in deleted:
                continue
            got = self.witness.got_to_apply(mapping.id, wrote)
            current = got.found if got and got.when >= wrote.when - MAX_AGE else mapping
            if current is None or (current.id, way_of(current)) == (wanted.id, way_of(wanted)):
                continue
            if _name(current) == _name(wanted) or current.identity == wanted.identity:
                return False
        return True

    def _judge_change(self, wrote: Wrote, site: Site) -> None:
        """Updates and deletes were read again, match the plan, and no machine is failing over."""
        got = self.witness.got_to_apply(wrote.id, wrote)
        seen = got.found if got else None
        planned = {mapping.id: mapping for mapping in self.witness.planned_by(site.vault.id, "mappings", wrote)}
        assert got, wrote
        assert wrote.when - got.when <= MAX_AGE, wrote
        assert wrote.id in planned, wrote
        before = planned[wrote.id]
        expected = {way_of(before), way_of(wrote.after) if wrote.after else None}
        assert (way_of(seen) if seen else None) in expected, wrote
        if wrote.after:
            assert way_of(wrote.after) in self._ways(site), wrote
            assert wrote.after.identity == before.identity, wrote
        else:
            assert self._may_go(before, site, {way_of(mapping) for mapping in planned.values()}), wrote
        ends = {*way_of(before), *(way_of(wrote.after) if wrote.after else ())}
        self._judge_failover(wrote, site, ends)

    def _judge_failover(self, wrote: Wrote, site: Site, ends: set[ArmId]) -> None:
        items = self.witness.listed_to_apply(site.vault.id, "protected_items", wrote)
        jobs = self.witness.listed_to_apply(site.vault.id, "running", wrote)
        assert items is not None, wrote
        assert jobs is not None, wrote
        assert not any(_is_a_failover(job) for job in jobs), wrote
        moving = {end for item in items if _is_moving(item) for nic in item.nics for end in _ends_of(nic)}
        assert not ends & moving, wrote
        assert not {(site.name, end) for end in ends} & self.scene.moving, wrote

    def _ways(self, site: Site) -> set[Way]:
        return {wish.way for wish in self.wishes[site.name] if not wish.external}

    def _may_go(self, mapping: NetworkMapping, site: Site, live: set[Way]) -> bool:
        """Only the old reverse of a retargeted pair is deleted, or an undeclared mapping where that is allowed."""
        primary, recovery = way_of(mapping)
        # A VM network may be mapped to a server and to Azure; an Azure network has at most one managed mapping.
        asked = [wish for wish in self.wishes[site.name] if (wish.way[0], wish.way[1].type) == (primary, recovery.type)]
        if any(wish.external for wish in asked):
            return False
        moved = [wish.way for wish in self.wishes[site.name] if not (wish.is_reverse or wish.external)]
        if (recovery, primary) in live and any(near == recovery and far != primary for near, far in moved):
            return True
        vault = self.scene.desired.vault(site.name)
        within = mapping.primary_location is not None and mapping.primary_location == mapping.recovery_location
        ignored = {entry.name for entry in self.scene.desired.ignore} & {primary.name.lower(), recovery.name.lower()}
        free = not asked and not within and not ignored
        return vault.unmanaged == "delete" and self.scene.allow_delete and free

    # Never beyond the limits.

    def _judge_limits(self, plan: Plan) -> None:
        """Limits hold for what was really sent; a retarget is one update."""
        of_change = {step.resource_id: change for change in plan.changes for step in change.steps}
        sent: set[tuple[str, str, str]] = set()
        grown: Counter[str] = Counter()
        writes = [wrote for wrote in self.witness.writes if not self._undone_by(wrote)]
        for wrote in {wrote.id: wrote for wrote in writes}.values():  # repeats count once
            change, site = of_change[wrote.id], self._site_of(wrote.id)
            sent.add((site.name, change.action, change.id))
            if wrote.action != "create":
                assert change.action != "create", wrote
            if wrote.action == "create" and wrote.after:
                forward = [wish for wish in self.wishes[site.name] if wish.of_rule and not wish.is_reverse]
                grown[site.name] += way_of(wrote.after) in {wish.way for wish in forward}
        existing = {site.name: len(self.witness.planned_by(site.vault.id, "mappings")) for site in self.scene.sites}
        for names in (*({site.name} for site in self.scene.sites), existing.keys()):
            counts = Counter(action for name, action, _ in sent if name in names)
            growth = sum(grown[name] for name in names)
            assert not _over(self._limits, counts, growth, sum(existing[name] for name in names)), plan.violations()

    # Success only for what was read back.

    def _judge_success(self, change: AppliedChange) -> None:
        """The last step of each succeeded change was read back as intended."""
        for step in {step.resource_id: step for step in change.steps}.values():
            if change.kind == "network_mapping":
                after = way_of(step.after) if isinstance(step.after, NetworkMapping) else None
                seen = [shown and way_of(shown) for shown in self.witness.seen_after_writing(step.resource_id)]
                assert after in seen, change
            else:
                assert self.witness.saw_made(step.resource_id), change

    # The right exit code.

    def _judge_code(self, correction: Correction, code: int) -> None:
        outcomes = {change.outcome for change in correction.report.changes}
        wrong = bool(outcomes & WENT_WRONG) or correction.left is None
        assert bool(correction.refusals) == self._exceeds_limits(correction.detected.plan)
        if correction.refusals:
            assert not self.witness.wrote_anything
            assert code == exit_codes.REFUSED
        assert (code == exit_codes.ERROR) >= wrong, correction.report
        if code == exit_codes.REFUSED:
            assert "succeeded" not in outcomes
        if code in {exit_codes.DONE, exit_codes.PENDING}:
            assert correction.left
            errors = [found for found in correction.left.findings if found.severity == "error"]
            assert (code == exit_codes.PENDING) == bool(correction.left.changes or errors)
        if code == exit_codes.DONE:
            assert outcomes <= {"succeeded", "stale", "skipped"}
            self._judge_seen()

    def _exceeds_limits(self, plan: Plan) -> bool:
        scopes = [{vault} for vault in plan.existing]
        for vaults in (*scopes, set(plan.existing)):
            inside = [one for one in plan.changes if one.vault in vaults and one.kind == "network_mapping"]
            wishes = [wish for name in vaults for wish in self.wishes[name] if wish.of_rule and not wish.is_reverse]
            created = [(one.primary_network_id, one.recovery_network_id) for one in inside if one.action == "create"]
            growth = sum(wish.way in created for wish in wishes)
            existing = sum(plan.existing[name] for name in vaults)
            if _over(self._limits, Counter(one.action for one in inside), growth, existing):
                return True
        return False

    def _judge_seen(self) -> None:
        """Every declared mapping was in the last list of its vault."""
        for site in self.scene.sites:
            shown = {way_of(mapping) for mapping in self.witness.last_listed(site.vault.id, "mappings")}
            assert self._ways(site) <= shown

    # The end.

    def calm(self) -> None:
        """End all faults and operations."""
        self.scene.world.faults.clear()
        self.others.be_quiet()
        if self.scene.chance(0.7):
            self.others.finish_failovers()
        if self.app:
            self.app.faults.clear()
        self.scene.world.behaviour = structs.replace(self.scene.world.behaviour, list_lag=0.0, operations="time:3")
        self.scene.clock.advance(7200)
        for site in self.scene.sites:  # operations that end when read end now
            for _ in range(5):
                list(fake_backend(self.scene.world).mappings.jobs(site.vault.id)) if site.fabrics else None

    def finish(self) -> int:
        """Correct until nothing changes; return the last exit code."""
        for _ in range(3):
            code = self.run()
        return code

    def judge_end(self, code: int) -> None:
        """The scene has converged, or stopped for visible reasons; what they do not block is done."""
        plan = detect_drift(self.scene.desired, self.witness.backend, allow_delete=self.scene.allow_delete).plan
        errors = [found for found in plan.findings if found.severity == "error"]
        over = self._exceeds_limits(plan)
        assert over == (code == exit_codes.REFUSED and bool(plan.changes))
        assert over or plan.changes == ()
        assert code in {exit_codes.DONE, exit_codes.PENDING, exit_codes.REFUSED}, code
        assert (code == exit_codes.DONE) == (not errors and not over)
        for found in errors:
            assert self._is_explained(found.kind, self._site_called(found.vault)), found
        blocked = {(found.vault, found.pair) for found in errors}
        for site in () if over else self.scene.sites:
            live = {way_of(mapping) for mapping in self.scene.live(site) if mapping.state == "Paired"}
            missing = [wish for wish in self.wishes[site.name] if not wish.external and wish.way not in live]
            assert not [wish for wish in missing if (site.name, wish.pair) not in blocked]

    def _site_called(self, name: str | None) -> Site:
        return next(site for site in self.scene.sites if site.name == name)

    def _is_explained(self, kind: str, site: Site) -> bool:
        """Whether the scene has a reason for an error."""
        identities = Counter(mapping.identity for mapping in self.scene.live(site))
        moving = site.name in self.others.disturbed | {name for name, _ in self.scene.moving}
        missing = len(site.fabrics) < 2 and not self.scene.desired.vault(site.name).create_fabrics
        reasons = {
            "frozen": site.name in self._frozen,
            "failover_active": moving,
            "missing_fabric": missing,
            "duplicate": max(identities.values(), default=0) > 1,
        }
        return reasons.get(kind, False)


def _over(limits: Limits, counts: Counter[str], growth: int, existing: int) -> bool:
    changed = counts["update"] + counts["delete"]
    return (
        counts["update"] > limits.max_updates
        or counts["delete"] > limits.max_deletes
        or growth > limits.max_rule_growth
        or (existing >= limits.min_existing and changed * 100 > limits.max_change_percent * existing)
    )


def _name(mapping: NetworkMapping) -> tuple[ArmId, str]:
    """What a PUT of the mapping would overwrite: Azure fabrics ignore the network segment."""
    below = mapping.fabric_id if mapping.kind == "azure_to_azure" else mapping.id.parent
    return (below, mapping.name.lower())


def _is_moving(item: ProtectedItem) -> bool:
    return (item.state, item.active_location) != ("Protected", "Primary")


def _is_a_failover(job: Job) -> bool:
    return job.scenario == "UnplannedFailover" and job.state == "InProgress"


def _ends_of(nic: Nic) -> set[ArmId]:
    return {end for end in (nic.primary_network_id, nic.recovery_network_id) if end}

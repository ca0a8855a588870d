"""Chaos: random worlds, random wishes, random faults; drift --correct must converge or stop, and do no harm.

``CHAOS_SEEDS=5000`` runs more; a failing seed says how to run it again.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial

import pytest
from chaos import Scene, Site
from msgspec import structs
from witness import Witness, Wrote

from asrnet import applying
from asrnet.applying import Options, Report
from asrnet.azure import connect
from asrnet.azure.clouds import PUBLIC
from asrnet.azure.credentials import choose
from asrnet.changes import Plan
from asrnet.cli import exits
from asrnet.drifting import Correction, correct, detect
from asrnet.emulator.app import App
from asrnet.emulator.transport import session
from asrnet.errors import AsrError
from asrnet.fake.faults import Fault
from asrnet.fake.ports import backend as fake_backend
from asrnet.ids import ArmId
from asrnet.models import NetworkMapping
from asrnet.ports import Backend

SEEDS = int(os.environ.get("CHAOS_SEEDS", "240"))
RUNS = 4

Way = tuple[ArmId, ArmId]


class Chaos:
    """A scene being corrected again and again, under the eyes of a witness."""

    def __init__(self, scene: Scene, backend: Backend, faults: Sequence[Fault], app: App | None = None) -> None:
        self.scene = scene
        self.app = app
        for fault in faults:
            scene.world.faults.add(fault)
        lags = bool(scene.world.behaviour.list_lag) or any(fault.effect == "list_lags" for fault in faults)
        self.witness = Witness(backend, scene.world, scene.intrude, lag=25.0 if lags else 0.0)
        self.wanted = {site.name: set(self._wanted(site)) for site in scene.sites}

    # What may be written, worked out without asrnet's planner.

    def _wanted(self, site: Site) -> Iterator[tuple[Way, bool]]:
        """Each way (primary network, recovery network) that the rows and rules ask for; and whether it is a reverse."""
        for row in self.scene.desired.pairs:
            if row.vault == site.name and not row.managed_by:
                recovery = row.recovery or _copy(row.primary)
                yield (row.primary, recovery), False
                if row.failback:
                    yield (recovery, row.primary), True
        if self.scene.desired.rules and site is self.scene.sites[0]:
            for network in self.scene.auto:
                yield (network.id, _copy(network.id)), False
                yield (_copy(network.id), network.id), True

    def judge_writes(self) -> None:
        """Every write was to what is managed, none to what is frozen or failing over."""
        assert self.witness.existing_networks_written == []
        for number, wrote in enumerate(self.witness.writes):
            site = next(site for site in self.scene.sites if wrote.id.key.startswith(site.vault.id.key))
            assert site.name not in {freeze.vault for freeze in self.scene.desired.freeze}, wrote
            assert self._is_legal(wrote, site, self.witness.writes[:number]), wrote
            if wrote.action != "create" and wrote.seen:
                assert not self.scene.moving & {(site.name, network) for network in _way(wrote.seen)}, wrote

    def _is_legal(self, wrote: Wrote, site: Site, earlier: Sequence[Wrote]) -> bool:
        ways = {way for way, _ in self.wanted[site.name]}
        if any(before.id == wrote.id and _undoes(wrote, before) for before in earlier):
            return True
        if wrote.action == "create":
            assert wrote.after is not None
            # An upsert: what is there may only be what an earlier run of ours left on its way, or came unseen.
            free = wrote.there is None or _way(wrote.there) == _way(wrote.after) or wrote.unseen
            return _way(wrote.after) in ways and free
        if wrote.seen is None:
            return False
        if wrote.action == "update":
            assert wrote.after is not None
            return _way(wrote.after) in ways and wrote.seen.identity == wrote.after.identity
        return self._may_go(wrote.seen, site)

    def _may_go(self, mapping: NetworkMapping, site: Site) -> bool:
        """The old reverse of a pair that leads elsewhere now; or what nobody asks for, where that is to be deleted."""
        primary, recovery = _way(mapping)
        for (near, far), is_reverse in self.wanted[site.name]:
            if not is_reverse and near == recovery and far != primary:
                return True
        vault = self.scene.desired.vault(site.name)
        managed = {row.primary for row in self.scene.desired.pairs if row.vault == site.name}
        within = mapping.primary_location == mapping.recovery_location
        ignored = {entry.name for entry in self.scene.desired.ignore} & {primary.name.lower(), recovery.name.lower()}
        free = primary not in managed and not within and not ignored
        return vault.unmanaged == "delete" and self.scene.allow_delete and free

    # One run, and what must hold of its report.

    def run(self) -> int:
        """One run of drift --correct; its exit code."""
        self.witness.forget()
        options = Options(timeout=self.scene.timeout)
        try:
            correction = correct(
                partial(detect, self.scene.desired, self.witness.backend, allow_delete=self.scene.allow_delete),
                lambda plan: self._applied(plan, options),
            )
        except AsrError:
            assert not self.witness.writes
            return exits.ERROR
        self.judge_writes()
        return self._code(correction)

    def _applied(self, plan: Plan, options: Options) -> Report:
        report = applying.apply(plan, self.witness.backend, options)
        self._judge_limits(plan, report)
        self._judge_successes(report)
        return report

    def _code(self, correction: Correction) -> int:
        code = exits.of_report(correction.report)
        if correction.refusals:
            assert not self.witness.writes
            return exits.REFUSED
        if correction.left is None:
            return exits.ERROR
        return code if code in {exits.ERROR, exits.REFUSED} else exits.of_plan(correction.left)

    def _judge_limits(self, plan: Plan, report: Report) -> None:
        begun = [change for change in report.changes if change.outcome not in {"skipped", "stale"}]
        counts = Counter((change.vault, change.action) for change in begun if change.kind == "network_mapping")
        for vault in self.scene.desired.vaults:
            assert counts[vault.name, "delete"] <= plan.limits.max_deletes
            assert counts[vault.name, "update"] <= plan.limits.max_updates

    def _judge_successes(self, report: Report) -> None:
        """Of every change that is called succeeded, the last step to each mapping was seen as wanted afterwards."""
        for change in report.changes:
            if change.outcome != "succeeded" or change.kind != "network_mapping":
                continue
            for step in {step.resource_id: step for step in change.steps}.values():
                after = step.after.recovery_network_id if isinstance(step.after, NetworkMapping) else None
                seen = [
                    shown and shown.recovery_network_id for shown in self.witness.seen_after_writing(step.resource_id)
                ]
                assert after in seen, change

    # The end.

    def calm(self) -> None:
        """Nothing goes wrong any more, and what was under way has ended."""
        self.scene.world.faults.clear()
        self.scene.be_quiet()
        if self.app:
            self.app.faults.clear()
        self.scene.world.behaviour = structs.replace(self.scene.world.behaviour, list_lag=0.0, operations="time:3")
        self.scene.clock.advance(7200)
        for site in self.scene.sites:  # operations that end when they are looked at end now
            for _ in range(5):
                list(fake_backend(self.scene.world).mappings.jobs(site.vault.id)) if site.fabrics else None

    def finish(self) -> int:
        """Correct until nothing changes any more; the last exit code."""
        for _ in range(3):
            code = self.run()
        return code

    def judge_end(self, code: int) -> None:
        """It has converged, or stopped for a reason that is there to see."""
        plan = detect(self.scene.desired, self.witness.backend, allow_delete=self.scene.allow_delete).plan
        errors = [found for found in plan.findings if found.severity == "error"]
        if code == exits.DONE:
            assert plan.changes == ()
            assert not errors
            self._judge_truth()
        elif code == exits.PENDING:
            assert errors
            assert plan.changes == ()
        else:
            assert code == exits.REFUSED, code
            assert plan.violations() or errors

    def _judge_truth(self) -> None:
        """Every way that is wanted is there, by what the world itself says."""
        for site in self.scene.sites:
            live = {_way(mapping) for mapping in self.scene.world.state.mappings.values(site.vault.id.key)}
            assert {way for way, _ in self.wanted[site.name]} <= live


def _way(mapping: NetworkMapping) -> Way:
    return (mapping.primary_network_id, mapping.recovery_network_id)


def _undoes(wrote: Wrote, before: Wrote) -> bool:
    """Whether a write puts back what an earlier one took away."""
    return wrote.after is not None and before.there is not None and _way(wrote.after) == _way(before.there)


def _copy(network: ArmId) -> ArmId:
    group = f"{network.resource_group}-asr"
    return ArmId(
        f"/subscriptions/{network.subscription}/resourceGroups/{group}"
        f"/providers/Microsoft.Network/virtualNetworks/{network.name}-asr"
    )


def judge(chaos: Chaos, seed: int, test: str) -> None:
    """All runs, then calm, then the end."""
    try:
        for _ in range(RUNS):
            chaos.run()
            chaos.scene.clock.advance(chaos.scene.random.choice([0.0, 5.0, 600.0]))
        chaos.calm()
        chaos.judge_end(chaos.finish())
    except BaseException as error:
        error.add_note(f"to run it again: CHAOS_SEEDS={seed + 1} pytest 'tests/property/test_chaos.py::{test}[{seed}]'")
        raise


@pytest.mark.parametrize("seed", range(SEEDS))
def test_faults_of_the_service(seed: int) -> None:
    scene = Scene(seed)
    chaos = Chaos(scene, fake_backend(scene.world), scene.service_faults())
    judge(chaos, seed, "test_faults_of_the_service")


@pytest.mark.parametrize("seed", range(100_000, 100_000 + SEEDS // 3))
def test_faults_of_the_wire_through_the_real_sdk(seed: int) -> None:
    scene = Scene(seed)
    app = App(scene.world)
    backend = connect.backend(clock=scene.clock, credential=choose(PUBLIC, named="emulator"), session=session(app))
    chaos = Chaos(scene, backend, scene.service_faults()[:2], app)
    for wire_fault in scene.wire_faults():
        app.faults.add(wire_fault)
    judge(chaos, seed, "test_faults_of_the_wire_through_the_real_sdk")

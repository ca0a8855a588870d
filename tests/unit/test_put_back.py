"""What a refused retarget puts back, and what it leaves alone because somebody else has changed it."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import structs
from states import SEA, TwoRegions, row

from asrnet import applying
from asrnet.applying import Options, Progress, Report
from asrnet.fake.faults import Fault
from asrnet.model.plan import Plan


def refused(azure: TwoRegions, plan: Plan, meanwhile: Callable[[], object]) -> Report:
    """Apply; ``meanwhile`` runs as soon as Azure has refused an update."""

    def follow(progress: Progress) -> None:
        if (progress.action, progress.state) == ("update", "failed"):
            meanwhile()

    return applying.apply(plan, azure.backend, Options(), on_progress=follow)


def refuse_updates(azure: TwoRegions, name: str) -> None:
    for method in ("PATCH", "PUT"):
        azure.world.faults.add(Fault(effect="refused", method=method, path=f"*/{name}", status=409, code="No", times=0))


class Retarget:
    """A retarget whose update is refused: the deleted reverse comes back."""

    def __init__(self) -> None:
        self.azure = azure = TwoRegions()
        self.hub, self.old, self.theirs = azure.network("hub"), azure.network("old", SEA), azure.network("theirs")
        azure.map(self.hub, self.old)
        azure.map(self.old, self.hub, name="by-hand")
        refuse_updates(azure, "hub-to-old")
        self.plan = azure.plan(azure.state(row(self.hub, azure.network("new", SEA))))


def test_a_deleted_reverse_comes_back() -> None:
    scene = Retarget()
    report = refused(scene.azure, scene.plan, lambda: None)
    assert scene.azure.mappings() == {"hub": "old", "old": "hub"}
    assert [change.outcome for change in report.changes] == ["rolled_back"]


def test_a_deleted_reverse_does_not_take_the_mapping_that_somebody_made_in_its_place() -> None:
    """Creating is an upsert: putting the reverse back would retarget the other mapping."""
    scene = Retarget()
    report = refused(scene.azure, scene.plan, lambda: scene.azure.map(scene.old, scene.theirs, name="by-hand"))
    assert scene.azure.mappings() == {"hub": "old", "old": "theirs"}
    assert [change.outcome for change in report.changes] == ["failed"]
    assert "a mapping named by-hand exists now, to theirs" in str(report.changes[0].error)


def test_a_deleted_reverse_does_not_take_a_mapping_that_lists_do_not_show_yet() -> None:
    scene = Retarget()
    azure = scene.azure
    azure.world.behaviour = structs.replace(azure.world.behaviour, list_lag=60.0)
    azure.clock.advance(120.0)
    refused(azure, scene.plan, lambda: azure.map(scene.old, scene.theirs, name="by-hand"))
    assert azure.mappings() == {"hub": "old", "old": "theirs"}


def test_an_update_is_not_undone_where_somebody_changed_the_mapping_since() -> None:
    azure = TwoRegions()
    a, b, x, y = azure.network("a"), azure.network("b"), azure.network("x", SEA), azure.network("y", SEA)
    theirs = azure.network("theirs", SEA)
    azure.map_both(a, x)
    azure.map_both(b, y)
    refuse_updates(azure, "b-to-y")
    plan = azure.plan(azure.state(row(a, y), row(b, x)))
    refused(azure, plan, lambda: azure.map(a, theirs, name="a-to-x"))
    assert azure.mappings() == {"a": "theirs", "x": "a", "b": "y", "y": "b"}

"""No late or repeated write overwrites what somebody else has made, on every backend."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from doors import DOORS
from followers import Followers
from msgspec import Struct, structs
from second_hand import meddled
from states import SEA, TwoRegions, outcomes, row

from asrnet import applying
from asrnet.applying import Report
from asrnet.desired import DesiredState
from asrnet.fake.faults import Fault
from asrnet.ports import Backend

REPEATED = [
    (429, "TooManyRequests"),
    (503, "ServiceUnavailable"),
    (500, "InternalServerError"),
    (409, "AnotherOperationInProgress"),
]


@pytest.fixture
def azure() -> TwoRegions:
    world = TwoRegions(operations="time:3")
    world.build.resource_group("rg-asr", location=SEA)
    for name, place in (("hub", "eastasia"), ("old", SEA), ("new", SEA), ("theirs", SEA), ("other", "eastasia")):
        world.network(name, place)
    return world


@pytest.fixture(params=DOORS)
def backend(request: pytest.FixtureRequest, azure: TwoRegions) -> Iterator[Backend]:
    opened = DOORS[request.param](azure.world)
    yield opened
    opened.close()


class Case(Struct, frozen=True, kw_only=True):
    """A write of a plan, and what somebody else does when it is first sent.

    ``mapped``: there is a live pair hub and old. ``method`` is the writer's, ``requests`` those that then fail.
    """

    mapped: bool
    desired: Callable[[TwoRegions], DesiredState]
    method: str
    requests: tuple[str, str]
    act: Callable[[TwoRegions], object]
    theirs: Callable[[TwoRegions], bool]


def network(azure: TwoRegions, name: str) -> object:
    return next(network for network in azure.world.state.virtual_networks if network.id.name == name)


def pair(azure: TwoRegions) -> DesiredState:
    return azure.state(row(network(azure, "hub"), network(azure, "new")))  # type: ignore[arg-type]


def copied(azure: TwoRegions) -> DesiredState:
    return azure.state(row(network(azure, "hub"), None))  # type: ignore[arg-type]


def mapped_by_them(azure: TwoRegions, primary: str, recovery: str, name: str = "") -> object:
    return azure.map(network(azure, primary), network(azure, recovery), name=name)  # type: ignore[arg-type]


CASES = {
    "a network is created": Case(
        mapped=False,
        desired=copied,
        method="create_virtual_network",
        requests=("PUT", "*/hub-asr"),
        act=lambda azure: azure.network("hub-asr", SEA, group="rg-asr", subnets={"precious": "10.9.0.0/24"}),
        theirs=lambda azure: network(azure, "hub-asr").subnets[0].name == "precious",  # type: ignore[attr-defined]
    ),
    "a mapping takes the name": Case(
        mapped=False,
        desired=pair,
        method="create_mapping",
        requests=("PUT", "*/hub-to-new"),
        act=lambda azure: mapped_by_them(azure, "other", "theirs", "hub-to-new"),
        theirs=lambda azure: azure.mappings().get("other") == "theirs",
    ),
    "the network is mapped under another name": Case(
        mapped=False,
        desired=pair,
        method="create_mapping",
        requests=("PUT", "*/hub-to-new"),
        act=lambda azure: mapped_by_them(azure, "hub", "theirs", "portal"),
        theirs=lambda azure: azure.mappings().get("hub") == "theirs",
    ),
    "the mapping is retargeted": Case(
        mapped=True,
        desired=pair,
        method="patch_mapping",
        requests=("PATCH", "*/hub-to-old"),
        act=lambda azure: mapped_by_them(azure, "hub", "theirs", "hub-to-old"),
        theirs=lambda azure: azure.mappings().get("hub") == "theirs",
    ),
    "the old reverse is retargeted": Case(
        mapped=True,
        desired=pair,
        method="delete_mapping",
        requests=("DELETE", "*/old-to-hub"),
        act=lambda azure: mapped_by_them(azure, "old", "other", "old-to-hub"),
        theirs=lambda azure: azure.mappings().get("old") == "other",
    ),
}


def applied(azure: TwoRegions, backend: Backend, case: Case, status: int, code: str) -> Report:
    if case.mapped:
        mapped_by_them(azure, "hub", "old")
        mapped_by_them(azure, "old", "hub")
    plan = azure.plan(case.desired(azure))
    method, path = case.requests
    azure.world.faults.add(Fault(effect="refused", method=method, path=path, status=status, code=code))
    return applying.apply(plan, meddled(backend, case.method, lambda: case.act(azure)))


@pytest.mark.parametrize(("status", "code"), REPEATED)
@pytest.mark.parametrize("name", CASES)
def test_a_repeated_write_does_not_overwrite_what_was_made_since_the_first_attempt(
    azure: TwoRegions, backend: Backend, name: str, status: int, code: str
) -> None:
    case = CASES[name]
    report = applied(azure, backend, case, status, code)
    assert case.theirs(azure)
    # The fake has no pipeline that repeats creates.
    changed = next(change for change in report.changes if change.outcome in {"stale", "failed"})
    assert "succeeded" not in {change.outcome for change in report.changes if change.id == changed.id}
    if backend.requests()["retries"]:
        assert changed.outcome == "stale", report.changes


@pytest.mark.parametrize("name", CASES)
def test_a_change_found_right_before_a_write_makes_it_stale_and_refused(
    azure: TwoRegions, backend: Backend, name: str
) -> None:
    """Somebody else acts after the checks of all changes and before the final read for this one."""
    case = CASES[name]
    if case.mapped:
        mapped_by_them(azure, "hub", "old")
        mapped_by_them(azure, "old", "hub")
    plan = azure.plan(case.desired(azure))
    target = case.requests[1].removeprefix("*/")

    def act(progress: applying.Progress) -> None:
        if (progress.name, progress.state) == (target, "sending"):
            azure.clock.sleep(2.1)  # then the list read by the checks is too old
            case.act(azure)

    report = applying.apply(plan, backend, on_progress=act)
    assert case.theirs(azure)
    assert "stale" in outcomes(report).values()
    assert report.result in {"refused", "partial"}


def test_a_network_that_somebody_else_recreated_is_not_reported_as_succeeded(
    azure: TwoRegions, backend: Backend
) -> None:
    plan = azure.plan(copied(azure))

    def act(progress: applying.Progress) -> None:
        if (progress.name, progress.state) == ("hub-asr", "done"):
            azure.network("hub-asr", SEA, group="rg-asr", subnets={"precious": "10.9.0.0/24"})

    report = applying.apply(plan, backend, on_progress=act)
    (made,) = (change for change in report.changes if change.kind == "virtual_network")
    assert made.outcome == "failed"
    assert "subnets" in (made.error or "")


def test_what_a_policy_adds_to_a_new_network_is_reported(azure: TwoRegions, backend: Backend) -> None:
    plan = azure.plan(copied(azure))

    def tag(progress: applying.Progress) -> None:
        if (progress.name, progress.state) == ("hub-asr", "done"):
            made = azure.world.virtual_networks.get(plan.changes[0].resource_id)
            azure.build.add(structs.replace(made, tags={**made.tags, "owner": "policy"}))

    report = applying.apply(plan, backend, on_progress=tag)
    (made,) = (change for change in report.changes if change.kind == "virtual_network")
    assert (made.outcome, ["tag owner" in warning for warning in made.warnings]) == ("succeeded", [True])


@pytest.mark.parametrize(("status", "code"), REPEATED)
@pytest.mark.parametrize("door", DOORS)
def test_a_repeated_machine_update_does_not_overwrite_what_was_set_since_the_first_attempt(
    door: str, status: int, code: str
) -> None:
    machines = Followers(1, operations="time:3")
    plan = machines.planned()
    opened = DOORS[door](machines.world)
    kind = "replicationprotecteditems"
    machines.world.faults.add(Fault(effect="refused", method="PATCH", kind=kind, status=status, code=code))

    def act() -> None:
        machines.change("vm001", settings={"tfoAzureVMName": "theirs"})

    report = applying.apply(plan, meddled(opened, "update_item", act))
    opened.close()
    assert machines.items()["vm001"].settings["tfoAzureVMName"] == "theirs"
    assert machines.destinations() == {"vm001": "old"}
    # The fake has no pipeline that repeats a request.
    assert [change.outcome for change in report.changes] == ["failed" if door == "fake" else "stale"]

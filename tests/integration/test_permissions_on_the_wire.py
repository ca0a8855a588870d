"""The roles that asrnet prints, compared with its requests: enough for each request, and nothing unused."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from command_line import EXAMPLES
from doors import wire
from msgspec import structs
from states import EA, SEA, TwoRegions, row

from asrnet.applying import Options
from asrnet.azure import connect
from asrnet.azure.credentials import choose
from asrnet.clocks import SimulatedClock
from asrnet.desired import CopySettings, DesiredState, Region, Row, load_desired
from asrnet.diagnostics.roles import actions
from asrnet.drift import Correction, correct_drift, detect_drift
from asrnet.emulator.app import App
from asrnet.emulator.routes import ROUTES
from asrnet.emulator.transport import session
from asrnet.errors import AsrError
from asrnet.failover import Prediction
from asrnet.fake import world_file
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.journal import action_of
from asrnet.model.azure import COPY_TAG
from asrnet.model.rights import TASKS, Task
from asrnet.ports import Backend
from asrnet.prediction import Question, predict, read_machines
from asrnet.settings.clouds import PUBLIC

ALL_LIMITS = Options(forced=frozenset({"max_updates", "max_deletes", "max_change_percent", "max_rule_growth"}))
ITEMS = "Microsoft.RecoveryServices/vaults/replicationProtectedItems/read"
JOBS = "Microsoft.RecoveryServices/vaults/replicationJobs/read"
LISTS = "Microsoft.RecoveryServices/vaults/replicationNetworkMappings/read"


class Busy(TwoRegions):
    """A vault with every kind of work: create, retarget, copy, create fabrics, prune; and a machine."""

    def __init__(self, *, fabrics: bool = True) -> None:
        super().__init__(behaviour=Behaviour(operations="time:3"), fabrics=fabrics)
        self.app = App(self.world)
        credential = choose(PUBLIC, named="emulator")
        self.backend: Backend = connect.backend(clock=self.clock, credential=credential, session=session(self.app))
        self.build.resource_group("rg-asr", location=SEA)
        rows = [row(self.network("new"), self.network("new-dr", SEA)), row(self.network("copied"), None)]
        if fabrics:
            rows += self._live()
        self.desired = self.state(*rows, unmanaged="delete", create_fabrics=not fabrics)

    def _live(self) -> list[Row]:
        moved, old, new = self.network("moved"), self.network("old", SEA), self.network("moved-dr", SEA)
        self.map_both(moved, old)
        self.map(self.network("stray"), self.network("stray-dr", SEA))
        nic = self.build.nic("nic", moved, subnet="web", recovery=old)
        self.build.protected_item("vm", self.fabrics["eastasia"], self.fabrics[SEA], nic)
        return [row(moved, new)]

    def sent(self) -> set[str]:
        """The actions of all requests so far."""
        return {action_of(entry.method, entry.path).lower() for entry in self.app.journal.entries}

    def allow(self, allowed: Iterable[str]) -> None:
        """Deny everything else from now on."""
        granted = {action.lower() for action in allowed}
        self.world.behaviour = structs.replace(self.world.behaviour, denied=tuple(sorted(EVERY_ACTION - granted)))


def _every_action() -> frozenset[str]:
    """Every action that the emulator knows: each verb of each type in its route table."""
    paths = {
        re.sub(r"\{[^}]*\}", "x", route.template) for route in ROUTES if route.template.startswith("/subscriptions/")
    }
    methods = ("GET", "PUT", "DELETE", "POST")
    return frozenset(action_of(method, path).lower() for path in paths for method in methods)


EVERY_ACTION = _every_action()


def allowed(desired: DesiredState, *tasks: Task, minimal: bool = False) -> set[str]:
    return {action.lower() for task in tasks for action in actions(task, desired, minimal=minimal)}


def corrected(azure: Busy) -> Correction:
    return correct_drift(azure.desired, azure.backend, ALL_LIMITS, allow_delete=True)


def assert_done(correction: Correction) -> None:
    assert [change for change in correction.report.changes if change.outcome != "succeeded"] == []
    assert correction.left is not None
    assert correction.left.changes == ()


@pytest.mark.parametrize("fabrics", [True, False], ids=["a vault in use", "a vault never used"])
@pytest.mark.parametrize("lists", [True, False], ids=["whole lists", "lists in parts"])
def test_the_roles_allow_every_request_that_is_sent(fabrics: bool, lists: bool) -> None:
    azure = Busy(fabrics=fabrics)
    if not lists:
        azure.world.behaviour = structs.replace(azure.world.behaviour, denied=(LISTS, ITEMS))
    detect_drift(azure.desired, azure.backend)
    assert azure.sent() <= allowed(azure.desired, "plan")
    assert_done(corrected(azure))
    assert azure.sent() <= allowed(azure.desired, "apply", "create-networks")


@pytest.mark.parametrize("example", ["03-vmm-two-sites", "04-vmm-to-azure"])
@pytest.mark.parametrize("minimal", [False, True])
def test_with_the_role_alone_vmm_networks_are_mapped(example: str, minimal: bool) -> None:
    clock = SimulatedClock()
    desired = load_desired(EXAMPLES / example / "asrnet.yaml")
    app = App(world_file.load(EXAMPLES / example / "world.yaml", clock=clock))
    role = allowed(desired, "apply", minimal=minimal)
    app.world.behaviour = structs.replace(app.world.behaviour, denied=tuple(sorted(EVERY_ACTION - role)))
    azure = connect.backend(clock=clock, credential=choose(PUBLIC, named="emulator"), session=session(app))
    assert_done(correct_drift(desired, azure, ALL_LIMITS))


@pytest.mark.parametrize("minimal", [False, True])
@pytest.mark.parametrize("fabrics", [True, False], ids=["a vault in use", "a vault never used"])
def test_with_the_roles_alone_everything_works(minimal: bool, fabrics: bool) -> None:
    azure = Busy(fabrics=fabrics)
    azure.allow(allowed(azure.desired, "apply", "create-networks", "prune", minimal=minimal))
    assert_done(corrected(azure))


@pytest.mark.parametrize("minimal", [False, True])
def test_machines_follow_with_their_role_and_without_it_the_plan_says_what_is_missing(minimal: bool) -> None:
    azure = Busy()
    azure.desired = azure.desired.with_machines("follow")
    mapping_tasks: tuple[Task, ...] = ("apply", "create-networks", "prune")
    azure.allow(allowed(azure.desired, *mapping_tasks, minimal=minimal))
    without = detect_drift(azure.desired, azure.backend).plan
    assert "missing_right" in {finding.kind for finding in without.findings}
    assert "protected_item" not in {change.kind for change in without.changes}

    azure.allow(allowed(azure.desired, *mapping_tasks, "machines", minimal=minimal))
    correction = corrected(azure)
    assert_done(correction)
    assert "protected_item" in {change.kind for change in correction.report.changes}
    needed = "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationProtectionContainers/"
    assert f"{needed}replicationProtectedItems/write".lower() in azure.sent()


@pytest.mark.parametrize("minimal", [False, True])
def test_planning_with_its_role_alone_sees_everything(minimal: bool) -> None:
    azure = Busy()
    whole = detect_drift(azure.desired, azure.backend).plan
    azure.allow(allowed(azure.desired, "plan", minimal=minimal))
    azure.backend = wire(azure.world)
    plan = detect_drift(azure.desired, azure.backend).plan
    assert plan.changes == whole.changes
    assert plan.findings == whole.findings


def test_with_the_roles_for_plan_and_nics_a_prediction_compares_network_interfaces() -> None:
    azure = Busy()
    azure.build.network_interface("nic", azure.network("moved"), subnet="web")

    def predicted() -> Prediction:
        return predict(read_machines(azure.desired, azure.backend, Question(with_interfaces=True)))

    azure.allow(allowed(azure.desired, "plan"))
    (unknown,) = predicted().findings
    assert unknown.kind == "unknown"
    assert unknown.hint.endswith("'asrnet permissions --for nics' prints a role that has it")
    azure.allow(allowed(azure.desired, "plan", "nics"))
    azure.backend = wire(azure.world)
    assert predicted().findings == ()


UNSEEN = {
    "microsoft.authorization/permissions/read": "for doctor, and for apply before it deletes a mapping to make it anew",
    "microsoft.network/virtualnetworks/subnets/write": "Azure may ask for it where a network comes with its subnets",
    "microsoft.recoveryservices/vaults/replicationfabrics/operationresults/read": "for a write that names no status",
    "microsoft.recoveryservices/vaults/replicationjobs/operationresults/read": "for a write that names no status",
}
SPARE = {
    **UNSEEN,
    "microsoft.authorization/permissions/read": "without it a warning says that the rights could not be checked",
    "microsoft.recoveryservices/vaults/read": "without it nobody warns that a vault is in the primary region",
    "microsoft.recoveryservices/vaults/replicationoperationstatus/read": "only asked where the jobs do not tell",
}


class LandingZone(Busy):
    """Copies whose subnets get a security group and a route table, in a group to be created; one lacks a subnet."""

    def __init__(self) -> None:
        super().__init__()
        group = self.build.network_security_group("nsg", SEA)
        table = self.build.route_table("routes", SEA)
        settings = CopySettings(
            resource_group="rg-new",
            network_security_group=str(group.id),
            route_table=str(table.id),
            create_resource_group=True,
            add_subnets=True,
        )
        short = self.network("short", subnets={"web": "10.0.1.0/24", "db": "10.0.2.0/24"})
        tags = {COPY_TAG: str(short.id)}
        self.network("short-asr", SEA, group="rg-new-2", subnets={"web": "10.0.1.0/24"}, tags=tags)
        other = structs.replace(settings, resource_group="rg-new-2")
        self.desired = self.state(
            row(self.network("whole"), None), regions=(Region(primary=EA, recovery=SEA, copy=settings),)
        )
        self.second = self.state(row(short, None), regions=(Region(primary=EA, recovery=SEA, copy=other),))


def test_the_role_for_landing_zones_allows_every_request_of_their_copies() -> None:
    azure = LandingZone()
    role = allowed(azure.desired, "apply", "landing-zones")
    azure.allow(role)
    assert_done(corrected(azure))
    azure.desired = azure.second
    assert_done(corrected(azure))
    sent = azure.sent()
    assert sent <= role
    joins = {action for action in role if action.endswith("/join/action")}
    assert allowed(azure.desired, "landing-zones") - sent <= UNSEEN.keys() | joins, "joins are checked by Azure alone"
    assert "microsoft.network/virtualnetworks/subnets/write" in sent


def is_done(azure: Busy) -> bool:
    """Whether a correction can read everything and completes."""
    try:
        correction = corrected(azure)
    except AsrError:
        return False
    left, changes = correction.left, correction.report.changes
    errors = [found for found in left.findings if found.severity == "error"] if left else []
    return bool(left and not left.changes and not errors and all(one.outcome == "succeeded" for one in changes))


ELSEWHERE = {"landing-zones", "machines", "nics"}
"""Tasks that other tests cover: here no copy is in a landing zone, no machine follows, and no NIC is compared."""


@pytest.mark.parametrize("task", [task for task in TASKS if task not in ELSEWHERE])
def test_a_role_has_no_unused_action(task: Task) -> None:
    sent: set[str] = set()
    for denied in ((), (LISTS, ITEMS), (JOBS,)):
        azure = Busy()
        azure.world.behaviour = structs.replace(azure.world.behaviour, denied=denied)
        corrected(azure)
        sent |= azure.sent()
    assert allowed(Busy().desired, task) - sent <= UNSEEN.keys()


NEEDED = sorted(allowed(Busy().desired, "apply", "create-networks", "prune", minimal=True) - SPARE.keys())


def test_with_every_required_action_the_run_completes() -> None:
    azure = Busy()
    azure.allow({*NEEDED, *SPARE})
    assert is_done(azure)


@pytest.mark.parametrize("action", NEEDED)
def test_without_any_one_required_action_the_run_does_not_complete(action: str) -> None:
    azure = Busy()
    azure.allow({*NEEDED, *SPARE} - {action})
    assert not is_done(azure)


def test_without_the_right_to_write_fabrics_an_unused_vault_stays_unused() -> None:
    azure = Busy(fabrics=False)
    role = allowed(azure.desired, "apply", "create-networks", minimal=True)
    azure.allow(action for action in role if not action.endswith("/replicationfabrics/write"))
    assert not is_done(azure)


def test_pruning_with_its_role_alone_deletes_unmanaged_mappings() -> None:
    azure = Busy()
    azure.allow(allowed(azure.desired, "prune"))
    azure.desired = structs.replace(azure.desired, pairs=())
    correction = corrected(azure)
    assert {change.action for change in correction.report.changes} == {"delete"}
    assert_done(correction)
    assert azure.mappings() == {}


@pytest.mark.parametrize("missing", ["delete", "write"])
def test_without_the_right_to_delete_or_write_a_retarget_is_not_started(missing: str) -> None:
    azure = Busy()
    before = azure.mappings()
    role = allowed(azure.desired, "apply", "create-networks")
    azure.allow({action for action in role if not action.endswith(f"/replicationnetworkmappings/{missing}")})
    azure.desired = structs.replace(azure.desired, pairs=azure.desired.pairs[-1:])
    azure.desired = structs.replace(
        azure.desired, vaults=(structs.replace(azure.desired.vaults[0], unmanaged="report"),)
    )
    report = corrected(azure).report
    moved = next(change for change in report.changes if change.pair == "moved")
    assert (moved.outcome, moved.refused) == ("skipped", True)
    assert f"replicationNetworkMappings/{missing}" in (moved.error or "")
    assert azure.mappings() == before
    assert not {entry.method for entry in azure.app.journal.entries} & {"DELETE", "PATCH"}

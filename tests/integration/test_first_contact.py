"""First contact against emulators that answer as asrnet's own does, and against some that do not."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec import structs

from asrnet import backends, first_contact
from asrnet.azure.wire import Answer as WireAnswer
from asrnet.azure.wire import Wire
from asrnet.clocks import SystemClock
from asrnet.emulator import coverage
from asrnet.emulator.app import App
from asrnet.emulator.serving import ServeOptions, running
from asrnet.errors import RefusedError, UnreachableError
from asrnet.fake import ports as fake_ports
from asrnet.fake.behaviour import Answer, Lock
from asrnet.fake.builder import Builder
from asrnet.fake.records import VaultResource
from asrnet.first_contact.comparison import Observation, rows_of
from asrnet.first_contact.experiments import EXPERIMENTS, Experiment
from asrnet.first_contact.report import Report, as_json, as_markdown, verdict_lines
from asrnet.first_contact.session import PREFIX, TAG
from asrnet.model.azure import ProtectedItem
from asrnet.ports import Clock

REPOSITORY = Path(__file__).parents[2]
GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-", re.IGNORECASE)


class Azure:
    """A stand-in for Azure: a world with an empty vault and an empty group, and its backend."""

    def __init__(self, clock: Clock | None = None, **behaviour: Any) -> None:
        self.build = Builder(tenant="7e4a0000-0000-0000-0000-00000000beef", clock=clock)
        self.build.world.behaviour = structs.replace(self.build.world.behaviour, **behaviour)
        self.vault: VaultResource = self.build.vault("VaultOfContoso", group="rg-of-contoso")
        self.group = self.build.resource_group("rg-of-contoso-networks")
        self.machine: ProtectedItem | None = None

    def explore(self, wire: Wire | None = None, **options: Any) -> Report:
        """Run first contact against it."""
        wire = wire or backends.emulated_wire(self.build.world)
        machine = self.machine.id if self.machine else None
        regions = ("eastus2", "centralus")
        place = first_contact.find_place(
            wire, vault=self.vault.id, group=self.group.id, regions=regions, machine=machine
        )
        return first_contact.explore(wire, place, **options)

    def names(self) -> set[str]:
        """The names of all networks, fabrics and mappings."""
        self.build.world.fabrics.list(self.vault.id)  # a world applies pending effects when it is read
        state = self.build.world.state
        return {row.id.name for rows in (state.virtual_networks, state.fabrics, state.mappings) for row in rows}

    def add_machine(self, *, test_network: bool) -> None:
        """A protected machine in the vault."""
        primary = self.build.virtual_network("prod-east", "eastasia", subnets={"web": "10.0.0.0/24"})
        recovery = self.build.virtual_network("prod-south", "southeastasia", subnets={"web": "10.0.0.0/24"})
        bubble = self.build.virtual_network("bubble", "southeastasia", subnets={"web": "10.0.0.0/24"})
        item = self.build.protected_machine(self.vault, "sql-of-contoso", primary, recovery, subnet="web")
        if test_network:
            nics = tuple(structs.replace(nic, test_network_id=bubble.id) for nic in item.nics)
            item = structs.replace(item, test_network_id=bubble.id, nics=nics)
            self.build.add(item)
        self.machine = item


def refuted(report: Report) -> set[str]:
    return {row.name for row in rows_of(report.results) if row.verdict == "refuted"}


def differing(report: Report) -> set[str]:
    return {result.experiment.name for result in report.differing}


def stop_after(count: int, error: BaseException) -> Callable[[Experiment, Observation], None]:
    """Raises ``error`` after that many experiments."""
    made: list[str] = []

    def on_progress(experiment: Experiment, _: Observation) -> None:
        made.append(experiment.name)
        if len(made) == count:
            raise error

    return on_progress


def test_on_the_emulator_nothing_differs_and_nothing_is_left_behind() -> None:
    azure = Azure()

    report = azure.explore()

    assert [(result.experiment.name, result.differences) for result in report.differing] == []
    assert [result.azure.not_tried for result in report.results if result.azure.not_tried] == []
    assert len(report.results) > 50
    assert report.left == ()
    assert azure.names() == set()


def test_the_pace_of_operations_is_no_difference() -> None:
    assert differing(Azure(operations="time:7", fabric_operations="manual:3", not_started=2).explore()) == set()


def test_every_row_that_an_experiment_is_about_is_on_the_coverage_page() -> None:
    page = coverage.page()

    assert [row for experiment in EXPERIMENTS for row in experiment.rows if f"| {row} |" not in page] == []


@pytest.mark.parametrize(
    ("behaviour", "experiments", "rows"),
    [
        ({"missing_mapping": 400}, {"missing_mapping"}, {"ReplicationNetworkMappings_Get"}),
        (
            {"patch": "reject_405"},
            {"retarget_by_patch", "retarget_by_partial_patch", "retarget_beside_the_reverse"},
            {"ReplicationNetworkMappings_Update"},
        ),
        (
            {"answers": {"network_missing": Answer(status=404, code="VirtualNetworkMissing")}},
            {"missing_networks"},
            {"network_missing"},
        ),
        (
            {"retry_after": 15},
            {"fabric_created", "mapping_created", "mapping_deleted"},
            {
                "ReplicationFabrics_Create",
                "ReplicationFabrics_OperationResults",
                "ReplicationNetworkMappings_Create",
                "ReplicationNetworkMappings_Delete",
            },
        ),
    ],
)
def test_only_differences_from_azure_are_reported(
    behaviour: dict[str, Any], experiments: set[str], rows: set[str]
) -> None:
    report = Azure(**behaviour).explore()

    assert differing(report) == experiments
    assert refuted(report) == rows


def test_a_refuted_row_is_printed_with_both_answers() -> None:
    report = Azure(missing_mapping=400).explore()

    lines = list(verdict_lines(rows_of(report.results), report.results))
    (line,) = [line for line in lines if line.startswith("refuted")]
    assert "ReplicationNetworkMappings_Get (recorded)" in line
    assert "azureNetwork: status: Azure 400, the emulator 404" in line
    assert "confirmed  duplicate_mapping (assumed)" in lines


def test_an_unused_vault_counts_as_empty() -> None:
    report = Azure(unused_vault="reject_400").explore()

    assert "fresh_lists_of_networks" in differing(report)
    assert not report.stopped


def test_an_experiment_without_the_right_to_make_it_refutes_nothing() -> None:
    azure = Azure()
    azure.build.deny("Microsoft.RecoveryServices/vaults/replicationFabrics/write")

    report = azure.explore()

    fabric = next(result for result in report.results if result.experiment.name == "fabric_created")
    assert fabric.azure.not_tried == "PUT was answered 403 AuthorizationFailed"
    assert refuted(report) == set()


def test_each_prerequisite_of_the_experiments_is_tried_once() -> None:
    azure = Azure()
    azure.build.deny("Microsoft.RecoveryServices/vaults/replicationFabrics/write")

    azure.explore()

    # One for the experiment on fabrics, one for all the experiments that need one.
    assert azure.build.world.journal.counts()["PUT", "replicationfabrics"] <= 2


def a_mapping(azure: Azure) -> None:
    fabrics = [azure.build.azure_fabric(azure.vault, region) for region in ("eastus2", "centralus")]
    networks = [azure.build.virtual_network(f"n-{region}", region) for region in ("eastus2", "centralus")]
    azure.build.mapping(fabrics[0], networks[0], fabrics[1], networks[1])


def a_fabric(azure: Azure) -> None:
    azure.build.azure_fabric(azure.vault, "westeurope")


def another_machine(azure: Azure) -> None:
    azure.add_machine(test_network=True)
    assert azure.machine is not None
    mine = azure.machine
    azure.build.add(structs.replace(mine, id=mine.id.parent.child("replicationProtectedItems", "other")))


def a_network_without_the_tag(azure: Azure) -> None:
    azure.build.virtual_network(f"{PREFIX}-A1", "eastus2", group=azure.group.id.name)


@pytest.mark.parametrize(
    ("fill", "held"),
    [
        (a_mapping, "1 mapping, 2 fabrics"),
        (a_fabric, "1 fabric"),
        (another_machine, "1 machine"),
        (a_network_without_the_tag, "without the tag"),
    ],
)
def test_a_vault_or_group_that_is_not_empty_is_refused_and_not_written_to(
    fill: Callable[[Azure], None], held: str
) -> None:
    azure = Azure()
    fill(azure)

    with pytest.raises(RefusedError, match=held):
        azure.explore()

    assert azure.build.world.journal.methods().keys() == {"GET"}


def test_a_vault_whose_lists_cannot_be_read_is_refused() -> None:
    azure = Azure()
    azure.build.deny("Microsoft.RecoveryServices/vaults/replicationProtectedItems/read")

    with pytest.raises(RefusedError, match="may not be empty"):
        azure.explore()


def test_the_report_has_no_id_name_tenant_or_token() -> None:
    # Names within the service's codes must not get into the report either.
    azure = Azure(answers={"duplicate_mapping": Answer(code="VaultOfContoso")})
    azure.add_machine(test_network=True)

    report = azure.explore()

    for text in (as_json(report), as_markdown(report)):
        assert not GUID.search(text)
        for secret in ("contoso", "prod-", "bubble", "subscriptions/", "https:", "beef", "Bearer", "eyJ", "&s="):
            assert secret.lower() not in text.lower()


@pytest.mark.parametrize(
    ("count", "error"), [(12, KeyboardInterrupt()), (30, UnreachableError("no answer from VaultOfContoso"))]
)
def test_after_an_error_or_ctrl_c_everything_is_deleted_and_what_was_found_is_reported(
    count: int, error: BaseException
) -> None:
    azure = Azure()

    report = azure.explore(on_progress=stop_after(count, error))

    assert len(report.results) == count
    assert report.stopped
    assert "contoso" not in as_json(report)
    assert report.left == ()
    assert azure.names() == set()


def test_resources_still_being_created_at_ctrl_c_are_deleted() -> None:
    azure = Azure(fabric_operations="time:60")
    interrupts = [KeyboardInterrupt()]

    class Interrupted(Wire):
        """Is interrupted once, while a fabric is being created and is not listed yet."""

        def __init__(self, wire: Wire) -> None:
            self.__dict__ = wire.__dict__

        def send(self, method: str, path: str, body: Any = None, **options: Any) -> WireAnswer:
            if interrupts and "replicationOperationStatus" in path:
                raise interrupts.pop()
            return super().send(method, path, body, **options)

    report = azure.explore(Interrupted(backends.emulated_wire(azure.build.world)))

    assert report.stopped == "interrupted"
    assert report.left == ()
    azure.build.world.clock.sleep(120)
    assert azure.names() == set()


def test_after_an_unexpected_exception_everything_is_deleted_too() -> None:
    azure = Azure()

    with pytest.raises(ZeroDivisionError):
        azure.explore(on_progress=stop_after(30, ZeroDivisionError()))

    assert azure.names() == set()


def test_resources_that_cannot_be_deleted_are_named_on_screen_and_only_counted_in_the_report() -> None:
    azure = Azure()

    def lock(*_: object) -> None:
        azure.build.world.behaviour = structs.replace(
            azure.build.world.behaviour, locks=(Lock(scope=str(azure.group.id)),)
        )

    report = azure.explore(on_progress=lock, experiments=[EXPERIMENTS[0], experiment_named("network_created")])

    assert [str(left) for left in report.left] == [f"network {PREFIX}-A1: DELETE was answered 409 ScopeLocked"]
    assert json.loads(as_json(report))["left_over"] == {"network": 1}
    assert "Not cleaned up: 1 network." in as_markdown(report)


def experiment_named(name: str) -> Experiment:
    return next(experiment for experiment in EXPERIMENTS if experiment.name == name)


def test_leftovers_of_an_earlier_run_are_deleted_and_do_not_stop_this_one() -> None:
    azure = Azure()
    azure.build.azure_fabric(azure.vault, "eastus2", name=f"{PREFIX}-eastus2")
    azure.build.virtual_network(f"{PREFIX}-A1", "eastus2", group=azure.group.id.name, tags={TAG: "throwaway"})

    report = azure.explore(experiments=[experiment_named("fresh_lists_of_networks")])

    assert differing(report) == set()
    assert azure.names() == set()


def machine_report(azure: Azure, wire: Wire | None = None) -> Report:
    """First contact with a machine, compared with a world that holds the same machine."""
    assert azure.machine is not None
    wire = wire or backends.emulated_wire(azure.build.world)
    place = first_contact.find_place(
        wire, vault=azure.vault.id, group=azure.group.id, regions=("eastus2", "centralus"), machine=azure.machine.id
    )
    backend = fake_ports.backend(azure.build.world)
    resources = first_contact.surroundings_of(azure.machine.id, azure.vault.id, backend)
    experiments = [experiment for experiment in EXPERIMENTS if experiment.stage == "machine"]
    twin = first_contact.twin_of(place, *resources)
    return first_contact.explore(wire, place, world=twin, experiments=experiments)


def of_patch(report: Report) -> Observation:
    return next(result.azure for result in report.results if result.experiment.name == "test_network_patched")


def item_of(azure: Azure) -> ProtectedItem | None:
    assert azure.machine is not None
    return azure.build.world.state.protected_items.get(azure.vault.id.key, azure.machine.id.key)


def bubbles(item: ProtectedItem | None) -> list[object]:
    return [item.test_network_id, *(nic.test_network_id for nic in item.nics)] if item else []


def test_a_machines_test_network_is_changed_and_put_back() -> None:
    azure = Azure()
    azure.add_machine(test_network=True)
    before, names = item_of(azure), azure.names()

    report = machine_report(azure)

    assert [(result.experiment.name, result.differences) for result in report.differing] == []
    assert "providerSpecificDetails.selectedTfoAzureNetworkId" in str(of_patch(report).facts["changed members"])
    assert of_patch(report).facts["members that could not be put back"] == ()
    assert bubbles(item_of(azure)) == bubbles(before)
    assert report.left == ()
    assert azure.names() == names


def test_a_patch_that_loses_omitted_members_is_detected_and_the_loss_is_repaired() -> None:
    azure = Azure(partial_update="lose")
    azure.add_machine(test_network=True)

    report = machine_report(azure)

    changed = str(of_patch(report).facts["changed members"])
    assert "providerSpecificDetails.tfoAzureVMName" in changed
    assert [result.experiment.name for result in report.differing] == ["test_network_patched"]
    assert of_patch(report).facts["members that could not be put back"] == ()


def test_the_test_network_of_a_machine_that_cannot_be_put_back_is_not_deleted() -> None:
    azure = Azure()
    azure.add_machine(test_network=True)
    patches = []

    class Stubborn(Wire):
        """Takes one PATCH of the machine and refuses all others."""

        def __init__(self, wire: Wire) -> None:
            self.__dict__ = wire.__dict__

        def send(self, method: str, path: str, body: Any = None, **options: Any) -> WireAnswer:
            if method == "PATCH" and "replicationProtectedItems" in path:
                patches.append(path)
                if len(patches) > 1:
                    return WireAnswer(status=400, headers={})
            return super().send(method, path, body, **options)

    report = machine_report(azure, Stubborn(backends.emulated_wire(azure.build.world)))

    (left,) = report.left
    assert str(left) == f"network {PREFIX}-B1: it may still be the machine's test network"
    assert of_patch(report).facts["members that could not be put back"] != ()
    assert f"{PREFIX}-B1" in azure.names()


def test_a_machine_of_another_vault_is_refused() -> None:
    azure = Azure()
    azure.add_machine(test_network=True)
    azure.vault = azure.build.vault("another", group="rg-of-contoso")

    with pytest.raises(RefusedError, match="machine is not in the vault"):
        azure.explore()


def test_a_machine_without_a_test_network_is_not_patched() -> None:
    azure = Azure()
    azure.add_machine(test_network=False)

    report = machine_report(azure)

    assert "no test network to restore" in of_patch(report).not_tried
    assert ("PATCH", "replicationprotecteditems") not in azure.build.world.journal.counts()


GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg-networks"
VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/vault-dr"


def started(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """The script in its own folder, with no environment variable that leads to Azure."""
    inherited = {name: v for name, v in os.environ.items() if not name.startswith(("ASRNET_", "AZURE_", "ARM_"))}
    return subprocess.Popen(
        [sys.executable, REPOSITORY / "scripts/first_contact.py", *arguments],
        cwd=folder,
        env={**inherited, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def script(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The script, from its start to its end."""
    with started(folder, *arguments, **environment) as process:
        out, errors = process.communicate(timeout=100)
    return subprocess.CompletedProcess(process.args, process.returncode, out, errors)


@pytest.fixture(scope="module")
def rehearsal(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """The script without ``--live``, and the folder that it wrote in."""
    folder = tmp_path_factory.mktemp("rehearsal")
    return script(folder, "--vault", VAULT, "--group", GROUP), folder


def test_without_live_the_script_rehearses_and_prints_what_it_would_write(
    rehearsal: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    done, folder = rehearsal

    assert (done.returncode, done.stderr) == (0, "")
    assert "nothing is sent to Azure" in done.stdout
    assert f"virtual network {GROUP}/providers/Microsoft.Network/virtualNetworks/{PREFIX}-A1" in done.stdout
    assert "rehearsed  duplicate_mapping (assumed)" in done.stdout
    names = ["first-contact-rehearsal.json", "first-contact-rehearsal.md"]
    assert sorted(file.name for file in folder.iterdir()) == names


def test_the_report_of_a_rehearsal_does_not_claim_to_be_about_azure(
    rehearsal: tuple[subprocess.CompletedProcess[str], Path],
) -> None:
    _, folder = rehearsal

    for_people = (folder / "first-contact-rehearsal.md").read_text("utf-8")
    for_programs = json.loads((folder / "first-contact-rehearsal.json").read_text("utf-8"))
    assert for_people.startswith("**REHEARSAL: nothing was sent to Azure.**")
    assert "confirmed" not in for_people
    assert "cloud" not in for_people.splitlines()[4]
    assert for_programs["live"] is False
    assert {row["verdict"] for row in for_programs["rows"]} == {"rehearsed", "not_tried"}


def test_the_report_of_a_live_run_says_that_it_is_one() -> None:
    report = Azure().explore()

    assert json.loads(as_json(report))["live"] is True
    assert as_markdown(report).startswith("# First contact")


def test_a_live_run_uses_asrnets_endpoint_and_exits_2_for_a_difference(tmp_path: Path) -> None:
    azure = Azure(clock=SystemClock(), missing_mapping=400)
    cache = tempfile.gettempdir()
    with running(App(azure.build.world), ServeOptions(port=0, tls_port=0, cache=cache)) as emulator:
        given = ("--vault", str(azure.vault.id), "--group", str(azure.group.id), "--live")
        done = script(tmp_path, *given, ASRNET_ENDPOINT=emulator.http, ASRNET_CREDENTIAL="emulator")

    assert (done.returncode, done.stderr) == (2, "")
    assert "1 of 53 experiments differ" in done.stdout
    assert azure.names() == set()


def test_sigterm_ends_the_script_with_everything_deleted(tmp_path: Path) -> None:
    azure = Azure(clock=SystemClock())
    with running(App(azure.build.world), ServeOptions(port=0, tls_port=0, cache=tempfile.gettempdir())) as emulator:
        given = ("--vault", str(azure.vault.id), "--group", str(azure.group.id), "--live")
        environment = {"ASRNET_ENDPOINT": emulator.http, "ASRNET_CREDENTIAL": "emulator"}
        with started(tmp_path, *given, **environment) as process:
            assert process.stdout
            assert any(line.startswith("mapping_created") for line in process.stdout)
            process.terminate()
            _, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (1, "It ended early: interrupted.\n")
    assert azure.names() == set()


@pytest.mark.parametrize(
    "more", [["--live"], ["--live", "--throwaway-machine", "another"], ["--throwaway-machine", "m"]]
)
def test_a_machine_must_be_named_twice_and_only_for_a_live_run(tmp_path: Path, more: list[str]) -> None:
    machine = f"{VAULT}/replicationFabrics/f/replicationProtectionContainers/c/replicationProtectedItems/m"

    done = script(tmp_path, "--vault", VAULT, "--group", GROUP, "--machine", machine, *more)

    assert done.returncode == 1
    assert "needs its name again: --throwaway-machine NAME" in done.stderr

"""Changes that are held while machines fail over."""

from __future__ import annotations

from typing import Any

import pytest
from failover_worlds import BEIJING, SHANGHAI, VAULT, item, vm_network, vnet
from msgspec import structs

from asrnet.errors import AsrError
from asrnet.inventory.activity import Activity, activity
from asrnet.model.arm import ArmId
from asrnet.model.azure import Job, NetworkMapping, Nic, ProtectedItem
from asrnet.model.machine_networks import networks_of
from asrnet.model.plan import Change, Step

HERE, BESIDE = vm_network("VMNetwork1-Beijing"), vm_network("VMNetwork2-Beijing")
THERE = vm_network("VMNetwork1-Shanghai", fabric=SHANGHAI)
MOVING = structs.replace(item("VM-1", HERE, active_location="Recovery"), recovery_fabric_id=SHANGHAI)

EAST, WEST, NORTH = (VAULT.child("replicationFabrics", name) for name in ("east", "west", "north"))
APP, DR, OTHER = vnet("app").id, vnet("dr").id, vnet("other").id


def on(fabric: ArmId, primary: ArmId, recovery_fabric: ArmId, recovery: ArmId) -> NetworkMapping:
    """A mapping between regions."""
    return NetworkMapping(
        id=fabric.child("replicationNetworks", "azureNetwork", "replicationNetworkMappings", primary.name),
        kind="azure_to_azure",
        primary_network_id=primary,
        recovery_network_id=recovery,
        recovery_fabric_id=recovery_fabric,
    )


def update(mapping: NetworkMapping) -> Change:
    """The change that points a mapping at another network."""
    after = structs.replace(mapping, recovery_network_id=vnet("new").id)
    return Change.update(mapping, after, id="c", vault="v", reason="")


def delete(network: ArmId) -> Change:
    """The change that deletes the mapping of a VM network."""
    mapping = NetworkMapping(
        id=network.child("replicationNetworkMappings", "m"),
        kind="vmm_to_azure",
        primary_network_id=network,
        recovery_network_id=OTHER,
    )
    return Change.delete(mapping, id="c", vault="v", reason="")


def follow(item: ProtectedItem) -> Change:
    """The change that points a machine at another network."""
    after = structs.replace(networks_of(item), recovery_network_id=OTHER)
    return Change.update_machine(
        item, after, id="m", vault="v", reason="", pair="p", primary_network_id=APP, fingerprint=""
    )


def reason(guard: Activity, change: Change, *forced: str) -> str:
    """The reason why the change must wait; empty if it need not."""
    hold = guard.hold(change, forced)
    return f"{hold.kind}: {hold.reason}" if hold else ""


def machine(
    name: str = "vm1", *, fabric: ArmId = EAST, recovery_fabric: ArmId | None = WEST, **more: Any
) -> ProtectedItem:
    """A machine of app that fails over to dr, with every member."""
    nic = Nic(name="nic0", primary_network_id=APP, recovery_network_id=DR)
    values = {
        "primary_location": "east",
        "initial_location": "east",
        "recovery_location": "west",
        "nics": (nic,),
        **more,
    }
    return ProtectedItem(
        id=fabric.child("replicationProtectionContainers", "c", "replicationProtectedItems", name),
        friendly_name=name,
        recovery_fabric_id=recovery_fabric,
        **values,
    )


def reversed_machine(name: str = "vm1", **more: Any) -> ProtectedItem:
    """The same machine after failover, commit and re-protection: in the other fabric, running on dr."""
    nic = Nic(name="nic0", primary_network_id=DR, recovery_network_id=APP)
    values = {"primary_location": "west", "recovery_location": "east", "nics": (nic,), **more}
    return machine(name, fabric=WEST, recovery_fabric=EAST, **values)


def job(scenario: str, *, state: str = "InProgress", target: str = "", target_id: str = "") -> Job:
    """A job of the vault."""
    return Job(
        id=VAULT.child("replicationJobs", "j"), scenario=scenario, state=state, target=target, target_id=target_id
    )


FORWARD, REVERSE = on(EAST, APP, WEST, DR), on(WEST, DR, EAST, APP)
BYSTANDER = on(EAST, OTHER, NORTH, vnet("north").id)


def unnamed(moving: ProtectedItem) -> ProtectedItem:
    """The machine as Site Recovery shows it when the network name cannot be resolved."""
    return structs.replace(moving, nics=(Nic(name="nic0", primary_network="corp"),))


def test_a_machine_with_nothing_but_a_state_holds_its_fabrics() -> None:
    silent = machine(provider="", nics=(), primary_location=None, initial_location=None, recovery_location=None)
    told = "failover_active: vm1 reports neither its networks nor whether it runs in the recovery region"
    guard = activity([silent], ())
    assert reason(guard, update(FORWARD)) == told
    assert reason(guard, update(REVERSE)) == told
    assert reason(guard, update(on(NORTH, OTHER, VAULT.child("replicationFabrics", "south"), DR))) == ""
    assert reason(guard, update(FORWARD), "failover_active") == ""


def test_a_machine_on_the_recovery_side_holds_the_mappings_of_its_network() -> None:
    guard = activity([MOVING], ())
    assert reason(guard, delete(HERE.id)) == "failover_active: VM-1 runs on the recovery side (state Protected)"
    assert reason(guard, delete(BESIDE.id)) == ""


@pytest.mark.parametrize("network", [HERE.id, BESIDE.id, THERE.id])
def test_a_machine_whose_vm_network_is_unknown_holds_its_servers(network: ArmId) -> None:
    assert "VM-1" in reason(activity([unnamed(MOVING)], ()), delete(network))


def test_other_servers_are_not_held() -> None:
    elsewhere = vm_network("n", fabric=VAULT.child("replicationFabrics", "third"))
    at_rest = structs.replace(unnamed(MOVING), active_location="Primary")
    assert reason(activity([unnamed(MOVING)], ()), delete(elsewhere.id)) == ""
    assert reason(activity([at_rest], ()), delete(HERE.id)) == ""
    assert HERE.fabric_id == BEIJING


class TestActiveMachines:
    @pytest.mark.parametrize(
        "more",
        [
            {"active_location": "Recovery"},
            {"active_location": "Elsewhere"},
            {"active_location": ""},
            {"state": "UnplannedFailoverCommitPendingStatesBegin"},
            {"state": "ReprotectInProgress"},
            {"state": ""},
            {"state": "QuantumLeap"},
            {"scenario": "CommitFailover"},
        ],
    )
    def test_an_active_machine_holds_both_directions_of_its_pair_only(self, more: dict[str, Any]) -> None:
        guard = activity([machine(**more)], ())
        assert reason(guard, update(FORWARD)).startswith("failover_active: vm1 ")
        assert reason(guard, update(REVERSE)).startswith("failover_active: vm1 ")
        assert reason(guard, update(BYSTANDER)) == ""
        assert reason(guard, update(FORWARD), "failover_active") == ""

    @pytest.mark.parametrize("nics", [(), (Nic(name="nic0"),)])
    def test_an_active_machine_without_networks_holds_both_its_fabrics(self, nics: tuple[Nic, ...]) -> None:
        guard = activity([machine(state="CommitPendingFailover", nics=nics)], ())
        assert "vm1" in reason(guard, update(FORWARD))
        assert "vm1" in reason(guard, update(on(WEST, OTHER, NORTH, vnet("north").id)))
        assert reason(guard, update(on(NORTH, OTHER, VAULT.child("replicationFabrics", "south"), DR))) == ""

    def test_the_network_that_only_the_item_names_is_held(self) -> None:
        own = vnet("own").id
        nic = Nic(name="nic0", primary_network_id=APP)
        guard = activity([machine(state="FailoverCommitPending", nics=(nic,), recovery_network_id=own)], ())
        assert "vm1" in reason(guard, update(on(WEST, own, EAST, OTHER)))

    def test_creates_are_never_held(self) -> None:
        guard = activity([machine(active_location="Recovery")], [job("UnplannedFailover")])
        assert reason(guard, Change.create(FORWARD, id="c", vault="v", reason="")) == ""

    def test_first_initial_replication_holds_nothing(self) -> None:
        guard = activity([machine(state="InitialReplicationInProgress", nics=())], ())
        assert reason(guard, update(FORWARD)) == ""

    def test_initial_replication_after_a_failover_counts_as_re_protection(self) -> None:
        guard = activity([reversed_machine(state="InitialReplicationInProgress")], ())
        assert "is being re-protected" in reason(guard, update(FORWARD))

    @pytest.mark.parametrize("missing", ["initial_location", "primary_location"])
    def test_initial_replication_of_unknown_direction_holds_the_pair(self, missing: str) -> None:
        told = {"primary_location": "east", "initial_location": "east"}
        item = machine(state="InitialReplicationInProgress", **{**told, missing: None})  # type: ignore[arg-type]
        guard = activity([item], ())
        assert "may be re-protected" in reason(guard, update(FORWARD))


class TestReversedMachines:
    def test_a_reversed_machine_holds_the_mappings_of_its_pair_and_says_where_it_fails_back(self) -> None:
        guard = activity([reversed_machine()], ())
        assert reason(guard, update(FORWARD)) == (
            "reversed: 1 machine runs in the recovery region: vm1 fails back to app; "
            "its next re-protection uses the mapping"
        )
        assert reason(guard, update(REVERSE)).startswith("reversed: ")

    def test_reversed_machines_of_one_primary_network_are_named_together(self) -> None:
        guard = activity([reversed_machine(), reversed_machine("vm2")], ())
        assert reason(guard, update(FORWARD)) == (
            "reversed: 2 machines run in the recovery region: vm1, vm2 fail back to app; "
            "their next re-protection uses the mapping"
        )

    def test_a_reversed_machine_does_not_hold_another_primary_of_its_recovery_network(self) -> None:
        assert reason(activity([reversed_machine()], ()), update(on(EAST, OTHER, WEST, DR))) == ""

    def test_a_reversed_machine_does_not_hold_a_mapping_of_its_network_to_a_third_region(self) -> None:
        assert reason(activity([reversed_machine()], ()), update(on(WEST, DR, NORTH, OTHER))) == ""

    @pytest.mark.parametrize("missing", ["initial_location", "primary_location"])
    def test_a_reversed_machine_of_unknown_origin_holds_the_mapping_to_where_it_runs(self, missing: str) -> None:
        guard = activity([reversed_machine(**{missing: None})], ())  # type: ignore[arg-type]  # by name
        retarget = structs.replace(update(FORWARD), primary_network_id=APP, recovery_network_id=DR)
        assert reason(guard, retarget) == (
            "reversed: 1 machine may run in the recovery region (where it was first protected is not known): "
            "vm1 fails back to app; its next re-protection uses the mapping"
        )
        assert reason(guard, structs.replace(update(REVERSE), direction="reverse")).startswith("reversed: ")
        assert reason(guard, retarget, "reversed") == ""

    @pytest.mark.parametrize("missing", ["initial_location", "primary_location"])
    def test_a_machine_without_direction_that_runs_at_home_holds_no_retarget_of_its_pair(self, missing: str) -> None:
        delete_reverse = Step(action="delete", resource_id=REVERSE.id, before=REVERSE)
        retarget = structs.replace(update(FORWARD), primary_network_id=APP, recovery_network_id=DR)
        retarget = structs.replace(retarget, steps=(delete_reverse, *retarget.steps))
        guard = activity([machine(**{missing: None})], ())  # type: ignore[arg-type]  # by name
        assert reason(guard, retarget) == ""
        assert reason(guard, structs.replace(update(REVERSE), direction="reverse")) == ""

    def test_force_reversed_lifts_the_hold_and_no_failover(self) -> None:
        assert reason(activity([reversed_machine()], ()), update(FORWARD), "reversed") == ""
        assert reason(activity([reversed_machine()], ()), update(FORWARD), "failover_active") != ""
        failing = activity([reversed_machine(active_location="Recovery")], ())
        assert reason(failing, update(FORWARD), "reversed").startswith("failover_active: ")


class TestJobs:
    @pytest.mark.parametrize("state", ["InProgress", "NotStarted", "Suspended", "Cancelling", "WaitingForWhatever", ""])
    @pytest.mark.parametrize(
        "scenario", ["UnplannedFailover", "ReverseReplicationDr", "CommitFailover", "EnableDr", ""]
    )
    def test_an_unfinished_job_holds_the_networks_of_its_machine(self, state: str, scenario: str) -> None:
        guard = activity([machine()], [job(scenario, state=state, target="VM1")])
        assert "is unfinished for VM1" in reason(guard, update(FORWARD))
        assert reason(guard, update(BYSTANDER)) == ""

    def test_a_job_finds_its_machine_by_id_too(self) -> None:
        guard = activity([machine("4f1c")], [job("UnplannedFailover", target="web server", target_id="4F1C")])
        assert reason(guard, update(BYSTANDER)) == ""
        assert reason(guard, update(FORWARD)) != ""

    def test_a_job_about_an_unknown_object_holds_the_vault(self) -> None:
        guard = activity([machine()], [job("UnplannedFailover", target="recovery plan 1")])
        assert "recovery plan 1" in reason(guard, update(BYSTANDER))

    @pytest.mark.parametrize(
        "finished", [job("UnplannedFailover", state="Succeeded"), job("UnplannedFailover", state="Cancelled")]
    )
    def test_an_ended_job_holds_nothing(self, finished: Job) -> None:
        assert reason(activity([machine()], [finished]), update(FORWARD)) == ""

    def test_a_job_of_a_machine_holds_the_update_of_that_machine_only(self) -> None:
        vm1, vm2 = machine(), machine("vm2")
        guard = activity([vm1, vm2], [job("UnplannedFailover", state="Cancelling", target="vm1")])
        assert reason(guard, follow(vm1)) == "failover_active: the job UnplannedFailover is unfinished for vm1"
        assert reason(guard, follow(vm1), "failover_active") == ""
        assert reason(guard, follow(vm2)) == ""

    def test_a_job_of_a_recovery_plan_holds_the_updates_of_all_machines(self) -> None:
        guard = activity([machine()], [job("UnplannedFailover", state="Suspended", target="plan 1")])
        assert reason(guard, follow(machine())) == "failover_active: the job UnplannedFailover is unfinished for plan 1"

    def test_a_job_that_enables_another_machine_does_not_hold_this_one(self) -> None:
        guard = activity([machine()], [job("EnableDr", target="newcomer")])
        assert reason(guard, follow(machine())) == ""

    @pytest.mark.parametrize(
        ("state", "advice"),
        [
            ("InProgress", "wait until the job has ended"),
            ("Cancelling", "wait until the job is canceled"),
            ("Suspended", "the job waits for a person: continue or cancel it in the vault"),
        ],
    )
    def test_the_hint_of_a_waiting_change_depends_on_the_state_of_the_machine(self, state: str, advice: str) -> None:
        for target in ("vm1", "plan 1"):
            guard = activity([machine()], [job("UnplannedFailover", state=state, target=target)])
            for change in (follow(machine()), update(FORWARD)):
                hold = guard.hold(change)
                assert hold
                assert hold.hint == f"{advice}, or use --force failover_active"

    def test_jobs_of_mappings_hold_nothing(self) -> None:
        assert reason(activity([machine()], [job("NetworkPairing", target="app")]), update(FORWARD)) == ""


@pytest.mark.parametrize(
    ("item", "advice"),
    [
        (machine(active_location="Recovery"), "finish the failover and re-protect"),
        (machine(state="CommitPendingFailover"), "finish the failover and re-protect"),
        (machine(state="ReprotectInProgress"), "wait until the re-protection has ended"),
        (reversed_machine(state="InitialReplicationInProgress"), "wait until the re-protection has ended"),
        (machine(active_location=""), "see in the vault what the machine is doing; if nothing is under way"),
        (machine(state="Dreaming"), "see in the vault what the machine is doing; if nothing is under way"),
        (machine(provider=""), "see in the vault what the machine is doing; if nothing is under way"),
    ],
)
def test_a_mapping_that_waits_for_a_machine_has_the_hint_for_its_state(item: ProtectedItem, advice: str) -> None:
    hold = activity([item], ()).hold(update(FORWARD))
    assert hold
    assert hold.hint.startswith(advice)
    assert hold.hint.endswith("use --force failover_active")


@pytest.mark.parametrize(("items", "jobs"), [(AsrError("no answer"), ()), ((), AsrError("no answer"))])
def test_unreadable_activity_holds_every_change(items: Any, jobs: Any) -> None:
    for change in (update(FORWARD), follow(machine())):
        assert reason(activity(items, jobs), change) == (
            "failover_active: whether a failover is under way could not be read: no answer"
        )

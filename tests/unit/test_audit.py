"""The audit line of every write, and its command that undoes the write."""

from __future__ import annotations

import json
import shlex

import pytest
from states import SEA, TwoRegions, row

from asrnet import applying
from asrnet.applying import AuditEntry, Options
from asrnet.applying.audit import audit_entry, undo_command
from asrnet.applying.tasks import tasks_of
from asrnet.errors import ServiceError
from asrnet.fake.faults import Fault
from asrnet.fake.mappings import PSEUDO_FABRIC
from asrnet.model.arm import ArmId
from asrnet.model.azure import MappingKind, NetworkMapping
from asrnet.model.plan import Step

VAULT = ArmId(
    "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v"
)


def mapping(kind: MappingKind, recovery_fabric: str) -> NetworkMapping:
    network = VAULT.child("replicationFabrics", "one", "replicationNetworks", "4f70")
    return NetworkMapping(
        id=network.child("replicationNetworkMappings", "m"),
        kind=kind,
        primary_network_id=network,
        recovery_network_id=network,
        recovery_fabric_id=VAULT.child("replicationFabrics", recovery_fabric),
    )


def test_every_write_leaves_one_entry_with_the_command_that_undoes_it() -> None:
    azure = TwoRegions()
    hub, old, new = azure.network("hub"), azure.network("old", SEA), azure.network("new", SEA)
    azure.map_both(hub, old)
    entries: list[AuditEntry] = []
    applying.apply(azure.plan(azure.state(row(hub, new))), azure.backend, Options(), on_write=entries.append)
    assert [(entry.action, entry.outcome) for entry in entries] == [
        ("delete", "succeeded"),
        ("update", "succeeded"),
        ("create", "succeeded"),
    ]
    assert [entry.undo.split(" --url ")[0] for entry in entries] == [
        "az rest --method put",
        "az rest --method patch",
        "az rest --method delete",
    ]
    assert str(old.id) in entries[1].undo
    assert all(f"--url '{entry.resource_id}?api-version=" in entry.undo for entry in entries)  # in any cloud
    assert {len(shlex.split(entry.undo)) for entry in entries} == {6, 8}, "what is between quotes is one argument"
    assert all(entry.job_id for entry in entries)


def test_a_write_that_did_not_end_has_its_line_too() -> None:
    azure = TwoRegions(operations="time:3")
    azure.world.faults.add(Fault(effect="operation_never_ends", method="PUT", path="*hub-to-dr*"))
    plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
    entries: list[AuditEntry] = []
    applying.apply(plan, azure.backend, Options(timeout=30.0), on_write=entries.append)
    assert {(entry.resource_id.rpartition("/")[2], entry.outcome) for entry in entries} == {
        ("hub-to-dr", "in_flight"),
        ("dr-to-hub", "succeeded"),
    }
    assert all(entry.job_id and entry.time for entry in entries)


def test_a_write_that_was_not_sent_has_no_line() -> None:
    azure = TwoRegions()
    hub, dr = azure.network("hub"), azure.network("dr", SEA)
    plan = azure.plan(azure.state(row(hub, dr)))
    azure.map(hub, azure.network("theirs", SEA))
    entries: list[AuditEntry] = []
    applying.apply(plan, azure.backend, on_write=entries.append)
    assert entries == []


def test_a_refused_write_has_its_line_with_the_error_of_azure() -> None:
    azure = TwoRegions()
    azure.world.faults.add(Fault(effect="policy_denied", method="PUT", path="*hub-to-dr*"))
    plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
    entries: list[AuditEntry] = []
    applying.apply(plan, azure.backend, on_write=entries.append)
    refused = next(entry for entry in entries if entry.outcome == "failed")
    assert "policy" in (refused.error or "")


def test_a_refused_write_has_the_request_id_by_which_azure_traces_it() -> None:
    azure = TwoRegions()
    plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
    [task, _] = tasks_of(plan.changes)
    task.state, task.sent, task.error = "failed", 1.0, ServiceError("no", request_id="9f1c")
    assert audit_entry(task, None, "me").correlation_id == "9f1c"


@pytest.mark.parametrize(
    ("kind", "fabric", "sent"),
    [("vmm_to_vmm", "two", "two"), ("vmm_to_azure", PSEUDO_FABRIC, "Microsoft Azure")],
)
def test_the_body_that_made_a_deleted_mapping_restores_it(kind: MappingKind, fabric: str, sent: str) -> None:
    """Azure as the recovery side has a special name; its fabric is in no list."""
    before = mapping(kind, fabric)
    command = undo_command(Step(action="delete", resource_id=before.id, before=before))
    properties = json.loads(command.partition("--body '")[2].rstrip("'"))["properties"]
    assert properties["recoveryFabricName"] == sent

"""The table of GET and PATCH members of a machine, held against the models of Microsoft's SDK, member by member."""

from __future__ import annotations

from typing import Any

import pytest
from azure.mgmt.recoveryservicessiterecovery import models

from asrnet.model.azure import IpConfiguration, Nic, ProtectedItem
from asrnet.model.machine_update import UPDATES, Level, Member

GET_MODELS = {
    "A2A": (models.A2AReplicationDetails, models.VMNicDetails, models.IPConfigDetails),
    "HyperVReplicaAzure": (models.HyperVReplicaAzureReplicationDetails, models.VMNicDetails, models.IPConfigDetails),
    "InMageRcm": (models.InMageRcmReplicationDetails, models.InMageRcmNicDetails, models.InMageRcmNicDetails),
}
PATCH_MODELS = {
    "A2A": (models.A2AUpdateReplicationProtectedItemInput, models.VMNicInputDetails, models.IPConfigInputDetails),
    "HyperVReplicaAzure": (
        models.HyperVReplicaAzureUpdateReplicationProtectedItemInput,
        models.VMNicInputDetails,
        models.IPConfigInputDetails,
    ),
    "InMageRcm": (
        models.InMageRcmUpdateReplicationProtectedItemInput,
        models.InMageRcmNicInput,
        models.InMageRcmNicInput,
    ),
}
LEVELS: tuple[Level, ...] = ("item", "nic", "ip_configuration")
STRUCTS = {"item": ProtectedItem, "nic": Nic, "ip_configuration": IpConfiguration}
ROWS = [(provider, member) for provider, update in UPDATES.items() for member in update.members]
CONTAINERS = {"vmNics", "ipConfigs", "providerSpecificDetails", "instanceType"}
"""Members that hold the others."""


def wire_names(model: Any) -> set[str]:
    """The members of a model by their names on the wire."""
    # The model learns its own names when the first one is made.
    model.__new__(model)
    return {field._rest_name for field in model._attr_to_rest_field.values()}  # the SDK tells them nowhere else


def patch_model(provider: str, member: Member) -> Any:
    if member.level == "item" and not member.in_details:
        return models.UpdateReplicationProtectedItemInputProperties
    return PATCH_MODELS[provider][LEVELS.index(member.level)]


def named(row: tuple[str, Member]) -> str:
    provider, member = row
    return f"{provider}-{member.get}-{member.patch}"


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_a_row_names_a_member_that_the_sdk_reads_and_one_that_it_writes(row: tuple[str, Member]) -> None:
    provider, member = row
    assert member.get in wire_names(GET_MODELS[provider][LEVELS.index(member.level)])
    assert member.patch in wire_names(patch_model(provider, member))


@pytest.mark.parametrize("row", [row for row in ROWS if row[1].field], ids=named)
def test_a_row_with_a_field_names_one_of_our_model(row: tuple[str, Member]) -> None:
    _, member = row
    assert member.field in STRUCTS[member.level].__struct_fields__


@pytest.mark.parametrize("provider", sorted(UPDATES))
def test_every_member_that_the_sdk_can_patch_is_sent_or_listed_with_the_reason_why_not(provider: str) -> None:
    update = UPDATES[provider]
    of_provider = wire_names(models.UpdateReplicationProtectedItemInputProperties)
    for model in PATCH_MODELS[provider]:
        of_provider |= wire_names(model)
    sent = {member.patch for member in update.members}
    assert of_provider - CONTAINERS == sent | set(update.not_sent)
    assert not sent & set(update.not_sent)
    assert all(len(reason) > 10 for reason in update.not_sent.values())


@pytest.mark.parametrize("provider", sorted(UPDATES))
def test_every_member_that_the_sdk_reads_of_a_nic_is_sent_or_listed_as_read_only(provider: str) -> None:
    update = UPDATES[provider]
    _, nic, address = GET_MODELS[provider]
    sent = {member.get for member in (*update.of("nic"), *update.of("ip_configuration"))}
    assert wire_names(nic) | wire_names(address) == sent | update.read_only
    assert not sent & update.read_only


@pytest.mark.parametrize("provider", sorted(UPDATES))
def test_each_member_and_each_field_has_one_row(provider: str) -> None:
    for level in LEVELS:
        members = UPDATES[provider].of(level)
        assert len({member.get for member in members}) == len(members)
        assert len({member.patch for member in members}) == len(members)
        fields = [member.field for member in members if member.field]
        assert len(set(fields)) == len(fields)

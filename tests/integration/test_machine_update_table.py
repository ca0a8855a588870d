"""The table of a machine's GET and PATCH members, compared with the models of Microsoft's SDK."""

from __future__ import annotations

import json
from typing import Any

import pytest
from azure.mgmt.recoveryservicessiterecovery import models
from msgspec import structs

from asrnet.azure.machines import read_item
from asrnet.model.arm import ArmId
from asrnet.model.azure import IpConfiguration, Nic, ProtectedItem
from asrnet.model.machine_update import (
    UPDATES,
    Level,
    Member,
    body_of_answer,
    fingerprint,
    updatable_document,
    update_body,
)

GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg"
CONTAINER = (
    f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/v/replicationFabrics/f/replicationProtectionContainers/c"
)

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
    # The model knows its names only after the first instance.
    model.__new__(model)
    return {field._rest_name for field in model._attr_to_rest_field.values()}  # the SDK has them nowhere else


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


EXAMPLES: dict[str, Any] = {"flag": True, "number": 2, "text": "a text", "word": "true", "any": "as it is"}


def example(member: Member, provider: str) -> Any:
    resource = f"{GROUP}/providers/Microsoft.Network/things/{member.get}"
    if member.get.endswith("Tags"):
        return {"dr": "yes"} if provider == "HyperVReplicaAzure" else [{"tagName": "dr", "tagValue": "yes"}]
    if member.get == "tfoLBBackendAddressPoolIds":
        return [resource]
    return {"id": resource, "ids": [resource]}.get(member.kind) or EXAMPLES[member.kind]


def answer(provider: str, leave_out: Member | None = None) -> dict[str, Any]:
    """A GET that returns every member of the table."""
    update = UPDATES[provider]

    def told(*levels: Level) -> dict[str, Any]:
        return {
            member.get: example(member, provider)
            for level in levels
            for member in update.of(level)
            if member != leave_out
        }

    nic = told("nic", "ip_configuration") if update.nics_in_details else told("nic")
    if not update.nics_in_details:
        nic["ipConfigs"] = [told("ip_configuration")]
    details = {"instanceType": provider, **told("item"), "vmNics": [nic]}
    properties = {"friendlyName": "vm1", "protectionState": "Protected", "providerSpecificDetails": details}
    return {"id": f"{CONTAINER}/replicationProtectedItems/vm1", "properties": properties}


def read(document: dict[str, Any]) -> ProtectedItem:
    """The machine read from the SDK's model."""
    return read_item(models.ReplicationProtectedItem(document))


@pytest.mark.parametrize("provider", sorted(UPDATES))
def test_a_patch_sends_back_everything_that_a_get_returns(provider: str) -> None:
    document = answer(provider)
    body = update_body(read(document))
    assert body == body_of_answer(document["properties"])
    sent = json.dumps(body)
    assert all(f'"{member.patch}"' in sent for member in UPDATES[provider].members)


@pytest.mark.parametrize("row", ROWS, ids=named)
def test_a_patch_omits_what_a_get_does_not_return(row: tuple[str, Member]) -> None:
    provider, member = row
    body = update_body(read(answer(provider, leave_out=member)))
    if member.kind in {"flag", "word"} and member.field:
        return  # by default an address fails over, and the first is the primary
    assert f'"{member.patch}"' not in json.dumps(body)


def test_the_body_fits_the_models_of_the_sdk() -> None:
    body = update_body(read(answer("A2A")))
    model = models.UpdateReplicationProtectedItemInput(body)
    assert model.properties is not None
    assert model.properties.vm_nics is not None
    (nic,) = model.properties.vm_nics
    assert nic.ip_configs is not None
    assert (nic.nic_id, nic.ip_configs[0].ip_config_name) == ("a text", "a text")
    assert isinstance(model.properties.provider_specific_details, models.A2AUpdateReplicationProtectedItemInput)


@pytest.mark.parametrize("row", [row for row in ROWS if row[1].kind in {"flag", "number"}], ids=named)
def test_a_flag_or_a_number_of_the_table_is_one_in_the_sdk(row: tuple[str, Member]) -> None:
    provider, member = row
    model = patch_model(provider, member)
    (attribute,) = (name for name, field in model._attr_to_rest_field.items() if field._rest_name == member.patch)
    kind = {"flag": "bool", "number": "int"}[member.kind]
    assert kind in str(vars(model)["__annotations__"][attribute])


@pytest.mark.parametrize("value", ["x", 0, False, {"a": 1}, [None]])
def test_an_unknown_member_is_kept_with_its_value(value: object) -> None:
    document = answer("A2A")
    (nic,) = document["properties"]["providerSpecificDetails"]["vmNics"]
    nic["newOfNic"] = nic["ipConfigs"][0]["newOfAddress"] = value
    item = read(document)
    assert item.nics[0].unknown_members == {"newOfNic": json.dumps(value)}
    assert item.nics[0].ip_configurations[0].unknown_members == {"newOfAddress": json.dumps(value)}
    assert "newOf" not in json.dumps(update_body(item))


def test_an_invalid_id_counts_as_an_unknown_member() -> None:
    document = answer("A2A")
    (nic,) = document["properties"]["providerSpecificDetails"]["vmNics"]
    nic["recoveryNetworkSecurityGroupId"] = "Default"
    assert read(document).nics[0].unknown_members == {"recoveryNetworkSecurityGroupId": '"Default"'}


@pytest.mark.parametrize(
    ("provider", "members", "confidential"),
    [
        ("A2A", {}, False),
        ("A2A", {"recoveryConfidentialDataDiskEncryptionIdentity": "/x"}, True),
        ("A2A", {"isConfidentialVm": False}, False),
        ("InMageRcm", {"targetVmSecurityProfile": {"targetVmSecurityType": "ConfidentialVM"}}, True),
        ("InMageRcm", {"targetVmSecurityProfile": {"targetVmSecurityType": "TrustedLaunch"}}, False),
    ],
)
def test_a_confidential_machine_is_recognised(provider: str, members: dict[str, Any], *, confidential: bool) -> None:
    document = answer(provider)
    document["properties"]["providerSpecificDetails"] |= members
    assert read(document).is_confidential is confidential


def test_a_member_of_a_cluster_is_recognised() -> None:
    document = answer("A2A")
    document["properties"]["providerSpecificDetails"]["protectionClusterId"] = "/x/cluster"
    assert read(document).is_cluster_member


def test_an_address_that_is_dynamic_is_not_sent_and_so_not_made_static() -> None:
    document = answer("InMageRcm")
    (nic,) = document["properties"]["providerSpecificDetails"]["vmNics"]
    nic["targetIPAddressType"] = "Dynamic"
    assert "targetStaticIPAddress" not in json.dumps(update_body(read(document)))


def changed(**members: Any) -> ProtectedItem:
    return structs.replace(read(answer("A2A")), **members)


@pytest.mark.parametrize(
    "item",
    [
        changed(state="UnplannedFailoverCommitted"),
        changed(active_location="Recovery"),
        changed(recovery_group_id=None),
        changed(settings={}),
        changed(initial_location="eastus"),
        changed(primary_zone="1"),
        changed(initial_zone="1"),
        changed(nics=()),
        changed(test_failover_state="WaitingForCompletion"),
        changed(recovery_fabric_id=read(answer("A2A")).id.parent.parent),
        changed(
            nics=tuple(
                structs.replace(nic, recovery_network_id=read(answer("A2A")).recovery_network_id)
                for nic in read(answer("A2A")).nics
            )
        ),
    ],
)
def test_the_fingerprint_shows_what_makes_an_update_stale(item: ProtectedItem) -> None:
    assert fingerprint(item) != fingerprint(read(answer("A2A")))


def test_the_fingerprint_of_a_machine_stays_while_it_replicates_and_in_any_spelling_of_ids() -> None:
    item = read(answer("A2A"))
    spelled = structs.replace(
        item, recovery_network_id=ArmId(str(item.recovery_network_id).upper().replace("/SUBS", "/Subs"))
    )
    assert fingerprint(structs.replace(spelled, friendly_name="another", scenario="PlannedFailover")) == fingerprint(
        item
    )


def test_the_spelling_of_nics_and_their_settings_is_no_difference() -> None:
    item = read(answer("A2A"))
    nics = tuple(
        structs.replace(
            nic,
            id=nic.id.upper(),
            ip_configurations=tuple(
                structs.replace(
                    configuration,
                    name=configuration.name.upper(),
                    recovery_subnet=(configuration.recovery_subnet or "").upper(),
                )
                for configuration in nic.ip_configurations
            ),
        )
        for nic in item.nics
    )
    assert updatable_document(structs.replace(item, nics=nics)) == updatable_document(item)


def with_nic(**members: Any) -> ProtectedItem:
    item = read(answer("A2A"))
    return structs.replace(item, nics=(structs.replace(item.nics[0], **members),))


def test_how_a_nic_was_selected_is_no_difference_but_whether_it_fails_over_is_one() -> None:
    chosen, default = with_nic(selection="SelectedByUserOverride"), with_nic(selection="SelectedByDefault")
    assert updatable_document(chosen) == updatable_document(default)
    assert updatable_document(chosen) != updatable_document(with_nic(selection="NotSelected"))


def test_false_equals_absent_and_zero_does_not() -> None:
    nic = read(answer("A2A")).nics[0]
    reused = {**nic.settings, "reuseExistingNic": True}
    assert updatable_document(with_nic(settings={})) == updatable_document(
        with_nic(settings={"reuseExistingNic": False})
    )
    assert updatable_document(with_nic(settings={})) != updatable_document(with_nic(settings=reused))
    first = changed(settings={"platformFaultDomain": 0})
    assert updatable_document(first) != updatable_document(changed(settings={}))


def test_a_flag_that_is_false_is_sent_and_restored_as_false() -> None:
    document = answer("A2A")
    (nic,) = document["properties"]["providerSpecificDetails"]["vmNics"]
    nic["reuseExistingNic"] = nic["ipConfigs"][0]["isPrimary"] = False
    body = body_of_answer(document["properties"])
    (sent,) = body["properties"]["vmNics"]
    assert (sent["reuseExistingNic"], sent["ipConfigs"][0]["isPrimary"]) == (False, False)
    assert update_body(read(document)) == body


@pytest.mark.parametrize("word", ["true", "false"])
def test_whether_an_address_of_a_vmware_machine_fails_over_is_sent_as_a_string(word: str) -> None:
    document = answer("InMageRcm")
    (nic,) = document["properties"]["providerSpecificDetails"]["vmNics"]
    nic["isSelectedForFailover"] = word
    (sent,) = update_body(read(document))["properties"]["providerSpecificDetails"]["vmNics"]
    assert sent["isSelectedForFailover"] == word


def test_the_order_of_load_balancers_is_no_difference() -> None:
    pools = [ArmId(f"{GROUP}/providers/Microsoft.Network/loadBalancers/lb/backendAddressPools/{name}") for name in "ab"]
    first, second = (
        updatable_document(
            with_nic(ip_configurations=(IpConfiguration(name="c", recovery_load_balancer_pools=tuple(order)),))
        )
        for order in (pools, pools[::-1])
    )
    assert first == second


def test_the_case_of_a_tags_value_is_a_difference() -> None:
    lower, upper = (
        updatable_document(structs.replace(read(answer("HyperVReplicaAzure")), settings={"targetVmTags": tags}))
        for tags in ({"dr": "yes"}, {"dr": "Yes"})
    )
    assert lower != upper

"""Network mappings on the wire as models, including those that do not say what they map, and as bodies."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from msgspec import structs

from asrnet.azure.members import translate_all, translate_readable
from asrnet.azure.models import read_mapping
from asrnet.errors import ServiceError
from asrnet.model.arm import ArmId
from asrnet.model.azure import NetworkMapping, UnreadableMapping
from asrnet.model.bodies import mapping_body

S = "11111111-1111-1111-1111-111111111111"
VAULT = f"/Subscriptions/{S}/resourceGroups/Rg-DR/providers/Microsoft.RecoveryServices/vaults/Vault-DR"
FABRIC_A = f"{VAULT}/replicationFabrics/Fabric-A"
FABRIC_B = f"{VAULT}/replicationFabrics/Fabric-B"
VNETS = f"/subscriptions/{S}/resourceGroups/Rg/providers/Microsoft.Network/virtualNetworks"


def mapping_row(**properties: object) -> dict[str, Any]:
    document: dict[str, Any] = {
        "type": "ignored",
        "id": f"{FABRIC_A}/replicationNetworks/azureNetwork/replicationNetworkMappings/Hub-Map",
        "name": "Hub-Map",
        "properties": {
            "state": "Paired",
            "primaryNetworkFriendlyName": "hub-ea",
            "primaryNetworkId": f"{VNETS}/Hub-EA".lower(),
            "primaryFabricFriendlyName": "East Asia",
            "recoveryNetworkId": f"{VNETS}/Hub-SEA".lower(),
            "recoveryFabricArmId": FABRIC_B,
            "recoveryFabricFriendlyName": "Southeast Asia",
            "fabricSpecificSettings": {
                "instanceType": "AzureToAzure",
                "primaryFabricLocation": "eastasia",
                "recoveryFabricLocation": "southeastasia",
            },
            "somethingNew": {"of": ["the", "service"]},
            **properties,
        },
    }
    return document


MAPPING = NetworkMapping(
    id=ArmId(f"{FABRIC_A}/replicationNetworks/azureNetwork/replicationNetworkMappings/Hub-Map"),
    kind="azure_to_azure",
    primary_network_id=ArmId(f"{VNETS}/Hub-EA"),
    recovery_network_id=ArmId(f"{VNETS}/Hub-SEA"),
    recovery_fabric_id=ArmId(FABRIC_B),
    primary_location="eastasia",
    recovery_location="southeastasia",
)


def test_a_mapping_reads_the_same_whatever_the_case_of_its_ids() -> None:
    assert read_mapping(mapping_row()) == MAPPING


def test_a_mapping_without_settings_has_the_kind_and_places_that_its_networks_and_fabrics_tell() -> None:
    assert read_mapping(mapping_row(fabricSpecificSettings=None)) == MAPPING


@pytest.mark.parametrize(
    ("word", "kind"), [("VmmToAzure", "vmm_to_azure"), ("VmmToVmm", "vmm_to_vmm"), ("AzureToAzure", "azure_to_azure")]
)
def test_the_kind_is_the_instance_type(word: str, kind: str) -> None:
    mapping = read_mapping(mapping_row(fabricSpecificSettings={"instanceType": word}))
    assert isinstance(mapping, NetworkMapping)
    assert mapping.kind == kind


def test_only_azure_to_azure_has_locations() -> None:
    mapping = read_mapping(mapping_row(fabricSpecificSettings={"instanceType": "VmmToAzure"}))
    assert isinstance(mapping, NetworkMapping)
    assert (mapping.primary_location, mapping.recovery_location) == (None, None)


NOWHERE = {"fabricSpecificSettings": {"instanceType": "AzureToAzure"}, "recoveryFabricFriendlyName": None}


@pytest.mark.parametrize(
    ("changes", "primary"),
    [
        ({"recoveryNetworkId": None}, MAPPING.primary_network_id),
        ({"recoveryNetworkId": "Microsoft Azure"}, MAPPING.primary_network_id),
        ({"primaryNetworkId": ""}, None),
        ({"primaryNetworkId": None, "recoveryNetworkId": None}, None),
        (NOWHERE, MAPPING.primary_network_id),
    ],
)
def test_a_mapping_that_does_not_say_what_it_maps_still_exists(changes: dict[str, Any], primary: ArmId | None) -> None:
    assert read_mapping(mapping_row(**changes)) == UnreadableMapping(id=MAPPING.id, primary_network_id=primary)


def test_under_a_server_the_primary_network_of_a_mapping_is_the_one_it_lies_under() -> None:
    above = MAPPING.fabric_id.child("replicationNetworks", "4f70")
    mapping_id = str(above.child("replicationNetworkMappings", "m"))
    for settings in (None, {"instanceType": "VmmToVmm"}):
        row = mapping_row(primaryNetworkId=None, recoveryNetworkId=None, fabricSpecificSettings=settings)
        assert read_mapping({**row, "id": mapping_id}) == UnreadableMapping(
            id=ArmId(mapping_id), primary_network_id=above
        )


def test_only_the_constant_segment_names_a_network_under_a_region() -> None:
    """Terraform writes the primary network's name in this segment."""
    mapping_id = str(MAPPING.fabric_id.child("replicationNetworks", "Hub-EA", "replicationNetworkMappings", "m"))
    row = {**mapping_row(primaryNetworkId=None), "id": mapping_id}
    assert read_mapping(row) == UnreadableMapping(id=ArmId(mapping_id))


def test_one_invalid_element_fails_a_list_that_proves_absence() -> None:
    rows = [mapping_row(), {**mapping_row(), "id": "/what/is/this"}]
    with pytest.raises(ServiceError, match="an element that cannot be read: '/what/is/this' is not a resource id"):
        list(translate_all(rows, read_mapping, MAPPING.vault_id))


def test_where_absence_proves_nothing_an_invalid_element_is_left_out_with_a_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rows = [{**mapping_row(), "id": "/what/is/this"}, mapping_row()]
    with caplog.at_level(logging.WARNING):
        assert list(translate_readable(rows, read_mapping, MAPPING.vault_id, "a mapping")) == [MAPPING]
    assert "left out a mapping that cannot be read: '/what/is/this'" in caplog.text


def test_a_request_has_the_details_under_another_name_than_an_answer() -> None:
    assert mapping_body(MAPPING) == {
        "properties": {
            "recoveryNetworkId": f"{VNETS}/Hub-SEA",
            "recoveryFabricName": "Fabric-B",
            "fabricSpecificDetails": {"instanceType": "AzureToAzure", "primaryNetworkId": f"{VNETS}/Hub-EA"},
        }
    }


def test_to_azure_the_recovery_fabric_is_named_microsoft_azure() -> None:
    properties = mapping_body(structs.replace(MAPPING, kind="vmm_to_azure"))["properties"]
    assert properties["recoveryFabricName"] == "Microsoft Azure"
    assert properties["fabricSpecificDetails"] == {"instanceType": "VmmToAzure"}

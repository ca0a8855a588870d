"""Enabling replication on the wire: mappings and the recovery network come with it, as documented."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs
from wire_case import Wire, error_of

from asrnet.model.azure import Fabric, Subnet, VirtualNetwork


class Region(Wire):
    """A machine on a network without mappings, and containers in both regions."""

    def __init__(self) -> None:
        super().__init__()
        build = self.build
        self.vault = build.vault("Vault")
        self.east: Fabric = build.azure_fabric(self.vault, "eastus", name="East")
        self.west: Fabric = build.azure_fabric(self.vault, "westus", name="West")
        self.container = build.container(self.east)
        self.recovery = build.container(self.west)
        subnets = [Subnet(name="web", prefixes=("10.1.1.0/24",))]
        self.hub: VirtualNetwork = build.virtual_network(
            "Hub", "eastus", address_space=["10.1.0.0/16"], subnets=subnets
        )
        self.machine = build.virtual_machine("Vm", self.hub, subnet="web", ip="10.1.1.4")
        self.item = f"{self.container.id}/replicationProtectedItems/Vm"

    def enable(self, **details: object) -> dict[str, Any]:
        known = {
            "instanceType": "A2A",
            "fabricObjectId": str(self.machine.id),
            "recoveryContainerId": str(self.recovery.id),
        }
        return {"properties": {"providerSpecificDetails": {**known, **details}}}

    def mapped(self) -> dict[str, str]:
        listed = self.get(f"{self.vault.id}/replicationNetworkMappings")["value"]
        properties = [each["properties"] for each in listed]
        return {each["primaryNetworkFriendlyName"]: each["recoveryNetworkFriendlyName"] for each in properties}

    def nic(self) -> Any:
        (nic,) = self.get(self.item)["properties"]["providerSpecificDetails"]["vmNics"]
        return nic


@pytest.fixture
def region() -> Region:
    return Region()


def test_by_default_the_copy_and_both_mappings_are_made(region: Region) -> None:
    assert region.send("PUT", region.item, body=region.enable()).status == 202
    assert region.mapped() == {"hub": "hub-asr", "hub-asr": "hub"}
    nic = region.nic()
    assert nic["recoveryVMNetworkId"].endswith("/virtualNetworks/Hub-asr")
    assert nic["ipConfigs"][0]["recoverySubnetName"] == "web"
    details = region.get(region.item)["properties"]["providerSpecificDetails"]
    assert details["fabricObjectId"] == f"/{region.machine.id.key}"


def test_the_address_of_the_recovery_nic_is_of_the_sources_type(region: Region) -> None:
    (nic,) = region.machine.nics
    (address,) = nic.ip_configurations
    static = structs.replace(nic, ip_configurations=(structs.replace(address, ip_type="Static"),))
    region.build.add(structs.replace(region.machine, nics=(static,)))
    region.send("PUT", region.item, body=region.enable())
    (configuration,) = region.nic()["ipConfigs"]
    assert (configuration["ipAddressType"], configuration["recoveryIPAddressType"]) == ("Static", "Static")
    assert configuration["recoveryStaticIPAddress"] == ""


def test_an_existing_mapping_stays_and_another_network_is_accepted(region: Region) -> None:
    other = region.build.virtual_network("Other", "westus")
    chosen = region.build.virtual_network("Chosen", "westus")
    region.build.pair(region.east, region.hub, region.west, other)
    region.send("PUT", region.item, body=region.enable())
    assert region.nic()["recoveryVMNetworkId"] == str(other.id)
    region.send("DELETE", region.item)
    region.send("PUT", region.item, body=region.enable(recoveryAzureNetworkId=str(chosen.id)))
    assert region.nic()["recoveryVMNetworkId"] == str(chosen.id)
    assert region.mapped()["hub"] == "other"


def test_a_strict_world_refuses_another_network(region: Region) -> None:
    region.build.world.behaviour = structs.replace(region.build.world.behaviour, strict_mapping=True)
    other = region.build.virtual_network("Other", "westus")
    chosen = region.build.virtual_network("Chosen", "westus")
    region.build.pair(region.east, region.hub, region.west, other)
    answer = region.send("PUT", region.item, body=region.enable(recoveryAzureNetworkId=str(chosen.id)))
    assert (answer.status, error_of(answer)["details"][0]["code"]) == (400, "NetworkMappingConflict")


def test_nics_can_be_moved_and_machines_disabled(region: Region) -> None:
    region.send("PUT", region.item, body=region.enable())
    elsewhere = region.build.virtual_network("Elsewhere", "westus")
    nic = region.nic()
    address = {"ipConfigName": nic["ipConfigs"][0]["name"], "recoverySubnetName": "db"}
    properties = {
        "selectedRecoveryAzureNetworkId": str(elsewhere.id),
        "vmNics": [{"nicId": nic["nicId"], "ipConfigs": [{**address, "recoveryStaticIPAddress": "10.9.0.9"}]}],
    }
    assert region.send("PATCH", region.item, body={"properties": properties}).status == 202
    moved = region.nic()
    assert moved["recoveryVMNetworkId"] == str(elsewhere.id)
    assert moved["ipConfigs"][0]["recoverySubnetName"] == "db"
    assert (moved["ipConfigs"][0]["recoveryStaticIPAddress"], moved["ipConfigs"][0]["recoveryIPAddressType"]) == (
        "10.9.0.9",
        "Static",
    )
    assert region.send("POST", f"{region.item}/remove", body={"properties": {}}).status == 202
    assert region.send("GET", region.item).status == 404
    assert region.send("DELETE", region.item).status == 404


@pytest.mark.parametrize("name", ["fabricObjectId", "recoveryContainerId"])
def test_a_machine_cannot_be_protected_without_its_id_and_destination(region: Region, name: str) -> None:
    answer = region.send("PUT", region.item, body=region.enable(**{name: None}))
    assert (answer.status, error_of(answer)["details"][0]["code"]) == (400, "InvalidParameter")


def test_other_providers_are_not_implemented(region: Region) -> None:
    answer = region.send("PUT", region.item, body=region.enable(instanceType="InMage"))
    assert answer.status == 501


@pytest.mark.parametrize("provider", ["HyperVReplicaAzure", "InMageRcm"])
def test_a_machine_on_premises_is_not_protected_in_a_region(region: Region, provider: str) -> None:
    answer = region.send("PUT", region.item, body=region.enable(instanceType=provider, targetResourceGroupId=None))
    assert (answer.status, error_of(answer)["details"][0]["code"]) == (400, "InvalidParameter")


def intent(region: Region, **details: object) -> dict[str, Any]:
    known = {"instanceType": "A2A", "fabricObjectId": str(region.machine.id)}
    places = {"primaryLocation": "East US", "recoveryLocation": "westus"}
    return {"properties": {"providerSpecificDetails": {**known, **places, **details}}}


def test_an_intent_protects_a_machine_with_one_request(region: Region) -> None:
    path = f"{region.vault.id}/replicationProtectionIntents/vm"
    answer = region.send("PUT", path, body=intent(region))
    assert answer.status == 200
    found = region.get(path)
    assert found["properties"]["friendlyName"] == "Vm"
    assert "/replicationJobs/" in found["properties"]["jobId"]
    assert region.get(f"{region.vault.id}/replicationProtectionIntents")["value"] == [found]
    assert region.mapped() == {"hub": "hub-asr", "hub-asr": "hub"}


def test_an_intent_can_use_an_existing_or_a_new_network(region: Region) -> None:
    spare = region.build.virtual_network("Spare", "westus")
    path = f"{region.vault.id}/replicationProtectionIntents/vm"
    existing = {"resourceType": "Existing", "recoveryVirtualNetworkId": str(spare.id), "recoverySubnetName": "x"}
    region.send("PUT", path, body=intent(region, recoveryVirtualNetworkCustomInput=existing))
    assert region.mapped() == {"hub": "spare", "spare": "hub"}
    second = Region()
    names = {"recoveryVirtualNetworkName": "Brand-New", "recoveryVirtualNetworkResourceGroupName": "rg-new"}
    new = {"resourceType": "New", **names}
    second.send("PUT", path, body=intent(second, recoveryVirtualNetworkCustomInput=new))
    assert second.mapped() == {"hub": "brand-new", "brand-new": "hub"}
    made = [each.id for each in second.build.world.virtual_networks.list(second.machine.id.subscription)]
    assert (made[-1].name, made[-1].resource_group) == ("Brand-New", "rg-new")


def test_an_intent_without_regions_is_refused(region: Region) -> None:
    answer = region.send(
        "PUT", f"{region.vault.id}/replicationProtectionIntents/vm", body=intent(region, recoveryLocation=None)
    )
    assert answer.status == 400


def test_an_azure_machine_needs_existing_containers_of_azure(region: Region) -> None:
    missing = f"{region.recovery.id}-none"
    answer = region.send("PUT", region.item, body=region.enable(recoveryContainerId=missing))
    assert (answer.status, error_of(answer)["details"][0]["code"]) == (404, "ArmResourceDoesNotExist")
    server = region.build.vmm_fabric(region.vault, "vmm.example")
    cloud = region.build.cloud(server, "Gold")
    answer = region.send("PUT", f"{cloud.id}/replicationProtectedItems/Vm", body=region.enable())
    assert (answer.status, error_of(answer)["details"][0]["code"]) == (400, "InvalidParameter")

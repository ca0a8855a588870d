"""One Terraform configuration: created, found unchanged and destroyed, with the requests of the azurerm provider.

The provider itself is not installed. Its bodies, reads and polling were taken from the source of its Site Recovery
resources, and so were its comparisons without case.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from msgspec import Struct, structs
from wire_case import Wire

from asrnet.model.azure import Subnet

GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/Rg-DR"
VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/Vault-DR"
EAST, WEST = (f"{VAULT}/replicationFabrics/Fabric-{place}" for place in ("East", "West"))
EAST_BOX, WEST_BOX = (f"{fabric}/replicationProtectionContainers/Box" for fabric in (EAST, WEST))
POLICY, PLAN = f"{VAULT}/replicationPolicies/Daily", f"{VAULT}/replicationRecoveryPlans/Plan"
ITEM = f"{EAST_BOX}/replicationProtectedItems/Vm1"
SITE = f"{VAULT}/replicationFabrics/Hyper-V"
HYPER_V_POLICY = f"{VAULT}/replicationPolicies/Hyper-V"
NETWORKS = f"{GROUP}/providers/Microsoft.Network/virtualNetworks"
VERSION = "2024-04-01"
STORAGE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/stage"
DISK = f"{GROUP}/providers/Microsoft.Compute/disks/Vm1-Os"
RUNBOOK = f"{GROUP}/providers/Microsoft.Automation/automationAccounts/a/runbooks/r"


class Resource(Struct, frozen=True, kw_only=True):
    """A resource: the body of its create, and the part of a read that its state is compared with."""

    path: str
    properties: dict[str, Any]
    read: Callable[[dict[str, Any]], object]
    expected: object = None
    by_post: bool = True
    """Whether POST remove destroys it, and not DELETE."""


def corrected(identifier: str) -> str:
    """An id as the provider normalises it: the service capitalises the first segment."""
    return identifier.replace("/Subscriptions/", "/subscriptions/")


def lowered(*identifiers: str) -> list[str]:
    """Ids that the provider compares without case."""
    return [identifier.lower() for identifier in identifiers]


def fabric(path: str, place: str) -> Resource:
    return Resource(
        path=path,
        properties={"customDetails": {"instanceType": "Azure", "location": place}},
        read=lambda properties: properties["customDetails"]["location"],
        expected=place,
    )


def container_mapping(box: str, other: str) -> Resource:
    return Resource(
        path=f"{box}/replicationProtectionContainerMappings/Pair",
        properties={
            "targetProtectionContainerId": other,
            "policyId": POLICY,
            "providerSpecificInput": {"instanceType": "A2A"},
        },
        read=lambda properties: [
            properties["sourceProtectionContainerFriendlyName"],
            *lowered(properties["policyId"], properties["targetProtectionContainerId"]),
        ],
        expected=["Box", *lowered(POLICY, other)],
    )


def network_mapping(fabric: str, network: str, other_fabric: str, other: str) -> Resource:
    """The segment of the network is the network's own name, where other clients write azureNetwork."""
    return Resource(
        path=f"{fabric}/replicationNetworks/{network}/replicationNetworkMappings/Map",
        properties={
            "recoveryNetworkId": f"{NETWORKS}/{other}",
            "recoveryFabricName": other_fabric.rpartition("/")[2],
            "fabricSpecificDetails": {"instanceType": "AzureToAzure", "primaryNetworkId": f"{NETWORKS}/{network}"},
        },
        read=lambda properties: [
            *lowered(properties["primaryNetworkId"], properties["recoveryNetworkId"]),
            properties["recoveryFabricArmId"].rpartition("/")[2],
        ],
        expected=[*lowered(f"{NETWORKS}/{network}", f"{NETWORKS}/{other}"), other_fabric.rpartition("/")[2]],
        by_post=False,
    )


def replicated_machine(machine: str) -> Resource:
    disk = {
        "diskId": DISK,
        "primaryStagingAzureStorageAccountId": STORAGE,
        "recoveryResourceGroupId": GROUP,
        "recoveryReplicaDiskAccountType": "Standard_LRS",
        "recoveryTargetDiskAccountType": "StandardSSD_LRS",
        "recoveryDiskEncryptionSetId": "",
        "diskEncryptionInfo": {},
    }
    empty = dict.fromkeys(
        (
            "recoveryProximityPlacementGroupId",
            "recoveryBootDiagStorageAccountId",
            "recoveryCapacityReservationGroupId",
            "recoveryVirtualMachineScaleSetId",
        ),
        "",
    )
    details = {
        "instanceType": "A2A",
        "fabricObjectId": machine,
        "recoveryContainerId": WEST_BOX,
        "recoveryResourceGroupId": GROUP,
        "multiVmGroupName": "Group-1",
        "vmManagedDisks": [disk],
        "vmDisks": None,
        **empty,
    }

    def read(properties: dict[str, Any]) -> object:
        details = properties["providerSpecificDetails"]
        (disk,) = details["protectedManagedDisks"]
        ids = (properties["recoveryFabricId"], properties["policyId"], properties["recoveryContainerId"])
        more = (details["fabricObjectId"], details["recoveryAzureResourceGroupId"], disk["diskId"])
        return [
            *lowered(*ids, *more, disk["primaryStagingAzureStorageAccountId"], disk["recoveryResourceGroupId"]),
            details["multiVmGroupName"],
            disk["recoveryReplicaDiskAccountType"],
            disk["recoveryTargetDiskAccountType"],
            disk["recoveryDiskEncryptionSetId"],
            *[details[name] for name in empty],
            details["recoveryAvailabilitySet"],
            details["recoveryAvailabilityZone"],
        ]

    ids = lowered(WEST, POLICY, WEST_BOX, machine, GROUP, DISK, STORAGE, GROUP)
    expected = [*ids, "Group-1", "Standard_LRS", "StandardSSD_LRS", None, *[None] * 4, None, None]
    properties = {"policyId": POLICY, "providerSpecificDetails": details}
    return Resource(path=ITEM, properties=properties, read=read, expected=expected)


def recovery_plan() -> Resource:
    directions, types = ["PrimaryToRecovery"], ["TestFailover", "UnplannedFailover"]
    runbook = {
        "instanceType": "AutomationRunbookActionDetails",
        "runbookId": RUNBOOK,
        "fabricLocation": "Primary",
    }
    manual = {"instanceType": "ManualActionDetails", "description": "Move the names."}

    def action(name: str, details: object) -> dict[str, object]:
        return {
            "actionName": name,
            "failoverDirections": directions,
            "failoverTypes": types,
            "customDetails": details,
        }

    groups = [
        {"groupType": "Shutdown", "startGroupActions": [action("stop", runbook)], "endGroupActions": []},
        {"groupType": "Failover", "startGroupActions": [], "endGroupActions": []},
        {
            "groupType": "Boot",
            "replicationProtectedItems": [{"id": ITEM}],
            "startGroupActions": [],
            "endGroupActions": [action("names", manual)],
        },
    ]

    def read(properties: dict[str, Any]) -> object:
        return [
            corrected(properties["primaryFabricId"]),
            corrected(properties["recoveryFabricId"]),
            *[
                (
                    group["groupType"],
                    [corrected(item["id"]) for item in group.get("replicationProtectedItems", [])],
                    group["startGroupActions"],
                    group["endGroupActions"],
                )
                for group in properties["groups"]
            ],
        ]

    properties = {
        "primaryFabricId": EAST,
        "recoveryFabricId": WEST,
        "failoverDeploymentModel": "ResourceManager",
        "groups": groups,
    }
    return Resource(path=PLAN, properties=properties, read=read, expected=read(properties), by_post=False)


class Terraform(Wire):
    """Terraform with an empty resource group, two networks and a machine."""

    def __init__(self) -> None:
        super().__init__()
        build = self.build
        build.world.behaviour = structs.replace(build.world.behaviour, operations="time:3", replication="time:60")
        subnets = [Subnet(name="web", prefixes=("10.0.1.0/24",))]
        for name, place in (("Hub", "eastasia"), ("Hub-DR", "southeastasia")):
            network = build.virtual_network(name, place, group="Rg-DR", address_space=["10.0.0.0/16"], subnets=subnets)
            if name == "Hub":
                machine = build.virtual_machine("Vm1", network, group="Rg-DR", subnet="web", ip="10.0.1.4")
        self.machine = str(machine.id)

    def create(self, resource: Resource) -> None:
        """Refuse to adopt an existing resource (only 404 means absent), then create, poll and read."""
        assert self.send("GET", resource.path, version=VERSION).status == 404, resource.path
        self.write("PUT", resource.path, {"properties": resource.properties})
        self.refresh(resource)

    def write(self, method: str, path: str, body: object = None) -> None:
        """A write and its poller, which knows InProgress and Succeeded."""
        answer = self.send(method, path, body=body, version=VERSION)
        assert answer.status == 202, answer.body
        status_url = answer.header("Azure-AsyncOperation") or ""
        assert json.loads(self.follow(status_url).body)["status"] == "InProgress"
        self.build.world.clock.sleep(3)
        assert json.loads(self.follow(status_url).body)["status"] == "Succeeded"

    def refresh(self, resource: Resource) -> None:
        """The values that a plan compares with the configuration."""
        assert resource.read(self.get(resource.path, version=VERSION)["properties"]) == resource.expected

    def destroy(self, resource: Resource) -> None:
        """Ignore the headers of a DELETE, and read the resource until it is gone."""
        if resource.by_post:
            self.write("POST", f"{resource.path}/remove", {"properties": {}})
        else:
            assert self.send("DELETE", resource.path, version=VERSION).status == 202
            assert self.send("GET", resource.path, version=VERSION).status == 200
            self.build.world.clock.sleep(3)
        assert self.send("GET", resource.path, version=VERSION).status == 404

    def create_vault(self) -> None:
        redundancy = {"crossRegionRestore": "Disabled", "standardTierStorageRedundancy": "GeoRedundant"}
        properties = {"publicNetworkAccess": "Enabled", "redundancySettings": redundancy}
        body = {"location": "southeastasia", "sku": {"name": "Standard"}, "properties": properties, "tags": {}}
        assert self.send("GET", VAULT, version="2025-08-01").status == 404
        assert self.send("PUT", VAULT, body=body, version="2025-08-01").status == 201
        self.build.world.clock.sleep(3)

    def vault(self) -> object:
        """The result of reading the vault, with the two documents that are read with it."""
        document = self.get(VAULT, version="2025-08-01")
        properties = document["properties"]
        self.get(f"{VAULT}/backupconfig/vaultconfig", version="2023-02-01")
        settings = self.get(f"{VAULT}/replicationVaultSettings/default", version=VERSION)["properties"]
        return [
            document["location"],
            document["sku"]["name"],
            document.get("tags"),
            "identity" in document,
            properties["publicNetworkAccess"],
            properties["redundancySettings"],
            properties.get("securitySettings"),
            settings["vmwareToAzureProviderType"].lower() == "vmware",
        ]


@pytest.fixture
def terraform() -> Terraform:
    terraform = Terraform()
    terraform.create_vault()
    return terraform


def test_one_configuration_is_created_found_unchanged_and_destroyed(terraform: Terraform) -> None:
    redundancy = {"standardTierStorageRedundancy": "GeoRedundant", "crossRegionRestore": "Disabled"}
    vault = terraform.vault()
    assert vault == ["southeastasia", "Standard", {}, False, "Enabled", redundancy, None, False]
    resources = [
        fabric(EAST, "eastasia"),
        fabric(WEST, "southeastasia"),
        Resource(
            path=POLICY,
            properties={
                "providerSpecificInput": {
                    "instanceType": "A2A",
                    "recoveryPointHistory": 1440,
                    "appConsistentFrequencyInMinutes": 240,
                    "multiVmSyncStatus": "Enable",
                }
            },
            read=lambda properties: [
                properties["providerSpecificDetails"][name]
                for name in ("instanceType", "recoveryPointHistory", "appConsistentFrequencyInMinutes")
            ],
            expected=["A2A", 1440, 240],
            by_post=False,
        ),
        *[Resource(path=box, properties={}, read=lambda _: None) for box in (EAST_BOX, WEST_BOX)],
        container_mapping(EAST_BOX, WEST_BOX),
        container_mapping(WEST_BOX, EAST_BOX),
        network_mapping(EAST, "Hub", WEST, "Hub-DR"),
        network_mapping(WEST, "Hub-DR", EAST, "Hub"),
        replicated_machine(terraform.machine),
        recovery_plan(),
    ]
    for resource in resources:
        terraform.create(resource)
    terraform.build.world.clock.sleep(120)
    for resource in resources:
        terraform.refresh(resource)
    assert terraform.vault() == vault
    for resource in reversed(resources):
        terraform.destroy(resource)
    assert terraform.send("DELETE", VAULT, version="2025-08-01").status == 202
    terraform.build.world.clock.sleep(3)
    assert terraform.send("GET", VAULT, version="2025-08-01").status == 404


def test_a_replicated_machine_is_updated_and_read_back_as_configured(terraform: Terraform) -> None:
    """The provider waits for vmProtectionState, names no IP configuration, and waits for the types of the disks."""
    for resource in (fabric(EAST, "eastasia"), fabric(WEST, "southeastasia")):
        terraform.create(resource)
    policy = {"providerSpecificInput": {"instanceType": "A2A", "multiVmSyncStatus": "Enable"}}
    terraform.write("PUT", POLICY, {"properties": policy})
    for box in (EAST_BOX, WEST_BOX):
        terraform.write("PUT", box, {"properties": {}})
    terraform.create(network_mapping(EAST, "Hub", WEST, "Hub-DR"))
    terraform.create(replicated_machine(terraform.machine))

    def details() -> Any:
        return terraform.get(ITEM, version=VERSION)["properties"]["providerSpecificDetails"]

    assert details()["vmProtectionState"] != "Protected"
    terraform.build.world.clock.sleep(120)
    assert details()["vmProtectionState"] == "Protected"
    (nic,) = details()["vmNics"]
    address = {
        "recoverySubnetName": "web",
        "recoveryStaticIPAddress": "10.0.1.9",
        "recoveryPublicIPAddressId": "",
        "tfoStaticIPAddress": "",
        "tfoPublicIPAddressId": "",
        "tfoSubnetName": "",
        "isPrimary": True,
    }
    disk = {
        "diskId": DISK,
        "recoveryReplicaDiskAccountType": "Premium_LRS",
        "recoveryTargetDiskAccountType": "Premium_LRS",
        "diskEncryptionInfo": {},
    }
    properties = {
        "recoveryAzureVMName": "Vm1",
        "selectedRecoveryAzureNetworkId": details()["selectedRecoveryAzureNetworkId"],
        "selectedTfoAzureNetworkId": "",
        "vmNics": [{"nicId": nic["nicId"], "ipConfigs": [address]}],
        "providerSpecificDetails": {"instanceType": "A2A", "managedDiskUpdateDetails": [disk]},
    }
    terraform.write("PATCH", ITEM, {"properties": properties})
    (nic,) = details()["vmNics"]
    (configuration,) = nic["ipConfigs"]
    (protected,) = details()["protectedManagedDisks"]
    assert [configuration[name] or "" for name in address] == list(address.values())
    assert (protected["recoveryReplicaDiskAccountType"], protected["recoveryTargetDiskAccountType"]) == (
        "Premium_LRS",
        "Premium_LRS",
    )
    assert details()["selectedTfoAzureNetworkId"] is None


def test_a_hyper_v_site_with_its_policy_is_created_found_unchanged_and_destroyed(terraform: Terraform) -> None:
    site = Resource(
        path=SITE, properties={"customDetails": {"instanceType": "HyperVSite"}}, read=lambda _: None, by_post=True
    )
    settings = {
        "instanceType": "HyperVReplicaAzure",
        "recoveryPointHistoryDuration": 2,
        "applicationConsistentSnapshotFrequencyInHours": 1,
        "replicationInterval": 300,
    }
    policy = Resource(
        path=HYPER_V_POLICY,
        properties={"providerSpecificInput": settings},
        read=lambda properties: [
            properties["providerSpecificDetails"][name]
            for name in (
                "instanceType",
                "recoveryPointHistoryDurationInHours",
                "applicationConsistentSnapshotFrequencyInHours",
                "replicationInterval",
            )
        ],
        expected=["HyperVReplicaAzure", 2, 1, 300],
        by_post=False,
    )
    for resource in (site, policy):
        terraform.create(resource)
    (container,) = terraform.get(f"{SITE}/replicationProtectionContainers", version=VERSION)["value"]
    association = Resource(
        path=f"{corrected(container['id'])}/replicationProtectionContainerMappings/Hyper-V",
        properties={
            "policyId": HYPER_V_POLICY,
            "targetProtectionContainerId": "Microsoft Azure",
            "providerSpecificInput": {"instanceType": ""},
        },
        read=lambda properties: corrected(properties["policyId"]),
        expected=HYPER_V_POLICY,
    )
    terraform.create(association)
    for resource in (association, policy, site):
        terraform.refresh(resource)
        terraform.destroy(resource)


def test_a_mapping_of_a_vmm_server_is_found_by_friendly_names_and_destroyed(terraform: Terraform) -> None:
    vault = terraform.build.vault("Vault-2", group="Rg-DR")
    server = terraform.build.vmm_fabric(vault, "vmm.example")
    terraform.build.vm_network(server, "Corp")
    (listed,) = terraform.get(f"{vault.id}/replicationFabrics", version=VERSION)["value"]
    assert listed["properties"]["friendlyName"] == "vmm.example"
    (network,) = terraform.get(f"{corrected(listed['id'])}/replicationNetworks", version=VERSION)["value"]
    assert network["properties"]["friendlyName"] == "Corp"
    target = f"{NETWORKS}/Hub-DR"
    mapping = Resource(
        path=f"{corrected(network['id'])}/replicationNetworkMappings/Map",
        properties={
            "recoveryNetworkId": target,
            "recoveryFabricName": "Microsoft Azure",
            "fabricSpecificDetails": {"instanceType": "VmmToAzure"},
        },
        read=lambda properties: [
            properties["recoveryNetworkId"].lower(),
            properties["primaryFabricFriendlyName"],
            properties["primaryNetworkFriendlyName"],
        ],
        expected=[target.lower(), "vmm.example", "Corp"],
        by_post=False,
    )
    terraform.create(mapping)
    terraform.refresh(mapping)
    terraform.destroy(mapping)

"""Wire documents read as models, and models written as documents."""

from __future__ import annotations

from typing import Any

import pytest

from asrnet.azure.machines import read_item
from asrnet.azure.members import Model, reference
from asrnet.azure.models import (
    network_body,
    read_cloud_mapping,
    read_fabric,
    read_job,
    read_network,
    read_vm_network,
)
from asrnet.model.arm import ArmId
from asrnet.model.azure import IpConfiguration, Subnet, VirtualNetwork

S = "11111111-1111-1111-1111-111111111111"
VAULT = f"/Subscriptions/{S}/resourceGroups/Rg-DR/providers/Microsoft.RecoveryServices/vaults/Vault-DR"
FABRIC_A = f"{VAULT}/replicationFabrics/Fabric-A"
FABRIC_B = f"{VAULT}/replicationFabrics/Fabric-B"
VNETS = f"/subscriptions/{S}/resourceGroups/Rg/providers/Microsoft.Network/virtualNetworks"


@pytest.mark.parametrize(
    ("details", "kind", "location"),
    [
        ({"instanceType": "Azure", "location": "East US 2"}, "azure", "eastus2"),
        ({"instanceType": "VMM"}, "vmm", None),
        ({"instanceType": "HyperVSite"}, "other", None),
        (None, "azure", None),
        ({"instanceType": None}, "azure", None),
    ],
)
def test_a_fabric_is_a_region_a_vmm_server_or_something_else(details: object, kind: str, location: str | None) -> None:
    row = {"id": FABRIC_A, "properties": {"friendlyName": "People's name", "customDetails": details}}
    fabric = read_fabric(row)
    assert (fabric.kind, fabric.location, fabric.friendly_name) == (kind, location, "People's name")


def test_a_running_job_has_no_end_and_a_failed_one_its_messages() -> None:
    row = {
        "id": f"{VAULT}/replicationJobs/7a",
        "properties": {
            "scenarioName": "NetworkPairing",
            "state": "Failed",
            "startTime": "2026-01-01T00:00:00.1234567Z",
            "targetObjectName": "hub",
            "errors": [
                {"serviceErrorDetails": {"code": "28020", "message": "Refused."}, "providerErrorDetails": None},
                {"serviceErrorDetails": None, "providerErrorDetails": {"errorCode": 1, "errorMessage": "Offline."}},
                {"serviceErrorDetails": None},
            ],
        },
    }
    job = read_job(row, ArmId(VAULT))
    assert (job.name, job.scenario, job.state, job.end_time) == ("7a", "NetworkPairing", "Failed", "")
    assert job.errors == ("Refused.", "Offline.")


def network_row(**properties: object) -> VirtualNetwork:
    document: dict[str, Any] = {
        "id": f"{VNETS}/Hub-EA",
        "location": "East Asia",
        "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}, **properties},
    }
    return read_network(document)


def subnet_row(name: str = "web", **properties: object) -> Subnet:
    (subnet,) = network_row(subnets=[{"name": name, "properties": properties}]).subnets
    return subnet


def test_a_network_has_a_short_location_all_prefixes_and_its_dns_servers() -> None:
    network = network_row(dhcpOptions={"dnsServers": ["10.0.0.4"]})
    assert (network.location, network.address_space, network.dns_servers) == (
        "eastasia",
        ("10.0.0.0/16",),
        ("10.0.0.4",),
    )
    assert (network.tags, network.subnets, network.attachments, network.gateway) == ({}, (), (), False)


def test_a_subnet_has_one_prefix_or_several() -> None:
    assert subnet_row(addressPrefix="10.0.1.0/24").prefixes == ("10.0.1.0/24",)
    several = subnet_row(addressPrefix="10.0.1.0/24", addressPrefixes=["10.0.1.0/24", "10.0.2.0/24"])
    assert several.prefixes == ("10.0.1.0/24", "10.0.2.0/24")


def test_a_subnet_counts_its_ip_configurations_as_used() -> None:
    assert subnet_row(ipConfigurations=[{"id": "/a"}, {"id": "/b"}]).used == 2
    assert subnet_row(ipConfigurations=None).used == 0


def test_properties_that_a_copy_leaves_behind_are_named_in_words() -> None:
    subnet = subnet_row(
        networkSecurityGroup={"id": "/x/networkSecurityGroups/nsg-web"},
        routeTable={"id": "/x/routeTables/rt"},
        natGateway={"id": "/x/natGateways/nat"},
        delegations=[{"name": "d", "properties": {"serviceName": "Microsoft.Sql/managedInstances"}}],
        ipamPoolPrefixAllocations=[{"pool": {"id": "/p"}}],
    )
    assert subnet.attachments == ("network security group nsg-web", "route table rt", "NAT gateway nat", "IPAM pool")
    assert subnet.delegation == "Microsoft.Sql/managedInstances"
    network = network_row(
        virtualNetworkPeerings=[{"name": "to-spoke", "properties": {}}],
        ddosProtectionPlan={"id": "/x/plan"},
        encryption={"enabled": True, "enforcement": "AllowUnencrypted"},
        addressSpace={"addressPrefixes": [], "ipamPoolPrefixAllocations": [{}]},
    )
    assert network.attachments == ("peering to-spoke", "DDoS protection plan", "encryption", "IPAM pool")


@pytest.mark.parametrize(
    ("name", "configurations", "gateway"),
    [("GatewaySubnet", [{"id": "/gw"}], True), ("GatewaySubnet", [], False), ("web", [{"id": "/nic"}], False)],
)
def test_a_gateway_exists_when_its_subnet_is_in_use(
    name: str,
    configurations: list[object],
    gateway: bool,
) -> None:
    subnet = {"name": name, "properties": {"ipConfigurations": configurations}}
    assert network_row(subnets=[subnet]).gateway is gateway


def test_the_body_of_a_copy_sets_what_api_versions_default_differently() -> None:
    network = VirtualNetwork(
        id=ArmId(f"{VNETS}/hub-asr"),
        location="southeastasia",
        address_space=("10.0.0.0/16", "10.9.0.0/16"),
        tags={"asrnet-copy-of": "x"},
        dns_servers=("10.0.0.4",),
        subnets=(
            Subnet(
                name="web",
                prefixes=("10.0.1.0/24", "10.9.1.0/24"),
                default_outbound_access=False,
                private_endpoint_network_policies="Enabled",
                private_link_service_network_policies="Disabled",
                service_endpoints=("Microsoft.Sql",),
            ),
            Subnet(name="db", prefixes=("10.0.2.0/24",)),
        ),
    )
    assert network_body(network) == {
        "location": "southeastasia",
        "tags": {"asrnet-copy-of": "x"},
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.0.0.0/16", "10.9.0.0/16"]},
            "dhcpOptions": {"dnsServers": ["10.0.0.4"]},
            "subnets": [
                {
                    "name": "web",
                    "properties": {
                        "addressPrefixes": ["10.0.1.0/24", "10.9.1.0/24"],
                        "defaultOutboundAccess": False,
                        "privateEndpointNetworkPolicies": "Enabled",
                        "privateLinkServiceNetworkPolicies": "Disabled",
                        "serviceEndpoints": [{"service": "Microsoft.Sql"}],
                    },
                },
                {"name": "db", "properties": {"addressPrefix": "10.0.2.0/24", "defaultOutboundAccess": True}},
            ],
        },
    }


def item(provider: dict[str, object], **properties: object) -> Model:
    path = "replicationProtectionContainers/c/replicationProtectedItems/vm1"
    return {
        "id": f"{FABRIC_A}/{path}",
        "properties": {"friendlyName": "vm1", "providerSpecificDetails": provider, **properties},
    }


def test_an_azure_machines_nic_names_its_networks_by_id() -> None:
    nic = {
        "nicId": f"/subscriptions/{S}/resourceGroups/rg/providers/Microsoft.Network/networkInterfaces/NIC0",
        "vMNetworkName": f"{VNETS}/Hub-EA",
        "recoveryVMNetworkId": f"{VNETS}/Hub-SEA",
        "tfoVMNetworkId": None,
        "ipConfigs": [
            {
                "name": "ipconfig1",
                "isPrimary": True,
                "subnetName": "web",
                "staticIPAddress": "10.0.1.4",
                "ipAddressType": "Dynamic",
                "isSeletedForFailover": False,
                "recoverySubnetName": "MySubnet",
                "recoveryStaticIPAddress": "",
                "recoveryIPAddressType": "Dynamic",
            }
        ],
    }
    found = read_item(
        item(
            {"instanceType": "A2A", "vmNics": [nic]},
            protectionState="Protected",
            activeLocation="Primary",
            testFailoverState="None",
            currentScenario={"scenarioName": "None", "jobId": "x"},
            recoveryFabricId=FABRIC_B,
        )
    )
    assert (found.state, found.active_location, found.provider, found.scenario) == ("Protected", "Primary", "A2A", "")
    assert found.recovery_fabric_id == ArmId(FABRIC_B)
    (seen,) = found.nics
    assert (seen.name, seen.primary_network_id, seen.recovery_network_id, seen.test_network_id) == (
        "NIC0",
        ArmId(f"{VNETS}/Hub-EA"),
        ArmId(f"{VNETS}/Hub-SEA"),
        None,
    )
    assert seen.ip_configurations == (
        IpConfiguration(
            name="ipconfig1",
            primary=True,
            subnet="web",
            ip="10.0.1.4",
            ip_type="Dynamic",
            recovery_subnet="MySubnet",
            recovery_ip=None,
            selected_for_failover=False,
        ),
    )


@pytest.mark.parametrize(
    ("of_nic", "of_item", "network", "unclear"),
    [
        ("hub-sea", None, None, "hub-sea"),
        (None, "hub-sea", None, "hub-sea"),
        ("hub-sea", f"{VNETS}/hub", None, "hub-sea"),
        (f"{VNETS}/hub", "hub-sea", f"{VNETS}/hub", ""),
        (None, f"{VNETS}/hub", None, ""),
        ("", None, None, ""),
    ],
)
def test_an_invalid_recovery_network_id_is_not_read_as_none(
    of_nic: str | None, of_item: str | None, network: str | None, unclear: str
) -> None:
    nic = {"nicId": "n", "vMNetworkName": f"{VNETS}/ea", "recoveryVMNetworkId": of_nic}
    machine = read_item(item({"instanceType": "A2A", "selectedRecoveryAzureNetworkId": of_item, "vmNics": [nic]}))
    assert machine.nics[0].unclear_recovery_network == unclear
    assert machine.nics[0].recovery_network_id == (network and ArmId(network))


def test_the_network_of_an_on_premises_machine_is_a_name_and_no_id() -> None:
    found = read_item(
        item(
            {"instanceType": "HyperVReplicaAzure", "vmNics": [{"nicId": "a", "vMNetworkName": "corp"}]},
            recoveryFabricId="Microsoft Azure",
            currentScenario={"scenarioName": "UnplannedFailover"},
        )
    )
    assert (found.provider, found.scenario, found.recovery_fabric_id) == (
        "HyperVReplicaAzure",
        "UnplannedFailover",
        None,
    )
    nic = found.nics[0]
    assert (nic.name, nic.primary_network_id, nic.primary_network) == ("a", None, "corp")


def test_a_re_protected_machine_is_recognised_by_where_it_was_first_protected() -> None:
    """Recorded: the item belongs to the recovery region's fabric, and activeLocation is Primary again."""
    details: dict[str, object] = {
        "instanceType": "A2A",
        "initialPrimaryFabricLocation": "East US",
        "primaryFabricLocation": "eastus2",
        "recoveryFabricLocation": "eastus",
        "initialPrimaryZone": "",
        "primaryAvailabilityZone": "",
        "selectedRecoveryAzureNetworkId": f"{VNETS}/Hub-EA",
        "selectedTfoAzureNetworkId": None,
        "vmNics": [{"nicId": "a", "vMNetworkName": f"{VNETS}/Hub-SEA", "selectionType": "NotSelected"}],
    }
    machine = read_item(item(details, activeLocation="Primary", protectionState="Protected"))
    assert (machine.primary_location, machine.recovery_location, machine.initial_location) == (
        "eastus2",
        "eastus",
        "eastus",
    )
    assert (machine.primary_zone, machine.initial_zone) == (None, None)
    assert machine.is_reversed
    assert not machine.has_failed_over
    assert (machine.recovery_network_id, machine.test_network_id) == (ArmId(f"{VNETS}/Hub-EA"), None)
    assert machine.nics[0].selection == "NotSelected"


def test_between_zones_the_zone_shows_that_a_machine_is_reversed() -> None:
    details = {"instanceType": "A2A", "initialPrimaryZone": "1", "primaryAvailabilityZone": "2"}
    same = {"initialPrimaryFabricLocation": "eastus", "primaryFabricLocation": "eastus"}
    assert read_item(item({**details, **same})).is_reversed


def test_the_settings_of_test_failovers_and_attachments_of_a_nic_are_read() -> None:
    beside = f"/subscriptions/{S}/resourceGroups/rg/providers/Microsoft.Network"
    address = {
        "tfoSubnetName": "bubble",
        "tfoStaticIPAddress": "10.9.0.4",
        "recoveryPublicIPAddressId": f"{beside}/publicIPAddresses/front",
        "recoveryLBBackendAddressPoolIds": [f"{beside}/loadBalancers/lb/backendAddressPools/web"],
    }
    nic = {
        "tfoVMNetworkId": f"{VNETS}/Test",
        "recoveryNetworkSecurityGroupId": f"{beside}/networkSecurityGroups/nsg",
        "ipConfigs": [address],
    }
    (read_nic,) = read_item(item({"instanceType": "A2A", "vmNics": [nic]})).nics
    assert read_nic.test_network_id == ArmId(f"{VNETS}/Test")
    assert read_nic.recovery_network_security_group == ArmId(f"{beside}/networkSecurityGroups/nsg")
    (ip,) = read_nic.ip_configurations
    assert (ip.test_subnet, ip.test_ip) == ("bubble", "10.9.0.4")
    assert ip.recovery_public_ip == ArmId(f"{beside}/publicIPAddresses/front")
    assert ip.recovery_load_balancer_pools == (ArmId(f"{beside}/loadBalancers/lb/backendAddressPools/web"),)


def test_the_newest_vmware_provider_has_an_address_for_each_nic_and_strings_for_booleans() -> None:
    nics = [
        {
            "nicId": "4000",
            "isPrimaryNic": "true",
            "isSelectedForFailover": "true",
            "sourceNetworkId": "VM Network",
            "sourceIPAddress": "192.168.1.4",
            "sourceIPAddressType": "Static",
            "targetSubnetName": "web",
            "targetIPAddress": "10.1.1.4",
            "testSubnetName": "bubble",
            "testIPAddress": "",
        },
        {"nicId": "4001", "isPrimaryNic": "false", "isSelectedForFailover": "false", "sourceNetworkId": "DMZ"},
    ]
    networks = {"targetNetworkId": f"{VNETS}/Hub-SEA", "testNetworkId": f"{VNETS}/Test"}
    machine = read_item(item({"instanceType": "InMageRcm", **networks, "vmNics": nics}))
    assert (machine.recovery_network_id, machine.test_network_id) == (
        ArmId(f"{VNETS}/Hub-SEA"),
        ArmId(f"{VNETS}/Test"),
    )
    first, second = machine.nics
    assert (first.name, first.primary_network, second.primary_network) == ("4000", "VM Network", "DMZ")
    assert first.ip_configurations == (
        IpConfiguration(
            ip="192.168.1.4",
            ip_type="Static",
            recovery_subnet="web",
            recovery_ip="10.1.1.4",
            test_subnet="bubble",
        ),
    )
    assert second.ip_configurations[0].selected_for_failover is False


@pytest.mark.parametrize("provider", [{}, {"instanceType": "InMageRcm", "vmNics": None}])
def test_a_machine_without_nics_is_a_machine(provider: dict[str, object]) -> None:
    assert read_item(item(provider)).nics == ()


def test_a_vm_network_has_its_friendly_name_and_subnets() -> None:
    row = {
        "id": f"{FABRIC_A}/replicationNetworks/68a19c46",
        "properties": {
            "friendlyName": "corp",
            "subnets": [{"name": "s1", "friendlyName": "Servers", "addressList": ["10.1.0.0/24"]}],
        },
    }
    network = read_vm_network(row)
    assert (network.friendly_name, network.subnets) == ("corp", (Subnet(name="Servers", prefixes=("10.1.0.0/24",)),))


@pytest.mark.parametrize(
    ("target", "expected"), [("Microsoft Azure", None), (f"{FABRIC_B}/replicationProtectionContainers/c2", "c2")]
)
def test_a_cloud_is_protected_by_another_or_by_azure(target: str, expected: str | None) -> None:
    row = {
        "id": f"{FABRIC_A}/replicationProtectionContainers/c1/replicationProtectionContainerMappings/m",
        "properties": {
            "targetProtectionContainerId": target,
            "targetProtectionContainerFriendlyName": "Gold",
            "providerSpecificDetails": {"instanceType": "VmmToVmm"},
        },
    }
    found = read_cloud_mapping(row)
    assert found is not None
    assert (found.primary_cloud_id.name, found.recovery_cloud_name) == ("c1", "Gold")
    assert (found.recovery_cloud_id.name if found.recovery_cloud_id else None) == expected


def test_containers_of_azure_regions_are_not_clouds() -> None:
    row = {
        "id": f"{FABRIC_A}/replicationProtectionContainers/c1/replicationProtectionContainerMappings/m",
        "properties": {"providerSpecificDetails": {"instanceType": "A2A"}},
    }
    assert read_cloud_mapping(row) is None


@pytest.mark.parametrize("text", [None, "", "Microsoft Azure", "/not/an/id"])
def test_text_that_is_not_an_id_is_none(text: str | None) -> None:
    assert reference({"id": text}, "id") is None

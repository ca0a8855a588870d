"""Protected items as Site Recovery's models have them, for every provider whose machines land on Azure networks.

Azure to Azure, Hyper-V and the older VMware providers share one shape of NIC; the newest for VMware (``InMageRcm``) has
another, with one address for each NIC.
"""

from __future__ import annotations

from typing import Final

from msgspec import structs

from asrnet.azure.members import Model, flag, part, parts, reference, references, text
from asrnet.model.arm import ArmId, normal_location
from asrnet.model.azure import IpConfiguration, Nic, ProtectedItem

_NOTHING_RUNS: Final = "None"
_INMAGE_RCM: Final = "InMageRcm"
_AZURE_TO_AZURE: Final = "A2A"


def read_item(model: Model) -> ProtectedItem:
    """A protected item as asrnet knows it."""
    properties = part(model, "properties")
    details = part(properties, "providerSpecificDetails")
    item_id = ArmId(text(model, "id"))
    scenario = text(part(properties, "currentScenario"), "scenarioName")
    provider = text(details, "instanceType")
    read_nic = _read_rcm_nic if provider == _INMAGE_RCM else _read_nic
    nics = [read_nic(nic, index) for index, nic in enumerate(parts(details, "vmNics"))]
    if provider == _AZURE_TO_AZURE:
        # A setting that is not an id is kept apart from no setting, for which the mapping would decide.
        of_item = _no_id(details, "selectedRecoveryAzureNetworkId")
        for index, nic in enumerate(parts(details, "vmNics")):
            unclear = _no_id(nic, "recoveryVMNetworkId") or ("" if nics[index].recovery_network_id else of_item)
            nics[index] = structs.replace(nics[index], unclear_recovery_network=unclear)
    return ProtectedItem(
        id=item_id,
        friendly_name=text(properties, "friendlyName") or item_id.name,
        state=text(properties, "protectionState"),
        active_location=text(properties, "activeLocation"),
        test_failover_state=text(properties, "testFailoverState"),
        provider=provider,
        scenario="" if scenario == _NOTHING_RUNS else scenario,
        recovery_fabric_id=reference(properties, "recoveryFabricId") or reference(details, "recoveryFabricObjectId"),
        recovery_network_id=reference(details, "selectedRecoveryAzureNetworkId")
        or reference(details, "targetNetworkId"),
        test_network_id=reference(details, "selectedTfoAzureNetworkId") or reference(details, "testNetworkId"),
        primary_location=_location(details, "primaryFabricLocation"),
        recovery_location=_location(details, "recoveryFabricLocation"),
        initial_location=_location(details, "initialPrimaryFabricLocation"),
        primary_zone=text(details, "primaryAvailabilityZone") or None,
        initial_zone=text(details, "initialPrimaryZone") or None,
        nics=tuple(nics),
    )


def _read_nic(model: Model, index: int) -> Nic:
    network_id, network_name = _network(model, "vMNetworkName")
    return Nic(
        name=_last_segment(text(model, "sourceNicArmId") or text(model, "nicId")) or f"nic{index}",
        source_id=reference(model, "sourceNicArmId") or reference(model, "nicId"),
        primary_network_id=network_id,
        primary_network=network_name,
        recovery_network_id=reference(model, "recoveryVMNetworkId"),
        test_network_id=reference(model, "tfoVMNetworkId"),
        recovery_network_security_group=reference(model, "recoveryNetworkSecurityGroupId"),
        selection=text(model, "selectionType"),
        ip_configurations=tuple(_read_ip(ip, number) for number, ip in enumerate(parts(model, "ipConfigs"))),
    )


def _read_ip(model: Model, index: int) -> IpConfiguration:
    primary = flag(model, "isPrimary")
    return IpConfiguration(
        name=text(model, "name") or f"ipconfig{index + 1}",
        primary=index == 0 if primary is None else primary,
        subnet=text(model, "subnetName") or None,
        ip=text(model, "staticIPAddress") or None,
        ip_type=text(model, "ipAddressType") or None,
        recovery_subnet=text(model, "recoverySubnetName") or None,
        recovery_ip=text(model, "recoveryStaticIPAddress") or None,
        recovery_public_ip=reference(model, "recoveryPublicIPAddressId"),
        recovery_load_balancer_pools=references(model, "recoveryLBBackendAddressPoolIds"),
        test_subnet=text(model, "tfoSubnetName") or None,
        test_ip=text(model, "tfoStaticIPAddress") or None,
        selected_for_failover=flag(model, "isSeletedForFailover") is not False,  # the service's own spelling
    )


def _read_rcm_nic(model: Model, index: int) -> Nic:
    network_id, network_name = _network(model, "sourceNetworkId")
    address = IpConfiguration(
        subnet=text(model, "sourceSubnetName") or None,
        ip=text(model, "sourceIPAddress") or None,
        ip_type=text(model, "sourceIPAddressType") or None,
        recovery_subnet=text(model, "targetSubnetName") or None,
        recovery_ip=text(model, "targetIPAddress") or None,
        test_subnet=text(model, "testSubnetName") or None,
        test_ip=text(model, "testIPAddress") or None,
        selected_for_failover=flag(model, "isSelectedForFailover") is not False,
    )
    return Nic(
        name=_last_segment(text(model, "nicId")) or f"nic{index}",
        primary_network_id=network_id,
        primary_network=network_name,
        ip_configurations=(address,),
    )


def _network(model: Model, name: str) -> tuple[ArmId | None, str]:
    """The primary network: an Azure machine has its id, an on-premises one its friendly name."""
    network_id = reference(model, name)
    return network_id, "" if network_id else text(model, name)


def _no_id(model: Model, name: str) -> str:
    """What stands where the id of a network is expected and is none; empty where it is one, or nothing is set."""
    return "" if reference(model, name) else text(model, name)


def _location(details: Model, name: str) -> str | None:
    location = text(details, name)
    return normal_location(location) if location else None


def _last_segment(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]

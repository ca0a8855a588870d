"""Site Recovery's resources as it writes them: key order, nulls and casing as recorded.

Ids begin with ``/Subscriptions/``. The order of id, name and type differs between the types, as it does in the service.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import NAMESPACE_URL, uuid5

from msgspec import Struct

from asrnet.fake.regions import region_name
from asrnet.model.arm import ArmId
from asrnet.model.azure import MICROSOFT_AZURE, Fabric, LogicalNetwork, NetworkMapping, VmNetwork

FABRIC_TYPE: Final = "Microsoft.RecoveryServices/vaults/replicationFabrics"
NETWORK_TYPE: Final = f"{FABRIC_TYPE}/replicationNetworks"
MAPPING_TYPE: Final = f"{NETWORK_TYPE}/replicationNetworkMappings"
LOGICAL_NETWORK_TYPE: Final = f"{FABRIC_TYPE}/replicationLogicalNetworks"
CONTAINER_TYPE: Final = f"{FABRIC_TYPE}/replicationProtectionContainers"
CONTAINER_MAPPING_TYPE: Final = f"{CONTAINER_TYPE}/replicationProtectionContainerMappings"

AZURE_PSEUDO_FABRIC: Final = "d49858f157601230a6ac5862fbbc6e63bf38d23ecd96cf953767945d457fe9d5"
"""The fabric that stands for Azure as the recovery side of on-premises networks; it is in no list of fabrics."""

KIND_WORDS: Final = {"azure_to_azure": "AzureToAzure", "vmm_to_azure": "VmmToAzure", "vmm_to_vmm": "VmmToVmm"}

Document = dict[str, object]


class Names(Struct, frozen=True, kw_only=True):
    """What a mapping's document says in words and its model does not: how people call its networks and fabrics."""

    primary_network: str
    primary_fabric: str
    recovery_network: str
    recovery_fabric: str


def wire_id(identifier: ArmId) -> str:
    """An id as Site Recovery spells it, with a capital S."""
    return f"/Subscriptions{str(identifier)[len('/subscriptions') :]}"


def stable_guid(*words: str) -> str:
    """A GUID that is always the same for the same words."""
    return str(uuid5(NAMESPACE_URL, "/".join(words).lower()))


def fabric_json(fabric: Fabric, container_ids: Sequence[str] | None = None) -> Document:
    """A fabric: a region of Azure or a VMM server. Without ``container_ids``, as lists show it."""
    return {
        "name": fabric.name,
        "type": FABRIC_TYPE,
        "id": wire_id(fabric.id),
        "properties": {
            "friendlyName": fabric_friendly_name(fabric),
            "encryptionDetails": _encryption(fabric),
            "rolloverEncryptionDetails": _encryption(fabric),
            "internalIdentifier": stable_guid(str(fabric.id)),
            "bcdrState": "Valid",
            "customDetails": _fabric_details(fabric, container_ids),
            "healthErrorDetails": [],
            "health": "Normal",
        },
    }


def fabric_friendly_name(fabric: Fabric) -> str:
    """A region's display name, or the server's name."""
    if fabric.kind == "azure" and fabric.location:
        return region_name(fabric.location)
    return fabric.friendly_name or fabric.name


def _encryption(fabric: Fabric) -> Document:
    if fabric.kind != "vmm":
        return {"kekState": "None", "kekCertThumbprint": None}
    thumbprint = stable_guid(str(fabric.id), "certificate").replace("-", "").upper()
    return {"kekState": "Enabled", "kekCertThumbprint": thumbprint, "kekCertExpiryDate": "2035-01-01T00:00:00Z"}


def _fabric_details(fabric: Fabric, container_ids: Sequence[str] | None) -> Document:
    if fabric.kind != "azure":
        return {"instanceType": "VMM" if fabric.kind == "vmm" else "HyperVSite"}
    details: Document = {"instanceType": "Azure", "location": fabric.location}
    if container_ids is None:
        return {**details, "containerIds": None}
    return {**details, "containerIds": list(container_ids), "zones": []}


def mapping_json(mapping: NetworkMapping, names: Names) -> Document:
    """A network mapping. Azure to Azure: virtual networks come back in lower case, whatever they were."""
    return {
        "type": MAPPING_TYPE,
        "id": wire_id(mapping.id),
        "name": mapping.name,
        "properties": {
            "state": mapping.state,
            "primaryNetworkFriendlyName": names.primary_network,
            "primaryNetworkId": _network_id(mapping, mapping.primary_network_id),
            "primaryFabricFriendlyName": names.primary_fabric,
            "recoveryNetworkFriendlyName": names.recovery_network,
            "recoveryNetworkId": _network_id(mapping, mapping.recovery_network_id),
            "recoveryFabricArmId": wire_id(recovery_fabric_id(mapping)),
            "recoveryFabricFriendlyName": names.recovery_fabric,
            "fabricSpecificSettings": _mapping_settings(mapping),
        },
    }


def recovery_fabric_id(mapping: NetworkMapping) -> ArmId:
    """The recovery fabric; for on-premises to Azure the constant one that no list shows."""
    if mapping.recovery_fabric_id is None or mapping.recovery_fabric_id.name == MICROSOFT_AZURE:
        return mapping.vault_id.child("replicationFabrics", AZURE_PSEUDO_FABRIC)
    return mapping.recovery_fabric_id


def _network_id(mapping: NetworkMapping, network: ArmId) -> str:
    if mapping.kind == "azure_to_azure":
        return f"/{network.key}"
    return str(network) if network.type == "microsoft.network/virtualnetworks" else wire_id(network)


def _mapping_settings(mapping: NetworkMapping) -> Document:
    settings: Document = {"instanceType": KIND_WORDS[mapping.kind]}
    if mapping.kind == "azure_to_azure":
        settings["primaryFabricLocation"] = mapping.primary_location
        settings["recoveryFabricLocation"] = mapping.recovery_location
    return settings


def network_json(network: VmNetwork) -> Document:
    """A VM network of a VMM server."""
    subnets = [
        {"name": subnet.name, "friendlyName": subnet.name, "addressList": list(subnet.prefixes)}
        for subnet in network.subnets
    ]
    return {
        "type": NETWORK_TYPE,
        "id": wire_id(network.id),
        "name": network.id.name,
        "properties": {
            "fabricType": "VMM",
            "subnets": subnets,
            "friendlyName": network.friendly_name,
            "networkType": "NoIsolation",
        },
    }


def logical_network_json(network: LogicalNetwork) -> Document:
    """A logical network of a VMM server."""
    return {
        "type": LOGICAL_NETWORK_TYPE,
        "id": wire_id(network.id),
        "name": network.id.name,
        "properties": {
            "friendlyName": network.friendly_name,
            "networkVirtualizationStatus": "NetworkVirtualizationNotEnabled",
            "logicalNetworkUsage": "NotUsedAsPrivateNetworkForTestFailover",
            "logicalNetworkDefinitionsStatus": "LogicalNetworkDefinitionsNotIsolated",
        },
    }

"""JSON bodies: the body that writes a mapping, and the lookup of a member in any body."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from asrnet.model.azure import MICROSOFT_AZURE, MappingKind, NetworkMapping

API_VERSION: Final = "2025-08-01"
"""The version of Site Recovery's API that asrnet uses, also in the commands shown to people."""

INSTANCE_TYPES: Final[Mapping[MappingKind, str]] = {
    "azure_to_azure": "AzureToAzure",
    "vmm_to_azure": "VmmToAzure",
    "vmm_to_vmm": "VmmToVmm",
}
"""What Site Recovery calls the kinds of mappings."""


def member(document: Mapping[str, Any], name: str) -> Any:
    """The member ``name`` of ``document`` in any case, as Azure's services read bodies; None if it is absent."""
    if name in document:
        return document[name]
    return next((value for key, value in document.items() if key.lower() == name.lower()), None)


def mapping_body(mapping: NetworkMapping) -> dict[str, Any]:
    """The body that creates or updates a mapping.

    The specification calls ``recoveryFabricName`` optional, but Azure to Azure fails without it (reported:
    UnhandledException, "ArmResourceName is null").
    """
    details = {"instanceType": INSTANCE_TYPES[mapping.kind]}
    if mapping.kind == "azure_to_azure":
        details["primaryNetworkId"] = str(mapping.primary_network_id)
    properties: dict[str, Any] = {"recoveryNetworkId": str(mapping.recovery_network_id)}
    if mapping.kind == "vmm_to_azure":
        # PowerShell and Terraform send this name. A recorded request without it was accepted as well.
        properties["recoveryFabricName"] = MICROSOFT_AZURE
    elif mapping.recovery_fabric_id is not None:
        properties["recoveryFabricName"] = mapping.recovery_fabric_id.name
    return {"properties": {**properties, "fabricSpecificDetails": details}}

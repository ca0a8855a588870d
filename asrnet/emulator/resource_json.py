"""Subscriptions, regions, providers and resource groups as Resource Manager writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from asrnet.emulator.site_recovery_json import Document
from asrnet.fake.records import ResourceGroup, Subscription
from asrnet.model.arm import ArmId, normal_location

_TYPES: Final = {
    "Microsoft.Compute": ("virtualMachines",),
    "Microsoft.Network": ("virtualNetworks", "virtualNetworks/subnets", "locations", "locations/operations"),
    "Microsoft.RecoveryServices": ("vaults", "vaults/replicationFabrics", "operations"),
    "Microsoft.ResourceGraph": ("resources",),
    "Microsoft.Resources": ("resourceGroups", "subscriptions", "tenants"),
    "Microsoft.Storage": ("storageAccounts",),
}
_VERSIONS: Final = ("2026-03-01", "2025-08-01", "2025-01-01", "2024-05-01", "2024-04-01", "2023-06-01", "2022-08-01")


def subscription_json(subscription: Subscription) -> Document:
    """A subscription."""
    return {
        "id": f"/subscriptions/{subscription.id}",
        "authorizationSource": "RoleBased",
        "managedByTenants": [],
        "subscriptionId": subscription.id,
        "tenantId": subscription.tenant,
        "displayName": subscription.name,
        "state": "Enabled",
        "subscriptionPolicies": {
            "locationPlacementId": "Public_2014-09-01",
            "quotaId": "PayAsYouGo_2014-09-01",
            "spendingLimit": "Off",
        },
    }


def location_json(subscription: str, name: str) -> Document:
    """A region of Azure by the name that people read."""
    short = normal_location(name)
    return {
        "id": f"/subscriptions/{subscription}/locations/{short}",
        "name": short,
        "type": "Region",
        "displayName": name,
        "regionalDisplayName": name,
        "metadata": {"regionType": "Physical", "regionCategory": "Recommended"},
    }


def provider_json(subscription: str, namespace: str, *, registered: bool) -> Document:
    """A resource provider with the types that the emulator has."""
    types = [
        {"resourceType": kind, "locations": [], "apiVersions": list(_VERSIONS), "capabilities": "None"}
        for kind in _TYPES[namespace]
    ]
    return {
        "id": f"/subscriptions/{subscription}/providers/{namespace}",
        "namespace": namespace,
        "resourceTypes": types,
        "registrationState": "Registered" if registered else "NotRegistered",
        "registrationPolicy": "RegistrationRequired",
    }


def group_json(group: ResourceGroup) -> Document:
    """A resource group."""
    document: Document = {
        "id": str(group.id),
        "name": group.id.name,
        "type": "Microsoft.Resources/resourceGroups",
        "location": group.location,
    }
    if group.tags:
        document["tags"] = dict(group.tags)
    return document | {"properties": {"provisioningState": "Succeeded"}}


def listed_json(resource_id: ArmId, kind: str, location: str, tags: Mapping[str, str]) -> Document:
    """A resource of any type as lists of resources show it."""
    document: Document = {"id": str(resource_id), "name": resource_id.name, "type": kind, "location": location}
    return document | ({"tags": dict(tags)} if tags else {})

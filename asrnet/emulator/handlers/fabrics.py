"""Fabrics, and the networks and logical networks below them."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from asrnet.emulator.bodies import an_object, text
from asrnet.emulator.calls import Call
from asrnet.emulator.handlers.operations import add_results
from asrnet.emulator.messages import Document, Response, json_response
from asrnet.emulator.routing import FABRIC, NETWORK, VAULT, Routes
from asrnet.emulator.spelling import FABRIC_TYPE, fabric_friendly_name, wire_id
from asrnet.fake import refusals
from asrnet.fake.operations import stable_guid
from asrnet.fake.records import Site, SiteKind
from asrnet.fake.world import World
from asrnet.model.azure import Fabric, LogicalNetwork, VmNetwork
from asrnet.model.bodies import member

routes: Final = Routes()

_FABRICS: Final = f"{VAULT}/replicationFabrics"
_LOGICAL: Final = f"{FABRIC}/replicationLogicalNetworks"


_VMWARE: Final[Document] = {"vmwareSiteId": None, "physicalSiteId": None}
_RCM: Final[Document] = _VMWARE | {
    "serviceEndpoint": None,
    "serviceResourceId": None,
    "serviceContainerId": None,
    "dataPlaneUri": None,
    "controlPlaneUri": None,
    "sourceAgentIdentityDetails": None,
    "processServers": [],
    "rcmProxies": [],
    "pushInstallers": [],
    "replicationAgents": [],
    "reprotectAgents": [],
    "marsAgents": [],
    "dras": [],
    "agentDetails": [],
}
# Specified: the members of each kind of site besides its instance type. Worlds do not model an appliance's components.
_SITES: Final[Mapping[SiteKind, Document]] = {
    "HyperVSite": {"hyperVHosts": []},
    "InMageRcm": _RCM,
    "VMware": {},
    "VMwareV2": _VMWARE | {"migrationSolutionId": None, "serviceEndpoint": None, "processServers": []},
}


def fabric_json(world: World, fabric: Fabric, container_ids: Sequence[str] | None = None) -> Document:
    """A fabric: an Azure region, a VMM server or a site. Without ``container_ids``, it is written as in a list."""
    rollover: Document = {"kekState": "None", "kekCertThumbprint": None}
    encryption = rollover
    if fabric.kind == "vmm":
        # Recorded: a VMM server has an encryption key, identified by a SHA-1 thumbprint, and no key to roll over to.
        thumbprint = hashlib.sha1(str(fabric.id).encode(), usedforsecurity=False).hexdigest().upper()
        encryption = {
            "kekState": "Enabled",
            "kekCertThumbprint": thumbprint,
            "kekCertExpiryDate": "2035-01-01T00:00:00Z",
        }
    details: Document = {"instanceType": "VMM"}
    site = world.state.site_kind(fabric)
    if site is not None:
        given = world.extras.get(fabric.id.key, {})
        members = _SITES[site]
        details = {"instanceType": site, **members, **{name: given[name] for name in members if name in given}}
    elif fabric.kind == "azure":
        # Recorded: lists leave out the zones and have null for the containers.
        details = {"instanceType": "Azure", "location": fabric.location, "containerIds": None}
        if container_ids is not None:
            details |= {"containerIds": list(container_ids), "zones": []}
    return {
        "name": fabric.name,
        "type": FABRIC_TYPE,
        "id": wire_id(fabric.id),
        "properties": {
            "friendlyName": fabric_friendly_name(fabric),
            "encryptionDetails": encryption,
            "rolloverEncryptionDetails": rollover,
            "internalIdentifier": stable_guid(str(fabric.id)),
            "bcdrState": "Valid",
            "customDetails": details,
            "healthErrorDetails": [],
            "health": "Normal",
        },
    }


def network_json(network: VmNetwork) -> Document:
    """A VM network of a VMM server."""
    subnets = [
        {"name": subnet.name, "friendlyName": subnet.name, "addressList": list(subnet.prefixes)}
        for subnet in network.subnets
    ]
    return {
        "type": f"{FABRIC_TYPE}/replicationNetworks",
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
        "type": f"{FABRIC_TYPE}/replicationLogicalNetworks",
        "id": wire_id(network.id),
        "name": network.id.name,
        "properties": {
            "friendlyName": network.friendly_name,
            "networkVirtualizationStatus": "NetworkVirtualizationNotEnabled",
            "logicalNetworkUsage": "NotUsedAsPrivateNetworkForTestFailover",
            "logicalNetworkDefinitionsStatus": "LogicalNetworkDefinitionsNotIsolated",
        },
    }


@routes.get(_FABRICS, "ReplicationFabrics_List", "recorded", "newest first, as in the only recorded list of two")
def list_fabrics(call: Call) -> Response:
    """All fabrics of a vault. Only a read of a single fabric shows its containers and zones."""
    return call.page(call.world.fabrics.list(call.id("vault")), lambda fabric: fabric_json(call.world, fabric))


@routes.get(FABRIC, "ReplicationFabrics_Get", "recorded")
def get_fabric(call: Call) -> Response:
    """One fabric. A filter is accepted and has no effect."""
    fabric = call.world.fabrics.get(call.id("fabric"))
    containers = call.world.state.clouds.values(fabric.id.key) if fabric.kind == "azure" else []
    # Recorded: these ids have a GUID in place of the container's name.
    container_ids = [
        wire_id(fabric.id.child("replicationProtectionContainers", stable_guid(str(record.cloud.id))))
        for record in containers
    ]
    return json_response(fabric_json(call.world, fabric, container_ids))


_NO_DETAILS: Final = frozenset({None, "FabricSpecificCreationInput"})
"""Specified: a fabric without provider details is a Hyper-V site. PowerShell sends the name of the base type."""


@routes.put(
    FABRIC,
    "ReplicationFabrics_Create",
    "recorded",
    "recorded for regions, specified for sites; Terraform names the type HyperVSite",
)
def put_fabric(call: Call) -> Response:
    """Create the fabric of an Azure region or of a site. VMM servers register themselves."""
    fabric_id = call.id("fabric")
    details = an_object(an_object(call.request.document(), "properties"), "customDetails")
    location = text(details, "location")
    instance_type = text(details, "instanceType")
    if instance_type in _NO_DETAILS and member(details, "location") is None:
        instance_type = "HyperVSite"
    kind = next((kind for kind in _SITES if kind == instance_type), None)
    if kind is not None:
        started = call.world.fabrics.put_site(Site(fabric_id=fabric_id, kind=kind))
        names = ("vmwareSiteId", "physicalSiteId", "migrationSolutionId")
        call.world.extras[fabric_id.key] = {name: value for name in names if (value := text(details, name)) is not None}
        return call.accepted(started, fabric_id)
    if instance_type not in {"Azure", None} or location is None:
        message = "'customDetails' must contain the location of an Azure region or the instance type of a site."
        raise refusals.invalid(message, fabric_id)
    return call.accepted(call.world.fabrics.put(fabric_id, location), fabric_id)


@routes.post(f"{FABRIC}/remove", "ReplicationFabrics_Delete", "recorded")
def remove_fabric(call: Call) -> Response:
    """Remove a fabric."""
    return call.accepted(call.world.fabrics.remove(call.id("fabric")), call.id("fabric"))


@routes.delete(FABRIC, "ReplicationFabrics_Purge", "recorded")
def purge_fabric(call: Call) -> Response:
    """Remove a fabric with everything in it."""
    return call.accepted(call.world.fabrics.purge(call.id("fabric")), call.id("fabric"))


add_results(routes, FABRIC, get_fabric)


@routes.get(
    f"{FABRIC}/replicationNetworks",
    "ReplicationNetworks_ListByReplicationFabrics",
    "recorded",
    "it is assumed that an Azure fabric has an empty list",
)
def list_networks(call: Call) -> Response:
    """The VM networks of a fabric."""
    return call.page(call.world.networks.list(call.id("fabric")), lambda record: network_json(record.network))


@routes.get(f"{VAULT}/replicationNetworks", "ReplicationNetworks_List", "recorded")
def list_vault_networks(call: Call) -> Response:
    """The VM networks of all fabrics."""
    return call.page(call.world.networks.list_vault(call.id("vault")), lambda record: network_json(record.network))


@routes.get(NETWORK, "ReplicationNetworks_Get", "specified")
def get_network(call: Call) -> Response:
    """One VM network."""
    return json_response(network_json(call.world.networks.get(call.id("network")).network))


@routes.get(_LOGICAL, "ReplicationLogicalNetworks_ListByReplicationFabrics", "specified")
def list_logical_networks(call: Call) -> Response:
    """The logical networks of a fabric."""
    return call.page(call.world.logical_networks.list(call.id("fabric")), logical_network_json)


@routes.get(f"{_LOGICAL}/{{network}}", "ReplicationLogicalNetworks_Get", "specified")
def get_logical_network(call: Call) -> Response:
    """One logical network."""
    return json_response(logical_network_json(call.world.logical_networks.get(call.id("network"))))

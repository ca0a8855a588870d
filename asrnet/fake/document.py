"""The world file, as written: its keys, their types, and what they mean (the schema's words).

``load`` and ``save`` turn a file into a World and back. A world that was loaded and saved means the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from asrnet.fake.behaviour import Behaviour
from asrnet.fake.world import World
from asrnet.files.yaml import Document
from asrnet.model.arm import ArmId
from asrnet.ports import Clock

Name = Annotated[str, Meta(min_length=1, max_length=260)]
NetworkId = Annotated[ArmId, Meta(description="The resource id of a virtual network, or of a VM network in a fabric")]


class SubscriptionEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A subscription. Those that ids name exist without an entry."""

    id: Annotated[str, Meta(description="The subscription's GUID")]
    name: str | None = None
    tenant: Annotated[str | None, Meta(description="The tenant, where it is not that of the world")] = None


class GroupEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A resource group. Those that ids name exist without an entry."""

    id: ArmId
    location: str = "eastus"
    tags: Mapping[str, str] = {}


class SubnetEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A subnet of a virtual network."""

    name: Name
    prefixes: tuple[str, ...] = ()
    used: Annotated[
        int | None, Meta(description="How many addresses are in use; by default the length of used_ips")
    ] = None
    used_ips: Annotated[tuple[str, ...], Meta(description="Addresses in use")] = ()
    delegation: Annotated[str | None, Meta(description="The service the subnet is delegated to")] = None
    default_outbound_access: bool | None = None
    private_endpoint_network_policies: str | None = None
    private_link_service_network_policies: str | None = None
    service_endpoints: tuple[str, ...] = ()
    attachments: Annotated[tuple[str, ...], Meta(description="What a copy leaves behind")] = ()


class NetworkEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A virtual network."""

    id: ArmId
    location: Name
    tags: Mapping[str, str] = {}
    address_space: tuple[str, ...]
    subnets: tuple[SubnetEntry, ...] = ()
    dns_servers: tuple[str, ...] = ()
    gateway: Annotated[bool, Meta(description="A VPN or ExpressRoute gateway is set up on it")] = False
    extended_location: str | None = None
    attachments: Annotated[tuple[str, ...], Meta(description="What a copy leaves behind")] = ()


class IpEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """An ip configuration of a NIC beyond its primary one."""

    name: Name
    subnet: str | None = None
    ip: str | None = None
    ip_type: Literal["Dynamic", "Static"] | None = None
    recovery_subnet: str | None = None
    recovery_ip: str | None = None
    recovery_public_ip: ArmId | None = None
    recovery_load_balancer_pools: tuple[ArmId, ...] = ()
    test_subnet: str | None = None
    test_ip: str | None = None
    selected_for_failover: bool = True


class NicEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A NIC with its primary ip configuration, and the recovery settings it has of its own."""

    name: Name
    primary_network_id: NetworkId | None = None
    primary_subnet: str | None = None
    ip: str | None = None
    ip_type: Literal["Dynamic", "Static"] | None = None
    recovery_network_id: ArmId | None = None
    recovery_subnet: str | None = None
    recovery_ip: str | None = None
    test_network_id: ArmId | None = None
    ip_configuration: Annotated[str, Meta(description="The name of the primary ip configuration")] = "ipconfig1"
    selected_for_failover: bool = True
    secondary: tuple[IpEntry, ...] = ()


class MachineEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A virtual machine in Azure whose replication can be enabled."""

    id: ArmId
    location: Name
    nics: tuple[NicEntry, ...] = ()


class VmNetworkEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A VM network of a VMM server; ``name`` is its GUID."""

    name: Name
    friendly_name: Name
    logical_network: Annotated[str | None, Meta(description="The friendly name of the logical network behind it")] = (
        None
    )
    subnets: tuple[SubnetEntry, ...] = ()


class LogicalNetworkEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A logical network of a VMM server; ``name`` is its GUID."""

    name: Name
    friendly_name: Name


class CloudEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A cloud of a VMM server, or a protection container of an Azure fabric."""

    name: Name
    friendly_name: Name
    logical_networks: Annotated[
        tuple[str, ...] | None, Meta(description="Friendly names; absent: not known, []: none")
    ] = None


class CloudMappingEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Which cloud protects a cloud of this fabric, by friendly names."""

    name: str | None = None
    primary: Name
    recovery_fabric: Annotated[str | None, Meta(description="The fabric of the protecting cloud; absent: this one")] = (
        None
    )
    recovery: Annotated[str | None, Meta(description="The protecting cloud; absent: Azure")] = None


class HostEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A host of a VMM server: its cloud, and the VM networks it reaches, by friendly names."""

    name: Name
    cloud: Name
    networks: Annotated[tuple[str, ...] | None, Meta(description="Absent: not known, []: none")] = None


class FabricEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A fabric: a region of Azure, or a VMM server."""

    name: Name
    kind: Literal["azure", "vmm", "other"]
    location: Annotated[str | None, Meta(description="The region of an Azure fabric")] = None
    server: Annotated[str | None, Meta(description="The name of a VMM server")] = None
    networks: tuple[VmNetworkEntry, ...] = ()
    logical_networks: tuple[LogicalNetworkEntry, ...] = ()
    clouds: tuple[CloudEntry, ...] = ()
    cloud_mappings: tuple[CloudMappingEntry, ...] = ()
    hosts: tuple[HostEntry, ...] = ()


class MappingEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A network mapping, under its primary fabric. One without a recovery network cannot be read by its clients."""

    fabric: Annotated[Name, Meta(description="The name of the primary fabric")]
    name: Name
    primary_network_id: Annotated[NetworkId | None, Meta(description="Absent: the mapping does not say it")] = None
    recovery_fabric: Annotated[
        str | None, Meta(description="The name of the recovery fabric; absent: Azure, for a VMM server's network")
    ] = None
    recovery_network_id: Annotated[NetworkId | None, Meta(description="Absent: the mapping does not say it")] = None
    state: str = "Paired"


class ItemEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A replicated machine."""

    name: Name
    friendly_name: str | None = None
    fabric: Annotated[Name, Meta(description="The name of the fabric it is protected in")]
    container: Annotated[
        str | None, Meta(description="The name of its container; absent: that of the fabric, as the portal names it")
    ] = None
    recovery_fabric: Annotated[str | None, Meta(description="Absent: Azure, for a machine of a VMM server")] = None
    state: str = "Protected"
    active_location: Literal["Primary", "Recovery"] = "Primary"
    test_failover_state: str = "None"
    provider: str = "A2A"
    scenario: Annotated[str, Meta(description="What runs on it now, such as UnplannedFailover")] = ""
    nics: tuple[NicEntry, ...] = ()


class JobEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A job of the vault; times as the service writes them."""

    name: Name
    scenario: Name
    state: Name
    start_time: str = ""
    end_time: str = ""
    target: str = ""
    errors: tuple[str, ...] = ()


class VaultEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A Recovery Services vault."""

    id: ArmId
    location: Name
    used: Annotated[
        bool | None, Meta(description="Whether Site Recovery knows the vault; absent: if it has fabrics")
    ] = None
    tags: Mapping[str, str] = {}
    fabrics: tuple[FabricEntry, ...] = ()
    mappings: tuple[MappingEntry, ...] = ()
    protected_items: tuple[ItemEntry, ...] = ()
    jobs: tuple[JobEntry, ...] = ()


class WorldDocument(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A world: an Azure with its networks and vaults, as a file."""

    version: Literal[1]
    tenant: Annotated[str | None, Meta(description="The tenant of the credential")] = None
    behaviour: Behaviour | None = None
    strict_mapping: Annotated[
        bool | None, Meta(description="Refuse to protect a machine on another network than the mapped one")
    ] = None
    subscriptions: tuple[SubscriptionEntry, ...] = ()
    resource_groups: tuple[GroupEntry, ...] = ()
    virtual_networks: tuple[NetworkEntry, ...] = ()
    virtual_machines: tuple[MachineEntry, ...] = ()
    vaults: tuple[VaultEntry, ...] = ()
    extras: Annotated[
        Mapping[str, str],
        Meta(description="By resource id, as JSON: what an emulator's clients said beyond what a world knows, an echo"),
    ] = {}


def load(path: str | Path, *, clock: Clock, behaviour: Behaviour | None = None) -> World:
    """The world in a file. Raises DocumentError, with file and line, for whatever is wrong."""
    from asrnet.files import yaml as documents

    return world_from(
        documents.read(path, WorldDocument, limit=documents.WORLD_LIMIT), clock=clock, behaviour=behaviour
    )


def world_from(document: Document[WorldDocument], *, clock: Clock, behaviour: Behaviour | None = None) -> World:
    """The world that a document describes; ``behaviour`` replaces the document's own.

    Raises DocumentError where its parts contradict each other.
    """
    from asrnet.fake import loading

    return loading.world_from(document, clock=clock, behaviour=behaviour)


def dump(world: World) -> WorldDocument:
    """The document of a world as it is now. Jobs of the world's own operations are not part of it."""
    from asrnet.fake import saving

    return saving.dump(world)


def dumps(world: World) -> str:
    """The YAML of a world."""
    from asrnet.fake import saving

    return saving.dumps(world)


def save(world: World, path: str | Path) -> None:
    """Write a world to a file, JSON if its name ends so, at once or not at all.

    Raises InputError where it cannot be written; the old file is then as it was.
    """
    from asrnet.fake import saving

    saving.save(world, Path(path))

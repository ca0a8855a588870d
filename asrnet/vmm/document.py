"""The topology file. It has the form of a world's fabrics, except that resource names (GUIDs) may be omitted.

The entries here have the keys of the file. The models in ``topology`` also have ids and line numbers, which a file
cannot set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from asrnet.desired import Source
from asrnet.errors import DocumentError
from asrnet.files import yaml as documents
from asrnet.files.problems import collecting, path_text, raise_any
from asrnet.files.yaml import Document
from asrnet.model.azure import MICROSOFT_AZURE, Subnet
from asrnet.vmm.topology import Cloud, Host, LogicalNetwork, Network, Protection, Server, Topology

Name = Annotated[str, Meta(min_length=1)]
Count = Annotated[int, Meta(ge=0)]
ResourceName = Annotated[str | None, Meta(description="The resource name (a GUID), for names that are not unique")]


class SubnetEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A subnet of a VM network."""

    name: Name
    prefixes: tuple[str, ...] = ()
    used_ips: tuple[str, ...] = ()
    used: Annotated[Count | None, Meta(description="Number of addresses in use; absent: those listed")] = None


class NetworkEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A VM network."""

    friendly_name: Name
    name: ResourceName = None
    logical_network: Annotated[Name | None, Meta(description="The logical network it links to")] = None
    subnets: tuple[SubnetEntry, ...] = ()


class LogicalNetworkEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A logical network."""

    friendly_name: Name
    name: ResourceName = None


class CloudEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cloud."""

    friendly_name: Name
    name: ResourceName = None
    logical_networks: Annotated[
        tuple[Name, ...] | None, Meta(description="Associated logical networks; absent: not known, []: none")
    ] = None


class CloudMappingEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which cloud protects a cloud of this server."""

    primary: Name
    recovery_fabric: Annotated[
        Name | None, Meta(description="The protecting cloud's server or fabric; absent: this one")
    ] = None
    recovery: Annotated[Name | None, Meta(description="The protecting cloud; absent: Azure")] = None
    name: ResourceName = None


class HostEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A host, its cloud, and the VM networks it reaches."""

    name: Name
    cloud: Name
    networks: Annotated[tuple[Name, ...] | None, Meta(description="Absent: not known, []: none")] = None


class FabricEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A VMM server. Fabrics of other kinds are allowed, as in a world, and ignored."""

    name: Annotated[Name | None, Meta(description="The name of the fabric")] = None
    kind: Literal["vmm", "azure", "other"] = "vmm"
    location: str | None = None
    server: Annotated[Name | None, Meta(description="The name of the VMM server")] = None
    networks: tuple[NetworkEntry, ...] = ()
    logical_networks: tuple[LogicalNetworkEntry, ...] = ()
    clouds: tuple[CloudEntry, ...] = ()
    cloud_mappings: tuple[CloudMappingEntry, ...] = ()
    hosts: tuple[HostEntry, ...] = ()


class TopologyFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A topology of VMM servers, as written."""

    version: Literal[1] = 1
    fabrics: tuple[FabricEntry, ...]


def read_topology(path: str | Path) -> Topology:
    """Read a topology file. Raises DocumentError. References between names are checked by ``checked`` and ``merge``."""
    return topology_of(documents.read(path, TopologyFile))


def parse_topology(text: str, source: str = "<text>") -> Topology:
    """The topology in ``text``. Raises the errors of ``read_topology``."""
    return topology_of(documents.parse(text, TopologyFile, source))


def topology_of(document: Document[TopologyFile]) -> Topology:
    """The topology that a document describes. Raises DocumentError with all missing and repeated names."""
    mistakes: list[DocumentError] = []
    servers = []
    for index, entry in enumerate(document.value.fabrics):
        if entry.kind == "vmm":
            with collecting(mistakes):
                servers.append(_server(document, entry, index, mistakes))
    mistakes += _repeats(((server.name, "", server.source) for server in servers), "VMM server")
    raise_any(mistakes)
    return Topology(servers=tuple(servers))


def _server(document: Document[TopologyFile], entry: FabricEntry, index: int, mistakes: list[DocumentError]) -> Server:
    name = entry.server or entry.name
    if name is None:
        raise document.error("the server is missing, expected the name of the VMM server", "fabrics", index)

    def source(*steps: str | int) -> Source:
        path = ("fabrics", index, *steps)
        line, column = document.lines.nearest(path)
        return Source(file=document.source, line=line, column=column, path=path_text(path))

    protections = []
    for number, mapping in enumerate(entry.cloud_mappings):
        to_azure = mapping.recovery_fabric == MICROSOFT_AZURE
        protections.append(
            Protection(
                primary=mapping.primary,
                recovery=None if to_azure else mapping.recovery,
                recovery_server=None if to_azure else mapping.recovery_fabric,
                source=source("cloud_mappings", number),
            )
        )
    server = Server(
        name=name,
        fabric=entry.name or "",
        networks=tuple(
            Network(
                name=network.friendly_name,
                resource_name=network.name or "",
                logical_network=network.logical_network,
                subnets=_subnets(network, source("networks", number), mistakes),
                source=source("networks", number),
            )
            for number, network in enumerate(entry.networks)
        ),
        logical_networks=tuple(
            LogicalNetwork(
                name=logical.friendly_name,
                resource_name=logical.name or "",
                source=source("logical_networks", number),
            )
            for number, logical in enumerate(entry.logical_networks)
        ),
        clouds=tuple(
            Cloud(
                name=cloud.friendly_name,
                resource_name=cloud.name or "",
                logical_networks=cloud.logical_networks,
                source=source("clouds", number),
            )
            for number, cloud in enumerate(entry.clouds)
        ),
        protections=tuple(protections),
        hosts=tuple(
            Host(name=host.name, cloud=host.cloud, networks=host.networks, source=source("hosts", number))
            for number, host in enumerate(entry.hosts)
        ),
        source=source(),
    )
    # Entries with the same name need resource names to distinguish them; logical networks and hosts have only names.
    networks, clouds = server.networks, server.clouds
    mistakes += _repeats(((network.name, network.resource_name, network.source) for network in networks), "VM network")
    mistakes += _repeats(((cloud.name, cloud.resource_name, cloud.source) for cloud in clouds), "cloud")
    mistakes += _repeats(((logical.name, "", logical.source) for logical in server.logical_networks), "logical network")
    mistakes += _repeats(((host.name, "", host.source) for host in server.hosts), "host")
    return server


def _subnets(network: NetworkEntry, source: Source, mistakes: list[DocumentError]) -> tuple[Subnet, ...]:
    mistakes += _repeats(((subnet.name, "", source) for subnet in network.subnets), "subnet")
    subnets = []
    for entry in network.subnets:
        for prefix in entry.prefixes:
            try:
                ip_network(prefix, strict=False)
            except ValueError:
                mistakes.append(_mistake(f"'{prefix}' is not an address range such as 10.0.0.0/24", source))
        for address in entry.used_ips:
            try:
                ip_address(address)
            except ValueError:
                mistakes.append(_mistake(f"'{address}' is not an address such as 10.0.0.4", source))
        used = len(entry.used_ips) if entry.used is None else entry.used
        subnets.append(Subnet(name=entry.name, prefixes=entry.prefixes, used=used, used_ips=entry.used_ips))
    return tuple(subnets)


def _repeats(entries: Iterable[tuple[str, str, Source]], what: str) -> Iterator[DocumentError]:
    """A mistake for each entry with the same name and resource name as an earlier one."""
    first_sources: dict[tuple[str, str], Source] = {}
    for name, resource_name, source in entries:
        key = (name.lower(), resource_name.lower())
        if key in first_sources:
            yield _mistake(f"the {what} '{name}' is given twice, first in line {first_sources[key].line}", source)
        first_sources.setdefault(key, source)


def _mistake(problem: str, source: Source) -> DocumentError:
    return DocumentError(
        problem, file=source.file, line=source.line, column=source.column, path=source.path, names_entry=True
    )

"""The topology file: shaped like the fabrics of a world, but that resource names (GUIDs) may be left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from asrnet.desired import Source
from asrnet.files import yaml as documents
from asrnet.files.yaml import Document
from asrnet.model.azure import MICROSOFT_AZURE, Subnet
from asrnet.vmm.topology import Cloud, Host, LogicalNetwork, Network, Protection, Server, Topology, refusal

Name = Annotated[str, Meta(min_length=1)]
Count = Annotated[int, Meta(ge=0)]
ResourceName = Annotated[str | None, Meta(description="The resource name (a GUID), to tell two of one name apart")]


class SubnetEntry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A subnet of a VM network."""

    name: Name
    prefixes: tuple[str, ...] = ()
    used_ips: tuple[str, ...] = ()
    used: Annotated[Count | None, Meta(description="How many addresses are in use; absent: those listed")] = None


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
        tuple[Name, ...] | None, Meta(description="Those it is associated with; absent: not known, []: none")
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
    """A VMM server. Other fabrics may stand beside them and mean nothing here."""

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
    """The topology in a file. Raises DocumentError; names are not looked up yet, which ``checked`` and ``merge`` do."""
    return topology_of(documents.read(path, TopologyFile))


def parse_topology(text: str, source: str = "<text>") -> Topology:
    """The topology in ``text``. Raises like ``read_topology``."""
    return topology_of(documents.parse(text, TopologyFile, source))


def topology_of(document: Document[TopologyFile]) -> Topology:
    """The topology that a document describes. Raises DocumentError where a name is missing or given twice."""
    listed = enumerate(document.value.fabrics)
    servers = [_server(document, entry, index) for index, entry in listed if entry.kind == "vmm"]
    _refuse_twice(((server.name, "", server.source) for server in servers), "VMM server")
    return Topology(servers=tuple(servers))


def _server(document: Document[TopologyFile], entry: FabricEntry, index: int) -> Server:
    name = entry.server or entry.name
    if name is None:
        raise document.error("the server is missing, expected the name of the VMM server", "fabrics", index)

    def at(*steps: str | int) -> Source:
        return Source(file=document.source, line=document.line("fabrics", index, *steps))

    server = Server(
        name=name,
        fabric=entry.name or "",
        networks=tuple(_network(each, at("networks", n)) for n, each in enumerate(entry.networks)),
        logical_networks=tuple(
            LogicalNetwork(name=each.friendly_name, resource_name=each.name or "", source=at("logical_networks", n))
            for n, each in enumerate(entry.logical_networks)
        ),
        clouds=tuple(_cloud(each, at("clouds", n)) for n, each in enumerate(entry.clouds)),
        protections=tuple(_protection(each, at("cloud_mappings", n)) for n, each in enumerate(entry.cloud_mappings)),
        hosts=tuple(
            Host(name=each.name, cloud=each.cloud, networks=each.networks, source=at("hosts", n))
            for n, each in enumerate(entry.hosts)
        ),
        source=at(),
    )
    _refuse_all_twice(server)
    return server


def _network(entry: NetworkEntry, source: Source) -> Network:
    _refuse_twice(((each.name, "", source) for each in entry.subnets), "subnet")
    return Network(
        name=entry.friendly_name,
        resource_name=entry.name or "",
        logical_network=entry.logical_network,
        subnets=tuple(_subnet(each, source) for each in entry.subnets),
        source=source,
    )


def _subnet(entry: SubnetEntry, source: Source) -> Subnet:
    for prefix in entry.prefixes:
        with _refused(f"'{prefix}' is not an address range such as 10.0.0.0/24", source):
            ip_network(prefix, strict=False)
    for address in entry.used_ips:
        with _refused(f"'{address}' is not an address such as 10.0.0.4", source):
            ip_address(address)
    return Subnet(
        name=entry.name,
        prefixes=entry.prefixes,
        used=len(entry.used_ips) if entry.used is None else entry.used,
        used_ips=entry.used_ips,
    )


@contextmanager
def _refused(problem: str, source: Source) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise refusal(problem, source) from error


def _cloud(entry: CloudEntry, source: Source) -> Cloud:
    return Cloud(
        name=entry.friendly_name,
        resource_name=entry.name or "",
        logical_networks=entry.logical_networks,
        source=source,
    )


def _protection(entry: CloudMappingEntry, source: Source) -> Protection:
    to_azure = entry.recovery_fabric == MICROSOFT_AZURE
    return Protection(
        primary=entry.primary,
        recovery=None if to_azure else entry.recovery,
        recovery_server=None if to_azure else entry.recovery_fabric,
        source=source,
    )


def _refuse_all_twice(server: Server) -> None:
    _refuse_twice(((each.name, each.resource_name, each.source) for each in server.networks), "VM network")
    _refuse_twice(((each.name, each.resource_name, each.source) for each in server.clouds), "cloud")
    _refuse_twice(((each.name, "", each.source) for each in server.logical_networks), "logical network")
    _refuse_twice(((each.name, "", each.source) for each in server.hosts), "host")


def _refuse_twice(entries: Iterable[tuple[str, str, Source]], what: str) -> None:
    """Two of one name need resource names that tell them apart."""
    seen: dict[tuple[str, str], Source] = {}
    for name, resource_name, source in entries:
        key = (name.lower(), resource_name.lower())
        if key in seen:
            raise refusal(f"the {what} '{name}' is given twice, first in line {seen[key].line}", source)
        seen[key] = source

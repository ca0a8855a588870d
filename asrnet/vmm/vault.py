"""The topology of a vault: what Site Recovery tells, and what a file adds to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from msgspec import structs

from asrnet.desired import Source
from asrnet.files.problems import did_you_mean
from asrnet.model import azure as models
from asrnet.model.arm import ArmId
from asrnet.vmm.topology import (
    Cloud,
    Host,
    LogicalNetwork,
    Network,
    Protection,
    Server,
    Topology,
    cloud_of,
    contains,
    refusal,
    same,
)


def topology_of_vault(
    fabrics: Iterable[models.Fabric],
    *,
    networks: Iterable[models.VmNetwork] = (),
    logical_networks: Iterable[models.LogicalNetwork] = (),
    clouds: Iterable[models.Cloud] = (),
    cloud_mappings: Iterable[models.CloudMapping] = (),
    links: Mapping[ArmId, models.VmmLinks] | None = None,
) -> Topology:
    """What Site Recovery knows of VMM servers: not which logical networks clouds and VM networks belong to.

    ``links`` say it, by fabric, where the vault is one of a fake's world.
    """
    vmm = [fabric for fabric in fabrics if fabric.kind == "vmm"]
    everything = tuple(networks), tuple(logical_networks), tuple(clouds), tuple(cloud_mappings)
    servers = [_server(fabric, *everything) for fabric in vmm]
    told = links or {}
    return Topology(
        servers=tuple(_with_links(each, told.get(each.fabric_id)) if each.fabric_id else each for each in servers)
    )


def merge(vault: Topology, declared: Topology) -> Topology:
    """The vault's topology with what a file says of it.

    Raises DocumentError, or InputError for what comes from no file, where the file names what the vault does not have.
    """
    servers = list(vault.servers)
    for addition in declared.servers:
        index = _index_of_server(servers, addition)
        servers[index] = _merged(servers[index], addition)
    return checked(Topology(servers=tuple(servers)))


def merge_all(vaults: Sequence[Topology], declared: Topology, *, complete: bool = True) -> list[Topology]:
    """The topologies of several vaults with what one file says of them.

    Raises like ``merge``; a server that none of them has counts as wrong only where they are all there are.
    """
    if complete:
        everyone = [server for vault in vaults for server in vault.servers]
        for server in declared.servers:
            _index_of_server(everyone, server)
    return [merge(vault, Topology(servers=_known_to(vault, declared.servers))) for vault in vaults]


def vm_networks(topology: Topology) -> tuple[models.VmNetwork, ...]:
    """The VM networks that exist in the vault, with the subnets that a file may have added."""
    return tuple(
        models.VmNetwork(id=network.id, friendly_name=network.name, subnets=network.subnets)
        for server in topology.servers
        for network in server.networks
        if network.id is not None
    )


def with_networks(items: Iterable[models.ProtectedItem], topology: Topology) -> tuple[models.ProtectedItem, ...]:
    """``items`` with the ids of the VM networks that Site Recovery only names, where the name is that of one."""
    known: dict[tuple[ArmId | None, str], list[ArmId]] = {}
    for server in topology.servers:
        for network in server.networks:
            if network.id is not None:
                known.setdefault((server.fabric_id, network.name.lower()), []).append(network.id)
    return tuple(_with_networks(item, known) for item in items)


def checked(topology: Topology) -> Topology:
    """``topology`` itself, once every name in it leads somewhere. Raises DocumentError or InputError."""
    logical = {each.name for server in topology.servers for each in server.logical_networks}
    for server in topology.servers:
        for protection in server.protections:
            if protection.recovery is not None:
                topology.recovery_of(server, protection)
            else:
                cloud_of(server, protection.primary, protection.source)
        for host in server.hosts:
            cloud_of(server, host.cloud, host.source)
            for name in host.networks or ():
                _expect(name, [network.name for network in server.networks], "VM network", host.source)
        _check_logical_networks(server, logical)
    return topology


def _check_logical_networks(server: Server, known: set[str]) -> None:
    """A cloud may be associated with logical networks of another site, so all servers' count. None listed: no check."""
    if not known:
        return
    for network in server.networks:
        if network.logical_network is not None:
            _expect(network.logical_network, known, "logical network", network.source)
    for cloud in server.clouds:
        for name in cloud.logical_networks or ():
            _expect(name, known, "logical network", cloud.source)


def _expect(name: str, known: Iterable[str], what: str, where: Source) -> None:
    listed = tuple(known)
    if not contains(listed, name):
        raise refusal(f"unknown {what} '{name}'{did_you_mean(name, listed)}", where)


def _server(
    fabric: models.Fabric,
    networks: Sequence[models.VmNetwork],
    logical_networks: Sequence[models.LogicalNetwork],
    clouds: Sequence[models.Cloud],
    mappings: Sequence[models.CloudMapping],
) -> Server:
    names = {cloud.id: cloud.friendly_name for cloud in clouds}
    return Server(
        name=fabric.friendly_name or fabric.name,
        fabric=fabric.name,
        fabric_id=fabric.id,
        networks=tuple(
            Network(name=each.friendly_name, id=each.id, resource_name=each.id.name, subnets=each.subnets)
            for each in networks
            if each.fabric_id == fabric.id
        ),
        logical_networks=tuple(
            LogicalNetwork(name=each.friendly_name, id=each.id, resource_name=each.id.name)
            for each in logical_networks
            if each.id.parent == fabric.id
        ),
        clouds=tuple(
            Cloud(name=each.friendly_name, id=each.id, resource_name=each.id.name)
            for each in clouds
            if each.id.parent == fabric.id
        ),
        protections=tuple(_protection(each, names) for each in mappings if each.primary_cloud_id.parent == fabric.id),
    )


def _with_links(server: Server, links: models.VmmLinks | None) -> Server:
    if links is None:
        return server
    networks = ((each, links.networks.get(each.id) if each.id else None) for each in server.networks)
    clouds = ((each, links.clouds.get(each.id) if each.id else None) for each in server.clouds)
    return structs.replace(
        server,
        networks=tuple(structs.replace(network, logical_network=link) for network, link in networks),
        clouds=tuple(structs.replace(cloud, logical_networks=those) for cloud, those in clouds),
        hosts=tuple(Host(name=host.name, cloud=host.cloud, networks=host.networks) for host in links.hosts),
    )


def _with_networks(
    item: models.ProtectedItem, known: Mapping[tuple[ArmId | None, str], Sequence[ArmId]]
) -> models.ProtectedItem:
    if not any(nic.primary_network for nic in item.nics):
        return item
    found = [known.get((item.fabric_id, nic.primary_network.lower()), ()) for nic in item.nics]
    nics = zip(item.nics, found, strict=True)
    return structs.replace(
        item,
        nics=tuple(structs.replace(nic, primary_network_id=ids[0]) if len(ids) == 1 else nic for nic, ids in nics),
    )


def _protection(mapping: models.CloudMapping, names: dict[ArmId, str]) -> Protection:
    """By resource names where there are any: two clouds of one server may have one friendly name."""
    primary, recovery = mapping.primary_cloud_id, mapping.recovery_cloud_id
    if recovery is None or recovery not in names:
        return Protection(primary=primary.name)
    return Protection(primary=primary.name, recovery=recovery.name, recovery_server=recovery.parent.name)


def _known_to(vault: Topology, declared: Iterable[Server]) -> tuple[Server, ...]:
    return tuple(server for server in declared if any(_is_server(each, server) for each in vault.servers))


def _is_server(live: Server, wanted: Server) -> bool:
    return same(live.name, wanted.name) or (wanted.fabric != "" and same(live.fabric, wanted.fabric))


def _index_of_server(servers: Sequence[Server], wanted: Server) -> int:
    for index, server in enumerate(servers):
        if _is_server(server, wanted):
            return index
    known = [server.name for server in servers]
    raise refusal(f"the vault has no VMM server '{wanted.name}'{did_you_mean(wanted.name, known)}", wanted.source)


def _merged(live: Server, declared: Server) -> Server:
    """The live server with the links, logical networks, protections and hosts that are declared."""
    _expect_all(declared.networks, live.networks, "VM network", live)
    _expect_all(declared.clouds, live.clouds, "cloud", live)
    if live.logical_networks:
        _expect_all(declared.logical_networks, live.logical_networks, "logical network", live)
    return structs.replace(
        live,
        networks=tuple(_linked(network, declared.networks) for network in live.networks),
        logical_networks=live.logical_networks or declared.logical_networks,
        clouds=tuple(_associated(cloud, declared.clouds) for cloud in live.clouds),
        protections=(*live.protections, *declared.protections),
        hosts=declared.hosts or live.hosts,
        source=declared.source,
    )


Named = TypeVar("Named", Network, Cloud, LogicalNetwork)


def _expect_all(declared: Sequence[Named], live: Sequence[Named], what: str, server: Server) -> None:
    known = [each.name for each in live]
    for each in declared:
        if not contains(known, each.name):
            raise refusal(f"{server.name} has no {what} '{each.name}'{did_you_mean(each.name, known)}", each.source)
        _expect_one(each, [found for found in live if same(each.name, found.name)], what, server)


def _expect_one(declared: Named, live: Sequence[Named], what: str, server: Server) -> None:
    """Of those that are ``live`` under its name."""
    meant = [found for found in live if _means(declared, found)]
    ids = ", ".join(sorted(found.resource_name for found in live))
    if not meant:
        words = f"{server.name} has no {what} '{declared.name}' with the id '{declared.resource_name}', but {ids}"
        raise refusal(words, declared.source)
    if len(meant) > 1:
        words = f"{server.name} has several {what}s '{declared.name}': {ids}"
        raise refusal(words, declared.source, hint="say which one by its id, as the key 'name'")


def _linked(live: Network, declared: Sequence[Network]) -> Network:
    said = next((each for each in declared if _means(each, live)), None)
    if said is None:
        return live
    return structs.replace(
        live,
        logical_network=said.logical_network or live.logical_network,
        subnets=live.subnets or said.subnets,
        source=said.source,
    )


def _associated(live: Cloud, declared: Sequence[Cloud]) -> Cloud:
    said = next((each for each in declared if _means(each, live)), None)
    if said is None:
        return live
    logical_networks = live.logical_networks if said.logical_networks is None else said.logical_networks
    return structs.replace(live, logical_networks=logical_networks, source=said.source)


def _means(declared: Named, live: Named) -> bool:
    """A resource name, where one is given, tells two of one name apart."""
    is_told_apart = not declared.resource_name or same(declared.resource_name, live.resource_name)
    return same(declared.name, live.name) and is_told_apart

"""The topology of a vault: what Site Recovery reports, merged with the additions of a topology file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from msgspec import structs

from asrnet.clocks import Bounded
from asrnet.desired import Source
from asrnet.errors import DocumentError, did_you_mean
from asrnet.files.problems import collecting, raise_any
from asrnet.model import azure as models
from asrnet.model.arm import ArmId
from asrnet.ports import Backend
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
    name_error,
    same,
)

T = TypeVar("T")


def read_topology_of_vault(
    vault_id: ArmId, fabrics: Iterable[models.Fabric], backend: Backend, reads: Bounded
) -> Topology:
    """Read the topology of the VMM servers among ``fabrics`` from Site Recovery. Raises the first error of a list."""
    port = backend.vmm
    vmm = [fabric for fabric in fabrics if fabric.kind == "vmm"]

    def start(read_list: Callable[[ArmId], Iterable[T]], scopes: Iterable[ArmId]) -> list[Future[tuple[T, ...]]]:
        def read_all(scope: ArmId) -> tuple[T, ...]:
            return tuple(read_list(scope))  # lists are lazy, so their pages must be read within the call

        return [reads.start(partial(read_all, scope)) for scope in scopes]

    def finish(futures: Sequence[Future[tuple[T, ...]]]) -> list[T]:
        reads.settle(futures)
        return [element for future in futures for element in future.result()]

    # All lists are requested before the first one is awaited.
    fabric_ids = [fabric.id for fabric in vmm]
    networks = start(port.vm_networks, fabric_ids)
    logical_networks = start(port.logical_networks, fabric_ids)
    clouds = start(port.clouds, fabric_ids)
    cloud_mappings = start(port.cloud_mappings, [vault_id])
    return topology_of_vault(
        vmm,
        networks=finish(networks),
        logical_networks=finish(logical_networks),
        clouds=finish(clouds),
        cloud_mappings=finish(cloud_mappings),
        links={fabric.id: backend.vmm_links(fabric.id) for fabric in vmm},
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
    """The topology from Site Recovery's lists, which do not contain the logical networks of clouds and VM networks.

    For a vault in a fake world, ``links`` adds them by fabric.
    """
    lists = tuple(networks), tuple(logical_networks), tuple(clouds), tuple(cloud_mappings)
    return Topology(
        servers=tuple(
            _with_links(_server(fabric, *lists), (links or {}).get(fabric.id))
            for fabric in fabrics
            if fabric.kind == "vmm"
        )
    )


def merge(vault: Topology, declared: Topology) -> Topology:
    """Merge the topology that a file declares into the vault's.

    Raises DocumentError, or InputError without a file, for a name that the vault does not have.
    """
    servers = list(vault.servers)
    for addition in declared.servers:
        index = _index_of_server(servers, addition)
        servers[index] = _merged(servers[index], addition)
    return checked(Topology(servers=tuple(servers)))


def merge_all(vaults: Sequence[Topology], declared: Topology, *, complete: bool = True) -> list[Topology]:
    """Merge the topology that one file declares into those of several vaults.

    Raises the errors of ``merge``. A server that no vault has is an error only if ``vaults`` is ``complete``.
    """
    if complete:
        all_servers = [server for vault in vaults for server in vault.servers]
        for server in declared.servers:
            _index_of_server(all_servers, server)
    merged = []
    for vault in vaults:
        additions = (server for server in declared.servers if any(_is_server(live, server) for live in vault.servers))
        merged.append(merge(vault, Topology(servers=tuple(additions))))
    return merged


def vm_networks(topology: Topology) -> tuple[models.VmNetwork, ...]:
    """The VM networks that exist in the vault, with subnets from a topology file."""
    return tuple(
        models.VmNetwork(id=network.id, friendly_name=network.name, subnets=network.subnets)
        for server in topology.servers
        for network in server.networks
        if network.id is not None
    )


def with_networks(items: Iterable[models.ProtectedItem], topology: Topology) -> tuple[models.ProtectedItem, ...]:
    """Add to ``items`` the ids of VM networks that are given by name only, if the name is unique."""
    ids_by_name: dict[tuple[ArmId | None, str], list[ArmId]] = {}
    for server in topology.servers:
        for network in server.networks:
            if network.id is not None:
                ids_by_name.setdefault((server.fabric_id, network.name.lower()), []).append(network.id)
    completed = []
    for item in items:
        nics = []
        for nic in item.nics:
            ids = ids_by_name.get((item.fabric_id, nic.primary_network.lower()), ()) if nic.primary_network else ()
            nics.append(structs.replace(nic, primary_network_id=ids[0]) if len(ids) == 1 else nic)
        completed.append(structs.replace(item, nics=tuple(nics)))
    return tuple(completed)


def checked(topology: Topology) -> Topology:
    """Return ``topology`` if every name in it can be resolved.

    Raises DocumentError about all unresolved names of a file, or InputError if there is no file.
    """
    # A cloud may be associated with logical networks of another site, so those of all servers count.
    logical_networks = {logical.name for server in topology.servers for logical in server.logical_networks}
    mistakes: list[DocumentError] = []
    for server in topology.servers:
        for protection in server.protections:
            with collecting(mistakes):
                if protection.recovery is not None:
                    topology.recovery_of(server, protection)
                else:
                    cloud_of(server, protection.primary, protection.source)
        for host in server.hosts:
            with collecting(mistakes):
                cloud_of(server, host.cloud, host.source)
            for name in host.networks or ():
                with collecting(mistakes):
                    _expect(name, [network.name for network in server.networks], "VM network", host.source)
        # If no logical networks are listed, none are known and every name is accepted.
        for network in server.networks if logical_networks else ():
            if network.logical_network is not None:
                with collecting(mistakes):
                    _expect(network.logical_network, logical_networks, "logical network", network.source)
        for cloud in server.clouds if logical_networks else ():
            for name in cloud.logical_networks or ():
                with collecting(mistakes):
                    _expect(name, logical_networks, "logical network", cloud.source)
    raise_any(mistakes)
    return topology


def _expect(name: str, allowed: Iterable[str], what: str, where: Source) -> None:
    names = tuple(allowed)
    if not contains(names, name):
        raise name_error(f"unknown {what} '{name}'{did_you_mean(name, names)}", where)


def _server(
    fabric: models.Fabric,
    networks: Sequence[models.VmNetwork],
    logical_networks: Sequence[models.LogicalNetwork],
    clouds: Sequence[models.Cloud],
    mappings: Sequence[models.CloudMapping],
) -> Server:
    known_clouds = {cloud.id for cloud in clouds}
    protections = []
    for mapping in mappings:
        primary, recovery = mapping.primary_cloud_id, mapping.recovery_cloud_id
        if primary.parent != fabric.id:
            continue
        # Resource names are preferred, because two clouds of a server may have the same friendly name.
        if recovery is None or recovery not in known_clouds:
            protections.append(Protection(primary=primary.name))
        else:
            server = recovery.parent.name
            protections.append(Protection(primary=primary.name, recovery=recovery.name, recovery_server=server))
    return Server(
        name=fabric.friendly_name or fabric.name,
        fabric=fabric.name,
        fabric_id=fabric.id,
        networks=tuple(
            Network(name=network.friendly_name, id=network.id, resource_name=network.id.name, subnets=network.subnets)
            for network in networks
            if network.fabric_id == fabric.id
        ),
        logical_networks=tuple(
            LogicalNetwork(name=logical.friendly_name, id=logical.id, resource_name=logical.id.name)
            for logical in logical_networks
            if logical.id.parent == fabric.id
        ),
        clouds=tuple(
            Cloud(name=cloud.friendly_name, id=cloud.id, resource_name=cloud.id.name)
            for cloud in clouds
            if cloud.id.parent == fabric.id
        ),
        protections=tuple(protections),
    )


def _with_links(server: Server, links: models.VmmLinks | None) -> Server:
    if links is None:
        return server
    return structs.replace(
        server,
        networks=tuple(
            structs.replace(network, logical_network=links.networks.get(network.id) if network.id else None)
            for network in server.networks
        ),
        clouds=tuple(
            structs.replace(cloud, logical_networks=links.clouds.get(cloud.id) if cloud.id else None)
            for cloud in server.clouds
        ),
        hosts=tuple(Host(name=host.name, cloud=host.cloud, networks=host.networks) for host in links.hosts),
    )


def _is_server(live: Server, declared: Server) -> bool:
    return same(live.name, declared.name) or (declared.fabric != "" and same(live.fabric, declared.fabric))


def _index_of_server(servers: Sequence[Server], declared: Server) -> int:
    for index, server in enumerate(servers):
        if _is_server(server, declared):
            return index
    nearest = did_you_mean(declared.name, [server.name for server in servers])
    raise name_error(f"the vault has no VMM server '{declared.name}'{nearest}", declared.source)


def _merged(live: Server, declared: Server) -> Server:
    """The live server with the declared links, logical networks, protections and hosts."""
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
    names = [entry.name for entry in live]
    for entry in declared:
        namesakes = [candidate for candidate in live if same(entry.name, candidate.name)]
        if not namesakes:
            raise name_error(
                f"{server.name} has no {what} '{entry.name}'{did_you_mean(entry.name, names)}", entry.source
            )
        matches = [candidate for candidate in namesakes if _matches(entry, candidate)]
        ids = ", ".join(sorted(candidate.resource_name for candidate in namesakes))
        if not matches:
            message = f"{server.name} has no {what} '{entry.name}' with the id '{entry.resource_name}', but {ids}"
            raise name_error(message, entry.source)
        if len(matches) > 1:
            message = f"{server.name} has several {what}s '{entry.name}': {ids}"
            raise name_error(message, entry.source, hint="under the key 'name', give the id of the one you mean")


def _linked(live: Network, declared: Sequence[Network]) -> Network:
    for entry in declared:
        if _matches(entry, live):
            return structs.replace(
                live,
                logical_network=entry.logical_network or live.logical_network,
                subnets=live.subnets or entry.subnets,
                source=entry.source,
            )
    return live


def _associated(live: Cloud, declared: Sequence[Cloud]) -> Cloud:
    for entry in declared:
        if _matches(entry, live):
            # An empty list means that the cloud is associated with none.
            names = live.logical_networks if entry.logical_networks is None else entry.logical_networks
            return structs.replace(live, logical_networks=names, source=entry.source)
    return live


def _matches(declared: Named, live: Named) -> bool:
    """Whether both have the same name and, if ``declared`` gives a resource name, the same resource name."""
    has_same_resource_name = not declared.resource_name or same(declared.resource_name, live.resource_name)
    return same(declared.name, live.name) and has_same_resource_name

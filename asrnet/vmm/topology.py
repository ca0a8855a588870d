"""The topology of VMM servers: clouds and their protection, logical networks, VM networks, hosts.

None means not known, and excludes nothing; ``()`` means known to be empty. Names are compared ignoring case.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeVar

from msgspec import Struct

from asrnet.desired import Source, VmNetworkName
from asrnet.errors import DocumentError, InputError, did_you_mean
from asrnet.model.arm import ArmId
from asrnet.model.azure import Subnet


class Network(Struct, frozen=True, kw_only=True):
    """A VM network by its friendly name. ``logical_network`` is the one it links to, or None if that is not known."""

    name: str
    id: ArmId | None = None
    resource_name: str = ""
    logical_network: str | None = None
    subnets: tuple[Subnet, ...] = ()
    source: Source = Source()


class Cloud(Struct, frozen=True, kw_only=True):
    """A cloud by its friendly name. ``logical_networks`` are those associated with it, None if not known."""

    name: str
    id: ArmId | None = None
    resource_name: str = ""
    logical_networks: tuple[str, ...] | None = None
    source: Source = Source()


class LogicalNetwork(Struct, frozen=True, kw_only=True):
    """A logical network by its friendly name."""

    name: str
    id: ArmId | None = None
    resource_name: str = ""
    source: Source = Source()


class Protection(Struct, frozen=True, kw_only=True):
    """The protection of a server's cloud by ``recovery`` on ``recovery_server``, or by Azure if ``recovery`` is None.

    A ``recovery_server`` of None stands for the same server.
    """

    primary: str
    recovery: str | None = None
    recovery_server: str | None = None
    source: Source = Source()


class Host(Struct, frozen=True, kw_only=True):
    """A Hyper-V host of a cloud and the VM networks it reaches, or None if they are not known."""

    name: str
    cloud: str
    networks: tuple[str, ...] | None = None
    source: Source = Source()


class Server(Struct, frozen=True, kw_only=True):
    """A VMM server. ``fabric`` is the name of its fabric. Empty ``hosts`` mean that none are known."""

    name: str
    fabric: str = ""
    fabric_id: ArmId | None = None
    networks: tuple[Network, ...] = ()
    logical_networks: tuple[LogicalNetwork, ...] = ()
    clouds: tuple[Cloud, ...] = ()
    protections: tuple[Protection, ...] = ()
    hosts: tuple[Host, ...] = ()
    source: Source = Source()


class ServerNetwork(Struct, frozen=True):
    """A VM network and its server."""

    server: Server
    network: Network


class CloudPair(Struct, frozen=True):
    """A protected cloud and its protecting cloud, with their servers."""

    primary_server: Server
    protected: Cloud
    recovery_server: Server
    protecting: Cloud

    @property
    def names(self) -> tuple[str, ...]:
        """All names of both servers and clouds, which identify the pair."""
        sides = ((self.primary_server, self.protected), (self.recovery_server, self.protecting))
        return tuple(
            name for server, cloud in sides for name in (server.name, server.fabric, cloud.name, cloud.resource_name)
        )


class Topology(Struct, frozen=True, kw_only=True):
    """All VMM servers of a vault."""

    servers: tuple[Server, ...] = ()

    def server(self, name: str) -> Server:
        """The server with this name or fabric name. Raises InputError unless exactly one has it."""
        return _find_one(name, self.servers, _server_names, "unknown VMM server", Source())

    def network(self, name: VmNetworkName, where: Source = Source()) -> ServerNetwork:  # noqa: B008 - a frozen value
        """The VM network by server and name. Raises InputError, with ``where``, unless exactly one matches."""
        server = _find_one(name.server, self.servers, _server_names, "unknown VMM server", where)
        lacking = f"{server.name} has no VM network"
        return ServerNetwork(server, _find_one(name.network, server.networks, _network_names, lacking, where))

    def find_network(self, text: str) -> ServerNetwork:
        """The VM network with this id, ``server/name`` or name. Raises InputError unless exactly one matches."""
        candidates = [ServerNetwork(server, network) for server in self.servers for network in server.networks]
        return _find_one(text, candidates, _names_anywhere, "unknown VM network", Source())

    def network_by_id(self, network_id: ArmId) -> ServerNetwork | None:
        """The VM network with this id, or None."""
        for server in self.servers:
            for network in server.networks:
                if network.id == network_id:
                    return ServerNetwork(server, network)
        return None

    def pairs(self) -> Iterator[CloudPair]:
        """Every protected cloud with its protecting cloud. Raises the errors of ``recovery_of``."""
        names: set[tuple[str, ...]] = set()
        for server in self.servers:
            for protection in server.protections:
                if protection.recovery is None:
                    continue
                pair = self.recovery_of(server, protection)
                # A file may repeat what the vault lists, under other names.
                if pair.names not in names:
                    names.add(pair.names)
                    yield pair

    def recovery_of(self, server: Server, protection: Protection) -> CloudPair:
        """The clouds of a protection. Raises InputError or DocumentError for a name that is not known."""
        where = protection.source
        protected = cloud_of(server, protection.primary, where)
        other = server
        if protection.recovery_server is not None:
            other = _find_one(protection.recovery_server, self.servers, _server_names, "unknown VMM server", where)
        return CloudPair(server, protected, other, cloud_of(other, protection.recovery or "", where))


V = TypeVar("V")


def cloud_of(server: Server, name: str, where: Source) -> Cloud:
    """The cloud of a server by name. Raises InputError, or DocumentError with ``where``, unless exactly one matches."""
    return _find_one(name, server.clouds, _cloud_names, f"{server.name} has no cloud", where)


def same(name: str, other: str) -> bool:
    """Whether two names are the same, ignoring case."""
    return name.lower() == other.lower()


def contains(names: Iterable[str], name: str | None) -> bool:
    """Whether ``name`` is one of ``names``, ignoring case."""
    return name is not None and name != "" and any(same(other, name) for other in names)


def name_error(problem: str, where: Source, *, hint: str = "") -> InputError:
    """The error for a problem: a DocumentError if ``where`` is in a file, otherwise an InputError."""
    if where.file:  # names from a vault or the command line have no line
        return DocumentError(
            problem, file=where.file, line=where.line, column=where.column, path=where.path, names_entry=True, hint=hint
        )
    return InputError(problem, hint=hint)


def _find_one(
    name: str, candidates: Sequence[V], names_of: Callable[[V], Sequence[str]], lacking: str, where: Source
) -> V:
    """The candidate called ``name``. The first of its names is for display, the second is unique."""
    matches = [candidate for candidate in candidates if contains(names_of(candidate), name)]
    if len(matches) == 1:
        return matches[0]
    if not matches:
        all_names = [candidate_name for candidate in candidates for candidate_name in names_of(candidate)]
        raise name_error(f"{lacking} '{name}'{did_you_mean(name, all_names)}", where)
    ids = ", ".join(sorted(names_of(match)[1] for match in matches))
    raise name_error(f"'{name}' is not a unique name: {ids}", where, hint="give the id of the one you mean")


def _server_names(server: Server) -> Sequence[str]:
    return server.name, str(server.fabric_id or server.fabric or server.name), server.fabric


def _network_names(network: Network) -> Sequence[str]:
    return network.name, str(network.id or network.resource_name or network.name), network.resource_name


def _cloud_names(cloud: Cloud) -> Sequence[str]:
    return cloud.name, str(cloud.id or cloud.resource_name or cloud.name), cloud.resource_name


def _names_anywhere(network: ServerNetwork) -> Sequence[str]:
    name, unique_name, resource_name = _network_names(network.network)
    return name, unique_name, resource_name, f"{network.server.name}/{name}", f"{network.server.fabric}/{name}"

"""Checks that a test network is in the recovery region and is not connected to production.

The checks are pure functions of an inventory with the test networks and the networks around them; ``networks_around``
names those that still have to be read. An equal address space alone is normal: Microsoft recommends it for tests. A
network does not show two kinds of connection: links of private DNS zones, which only Resource Graph lists, and
connected groups of a network manager. The latter are not checked, because Reader may not read them.

Sources: Set up network mapping and IP addressing for VNets; Virtual network peering; Configure VPN gateway transit.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Final

from msgspec import Struct, structs

from asrnet.desired.pairs import Pair
from asrnet.errors import InputError
from asrnet.failover.addresses import number, span
from asrnet.inventory.values import Absent, Inventory, Unknown
from asrnet.model.arm import ArmId
from asrnet.model.azure import NOT_SELECTED, Peering, VirtualNetwork
from asrnet.model.findings import Finding, FindingKind, finding

_VIRTUAL_HUB: Final = "hv_"
"""The prefix of the name of the network that Microsoft peers with a network connected to a virtual hub."""
_NETWORK_MANAGER: Final = "anm_"
"""The prefix of the names of peerings that a network manager makes. Its connected groups do not show in a network."""


def production_networks(pairs: Iterable[Pair], inventory: Inventory) -> dict[ArmId, str]:
    """The networks of production, each with what makes it one, as the end of a sentence about it.

    They are the networks of all declared ``pairs``, whether mapped yet or not; the ends of live mappings; and the
    networks in which protected machines run or to which they fail over. Planning gives the inventory as the plan will
    leave it, because a plan may take networks out of production.
    """
    reasons: dict[ArmId, str] = {}
    for pair in pairs:
        for end in (pair.primary, pair.recovery):
            if end:
                reasons.setdefault(
                    end, f"is a network of pair {pair.name}" + f" ({pair.source})" * bool(pair.source.file)
                )
    vaults = (*inventory.vaults.values(), *inventory.other_vaults.values())
    for vault in vaults:
        for mapping in vault.mappings:
            for end in (mapping.primary_network_id, mapping.recovery_network_id):
                reasons.setdefault(end, f"is an end of mapping {mapping.id.name} in vault {vault.name}")
    for vault in vaults:
        for item in () if isinstance(vault.items, Unknown) else vault.items:
            selected = [nic for nic in item.nics if nic.selection != NOT_SELECTED]
            for nic in item.nics:
                if nic.primary_network_id:
                    reasons.setdefault(nic.primary_network_id, f"is the network in which {item.friendly_name} runs")
            for end in (item.recovery_network_id, *(nic.recovery_network_id for nic in selected)):
                if end:
                    reasons.setdefault(end, f"is the network to which {item.friendly_name} fails over")
    return reasons


def unread_production(inventory: Inventory) -> tuple[str, ...]:
    """The vaults, and the machines of vaults, that could not be read, and why: production may include more networks."""
    every_vault = {**inventory.other_vaults, **inventory.vaults}
    return structs.replace(inventory, vaults=every_vault).unread("vault", "machines")


def check_test_network(
    pair: Pair,
    test_network_id: ArmId,
    inventory: Inventory,
    *,
    recovery_region: str | None,
    production: Mapping[ArmId, str],
) -> Iterator[Finding]:
    """The problems of ``test_network_id`` as the test network of ``pair``; empty if there are none.

    ``recovery_region`` is the region that machines of the pair fail over to; None while it is not known. ``production``
    is what ``production_networks`` returns.
    """
    network = inventory.network(test_network_id)
    if isinstance(network, Absent):
        yield pair.finding(
            FindingKind.MISSING_NETWORK,
            f"the test network {test_network_id} does not exist",
            subject=test_network_id,
            hint="create the network, or correct test",
        )
    elif isinstance(network, Unknown):
        message = f"the test network {test_network_id.name} could not be read: {network.error}"
        yield pair.finding(FindingKind.UNKNOWN, message, subject=test_network_id, hint=network.error.hint)
    elif recovery_region and network.location != recovery_region:
        # A NIC joins networks of its own region only.
        yield pair.finding(
            FindingKind.REGION_MISMATCH,
            f"the test network {network.name} is in {network.location}, and machines are tested in {recovery_region}",
            subject=network.id,
            hint=f"name a test network in {recovery_region}",
        )
    if test_network_id in {pair.primary, pair.recovery}:
        yield pair.finding(
            FindingKind.CONFLICT,
            f"the test network {test_network_id.name} is a network of the pair itself: tests would run in production",
            subject=test_network_id,
            hint="name a network that is for tests alone",
        )
    elif test_network_id in production:
        yield pair.finding(
            FindingKind.CONFLICT,
            f"the test network {test_network_id.name} {production[test_network_id]}: tests would run in production",
            subject=test_network_id,
            hint="name a network that is for tests alone",
        )


def connected_test_networks(
    vault: str, tested: Mapping[ArmId, Sequence[Pair]], inventory: Inventory, production: Collection[ArmId]
) -> Iterator[Finding]:
    """What connects, or may connect, test networks with ``production``: a finding for each connection.

    ``tested`` has the pairs of each test network.
    A missing or unreadable test network is a problem of its pairs and is not checked here.
    """
    unread = unread_production(inventory)
    for network_id, pairs in tested.items():
        network = inventory.network(network_id)
        if not isinstance(network, VirtualNetwork):
            continue
        walk = _Walk(network, frozenset(production) - {network.id}, inventory)
        pair_name = pairs[0].name if len(pairs) == 1 else None
        if unread and network.id not in production:
            # An error, while a possible connection is a warning: no machine gets a network in which production may run.
            more = f"; and {len(unread) - 1} more" if len(unread) > 1 else ""
            yield finding(
                FindingKind.UNKNOWN,
                f"whether the test network {network.name} is production is not known, so no machine gets it: "
                f"could not read {unread[0]}{more}",
                vault=vault,
                pair=pair_name,
                subject=network.id,
                hint="plan again when it can be read ('asrnet doctor' shows what is missing)",
            )
        for connection in (*walk.connections(), *walk.other_connections()):
            yield finding(
                FindingKind.TEST_NETWORK_CONNECTED,
                f"the test network {network.name} {connection.text}",
                vault=vault,
                pair=pair_name,
                subject=network.id,
                hint="remove what connects it, or name another test network",
                severity="info" if connection.is_harmless else None,
            )
        if walk.doubts:
            # Only a warning: machines can be mapped and can fail over, and only a test may do harm.
            more = f"; and {len(walk.doubts) - 1} more" if len(walk.doubts) > 1 else ""
            yield finding(
                FindingKind.UNKNOWN,
                f"whether the test network {network.name} is connected to production is not known: "
                f"{walk.doubts[0]}{more}",
                vault=vault,
                pair=pair_name,
                subject=network.id,
                hint="make sure that it is not, or name another test network",
                severity="warning",
            )


def networks_around(pairs: Iterable[Pair], inventory: Inventory) -> set[ArmId]:
    """The networks that have to be read before the connections of the test networks of ``pairs`` can be judged.

    Reading them may reveal further networks, which only another call can name.
    """
    pairs = tuple(pairs)
    test_networks = {pair.test for pair in pairs if pair.test}
    unread = test_networks - inventory.networks.keys()
    # Only the networks of pairs are certain to remain in production after a plan is applied. What lies behind a network
    # that the plan takes out of production still counts.
    production = frozenset(end for pair in pairs for end in (pair.primary, pair.recovery) if end)
    for network_id in test_networks:
        network = inventory.networks.get(network_id)
        if network:
            walk = _Walk(network, production - {network_id}, inventory)
            walk.connections()
            unread |= walk.unread
    return unread - inventory.missing.keys()


class _Connection(Struct, frozen=True):
    """How a test network is connected, as the end of a sentence. ``is_harmless``: no packet passes through it."""

    text: str
    is_harmless: bool = False


class _Walk:
    """The walk from a test network along its peerings, through every network that forwards."""

    def __init__(self, start: VirtualNetwork, production: frozenset[ArmId], inventory: Inventory) -> None:
        self.doubts: list[str] = []
        self.unread: set[ArmId] = set()
        self._start = start
        self._production = production
        self._inventory = inventory

    def connections(self) -> list[_Connection]:
        """The chains of peerings that lead to production or to a gateway: the shortest one through each neighbour."""
        connections: list[_Connection] = []
        for peering in self._start.peerings:
            if not peering.connected:
                continue
            if peering.name.lower().startswith(_NETWORK_MANAGER):
                self.doubts.append(
                    f"a network manager made its peering {peering.name}, and its connected groups are not read"
                )
            connections += self._connections_through(peering)
        return connections

    def _connections_through(self, first: Peering) -> Iterator[_Connection]:
        reached: dict[str, list[str]] = defaultdict(list)
        peers_in_production: list[str] = []
        # The chain to each network that was reached. The search is breadth-first, so each chain is the shortest one.
        chains: dict[ArmId, tuple[str, ...]] = {self._start.id: (self._start.name,)}
        steps: deque[tuple[Peering, ArmId]] = deque([(first, self._start.id)])
        while steps:
            peering, previous_id = steps.popleft()
            network_id = self._inventory.in_azure_spelling(peering.network_id)
            if network_id in chains:
                continue
            chain = chains[network_id] = (*chains[previous_id], network_id.name)
            # This is a connection, so what lies behind this network does not matter.
            if network_id in self._production:
                reached[f"{network_id.name}, a network of production"].append(" - ".join(chain))
                continue
            network = self._inventory.network(network_id)
            if not isinstance(network, VirtualNetwork):
                self._doubt(network_id, chain, network)
                continue
            if network.gateway or peering.use_remote_gateways:
                reached[f"the gateway of {network.name}"].append(" - ".join(chain))
            for end in network.peerings:
                if not end.connected or end.network_id in chains:
                    continue
                # A hub can pass packets on between the networks around it, and each of them takes such packets only if
                # its own side of the peering allows forwarded traffic. ``return_peering`` decides for what the test
                # sends, ``peering`` for what production sends; one of the two is enough. Source: Virtual network
                # peering.
                return_peering = self._side_of(end.network_id, network.id)
                if peering.allow_forwarded or (return_peering and return_peering.allow_forwarded):
                    steps.append((end, network_id))
                elif end.network_id in self._production and return_peering is not None:
                    peers_in_production.append(end.network_id.name)
                elif return_peering is None:
                    self._doubt(end.network_id, (*chain, end.network_id.name), self._inventory.network(end.network_id))
        # One line for each neighbour: removing its peering cuts all chains that lead through it.
        for end_name, paths in list(reached.items())[:1]:
            others = f", and to {len(reached) - 1} more" if len(reached) > 1 else ""
            yield _Connection(f"is connected to {end_name}{others}: {paths[0]}")
        if peers_in_production and not reached:
            neighbour = first.network_id.name
            names = ", ".join(sorted(peers_in_production))
            yield _Connection(
                f"is peered with {neighbour}, like production's {names}; {neighbour} does not forward between them, "
                "but both reach what is in it",
                is_harmless=True,
            )

    def _doubt(self, network_id: ArmId, chain: Sequence[str], state: object) -> None:
        # The network of a virtual hub is in a subscription of Microsoft's, so a 404 for it proves nothing.
        is_virtual_hub = network_id.name.lower().startswith(_VIRTUAL_HUB)
        if isinstance(state, Absent) and not is_virtual_hub:
            return
        self.unread.add(network_id)
        reason = f": {state.error}" if isinstance(state, Unknown) else ""
        what = "a hub of a virtual WAN" if is_virtual_hub else "a network"
        self.doubts.append(f"{' - '.join(chain)} leads to {what} that could not be read{reason}")

    def _side_of(self, network_id: ArmId, hub_id: ArmId) -> Peering | None:
        """The peering with ``hub_id`` as ``network_id`` declares it; None if it was not read."""
        network = self._inventory.networks.get(network_id)
        peerings = network.peerings if network else ()
        return next((peering for peering in peerings if peering.network_id == hub_id), None)

    def other_connections(self) -> Iterator[_Connection]:
        """Connections with production other than peerings: a gateway of its own, and production's DNS."""
        if self._start.gateway:
            yield _Connection("has a gateway of its own")
        zone = self._start.registration_zone
        if zone is not None:
            # Machines under test have the names of production machines and would take over their DNS records.
            for network_id in sorted(self._production):
                network = self._inventory.networks.get(network_id)
                if network and network.registration_zone == zone:
                    yield _Connection(
                        f"registers its machines in the private DNS zone {zone.name}, "
                        f"like {network.name}, a network of production"
                    )
                    break
        servers = {
            server: network.name
            for network_id in sorted(self._production)
            if (network := self._inventory.networks.get(network_id))
            for server in network.dns_servers
        }
        own_addresses = []
        for prefix in self._start.address_space:
            with suppress(InputError):  # an invalid range contains no server
                own_addresses.append(span(prefix))
        for server in filter(servers.__contains__, self._start.dns_servers):
            # An address of the test network itself is a machine under test: packets for it stay in the network.
            is_inside = any(number(server) in addresses for addresses in own_addresses)
            where = "; it is one of its own addresses, so only a machine under test can answer" if is_inside else ""
            text = f"has the DNS server {server} of {servers[server]}, a network of production{where}"
            yield _Connection(text, is_inside)

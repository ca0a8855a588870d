"""The networks of the HTML report: each is listed once, with its number, address space and state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from asrnet.failover.addresses import capacity
from asrnet.failover.subnets import choose_subnet, is_reserved
from asrnet.inventory.read import Absent, Inventory
from asrnet.model.arm import ArmId
from asrnet.model.azure import VirtualNetwork
from asrnet.render.page_data import PageNetwork, PageSubnet

NOT_KNOWN: Final = "not known yet"


class Nodes:
    """Numbers networks in the order of first use. ``made`` has the networks that the plan creates."""

    def __init__(self, inventory: Inventory | None, made: Mapping[ArmId, VirtualNetwork]) -> None:
        self._inventory = inventory
        self._made = made
        self._display = inventory.display_names() if inventory else {}
        self._numbers: dict[ArmId, int] = {}
        self._nodes: list[PageNetwork] = []

    def number(self, network_id: ArmId, place: str | None = None, name: str = "") -> int:
        """The number of a network; ``place`` is its region or server and ``name`` its display name, where known."""
        if network_id not in self._numbers:
            self._numbers[network_id] = len(self._nodes)
            self._nodes.append(self._node(network_id, place, name))
        return self._numbers[network_id]

    def place(self, number: int) -> str:
        """The region or server of a network; empty if unknown."""
        return self._nodes[number].place

    def nameless(self, place: str) -> int:
        """The number of a new node for a network that is not known yet."""
        self._nodes.append(PageNetwork(id="", name=NOT_KNOWN, place=place))
        return len(self._nodes) - 1

    def network(self, network_id: ArmId) -> VirtualNetwork | None:
        """The network as it was read, or as the plan creates it."""
        read = self._inventory.networks.get(network_id) if self._inventory else None
        return read or self._made.get(network_id)

    def all(self) -> tuple[PageNetwork, ...]:
        """All networks in the order of their numbers."""
        return tuple(self._nodes)

    def _node(self, network_id: ArmId, place: str | None, name: str) -> PageNetwork:
        network = self.network(network_id)
        missing = self._inventory.missing.get(network_id) if self._inventory else None
        state = "gone" if isinstance(missing, Absent) else "unknown" if missing else ""
        if network_id in self._made:
            state = "new"
        return PageNetwork(
            id=str(network_id),
            name=name or self._display.get(network_id, network_id.name),
            place=place or (network.location if network else ""),
            space=network.address_space if network else (),
            state=state,
        )


def subnet_rows(primary: VirtualNetwork | None, recovery: VirtualNetwork | None) -> tuple[PageSubnet, ...]:
    """The subnets of both networks, matched by name; empty if either network is unknown."""
    if primary is None or recovery is None:
        return ()
    unmatched = {subnet.name.lower(): subnet for subnet in recovery.subnets}
    names = [subnet.name for subnet in recovery.subnets]
    rows = []
    for subnet in primary.subnets:
        twin = unmatched.pop(subnet.name.lower(), None)
        choice = None if twin or is_reserved(subnet.name) else choose_subnet(names, subnet.name)
        rows.append(
            PageSubnet(
                name=subnet.name,
                primary=subnet.prefixes,
                recovery=twin.prefixes if twin else (),
                used=subnet.used,
                lands=choice.name if choice else "",
                small=twin is not None and capacity(twin.prefixes) < subnet.used,
            )
        )
    return (*rows, *(PageSubnet(name=subnet.name, recovery=subnet.prefixes) for subnet in unmatched.values()))

"""The networks of a prediction, and how to find one by the names that people use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from asrnet.errors import InputError, did_you_mean
from asrnet.model.arm import normal_location
from asrnet.model.azure import Fabric, VirtualNetwork, VmNetwork

Network = VirtualNetwork | VmNetwork
"""A network that machines are on or land on."""


def network_name(network: Network) -> str:
    """The display name of a network."""
    return network.name if isinstance(network, VirtualNetwork) else network.friendly_name


class NetworkNames:
    """Finds networks by id, name, ``group/name``, ``subscription/group/name`` or, a VM network, ``server/name``.

    ``fabrics`` give the names of VMM servers, ``subscriptions`` maps aliases to GUIDs.
    """

    def __init__(
        self,
        networks: Iterable[Network],
        *,
        fabrics: Iterable[Fabric] = (),
        subscriptions: Mapping[str, str] | None = None,
    ) -> None:
        fabrics = tuple(fabrics)
        self._servers = {fabric.id: fabric.friendly_name for fabric in fabrics if fabric.friendly_name}
        self._aliases: defaultdict[str, list[str]] = defaultdict(list)
        for alias, subscription in (subscriptions or {}).items():
            self._aliases[subscription.lower()].append(alias)
        self._by_name: defaultdict[str, list[Network]] = defaultdict(list)
        self._as_written: dict[str, str] = {}
        self._regions = {fabric.location for fabric in fabrics if fabric.location}
        for network in networks:
            names = {name.lower(): name for name in self._names_of(network)}
            self._as_written |= names
            for name in names:
                self._by_name[name].append(network)
            if isinstance(network, VirtualNetwork):
                self._regions.add(network.location)

    def find(self, name: str) -> Network:
        """Find the network called ``name``, ignoring case. Raises InputError if there is none, or more than one."""
        networks = self._by_name.get(name.strip().lower(), [])
        if len(networks) == 1:
            return networks[0]
        if networks:
            ids = ", ".join(sorted(str(network.id) for network in networks))
            raise InputError(f"several networks are called '{name}': {ids}", hint="give the id of the one you mean")
        # Names of the same form only: "group/hub" is no suggestion for "hub".
        candidates = (written for written in self._as_written.values() if written.count("/") == name.count("/"))
        raise InputError(f"unknown network '{name}'{did_you_mean(name, candidates)}")

    def region(self, name: str) -> str:
        """The short name of a region. Raises InputError if no network and no fabric is in it."""
        location = normal_location(name)
        if location not in self._regions:
            raise InputError(
                f"no network and no fabric is in the region '{name}'{did_you_mean(location, self._regions)}",
                hint=f"known regions: {', '.join(sorted(self._regions)) or 'none'}",
            )
        return location

    def _names_of(self, network: Network) -> Iterator[str]:
        yield str(network.id)
        yield network_name(network)
        if isinstance(network, VirtualNetwork):
            within_group = f"{network.id.resource_group}/{network.name}"
            yield within_group
            for subscription in (network.id.subscription, *self._aliases[network.id.subscription]):
                yield f"{subscription}/{within_group}"
        else:
            yield network.id.name
            yield f"{network.fabric_id.name}/{network_name(network)}"
            if network.fabric_id in self._servers:
                yield f"{self._servers[network.fabric_id]}/{network_name(network)}"

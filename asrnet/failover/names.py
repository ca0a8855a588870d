"""Networks by the names that people use."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

from asrnet.errors import InputError
from asrnet.failover.machines import Network, network_name
from asrnet.files.problems import did_you_mean
from asrnet.model.azure import Fabric, VirtualNetwork


class NetworkNames:
    """Finds networks by id, name, ``group/name``, ``subscription/group/name`` or, a VM network, ``server/name``.

    ``fabrics`` tell the names of VMM servers, ``subscriptions`` maps aliases to GUIDs.
    """

    def __init__(
        self,
        networks: Iterable[Network],
        *,
        fabrics: Iterable[Fabric] = (),
        subscriptions: Mapping[str, str] | None = None,
    ) -> None:
        self._servers = {fabric.id: fabric.friendly_name for fabric in fabrics if fabric.friendly_name}
        self._aliases: defaultdict[str, list[str]] = defaultdict(list)
        for alias, subscription in (subscriptions or {}).items():
            self._aliases[subscription.lower()].append(alias)
        self._found: defaultdict[str, list[Network]] = defaultdict(list)
        self._spelled: dict[str, str] = {}
        for network in networks:
            names = {name.lower(): name for name in self._names_of(network)}
            self._spelled |= names
            for name in names:
                self._found[name].append(network)

    def find(self, name: str) -> Network:
        """The network called ``name``, without case. Raises InputError where there is none, or several."""
        found = self._found.get(name.strip().lower(), [])
        if len(found) == 1:
            return found[0]
        if found:
            ids = ", ".join(sorted(str(network.id) for network in found))
            raise InputError(f"several networks are called '{name}': {ids}", hint="give the id of the one you mean")
        alike = (known for known in self._spelled.values() if known.count("/") == name.count("/"))
        raise InputError(f"unknown network '{name}'{did_you_mean(name, alike)}")

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

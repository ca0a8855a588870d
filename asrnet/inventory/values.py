"""What was read from Azure, as values: present, certainly absent, or unknown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Literal

from msgspec import Struct

from asrnet.desired import DesiredState
from asrnet.desired.pairs import Resolution, resolve
from asrnet.errors import AsrError
from asrnet.model.access import Rights
from asrnet.model.arm import ArmId
from asrnet.model.azure import (
    Fabric,
    Job,
    NetworkMapping,
    NetworkSecurityGroup,
    ProtectedItem,
    RouteTable,
    UnreadableMapping,
    VirtualNetwork,
)
from asrnet.vmm import Topology


class Absent(Struct, frozen=True, kw_only=True):
    """A network that certainly does not exist. With ``no_group``, its resource group does not exist either."""

    no_group: bool = False


class Unknown(Struct, frozen=True, kw_only=True):
    """Something that could not be read from Azure, and why."""

    error: AsrError


class VaultInventory(Struct, frozen=True, kw_only=True):
    """What was read of one vault. If ``error`` is set, ignore everything else.

    ``unreadable`` are the mappings that do not say what they map. ``items`` and ``running_jobs`` are Unknown
    when they could not be read; ``location`` is None when it could not. ``rights`` are read only where machines follow.
    ``topology`` is empty if the vault has no VMM servers.
    """

    name: str
    id: ArmId
    location: str | None = None
    fabrics: tuple[Fabric, ...] = ()
    mappings: tuple[NetworkMapping, ...] = ()
    unreadable: tuple[UnreadableMapping, ...] = ()
    items: tuple[ProtectedItem, ...] | Unknown = ()
    running_jobs: tuple[Job, ...] | Unknown = ()
    rights: tuple[Rights, ...] | Unknown | None = None
    topology: Topology | Unknown = Topology()
    error: AsrError | None = None


PartKind = Literal["vault", "servers", "machines", "jobs", "subscription", "network"]


class UnreadPart(Struct, frozen=True, kw_only=True):
    """A part of the inventory that could not be read, and why."""

    kind: PartKind
    name: str
    error: AsrError

    def __str__(self) -> str:
        return f"{self.name}: {self.error}"


class Inventory(Struct, frozen=True, kw_only=True):
    """The state of Azure as far as the desired state is concerned, at ``read_at`` (seconds since 1970).

    ``attachments`` are the security groups and route tables that copies are to be attached to. ``listed`` are the
    subscriptions whose networks were listed, ``subscriptions`` those whose lists failed, and why. ``without_region``
    are the networks on these lists that do not say their region; they are also in ``missing``. ``other_vaults`` are the
    vaults outside this run. Only their mappings and, if tests are declared, their machines are read: they show which
    other networks are in use.
    """

    read_at: float
    vaults: Mapping[str, VaultInventory]
    networks: Mapping[ArmId, VirtualNetwork]
    missing: Mapping[ArmId, Absent | Unknown]
    subscriptions: Mapping[str, AsrError]
    attachments: Mapping[ArmId, NetworkSecurityGroup | RouteTable | Absent | Unknown] = {}
    listed: frozenset[str] = frozenset()
    without_region: frozenset[ArmId] = frozenset()
    other_vaults: Mapping[str, VaultInventory] = {}
    tenant: str = ""

    @property
    def today(self) -> date:
        """The day (UTC) of the reading."""
        return datetime.fromtimestamp(self.read_at, UTC).date()

    def network(self, network_id: ArmId) -> VirtualNetwork | Absent | Unknown:
        """The network, or why there is none."""
        state = self.networks.get(network_id) or self.missing.get(network_id)
        if state:
            return state
        error = self.subscriptions.get(network_id.subscription)
        return Unknown(error=error or AsrError(f"{network_id} was not looked for"))

    def in_azure_spelling(self, network_id: ArmId) -> ArmId:
        """The id in the network's own spelling: Site Recovery answers in lower case."""
        network = self.networks.get(network_id)
        return network.id if network else network_id

    def unread(self, *kinds: PartKind) -> tuple[str, ...]:
        """The parts of these ``kinds`` that could not be read, and why; one line each."""
        parts: list[UnreadPart] = []
        for vault in self.vaults.values():
            if vault.error:
                parts.append(UnreadPart(kind="vault", name=f"vault {vault.name}", error=vault.error))
            lists: tuple[tuple[PartKind, str, object], ...] = (
                ("servers", "the VMM servers", vault.topology),
                ("machines", "the machines", vault.items),
                ("jobs", "the jobs", vault.running_jobs),
            )
            for kind, part_name, answer in lists:
                if isinstance(answer, Unknown):
                    parts.append(UnreadPart(kind=kind, name=f"{part_name} of vault {vault.name}", error=answer.error))
        for name, error in self.subscriptions.items():
            parts.append(UnreadPart(kind="subscription", name=f"subscription {name}", error=error))
        for network_id, state in self.missing.items():
            if isinstance(state, Unknown):
                parts.append(UnreadPart(kind="network", name=str(network_id), error=state.error))
        return tuple(str(part) for part in parts if part.kind in kinds)

    def display_names(self) -> dict[ArmId, str]:
        """The display names of the networks, in their own spelling; for VM networks the name instead of the GUID."""
        topologies = (vault.topology for vault in self.vaults.values())
        servers = (server for topology in topologies if isinstance(topology, Topology) for server in topology.servers)
        vm_networks = {network.id: network.name for server in servers for network in server.networks if network.id}
        return {**{network.id: network.name for network in self.networks.values()}, **vm_networks}

    def resolved(self, desired: DesiredState) -> Resolution:
        """The pairs of ``desired`` among these networks."""
        live = {name: vault.mappings for name, vault in {**self.other_vaults, **self.vaults}.items()}
        return resolve(desired, self.networks, live, self.today)

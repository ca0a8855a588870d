"""Protected items of a world: reading them, enabling replication, moving NICs, disabling."""

from __future__ import annotations

from asrnet.fake.operations import Started
from asrnet.fake.records import EnableRequest, VirtualMachine
from asrnet.fake.state import State
from asrnet.ids import ArmId
from asrnet.models import Nic, ProtectedItem


class ProtectedItems:
    """Replicated machines."""

    def __init__(self, state: State) -> None:
        self._state = state

    def list(self, vault_id: ArmId) -> tuple[ProtectedItem, ...]:
        """All protected items of a vault. Raises NotFoundError and VaultUnusedError."""
        raise NotImplementedError

    def list_container(self, container_id: ArmId) -> tuple[ProtectedItem, ...]:
        """The protected items of one container."""
        raise NotImplementedError

    def get(self, item_id: ArmId) -> ProtectedItem:
        """One protected item. Raises NotFoundError."""
        raise NotImplementedError

    def enable(self, item_id: ArmId, request: EnableRequest) -> Started:
        """Enable replication of an Azure machine (PUT of an A2A item).

        On a network without a mapping this creates both mappings, and by default the ``<name>-asr`` network; with one,
        its network is the default, and another is accepted, or refused where the world is ``strict_mapping``.
        """
        raise NotImplementedError

    def update(self, item_id: ArmId, nics: tuple[Nic, ...]) -> Started:
        """Change the recovery settings of NICs, by name (PATCH). Raises NotFoundError."""
        raise NotImplementedError

    def delete(self, item_id: ArmId, *, method: str = "DELETE") -> Started:
        """Disable replication: DELETE purges, POST removes. Raises NotFoundError."""
        raise NotImplementedError


class VirtualMachines:
    """Machines in Azure that can be protected."""

    def __init__(self, state: State) -> None:
        self._state = state

    def list(self, subscription: str) -> tuple[VirtualMachine, ...]:
        """The machines of a subscription."""
        with self._state.lock:
            return tuple(self._state.virtual_machines.values(subscription.lower()))

    def put(self, machine: VirtualMachine) -> None:
        """Make a machine exist, at once."""
        with self._state.lock:
            self._state.ensure_group(machine.id, machine.location)
            self._state.virtual_machines.put(machine.id.subscription, machine.id.key, machine)

"""Protected items of a world: reading them, enabling replication, moving NICs, disabling."""

from __future__ import annotations

import msgspec

from asrnet.fake import refusals
from asrnet.fake.enabling import Enabling
from asrnet.fake.operations import Started, Write
from asrnet.fake.records import EnableRequest, VirtualMachine
from asrnet.fake.state import State
from asrnet.model.arm import ASR_NETWORK, ArmId
from asrnet.model.azure import Nic, ProtectedItem


class ProtectedItems:
    """Replicated machines."""

    def __init__(self, state: State) -> None:
        self._state = state

    def list(self, vault_id: ArmId) -> tuple[ProtectedItem, ...]:
        """All protected items of a vault. Raises NotFoundError and VaultUnusedError."""
        with self._state.request("GET", f"{vault_id}/replicationProtectedItems") as admission:
            vault = self._state.known_vault(vault_id)
            items = self._state.protected_items.values(vault.id.key, lag=admission.lag)
            return self._state.listed(self._told(item) for item in items)

    def list_container(self, container_id: ArmId) -> tuple[ProtectedItem, ...]:
        """The protected items of one container."""
        with self._state.request("GET", f"{container_id}/replicationProtectedItems") as admission:
            vault = self._state.fabric(container_id.parent).id.parent
            items = self._state.protected_items.values(vault.key, lag=admission.lag)
            return self._state.listed(self._told(item) for item in items if item.id.parent == container_id)

    def get(self, item_id: ArmId) -> ProtectedItem:
        """One protected item. Raises NotFoundError."""
        with self._state.request("GET", item_id):
            return self._told(self._existing(item_id))

    def enable(self, item_id: ArmId, request: EnableRequest) -> Started:
        """Enable replication of an Azure machine (PUT of an A2A item).

        On a network without a mapping this creates both mappings, and by default the ``<name>-asr`` network; with one,
        its network is the default, and another is accepted, or refused where the world is ``strict_mapping``.
        """
        with self._state.request("PUT", item_id) as admission:
            enabling = Enabling(self._state, item_id, request)
            write = self._write("PUT", item_id, "EnableDr", request.machine_id.name)
            return self._state.start(write, enabling.take_effect, admission)

    def update(self, item_id: ArmId, nics: tuple[Nic, ...]) -> Started:
        """Change the recovery settings of NICs, by name (PATCH). Raises NotFoundError."""
        with self._state.request("PATCH", item_id) as admission:
            item = self._existing(item_id)
            write = self._write("PATCH", item_id, "UpdateVmProperties", item.friendly_name)
            return self._state.start(write, lambda: self._update(item_id, nics), admission)

    def delete(self, item_id: ArmId, *, method: str = "DELETE") -> Started:
        """Disable replication: DELETE purges, POST removes. Raises NotFoundError."""
        path = f"{item_id}/remove" if method == "POST" else str(item_id)
        with self._state.request(method, path) as admission:
            item = self._existing(item_id)
            write = self._write(method, item_id, "DisableDr", item.friendly_name)
            forget = self._state.protected_items.remove
            return self._state.start(write, lambda: forget(item.vault_id.key, item_id.key), admission)

    def _told(self, item: ProtectedItem) -> ProtectedItem:
        """The item as the service tells it: of an on-premises machine's network the friendly name, not the id."""
        nics = tuple(self._named(nic) for nic in item.nics)
        return item if nics == item.nics else msgspec.structs.replace(item, nics=nics)

    def _named(self, nic: Nic) -> Nic:
        network_id = nic.primary_network_id
        if network_id is None or network_id.type != ASR_NETWORK:
            return nic
        record = self._state.vm_networks.get(network_id.parent.key, network_id.key)
        name = record.network.friendly_name if record else network_id.name
        return msgspec.structs.replace(nic, primary_network_id=None, primary_network=name)

    def _existing(self, item_id: ArmId) -> ProtectedItem:
        vault = self._state.fabric(item_id.parent.parent).id.parent
        item = self._state.protected_items.get(vault.key, item_id.key)
        if item is None:
            raise refusals.missing(item_id)
        return item

    def _update(self, item_id: ArmId, nics: tuple[Nic, ...]) -> None:
        item = self._existing(item_id)
        wanted = {nic.name: nic for nic in nics}
        updated = tuple(_with_settings(nic, wanted.get(nic.name)) for nic in item.nics)
        changed = msgspec.structs.replace(item, nics=updated)
        self._state.protected_items.put(item.vault_id.key, item.id.key, changed)

    def _write(self, method: str, item_id: ArmId, scenario: str, target: str) -> Write:
        return Write(
            method=method,
            resource_id=item_id,
            timing=self._state.behaviour.operations,
            scenario=scenario,
            target=target,
        )


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


def _with_settings(nic: Nic, wanted: Nic | None) -> Nic:
    if wanted is None:
        return nic
    return msgspec.structs.replace(
        nic,
        recovery_network_id=wanted.recovery_network_id or nic.recovery_network_id,
        test_network_id=wanted.test_network_id or nic.test_network_id,
        ip_configurations=wanted.ip_configurations or nic.ip_configurations,
    )

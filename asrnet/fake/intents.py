"""Protection intents: a single request that protects an Azure machine in another region, as the portal does."""

from __future__ import annotations

import msgspec

from asrnet.fake import refusals
from asrnet.fake.machines import ProtectedItems
from asrnet.fake.records import CloudRecord, EnableRequest, Intent, IntentRequest
from asrnet.fake.state import State
from asrnet.model.arm import VAULT, ArmId, normal_location
from asrnet.model.azure import Cloud, Fabric
from asrnet.model.regions import region_name


class Intents:
    """Protection intents. Missing fabrics and containers are created under the names that the portal uses."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._items = ProtectedItems(state)

    def list(self, vault_id: ArmId) -> tuple[Intent, ...]:
        """All protection intents of a vault. Raises NotFoundError and VaultUnusedError."""
        with self._state.request("GET", f"{vault_id}/replicationProtectionIntents"):
            vault = self._state.known_vault(vault_id)
            return self._state.listed(self._state.intents.values(vault.id.key))

    def get(self, intent_id: ArmId) -> Intent:
        """One protection intent. Raises NotFoundError."""
        with self._state.request("GET", intent_id):
            vault = self._state.known_vault(intent_id)
            intent = self._state.intents.get(vault.id.key, intent_id.key)
            if intent is None:
                raise refusals.missing(intent_id)
            return intent

    def put(self, intent_id: ArmId, request: IntentRequest) -> Intent:
        """Start to protect a machine; its job continues afterwards. Raises NotFoundError if the machine is missing.

        If the network rules refuse it once the fabrics exist, the job fails.
        """
        with self._state.request("PUT", intent_id) as admission:
            # Specified: the answer comes at once and names the job that does the work.
            vault = self._state.vault(intent_id)
            machine = request.machine_id
            if self._state.virtual_machines.get(machine.subscription, machine.key) is None:
                raise refusals.missing(machine)
            write = self._state.write("PUT", intent_id, "EnableDr", machine.name)
            started = self._state.start(write, lambda: self._protect(intent_id, request), admission)
            intent = Intent(id=intent_id, request=request, job=started.id)
            self._state.intents.put(vault.id.key, intent_id.key, intent)
            return intent

    def _protect(self, intent_id: ArmId, request: IntentRequest) -> None:
        vault_id = intent_id.within(VAULT) or intent_id
        primary = self._container(self._fabric(vault_id, request.primary_location))
        recovery = self._container(self._fabric(vault_id, request.recovery_location))
        item_id = primary.id.child("replicationProtectedItems", intent_id.name)
        enable = EnableRequest(
            machine_id=request.machine_id,
            recovery_container_id=recovery.id,
            recovery_network_id=request.recovery_network_id,
            new_network_id=request.new_network_id,
            recovery_subnet=request.recovery_subnet,
            recovery_resource_group_id=request.recovery_resource_group_id,
        )
        self._items.protect(item_id, enable)

    def _fabric(self, vault_id: ArmId, location: str) -> Fabric:
        short = normal_location(location)
        fabrics = self._state.fabrics.values(vault_id.key)
        fabric = next((fabric for fabric in fabrics if fabric.location == short), None)
        if fabric is None:
            fabric_id = vault_id.child("replicationFabrics", f"asr-a2a-default-{short}")
            fabric = Fabric(id=fabric_id, kind="azure", location=short, friendly_name=region_name(short))
            vault = self._state.vault(vault_id)
            self._state.vaults.put(vault.id.subscription, vault.id.key, msgspec.structs.replace(vault, used=True))
            self._state.fabrics.put(vault.id.key, fabric.id.key, fabric, first=True)
        return fabric

    def _container(self, fabric: Fabric) -> Cloud:
        record = next(iter(self._state.clouds.values(fabric.id.key)), None)
        if record is None:
            name = f"{fabric.name}-container"
            cloud = Cloud(id=fabric.id.child("replicationProtectionContainers", name), friendly_name=name)
            record = CloudRecord(cloud=cloud)
            self._state.clouds.put(fabric.id.key, cloud.id.key, record)
        return record.cloud

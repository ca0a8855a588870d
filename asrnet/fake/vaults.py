"""Recovery Services vaults of a world, and the fabrics in them."""

from __future__ import annotations

import msgspec

from asrnet.fake import refusals
from asrnet.fake.operations import Started, Write, stable_guid
from asrnet.fake.records import CloudRecord, Site, VaultResource
from asrnet.fake.state import State
from asrnet.model.arm import ArmId, normal_location
from asrnet.model.azure import Cloud, Fabric
from asrnet.model.regions import region_name


class Vaults:
    """Recovery Services vaults."""

    def __init__(self, state: State) -> None:
        self._state = state

    def list(self, subscription: str, resource_group: str | None = None) -> tuple[VaultResource, ...]:
        """The vaults of a subscription or of one resource group."""
        group = f"/resourceGroups/{resource_group}" if resource_group else ""
        path = f"/subscriptions/{subscription}{group}/providers/Microsoft.RecoveryServices/vaults"
        with self._state.request("GET", path):
            return self._state.listed(
                vault
                for vault in self._state.vaults.values(subscription.lower())
                if resource_group is None or vault.id.resource_group.lower() == resource_group.lower()
            )

    def get(self, vault_id: ArmId) -> VaultResource:
        """One vault. Raises NotFoundError (ResourceNotFound) and ResourceGroupNotFoundError."""
        with self._state.request("GET", vault_id):
            return self._state.vault(vault_id)

    def put(self, vault: VaultResource) -> Started:
        """Create or replace a vault. It exists at once, and its fabrics and machines are kept."""
        with self._state.request("PUT", vault.id) as admission:
            current = self._state.vaults.get(vault.id.subscription, vault.id.key)
            created = current is None
            vault = msgspec.structs.replace(vault, location=normal_location(vault.location))
            if current is not None and current.location != vault.location:
                raise refusals.in_other_location(current.id, current.location, vault.location)
            timing = self._state.behaviour.operations
            write = Write(method="PUT", resource_id=vault.id, timing=timing, created=created)
            # A vault exists at once, while it is still Provisioning.
            started = self._state.start(write, lambda: None, admission)
            used = vault.used or (current is not None and current.used)
            vault = msgspec.structs.replace(vault, used=used)
            self._state.vaults.put(vault.id.subscription, vault.id.key, vault)
            return started

    def delete(self, vault_id: ArmId) -> Started | None:
        """Delete a vault; None if it does not exist. It is refused while the vault has fabrics."""
        with self._state.request("DELETE", vault_id) as admission:
            vault = self._state.vaults.get(vault_id.subscription, vault_id.key)
            if vault is None:
                return None
            fabrics = self._state.fabrics.values(vault_id.key)
            if fabrics:
                names = ", ".join(fabric.friendly_name or fabric.name for fabric in fabrics)
                raise self._state.assumed("vault_in_use", vault_id.name, names, resource_id=vault_id)
            write = Write(method="DELETE", resource_id=vault.id, timing=self._state.behaviour.operations)

            return self._state.start(write, lambda: forget_vault(self._state, vault_id), admission)


class Fabrics:
    """Fabrics: Azure regions, at most one per region and vault, VMM servers, and sites."""

    def __init__(self, state: State) -> None:
        self._state = state

    def list(self, vault_id: ArmId) -> tuple[Fabric, ...]:
        """The fabrics of a vault, the newest first. Raises NotFoundError and VaultUnusedError."""
        with self._state.request("GET", f"{vault_id}/replicationFabrics") as admission:
            vault = self._state.known_vault(vault_id)
            return self._state.listed(self._state.fabrics.values(vault.id.key, lag=admission.lag))

    def get(self, fabric_id: ArmId) -> Fabric:
        """One fabric. Raises NotFoundError (FabricArmEntityMissing) and VaultUnusedError."""
        with self._state.request("GET", fabric_id):
            return self._state.fabric(fabric_id)

    def put(self, fabric_id: ArmId, location: str) -> Started:
        """Create the fabric of an Azure region, which makes the vault known to Site Recovery.

        Raises ConflictError if another fabric of the vault is for the same region (assumption).
        """
        with self._state.request("PUT", fabric_id) as admission:
            self._state.vault(fabric_id)
            region, name = normal_location(location), region_name(location)
            fabric = Fabric(id=fabric_id, kind="azure", location=region, friendly_name=name)
            self._refuse_second(fabric)

            def create() -> None:
                self._refuse_second(fabric)
                vault = self._state.vault(fabric.id)
                self._state.vaults.put(vault.id.subscription, vault.id.key, msgspec.structs.replace(vault, used=True))
                # Recorded: the newest fabric is listed first. Those of a world file keep its order.
                self._state.fabrics.put(vault.id.key, fabric.id.key, fabric, first=True)

            return self._state.start(self._write("PUT", fabric, "FabricCreation"), create, admission)

    def put_site(self, site: Site) -> Started:
        """Register a site on premises. It gets one container, because it has no clouds (assumption)."""
        fabric_id = site.fabric_id
        with self._state.request("PUT", fabric_id) as admission:
            self._state.vault(fabric_id)
            fabric = Fabric(id=fabric_id, kind="other", friendly_name=fabric_id.name)

            def create() -> None:
                vault = self._state.vault(fabric_id)
                self._state.vaults.put(vault.id.subscription, vault.id.key, msgspec.structs.replace(vault, used=True))
                self._state.fabrics.put(vault.id.key, fabric_id.key, fabric, first=True)
                self._state.sites.put(vault.id.key, fabric_id.key, site)
                if not self._state.clouds.values(fabric_id.key):
                    # As in the specification's example of a Hyper-V site: the name ends with the fabric's internal
                    # identifier.
                    name = f"cloud_{stable_guid(str(fabric_id))}"
                    container_id = fabric_id.child("replicationProtectionContainers", name)
                    cloud = Cloud(id=container_id, friendly_name=fabric_id.name)
                    self._state.clouds.put(fabric_id.key, container_id.key, CloudRecord(cloud=cloud))

            return self._state.start(self._write("PUT", fabric, "FabricCreation"), create, admission)

    def remove(self, fabric_id: ArmId) -> Started:
        """Remove a fabric (POST remove). Raises ConflictError while it protects machines (assumption)."""
        with self._state.request("POST", f"{fabric_id}/remove") as admission:
            fabric = self._state.fabric(fabric_id)
            items = self._state.protected_items.values(fabric_id.parent.key)
            if any(item.fabric_id == fabric_id for item in items):
                raise self._state.assumed("fabric_in_use", fabric_id.name, resource_id=fabric_id)
            write = self._write("POST", fabric, "FabricRemoval")
            return self._state.start(write, lambda: forget_fabric(self._state, fabric_id), admission)

    def purge(self, fabric_id: ArmId) -> Started:
        """Remove a fabric with its mappings and everything else in it (DELETE). Raises NotFoundError."""
        with self._state.request("DELETE", fabric_id) as admission:
            write = self._write("DELETE", self._state.fabric(fabric_id), "FabricRemoval")
            return self._state.start(write, lambda: forget_fabric(self._state, fabric_id), admission)

    def _refuse_second(self, fabric: Fabric) -> None:
        for other in self._state.fabrics.values(fabric.id.parent.key):
            if other.kind == "azure" and other.location == fabric.location and other.id != fabric.id:
                parts = (other.name, other.location)
                raise self._state.assumed("duplicate_fabric", *parts, resource_id=other.id)

    def _write(self, method: str, fabric: Fabric, scenario: str) -> Write:
        behaviour = self._state.behaviour
        return Write(
            method=method,
            resource_id=fabric.id,
            timing=behaviour.fabric_operations or behaviour.operations,
            scenario=scenario,
            target=fabric.friendly_name,
            subject=fabric,
        )


def forget_vault(state: State, vault_id: ArmId) -> None:
    """Remove a vault and everything in it, so that a new one of that name starts empty."""
    for fabric in state.fabrics.values(vault_id.key):  # one may have been created since the request was accepted
        forget_fabric(state, fabric.id)
    for store in (state.policies, state.plans, state.intents):
        store.clear(vault_id.key)
    state.vaults.remove(vault_id.subscription, vault_id.key)


def forget_fabric(state: State, fabric_id: ArmId) -> None:
    """Remove a fabric, everything below it, and whatever refers to it in other fabrics."""
    vault, below = fabric_id.parent.key, f"{fabric_id.key}/"
    for mapping in state.mappings.values(vault):
        if mapping.id.key.startswith(below) or mapping.recovery_fabric_id == fabric_id:
            state.remove_mapping(mapping.id)
    for unreadable in state.unreadable_mappings.values(vault):
        if unreadable.id.key.startswith(below):
            state.remove_mapping(unreadable.id)
    for item in state.protected_items.values(vault):
        if item.id.key.startswith(below) or item.recovery_fabric_id == fabric_id:
            state.remove_item(item.id)
    for cloud_mapping in state.cloud_mappings.values(vault):
        recovery = cloud_mapping.recovery_cloud_id
        if cloud_mapping.id.key.startswith(below) or (recovery is not None and recovery.parent == fabric_id):
            state.cloud_mappings.remove(vault, cloud_mapping.id.key)
    for scope in (state.vm_networks, state.logical_networks, state.clouds, state.hosts, state.source_machines):
        scope.clear(fabric_id.key)
    state.sites.remove(vault, fabric_id.key)
    state.fabrics.remove(vault, fabric_id.key)

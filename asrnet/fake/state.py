"""The state that all parts of a world share: resources, clock and lock, and the handling of every request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from threading import RLock
from typing import Final, TypeVar

import msgspec
from msgspec import Struct

from asrnet.errors import ServiceError
from asrnet.fake import refusals
from asrnet.fake.behaviour import Assumption, Behaviour
from asrnet.fake.faults import Fault, Faults
from asrnet.fake.journal import Journal, action_of, type_of
from asrnet.fake.operations import Effect, Operations, Started, Write
from asrnet.fake.records import (
    CloudRecord,
    Host,
    Intent,
    RecoveryPlan,
    ReplicationPolicy,
    Site,
    SiteKind,
    SourceMachine,
    Subscription,
    VaultResource,
    VirtualMachine,
    VmNetworkRecord,
)
from asrnet.fake.store import Past, Store
from asrnet.model.arm import VAULT, ArmId
from asrnet.model.azure import (
    Cloud,
    CloudMapping,
    Fabric,
    Job,
    LogicalNetwork,
    NetworkInterface,
    NetworkMapping,
    NetworkSecurityGroup,
    ProtectedItem,
    ResourceGroup,
    RouteTable,
    UnreadableMapping,
    VirtualNetwork,
)
from asrnet.ports import Clock

V = TypeVar("V")

TENANT: Final = "22222222-2222-2222-2222-222222222222"
_READS: Final = frozenset({"GET", "HEAD"})
# Subscriptions have to register these before they can use them; Microsoft.Resources is always registered.
_REGISTERED_ON_DEMAND: Final = ("microsoft.network", "microsoft.recoveryservices")


class Admission(Struct, frozen=True):
    """The conditions of a request: the faults of its operation, and the lag of its list in seconds."""

    faults: tuple[Fault, ...] = ()
    lag: float = 0.0


class State:
    """The resources of a world and everything else that it stores."""

    def __init__(self, clock: Clock, behaviour: Behaviour, tenant: str) -> None:
        self.clock = clock
        self.behaviour = behaviour
        self.tenant = tenant
        self.lock = RLock()
        self.journal = Journal()
        self.faults = Faults()
        self.operations = Operations(clock)
        # The changes of an operation date from its end, even if a later request triggers them.
        self.past = Past(self.operations.now)
        self.registered: set[tuple[str, str]] = set()
        self.subscriptions: dict[str, Subscription] = {}
        self.groups: Store[ResourceGroup] = Store(self.past)
        self.virtual_networks: Store[VirtualNetwork] = Store(self.past)
        self.virtual_machines: Store[VirtualMachine] = Store(self.past)
        self.security_groups: Store[NetworkSecurityGroup] = Store(self.past)
        self.route_tables: Store[RouteTable] = Store(self.past)
        self.network_interfaces: Store[NetworkInterface] = Store(self.past)
        self.vaults: Store[VaultResource] = Store(self.past)
        self.fabrics: Store[Fabric] = Store(self.past)
        self.sites: Store[Site] = Store(self.past)
        self.source_machines: Store[SourceMachine] = Store(self.past)
        self.vm_networks: Store[VmNetworkRecord] = Store(self.past)
        self.logical_networks: Store[LogicalNetwork] = Store(self.past)
        self.clouds: Store[CloudRecord] = Store(self.past)
        self.cloud_mappings: Store[CloudMapping] = Store(self.past)
        self.hosts: Store[Host] = Store(self.past)
        self.mappings: Store[NetworkMapping] = Store(self.past)
        self.unreadable_mappings: Store[UnreadableMapping] = Store(self.past)
        self.policies: Store[ReplicationPolicy] = Store(self.past)
        self.protected_items: Store[ProtectedItem] = Store(self.past)
        # Machines in initial replication, as they will be afterwards: until then their NICs are hidden.
        self.replicating: dict[str, ProtectedItem] = {}
        self.working: dict[str, str] = {}
        """The running operation of each machine, by the machine's key."""
        self.test_jobs: dict[str, str] = {}
        """The latest test failover of each machine, by the machine's key."""
        self.plan_jobs: dict[str, str] = {}
        """The latest failover, test failover or re-protection of each recovery plan, by the plan's key."""
        self.done: dict[str, dict[str, float]] = {}
        """The time at which a job of each scenario last succeeded, by the key of a machine or plan."""
        self.plans: Store[RecoveryPlan] = Store(self.past)
        self.intents: Store[Intent] = Store(self.past)
        self.jobs: Store[Job] = Store(self.past)
        self.extras: dict[str, dict[str, object]] = {}
        self._by_identity: dict[_Identity, dict[str, NetworkMapping]] = {}

    def take_over(self, other: State) -> None:
        """Take over the contents of ``other``, which must have the same clock; references to this state stay valid."""
        with self.lock:
            for name, value in vars(other).items():
                # Other threads wait for this lock, which the current block holds; a new lock would let two requests in.
                if name not in {"lock", "clock"}:
                    setattr(self, name, value)

    @contextmanager
    def request(self, method: str, path: ArmId | str) -> Iterator[Admission]:
        """Admit one request at a time. First due operations end, then the platform's rules and the faults apply."""
        text = str(path)
        with self.lock:
            self.operations.settle()
            # Permissions are checked before existence, because a client without them must not learn from a 404 what
            # exists.
            self._check_subscription(text)
            self._check_rights(method, text)
            faults = self.faults.take(method, text)
            for fault in faults:
                self._apply_fault(fault, method, text)
            self._check_group(text)
            # The faults of an operation are part of the admission, because they apply when it starts or ends.
            lags = [fault.seconds for fault in faults if fault.effect == "list_lags"]
            yield Admission(faults, max([self.behaviour.list_lag, *lags]))

    def write(self, method: str, resource_id: ArmId, scenario: str, target: str = "") -> Write:
        """Prepare a write of Site Recovery. Its job affects ``target``, by default the resource's name."""
        timing = self.behaviour.operations
        target = target or resource_id.name
        return Write(method=method, resource_id=resource_id, timing=timing, scenario=scenario, target=target)

    def start(self, write: Write, effect: Effect, admission: Admission, *, on_failure: Effect | None = None) -> Started:
        """Start an operation; ``on_failure`` is called if it fails or is canceled."""
        return self.operations.start(write, effect, admission.faults, on_failure=on_failure)

    def listed(self, values: Iterable[V]) -> tuple[V, ...]:
        """The elements of a list, in the order in which the world returns them."""
        listed = list(values)
        if self.behaviour.shuffle is not None:
            import random  # the import takes 1.8 ms, and few worlds shuffle

            random.Random(self.behaviour.shuffle).shuffle(listed)  # noqa: S311 - a repeatable order, not a secret
        return tuple(listed)

    def assumed(self, which: Assumption, *parts: object, resource_id: ArmId) -> ServiceError:
        """A refusal that no public source shows; ``parts`` are inserted into its message."""
        return refusals.assumed(which, self.behaviour, *parts, resource_id=resource_id)

    def vault(self, resource_id: ArmId) -> VaultResource:
        """The vault that contains a resource. Raises NotFoundError."""
        vault_id = resource_id.within(VAULT)
        vault = self.vaults.get(vault_id.subscription, vault_id.key) if vault_id else None
        if vault is None:
            raise refusals.resource_not_found(vault_id or resource_id)
        return vault

    def known_vault(self, resource_id: ArmId) -> VaultResource:
        """The vault that contains a resource. Raises NotFoundError, and VaultUnusedError if the world rejects it."""
        vault = self.vault(resource_id)
        if not vault.used and self.behaviour.unused_vault == "reject_400":
            raise refusals.vault_unused(vault.id)
        return vault

    def fabric(self, fabric_id: ArmId) -> Fabric:
        """One fabric. Raises the errors of ``known_vault``, and NotFoundError (FabricArmEntityMissing)."""
        vault = self.known_vault(fabric_id)
        fabric = self.fabrics.get(vault.id.key, fabric_id.key)
        if fabric is None:
            raise refusals.fabric_missing(fabric_id)
        return fabric

    def protected_item(self, item_id: ArmId) -> ProtectedItem:
        """One protected item. Raises the errors of ``fabric``, and NotFoundError if the vault has no such machine."""
        vault = self.fabric(item_id.parent.parent).id.parent
        item = self.protected_items.get(vault.key, item_id.key)
        if item is None:
            raise refusals.missing(item_id)
        return item

    def site_kind(self, fabric: Fabric) -> SiteKind | None:
        """The kind of an on-premises site; None for Azure regions and VMM servers."""
        if fabric.kind != "other":
            return None
        site = self.sites.get(fabric.id.parent.key, fabric.id.key)
        return site.kind if site else "HyperVSite"

    def network(self, network_id: ArmId) -> VirtualNetwork | None:
        """One virtual network; None if it does not exist."""
        return self.virtual_networks.get(network_id.subscription, network_id.key)

    def mapping(self, mapping_id: ArmId) -> NetworkMapping | None:
        """One mapping; None if it does not exist."""
        return self.mappings.get(*self._mapping_keys(mapping_id))

    def unreadable_mapping(self, mapping_id: ArmId) -> UnreadableMapping | None:
        """One mapping that omits which networks it maps; None if it does not exist."""
        return self.unreadable_mappings.get(*self._mapping_keys(mapping_id))

    def put_item(self, item: ProtectedItem) -> None:
        """Store a machine with the locations of its fabrics, and create its container if it is missing."""
        container_id, vault = item.id.parent, item.vault_id.key
        if self.clouds.get(container_id.parent.key, container_id.key) is None:
            record = CloudRecord(cloud=Cloud(id=container_id, friendly_name=container_id.name))
            self.clouds.put(container_id.parent.key, container_id.key, record)
        primary = self.fabrics.get(vault, item.fabric_id.key)
        recovery = self.fabrics.get(vault, item.recovery_fabric_id.key) if item.recovery_fabric_id else None
        location = item.primary_location or (primary.location if primary else None)
        item = msgspec.structs.replace(
            item,
            primary_location=location,
            recovery_location=item.recovery_location or (recovery.location if recovery else None),
            initial_location=item.initial_location or location,
        )
        self.protected_items.put(vault, item.id.key, item)

    def remove_item(self, item_id: ArmId) -> None:
        """Remove a machine."""
        self.protected_items.remove(item_id.parent.parent.parent.key, item_id.key)
        self.replicating.pop(item_id.key, None)
        self.working.pop(item_id.key, None)
        self.done.pop(item_id.key, None)

    def record_success(self, resource_id: ArmId, scenario: str) -> None:
        """Record that a job of a machine or plan has succeeded now."""
        self.done.setdefault(resource_id.key, {})[scenario] = self.operations.now()

    def move_extras(self, old_id: ArmId, new_id: ArmId) -> None:
        """Move a resource's extras to its new id, unless that id has extras already."""
        moved = self.extras.pop(old_id.key, None)
        if moved is not None:
            self.extras.setdefault(new_id.key, moved)

    def move_in_plans(self, old_id: ArmId, new_id: ArmId) -> None:
        """Update a machine's id in recovery plans. A plan whose machines have all moved reverses its direction."""
        vault = new_id.parent.parent.parent.key
        for plan in self.plans.values(vault):
            if not any(old_id in group.items for group in plan.groups):
                continue
            groups = tuple(
                msgspec.structs.replace(
                    group, items=tuple(new_id if item_id == old_id else item_id for item_id in group.items)
                )
                for group in plan.groups
            )
            primary, recovery = plan.primary_fabric_id, plan.recovery_fabric_id
            if all(item_id.parent.parent == recovery for group in groups for item_id in group.items):
                primary, recovery = recovery, primary
            turned = msgspec.structs.replace(
                plan, groups=groups, primary_fabric_id=primary, recovery_fabric_id=recovery
            )
            self.plans.put(vault, plan.id.key, turned)

    def recovery_container(self, item: ProtectedItem) -> ArmId | None:
        """The recovery container of a machine: its own, or else the one in its container's mapping."""
        if item.recovery_container_id is not None:
            return item.recovery_container_id
        for mapping in self.cloud_mappings.values(item.vault_id.key):
            if mapping.primary_cloud_id == item.id.parent:
                return mapping.recovery_cloud_id
        return None

    def require_policy(self, policy_id: ArmId | None, *providers: str) -> None:
        """Raise ServiceError if the policy does not exist, or belongs to none of ``providers`` (assumption).

        Without ``providers``, any provider is accepted. None stands for no policy.
        """
        if policy_id is None:
            return
        policy = self.policies.get(policy_id.parent.key, policy_id.key)
        if policy is None:
            raise self.assumed("policy_missing", policy_id.name, resource_id=policy_id)
        if providers and policy.provider not in providers:
            parts = (policy_id.name, policy.provider, providers[0])
            raise self.assumed("policy_mismatch", *parts, resource_id=policy_id)

    def put_mapping(self, mapping: NetworkMapping) -> None:
        """Store a mapping under the key by which the service finds it."""
        vault, key = self._mapping_keys(mapping.id)
        # The old version leaves the index first, because a retarget keeps the name but may change the recovery fabric.
        self._remove_mapping(vault, key)
        self.mappings.put(vault, key, mapping)
        self._by_identity.setdefault(_identity(mapping), {})[key] = mapping

    def put_unreadable_mapping(self, mapping: UnreadableMapping) -> None:
        """Store a mapping that omits which networks it maps."""
        vault, key = self._mapping_keys(mapping.id)
        self._remove_mapping(vault, key)
        self.unreadable_mappings.put(vault, key, mapping)

    def remove_mapping(self, mapping_id: ArmId) -> None:
        """Remove a mapping, if it exists."""
        self._remove_mapping(*self._mapping_keys(mapping_id))

    def _remove_mapping(self, vault: str, key: str) -> None:
        mapping = self.mappings.get(vault, key)
        if mapping is not None:
            self._by_identity[_identity(mapping)].pop(key)
            self.mappings.remove(vault, key)
        self.unreadable_mappings.remove(vault, key)

    def same_identity(self, mapping: NetworkMapping) -> tuple[NetworkMapping, ...]:
        """The mappings from the same primary fabric and network to the same recovery fabric, including this one."""
        return tuple(self._by_identity.get(_identity(mapping), {}).values())

    def mapping_of(self, fabric_id: ArmId, network_id: ArmId, recovery_fabric_id: ArmId) -> NetworkMapping | None:
        """The mapping of a network between two fabrics; None if there is none."""
        return next(iter(self._by_identity.get((fabric_id, network_id, recovery_fabric_id), {}).values()), None)

    def _mapping_keys(self, mapping_id: ArmId) -> tuple[str, str]:
        """The key of a mapping's vault, and the key by which the service finds the mapping."""
        # The network segment has no meaning under an Azure fabric: az writes azureNetwork, Terraform the network's
        # name.
        fabric_id = mapping_id.parent.parent
        vault = fabric_id.parent.key
        fabric = self.fabrics.get(vault, fabric_id.key)
        is_vmm = fabric is not None and fabric.kind == "vmm"
        return vault, mapping_id.key if is_vmm else f"{fabric_id.key}/{mapping_id.name.lower()}"

    def ensure_group(self, resource_id: ArmId, location: str = "eastus") -> None:
        """Create the subscription and the resource group of an id if they are missing."""
        self.ensure_subscription(resource_id.subscription)
        group = resource_id.resource_group
        if group and not self._has_group(resource_id.subscription, group):
            group_id = ArmId(f"/subscriptions/{resource_id.subscription}/resourceGroups/{group}")
            self.groups.put(group_id.subscription, group_id.key, ResourceGroup(id=group_id, location=location))

    def ensure_subscription(self, subscription: str) -> None:
        """Create a subscription if it is missing."""
        key = subscription.lower()
        if key not in self.subscriptions:
            self.subscriptions[key] = Subscription(id=key, name=key, tenant=self.tenant)

    def _check_subscription(self, path: str) -> None:
        key = path.split("/")[2].lower()
        subscription = self.subscriptions.get(key)
        if subscription is None:
            raise refusals.subscription_not_found(key)
        if self.tenant not in {subscription.tenant, *subscription.managed_by}:
            raise refusals.wrong_tenant(key, self.tenant, subscription.tenant)
        if any(key == entry.lower() for entry in self.behaviour.unregistered):
            namespace = type_of(path).partition("/")[0]
            if namespace.lower() in _REGISTERED_ON_DEMAND and (key, namespace.lower()) not in self.registered:
                raise refusals.not_registered(key, namespace)

    def _check_rights(self, method: str, path: str) -> None:
        if self.behaviour.denied:
            action = action_of(method, path)
            if any(fnmatchcase(action.lower(), pattern.lower()) for pattern in self.behaviour.denied):
                raise refusals.forbidden(action, path)
        if method in _READS:
            return
        for lock in self.behaviour.locks:
            within = f"{path.lower()}/".startswith(f"{lock.scope.lower().rstrip('/')}/")
            if within and (lock.level == "ReadOnly" or method == "DELETE"):
                raise refusals.scope_locked(method, path, lock.scope)

    def _check_group(self, path: str) -> None:
        parts = path.split("/")
        if len(parts) < 6 or parts[3].lower() != "resourcegroups":  # noqa: PLR2004 - /subscriptions/S/resourceGroups/G/x
            return
        if not self._has_group(parts[2].lower(), parts[4]):
            raise refusals.resource_group_not_found(ArmId("/".join(parts[:5])))

    def _has_group(self, subscription: str, name: str) -> bool:
        return self.groups.get(subscription, f"subscriptions/{subscription}/resourcegroups/{name.lower()}") is not None

    def _apply_fault(self, fault: Fault, method: str, path: str) -> None:
        match fault.effect:
            case "scope_locked":
                raise refusals.scope_locked(method, path, path)
            case "policy_denied":
                raise refusals.policy_denied(path)
            case "forbidden":
                raise refusals.forbidden(action_of(method, path), path)
            case "refused":
                raise refusals.refused(fault, _subject(path))
            case "changed_before":
                mapping_id = fault.mapping or ArmId(path)
                mapping = self.mapping(mapping_id)
                if fault.recovery_network_id is None:
                    self.remove_mapping(mapping_id)
                elif mapping is not None:
                    self.put_mapping(msgspec.structs.replace(mapping, recovery_network_id=fault.recovery_network_id))
            case _:
                return


def _subject(path: str) -> ArmId:
    """The resource in the path of a request; for a list, the resource, group or subscription that it belongs to."""
    if path.count("/") % 2 == 0:
        return ArmId(path)
    above = path.rpartition("/")[0]
    scope, _, provider = above.rpartition("/providers/")
    return ArmId(above if "/" in provider else scope)


_Identity = tuple[ArmId, ArmId, ArmId | None]


def _identity(mapping: NetworkMapping) -> _Identity:
    """What identifies a mapping: no other may have the same primary fabric, primary network and recovery fabric."""
    return mapping.fabric_id, mapping.primary_network_id, mapping.recovery_fabric_id

"""Protected items of a world: the life of a machine from enabling replication to failback.

The operations allowed in each state, the order of the states, and the move of a re-protected machine to the other
fabric are as recorded for an Azure machine. States between failover and re-protection are as users have reported them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from operator import is_
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from asrnet.fake import refusals
from asrnet.fake.behaviour import timing
from asrnet.fake.enabling import Enabling
from asrnet.fake.landing import land, land_in_test, landing_subnet, remove_machine
from asrnet.fake.machine_updates import apply_update, with_service_settings
from asrnet.fake.operations import Started, stable_guid
from asrnet.fake.records import (
    EnableRequest,
    OnPremisesProvider,
    OnPremisesRequest,
    SwitchRequest,
    VirtualMachine,
)
from asrnet.fake.state import State
from asrnet.model.arm import ASR_NETWORK, ArmId
from asrnet.model.azure import IpConfiguration, Nic, ProtectedItem

Direction = Literal["PrimaryToRecovery", "RecoveryToPrimary"]

_ASR_NETWORKS: Final = "/replicationnetworks/"

REPLICATING: Final = "InitialReplicationInProgress"
COMPLETING: Final = "InitialReplicationRecoveryCompletionPending"
PROTECTED: Final = "Protected"
# Recordings do not show the time between a failover and its commit: the first is specified, both are reported by users.
COMMIT_PENDING: Final = "UnplannedFailoverCommitPendingStatesBegin"
COMMITTED: Final = "UnplannedFailoverCommitted"
# Specified for a Hyper-V machine.
PLANNED_COMMIT_PENDING: Final = "PlannedFailoverCommitRequired"
PLANNED_COMMITTED: Final = "PlannedFailoverStatesBegin"
FAILBACK_PROVIDER: Final = "InMageRcmFailback"
"""The provider of a VMware machine that was re-protected after a failover, until it is re-protected after failback."""
FAILOVER_FAILED: Final = "UnplannedFailoverFailed"

# Users reported both: the first for test failovers, the second while a cleanup runs.
TEST_MACHINE_EXISTS: Final = "WaitingForCompletion"
CLEANING_UP: Final = "MarkedForDeletion"

# Specified for a Hyper-V machine. Recorded: Azure machines have no planned failover. VMware has one for failback only.
_HYPER_V_PROTECTED: Final = ("PlannedFailover", "UnplannedFailover", "DisableProtection", "TestFailover")
_HYPER_V_PENDING: Final = ("CompleteMigration", "Commit", "DisableProtection", "ChangePit")
_HYPER_V_FAILED_OVER: Final = ("CompleteMigration", "DisableProtection", "Failback")
_ALLOWED: Final[Mapping[str, tuple[str, ...]]] = {
    # Recorded: InitialReplicationInProgress and Protected. The others are likely, judging by the names in the SDK.
    REPLICATING: ("DisableProtection",),
    COMPLETING: ("DisableProtection",),
    PROTECTED: ("UnplannedFailover", "DisableProtection", "TestFailover"),
    FAILOVER_FAILED: ("UnplannedFailover", "DisableProtection", "TestFailover"),
    COMMIT_PENDING: ("Commit", "ChangePit", "CancelFailover", "DisableProtection"),
    # The same state under the name that world files of version 0.1 use.
    "UnplannedFailoverCommitPending": ("Commit", "ChangePit", "CancelFailover", "DisableProtection"),
    PLANNED_COMMIT_PENDING: ("Commit", "ChangePit", "CancelFailover", "DisableProtection"),
    COMMITTED: ("SwitchProtection", "DisableProtection"),
}

_PENDING: Final = frozenset({COMMIT_PENDING, PLANNED_COMMIT_PENDING})
_COMMITTED: Final = frozenset({COMMITTED, PLANNED_COMMITTED})

# The kinds of fabric that have machines of each provider: instance types of sites, and VMM servers.
_SITES: Final[Mapping[OnPremisesProvider, tuple[str, ...]]] = {
    "HyperVReplicaAzure": ("vmm", "HyperVSite"),
    "InMageRcm": ("InMageRcm",),
}


_VM_NAMES: Final = {
    "A2A": "recoveryAzureVMName",
    "HyperVReplicaAzure": "recoveryAzureVMName",
    "InMageRcm": "targetVmName",
    FAILBACK_PROVIDER: "targetVmName",
}
"""The setting of each provider that names the failed-over machine."""


class Verb(Struct, frozen=True, kw_only=True):
    """An operation on a machine.

    ``path`` is the last segment of its request, ``operation`` its name in allowedOperations, ``scenario`` that of its
    job.
    """

    path: str
    operation: str
    scenario: str


TEST_FAILOVER: Final = Verb(path="testFailover", operation="TestFailover", scenario="TestFailover")
TEST_FAILOVER_CLEANUP: Final = Verb(
    path="testFailoverCleanup", operation="TestFailoverCleanup", scenario="TestFailoverCleanup"
)
PLANNED_FAILOVER: Final = Verb(path="plannedFailover", operation="PlannedFailover", scenario="PlannedFailover")
UNPLANNED_FAILOVER: Final = Verb(path="unplannedFailover", operation="UnplannedFailover", scenario="UnplannedFailover")
FAILOVER_COMMIT: Final = Verb(path="failoverCommit", operation="Commit", scenario="CommitFailover")
FAILOVER_CANCEL: Final = Verb(path="failoverCancel", operation="CancelFailover", scenario="CancelFailover")
REPROTECT: Final = Verb(path="reProtect", operation="ReverseReplicate", scenario="ReverseReplicate")
APPLY_RECOVERY_POINT: Final = Verb(path="applyRecoveryPoint", operation="ChangePit", scenario="ChangePit")
SWITCH_PROTECTION: Final = Verb(path="switchprotection", operation="SwitchProtection", scenario="SwitchProtection")


def allowed_operations(item: ProtectedItem) -> tuple[str, ...]:
    """The operations allowed in the machine's current state; none while an operation on it is running."""
    if item.scenario:
        return ()
    is_hyper_v = item.provider == "HyperVReplicaAzure"
    if item.test_failover_state == TEST_MACHINE_EXISTS:
        if is_hyper_v:
            return ("TestFailoverCleanup",)
        # A failover during a test can be committed all the same. It is assumed that the test must be cleaned up before
        # re-protection, which moves the machine away from its test machine.
        in_test = replace(item, test_failover_state="None")
        blocked = {"TestFailover", "SwitchProtection", "ReverseReplicate"}
        return (*(name for name in allowed_operations(in_test) if name not in blocked), "TestFailoverCleanup")
    if is_hyper_v and item.has_failed_over and item.state in _PENDING:
        return _HYPER_V_PENDING
    if is_hyper_v and item.has_failed_over and item.state in _COMMITTED:
        return _HYPER_V_FAILED_OVER
    if item.provider != "A2A":
        if item.state == PROTECTED and item.has_failed_over:
            return ("PlannedFailover", "DisableProtection")
        if item.state == PROTECTED and is_hyper_v:
            return _HYPER_V_PROTECTED
        if item.state in _COMMITTED:
            return ("ReverseReplicate", "DisableProtection")
    # A world file may contain other states. In these, too, replication can be disabled, as in every recorded state.
    return _ALLOWED.get(item.state, ("DisableProtection",))


def waits_for_end_of_test(item: ProtectedItem) -> bool:
    """Whether the job of a machine's test failover is suspended until the test machine is deleted.

    Specified for a Hyper-V machine. Documented: the job of an Azure machine succeeds at once.
    """
    return item.provider == "HyperVReplicaAzure" and item.test_failover_state == TEST_MACHINE_EXISTS


def _provider_after_reprotection(item: ProtectedItem) -> str:
    """The provider of an on-premises machine after re-protection.

    Specified: a VMware machine changes its provider for failback, and again when it has failed back.
    """
    providers = {"InMageRcm": FAILBACK_PROVIDER} if item.has_failed_over else {FAILBACK_PROVIDER: "InMageRcm"}
    return providers.get(item.provider, item.provider)


class ProtectedItems:
    """Replicated machines.

    An operation on a machine is refused (assumption) if the machine's state does not allow it, or while another
    operation on the machine is running. The operation takes effect when it ends.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def list(self, vault_id: ArmId, *, shown: bool = True) -> tuple[ProtectedItem, ...]:
        """All protected items of a vault. Raises NotFoundError and VaultUnusedError.

        Without ``shown``, items are returned as stored, for callers that need ``as_shown`` for a single page only.
        """
        with self._state.request("GET", f"{vault_id}/replicationProtectedItems") as admission:
            vault = self._state.known_vault(vault_id)
            items = self._state.protected_items.values(vault.id.key, lag=admission.lag)
            return self._state.listed(self.as_shown(item) if shown else item for item in items)

    def list_container(self, container_id: ArmId, *, shown: bool = True) -> tuple[ProtectedItem, ...]:
        """The protected items of one container; ``shown`` works as in ``list``."""
        with self._state.request("GET", f"{container_id}/replicationProtectedItems") as admission:
            vault = self._state.fabric(container_id.parent).id.parent
            items = self._state.protected_items.values(vault.key, lag=admission.lag)
            # Compare keys, not parents: lists have thousands of machines, and every page checks each of them.
            below = f"{container_id.key}/"
            return self._state.listed(
                self.as_shown(item) if shown else item for item in items if item.id.key.startswith(below)
            )

    def get(self, item_id: ArmId) -> ProtectedItem:
        """One protected item. Raises NotFoundError."""
        with self._state.request("GET", item_id):
            return self.as_shown(self._state.protected_item(item_id))

    def enable(self, item_id: ArmId, request: EnableRequest) -> Started:
        """Enable replication of an Azure machine (PUT of an A2A item).

        On a network without a mapping, this creates both mappings and by default the ``<name>-asr`` network. With a
        mapping, its network is the default; another one is accepted, or refused if the world is ``strict_mapping``. An
        existing item stays as it is. Raises ConflictError if another item protects the machine, or if this item
        protects another machine.
        """
        with self._state.request("PUT", item_id) as admission:
            enabling = Enabling(self._state, item_id, request)
            self._refuse_protected(item_id, request.machine_id)

            def finish() -> None:
                self._refuse_protected(item_id, request.machine_id)  # two clients may have started at the same time
                self._begin(item_id, enabling.item)

            write = self._state.write("PUT", item_id, "EnableDr", request.machine_id.name)
            return self._state.start(write, finish, admission)

    def _refuse_protected(self, item_id: ArmId, machine_id: ArmId) -> None:
        for item in self._state.protected_items:
            if item.machine_id is not None and (item.id == item_id) != (item.machine_id == machine_id):
                raise self._state.assumed("machine_protected", machine_id.name, item.id.name, resource_id=item_id)

    def enable_on_premises(self, item_id: ArmId, request: OnPremisesRequest) -> Started:
        """Enable replication of a Hyper-V or VMware machine to Azure. Raises NotFoundError if the container is missing.

        A machine that is not in the world gets a NIC on the first mapped VM network of its server, or else on the first
        VM network (assumption).
        """
        with self._state.request("PUT", item_id) as admission:
            self._check_container(item_id, request)
            write = self._state.write("PUT", item_id, "EnableDr", request.name)
            return self._state.start(
                write, lambda: self._begin(item_id, lambda: self._on_premises_item(item_id, request)), admission
            )

    def _begin(self, item_id: ArmId, item: Callable[[], ProtectedItem]) -> None:
        """Start to replicate a new item."""
        # az sends updates as a PUT of the whole item. It is assumed that this does not start another initial
        # replication of a machine that is already protected.
        if self._state.protected_items.get(item_id.parent.parent.parent.key, item_id.key) is None:
            self._replicate(item())

    def _check_container(self, item_id: ArmId, request: OnPremisesRequest) -> None:
        fabric = self._state.fabric(item_id.parent.parent)
        site = self._state.site_kind(fabric) or fabric.kind
        if site not in _SITES[request.provider]:
            raise self._state.assumed("kind_mismatch", fabric.name, resource_id=item_id)
        if self._state.clouds.get(fabric.id.key, item_id.parent.key) is None:
            raise refusals.missing(item_id.parent)
        self._state.require_policy(request.policy_id, request.provider)

    def _on_premises_item(self, item_id: ArmId, request: OnPremisesRequest) -> ProtectedItem:
        self._check_container(item_id, request)  # what it needs may have been deleted since the request was accepted
        fabric_id = item_id.parent.parent
        # The NICs, and the recovery networks to which mappings lead from their networks.
        machine = self._state.source_machines.get(fabric_id.key, request.machine_id.key) if request.machine_id else None
        targets = {
            mapping.primary_network_id: mapping.recovery_network_id
            for mapping in self._state.mappings.values(item_id.parent.parent.parent.key)
            if mapping.kind == "vmm_to_azure" and mapping.fabric_id == fabric_id
        }
        if machine is not None:
            nics: tuple[Nic, ...] = machine.nics
        else:
            networks = [record.network.id for record in self._state.vm_networks.values(fabric_id.key)]
            network_id = next((network for network in networks if network in targets), next(iter(networks), None))
            address = IpConfiguration(name="", ip_type="Dynamic")
            name = stable_guid(f"{item_id.key} nic")
            nics = (Nic(name=name, primary_network_id=network_id, ip_configurations=(address,)),)
        # The NICs' recovery networks: the network in the request takes precedence over the mapping's. Recorded: without
        # one in the request, a machine gets the mapped network and its NICs count as selected by default.
        landing = []
        for nic in nics:
            target_id = request.recovery_network_id
            if target_id is None and nic.primary_network_id is not None:
                target_id = targets.get(nic.primary_network_id)
            target = self._state.network(target_id) if target_id else None
            if target_id is not None and target is None:
                raise self._state.assumed("network_not_configured", request.name, resource_id=item_id)
            subnet = landing_subnet(target, request.recovery_subnet) if target else None
            landing.append(
                replace(
                    nic,
                    recovery_network_id=target_id,
                    test_network_id=request.test_network_id,
                    selection="SelectedByUserOverride" if request.recovery_network_id else "SelectedByDefault",
                    ip_configurations=tuple(
                        replace(
                            address,
                            recovery_subnet=subnet.name if subnet else None,
                            test_subnet=request.test_subnet,
                        )
                        for address in nic.ip_configurations
                    ),
                )
            )
        return ProtectedItem(
            id=item_id,
            friendly_name=machine.friendly_name if machine else request.name,
            provider=request.provider,
            recovery_group_id=request.recovery_resource_group_id,
            recovery_network_id=request.recovery_network_id,
            test_network_id=request.test_network_id,
            policy_id=request.policy_id,
            nics=tuple(landing),
            settings=request.settings,
        )

    def protect(self, item_id: ArmId, request: EnableRequest) -> None:
        """Start to replicate a machine at once. Raises ServiceError if the rules refuse it."""
        self._replicate(Enabling(self._state, item_id, request).item())

    def update(self, item_id: ArmId, properties: Mapping[str, object]) -> Started:
        """Change the settings of a machine (PATCH). ``properties`` are those of the request's body.

        Omitted settings are kept or lost, depending on the world's ``partial_update``. Raises NotFoundError, and
        ServiceError if the machine is not protected or the body cannot be read.
        """
        with self._state.request("PATCH", item_id) as admission:
            item = self._state.protected_item(item_id)
            # Reported: an update fails while a machine is not Protected (terraform-provider-azurerm issue 7039).
            if item.state != PROTECTED:
                raise self._state.assumed("machine_not_configurable", item.friendly_name, resource_id=item_id)
            if item.scenario:
                raise self._state.assumed("machine_busy", item.friendly_name, item.scenario, resource_id=item_id)
            loses_omitted = self._state.behaviour.partial_update == "lose"
            apply_update(item, properties, loses_omitted=loses_omitted)  # a body that cannot be read is refused at once

            def finish() -> None:
                updated = apply_update(self._state.protected_item(item_id), properties, loses_omitted=loses_omitted)
                for nic in updated.nics:
                    for address in nic.ip_configurations:
                        # Reported: the request is accepted, but its operation fails (terraform-provider-azurerm issue
                        # 22193).
                        if address.test_ip and not address.test_subnet:
                            raise self._state.assumed("test_subnet_missing", resource_id=item_id)
                self._state.put_item(updated)

            write = self._state.write("PATCH", item_id, "UpdateVmProperties", item.friendly_name)
            return self._state.start(write, finish, admission)

    def delete(self, item_id: ArmId, *, method: str = "DELETE") -> Started:
        """Disable replication: DELETE purges, POST removes. Raises NotFoundError.

        While another operation on the machine is running, it can only be purged (assumption).
        """
        path = f"{item_id}/remove" if method == "POST" else str(item_id)
        with self._state.request(method, path) as admission:
            item = self._state.protected_item(item_id)
            if method == "POST" and item.scenario:
                raise self._state.assumed("machine_busy", item.friendly_name, item.scenario, resource_id=item_id)
            write = self._state.write(method, item_id, "DisableDr", item.friendly_name)
            return self._state.start(write, lambda: self._state.remove_item(item_id), admission)

    def test_failover(self, item_id: ArmId, network_id: ArmId | None = None) -> Started:
        """Create a test machine. ``network_id`` is for NICs without a test network; without either it fails."""
        return self._do(TEST_FAILOVER, item_id, lambda item: self.tested(item, network_id))

    def test_failover_cleanup(self, item_id: ArmId) -> Started:
        """Delete the test machine."""
        return self._do(TEST_FAILOVER_CLEANUP, item_id, self.cleaned_up, meanwhile=CLEANING_UP)

    def planned_failover(self, item_id: ArmId, direction: Direction = "PrimaryToRecovery") -> Started:
        """Fail an on-premises machine over without data loss, or (``RecoveryToPrimary``) fail it back."""
        change = partial(self.failed_over, direction=direction, planned=True)
        return self._do(PLANNED_FAILOVER, item_id, change, direction=direction)

    def unplanned_failover(self, item_id: ArmId, direction: Direction = "PrimaryToRecovery") -> Started:
        """Fail a machine over to its recovery side. For a re-protected Azure machine this is the failback."""
        return self._do(
            UNPLANNED_FAILOVER, item_id, partial(self.failed_over, direction=direction), direction=direction
        )

    def commit(self, item_id: ArmId) -> Started:
        """Commit a failover. Afterwards the only way back is re-protection."""
        return self._do(FAILOVER_COMMIT, item_id, self.committed)

    def cancel(self, item_id: ArmId) -> Started:
        """Cancel a failover that is not committed. The machine runs where it did before."""
        return self._do(FAILOVER_CANCEL, item_id, self.canceled)

    def apply_recovery_point(self, item_id: ArmId) -> Started:
        """Recreate the failed-over machine from another recovery point, while its failover is not committed."""

        def made_anew(item: ProtectedItem) -> ProtectedItem:
            land(self._state, item, self.recovery_machine_id(item))
            return item

        return self._do(APPLY_RECOVERY_POINT, item_id, made_anew)

    def reprotect(
        self, item_id: ArmId, request: SwitchRequest | None = None, *, policy_id: ArmId | None = None
    ) -> Started:
        """Replicate a machine from where it runs now. ``request`` is the target of an Azure machine.

        For an on-premises machine this is the direction back, and after failback the first direction again.
        ``policy_id`` is the policy of the new direction. Raises ServiceError if the policy is missing or belongs to
        another provider.
        """

        def check(item: ProtectedItem) -> None:
            if item.provider == "A2A":
                self._check_switch(item, request or _switch_back(item))
            else:
                self._state.require_policy(policy_id, _provider_after_reprotection(item))

        return self._do(REPROTECT, item_id, lambda item: self.reprotected(item, request, policy_id), check=check)

    def reprotected(
        self, item: ProtectedItem, request: SwitchRequest | None = None, policy_id: ArmId | None = None
    ) -> ProtectedItem:
        """The machine after re-protection, which replicates from where it runs. Azure machines change the container."""
        if item.provider == "A2A":
            request = request or _switch_back(item)
            self._check_switch(item, request)
            return self._switched(item, request)
        return replace(
            item, state=PROTECTED, provider=_provider_after_reprotection(item), policy_id=policy_id or item.policy_id
        )

    def switch_protection(self, container_id: ArmId, request: SwitchRequest) -> Started:
        """Re-protect an Azure machine: it moves to its recovery container and replicates in the other direction.

        Its old id no longer exists. Raises NotFoundError if the machine, a container or the policy is missing.
        """
        item_id = container_id.child("replicationProtectedItems", request.item_name)
        path = f"{container_id}/{SWITCH_PROTECTION.path}"
        return self._do(
            SWITCH_PROTECTION,
            item_id,
            lambda item: self._switched(item, request),
            path=path,
            check=lambda item: self._check_switch(item, request),
        )

    def _check_switch(self, item: ProtectedItem, request: SwitchRequest) -> None:
        for container in (self._state.recovery_container(item), request.recovery_container_id):
            if container is None or self._state.clouds.get(container.parent.key, container.key) is None:
                raise refusals.missing(container or item.id.parent)
        if request.recovery_container_id.parent != item.fabric_id:
            message = "The property 'recoveryContainerId' must be a container of the fabric the machine comes from."
            raise refusals.invalid(message, item.id)
        self._state.require_policy(request.policy_id, "A2A")

    def current_job(self, item_id: ArmId) -> ArmId | None:
        """The running job of a machine, its own or a recovery plan's; None if there is none."""
        with self._state.lock:
            item = self._state.protected_item(item_id)
            job = self._state.working.get(item_id.key)
            if job is None and waits_for_end_of_test(item):
                job = self._state.test_jobs.get(item_id.key)
            return item.vault_id.child("replicationJobs", job) if job else None

    def _do(
        self,
        verb: Verb,
        item_id: ArmId,
        change: Callable[[ProtectedItem], ProtectedItem],
        *,
        path: str = "",
        direction: Direction | None = None,
        meanwhile: str = "",
        check: Callable[[ProtectedItem], None] | None = None,
    ) -> Started:
        """Start an operation that ends with ``change``. ``meanwhile`` is the test failover state until then."""
        with self._state.request("POST", path or f"{item_id}/{verb.path}") as admission:
            item = self._state.protected_item(item_id)
            self.require(verb, item, direction)
            if check:
                check(item)
            self._state.put_item(
                replace(item, scenario=verb.scenario, test_failover_state=meanwhile or item.test_failover_state)
            )

            def finish() -> None:
                self.store(item_id, change(self.released(self._state.protected_item(item_id))))
                self._state.record_success(item_id, verb.scenario)

            write = self._state.write("POST", item_id, verb.scenario, item.friendly_name)
            started = self._state.start(
                write,
                finish,
                admission,
                # ``item`` is the machine before its scenario was set; a failed operation restores it.
                on_failure=lambda: self.fail(verb, item),
            )
            if verb is TEST_FAILOVER:
                self._state.test_jobs[item_id.key] = started.id
            # An immediate operation has already ended and removed itself from ``working``.
            if started.state == "InProgress":
                self._state.working[item_id.key] = started.id
            return started

    def store(self, item_id: ArmId, changed: ProtectedItem) -> None:
        """Store a machine that an operation has changed. A re-protected machine has moved and replicates again."""
        if changed.id != item_id:
            self._state.remove_item(item_id)
            self._state.move_extras(item_id, changed.id)
            self._state.move_in_plans(item_id, changed.id)
        if changed.state == REPLICATING:
            self._replicate(changed)
        else:
            self._state.put_item(changed)

    def released(self, item: ProtectedItem) -> ProtectedItem:
        """The machine after the end of the operation that was running for it."""
        self._state.working.pop(item.id.key, None)
        return replace(item, scenario="")

    def fail(self, verb: Verb, before: ProtectedItem) -> None:
        """Restore a machine to its state ``before`` an operation that failed. A failed failover shows in its state."""
        self._state.working.pop(before.id.key, None)
        if self._state.protected_items.get(before.vault_id.key, before.id.key) is not None:
            failover = verb in {PLANNED_FAILOVER, UNPLANNED_FAILOVER}
            self._state.put_item(replace(before, state=FAILOVER_FAILED) if failover else before)

    def require(self, verb: Verb, item: ProtectedItem, direction: Direction | None = None) -> None:
        """Raise ServiceError if ``verb`` is not allowed for a machine now."""
        if item.scenario:
            raise self._state.assumed("machine_busy", item.friendly_name, item.scenario, resource_id=item.id)
        wrong_way = direction is not None and (direction == "RecoveryToPrimary") != item.has_failed_over
        operations = {verb.operation}
        if verb is REPROTECT and item.provider == "A2A":
            # Specified: Azure machines can be re-protected in both ways, through their container and by themselves.
            operations = {SWITCH_PROTECTION.operation}
        elif verb in {PLANNED_FAILOVER, REPROTECT}:
            # Specified: a Hyper-V machine fails back by a planned failover, without being re-protected first. It is
            # assumed that it may be re-protected all the same, as VMware machines must be.
            operations.add("Failback")
        if wrong_way or operations.isdisjoint(allowed_operations(item)):
            parts = (verb.operation, item.friendly_name, item.state)
            raise self._state.assumed("operation_not_allowed", *parts, resource_id=item.id)

    def continue_replicating(self) -> None:
        """Continue the initial replication of machines in a loaded world. They become protected as the clock advances.

        If replication takes no time, they stay as they were loaded.
        """
        with self._state.lock:
            for item in self._state.protected_items:
                if item.state in {REPLICATING, COMPLETING} and timing(self._state.behaviour.replication).seconds:
                    self._replicate(item, 0 if item.state == REPLICATING else 1)

    def _replicate(self, item: ProtectedItem, stage: int = 0) -> None:
        """Store a machine that starts or continues its initial replication, and schedule its next stages.

        Recorded: during initial replication a machine has no NICs. A re-protected machine has NICs, but neither their
        networks nor the names of their IP configurations.
        """
        seconds = timing(self._state.behaviour.replication).seconds
        incomplete = replace(item, nics=tuple(_incomplete_nic(nic) for nic in item.nics) if item.is_reversed else ())
        stages = (
            replace(incomplete, state=REPLICATING),
            replace(incomplete if item.is_reversed else item, state=COMPLETING),
            replace(item, state=PROTECTED),
        )

        self._state.replicating[item.id.key] = item

        def enter(number: int) -> None:
            # The machine may have been disabled meanwhile, and possibly enabled again as a new item.
            if self._state.replicating.get(item.id.key) is not item:
                return
            self._state.put_item(stages[number])
            if number + 1 < len(stages):
                self._state.operations.later(seconds, lambda: enter(number + 1))
            else:
                del self._state.replicating[item.id.key]

        enter(stage)

    def tested(self, item: ProtectedItem, network_id: ArmId | None = None) -> ProtectedItem:
        """Create the machine of a test failover, and return the changed item."""
        land_in_test(self._state, item, self.test_machine_id(item), network_id)
        return replace(item, test_failover_state=TEST_MACHINE_EXISTS)

    def cleaned_up(self, item: ProtectedItem) -> ProtectedItem:
        """Delete the machine of a test failover, and return the changed item."""
        remove_machine(self._state, self.test_machine_id(item))
        return replace(item, test_failover_state="None")

    def failed_over(
        self, item: ProtectedItem, direction: Direction = "PrimaryToRecovery", *, planned: bool = False
    ) -> ProtectedItem:
        """Create the failed-over machine, or delete it if one on premises fails back. Returns the changed item."""
        state = PLANNED_COMMIT_PENDING if planned else COMMIT_PENDING
        if direction == "RecoveryToPrimary":
            remove_machine(self._state, self.recovery_machine_id(item))
            return replace(item, state=state, active_location="Primary")
        land(self._state, item, self.recovery_machine_id(item))
        return replace(item, state=state, active_location="Recovery")

    def canceled(self, item: ProtectedItem) -> ProtectedItem:
        """Delete the failed-over machine, or recreate it if a failback is canceled; return the changed item."""
        if item.provider != "A2A" and not item.has_failed_over:
            land(self._state, item, self.recovery_machine_id(item))
            state = PLANNED_COMMITTED if item.provider == "HyperVReplicaAzure" else PROTECTED
            return replace(item, state=state, active_location="Recovery")
        remove_machine(self._state, self.recovery_machine_id(item))
        return replace(item, state=PROTECTED, active_location="Primary")

    def committed(self, item: ProtectedItem) -> ProtectedItem:
        """The item after the commit of its failover."""
        return replace(item, state=PLANNED_COMMITTED if item.state == PLANNED_COMMIT_PENDING else COMMITTED)

    def _switched(self, item: ProtectedItem, request: SwitchRequest) -> ProtectedItem:
        """The machine replicated in the other direction, in the other container and with the two sides swapped."""
        container_id = self._state.recovery_container(item)
        assert container_id is not None  # noqa: S101 - checked when the request came in
        machine_id = self.recovery_machine_id(item)
        nics = tuple(self._failback_nic(item, nic, machine_id) for nic in item.nics)
        # The machine left behind by the failover is deleted, so that its addresses are free for failback. Source:
        # Reprotect failed over Azure VMs to the primary region.
        if item.machine_id is not None and item.machine_id.key != machine_id.key:
            remove_machine(self._state, item.machine_id)
        return replace(
            item,
            id=container_id.child("replicationProtectedItems", item.id.name),
            state=REPLICATING,
            active_location="Primary",
            recovery_fabric_id=item.fabric_id,
            recovery_container_id=request.recovery_container_id,
            recovery_group_id=request.recovery_resource_group_id
            or (item.machine_id.parent if item.machine_id else None),
            recovery_network_id=None,
            test_network_id=None,
            primary_location=item.recovery_location,
            recovery_location=item.primary_location,
            primary_zone=str(item.settings.get("recoveryAvailabilityZone") or "") or None,
            # The settings for the recovery side do not apply to the other direction.
            settings={"recoveryAvailabilityZone": item.primary_zone} if item.primary_zone else {},
            machine_id=machine_id,
            policy_id=request.policy_id or item.policy_id,
            nics=nics,
        )

    def _failback_nic(self, item: ProtectedItem, nic: Nic, machine_id: ArmId) -> Nic:
        """A NIC after failover, with its settings for failback.

        It fails back to the network to which its current network is mapped, or else to its original network.
        Documented: this network cannot be chosen during re-protection.
        """
        machine = self._state.virtual_machines.get(machine_id.subscription, machine_id.key)
        landed = next((other for other in machine.nics if other.name == nic.name), None) if machine else None
        # The network to which the NIC is connected now; somebody may have changed it since the failover.
        network_id = landed.primary_network_id if landed else nic.recovery_network_id
        mapping = None
        if network_id and item.recovery_fabric_id:
            mapping = self._state.mapping_of(item.recovery_fabric_id, network_id, item.fabric_id)
        home_id = mapping.recovery_network_id if mapping else nic.primary_network_id
        home = self._state.network(home_id) if home_id else None
        current = {address.name: address for address in landed.ip_configurations} if landed else {}
        addresses = []
        for address in nic.ip_configurations:
            running = current.get(address.name)
            subnet = landing_subnet(home, address.subnet) if home else None
            addresses.append(
                IpConfiguration(
                    name=address.name,
                    primary=address.primary,
                    subnet=running.subnet if running else address.recovery_subnet,
                    ip=running.ip if running else address.recovery_ip,
                    ip_type=address.ip_type,
                    recovery_subnet=subnet.name if subnet else address.subnet,
                    selected_for_failover=address.selected_for_failover,
                )
            )
        source_id = nic.source_id
        if source_id is None and item.machine_id is not None:
            # An interface that the world does not name has the NIC's name and is in the machine's resource group.
            source_id = item.machine_id.parent.child("providers", "Microsoft.Network", "networkInterfaces", nic.name)
        source = self._state.network_interfaces.get(source_id.subscription, source_id.key) if source_id else None
        return Nic(
            name=nic.name,
            id=nic.id,
            primary_network_id=network_id,
            recovery_network_id=home.id if home else home_id,
            # Recorded: the NIC goes back to its former security group.
            recovery_network_security_group=source.network_security_group if source else None,
            selection="SelectedByUserOverride",
            ip_configurations=tuple(addresses),
        )

    def recovery_machine_id(self, item: ProtectedItem) -> ArmId:
        """The id of the failed-over machine, in the requested resource group or else in that of its network."""
        networks = (nic.recovery_network_id or item.recovery_network_id for nic in item.nics)
        network_id = next((network_id for network_id in networks if network_id), None)
        group = item.recovery_group_id or (network_id.parent if network_id else item.vault_id.parent)
        name = str(item.settings.get(_VM_NAMES.get(item.provider, "")) or item.friendly_name)
        return group.child("providers", "Microsoft.Compute", "virtualMachines", name)

    def test_machine_id(self, item: ProtectedItem) -> ArmId:
        """The id of the test machine."""
        machine_id = self.recovery_machine_id(item)
        name = str(item.settings.get("tfoAzureVMName") or f"{machine_id.name}-test")
        return machine_id.parent.child("providers", "Microsoft.Compute", "virtualMachines", name)

    def as_shown(self, item: ProtectedItem) -> ProtectedItem:
        """The item as the service returns it, with the service's defaults for settings that nobody has set.

        The network of an on-premises machine is given by its friendly name, not by its id.
        """
        item = with_service_settings(item)
        nics = []
        for nic in item.nics:
            network_id = nic.primary_network_id
            # Compare keys before types: lists have thousands of machines, and every page does this for each of them.
            if network_id is None or _ASR_NETWORKS not in network_id.key or network_id.type != ASR_NETWORK:
                nics.append(nic)
                continue
            record = self._state.vm_networks.get(network_id.parent.key, network_id.key)
            name = record.network.friendly_name if record else network_id.name
            nics.append(replace(nic, primary_network_id=None, primary_network=name))
        return item if all(map(is_, nics, item.nics)) else replace(item, nics=tuple(nics))


def _switch_back(item: ProtectedItem) -> SwitchRequest:
    """Re-protection to the container that protects the machine now."""
    return SwitchRequest(item_name=item.id.name, recovery_container_id=item.id.parent)


def _incomplete_nic(nic: Nic) -> Nic:
    """What a NIC shows while its machine is re-protected."""
    return Nic(
        name=nic.name,
        id=nic.id,
        recovery_network_id=nic.recovery_network_id,
        recovery_network_security_group=nic.recovery_network_security_group,
        selection="NotSelected",
        ip_configurations=tuple(
            IpConfiguration(
                name="",
                primary=address.primary,
                ip_type=address.ip_type,
                recovery_subnet=address.recovery_subnet,
                recovery_ip=address.recovery_ip,
                selected_for_failover=address.selected_for_failover,
            )
            for address in nic.ip_configurations
        ),
    )


class VirtualMachines:
    """Azure machines that can be protected."""

    def __init__(self, state: State) -> None:
        self._state = state

    def list(self, subscription: str) -> tuple[VirtualMachine, ...]:
        """The machines of a subscription."""
        with self._state.lock:
            return tuple(self._state.virtual_machines.values(subscription.lower()))

    def get(self, machine_id: ArmId) -> VirtualMachine | None:
        """One machine; None if it does not exist."""
        with self._state.lock:
            self._state.operations.settle()
            return self._state.virtual_machines.get(machine_id.subscription, machine_id.key)

    def put(self, machine: VirtualMachine) -> None:
        """Add or replace a machine at once."""
        with self._state.lock:
            self._state.ensure_group(machine.id, machine.location)
            self._state.virtual_machines.put(machine.id.subscription, machine.id.key, machine)

"""Protected items of a world: a machine's life from enabling replication to failback.

What each state allows, how the states follow each other and that a re-protected machine moves to the other fabric is as
recorded of an Azure machine; states between failover and re-protection are as users have reported them.
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
# Recordings leave out what lies between a failover and its commit: the first is specified, both are reported by users.
COMMIT_PENDING: Final = "UnplannedFailoverCommitPendingStatesBegin"
COMMITTED: Final = "UnplannedFailoverCommitted"
# Specified for a Hyper-V machine.
PLANNED_COMMIT_PENDING: Final = "PlannedFailoverCommitRequired"
PLANNED_COMMITTED: Final = "PlannedFailoverStatesBegin"
FAILBACK_PROVIDER: Final = "InMageRcmFailback"
"""The provider of a VMware machine from its re-protection after a failover until the one after its failback."""
FAILOVER_FAILED: Final = "UnplannedFailoverFailed"

# Reported by users of test failovers, as is that a cleanup is marked for deletion while it runs.
TEST_MACHINE_EXISTS: Final = "WaitingForCompletion"
CLEANING_UP: Final = "MarkedForDeletion"

# Specified for a Hyper-V machine. Azure machines have no planned failover (recorded), VMware's only one for failback.
_HYPER_V_PROTECTED: Final = ("PlannedFailover", "UnplannedFailover", "DisableProtection", "TestFailover")
_HYPER_V_PENDING: Final = ("CompleteMigration", "Commit", "DisableProtection", "ChangePit")
_HYPER_V_AWAY: Final = ("CompleteMigration", "DisableProtection", "Failback")
_ALLOWED: Final[Mapping[str, tuple[str, ...]]] = {
    # Recorded: InitialReplicationInProgress and Protected. The others are likely, by the names that the SDK knows.
    REPLICATING: ("DisableProtection",),
    COMPLETING: ("DisableProtection",),
    PROTECTED: ("UnplannedFailover", "DisableProtection", "TestFailover"),
    FAILOVER_FAILED: ("UnplannedFailover", "DisableProtection", "TestFailover"),
    COMMIT_PENDING: ("Commit", "ChangePit", "CancelFailover", "DisableProtection"),
    # The same state as world files of version 0.1 could have it.
    "UnplannedFailoverCommitPending": ("Commit", "ChangePit", "CancelFailover", "DisableProtection"),
    PLANNED_COMMIT_PENDING: ("Commit", "ChangePit", "CancelFailover", "DisableProtection"),
    COMMITTED: ("SwitchProtection", "DisableProtection"),
}

_PENDING: Final = frozenset({COMMIT_PENDING, PLANNED_COMMIT_PENDING})
_COMMITTED: Final = frozenset({COMMITTED, PLANNED_COMMITTED})

# Which fabrics have machines of a provider: the instance types of sites, and VMM servers.
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
"""The setting of each provider that names the machine which a failover makes."""


class Verb(Struct, frozen=True, kw_only=True):
    """Something that is done to a machine.

    ``path`` is the last segment of its request, ``operation`` its name in allowedOperations, ``scenario`` its job's.
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
    """What may be done to a machine in the state that it is in; nothing while something is done to it."""
    if item.scenario:
        return ()
    is_hyper_v = item.provider == "HyperVReplicaAzure"
    if item.test_failover_state == TEST_MACHINE_EXISTS:
        if is_hyper_v:
            return ("TestFailoverCleanup",)
        # A failover during a test can be committed all the same. That the test is cleaned up before the machine is
        # re-protected, which moves it away from its test machine, is assumed.
        in_test = replace(item, test_failover_state="None")
        blocked = {"TestFailover", "SwitchProtection", "ReverseReplicate"}
        return (*(name for name in allowed_operations(in_test) if name not in blocked), "TestFailoverCleanup")
    if is_hyper_v and item.has_failed_over and item.state in _PENDING:
        return _HYPER_V_PENDING
    if is_hyper_v and item.has_failed_over and item.state in _COMMITTED:
        return _HYPER_V_AWAY
    if item.provider != "A2A":
        if item.state == PROTECTED and item.has_failed_over:
            return ("PlannedFailover", "DisableProtection")
        if item.state == PROTECTED and is_hyper_v:
            return _HYPER_V_PROTECTED
        if item.state in _COMMITTED:
            return ("ReverseReplicate", "DisableProtection")
    # Of any other state, as a world file may have it: replication can be disabled in all that are recorded.
    return _ALLOWED.get(item.state, ("DisableProtection",))


def waits_for_end_of_test(item: ProtectedItem) -> bool:
    """Whether the job of a machine's test failover is suspended until the test machine is deleted.

    Specified for a Hyper-V machine. That of an Azure machine succeeds at once (documented).
    """
    return item.provider == "HyperVReplicaAzure" and item.test_failover_state == TEST_MACHINE_EXISTS


def _provider_back(item: ProtectedItem) -> str:
    """The provider of an on-premises machine once it is re-protected.

    Specified: a VMware machine changes its provider for the way back, and again when it has failed back.
    """
    providers = {"InMageRcm": FAILBACK_PROVIDER} if item.has_failed_over else {FAILBACK_PROVIDER: "InMageRcm"}
    return providers.get(item.provider, item.provider)


class ProtectedItems:
    """Replicated machines.

    An operation on a machine is refused (assumption) if its state does not allow it, or if another operation is
    being done to it. It shows when the operation ends.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def list(self, vault_id: ArmId, *, shown: bool = True) -> tuple[ProtectedItem, ...]:
        """All protected items of a vault. Raises NotFoundError and VaultUnusedError.

        Without ``shown`` they are as the world has them, for callers that need ``as_shown`` of a page only.
        """
        with self._state.request("GET", f"{vault_id}/replicationProtectedItems") as admission:
            vault = self._state.known_vault(vault_id)
            items = self._state.protected_items.values(vault.id.key, lag=admission.lag)
            return self._state.listed(self.as_shown(item) if shown else item for item in items)

    def list_container(self, container_id: ArmId, *, shown: bool = True) -> tuple[ProtectedItem, ...]:
        """The protected items of one container; ``shown`` as in ``list``."""
        with self._state.request("GET", f"{container_id}/replicationProtectedItems") as admission:
            vault = self._state.fabric(container_id.parent).id.parent
            items = self._state.protected_items.values(vault.key, lag=admission.lag)
            # Keys before parents: lists have thousands of machines, and this is asked of each for every page.
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

        On a network without a mapping this creates both mappings, and by default the ``<name>-asr`` network; with one,
        its network is the default, and another is accepted, or refused where the world is ``strict_mapping``. An item
        that exists stays as it is. Raises ConflictError where another item has the machine, or it another machine.
        """
        with self._state.request("PUT", item_id) as admission:
            enabling = Enabling(self._state, item_id, request)
            self._refuse_protected(item_id, request.machine_id)

            def finish() -> None:
                self._refuse_protected(item_id, request.machine_id)  # two clients may have begun at once
                self._begin(item_id, enabling.item)

            write = self._state.write("PUT", item_id, "EnableDr", request.machine_id.name)
            return self._state.start(write, finish, admission)

    def _refuse_protected(self, item_id: ArmId, machine_id: ArmId) -> None:
        for item in self._state.protected_items:
            if item.machine_id is not None and (item.id == item_id) != (item.machine_id == machine_id):
                raise self._state.assumed("machine_protected", machine_id.name, item.id.name, resource_id=item_id)

    def enable_on_premises(self, item_id: ArmId, request: OnPremisesRequest) -> Started:
        """Enable replication of a Hyper-V or VMware machine to Azure. Raises NotFoundError without its container.

        A world need not know the machine: one that it does not know gets a NIC on the first VM network of its server
        that is mapped, else on the first (assumption).
        """
        with self._state.request("PUT", item_id) as admission:
            self._check_container(item_id, request)
            write = self._state.write("PUT", item_id, "EnableDr", request.name)
            return self._state.start(
                write, lambda: self._begin(item_id, lambda: self._on_premises_item(item_id, request)), admission
            )

    def _begin(self, item_id: ArmId, item: Callable[[], ProtectedItem]) -> None:
        """Begin to replicate a new item."""
        # az sends what it updates as a PUT of the whole item. That this does not replicate the machine anew is an
        # assumption: a machine whose replication is enabled already has nothing to begin.
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
        # The NICs, and where mappings lead from their networks.
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
        # Where they land: the network that the request names wins over the mapping's. Recorded: without one in the
        # request a machine gets the mapped network, and its NICs count as selected by default.
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
        """Begin to replicate a machine at once. Raises ServiceError where the rules refuse it."""
        self._replicate(Enabling(self._state, item_id, request).item())

    def update(self, item_id: ArmId, properties: Mapping[str, object]) -> Started:
        """Change the settings of a machine (PATCH). ``properties`` are those of the request's body.

        What a body leaves out is kept or lost, as the world's ``partial_update`` says. Raises NotFoundError, and
        ServiceError for a machine that is not protected or where the body cannot be read.
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
                        # Reported: this is accepted, and its operation fails (terraform-provider-azurerm issue 22193).
                        if address.test_ip and not address.test_subnet:
                            raise self._state.assumed("test_subnet_missing", resource_id=item_id)
                self._state.put_item(updated)

            write = self._state.write("PATCH", item_id, "UpdateVmProperties", item.friendly_name)
            return self._state.start(write, finish, admission)

    def delete(self, item_id: ArmId, *, method: str = "DELETE") -> Started:
        """Disable replication: DELETE purges, POST removes. Raises NotFoundError.

        A machine to which something else is being done can be purged only (assumption).
        """
        path = f"{item_id}/remove" if method == "POST" else str(item_id)
        with self._state.request(method, path) as admission:
            item = self._state.protected_item(item_id)
            if method == "POST" and item.scenario:
                raise self._state.assumed("machine_busy", item.friendly_name, item.scenario, resource_id=item_id)
            write = self._state.write(method, item_id, "DisableDr", item.friendly_name)
            return self._state.start(write, lambda: self._state.remove_item(item_id), admission)

    def test_failover(self, item_id: ArmId, network_id: ArmId | None = None) -> Started:
        """Make a test machine; ``network_id`` is for NICs without a test network of their own. Fails without one."""
        return self._do(TEST_FAILOVER, item_id, lambda item: self.tested(item, network_id))

    def test_failover_cleanup(self, item_id: ArmId) -> Started:
        """Delete the test machine."""
        return self._do(TEST_FAILOVER_CLEANUP, item_id, self.cleaned_up, meanwhile=CLEANING_UP)

    def planned_failover(self, item_id: ArmId, direction: Direction = "PrimaryToRecovery") -> Started:
        """Fail an on-premises machine over without loss, or (``RecoveryToPrimary``) back."""
        change = partial(self.failed_over, direction=direction, planned=True)
        return self._do(PLANNED_FAILOVER, item_id, change, direction=direction)

    def unplanned_failover(self, item_id: ArmId, direction: Direction = "PrimaryToRecovery") -> Started:
        """Fail a machine over: it lands on the recovery side. Of a re-protected Azure machine this is the failback."""
        return self._do(
            UNPLANNED_FAILOVER, item_id, partial(self.failed_over, direction=direction), direction=direction
        )

    def commit(self, item_id: ArmId) -> Started:
        """Commit a failover: there is no way back but re-protection."""
        return self._do(FAILOVER_COMMIT, item_id, self.committed)

    def cancel(self, item_id: ArmId) -> Started:
        """Cancel a failover that is not committed: the machine runs where it did."""
        return self._do(FAILOVER_CANCEL, item_id, self.canceled)

    def apply_recovery_point(self, item_id: ArmId) -> Started:
        """Make the machine of a failover anew, from another recovery point, as long as that is not committed."""

        def made_anew(item: ProtectedItem) -> ProtectedItem:
            land(self._state, item, self.recovery_machine_id(item))
            return item

        return self._do(APPLY_RECOVERY_POINT, item_id, made_anew)

    def reprotect(
        self, item_id: ArmId, request: SwitchRequest | None = None, *, policy_id: ArmId | None = None
    ) -> Started:
        """Replicate a machine from where it runs now; ``request`` says where to, of an Azure machine.

        Of an on-premises machine this is the way back, and after its failback the first direction again; ``policy_id``
        is that of the new direction. Raises ServiceError where the policy is missing or of another provider.
        """

        def check(item: ProtectedItem) -> None:
            if item.provider == "A2A":
                self._check_switch(item, request or _switch_back(item))
            else:
                self._state.require_policy(policy_id, _provider_back(item))

        return self._do(REPROTECT, item_id, lambda item: self.reprotected(item, request, policy_id), check=check)

    def reprotected(
        self, item: ProtectedItem, request: SwitchRequest | None = None, policy_id: ArmId | None = None
    ) -> ProtectedItem:
        """A machine that is replicated from where it runs now; an Azure machine moves to the other container."""
        if item.provider == "A2A":
            request = request or _switch_back(item)
            self._check_switch(item, request)
            return self._switched(item, request)
        return replace(item, state=PROTECTED, provider=_provider_back(item), policy_id=policy_id or item.policy_id)

    def switch_protection(self, container_id: ArmId, request: SwitchRequest) -> Started:
        """Re-protect an Azure machine: it moves to its recovery container and replicates back.

        Its old id exists no more. Raises NotFoundError where the machine, a container or the policy is missing.
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
        """The job under way for a machine, its own or a recovery plan's; None where there is none."""
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
        """Start an operation that ends with ``change``; ``meanwhile`` is the state of the test failover until then."""
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
                self._state.note_done(item_id, verb.scenario)

            write = self._state.write("POST", item_id, verb.scenario, item.friendly_name)
            started = self._state.start(
                write,
                finish,
                admission,
                # ``item`` is the machine from before its scenario was set, which a failure brings back.
                on_failure=lambda: self.fail(verb, item),
            )
            if verb is TEST_FAILOVER:
                self._state.test_jobs[item_id.key] = started.id
            # An immediate operation has ended by now and taken itself off ``working`` already.
            if started.state == "InProgress":
                self._state.working[item_id.key] = started.id
            return started

    def store(self, item_id: ArmId, changed: ProtectedItem) -> None:
        """Store a machine that an operation has changed: one that is re-protected has moved and replicates again."""
        if changed.id != item_id:
            self._state.remove_item(item_id)
            self._state.move_extras(item_id, changed.id)
            self._state.move_in_plans(item_id, changed.id)
        if changed.state == REPLICATING:
            self._replicate(changed)
        else:
            self._state.put_item(changed)

    def released(self, item: ProtectedItem) -> ProtectedItem:
        """The machine without the operation that was under way for it."""
        self._state.working.pop(item.id.key, None)
        return replace(item, scenario="")

    def fail(self, verb: Verb, before: ProtectedItem) -> None:
        """Leave a machine as it was ``before`` an operation that failed; a failed failover shows in its state."""
        self._state.working.pop(before.id.key, None)
        if self._state.protected_items.get(before.vault_id.key, before.id.key) is not None:
            failover = verb in {PLANNED_FAILOVER, UNPLANNED_FAILOVER}
            self._state.put_item(replace(before, state=FAILOVER_FAILED) if failover else before)

    def require(self, verb: Verb, item: ProtectedItem, direction: Direction | None = None) -> None:
        """Raise ServiceError where ``verb`` is not allowed for a machine now."""
        if item.scenario:
            raise self._state.assumed("machine_busy", item.friendly_name, item.scenario, resource_id=item.id)
        wrong_way = direction is not None and (direction == "RecoveryToPrimary") != item.has_failed_over
        operations = {verb.operation}
        if verb is REPROTECT and item.provider == "A2A":
            # Specified: Azure machines have both ways to re-protect, by their container and by themselves.
            operations = {SWITCH_PROTECTION.operation}
        elif verb in {PLANNED_FAILOVER, REPROTECT}:
            # Specified: a Hyper-V machine fails back by a planned failover, without being re-protected before. That it
            # may be re-protected all the same, as VMware's must, is assumed.
            operations.add("Failback")
        if wrong_way or operations.isdisjoint(allowed_operations(item)):
            parts = (verb.operation, item.friendly_name, item.state)
            raise self._state.assumed("operation_not_allowed", *parts, resource_id=item.id)

    def go_on_replicating(self) -> None:
        """Let the machines that a world file has in their initial replication become protected by the clock.

        Where replication takes no time they stay as the file has them.
        """
        with self._state.lock:
            for item in self._state.protected_items:
                if item.state in {REPLICATING, COMPLETING} and timing(self._state.behaviour.replication).seconds:
                    self._replicate(item, 0 if item.state == REPLICATING else 1)

    def _replicate(self, item: ProtectedItem, stage: int = 0) -> None:
        """Store a machine that begins to replicate, or goes on, and let it become protected by the clock.

        Recorded: during initial replication a machine shows no NICs, and a re-protected one shows neither the
        networks that its NICs are on nor the names of their ip configurations.
        """
        seconds = timing(self._state.behaviour.replication).seconds
        hidden = replace(item, nics=tuple(_hidden(nic) for nic in item.nics) if item.is_reversed else ())
        stages = (
            replace(hidden, state=REPLICATING),
            replace(hidden if item.is_reversed else item, state=COMPLETING),
            replace(item, state=PROTECTED),
        )

        self._state.replicating[item.id.key] = item

        def enter(number: int) -> None:
            # A machine that was disabled meanwhile, and perhaps enabled again, is not this one any more.
            if self._state.replicating.get(item.id.key) is not item:
                return
            self._state.put_item(stages[number])
            if number + 1 < len(stages):
                self._state.operations.later(seconds, lambda: enter(number + 1))
            else:
                del self._state.replicating[item.id.key]

        enter(stage)

    def tested(self, item: ProtectedItem, network_id: ArmId | None = None) -> ProtectedItem:
        """Make the machine of a test failover; the item as it is then."""
        land_in_test(self._state, item, self.test_machine_id(item), network_id)
        return replace(item, test_failover_state=TEST_MACHINE_EXISTS)

    def cleaned_up(self, item: ProtectedItem) -> ProtectedItem:
        """Delete the machine of a test failover; the item as it is then."""
        remove_machine(self._state, self.test_machine_id(item))
        return replace(item, test_failover_state="None")

    def failed_over(
        self, item: ProtectedItem, direction: Direction = "PrimaryToRecovery", *, planned: bool = False
    ) -> ProtectedItem:
        """Make the machine that a failover makes, or remove it when an on-premises one fails back; the item then."""
        state = PLANNED_COMMIT_PENDING if planned else COMMIT_PENDING
        if direction == "RecoveryToPrimary":
            remove_machine(self._state, self.recovery_machine_id(item))
            return replace(item, state=state, active_location="Primary")
        land(self._state, item, self.recovery_machine_id(item))
        return replace(item, state=state, active_location="Recovery")

    def canceled(self, item: ProtectedItem) -> ProtectedItem:
        """Delete the machine that a failover made, or make that of a failback again; the item as it is then."""
        if item.provider != "A2A" and not item.has_failed_over:
            land(self._state, item, self.recovery_machine_id(item))
            state = PLANNED_COMMITTED if item.provider == "HyperVReplicaAzure" else PROTECTED
            return replace(item, state=state, active_location="Recovery")
        remove_machine(self._state, self.recovery_machine_id(item))
        return replace(item, state=PROTECTED, active_location="Primary")

    def committed(self, item: ProtectedItem) -> ProtectedItem:
        """The item once its failover is committed."""
        return replace(item, state=PLANNED_COMMITTED if item.state == PLANNED_COMMIT_PENDING else COMMITTED)

    def _switched(self, item: ProtectedItem, request: SwitchRequest) -> ProtectedItem:
        """The machine as it is replicated back: under the other container, primary and recovery side swapped."""
        container_id = self._state.recovery_container(item)
        assert container_id is not None  # noqa: S101 - checked when the request came in
        machine_id = self.recovery_machine_id(item)
        nics = tuple(self._nic_back(item, nic, machine_id) for nic in item.nics)
        # The machine that the failover left behind is deleted, so that its addresses are free for the way back.
        # Source: Reprotect failed over Azure VMs to the primary region.
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
            # What was set for the machine on the recovery side does not hold for the way back.
            settings={"recoveryAvailabilityZone": item.primary_zone} if item.primary_zone else {},
            machine_id=machine_id,
            policy_id=request.policy_id or item.policy_id,
            nics=nics,
        )

    def _nic_back(self, item: ProtectedItem, nic: Nic, machine_id: ArmId) -> Nic:
        """A NIC where it landed, with the way back: by the mapping of the network that it is on, else where it was.

        Documented: the network to go back to cannot be chosen when a machine is re-protected, the mapping decides.
        """
        machine = self._state.virtual_machines.get(machine_id.subscription, machine_id.key)
        landed = next((other for other in machine.nics if other.name == nic.name), None) if machine else None
        # Where it runs by now; somebody may have changed that since the failover.
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
            # A world need not say which interface a NIC is: an interface of the same name beside its machine is used.
            source_id = item.machine_id.parent.child("providers", "Microsoft.Network", "networkInterfaces", nic.name)
        source = self._state.network_interfaces.get(source_id.subscription, source_id.key) if source_id else None
        return Nic(
            name=nic.name,
            id=nic.id,
            primary_network_id=network_id,
            recovery_network_id=home.id if home else home_id,
            # Recorded: the NIC goes back to the security group that it had.
            recovery_network_security_group=source.network_security_group if source else None,
            selection="SelectedByUserOverride",
            ip_configurations=tuple(addresses),
        )

    def recovery_machine_id(self, item: ProtectedItem) -> ArmId:
        """The machine that a failover makes, in the resource group that was asked for, else that of its network."""
        networks = (nic.recovery_network_id or item.recovery_network_id for nic in item.nics)
        network_id = next((network_id for network_id in networks if network_id), None)
        group = item.recovery_group_id or (network_id.parent if network_id else item.vault_id.parent)
        name = str(item.settings.get(_VM_NAMES.get(item.provider, "")) or item.friendly_name)
        return group.child("providers", "Microsoft.Compute", "virtualMachines", name)

    def test_machine_id(self, item: ProtectedItem) -> ArmId:
        """The machine that a test failover makes."""
        machine_id = self.recovery_machine_id(item)
        name = str(item.settings.get("tfoAzureVMName") or f"{machine_id.name}-test")
        return machine_id.parent.child("providers", "Microsoft.Compute", "virtualMachines", name)

    def as_shown(self, item: ProtectedItem) -> ProtectedItem:
        """The item as the service shows it: with the service's own settings where nobody has set any.

        The network of an on-premises machine is shown by its friendly name, not its id.
        """
        item = with_service_settings(item)
        nics = []
        for nic in item.nics:
            network_id = nic.primary_network_id
            # Keys before types: lists have thousands of machines, and this runs for each of them on every page.
            if network_id is None or _ASR_NETWORKS not in network_id.key or network_id.type != ASR_NETWORK:
                nics.append(nic)
                continue
            record = self._state.vm_networks.get(network_id.parent.key, network_id.key)
            name = record.network.friendly_name if record else network_id.name
            nics.append(replace(nic, primary_network_id=None, primary_network=name))
        return item if all(map(is_, nics, item.nics)) else replace(item, nics=tuple(nics))


def _switch_back(item: ProtectedItem) -> SwitchRequest:
    """Re-protection to the container that a machine is protected in until now."""
    return SwitchRequest(item_name=item.id.name, recovery_container_id=item.id.parent)


def _hidden(nic: Nic) -> Nic:
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
    """Machines in Azure that can be protected."""

    def __init__(self, state: State) -> None:
        self._state = state

    def list(self, subscription: str) -> tuple[VirtualMachine, ...]:
        """The machines of a subscription."""
        with self._state.lock:
            return tuple(self._state.virtual_machines.values(subscription.lower()))

    def get(self, machine_id: ArmId) -> VirtualMachine | None:
        """A machine, None where there is none."""
        with self._state.lock:
            self._state.operations.settle()
            return self._state.virtual_machines.get(machine_id.subscription, machine_id.key)

    def put(self, machine: VirtualMachine) -> None:
        """Make a machine exist, at once."""
        with self._state.lock:
            self._state.ensure_group(machine.id, machine.location)
            self._state.virtual_machines.put(machine.id.subscription, machine.id.key, machine)

"""Replication policies of a vault: how often machines are replicated, and how long their recovery points are kept."""

from __future__ import annotations

from asrnet.fake import refusals
from asrnet.fake.operations import Started
from asrnet.fake.records import ReplicationPolicy
from asrnet.fake.state import State
from asrnet.model.arm import ArmId


class Policies:
    """Replication policies."""

    def __init__(self, state: State) -> None:
        self._state = state

    def list(self, vault_id: ArmId) -> tuple[ReplicationPolicy, ...]:
        """The policies of a vault. Raises NotFoundError and VaultUnusedError."""
        with self._state.request("GET", f"{vault_id}/replicationPolicies"):
            vault = self._state.known_vault(vault_id)
            return self._state.listed(self._state.policies.values(vault.id.key))

    def get(self, policy_id: ArmId) -> ReplicationPolicy:
        """One policy. Raises NotFoundError."""
        with self._state.request("GET", policy_id):
            return self._existing(policy_id)

    def put(self, policy: ReplicationPolicy) -> Started:
        """Create or replace a policy. Raises ConflictError if it is in use by another provider (assumption)."""
        with self._state.request("PUT", policy.id) as admission:
            vault = self._state.vault(policy.id)
            current = self._state.policies.get(vault.id.key, policy.id.key)
            if current is not None and current.provider != policy.provider:
                self._check_unused(current)
            write = self._state.write("PUT", policy.id, "AddProtectionProfile")
            return self._state.start(write, lambda: self._store(policy), admission)

    def patch(self, policy: ReplicationPolicy) -> Started:
        """Change a policy. Raises NotFoundError, and ServiceError if it belongs to another provider (assumption)."""
        with self._state.request("PATCH", policy.id) as admission:
            before = self._existing(policy.id)
            if before.provider != policy.provider:
                parts = (policy.id.name, before.provider, policy.provider)
                raise self._state.assumed("policy_mismatch", *parts, resource_id=policy.id)
            write = self._state.write("PATCH", policy.id, "UpdateProtectionProfile")
            return self._state.start(write, lambda: self._store(policy), admission)

    def delete(self, policy_id: ArmId) -> Started:
        """Delete a policy. Raises NotFoundError, and ConflictError while it is in use (assumption)."""
        with self._state.request("DELETE", policy_id) as admission:
            policy = self._existing(policy_id)
            self._check_unused(policy)
            write = self._state.write("DELETE", policy.id, "DeleteProtectionProfile")
            return self._state.start(write, lambda: self._remove(policy), admission)

    def _check_unused(self, policy: ReplicationPolicy) -> None:
        vault = policy.id.parent.key
        users = {
            **{mapping.id: mapping.policy_id for mapping in self._state.cloud_mappings.values(vault)},
            **{item.id: item.policy_id for item in self._state.protected_items.values(vault)},
        }
        for user, used in users.items():
            if used == policy.id:
                raise self._state.assumed("policy_in_use", policy.id.name, user.name, resource_id=policy.id)

    def _remove(self, policy: ReplicationPolicy) -> None:
        self._check_unused(policy)  # it may have come into use since the request was accepted
        self._state.policies.remove(policy.id.parent.key, policy.id.key)

    def _existing(self, policy_id: ArmId) -> ReplicationPolicy:
        vault = self._state.known_vault(policy_id)
        policy = self._state.policies.get(vault.id.key, policy_id.key)
        if policy is None:
            raise refusals.missing(policy_id)
        return policy

    def _store(self, policy: ReplicationPolicy) -> None:
        self._state.policies.put(policy.id.parent.key, policy.id.key, policy)

"""A saved plan, held against what is there now."""

from __future__ import annotations

from collections.abc import Mapping

from asrnet.changes import Change, Plan
from asrnet.desired import DesiredState, Row, Vault
from asrnet.errors import InputError
from asrnet.freshness import moved, observe
from asrnet.ids import ArmId
from asrnet.inventory import confirmed, read
from asrnet.ports import Backend


def moved_since(plan: Plan, backend: Backend) -> Mapping[str, tuple[str, ...]]:
    """For each vault that ``plan`` changes, what is no longer as it was when the plan was made; none that fit still.

    What cannot be read now counts as moved. Raises InputError where the plan was made in another tenant, and the
    vault's error when no vault at all can be read.
    """
    _check_tenant(plan, backend)
    concerned = {change.vault for change in plan.changes}
    before = {seen.vault: seen for seen in plan.observed if seen.vault in concerned}
    vaults = tuple(Vault(name=seen.vault, id=seen.vault_id) for seen in before.values())
    networks = {seen.vault: [ArmId(f"/{key}") for key in seen.networks] for seen in before.values()}
    rows = tuple(
        Row(name=network.key, vault=name, primary=network, recovery=None)
        for name, members in networks.items()
        for network in members
    )
    # As the plan was made: what it changes was asked for by id, the rest may come from a list that is behind.
    listed = read(DesiredState(vaults=vaults, pairs=rows), backend, confirm=False)
    inventory = confirmed(listed, backend, {end for change in plan.changes for end in _ends(change)})
    differences: dict[str, tuple[str, ...]] = {}
    for name, seen in before.items():
        vault = inventory.vaults[name]
        now = observe(vault, networks[name], inventory)
        differences[name] = (f"the vault cannot be read: {vault.error}",) if vault.error else moved(seen, now)
    return {name: found for name, found in differences.items() if found}


def _ends(change: Change) -> tuple[ArmId, ...]:
    return tuple(network for network in (change.primary_network_id, change.recovery_network_id) if network)


def _check_tenant(plan: Plan, backend: Backend) -> None:
    here = backend.tenant()
    if plan.tenant and here and plan.tenant.lower() != here.lower():
        raise InputError(
            f"the plan was made in tenant {plan.tenant}; this is tenant {here}",
            hint="sign in to the tenant of the plan, or plan again in this one",
        )

"""A saved plan, held against what is there now."""

from __future__ import annotations

from collections.abc import Mapping

from asrnet.changes import Plan
from asrnet.desired import DesiredState, Row, Vault
from asrnet.freshness import moved, observe
from asrnet.ids import ArmId
from asrnet.inventory import read
from asrnet.ports import Backend


def moved_since(plan: Plan, backend: Backend) -> Mapping[str, tuple[str, ...]]:
    """For each vault that ``plan`` changes, what is no longer as it was when the plan was made; none that fit still.

    What cannot be read now counts as moved. Raises the vault's error when no vault at all can be read.
    """
    concerned = {change.vault for change in plan.changes}
    before = {seen.vault: seen for seen in plan.observed if seen.vault in concerned}
    vaults = tuple(Vault(name=seen.vault, id=seen.vault_id) for seen in before.values())
    networks = {seen.vault: [ArmId(f"/{key}") for key in seen.networks] for seen in before.values()}
    rows = tuple(
        Row(name=network.key, vault=name, primary=network, recovery=None)
        for name, members in networks.items()
        for network in members
    )
    inventory = read(DesiredState(vaults=vaults, pairs=rows), backend)
    differences: dict[str, tuple[str, ...]] = {}
    for name, seen in before.items():
        vault = inventory.vaults[name]
        now = observe(vault, networks[name], inventory)
        differences[name] = (f"the vault cannot be read: {vault.error}",) if vault.error else moved(seen, now)
    return {name: found for name, found in differences.items() if found}

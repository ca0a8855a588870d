"""The rights that each task needs, and no more: as a custom role whose scopes are what the desired state names."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from asrnet.desired import DesiredState, Region
from asrnet.model.arm import ArmId
from asrnet.model.rights import (
    ACTIONS,
    CREATE_FABRICS,
    ON_PREMISES,
    VAULT_LISTS,
    VAULT_LISTS_ON_PREMISES,
    WITHOUT_VAULTS,
    Task,
)

_DESCRIPTIONS: Final[dict[Task, str]] = {
    "plan": "Read what asrnet plan, show, dump, predict and drift need. Writes nothing.",
    "apply": "Create, retarget and repair network mappings. Deletes: a retarget deletes the old reverse mapping first.",
    "machines": "Point protected machines at the recovery and test networks of their pairs.",
    "create-networks": "Create the copies of virtual networks that pairs ask for.",
    "landing-zones": "Create copies with network security groups and route tables, their resource groups and subnets.",
    "prune": "Delete unmanaged mappings of vaults that say unmanaged: delete.",
    "nics": "Read the NICs of machines for asrnet predict --nics, in addition to the role for plan.",
}


class Role(Struct, frozen=True, kw_only=True, rename="pascal"):
    """A custom role, as ``az role definition create`` reads it."""

    name: str
    is_custom: bool = True
    description: str
    actions: tuple[str, ...]
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()
    not_data_actions: tuple[str, ...] = ()
    assignable_scopes: tuple[str, ...]


def role(task: Task, desired: DesiredState, *, name: str = "", minimal: bool = False) -> Role:
    """The role for ``task``. ``minimal`` leaves out rights that only save time."""
    return Role(
        name=name or f"asrnet {task}",
        description=_DESCRIPTIONS[task],
        actions=actions(task, desired, minimal=minimal),
        assignable_scopes=scopes(task, desired),
    )


def tasks_of(desired: DesiredState) -> tuple[Task, ...]:
    """The tasks needed to apply ``desired``. One role for each keeps the rights of one task out of another's scopes."""
    copies = [region.copy for region, _ in _copies(desired)]
    attached = any(
        copy.network_security_group or copy.route_table or copy.create_resource_group or copy.add_subnets
        for copy in copies
    )
    needed: dict[Task, bool] = {
        "apply": True,
        "machines": bool(desired.vaults_that_follow),
        "create-networks": bool(copies) and not attached,
        "landing-zones": attached,
        "prune": any(vault.unmanaged == "delete" for vault in desired.vaults),
    }
    return tuple(task for task, is_needed in needed.items() if is_needed)


def actions(task: Task, desired: DesiredState, *, minimal: bool = False) -> tuple[str, ...]:
    """The actions that ``task`` needs, sorted."""
    needed = set(ACTIONS[task])
    if task in WITHOUT_VAULTS:
        return tuple(sorted(needed))
    needed |= set() if minimal else set(VAULT_LISTS)
    if desired.vmm_pairs:
        needed |= {*ON_PREMISES, *(() if minimal else VAULT_LISTS_ON_PREMISES)}
    if task == "apply" and any(vault.create_fabrics for vault in desired.vaults):
        needed.add(CREATE_FABRICS)
    return tuple(sorted(needed))


def scopes(task: Task, desired: DesiredState) -> tuple[str, ...]:
    """Where the role has to be assigned: resource groups, and whole subscriptions if rules search them.

    For landing zones, these are the subscriptions of the copies: security groups and route tables may be anywhere in
    them, and creating a resource group needs a right at its subscription. NICs may be anywhere in the subscriptions of
    their networks (documented: a NIC is in the subscription of its virtual network).
    """
    if task == "nics":
        searched = {row.primary.subscription for row in desired.pairs}
        searched |= set(desired.subscriptions.values()) if desired.rules else set()
        assigned = {f"/subscriptions/{subscription}" for subscription in searched}
    elif task in {"create-networks", "landing-zones"}:
        whole = task == "landing-zones"
        assigned = {"/".join(scope.split("/")[:3]) if whole else scope for scope in _copy_scopes(desired)}
    else:
        networks = [network for row in desired.pairs for network in (row.primary, row.recovery) if network]
        networks += [row.test for row in desired.pairs if isinstance(row.test, ArmId)]
        networks += [region.test for region in desired.regions if region.test]
        networks += [vmm.recovery for vmm in desired.vmm_pairs if isinstance(vmm.recovery, ArmId)]
        assigned = {
            f"/subscriptions/{resource.subscription}/resourceGroups/{resource.resource_group}"
            for resource in (*networks, *(vault.id for vault in desired.vaults))
        }
        if desired.rules:
            assigned |= {f"/subscriptions/{subscription}" for subscription in desired.subscriptions.values()}
        assigned |= set(_copy_scopes(desired))
    by_key = {scope.lower(): scope for scope in sorted(assigned)}
    # A scope within another one of the list adds nothing.
    return tuple(
        scope for key, scope in sorted(by_key.items()) if not any(key.startswith(f"{above}/") for above in by_key)
    )


def _copy_scopes(desired: DesiredState) -> Iterator[str]:
    """The resource groups of copies; the subscription if the group depends on networks found by rules."""
    for region, primary in _copies(desired):
        subscription = region.copy.subscription or (primary.subscription if primary else None)
        template = region.copy.resource_group
        if primary and subscription:
            group = template.format(
                resource_group=primary.resource_group, name=primary.name, recovery_region=region.recovery
            )
            yield f"/subscriptions/{subscription}/resourceGroups/{group}"
            continue
        for candidate in [subscription] if subscription else desired.subscriptions.values():
            group = "" if "{" in template else f"/resourceGroups/{template}"
            yield f"/subscriptions/{candidate}{group}"


def _copies(desired: DesiredState) -> Iterator[tuple[Region, ArmId | None]]:
    """Each region and primary network that may be copied there; None stands for what a rule matches.

    A network's region is not known offline, so a row counts for every declared one.
    """
    for region in desired.regions:
        yield from ((region, row.primary) for row in desired.pairs if row.recovery is None and not row.managed_by)
        if any(rule.recovery is None and not rule.managed_by for rule in desired.rules):
            yield region, None

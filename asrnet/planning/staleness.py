"""What a plan saw, and what has moved since: a saved plan is held against what is there now."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from operator import attrgetter

import msgspec
from msgspec import structs

from asrnet.desired import DesiredState, Row, Vault
from asrnet.errors import InputError
from asrnet.inventory.read import Absent, Inventory, VaultInventory, confirmed, read_inventory
from asrnet.model.arm import ArmId
from asrnet.model.azure import VirtualNetwork
from asrnet.model.plan import Change, Observed, Plan
from asrnet.ports import Backend

_ABSENT = "absent"
_ENCODER = msgspec.json.Encoder(enc_hook=str)
_key = attrgetter("key")
_LEADING = re.compile(r"\bsubscriptions/\S*/")  # of an id as it is compared, without case and without the first slash


def observe(vault: VaultInventory, networks: Iterable[ArmId], inventory: Inventory) -> Observed:
    """What was seen of one vault and of the networks its pairs are about."""
    return Observed(
        vault=vault.name,
        vault_id=vault.id,
        mappings={
            mapping.id.key: f"{mapping.primary_network_id.key} -> {mapping.recovery_network_id.key} ({mapping.state})"
            for mapping in vault.mappings
        }
        | {mapping.id.key: mapping.problem for mapping in vault.unreadable},
        networks={network.key: _fingerprint(inventory.network(network)) for network in sorted(networks, key=_key)},
        fabrics={fabric.id.key: fabric.location or fabric.friendly_name for fabric in vault.fabrics},
    )


def _fingerprint(state: object) -> str:
    """What a plan depends on in a network. Addresses in use come and go by the hour and change no plan."""
    if isinstance(state, VirtualNetwork):
        if any(subnet.used or subnet.used_ips for subnet in state.subnets):
            subnets = tuple(structs.replace(subnet, used=0, used_ips=()) for subnet in state.subnets)
            state = structs.replace(state, subnets=subnets)
        return hashlib.sha256(_ENCODER.encode(state)).hexdigest()[:16]
    return _ABSENT if isinstance(state, Absent) else "unknown"


def moved(before: Observed, now: Observed) -> tuple[str, ...]:
    """Each thing of a vault that is no longer what the plan saw, in words."""
    return (
        *_differences("mapping", before.mappings, now.mappings),
        *_differences("fabric", before.fabrics, now.fabrics),
        *_differences("network", before.networks, now.networks),
    )


def _differences(what: str, before: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for key in sorted(before.keys() | now.keys()):
        old, new = before.get(key, _ABSENT), now.get(key, _ABSENT)
        if old == new:
            continue
        name = key.rpartition("/")[2]
        about = _told(old, new) if what == "mapping" else f"/{key}"
        became = "has appeared" if old == _ABSENT else "is gone" if new == _ABSENT else "has changed"
        yield f"{what} {name} {became}: {about}"


def _told(old: str, new: str) -> str:
    """A mapping before and now, by the names of its networks where they tell the two apart."""
    was, now = _LEADING.sub("", old), _LEADING.sub("", new)
    if was == now:
        was, now = old, new
    if old == _ABSENT:
        return now
    return f"was {was}" if new == _ABSENT else f"was {was}, is {now}"


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
    listed = read_inventory(DesiredState(vaults=vaults, pairs=rows), backend, confirm=False)
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

"""Compares what a saved plan is based on with Azure now."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from operator import attrgetter
from typing import Final

import msgspec
from msgspec import structs

from asrnet.desired import DesiredState, Row, Vault
from asrnet.errors import InputError
from asrnet.inventory.read import Absent, Inventory, Unknown, VaultInventory, confirmed, read_inventory
from asrnet.model import machine_update
from asrnet.model.arm import ArmId
from asrnet.model.azure import VirtualNetwork
from asrnet.model.plan import Observed, Plan
from asrnet.ports import Backend

_ABSENT: Final = "absent"
_ENCODER: Final = msgspec.json.Encoder(enc_hook=str)
_ENDS: Final = re.compile(r"\bsubscriptions/\S*")  # in a text "ID -> ID (STATE)": each network id
_LEADING: Final = re.compile(r"\bsubscriptions/\S*/")  # in an id's key: all but the name


def observe(
    vault: VaultInventory, networks: Iterable[ArmId], machines: Collection[ArmId], inventory: Inventory
) -> Observed:
    """The observed state of one vault, of the networks of its pairs, and of those of ``machines`` that it protects."""
    mappings = {
        mapping.id.key: f"{mapping.primary_network_id.key} -> {mapping.recovery_network_id.key} ({mapping.state})"
        for mapping in vault.mappings
    }
    return Observed(
        vault=vault.name,
        vault_id=vault.id,
        mappings=mappings | {mapping.id.key: mapping.problem for mapping in vault.unreadable},
        networks={
            network.key: _fingerprint(inventory.network(network)) for network in sorted(networks, key=attrgetter("key"))
        },
        fabrics={fabric.id.key: fabric.location or fabric.friendly_name for fabric in vault.fabrics},
        machines={
            item.id.key: machine_update.fingerprint(item)
            for item in (() if isinstance(vault.items, Unknown) else vault.items)
            if item.id in machines
        },
    )


def _fingerprint(network: object) -> str:
    """The parts of a network that a plan depends on. Addresses in use change hourly and affect no plan."""
    if isinstance(network, VirtualNetwork):
        if any(subnet.used or subnet.used_ips for subnet in network.subnets):
            subnets = tuple(structs.replace(subnet, used=0, used_ips=()) for subnet in network.subnets)
            network = structs.replace(network, subnets=subnets)
        return hashlib.sha256(_ENCODER.encode(network)).hexdigest()[:16]
    return _ABSENT if isinstance(network, Absent) else "unknown"


def changes_between(before: Observed, after: Observed, plan: Plan) -> tuple[str, ...]:
    """The changes in a vault since ``plan`` was made, each with ``(pair NAME)`` if a pair is concerned."""
    return (
        *_differences("mapping", before.mappings, after.mappings, before.vault, plan),
        *_differences("fabric", before.fabrics, after.fabrics, before.vault, plan),
        *_differences("network", before.networks, after.networks, before.vault, plan),
        *_differences("machine", before.machines, after.machines, before.vault, plan),
    )


def _differences(
    kind: str, before: Mapping[str, str], after: Mapping[str, str], vault: str, plan: Plan
) -> Iterator[str]:
    # Observations have ids in lower case. Messages use Azure's own spelling if the plan has it.
    spelled = {
        network_id.key: str(network_id)
        for pair in plan.pairs
        for network_id in (pair.primary_network_id, pair.recovery_network_id)
        if network_id
    }
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key, _ABSENT), after.get(key, _ABSENT)
        if old == new:
            continue
        became = "has appeared" if old == _ABSENT else "is gone" if new == _ABSENT else "has changed"
        details = spelled.get(key, f"/{key}")
        if kind == "mapping":
            # The names of the networks are enough if they differ.
            short_old, short_new = _LEADING.sub("", old), _LEADING.sub("", new)
            if short_old == short_new:
                short_old, short_new = old, new
            details = f"was {short_old}, is {short_new}"
            if _ABSENT in {old, new}:
                details = short_new if old == _ABSENT else f"was {short_old}"
        pairs = _pairs_about(kind, key, new if old == _ABSENT else old, vault, plan)
        label = f" ({'pair' if len(pairs) == 1 else 'pairs'} {', '.join(pairs)})" if pairs else ""
        yield f"{kind} {spelled.get(key, key).rpartition('/')[2]}{label} {became}: {details}"


def _pairs_about(kind: str, key: str, observed: str, vault: str, plan: Plan) -> list[str]:
    """The names of the plan's pairs that a resource of a vault belongs to."""
    if kind == "machine":
        return [machine.pair for machine in plan.machines if machine.vault == vault and machine.id.key == key]
    ends = set(_ENDS.findall(observed)) if kind == "mapping" else {key}
    names = []
    for pair in plan.pairs:
        networks = {pair.primary_network_id.key} | (
            {pair.recovery_network_id.key} if pair.recovery_network_id else set()
        )
        # A mapping of a pair's primary network belongs to the pair, whatever its target.
        if pair.vault == vault and (ends <= networks or pair.primary_network_id.key in ends) and ends:
            names.append(pair.name)
    return names


def moved_since(plan: Plan, backend: Backend) -> Mapping[str, tuple[str, ...]]:
    """For each vault that ``plan`` changes, what has changed since the plan was made; unchanged vaults are left out.

    A vault that cannot be read now counts as moved. Raises InputError if the plan was made in another tenant, and
    the vault's error when no vault at all can be read.
    """
    tenant = backend.tenant()
    if plan.tenant and tenant and plan.tenant.lower() != tenant.lower():
        raise InputError(
            f"the plan was made in tenant {plan.tenant}; this is tenant {tenant}",
            hint="sign in to the tenant of the plan, or plan again in this one",
        )
    changed_vaults = {change.vault for change in plan.changes}
    before = {observed.vault: observed for observed in plan.observed if observed.vault in changed_vaults}
    vaults = tuple(Vault(name=observed.vault, id=observed.vault_id) for observed in before.values())
    networks = {name: [ArmId(f"/{key}") for key in observed.networks] for name, observed in before.items()}
    machines = {ArmId(f"/{key}") for observed in before.values() for key in observed.machines}
    # The networks of all rows are read by id, so a row is made for each network that the plan saw.
    rows = tuple(
        Row(name=network.key, vault=name, primary=network, recovery=None)
        for name, members in networks.items()
        for network in members
    )
    # As when the plan was made: networks that it changes are read by id, the others may come from an outdated list.
    listed = read_inventory(DesiredState(vaults=vaults, pairs=rows), backend, confirm=False)
    ends = {end for change in plan.changes for end in (change.primary_network_id, change.recovery_network_id) if end}
    inventory = confirmed(listed, backend, ends)
    differences: dict[str, tuple[str, ...]] = {}
    for name, observed in before.items():
        vault = inventory.vaults[name]
        if vault.error:
            differences[name] = (f"the vault cannot be read: {vault.error}",)
        elif changes := changes_between(observed, observe(vault, networks[name], machines, inventory), plan):
            differences[name] = changes
    return differences

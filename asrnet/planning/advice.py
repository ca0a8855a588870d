"""Findings that block nothing: what a person should know about a pair before the day of the failover."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

from asrnet.desired.pairs import Pair
from asrnet.failover.addresses import capacity
from asrnet.failover.subnets import choose_subnet, is_reserved
from asrnet.inventory.read import Inventory, Unknown
from asrnet.model.arm import ArmId
from asrnet.model.azure import Nic, ProtectedItem, Subnet, VirtualNetwork
from asrnet.model.bodies import API_VERSION
from asrnet.model.findings import Finding, FindingKind, finding
from asrnet.planning.view import VaultView
from asrnet.planning.wants import PairWants


def vault_findings(view: VaultView, chosen: Sequence[PairWants]) -> Iterator[Finding]:
    """A vault that goes down with the primary region, and machines that will not land where the mapping says."""
    location = view.inventory.location
    if location and any(known.forward.primary.place == location for known in chosen):
        yield finding(
            FindingKind.VAULT_IN_PRIMARY_REGION,
            f"the vault is in {location}, where machines it protects run: it fails with them",
            vault=view.vault.name,
            subject=view.vault.id,
            hint="keep the vault in the recovery region, or in a third one",
        )
    yield from _stale_items(view, chosen)


def _stale_items(view: VaultView, chosen: Sequence[PairWants]) -> Iterator[Finding]:
    """Changing a mapping does not move machines already protected: each keeps its own recovery network."""
    items = () if isinstance(view.inventory.items, Unknown) else view.inventory.items
    if not items:
        return
    wanted = {
        (known.pair.primary, known.forward.primary.place): known.pair for known in chosen if not known.pair.managed_by
    }
    places = {fabric.id: fabric.location for fabric in view.inventory.fabrics}
    for item in items:
        for nic in item.nics:
            pair = wanted.get((nic.primary_network_id, places.get(item.fabric_id)))  # type: ignore[arg-type]  # None is no key
            if pair and pair.recovery and nic.recovery_network_id and nic.recovery_network_id != pair.recovery:
                yield _stale_item(item, nic, nic.recovery_network_id, pair, pair.recovery)


def _stale_item(item: ProtectedItem, nic: Nic, own: ArmId, pair: Pair, target: ArmId) -> Finding:
    body = {
        "properties": {
            "selectedRecoveryAzureNetworkId": str(target),
            "providerSpecificDetails": {"instanceType": item.provider},
        }
    }
    url = f"{item.id}?api-version={API_VERSION}"  # az puts the host of its own cloud before it
    return finding(
        FindingKind.STALE_PROTECTED_ITEM,
        f"{item.friendly_name} ({nic.name}) still fails over to {own.name}; mapping changes do not move it",
        vault=pair.vault,
        pair=pair.name,
        subject=item.id,
        hint=f"az rest --method patch --url '{url}' --body '{json.dumps(body)}'",
    )


def pair_findings(known: PairWants, inventory: Inventory) -> Iterator[Finding]:
    """How well the two networks of a pair fit, and what a copy that is about to be made leaves behind."""
    pair = known.pair
    primary = inventory.network(pair.primary)
    recovery = inventory.network(pair.recovery) if pair.recovery else None
    if isinstance(primary, VirtualNetwork) and isinstance(recovery, VirtualNetwork):
        yield from _parity(pair, primary, recovery)
    elif isinstance(primary, VirtualNetwork) and pair.copy and not pair.managed_by:
        yield from _left_behind(pair, primary)


def _parity(pair: Pair, primary: VirtualNetwork, recovery: VirtualNetwork) -> Iterator[Finding]:
    if set(primary.address_space) != set(recovery.address_space):
        yield finding(
            FindingKind.ADDRESS_SPACE_DIFFERS,
            f"{primary.name} has {', '.join(primary.address_space)} and {recovery.name} "
            f"{', '.join(recovery.address_space)}: machines change their addresses",
            vault=pair.vault,
            pair=pair.name,
            subject=recovery.id,
        )
    there = {subnet.name.lower(): subnet for subnet in recovery.subnets}
    mine = [subnet for subnet in primary.subnets if not is_reserved(subnet.name)]
    missing = [subnet for subnet in mine if subnet.name.lower() not in there]
    if missing:
        yield from _missing_subnets(pair, recovery, missing)
    for subnet in mine:
        twin = there.get(subnet.name.lower())
        if twin and capacity(twin.prefixes) < subnet.used:
            yield finding(
                FindingKind.SUBNET_TOO_SMALL,
                f"subnet {twin.name} of {recovery.name} holds {capacity(twin.prefixes)} machines, {subnet.used} "
                f"addresses are in use in {primary.name}",
                vault=pair.vault,
                pair=pair.name,
                subject=recovery.id,
            )


def _missing_subnets(pair: Pair, recovery: VirtualNetwork, missing: Sequence[Subnet]) -> Iterator[Finding]:
    names = ", ".join(subnet.name for subnet in missing)
    choice = choose_subnet([subnet.name for subnet in recovery.subnets], missing[0].name)
    where = f"; machines land in {choice.name}, the first by name" if choice else " and has no subnets at all"
    yield finding(
        FindingKind.SUBNET_MISSING,
        f"{recovery.name} has no subnet {names}{where}",
        vault=pair.vault,
        pair=pair.name,
        subject=recovery.id,
        hint="create the subnet in the recovery network, or choose one for each machine",
    )
    fallback = next((subnet for subnet in recovery.subnets if choice and subnet.name == choice.name), None)
    if fallback and (is_reserved(fallback.name) or fallback.delegation):
        why = f"delegated to {fallback.delegation}" if fallback.delegation else "reserved for a service of Azure"
        yield finding(
            FindingKind.FALLBACK_SUBNET_RESERVED,
            f"machines of subnet {names} would land in {fallback.name} of {recovery.name}, which is {why}",
            vault=pair.vault,
            pair=pair.name,
            subject=recovery.id,
        )


def _left_behind(pair: Pair, primary: VirtualNetwork) -> Iterator[Finding]:
    attached = [*primary.attachments]
    for subnet in primary.subnets:
        attached += [f"{attachment} of subnet {subnet.name}" for attachment in subnet.attachments]
        if subnet.delegation:
            attached.append(f"delegation of subnet {subnet.name} to {subnet.delegation}")
    if attached:
        yield finding(
            FindingKind.NOT_COPIED,
            f"the copy of {primary.name} is made without: {', '.join(attached)}",
            vault=pair.vault,
            pair=pair.name,
            subject=primary.id,
        )
    if primary.dns_servers and pair.copy and pair.copy.copy.dns == "copy":
        yield finding(
            FindingKind.COPIED_DNS,
            f"the copy of {primary.name} is given its DNS servers {', '.join(primary.dns_servers)}: "
            "they must answer from the recovery region",
            vault=pair.vault,
            pair=pair.name,
            subject=primary.id,
        )

"""What must be true before a pair is touched. A pair that fails is blocked with a finding; the others go on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from asrnet.desired import DesiredState, Vault
from asrnet.desired.pairs import Pair
from asrnet.errors import AsrError, CrossTenantError, ForbiddenError
from asrnet.inventory.read import Absent, Inventory, Unknown
from asrnet.model.arm import ArmId
from asrnet.model.azure import VirtualNetwork
from asrnet.model.findings import Finding, FindingKind, finding
from asrnet.planning.view import VaultView


def problems(pair: Pair, view: VaultView, inventory: Inventory, desired: DesiredState) -> Iterator[Finding]:
    """Everything that stands in the way of ``pair``; nothing when it may be planned."""
    if view.inventory.error:
        yield _unknown(pair, view.vault.id, view.inventory.error)
        return
    if pair.kind != "azure_to_azure":
        if pair.recovery and pair.kind == "vmm_to_azure":
            yield from _network_problems(pair, pair.recovery, inventory.network(pair.recovery))
        return
    primary = inventory.network(pair.primary)
    recovery = inventory.network(pair.recovery) if pair.recovery else None
    yield from _network_problems(pair, pair.primary, primary)
    if recovery is not None and pair.recovery:
        yield from _network_problems(pair, pair.recovery, recovery, may_be_made=pair.copy is not None)
    if isinstance(primary, VirtualNetwork):
        yield from _extended_location(pair, primary)
        if isinstance(recovery, VirtualNetwork):
            yield from _extended_location(pair, recovery)
            yield from _region_problems(pair, primary, recovery, desired)
        place = recovery.location if isinstance(recovery, VirtualNetwork) else pair.copy and pair.copy.recovery
        for location in (primary.location, place):
            if location:
                yield from _fabric_problems(pair, location, view)


def _network_problems(
    pair: Pair, network_id: ArmId, state: VirtualNetwork | Absent | Unknown, *, may_be_made: bool = False
) -> Iterator[Finding]:
    if isinstance(state, Unknown):
        yield _unknown(pair, network_id, state.error)
    elif isinstance(state, Absent) and may_be_made:
        if state.no_group:
            yield finding(
                FindingKind.MISSING_RESOURCE_GROUP,
                f"{network_id.name} is to be made in resource group {network_id.resource_group}, which does not exist",
                vault=pair.vault,
                pair=pair.name,
                subject=network_id.parent,
                hint=f"az group create --subscription {network_id.subscription} --name {network_id.resource_group} "
                f"--location {pair.copy.recovery if pair.copy else 'REGION'}",
            )
    elif isinstance(state, Absent):
        detail = f": resource group {network_id.resource_group} does not exist" if state.no_group else ""
        yield finding(
            FindingKind.MISSING_NETWORK,
            f"{network_id} does not exist{detail}",
            vault=pair.vault,
            pair=pair.name,
            subject=network_id,
            hint="create the network, or correct the row",
        )


def unread_subscriptions(vault: Vault, inventory: Inventory, desired: DesiredState) -> Iterator[Finding]:
    """The subscriptions that rules of ``vault`` search and whose list failed: what they match there is not known."""
    searched = {
        subscription
        for rule in desired.rules
        if rule.vault == vault.name
        for subscription in ([rule.match.subscription] if rule.match.subscription else desired.subscriptions.values())
    }
    for subscription in sorted(searched & inventory.subscriptions.keys()):
        error = inventory.subscriptions[subscription]
        scope = ArmId(f"/subscriptions/{subscription}")
        yield finding(
            FindingKind.CROSS_TENANT if isinstance(error, CrossTenantError) else FindingKind.UNKNOWN,
            f"the networks of {scope} could not be listed, so what rules match there is not known: {error}",
            vault=vault.name,
            subject=scope,
            hint=_hint(error, scope),
        )


def _hint(error: AsrError, subject: ArmId) -> str:
    return f"grant {error.action} on {subject}" if isinstance(error, ForbiddenError) and error.action else error.hint


def _unknown(pair: Pair, subject: ArmId, error: AsrError) -> Finding:
    return finding(
        FindingKind.CROSS_TENANT if isinstance(error, CrossTenantError) else FindingKind.UNKNOWN,
        f"{subject.name} could not be read: {error}",
        vault=pair.vault,
        pair=pair.name,
        subject=subject,
        hint=_hint(error, subject),
    )


def _extended_location(pair: Pair, network: VirtualNetwork) -> Iterator[Finding]:
    if network.extended_location:
        yield finding(
            FindingKind.REGION_MISMATCH,
            f"{network.name} is in the extended location {network.extended_location}, which is not supported",
            vault=pair.vault,
            pair=pair.name,
            subject=network.id,
        )


def _region_problems(
    pair: Pair, primary: VirtualNetwork, recovery: VirtualNetwork, desired: DesiredState
) -> Iterator[Finding]:
    mismatch = partial(finding, FindingKind.REGION_MISMATCH, vault=pair.vault, pair=pair.name)
    if primary.location == recovery.location:
        yield mismatch(
            f"{primary.name} and {recovery.name} are both in {primary.location}; mappings pair two regions",
            subject=recovery.id,
        )
    elif not any(
        (region.primary, region.recovery) == (primary.location, recovery.location) for region in desired.regions
    ):
        yield mismatch(
            f"{primary.name} is in {primary.location} and {recovery.name} in {recovery.location}, "
            "which regions does not declare",
            subject=recovery.id,
            hint=f"add {{primary: {primary.location}, recovery: {recovery.location}}} under regions",
        )


def _fabric_problems(pair: Pair, location: str, view: VaultView) -> Iterator[Finding]:
    fabrics = view.fabrics.get(location, ())
    if len(fabrics) > 1:
        names = ", ".join(fabric.name for fabric in fabrics)
        yield finding(
            FindingKind.AMBIGUOUS,
            f"the vault has several fabrics for {location}: {names}",
            vault=pair.vault,
            pair=pair.name,
            subject=view.vault.id,
            hint="remove all but one",
        )
    elif not fabrics and not view.vault.create_fabrics:
        yield finding(
            FindingKind.MISSING_FABRIC,
            f"the vault has no fabric for {location}",
            vault=pair.vault,
            pair=pair.name,
            subject=view.vault.id,
            hint=f"set create_fabrics: true for vault {view.vault.name}, or enable replication of a machine there",
        )

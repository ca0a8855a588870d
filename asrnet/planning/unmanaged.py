"""Live mappings that no pair asks for: reported, ignored or, if the vault says so, deleted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from asrnet.desired.pairs import Pair, ended_ignore
from asrnet.inventory.read import Absent, Unknown
from asrnet.model.arm import VNET, ArmId
from asrnet.model.azure import NetworkMapping
from asrnet.model.findings import Finding, FindingKind, finding
from asrnet.model.plan import Change
from asrnet.planning.view import Request, VaultView, WantedPair, is_zone_to_zone


class Unmanaged(Struct, frozen=True, kw_only=True):
    """The changes and findings for mappings that no pair asks for, and how many of them stay."""

    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()
    count: int = 0


def unmanaged_mappings(
    view: VaultView, pairs: Sequence[Pair], wanted_pairs: Sequence[WantedPair], request: Request, *, complete: bool
) -> Unmanaged:
    """The unmanaged mappings of a vault.

    Nothing is deleted unless the inventory is ``complete``. A run on selected pairs or machines reports no other
    mappings.
    """
    vault = view.vault
    if request.selection.pairs or request.selection.machines or vault.unmanaged == "ignore":
        return Unmanaged()
    changes: list[Change] = []
    findings: list[Finding] = []
    for mapping in _mappings_of_no_pair(view, pairs, wanted_pairs):
        if any(request.is_ignored(view.label(network)) for network in _networks(mapping)):
            continue
        is_certain = complete and not _may_be_of_a_rule(mapping, request)
        # One fabric serves both zones of a region (documented), and a desired state declares pairs of regions only, so
        # no row could ever ask for a zone-to-zone mapping.
        may_be_deleted = vault.unmanaged == "delete" and request.allow_delete and not is_zone_to_zone(mapping)
        if is_certain and may_be_deleted:
            change = Change.delete(
                mapping,
                id=f"{vault.name}:{mapping.fabric_id.name}/{mapping.name}",
                vault=vault.name,
                reason=f"no row or rule asks for it, and vault {vault.name} says unmanaged: delete",
            )
            changes.append(change)
        else:
            findings.append(_finding(mapping, view, request, is_certain=is_certain))
    return Unmanaged(changes=tuple(changes), findings=tuple(findings), count=len(findings))


def _mappings_of_no_pair(
    view: VaultView, pairs: Sequence[Pair], wanted_pairs: Sequence[WantedPair]
) -> Iterator[NetworkMapping]:
    """The mappings that certainly belong to no pair, neither after this plan nor before it."""
    # Live mappings are recognised by what they map and never by name: the portal, Terraform and people choose any name.
    managed = {wanted_mapping.identity for wanted_pair in wanted_pairs for wanted_mapping in wanted_pair.mappings}
    for wanted_pair in wanted_pairs:
        # Until a pair is retargeted, the reverse of its current mapping still belongs to it: the retarget deletes it.
        forward = wanted_pair.forward
        for live in view.live.get(forward.identity, ()):
            is_retargeted = live.recovery_network_id != forward.recovery.network and not wanted_pair.pair.managed_by
            if wanted_pair.reverse is None and not is_retargeted:
                continue
            back = (forward.recovery.place, live.recovery_network_id.key, forward.primary.place)
            if any(opposite.recovery_network_id == wanted_pair.pair.primary for opposite in view.live.get(back, ())):
                managed.add(back)
    placed = {wanted_pair.pair.name for wanted_pair in wanted_pairs}
    unplaced = [pair for pair in pairs if pair.name not in placed]
    ends = {network for pair in unplaced for network in (pair.primary, pair.recovery)}
    # The recovery network of a copy is unknown while its primary is. A mapping back to the primary is then its reverse.
    primaries = {pair.primary for pair in unplaced}
    for mapping in view.inventory.mappings:
        may_be_asked_for = mapping.primary_network_id in ends or mapping.recovery_network_id in primaries
        if mapping.identity not in managed and not may_be_asked_for:
            yield mapping


def _may_be_of_a_rule(mapping: NetworkMapping, request: Request) -> bool:
    """Whether a rule may ask for the mapping. That is certain only once both networks are read: lists may omit some.

    Rules ask only for virtual networks, and so never for VM networks on premises.
    """
    if not request.desired.rules or mapping.kind != "azure_to_azure":
        return False
    searched = set(request.desired.subscriptions.values())
    return any(
        network.subscription in searched and isinstance(request.inventory.network(network), Unknown)
        for network in _networks(mapping)
    )


def _finding(mapping: NetworkMapping, view: VaultView, request: Request, *, is_certain: bool) -> Finding:
    primary, recovery = _networks(mapping)
    text = f"{mapping.name} maps {view.label(primary)} to {view.label(recovery)}"
    if len(request.desired.vaults) > 1:  # a network may be mapped in several vaults under one name
        text += f" in vault {view.vault.name}"
    absent = [network for network in (primary, recovery) if isinstance(request.inventory.missing.get(network), Absent)]
    hint = ""
    if is_zone_to_zone(mapping):
        kind, message = FindingKind.ZONE_TO_ZONE, f"{text} within {mapping.primary_location}; it is left alone"
    elif absent:
        names = " and ".join(network.name for network in absent)
        verb = "exists" if len(absent) == 1 else "exist"
        kind, message = FindingKind.ORPHAN, f"{text}, but {names} no longer {verb}"
    elif _may_be_of_a_rule(mapping, request):
        kind = FindingKind.UNKNOWN
        message = f"{text}; one of its networks could not be read, so whether a rule asks for it is not known"
        hint = "see what could not be read"
    else:
        kind, message = FindingKind.UNMANAGED, f"{text}; no row or rule asks for it"
        if mapping.kind == "azure_to_azure" and primary.type != VNET:
            hint = "list it under ignore: a row can only name networks of Resource Manager"
        elif view.vault.unmanaged != "delete":
            hint = "add a row for it, or list it under ignore"
        else:
            incomplete = "not deleted while part of the inventory could not be read"
            hint = "use --allow-delete to delete it" if is_certain else incomplete
    ended = [ended_ignore(view.label(network), request.desired.ignore, "name") for network in (primary, recovery)]
    message += next(filter(None, ended), "")
    return finding(kind, message, vault=view.vault.name, subject=mapping.id, hint=hint)


def _networks(mapping: NetworkMapping) -> tuple[ArmId, ArmId]:
    return (mapping.primary_network_id, mapping.recovery_network_id)

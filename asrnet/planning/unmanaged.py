"""Live mappings that no pair asks for: reported, ignored or, where the vault says so, deleted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from asrnet.desired.pairs import Pair, is_ignored
from asrnet.inventory.read import Absent, Unknown
from asrnet.model.arm import ArmId
from asrnet.model.azure import MappingIdentity, NetworkMapping
from asrnet.model.findings import Finding, FindingKind, finding
from asrnet.model.plan import Change, Step
from asrnet.planning.request import Request
from asrnet.planning.view import VaultView, is_zone_to_zone
from asrnet.planning.wants import PairWants


class Leftovers(Struct, frozen=True, kw_only=True):
    """What became of the mappings nobody asks for, and how many there are."""

    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()
    count: int = 0


def leftovers(
    view: VaultView, pairs: Sequence[Pair], wants: Sequence[PairWants], request: Request, *, complete: bool
) -> Leftovers:
    """The unmanaged mappings of a vault. Unless the picture is ``complete`` nothing is deleted.

    A run about single pairs says nothing of the others.
    """
    if request.selection.pairs or not view.inventory.mappings:
        return Leftovers()
    stray = [mapping for mapping in _unmanaged(view, pairs, wants) if not _ignored(mapping, view, request)]
    if view.vault.unmanaged == "ignore":
        return Leftovers()
    certain = {mapping.id for mapping in stray if complete and not _may_be_a_rules(mapping, request)}
    doomed = {one.id: one for one in stray if one.id in certain and _may_be_deleted(one, view, request)}
    kept = [mapping for mapping in stray if mapping.id not in doomed]
    return Leftovers(
        changes=tuple(_deletion(mapping, view) for mapping in doomed.values()),
        findings=tuple(_finding(mapping, view, request, complete=mapping.id in certain) for mapping in kept),
        count=len(kept),
    )


def _unmanaged(view: VaultView, pairs: Sequence[Pair], wants: Sequence[PairWants]) -> Iterator[NetworkMapping]:
    managed = {wanted.identity for known in wants for wanted in known.each()}
    managed |= {identity for known in wants for identity in _present_reverse(known, view)}
    known_names = {known.pair.name for known in wants}
    vague = [pair for pair in pairs if pair.name not in known_names]
    ends = {network for pair in vague for network in (pair.primary, pair.recovery)}
    # The recovery network of a copy is unknown while its primary is; what leads back to the primary is its reverse.
    primaries = {pair.primary for pair in vague}
    for mapping in view.inventory.mappings:
        asked = mapping.primary_network_id in ends or mapping.recovery_network_id in primaries
        if mapping.identity not in managed and not asked:
            yield mapping


def _present_reverse(known: PairWants, view: VaultView) -> Iterator[MappingIdentity]:
    """Until a pair is retargeted, the reverse of its mapping as it is now belongs to it."""
    if known.reverse is None:
        return
    for forward in view.live.get(known.forward.identity, ()):
        identity = (known.forward.recovery.place, forward.recovery_network_id.key, known.forward.primary.place)
        if any(back.recovery_network_id == known.pair.primary for back in view.live.get(identity, ())):
            yield identity


def _ignored(mapping: NetworkMapping, view: VaultView, request: Request) -> bool:
    names = [view.called(network) for network in _networks(mapping)]
    return any(is_ignored(name, request.desired.ignore, request.inventory.today) for name in names)


def _may_be_deleted(mapping: NetworkMapping, view: VaultView, request: Request) -> bool:
    return view.vault.unmanaged == "delete" and request.allow_delete and not is_zone_to_zone(mapping)


def _may_be_a_rules(mapping: NetworkMapping, request: Request) -> bool:
    """Whether a rule may ask for it, which shows only when both of its networks are read: lists may leave some out.

    Rules ask for virtual networks alone, and so never for what is on premises.
    """
    searched = set(request.desired.subscriptions.values())
    unread = mapping.kind == "azure_to_azure" and any(
        network.subscription in searched and isinstance(request.inventory.network(network), Unknown)
        for network in _networks(mapping)
    )
    return unread and bool(request.desired.rules)


def _finding(mapping: NetworkMapping, view: VaultView, request: Request, *, complete: bool) -> Finding:
    text = f"{mapping.name} maps {' to '.join(view.called(network) for network in _networks(mapping))}"
    vault = view.vault.name
    if is_zone_to_zone(mapping):
        return finding(
            FindingKind.ZONE_TO_ZONE,
            f"{text} within {mapping.primary_location}; it is left alone",
            vault=vault,
            subject=mapping.id,
        )
    gone = [network for network in _networks(mapping) if isinstance(request.inventory.missing.get(network), Absent)]
    if gone:
        names = " and ".join(network.name for network in gone)
        words = f"{names} no longer {'exists' if len(gone) == 1 else 'exist'}"
        return finding(FindingKind.ORPHAN, f"{text}, but {words}", vault=vault, subject=mapping.id)
    if _may_be_a_rules(mapping, request):
        why = "one of its networks could not be read, so whether a rule asks for it is not known"
        return finding(
            FindingKind.UNKNOWN, f"{text}; {why}", vault=vault, subject=mapping.id, hint="see what could not be read"
        )
    why = "no row or rule asks for it"
    return finding(FindingKind.UNMANAGED, f"{text}; {why}", vault=vault, subject=mapping.id, hint=_hint(view, complete))


def _hint(view: VaultView, complete: bool) -> str:  # noqa: FBT001 - read at one place, two lines above
    if view.vault.unmanaged != "delete":
        return "add a row for it, or list it under ignore"
    return "use --allow-delete to delete it" if complete else "not deleted while part of the picture is missing"


def _networks(mapping: NetworkMapping) -> tuple[ArmId, ArmId]:
    return (mapping.primary_network_id, mapping.recovery_network_id)


def _deletion(mapping: NetworkMapping, view: VaultView) -> Change:
    return Change(
        id=f"{view.vault.name}:{mapping.fabric_id.name}/{mapping.name}",
        action="delete",
        kind="network_mapping",
        vault=view.vault.name,
        pair=None,
        direction=None,
        name=mapping.name,
        resource_id=mapping.id,
        primary_network_id=mapping.primary_network_id,
        recovery_network_id=mapping.recovery_network_id,
        before=mapping,
        after=None,
        reason=f"no row or rule asks for it, and vault {view.vault.name} says unmanaged: delete",
        steps=(Step(action="delete", resource_id=mapping.id, before=mapping),),
    )

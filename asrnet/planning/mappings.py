"""The heart of planning: wanted mappings against live ones.

To point A -> B elsewhere, Microsoft's *Map virtual networks between two regions* prescribes: delete B -> A, modify
A -> B, create the new B -> A. That is one change here, with three steps in this order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct, structs

from asrnet.model.arm import ArmId
from asrnet.model.azure import MICROSOFT_AZURE, MappingIdentity, NetworkMapping
from asrnet.model.findings import Finding, FindingKind
from asrnet.model.plan import Change, Direction, PairStatus, Step
from asrnet.planning.names import mapping_name
from asrnet.planning.view import VaultView, Wanted
from asrnet.planning.wants import PairWants


class Diff(Struct, kw_only=True):
    """What becomes of the wanted mappings of one vault; filled while it is worked out.

    ``support`` are the changes that create fabrics (by place) and networks (by key); ``deleted_by`` names the change
    that deletes a mapping. Mappings of the primary networks in ``unsure`` may be those of pairs that could not be read.
    """

    view: VaultView
    wanted: Mapping[MappingIdentity, Wanted]
    support: Mapping[str, Change]
    unsure: frozenset[ArmId] = frozenset()
    changes: list[Change] = []
    findings: list[Finding] = []
    deleted_by: dict[ArmId, str] = {}
    status: dict[tuple[str, str], PairStatus] = {}

    def live(self, identity: MappingIdentity) -> NetworkMapping | None:
        """The live mapping of an identity, unless a retarget of this plan deletes it."""
        found = self.view.live.get(identity, ())
        return found[0] if found and found[0].id not in self.deleted_by else None


def diff_pairs(diff: Diff, pairs: Sequence[PairWants]) -> None:
    """Work out changes and findings for ``pairs``."""
    retargets = {wants.pair.name: wants for wants in pairs if _is_retarget(diff, wants.forward)}
    for wants in retargets.values():
        old = _old_reverse(diff, wants)
        if old:
            diff.deleted_by[old.id] = change_id(wants.forward)
    for wants in pairs:
        if all(_is_met(diff, wanted) for wanted in wants.each()):
            diff.status |= {(wants.pair.name, wanted.direction): "in_sync" for wanted in wants.each()}
            continue
        _report(diff, wants)
        if wants.pair.managed_by:
            _external(diff, wants)
        elif wants.pair.name in retargets:
            _retarget(diff, wants)
        else:
            _separate(diff, wants)


def change_id(wanted: Wanted) -> str:
    """The id of the change that creates or updates a wanted mapping; the same on every run."""
    return f"{wanted.pair.vault}:{wanted.pair.name}:{wanted.direction}"


def _is_retarget(diff: Diff, wanted: Wanted) -> bool:
    live = diff.live(wanted.identity)
    return live is not None and live.recovery_network_id != wanted.recovery.network and not wanted.pair.managed_by


def _is_met(diff: Diff, wanted: Wanted) -> bool:
    """Whether a wanted mapping is there and as it shall be."""
    live = diff.live(wanted.identity)
    return live is not None and live.recovery_network_id == wanted.recovery.network and live.is_paired


def _old_reverse(diff: Diff, wants: PairWants) -> NetworkMapping | None:
    """The reverse of the forward mapping as it is now, if it points back at this very primary and none wants it so."""
    forward = diff.live(wants.forward.identity)
    if forward is None or wants.reverse is None or forward.recovery_network_id in diff.unsure:
        return None
    identity = (wants.forward.recovery.place, forward.recovery_network_id.key, wants.forward.primary.place)
    found = diff.view.live.get(identity, ())
    if len(found) != 1 or found[0].recovery_network_id != wants.forward.primary.network:
        return None
    owner = diff.wanted.get(identity)
    kept = owner and (
        owner.direction == "forward"  # its own pair updates it in place
        or owner.recovery.network == found[0].recovery_network_id
        or owner.pair.managed_by
    )
    return None if kept else found[0]


def _report(diff: Diff, wants: PairWants) -> None:
    """Say what is not as wanted, whoever is to change it."""
    pair = wants.pair
    lives = {wanted.direction: diff.live(wanted.identity) for wanted in wants.each()}
    absent = [direction for direction, mapping in lives.items() if mapping is None]
    hint = f"{pair.managed_by} manages this pair" if pair.managed_by else ""
    names = f"{wants.forward.primary.called} and {wants.forward.recovery.called}"
    if len(absent) == len(lives):
        missing = pair.finding(FindingKind.MISSING_PAIR, f"{names} are not mapped", subject=pair.primary, hint=hint)
        diff.findings.append(missing)
    elif absent and not _leads_elsewhere(lives["forward"], wants.forward):
        problem = f"{names} are mapped one way: the {absent[0]} mapping is missing"
        diff.findings.append(pair.finding(FindingKind.HALF_PAIR, problem, subject=pair.primary, hint=hint))
    for wanted in wants.each():
        live = lives[wanted.direction]
        if live and live.recovery_network_id != wanted.recovery.network:
            problem = f"{_arrow(diff, live)} and not to {wanted.recovery.called}"
            diff.findings.append(pair.finding(FindingKind.RETARGETED, problem, subject=live.id, hint=hint))
        elif live and not live.is_paired:
            problem = f"{_arrow(diff, live)}, but is in state {live.state}"
            diff.findings.append(pair.finding(FindingKind.NOT_PAIRED, problem, subject=live.id, hint=hint))


def _leads_elsewhere(live: NetworkMapping | None, forward: Wanted) -> bool:
    """Whether the forward mapping is there with another recovery network: a retarget, which makes the reverse too."""
    return live is not None and live.recovery_network_id != forward.recovery.network


def _arrow(diff: Diff, mapping: NetworkMapping) -> str:
    return (
        f"{diff.view.called(mapping.primary_network_id)} is mapped to {diff.view.called(mapping.recovery_network_id)}"
    )


def _external(diff: Diff, wants: PairWants) -> None:
    for wanted in wants.each():
        diff.status[wanted.pair.name, wanted.direction] = "in_sync" if _is_met(diff, wanted) else "external"


def _separate(diff: Diff, wants: PairWants) -> None:
    """Each direction on its own: nothing, a create, or an update in place."""
    for wanted in wants.each():
        step = _step(diff, wanted)
        if step is None:
            diff.status[wanted.pair.name, wanted.direction] = "in_sync"
            continue
        diff.status[wanted.pair.name, wanted.direction] = "create" if step.action == "create" else "update"
        diff.changes.append(_change(diff, wanted, (step,), step, wanted.direction))


def _retarget(diff: Diff, wants: PairWants) -> None:
    """One change: delete the old reverse, update the forward mapping, create the new reverse (or correct it)."""
    old = _old_reverse(diff, wants)
    update = _step(diff, wants.forward)
    if update is None:
        return
    delete = Step(action="delete", resource_id=old.id, before=old) if old else None
    reverse = _step(diff, wants.reverse) if wants.reverse else None
    steps = tuple(step for step in (delete, update, reverse) if step)
    diff.status[wants.pair.name, "forward"] = "update"
    if wants.reverse:
        diff.status[wants.pair.name, "reverse"] = "update" if reverse else "in_sync"
    diff.changes.append(_change(diff, wants.forward, steps, update, "both" if len(steps) > 1 else "forward"))


def _step(diff: Diff, wanted: Wanted) -> Step | None:
    """The write that makes a wanted mapping true, or None when it is."""
    live = diff.live(wanted.identity)
    if live is None:
        new = _new_mapping(diff, wanted)
        return Step(action="create", resource_id=new.id, after=new)
    if live.recovery_network_id == wanted.recovery.network and live.is_paired:
        return None
    after = structs.replace(
        live,
        recovery_network_id=wanted.recovery.network,
        recovery_fabric_id=_recovery_fabric(diff.view, wanted),
        state="Paired",
    )
    return Step(action="update", resource_id=live.id, before=live, after=after)


def _new_mapping(diff: Diff, wanted: Wanted) -> NetworkMapping:
    fabric = diff.view.fabric(wanted.primary.place).id
    taken = diff.view.names[fabric.key]
    primary, recovery = wanted.primary.network, wanted.recovery.network
    name = mapping_name(wanted.primary.called, wanted.recovery.called, (primary, recovery), taken)
    taken.add(name.lower())
    azure = wanted.kind == "azure_to_azure"
    return NetworkMapping(
        id=diff.view.mapping_id(wanted, name),
        kind=wanted.kind,
        primary_network_id=primary,
        recovery_network_id=recovery,
        recovery_fabric_id=_recovery_fabric(diff.view, wanted),
        primary_location=wanted.primary.place if azure else None,
        recovery_location=wanted.recovery.place if azure else None,
    )


def _recovery_fabric(view: VaultView, wanted: Wanted) -> ArmId | None:
    return None if wanted.recovery.place == MICROSOFT_AZURE else view.fabric(wanted.recovery.place).id


def _change(diff: Diff, wanted: Wanted, steps: tuple[Step, ...], main: Step, direction: Direction) -> Change:
    needs = _needs(diff, wanted) if diff.support else set()
    found = diff.view.live.get(wanted.identity, ())
    if found and found[0].id in diff.deleted_by:
        needs.add(diff.deleted_by[found[0].id])
    needs.discard(change_id(wanted))
    return Change(
        id=change_id(wanted),
        action="create" if main.action == "create" else "update",
        kind="network_mapping",
        vault=wanted.pair.vault,
        pair=wanted.pair.name,
        direction=direction,
        name=main.resource_id.name,
        resource_id=main.resource_id,
        primary_network_id=wanted.primary.network,
        recovery_network_id=wanted.recovery.network,
        before=main.before,
        after=main.after,
        reason=_reason(diff, wanted, main),
        steps=steps,
        depends_on=tuple(sorted(needs)),
        owner=wanted.pair.owner,
    )


def _needs(diff: Diff, wanted: Wanted) -> set[str]:
    """The changes that make the fabrics and networks of a mapping."""
    ends = [end for side in (wanted.primary, wanted.recovery) for end in (side.place, side.network.key)]
    return {diff.support[end].id for end in ends if end in diff.support}


def _reason(diff: Diff, wanted: Wanted, main: Step) -> str:
    if main.action == "create":
        return f"the {wanted.direction} mapping is missing"
    before = diff.view.live[wanted.identity][0]
    if before.recovery_network_id != wanted.recovery.network:
        return f"points at {diff.view.called(before.recovery_network_id)} instead of {wanted.recovery.called}"
    return f"is in state {before.state}"

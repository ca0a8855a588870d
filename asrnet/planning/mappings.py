"""Compares wanted mappings with live ones, and plans the changes that make the live ones as wanted.

To point A -> B elsewhere, Microsoft's *Map virtual networks between two regions* prescribes: delete B -> A, modify
A -> B, create the new B -> A. That is one change here, with three steps in this order.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from msgspec import structs

from asrnet.desired.pairs import short_hash
from asrnet.model.arm import ArmId
from asrnet.model.azure import MICROSOFT_AZURE, MappingIdentity, NetworkMapping
from asrnet.model.findings import Finding, FindingKind
from asrnet.model.plan import Change, PairStatus, Step, mapping_of
from asrnet.planning.view import VaultView, WantedMapping, WantedPair

# Assumed: no public source says which names the service takes. Letters, digits and hyphens, 63 at most, suit nearly
# every service of Azure.
_LONGEST_NAME: Final = 63


class MappingDiff:
    """The result for the wanted mappings of one vault: ``changes``, ``findings`` and the ``status`` of each mapping.

    ``wanted_mappings`` has every one of the vault, ``support`` the changes that create fabrics (by place) and networks
    (by key). Mappings of the primary networks in ``unsure`` may be those of pairs that could not be read.
    """

    def __init__(
        self,
        view: VaultView,
        wanted_mappings: Mapping[MappingIdentity, WantedMapping],
        support: Mapping[str, Change],
        unsure: Collection[ArmId] = (),
    ) -> None:
        self.changes: list[Change] = []
        self.findings: list[Finding] = []
        self.status: dict[tuple[str, str], PairStatus] = {}
        self._view = view
        self._wanted = wanted_mappings
        self._support = support
        self._unsure = frozenset(unsure)
        self._deleted_by: dict[ArmId, str] = {}

    def plan(self, pairs: Sequence[WantedPair]) -> None:
        """Work out changes and findings for ``pairs``."""
        # First the mappings that the retargets of all pairs delete: two pairs may swap targets, and then the reverse
        # mapping that one of them deletes does not count as existing for the other.
        retargeted = set()
        for wanted_pair in pairs:
            forward = self._live(wanted_pair.forward)
            if forward and not wanted_pair.pair.managed_by and not _leads_to(forward, wanted_pair.forward):
                retargeted.add(wanted_pair.pair.name)
                old_reverses = self._old_reverses(wanted_pair)
                if len(old_reverses) == 1:
                    self._deleted_by[old_reverses[0].id] = change_id(wanted_pair.forward)
        for wanted_pair in pairs:
            pair = wanted_pair.pair
            lives = [(wanted_mapping, self._live(wanted_mapping)) for wanted_mapping in wanted_pair.mappings]
            in_sync = {
                wanted_mapping.direction
                for wanted_mapping, live in lives
                if live and _is_as_wanted(live, wanted_mapping)
            }
            self.status |= {(pair.name, direction): "in_sync" for direction in in_sync}
            if len(in_sync) == len(lives):
                continue
            self._report(wanted_pair, lives)
            if pair.managed_by:
                for wanted_mapping in wanted_pair.mappings:
                    self.status.setdefault((pair.name, wanted_mapping.direction), "external")
            elif pair.name in retargeted:
                self._retarget(wanted_pair)
            else:
                for wanted_mapping in wanted_pair.mappings:
                    self._create_or_update(wanted_mapping)

    def _live(self, wanted_mapping: WantedMapping) -> NetworkMapping | None:
        """The live mapping of a wanted one, unless a retarget of this plan deletes it."""
        # Pairs with several mappings of one network are blocked before this (duplicates), so the first is the only one.
        mappings = self._view.live.get(wanted_mapping.identity, ())
        return mappings[0] if mappings and mappings[0].id not in self._deleted_by else None

    def _old_reverses(self, wanted_pair: WantedPair) -> Sequence[NetworkMapping]:
        """The mappings of the network that the pair fails over to now, if one of them leads back to this primary.

        If there is exactly one, the retarget deletes it even if the pair asks for no reverse: it would be left without
        its forward mapping. Several are left alone. Empty if the mapping belongs to another pair, or may belong to one
        that could not be read.
        """
        forward = self._live(wanted_pair.forward)
        if forward is None or forward.recovery_network_id in self._unsure:
            return ()
        primary_side = wanted_pair.forward.primary
        identity = (wanted_pair.forward.recovery.place, forward.recovery_network_id.key, primary_side.place)
        mappings = self._view.live.get(identity, ())
        if not any(mapping.recovery_network_id == primary_side.network for mapping in mappings):
            return ()
        owner = self._wanted.get(identity)
        if owner and (
            len(mappings) > 1  # the pair that owns them is blocked by duplicates, and its finding names them
            or owner.direction == "forward"  # the pair that owns it updates it in place
            or owner.recovery.network == primary_side.network
            or owner.pair.managed_by
        ):
            return ()
        return mappings

    def _report(self, wanted_pair: WantedPair, lives: Sequence[tuple[WantedMapping, NetworkMapping | None]]) -> None:
        """Report what differs from the desired state, whoever manages the pair."""
        pair, label = wanted_pair.pair, self._view.label
        hint = f"{pair.managed_by} manages this pair" if pair.managed_by else ""
        names = f"{wanted_pair.forward.primary.label} and {wanted_pair.forward.recovery.label}"
        forward = lives[0][1]
        absent = [wanted_mapping.direction for wanted_mapping, live in lives if live is None]
        if len(absent) == len(lives):
            problem = f"{names} are not mapped"
            self.findings.append(pair.finding(FindingKind.MISSING_PAIR, problem, subject=pair.primary, hint=hint))
        # A forward mapping to another network is a retarget, which makes the reverse too.
        elif absent and (forward is None or _leads_to(forward, wanted_pair.forward)):
            problem = f"{names} are mapped one way: the {absent[0]} mapping is missing"
            self.findings.append(pair.finding(FindingKind.HALF_PAIR, problem, subject=pair.primary, hint=hint))
        for wanted_mapping, live in lives:
            if live is None or _is_as_wanted(live, wanted_mapping):
                continue
            arrow = f"{label(live.primary_network_id)} is mapped to {label(live.recovery_network_id)}"
            if _leads_to(live, wanted_mapping):
                kind, problem = FindingKind.NOT_PAIRED, f"{arrow}, but is in state {live.state or 'unknown'}"
            else:
                kind, problem = FindingKind.RETARGETED, f"{arrow} and not to {wanted_mapping.recovery.label}"
            self.findings.append(pair.finding(kind, problem, subject=live.id, hint=hint))

    def _create_or_update(self, wanted_mapping: WantedMapping) -> None:
        """One direction by itself: nothing, a create, or an update in place."""
        step = self._step(wanted_mapping)
        if step is None:
            self.status[wanted_mapping.pair.name, wanted_mapping.direction] = "in_sync"
            return
        self.status[wanted_mapping.pair.name, wanted_mapping.direction] = (
            "create" if step.action == "create" else "update"
        )
        self._add_change(wanted_mapping, step)

    def _retarget(self, wanted_pair: WantedPair) -> None:
        """One change: delete the old reverse, update the forward mapping, create the new reverse or correct it."""
        update = self._step(wanted_pair.forward)
        if update is None:
            return
        old_reverses = self._old_reverses(wanted_pair)
        delete = None
        if len(old_reverses) == 1:
            delete = Step(action="delete", resource_id=old_reverses[0].id, before=old_reverses[0])
        elif old_reverses:
            # It is not known which of them Azure uses, and after a failed update Azure might refuse to restore one
            # beside the others. No pair asks for them, so only this finding says that they stay.
            pair, label = wanted_pair.pair, self._view.label
            primary_label, old_recovery_id = label(pair.primary), old_reverses[0].primary_network_id
            names = ", ".join(f"{mapping.name} -> {label(mapping.recovery_network_id)}" for mapping in old_reverses)
            problem = (
                f"{label(old_recovery_id)} has {len(old_reverses)} mappings: {names}; "
                f"the retarget of {primary_label} leaves them"
            )
            ids = [str(mapping.id) for mapping in old_reverses if mapping.recovery_network_id == pair.primary]
            hint = f"delete the mappings that lead back to {primary_label}: {', '.join(ids)}"
            self.findings.append(
                pair.finding(FindingKind.DUPLICATE, problem, subject=old_recovery_id, hint=hint, severity="warning")
            )
        reverse = self._step(wanted_pair.reverse) if wanted_pair.reverse else None
        name = wanted_pair.pair.name
        self.status[name, "forward"] = "update"
        if wanted_pair.reverse:
            self.status[name, "reverse"] = "update" if reverse else "in_sync"
        self._add_change(wanted_pair.forward, update, before=delete, after=reverse)

    def _step(self, wanted_mapping: WantedMapping) -> Step | None:
        """The write that creates or corrects a mapping; None if it exists as wanted."""
        live = self._live(wanted_mapping)
        place = wanted_mapping.recovery.place
        # A vault has no fabric for Azure as the recovery side of a VMM server (recorded).
        recovery_fabric = None if place == MICROSOFT_AZURE else self._view.fabric(place).id
        if live is None:
            new = self._new_mapping(wanted_mapping, recovery_fabric)
            return Step(action="create", resource_id=new.id, after=new)
        if _is_as_wanted(live, wanted_mapping):
            return None
        # The live mapping keeps its name, whoever gave it: under another name it would be a second mapping of the
        # network, which the service is assumed to refuse. Writing to an existing mapping runs its job again (recorded),
        # which repairs a state other than Paired.
        after = structs.replace(
            live,
            recovery_network_id=wanted_mapping.recovery.network,
            recovery_fabric_id=recovery_fabric,
            state="Paired",
        )
        return Step(action="update", resource_id=live.id, before=live, after=after)

    def _new_mapping(self, wanted_mapping: WantedMapping, recovery_fabric: ArmId | None) -> NetworkMapping:
        taken = self._view.names[self._view.fabric(wanted_mapping.primary.place).id.key]
        primary, recovery = wanted_mapping.primary, wanted_mapping.recovery
        name = mapping_name(primary.label, recovery.label, (primary.network, recovery.network), taken)
        taken.add(name.lower())
        is_azure = wanted_mapping.pair.kind == "azure_to_azure"
        return NetworkMapping(
            id=self._view.mapping_id(wanted_mapping, name),
            kind=wanted_mapping.pair.kind,
            primary_network_id=primary.network,
            recovery_network_id=recovery.network,
            recovery_fabric_id=recovery_fabric,
            # Only mappings between Azure regions have locations (recorded).
            primary_location=primary.place if is_azure else None,
            recovery_location=recovery.place if is_azure else None,
        )

    def _add_change(
        self, wanted_mapping: WantedMapping, main: Step, *, before: Step | None = None, after: Step | None = None
    ) -> None:
        own_id = change_id(wanted_mapping)
        needs = {
            self._support[end].id
            for side in (wanted_mapping.primary, wanted_mapping.recovery)
            for end in (side.place, side.network.key)
            if end in self._support
        }
        # Another change deletes the present mapping of this identity; this one creates its successor.
        mappings = self._view.live.get(wanted_mapping.identity, ())
        if mappings and mappings[0].id in self._deleted_by:
            needs.add(self._deleted_by[mappings[0].id])
        needs.discard(own_id)
        pair, depends_on = wanted_mapping.pair, tuple(sorted(needs))
        mapping = mapping_of(main)
        if main.before is None:
            change = Change.create(
                mapping,
                id=own_id,
                vault=pair.vault,
                reason=f"the {wanted_mapping.direction} mapping is missing",
                pair=pair.name,
                direction=wanted_mapping.direction,
                depends_on=depends_on,
                owner=pair.owner,
            )
        else:
            live = mappings[0]
            present, planned = self._view.label(live.recovery_network_id), wanted_mapping.recovery.label
            retarget = f"points at {present}, will point at {planned}"
            steps = tuple(step for step in (before, main, after) if step)
            change = Change.update(
                live,
                mapping,
                id=own_id,
                vault=pair.vault,
                reason=f"is in state {live.state or 'unknown'}" if _leads_to(live, wanted_mapping) else retarget,
                steps=steps,
                pair=pair.name,
                direction="both" if len(steps) > 1 else wanted_mapping.direction,
                depends_on=depends_on,
                owner=pair.owner,
            )
        self.changes.append(change)


def change_id(wanted_mapping: WantedMapping) -> str:
    """The id of the change that creates or updates a wanted mapping; the same on every run."""
    return f"{wanted_mapping.pair.vault}:{wanted_mapping.pair.name}:{wanted_mapping.direction}"


def _leads_to(live: NetworkMapping, wanted_mapping: WantedMapping) -> bool:
    return live.recovery_network_id == wanted_mapping.recovery.network


def _is_as_wanted(live: NetworkMapping, wanted_mapping: WantedMapping) -> bool:
    return live.recovery_network_id == wanted_mapping.recovery.network and live.is_paired


def mapping_name(primary: str, recovery: str, ids: tuple[ArmId, ArmId], taken: set[str]) -> str:
    """``{primary}-to-{recovery}`` in letters, digits and hyphens, at most 63 of them.

    A hash of both ids is added when anything was cut or changed, or when the name is in ``taken`` (lower case), so
    that two networks never share a mapping by accident. The same ids give the same name on every run.
    """
    plain = f"{primary}-to-{recovery}"
    name = re.sub(r"[^A-Za-z0-9-]", "-", plain)
    if name == plain and len(name) <= _LONGEST_NAME and name.lower() not in taken:
        return name
    suffix = f"-{short_hash(*ids)}"
    hashed = f"{name[: _LONGEST_NAME - len(suffix)].rstrip('-')}{suffix}"
    number = 1
    candidate = hashed
    while candidate.lower() in taken:
        number += 1
        candidate = f"{hashed[: _LONGEST_NAME - len(str(number)) - 1]}-{number}"
    return candidate

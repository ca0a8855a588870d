"""Mappings that do not say what they map: absent is not unknown, so what they may be about is left alone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from asrnet.desired.pairs import Pair, is_ignored
from asrnet.model.arm import ArmId
from asrnet.model.azure import UnreadableMapping
from asrnet.model.bodies import API_VERSION
from asrnet.model.findings import Finding, FindingKind, finding
from asrnet.planning.request import Request
from asrnet.planning.view import VaultView


def unreadable_mappings(view: VaultView, pairs: Sequence[Pair], request: Request) -> Iterator[Finding]:
    """What is not known because of them: whether the pairs are mapped whose networks they are mappings of.

    Their names are taken in any case (``VaultView.names``).
    """
    if not view.inventory.unreadable:
        return
    asked: dict[ArmId | None, list[Pair]] = defaultdict(list)
    for pair in pairs:
        asked[pair.primary].append(pair)
        if pair.failback and pair.recovery:
            asked[pair.recovery].append(pair)
    for mapping in view.inventory.unreadable:
        about = asked.get(mapping.primary_network_id)
        if about:
            yield from (_blocking(mapping, pair, view) for pair in about)
        elif mapping.primary_network_id is None:
            yield _finding(FindingKind.UNKNOWN, mapping, view, "its name is left alone, and so is the mapping")
        elif not _is_ignored(mapping.primary_network_id, view, request):
            yield _finding(FindingKind.UNMANAGED, mapping, view, "no row or rule asks for it")


def _blocking(mapping: UnreadableMapping, pair: Pair, view: VaultView) -> Finding:
    return _finding(
        FindingKind.UNKNOWN, mapping, view, "so whether it is mapped as it should be is not known", pair=pair.name
    )


def _finding(
    kind: FindingKind, mapping: UnreadableMapping, view: VaultView, rest: str, *, pair: str | None = None
) -> Finding:
    primary = mapping.primary_network_id
    whose = f" of {view.called(primary)}" if primary else ""
    return finding(
        kind,
        f"the mapping {mapping.name}{whose} {mapping.problem}; {rest}",
        vault=view.vault.name,
        pair=pair,
        subject=mapping.id,
        hint=f"see with: az rest --method get --url '{mapping.id}?api-version={API_VERSION}'; correct or delete it",
    )


def _is_ignored(primary: ArmId, view: VaultView, request: Request) -> bool:
    listed = is_ignored(view.called(primary), request.desired.ignore, request.inventory.today)
    return listed or view.vault.unmanaged == "ignore"

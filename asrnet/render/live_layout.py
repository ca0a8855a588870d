"""The sections of live pairs: a table for each vault, and the summary."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from asrnet.inventory.live_pairs import LivePair, LivePairs, LiveStatus
from asrnet.model.arm import ArmId
from asrnet.render import wording
from asrnet.render.sections import Row, Section, Tone, sentences

if TYPE_CHECKING:
    from asrnet.render import View

_HEADER: Final = ("", "Pair", "Primary", "", "Recovery", "State")
_STATUS: Final[dict[LiveStatus, tuple[str, str, Tone]]] = {
    "paired": ("=", "paired", "plain"),
    "half": ("!", "half: no reverse", "warning"),
    "shared": ("=", "one way: fails back elsewhere", "plain"),
    "single": ("=", "one way: to Azure", "plain"),
    "duplicate": ("!", "duplicate", "error"),
    "not_paired": ("!", "not paired", "warning"),
    "zone_to_zone": ("=", "zone to zone", "quiet"),
}


def sections(live: LivePairs, view: View) -> Iterator[Section]:
    """The live mappings of each vault as pairs; with ``view.verbose`` the ids of the mappings."""
    rows: defaultdict[str, list[Row]] = defaultdict(list)
    for pair in live.pairs:
        rows[pair.vault].append(_row(pair, verbose=view.verbose))
    for vault in live.vaults:
        title = f"Vault {vault.name}" + (f" ({vault.location})" if vault.location else "")
        if vault.error:
            yield sentences(title, [f"unknown: {vault.error}"], "error")
        elif rows[vault.name]:
            yield Section(title, _HEADER, tuple(rows[vault.name]))
        elif not vault.unreadable:
            # The vault has mappings, but all of them belong to pairs that were not asked for.
            nothing = "no mappings of the pairs asked for" if vault.mappings else "no mappings"
            yield sentences(title, [nothing], "quiet")
        if vault.unreadable:
            heading = "" if rows[vault.name] else title
            yield sentences(heading, [f"unknown: {problem}" for problem in vault.unreadable], "error")
    yield sentences("", [live_summary(live)], "plain")


def _row(pair: LivePair, *, verbose: bool) -> Row:
    symbol, label, tone = _STATUS[pair.status]
    ids = [f"mapping {mapping}" for mapping in (pair.forward, pair.reverse) if mapping]
    networks = [str(pair.primary_network_id), str(pair.recovery_network_id)]
    if pair.reversed_machines:
        verb = "runs" if pair.reversed_machines == 1 else "run"
        label += f"; {wording.count(pair.reversed_machines, 'machine')} {verb} in the recovery region"
    if pair.failed_over_machines:
        verb = "has" if pair.failed_over_machines == 1 else "have"
        label += f"; {wording.count(pair.failed_over_machines, 'machine')} {verb} failed over"
        label += f", {pair.uncommitted_machines} not committed" if pair.uncommitted_machines else ""
        tone = "warning" if tone == "plain" else tone
    return Row(
        (
            symbol,
            pair.pair or "-",
            wording.network(pair.primary_network_id, pair.primary_location, pair.primary_network)
            + _state(pair, pair.primary_network_id),
            "<->" if pair.reverse else "->",
            wording.network(pair.recovery_network_id, pair.recovery_location, pair.recovery_network)
            + _state(pair, pair.recovery_network_id),
            label,
        ),
        "error" if pair.absent else tone,
        (*networks, *ids) if verbose else (),
    )


def _state(pair: LivePair, network: ArmId) -> str:
    return " gone" if network in pair.absent else " unknown" if network in pair.unknown else ""


def live_summary(live: LivePairs) -> str:
    """The summary line: mappings, pairs by status unless all are paired, and vaults that could not be read.

    If only some pairs were asked for, it also has the number of all mappings.
    """
    kinds = Counter(_STATUS[pair.status][1].partition(":")[0] for pair in live.pairs)
    all_mappings = sum(vault.mappings for vault in live.vaults)
    of_pairs = sum(2 if pair.reverse else 1 for pair in live.pairs)
    unread_mappings = sum(len(vault.unreadable) for vault in live.vaults)
    mappings = wording.count(all_mappings + unread_mappings, "mapping")
    if of_pairs < all_mappings:
        mappings = f"{of_pairs + unread_mappings} of {mappings}"
    mappings += f" ({unread_mappings} unknown)" if unread_mappings else ""
    pairs = f", {wording.count(len(live.pairs), 'pair')}" if live.pairs else ""
    if kinds.keys() - {"paired"}:
        states = [f"{number} {kind}" for kind, number in kinds.items()] if len(kinds) > 1 else list(kinds)
        pairs += f": {', '.join(states)}"
    unread = sum(vault.error is not None for vault in live.vaults)
    return f"{mappings}{pairs}" + (f"; {wording.count(unread, 'vault')} could not be read" if unread else "") + "."

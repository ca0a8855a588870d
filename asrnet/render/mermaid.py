"""Mermaid flowcharts: regions with their networks, and an arrow for each pair that shows its status."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from asrnet.inventory.live_pairs import LivePair, LivePairs
from asrnet.model.arm import ArmId
from asrnet.model.plan import Plan
from asrnet.render.pair_status import STATUSES, PairResult, Status, outcome_of, pair_results
from asrnet.render.wording import count, printable

if TYPE_CHECKING:
    from asrnet.render import View

MOST_DRAWN: Final = 60
"""The maximum number of pairs in a diagram: more are unreadable, and GitHub draws at most 500 arrows."""

# The number sign too: it begins Mermaid's entities.
_ENTITIES: Final = str.maketrans({char: f"#{ord(char)};" for char in '#&"<>`%'})
_UNKNOWN: Final = "unknown region"
_SOLID, _DASHED, _CROSSED = "<-->", "<-.->", "x--x"
_ARROWS: Final[dict[Status, tuple[str, str]]] = {
    "failed": (_CROSSED, "--x"),
    "blocked": (_CROSSED, "--x"),
    "retargeted": (_DASHED, "-.->"),
    "not_paired": (_DASHED, "-.->"),
    "half": (_DASHED, "-.->"),
    "missing": (_DASHED, "-.->"),
    "external": (_SOLID, "-->"),
    "corrected": (_SOLID, "-->"),
    "in_sync": (_SOLID, "-->"),
}
"""The arrow for both directions, and the arrow for one."""


class End(Struct, frozen=True):
    """A network with its display name and, if known, its region."""

    network: ArmId
    name: str
    place: str | None


class Edge(Struct, frozen=True):
    """An arrow between two networks. One with a single head points at ``head``."""

    tail: End
    head: End
    arrow: str
    label: str = ""


def render(document: Plan | LivePairs, view: View) -> str:
    """All pairs of ``document`` as a Mermaid flowchart."""
    return drawing(tuple(_edges(document, view)))


def picture(document: Plan | LivePairs, view: View) -> str:
    """A diagram to embed in Markdown: pairs that need attention come first, and a remark says if some are left out."""
    edges = tuple(islice(_edges(document, view), MOST_DRAWN + 1))
    if not edges:
        return ""
    left_out = len(edges) > MOST_DRAWN
    remark = f"\nOnly {MOST_DRAWN} pairs are drawn, those that need attention first.\n" if left_out else ""
    return f"```mermaid\n{drawing(edges[:MOST_DRAWN])}```\n{remark}"


def drawing(edges: Sequence[Edge]) -> str:
    """A flowchart of ``edges`` in which the networks of a region are grouped."""
    ends = [end for edge in edges for end in (edge.tail, edge.head)]
    places = {end.network: end.place for end in ends if end.place}
    names = {end.network: end.name or end.network.name for end in ends}
    nodes = {network: f"n{number}" for number, network in enumerate(names)}
    regions: dict[str, list[ArmId]] = defaultdict(list)
    for network in nodes:
        regions[places.get(network, _UNKNOWN)].append(network)
    lines = ["flowchart LR"]
    for number, (region, members) in enumerate(regions.items()):
        lines += [f'  subgraph r{number}["{_quoted(region)}"]']
        lines += [f'    {nodes[network]}["{_quoted(names[network])}"]' for network in members]
        lines += ["  end"]
    for edge in edges:
        label = f'|"{_quoted(edge.label)}"|' if edge.label else ""
        lines.append(f"  {nodes[edge.tail.network]} {edge.arrow}{label} {nodes[edge.head.network]}")
    return "\n".join(lines) + "\n"


def _edges(document: Plan | LivePairs, view: View) -> Iterator[Edge]:
    if isinstance(document, LivePairs):
        return (_live(pair) for pair in document.pairs)
    return _planned(document, view)


def _live(pair: LivePair) -> Edge:
    return Edge(
        End(pair.primary_network_id, pair.primary_network, pair.primary_location),
        End(pair.recovery_network_id, pair.recovery_network, pair.recovery_location),
        "<-->" if pair.reverse else "-->" if pair.status in {"shared", "single"} else "-.->",
        pair.pair or "",
    )


def _planned(document: Plan, view: View) -> Iterator[Edge]:
    order = list(STATUSES)
    machines = Counter(
        (machine.vault, machine.pair, machine.status) for machine in (view.run.left or document).machines
    )
    for result in sorted(pair_results(document, view.run.left).pairs, key=lambda result: order.index(result.status)):
        pair = result.pair
        waiting, held = (machines[pair.vault, pair.name, status] for status in ("waiting", "held"))
        label = _label(result, waiting=waiting, held=held)
        if pair.recovery_network_id:
            primary = End(pair.primary_network_id, pair.primary_network, pair.primary_location)
            recovery = End(pair.recovery_network_id, pair.recovery_network, pair.recovery_location)
            both, single = _ARROWS[result.status]
            existing = [mapping.direction for mapping in result.mappings if mapping.state in {"in_sync", "corrected"}]
            # A pair with one mapping has one arrowhead, at the network that machines can go to.
            if result.status in {"half", "external"} and len(existing) == 1:
                ends = (primary, recovery) if existing == ["forward"] else (recovery, primary)
                yield Edge(*ends, single, label)
            else:
                yield Edge(primary, recovery, both if pair.failback else single, label)


def _label(result: PairResult, *, waiting: int, held: int) -> str:
    """The pair's name, what the plan does to it or else its status, and the counts of its machines.

    A pair in sync has neither. What an apply left undone is no longer planned, so its label is the pair's status.
    """
    notes = [] if result.status == "in_sync" else [STATUSES[result.status]]
    if any(mapping.change and outcome_of(mapping.change) is None for mapping in result.mappings):
        created = " and ".join(mapping.direction for mapping in result.mappings if mapping.state == "create")
        planned = {
            "retargeted": "to retarget",
            "not_paired": "to write again",
            "half": f"{created} to create",
            "missing": "to create",
        }
        notes = [planned.get(result.status, STATUSES[result.status])]
    pending = sum(change.kind == "protected_item" and outcome_of(change) != "succeeded" for change in result.changes)
    notes += [f"{count(pending, 'machine')} to update"] if pending else []
    notes += [f"{count(waiting, 'machine')} waiting"] if waiting else []
    notes += [f"{count(held, 'machine')} left alone"] if held else []
    return f"{result.pair.name}: {', '.join(notes)}" if notes else result.pair.name


def _quoted(text: str) -> str:
    """``text`` for a quoted label, with Mermaid's special characters as entities."""
    return printable(text).translate(_ENTITIES)

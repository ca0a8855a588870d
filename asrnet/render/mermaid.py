"""Live pairs as a Mermaid flowchart: regions, the networks in them, an arrow for each mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING

from asrnet.errors import InputError
from asrnet.live import LivePair, LivePairs
from asrnet.render.wording import harmless

if TYPE_CHECKING:
    from asrnet.ids import ArmId
    from asrnet.render import View
    from asrnet.render.layout import Document


def render(document: Document, view: View) -> str:  # noqa: ARG001 - every format has this signature
    """``document`` as Mermaid's text; InputError where it is no list of live pairs."""
    if not isinstance(document, LivePairs):
        raise InputError("only live pairs can be drawn as a picture", hint="use: asrnet show -o mermaid")
    nodes = _nodes(document.pairs)
    regions: dict[str, list[ArmId]] = {}
    for pair in document.pairs:
        for network, place in (
            (pair.primary_network_id, pair.primary_location),
            (pair.recovery_network_id, pair.recovery_location),
        ):
            members = regions.setdefault(place or "on premises", [])
            if network not in members:
                members.append(network)
    lines = ["flowchart LR"]
    for number, (region, members) in enumerate(regions.items()):
        lines += [f'  subgraph r{number}["{_quoted(region)}"]']
        lines += [f'    {nodes[network]}["{_quoted(network.name)}"]' for network in members]
        lines += ["  end"]
    lines += [f"  {_edge(pair, nodes)}" for pair in document.pairs]
    return "\n".join(lines) + "\n"


def _nodes(pairs: tuple[LivePair, ...]) -> dict[ArmId, str]:
    networks = dict.fromkeys(one for pair in pairs for one in (pair.primary_network_id, pair.recovery_network_id))
    return {network: f"n{number}" for number, network in enumerate(networks)}


def _edge(pair: LivePair, nodes: dict[ArmId, str]) -> str:
    arrow = "<-->" if pair.reverse else "-->" if pair.status in {"shared", "single"} else "-.->"
    label = f'|"{_quoted(pair.pair)}"|' if pair.pair else ""
    return f"{nodes[pair.primary_network_id]} {arrow}{label} {nodes[pair.recovery_network_id]}"


def _quoted(text: str) -> str:
    """``text`` inside a quoted label, where Mermaid takes entities and nothing else means anything."""
    safe = harmless(text).replace("&", "&amp;").replace("#", "&num;")
    return safe.replace('"', "&quot;").replace("<", "&lt;").replace(">", "&gt;").replace("`", "&#96;")

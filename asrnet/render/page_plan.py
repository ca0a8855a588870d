"""A plan or report as the data of the HTML report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar

from asrnet.model.arm import ArmId
from asrnet.model.azure import VirtualNetwork
from asrnet.model.findings import Finding
from asrnet.model.plan import Change, PairView, Plan
from asrnet.model.report import Report
from asrnet.render import wording
from asrnet.render.layout import sections
from asrnet.render.page_arrows import Live, live_by_primary, pair_arrows
from asrnet.render.page_data import Page, PageItem, PageRule, page_change, page_finding
from asrnet.render.page_networks import Nodes, subnet_rows
from asrnet.render.page_unmanaged import UNMANAGED_STATUSES, unmanaged_item, unmanaged_mappings
from asrnet.render.pair_status import VERDICTS, PairResult, PairResults, State, outcome_of, pair_results

if TYPE_CHECKING:
    from asrnet.render import View

P = TypeVar("P", Change, Finding)


def plan_page(plan: Plan, view: View) -> Page:
    """Everything the report shows. What was not read (``view.run.inventory``) is left out."""
    results, inventory = pair_results(plan, view.run.left), view.run.inventory
    nodes = Nodes(inventory, _made(plan))
    live, partners = live_by_primary(inventory), _partners(results)
    pairs = [_pair_item(result, live, partners, nodes) for result in results.pairs]
    unmanaged = unmanaged_mappings(results, inventory)
    drawn = {id(part) for group in unmanaged for part in (*group.findings, *group.changes)}
    return Page(
        kind="report" if isinstance(plan, Report) else "plan",
        summary=sections(plan, view)[-1].rows[-1].cells[0],
        made=datetime.fromtimestamp(view.run.at, UTC).isoformat(timespec="seconds") if view.run.at is not None else "",
        cloud=plan.cloud,
        statuses=(*VERDICTS.items(), *UNMANAGED_STATUSES.items()),
        items=(*pairs, *(unmanaged_item(group, nodes) for group in unmanaged)),
        networks=nodes.all(),
        refusals=() if isinstance(plan, Report) else plan.violations(view.forced),
        findings=tuple(page_finding(finding) for finding in _undrawn(results.findings, drawn)),
        changes=tuple(page_change(change) for change in _undrawn(results.changes, drawn)),
        rules=tuple(
            PageRule(name=rule.name, networks=tuple(network.name for network in rule.matched)) for rule in plan.rules
        ),
    )


def _made(plan: Plan) -> dict[ArmId, VirtualNetwork]:
    """The networks that pending changes create."""
    pending = (change.after for change in plan.changes if outcome_of(change) != "succeeded")
    return {network.id: network for network in pending if isinstance(network, VirtualNetwork)}


def _partners(results: PairResults) -> Mapping[tuple[str, str | None], str]:
    """The region that each region of a vault is most often paired with, to place networks of unknown region."""
    counts = Counter(
        (result.pair.vault, result.pair.primary_location, result.pair.recovery_location) for result in results.pairs
    )
    rising = sorted(counts.items(), key=lambda entry: entry[1])
    return {(vault, primary): recovery for (vault, primary, recovery), _ in rising if recovery}


def _pair_item(
    result: PairResult, live: Live, partners: Mapping[tuple[str, str | None], str], nodes: Nodes
) -> PageItem:
    pair, recovery_id = result.pair, result.pair.recovery_network_id
    primary = nodes.number(pair.primary_network_id, pair.primary_location, pair.primary_network)
    guess = pair.recovery_location or partners.get((pair.vault, nodes.place(primary)), "")
    recovery = nodes.number(recovery_id, guess, pair.recovery_network) if recovery_id else nodes.nameless(guess)
    states = {direction.way: direction for direction in result.directions}
    return PageItem(
        name=pair.name,
        vault=pair.vault,
        status=result.verdict,
        label=f"left to {pair.managed_by}" if result.verdict == "external" else VERDICTS[result.verdict],
        primary=primary,
        recovery=recovery,
        arrows=pair_arrows(result, live, nodes) if recovery_id else (),
        source=f"{pair.file}:{pair.line}" if pair.file and pair.line else pair.file,
        managed_by=pair.managed_by or "",
        by_rule=pair.owner == "rule",
        forward=_state_words(pair, states["forward"].state),
        reverse=_state_words(pair, states["reverse"].state if "reverse" in states else None),
        subnets=subnet_rows(
            nodes.network(pair.primary_network_id), nodes.network(recovery_id) if recovery_id else None
        ),
        findings=tuple(map(page_finding, result.findings)),
        changes=tuple(map(page_change, result.changes)),
    )


def _state_words(pair: PairView, state: State | None) -> str:
    match state:
        case "corrected" | "failed":
            return state
        case _:
            return wording.status(pair, state)


def _undrawn(parts: Iterable[P], drawn: Collection[int]) -> list[P]:
    return [part for part in parts if id(part) not in drawn]

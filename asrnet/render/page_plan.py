"""A plan or report as the data of the HTML report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from msgspec import structs

from asrnet.model.azure import VirtualNetwork
from asrnet.model.plan import Change, PairView, Plan
from asrnet.model.report import Report
from asrnet.render import wording
from asrnet.render.layout import sections
from asrnet.render.machine_table import findings_beside_table
from asrnet.render.page_arrows import Live, live_by_primary, pair_arrows
from asrnet.render.page_data import Page, PageItem, PageRule, page_change, page_finding, page_meanings
from asrnet.render.page_machines import (
    MachinesByNetwork,
    Moves,
    machines_by_network,
    machines_of_plan,
    moves_of,
    pair_machines,
)
from asrnet.render.page_networks import Nodes, subnet_rows
from asrnet.render.page_unmanaged import UNMANAGED_STATUSES, unmanaged_item, unmanaged_mappings
from asrnet.render.pair_status import STATUSES, PairResult, State, outcome_of, pair_results

if TYPE_CHECKING:
    from asrnet.render import View


def plan_page(plan: Plan, view: View) -> Page:
    """The page of a plan or report. Details that need an inventory are left out if ``view.run`` has none."""
    results, inventory = pair_results(plan, view.run.left), view.run.inventory
    pending = (change.after for change in plan.changes if outcome_of(change) != "succeeded")
    nodes = Nodes(inventory, {network.id: network for network in pending if isinstance(network, VirtualNetwork)})
    live = live_by_primary(inventory)
    # The recovery network of a blocked pair may be unknown, its region included. The region that the primary's region
    # is most often paired with in the same vault is the best guess of where to draw it.
    regions = Counter(
        (result.pair.vault, result.pair.primary_location, result.pair.recovery_location) for result in results.pairs
    )
    rising = sorted(regions.items(), key=lambda entry: entry[1])
    partners = {(vault, primary): recovery for (vault, primary, recovery), _ in rising if recovery}
    machines = machines_by_network(inventory)
    moves = moves_of(plan)
    current = view.run.left or plan
    shown = [
        structs.replace(result, findings=tuple(findings_beside_table(result.findings, current)))
        for result in results.pairs
    ]
    pairs = [_pair_item(result, live, machines, partners, nodes, moves=moves) for result in shown]
    if inventory is None:
        of_plan = machines_of_plan(plan, moves)
        pairs = [structs.replace(item, machines=tuple(of_plan.get((item.vault, item.name), ()))) for item in pairs]
    unmanaged = unmanaged_mappings(results, inventory)
    # By identity: two findings may be equal in every member and still be drawn in different places.
    drawn = {id(part) for group in unmanaged for part in (*group.findings, *group.changes)}
    return Page(
        kind="report" if isinstance(plan, Report) else "plan",
        summary=sections(plan, view)[-1].rows[-1].cells[0],
        made=datetime.fromtimestamp(view.run.at, UTC).isoformat(timespec="seconds") if view.run.at is not None else "",
        cloud=plan.cloud,
        statuses=(*STATUSES.items(), *UNMANAGED_STATUSES.items()),
        items=(*pairs, *(unmanaged_item(group, machines, nodes) for group in unmanaged)),
        networks=nodes.all(),
        refusals=() if isinstance(plan, Report) else plan.violations(view.forced),
        findings=tuple(page_finding(finding) for finding in results.findings if id(finding) not in drawn),
        meanings=page_meanings(
            finding.kind
            for findings in (results.findings, *(result.findings for result in shown))
            for finding in findings
        ),
        changes=tuple(page_change(change) for change in results.changes if id(change) not in drawn),
        rules=tuple(
            PageRule(name=rule.name, networks=tuple(network.name for network in rule.matched)) for rule in plan.rules
        ),
    )


def _pair_item(
    result: PairResult,
    live: Live,
    machines: MachinesByNetwork,
    partners: Mapping[tuple[str, str | None], str],
    nodes: Nodes,
    *,
    moves: Moves,
) -> PageItem:
    pair, recovery_id = result.pair, result.pair.recovery_network_id
    primary = nodes.number(pair.primary_network_id, pair.primary_location, pair.primary_network)
    guess = pair.recovery_location or partners.get((pair.vault, nodes.place(primary)), "")
    recovery = nodes.number(recovery_id, guess, pair.recovery_network) if recovery_id else nodes.nameless(guess)
    labels = {mapping.direction: _state_label(pair, mapping.state, mapping.change) for mapping in result.mappings}
    machines_of_pair = pair_machines(
        machines, pair.vault, pair.primary_network_id, recovery_id, pair.recovery_location, moves=moves
    )
    return PageItem(
        name=pair.name,
        vault=pair.vault,
        status=result.status,
        label=f"left to {pair.managed_by}" if result.status == "external" else STATUSES[result.status],
        primary=primary,
        recovery=recovery,
        arrows=pair_arrows(result, live, nodes) if recovery_id else (),
        source=f"{pair.file}:{pair.line}" if pair.file and pair.line else pair.file,
        managed_by=pair.managed_by or "",
        by_rule=pair.owner == "rule",
        forward=labels["forward"],
        reverse=labels.get("reverse") or _state_label(pair, None),
        subnets=subnet_rows(
            nodes.network(pair.primary_network_id), nodes.network(recovery_id) if recovery_id else None
        ),
        machines=machines_of_pair,
        machines_away=sum(machine.away for machine in machines_of_pair),
        findings=tuple(map(page_finding, result.findings)),
        changes=tuple(map(page_change, result.changes)),
    )


def _state_label(pair: PairView, state: State | None, change: Change | None = None) -> str:
    match state:
        case "corrected" | "failed":
            return state
        case _:
            return wording.status(pair, state, [change])

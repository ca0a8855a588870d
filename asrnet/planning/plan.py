"""The plan of all vaults, with its summary."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection

from msgspec import structs

from asrnet.desired import EVERYTHING, DesiredState, Selection
from asrnet.desired.pairs import Pair
from asrnet.inventory.planned import inventory_after
from asrnet.inventory.read import Inventory
from asrnet.inventory.test_networks import production_networks, unread_production
from asrnet.model.findings import Finding
from asrnet.model.plan import Plan, Summary, resources_of
from asrnet.planning.machines import small_subnets, test_network_findings
from asrnet.planning.on_premises import retired_scenario, vmm_pairs
from asrnet.planning.prerequisites import rules_without_matches
from asrnet.planning.staleness import observe
from asrnet.planning.vaults import plan_vault
from asrnet.planning.view import Request


def plan(
    desired: DesiredState,
    inventory: Inventory,
    *,
    selection: Selection = EVERYTHING,
    forced: Collection[str] = (),
    allow_delete: bool = False,
) -> Plan:
    """The changes that bring Azure to the ``desired`` state, and the findings about it.

    ``forced`` lifts the safeguards it names (``failover_active``, ``frozen``, and for the selected pairs
    ``reversed``); limits are judged when the plan is applied.
    """
    resolution = inventory.resolved(desired)
    on_premises, problems = vmm_pairs(desired, inventory)
    all_pairs = (*resolution.pairs, *on_premises)
    request = Request(
        desired=desired,
        inventory=inventory,
        selection=selection,
        forced=frozenset(forced),
        allow_delete=allow_delete,
        display=inventory.display_names(),
    )
    pairs: dict[str, list[Pair]] = defaultdict(list)
    conflicts: dict[str, list[Finding]] = defaultdict(list)
    for pair in all_pairs:
        pairs[pair.vault].append(pair)
    empty_rules = rules_without_matches(request, resolution.rules)
    for problem in (*resolution.findings, *problems, *empty_rules):
        conflicts[problem.vault or ""].append(problem)

    # A plan may take a network out of production: a pair is retargeted, its machines follow, and the network they left
    # becomes their test network. So test networks are checked against the state after the plan. A machine with an unfit
    # test network may have to stay and keep one more network in production. Therefore planning is repeated until no
    # machine gets a test network that is still in production.
    tests = {pair.test for pair in all_pairs if pair.test}
    if tests and unread_production(inventory):
        request = structs.replace(request, unfit_tests=frozenset(tests))
    while True:
        parts = {
            vault.name: plan_vault(vault, pairs[vault.name], conflicts[vault.name], request)
            for vault in desired.vaults
            if vault.name in inventory.vaults
        }
        # Two vaults may need the same copy of a network: it is made once.
        changes = tuple({change.id: change for part in parts.values() for change in part.changes}.values())
        after = inventory_after(inventory, changes)
        production = production_networks(all_pairs, after) if tests else {}
        if tests & production.keys() <= request.unfit_tests:
            break
        request = structs.replace(request, unfit_tests=request.unfit_tests | (tests & production.keys()))
    views = tuple(view for part in parts.values() for view in part.pairs)
    machines = tuple(machine for part in parts.values() for machine in part.machines)
    findings: list[Finding] = []
    for name, part in parts.items():
        findings += part.findings
        findings += test_network_findings(part.chosen, name, after, production)
    pairs_of_machines = {(machine.vault, machine.pair) for machine in machines}
    findings += small_subnets(
        [pair for pair in all_pairs if (pair.vault, pair.name) in pairs_of_machines], after, request.display
    )
    actions = Counter(change.action for change in changes if change.kind == "network_mapping")
    statuses = Counter(status for view in views for status in (view.forward, view.reverse))
    networks = {
        name: {network for pair in pairs[name] for network in (pair.primary, pair.recovery) if network}
        for name in parts
    }
    updated = {change.resource_id for change in changes if change.kind == "protected_item"}
    return Plan(
        cloud=desired.cloud,
        tenant=inventory.tenant or None,
        summary=Summary(
            in_sync=statuses["in_sync"],
            create=actions["create"],
            update=actions["update"],
            delete=actions["delete"],
            blocked=statuses["blocked"],
            unmanaged=sum(part.unmanaged for part in parts.values()),
        ),
        resources=resources_of(changes),
        rules=resolution.rules,
        changes=changes,
        findings=(*findings, *retired_scenario(desired)),
        pairs=views,
        machines=machines,
        limits=desired.limits,
        existing={name: len(inventory.vaults[name].mappings) for name in parts},
        observed=tuple(observe(inventory.vaults[name], networks[name], updated, inventory) for name in parts),
    ).sealed()

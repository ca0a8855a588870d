"""The replicated machines of each pair in the HTML report."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from asrnet.inventory.activity import machines_in_recovery_region
from asrnet.inventory.read import Inventory, Unknown
from asrnet.model.arm import ArmId
from asrnet.model.azure import ProtectedItem
from asrnet.model.plan import Plan
from asrnet.render.machine_table import MachineRow, machine_rows
from asrnet.render.page_data import PageMachine

MachinesByNetwork = Mapping[tuple[str, ArmId], Sequence[ProtectedItem]]
"""Machines by vault name and by each network that their NICs are on."""


def machines_by_network(inventory: Inventory | None) -> MachinesByNetwork:
    """The machines of ``inventory`` by vault and network, without those of vaults whose list could not be read."""
    machines: dict[tuple[str, ArmId], list[ProtectedItem]] = defaultdict(list)
    for vault in inventory.vaults.values() if inventory else ():
        for item in () if isinstance(vault.items, Unknown) else vault.items:
            for network in dict.fromkeys(nic.primary_network_id for nic in item.nics):
                if network:
                    machines[vault.name, network].append(item)
    return machines


Moves = Mapping[ArmId, Sequence[MachineRow]]
"""The rows of each machine of the plan, by its id."""

# A finding of the pair says what all its machines wait for; there may be hundreds.
_WAITING: Final = "held back for now"


def pair_machines(
    machines: MachinesByNetwork,
    vault: str,
    primary: ArmId,
    recovery: ArmId | None,
    region: str | None,
    *,
    moves: Moves | None = None,
) -> tuple[PageMachine, ...]:
    """The machines that a pair's mappings are for, those that run in its recovery region ``region`` first."""
    moves = moves or {}
    on_recovery_network = machines.get((vault, recovery), ()) if recovery else ()
    reversed_items = machines_in_recovery_region(on_recovery_network, primary, recovery) if recovery else []
    # A machine that is replicated to another region, or between zones, is of another pair or of none.
    at_home = [
        item
        for item in machines.get((vault, primary), ())
        if not item.is_reversed and (None in {region, item.recovery_location} or item.recovery_location == region)
    ]
    return (
        *(_machine(item, primary, (), away=True) for item in reversed_items),
        *(_machine(item, recovery, moves.get(item.id, ()), away=True) for item in at_home if item.has_failed_over),
        *(_machine(item, recovery, moves.get(item.id, ()), away=False) for item in at_home if not item.has_failed_over),
    )


def machines_of_plan(plan: Plan, moves: Moves) -> Mapping[tuple[str, str], Sequence[PageMachine]]:
    """The machines of a plan by vault and pair, for a page without an inventory, such as that of a saved plan."""
    machines: dict[tuple[str, str], list[PageMachine]] = defaultdict(list)
    for machine in plan.machines:
        network_id = machine.networks.recovery_network_id
        machines[machine.vault, machine.pair].append(
            PageMachine(
                name=machine.name,
                state="not read",
                lands=(network_id.name,) if network_id else (),
                on_other_network=machine.status != "in_sync",
                moves=tuple(dict.fromkeys(row.line for row in moves.get(machine.id, ()) if row.is_moved)),
                remark=_WAITING if machine.status == "waiting" else machine.reason,
            )
        )
    return machines


def moves_of(plan: Plan) -> Moves:
    """Where the machines of a plan or report go, before and after, by their ids."""
    moves: dict[ArmId, list[MachineRow]] = defaultdict(list)
    for row in machine_rows(plan):
        moves[ArmId(row.machine_id)].append(row)
    return moves


def _machine(item: ProtectedItem, target: ArmId | None, rows: Sequence[MachineRow], *, away: bool) -> PageMachine:
    landings = dict.fromkeys(
        network for nic in item.nics if (network := nic.recovery_network_id or item.recovery_network_id)
    )
    return PageMachine(
        name=item.friendly_name,
        state=item.state,
        lands=tuple(network.name for network in landings),
        away=away,
        # A machine that has failed over runs where it landed, which may be the network of an older mapping.
        runs_on=str(next(iter(landings), "")) if item.has_failed_over else "",
        on_other_network=target is not None and any(network != target for network in landings),
        moves=tuple(dict.fromkeys(row.line for row in rows if row.is_moved)),
        remark=next((_WAITING if row.status == "waiting" else row.reason for row in rows if row.reason), ""),
    )

"""Short builders of desired states and small worlds for tests."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Literal

from asrnet import applying, planning
from asrnet.applying import Options, Report
from asrnet.clocks import SimulatedClock
from asrnet.desired import EVERYTHING, DesiredState, Freeze, Ignore, Region, Row, Rule, Selection, Vault
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.builder import SUBSCRIPTION, Builder
from asrnet.fake.ports import backend as fake_backend
from asrnet.inventory import read as inventory
from asrnet.model.azure import Fabric, NetworkMapping, VirtualNetwork
from asrnet.model.limits import Limits
from asrnet.model.plan import Plan
from asrnet.ports import Backend

EA, SEA = "eastasia", "southeastasia"
GENEROUS = Limits(max_updates=1000, max_deletes=1000, max_change_percent=100, max_rule_growth=1000, max_machines=1000)


class TwoRegions:
    """A vault with a fabric for each of two regions, and what tests add to it."""

    def __init__(
        self, *, operations: str = "immediate", fabrics: bool = True, behaviour: Behaviour | None = None
    ) -> None:
        self.clock = SimulatedClock()
        self.build = Builder(clock=self.clock, behaviour=behaviour or Behaviour(operations=operations))
        self.world = self.build.world
        self.vault = self.build.vault("vault-dr", "westus")
        self.fabrics: dict[str, Fabric] = {}
        if fabrics:
            self.fabrics = {place: self.build.azure_fabric(self.vault, place) for place in (EA, SEA)}
        self.backend: Backend = fake_backend(self.world)

    def network(self, name: str, place: str = EA, **more: Any) -> VirtualNetwork:
        """A network with one subnet."""
        return self.build.virtual_network(
            name, place, **{"subnets": {"web": "10.0.1.0/24"}, "address_space": ["10.0.0.0/16"], **more}
        )

    def map(self, primary: VirtualNetwork, recovery: VirtualNetwork, *, name: str = "") -> NetworkMapping:
        """A live mapping made by somebody else."""
        return self.build.mapping(
            self.fabrics[primary.location], primary, self.fabrics[recovery.location], recovery, name=name
        )

    def map_both(self, primary: VirtualNetwork, recovery: VirtualNetwork) -> None:
        """A live pair."""
        self.map(primary, recovery)
        self.map(recovery, primary)

    def state(
        self,
        *rows: Row,
        rules: tuple[Rule, ...] = (),
        ignore: tuple[Ignore, ...] = (),
        freeze: tuple[Freeze, ...] = (),
        limits: Limits = GENEROUS,
        regions: tuple[Region, ...] = (Region(primary=EA, recovery=SEA),),
        unmanaged: Literal["report", "ignore", "delete"] = "report",
        create_fabrics: bool = False,
        **more: Any,
    ) -> DesiredState:
        """A desired state of this vault; ``more`` are other members of it, such as ``machines``."""
        vault = Vault(name="sea", id=self.vault.id, unmanaged=unmanaged, create_fabrics=create_fabrics)
        return DesiredState(
            subscriptions={"prod": SUBSCRIPTION},
            vaults=(vault,),
            regions=regions,
            pairs=rows,
            rules=rules,
            ignore=ignore,
            freeze=freeze,
            limits=limits,
            **more,
        )

    def plan(
        self,
        desired: DesiredState,
        *,
        selection: Selection = EVERYTHING,
        forced: Collection[str] = (),
        allow_delete: bool = False,
    ) -> Plan:
        """Read and plan."""
        found = inventory.read_inventory(desired, self.backend, selection=selection)
        return planning.plan(desired, found, selection=selection, forced=forced, allow_delete=allow_delete)

    def apply(self, plan: Plan, **options: Any) -> Report:
        """Apply without limits."""
        return applying.apply(plan, self.backend, Options(**options))

    def mappings(self) -> dict[str, str]:
        """The live mappings: primary name -> recovery name; a primary with two is an error here."""
        found: dict[str, str] = {}
        for mapping in self.world.state.mappings.values(self.vault.id.key):
            name = mapping.primary_network_id.name
            assert name not in found, f"two mappings for {name}"
            found[name] = mapping.recovery_network_id.name
        return found


def row(primary: VirtualNetwork, recovery: VirtualNetwork | None, *, name: str = "", **more: Any) -> Row:
    """A row; without a recovery network it declares a copy."""
    recovery_id = recovery.id if recovery else None
    return Row(name=name or primary.name, vault="sea", primary=primary.id, recovery=recovery_id, **more)


def steps(plan: Plan) -> list[tuple[str, str, list[str]]]:
    """Each change as pair, action and steps."""
    return [(change.pair or "", change.action, [step.action for step in change.steps]) for change in plan.changes]


def kinds(plan: Plan) -> list[str]:
    """The kinds of all findings, sorted."""
    return sorted(finding.kind for finding in plan.findings)


def outcomes(report: Report) -> dict[str, str]:
    """The outcome of each change, by id."""
    return {change.id: change.outcome for change in report.changes}


def swapped(azure: TwoRegions) -> tuple[DesiredState, dict[str, str]]:
    """Two live pairs a-x and b-y, and the desired state that swaps their targets."""
    a, b, x, y = azure.network("a"), azure.network("b"), azure.network("x", SEA), azure.network("y", SEA)
    azure.map_both(a, x)
    azure.map_both(b, y)
    return azure.state(row(a, y), row(b, x)), azure.mappings()

"""Seeded scenes for the chaos suite: a world, a desired state for part of it, and what goes wrong.

Everything is drawn from one seed, so a scene can be made again.
"""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any, Final

from msgspec import structs
from states import EA, SEA

from asrnet.changes import Limits
from asrnet.clocks import SimulatedClock
from asrnet.desired import DesiredState, Freeze, Ignore, Match, Region, Row, Rule, Vault
from asrnet.emulator.faults import Fault as WireFault
from asrnet.emulator.faults import Kind
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.builder import SUBSCRIPTION, Builder
from asrnet.fake.faults import Effect, Fault
from asrnet.fake.records import VaultResource
from asrnet.ids import ArmId
from asrnet.models import Fabric, NetworkMapping, Nic, VirtualNetwork

FAR_FUTURE: Final = date(2099, 1, 1)
MAPPINGS: Final = "replicationnetworkmappings"
TIGHT: Final = Limits(max_updates=1, max_deletes=1, max_change_percent=100, max_rule_growth=1)
WIDE: Final = Limits(max_updates=99, max_deletes=99, max_change_percent=100, max_rule_growth=99)

_WRITES: Final = ("PUT", "PATCH", "DELETE")
_SERVICE: Final[tuple[Effect, ...]] = (
    *("operation_fails", "operation_never_ends", "operation_warns", "list_lags", "refused"),
    *("scope_locked", "policy_denied", "forbidden", "changed_before", "changed_before"),
)
_WIRE: Final[tuple[Kind, ...]] = ("throttle", "unavailable", "busy", "reset", "reset", "delay", "garbage", "answer")


class Site:
    """One vault of a scene, with its fabrics and what somebody mapped in it."""

    def __init__(self, name: str, vault: VaultResource, fabrics: dict[str, Fabric]) -> None:
        self.name = name
        self.vault = vault
        self.fabrics = fabrics
        self.mapped: list[NetworkMapping] = []


class Scene:
    """A world and a desired state. ``allow_delete`` and ``timeout`` are what the run is told.

    ``moving`` are the networks of machines that are failing over, each with its vault's name.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.clock = SimulatedClock()
        self.build = Builder(clock=self.clock, behaviour=self._behaviour())
        self.world = self.build.world
        self.build.resource_group("rg-asr", location=SEA)
        self.near = self._networks("p", EA, self.random.randint(2, 5))
        self.auto = self._networks("auto-", EA, self.random.choice([0, 0, 1, 2]))
        self.far = self._networks("r", SEA, self.random.randint(2, 5))
        self.sites = [self._site(number) for number in range(self.random.choice([1, 1, 2]))]
        for site in self.sites:
            self._map_at_random(site)
        self.moving = self._protect()
        self.clock.advance(3600)  # lists that lag show what there is now, not the time before the scene
        self.allow_delete = self.chance(0.4)
        self.timeout = self.random.choice([30.0, 120.0])
        self.desired = self._desired()
        self._until_intrusion = self._quiet()

    def chance(self, share: float) -> bool:
        """True in this share of cases."""
        return self.random.random() < share

    def _behaviour(self) -> Behaviour:
        pick = self.random.choice
        return Behaviour(
            operations=pick(["immediate", "time:1", "time:3", "time:3", "manual:1", "manual:3"]),
            fabric_operations=pick([None, "time:60"]),
            retry_after=pick([1, 30]),
            latency=pick([0.0, 0.05, 0.4]),
            list_lag=pick([0.0, 0.0, 0.0, 2.0]),
            page_size=pick([1, 2, 5, 100]),
            network_page_size=pick([1, 3, 100]),
            empty_last_page=pick([True, False]),
            shuffle=pick([None, 7]),
            patch=pick(["accept", "accept", "reject_400", "reject_405"]),
            missing_mapping=pick([404, 400]),
            hidden_networks=pick([(), ("p0",), ("p0-asr", "p1-asr", "auto-0-asr")]),
        )

    def _networks(self, prefix: str, place: str, count: int) -> list[VirtualNetwork]:
        names = [f"{prefix}{number}" for number in range(count)]
        spelled = names if self.chance(0.5) else [name.title() for name in names]
        subnets, space = {"web": "10.0.1.0/24"}, ["10.0.0.0/16"]
        return [self.build.virtual_network(name, place, subnets=subnets, address_space=space) for name in spelled]

    def _site(self, number: int) -> Site:
        vault = self.build.vault(f"vault-{number}", self.random.choice([SEA, "westus"]))
        places = [place for place in (EA, SEA) if not self.chance(0.1)]
        return Site(f"v{number}", vault, {place: self.build.azure_fabric(vault, place) for place in places})

    def _map_at_random(self, site: Site) -> None:
        if len(site.fabrics) < 2:
            return
        for near, far, share in ((self.near, self.far, 0.6), (self.far, self.near, 0.5)):
            for network in near:
                if self.chance(share):
                    self._map(site, network, self.random.choice(far))
        if self.chance(0.3):
            self._map(site, self.near[0], self.near[1], name="zone")

    def _map(self, site: Site, primary: VirtualNetwork, recovery: VirtualNetwork, *, name: str = "") -> None:
        tool = self.random.choice(["", "", "portal-", "tf-"])
        mapping = self.build.mapping(
            site.fabrics[primary.location],
            primary,
            site.fabrics[recovery.location],
            recovery,
            name=name or (f"{tool}{primary.name}" if tool else ""),
            state=self.random.choice(["Paired", "Paired", "Paired", "Paired", "NotPaired"]),
        )
        site.mapped.append(mapping)

    def _protect(self) -> set[tuple[str, ArmId]]:
        """Put machines under protection; the networks of those that are failing over."""
        moving: set[tuple[str, ArmId]] = set()
        for site in self.sites:
            for mapping in site.mapped:
                if not self.chance(0.15) or mapping.primary_location != EA:
                    continue
                state = self.random.choice(["Protected", "Protected", "UnplannedFailoverCommitPending"])
                nic = Nic(
                    name="nic",
                    primary_network_id=mapping.primary_network_id,
                    recovery_network_id=mapping.recovery_network_id,
                )
                fabric, other = site.fabrics[EA], site.fabrics[SEA]
                self.build.protected_item(f"vm-{mapping.name}", fabric, other, nic, state=state)
                if state != "Protected":
                    moving |= {(site.name, mapping.primary_network_id), (site.name, mapping.recovery_network_id)}
        return moving

    # Somebody else.

    def _quiet(self) -> float:
        """How many reads pass before somebody else writes; often none ever does."""
        return self.random.choice([float("inf"), 2, 3, 3, 4, 6, 10, 20])

    def intrude(self) -> ArmId | None:
        """Called before each read: now and then somebody makes, moves or deletes a mapping."""
        self._until_intrusion -= 1
        if self._until_intrusion > 0:
            return None
        self._until_intrusion = self._quiet()
        site = self.random.choice(self.sites)
        live = self.world.state.mappings.values(site.vault.id.key)
        if live and self.chance(0.4):
            return self._meddle(self.random.choice(live))
        return self._squat(site, {mapping.primary_network_id for mapping in live})

    def _meddle(self, mapping: NetworkMapping) -> ArmId:
        others = self.far if mapping.primary_location == EA else self.near
        recovery = self.random.choice([None, *others])
        if recovery is None:
            self.world.state.remove_mapping(mapping.id)
        else:
            state = self.random.choice(["Paired", "Paired", "NotPaired"])
            moved = structs.replace(mapping, recovery_network_id=ArmId(f"/{recovery.id.key}"), state=state)
            self.world.state.put_mapping(moved)
        return mapping.id

    def _squat(self, site: Site, taken: set[ArmId]) -> ArmId | None:
        """A mapping by somebody else where there was none, perhaps under the name that asrnet would give its own."""
        pairs = [(row.primary, row.recovery) for row in self.desired.pairs if row.vault == site.name and row.recovery]
        ways = [way for near, far in pairs for way in ((near, far), (far, near))]
        free = [way for way in ways if ArmId(f"/{way[0].key}") not in taken]
        if len(site.fabrics) < 2 or not free:
            return None
        networks = {network.id: network for network in (*self.near, *self.far)}
        primary, wanted = (networks[one] for one in self.random.choice(free))
        name = self.random.choice(["portal", f"{primary.name}-to-{wanted.name}", f"{primary.name}-to-{wanted.name}"])
        recovery = self.random.choice(self.near if wanted.location == EA else self.far)
        fabric = site.fabrics[primary.location]
        path = ("replicationNetworks", "azureNetwork", "replicationNetworkMappings", name)
        if self.world.state.mapping(fabric.id.child(*path)):
            return None
        return self.build.mapping(fabric, primary, site.fabrics[recovery.location], recovery, name=name).id

    def be_quiet(self) -> None:
        """Nobody else writes any more."""
        self._until_intrusion = float("inf")

    # What is wanted.

    def _desired(self) -> DesiredState:
        rows: list[Row] = []
        for site in self.sites:
            rows += self._rows(site)
        rules = [Rule(name="auto", vault=self.sites[0].name, match=Match(name="auto-*"))] if self.auto else []
        frozen = [site.name for site in self.sites if self.chance(0.08)]
        return DesiredState(
            subscriptions={"prod": SUBSCRIPTION},
            vaults=tuple(self._vault(site) for site in self.sites),
            regions=(Region(primary=EA, recovery=SEA),),
            pairs=tuple(rows),
            rules=tuple(rules),
            ignore=(Ignore(name="r0", reason="somebody's"),) if self.chance(0.2) else (),
            freeze=tuple(Freeze(vault=name, until=FAR_FUTURE, reason="exercise") for name in frozen),
            limits=self.random.choice([WIDE, WIDE, TIGHT]),
        )

    def _vault(self, site: Site) -> Vault:
        unmanaged: Any = self.random.choice(["report", "report", "ignore", "delete"])
        return Vault(name=site.name, id=site.vault.id, unmanaged=unmanaged, create_fabrics=self.chance(0.8))

    def _rows(self, site: Site) -> list[Row]:
        """Rows for some primaries; each reverse has one owner."""
        rows, owned = [], set()
        for network in self.near:
            if self.chance(0.3):
                continue
            recovery = None if self.chance(0.2) else self.random.choice(self.far)
            failback = recovery is None or (recovery.id not in owned and self.chance(0.8))
            if recovery and failback:
                owned.add(recovery.id)
            rows.append(
                Row(
                    name=f"{site.name}-{network.name}",
                    vault=site.name,
                    primary=network.id,
                    recovery=recovery.id if recovery else None,
                    failback=failback,
                    managed_by="terraform" if self.chance(0.1) else None,
                )
            )
        return rows

    # What goes wrong.

    def service_faults(self) -> list[Fault]:
        """Up to five faults of the service."""
        return [self._service_fault() for _ in range(self.random.choice([0, 1, 1, 2, 3, 5]))]

    def _service_fault(self) -> Fault:
        pick = self.random.choice
        effect = pick(_SERVICE)
        fault = Fault(
            effect=effect,
            method=pick([*_WRITES, "GET", "*"]),
            kind=pick([MAPPINGS, MAPPINGS, MAPPINGS, "virtualnetworks", "replicationfabrics", "*"]),
            times=pick([1, 1, 2, 4]),
            after=pick([0, 0, 1, 2, 5]),
            status=pick([400, 409, 500]),
            code="28020" if effect == "operation_fails" else "Refused",
            seconds=pick([2.0, 20.0]),
        )
        mapped = [mapping for site in self.sites for mapping in site.mapped]
        if effect != "changed_before" or not mapped:
            return fault if effect != "changed_before" else structs.replace(fault, effect="refused")
        target = pick(mapped)
        others = self.far if target.primary_location == EA else self.near
        elsewhere = pick([None, *(network.id for network in others)])
        return structs.replace(fault, mapping=target.id, recovery_network_id=elsewhere, times=1)

    def wire_faults(self) -> list[WireFault]:
        """Up to eight faults of the wire."""
        return [self._wire_fault() for _ in range(self.random.choice([0, 1, 2, 4, 8]))]

    def _wire_fault(self) -> WireFault:
        pick = self.random.choice
        kind = pick(_WIRE)
        return WireFault(
            kind=kind,
            method=pick([*_WRITES, "GET", "*"]),
            path=pick(["*/replicationnetworkmappings*", "*/virtualnetworks*", "*/replicationjobs*", "*"]),
            times=pick([1, 1, 2, 12]),
            skip=pick([0, 0, 1, 3, 10]),
            retry_after=pick([None, 1.0, 5.0]),
            seconds=pick([0.5, 20.0]),
            handled=self.chance(0.5),
            status=pick([500, 502, 504, 408]),
            code="Broken" if kind == "answer" else "",
        )

"""Seeded scenes for the chaos suite: a world, and a desired state for part of it.

Everything is drawn from one seed, so a scene is reproducible.
"""

from __future__ import annotations

from datetime import date
from random import Random
from typing import Any, Final

from states import EA, SEA

from asrnet.clocks import SimulatedClock
from asrnet.desired import DesiredState, Freeze, Ignore, Match, Region, Row, Rule, Vault, VmmRow, VmNetworkName
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.builder import SUBSCRIPTION, Builder
from asrnet.fake.records import VaultResource
from asrnet.model.arm import ArmId
from asrnet.model.azure import Fabric, NetworkMapping, Nic, VirtualNetwork, VmNetwork
from asrnet.model.limits import Limits

FAR_FUTURE: Final = date(2099, 1, 1)
COPIES: Final = "rg-asr"


class Site:
    """One vault of a scene, with its fabrics and existing mappings.

    ``servers`` are two VMM servers, or none; ``near`` and ``far`` their VM networks. ``crossed``: its first networks
    are mapped, and each is declared with the recovery network of the next.
    """

    def __init__(self, name: str, vault: VaultResource, fabrics: dict[str, Fabric]) -> None:
        self.name = name
        self.vault = vault
        self.fabrics = fabrics
        self.mapped: list[NetworkMapping] = []
        self.servers: tuple[Fabric, ...] = ()
        self.near: list[VmNetwork] = []
        self.far: list[VmNetwork] = []
        self.crossed = 0


class Scene:
    """A world and a desired state. ``allow_delete`` and ``timeout`` are options of the run.

    ``moving`` are the networks of machines that are failing over, each with its vault's name.
    """

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.clock = SimulatedClock()
        self.build = Builder(clock=self.clock, behaviour=self._behaviour())
        self.world = self.build.world
        self.build.resource_group(COPIES, location=SEA)
        self.near = self._networks("p", EA, self.random.randint(2, 5))
        self.auto = self._networks("auto-", EA, self.random.choice([0, 0, 1, 2]))
        self.far = self._networks("r", SEA, self.random.randint(2, 5))
        self.sites = [self._site(number) for number in range(self.random.choice([1, 1, 2]))]
        for site in self.sites:
            self._map_at_random(site)
        self.moving = self._protect()
        self.clock.advance(3600)  # lagging lists show the present, not the time before the scene
        self.allow_delete = self.chance(0.5)
        self.timeout = self.random.choice([30.0, 120.0])
        self.desired = self._desired()

    def chance(self, share: float) -> bool:
        """True in this share of cases."""
        return self.random.random() < share

    def live(self, site: Site) -> list[NetworkMapping]:
        """The real mappings of a vault."""
        return list(self.world.state.mappings.values(site.vault.id.key))

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
        site = Site(f"v{number}", vault, {place: self.build.azure_fabric(vault, place) for place in places})
        if self.chance(0.25):
            site.servers = tuple(self.build.vmm_fabric(vault, f"VMM-{where}-{number}") for where in ("Near", "Far"))
            near, far = site.servers
            site.near = [self.build.vm_network(near, f"n{each}") for each in range(3)]
            site.far = [self.build.vm_network(far, f"f{each}") for each in range(3)]
        return site

    def _map_at_random(self, site: Site) -> None:
        if site.servers:
            self._map_servers(site)
        if len(site.fabrics) < 2:
            return
        if self.chance(0.3):
            site.crossed = min(len(self.near), len(self.far), self.random.choice([2, 2, 3]))
        for primary, recovery in zip(self.near[: site.crossed], self.far, strict=False):
            self._map(site, primary, recovery)
            self._map(site, recovery, primary)
        for near, far, share in ((self.near, self.far, 0.6), (self.far, self.near, 0.5)):
            for network in near[site.crossed :]:
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

    def _map_servers(self, site: Site) -> None:
        near, far = site.servers
        for network in site.near:
            if self.chance(0.5):
                to_azure = self.chance(0.3)
                recovery = self.random.choice(self.far) if to_azure else self.random.choice(site.far)
                site.mapped.append(self.build.mapping(near, network, None if to_azure else far, recovery))
        for network in site.far:
            if self.chance(0.4):
                site.mapped.append(self.build.mapping(far, network, near, self.random.choice(site.near)))

    def _protect(self) -> set[tuple[str, ArmId]]:
        """Protect machines; return the networks of those that are failing over."""
        moving: set[tuple[str, ArmId]] = set()
        for site in self.sites:
            for mapping in site.mapped:
                if not self.chance(0.2) or (mapping.primary_location, mapping.recovery_location) != (EA, SEA):
                    continue
                state = self.random.choice(["Protected", "Protected", "Protected", "UnplannedFailoverCommitPending"])
                where = self.random.choice(["Primary", "Primary", "Primary", "Recovery"])
                ends = (mapping.primary_network_id, mapping.recovery_network_id)
                nic = Nic(name="nic", primary_network_id=ends[0], recovery_network_id=ends[1])
                fabrics = (site.fabrics[EA], site.fabrics[SEA])
                self.build.protected_item(f"vm-{mapping.name}", *fabrics, nic, state=state, active_location=where)
                if (state, where) != ("Protected", "Primary"):
                    moving |= {(site.name, end) for end in ends}
        return moving

    # The desired state.

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
            vmm_pairs=tuple(row for site in self.sites for row in self._vmm_rows(site)),
            rules=tuple(rules),
            ignore=(Ignore(name="r0", reason="somebody's"),) if self.chance(0.2) else (),
            freeze=tuple(Freeze(vault=name, until=FAR_FUTURE, reason="exercise") for name in frozen),
            limits=self._limits(),
        )

    def _limits(self) -> Limits:
        pick = self.random.choice
        if self.chance(0.65):
            return Limits(max_updates=99, max_deletes=99, max_change_percent=100, max_rule_growth=99)
        return Limits(
            max_updates=pick([1, 2, 99, 99]),
            max_deletes=pick([0, 1, 99, 99]),
            max_change_percent=pick([0, 50, 100]),
            min_existing=pick([1, 4, 10]),
            max_rule_growth=pick([0, 1, 99, 99]),
        )

    def _vault(self, site: Site) -> Vault:
        unmanaged: Any = self.random.choice(["report", "report", "ignore", "delete", "delete"])
        return Vault(name=site.name, id=site.vault.id, unmanaged=unmanaged, create_fabrics=self.chance(0.8))

    def _rows(self, site: Site) -> list[Row]:
        """Rows for some primaries; each reverse has one owner."""
        rows: list[Row] = []
        owned: set[ArmId] = set()
        for number, network in enumerate(self.near):
            if number >= site.crossed and self.chance(0.3):
                continue
            recovery = None if self.chance(0.2) else self.random.choice(self.far)
            if number < site.crossed:
                recovery = self.far[(number + 1) % site.crossed]
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

    def _vmm_rows(self, site: Site) -> list[VmmRow]:
        """Rows for some VM networks; each reverse has one owner."""
        free = list(site.far)
        rows = []
        for network in site.near:
            to_azure = self.chance(0.3)
            if self.chance(0.3):
                continue
            recovery: ArmId | VmNetworkName
            if to_azure:
                recovery = self.random.choice(self.far).id
            else:
                chosen = free.pop(self.random.randrange(len(free)))
                recovery = VmNetworkName(server=site.servers[1].friendly_name, network=chosen.friendly_name)
            rows.append(
                VmmRow(
                    name=f"{site.name}-{network.friendly_name}",
                    vault=site.name,
                    primary=VmNetworkName(server=site.servers[0].friendly_name, network=network.friendly_name),
                    recovery=recovery,
                    managed_by="scvmm" if self.chance(0.1) else None,
                )
            )
        return rows

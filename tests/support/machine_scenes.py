"""Random worlds with machines: of a following pair, of another, of none, and of another region."""

from __future__ import annotations

from random import Random
from typing import Any

from states import EA, SEA, TwoRegions

from asrnet.desired import DesiredState, Region, Row
from asrnet.emulator.handlers.item_shapes import item_json
from asrnet.fake.behaviour import Behaviour
from asrnet.model.arm import ArmId
from asrnet.model.azure import IpConfiguration, Nic, Setting, VirtualNetwork
from asrnet.model.machine_update import UPDATES

WEST = "westus"
PASSING = ("lastHeartbeat", "lastRpoCalculatedTime", "rpoInSeconds")
"""Members that change by themselves while a machine replicates."""
BESIDE = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg/providers/Microsoft.Network"


class Scene(TwoRegions):
    """A vault with machines of following pairs, of one that does not, of none, and of another region."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        pick = self.random.choice
        super().__init__(
            behaviour=Behaviour(
                operations=pick(["immediate", "time:1", "time:3", "manual:2"]),
                latency=pick([0.0, 0.05, 0.4]),
                list_lag=pick([0.0, 0.0, 2.0]),
                page_size=pick([1, 3, 100]),
                empty_last_page=pick([True, False]),
                shuffle=pick([None, 7]),
                partial_update=pick(["keep", "lose"]),
            )
        )
        self.fabrics[WEST] = self.build.azure_fabric(self.vault, WEST)
        subnets = {name: f"10.0.{number}.0/24" for number, name in enumerate(("web", "db", "app"))}
        self.primaries = [self.network(name, subnets=subnets) for name in ("hub", "spoke", "theirs", "alone")]
        some = self.random.sample(sorted(subnets), k=self.random.randint(1, 3))
        kept = {name: subnets[name] for name in some}
        self.old, self.new = self.network("old", SEA, subnets=subnets), self.network("new", SEA, subnets=kept)
        self.bubble, self.spare = (self.network(name, SEA, subnets=kept) for name in ("bubble", "spare"))
        self.far = self.network("far", WEST, subnets=subnets)
        # In half of the scenes only following pairs use the old networks, so a plan can free them for tests.
        all_use_old, recoveries = pick([True, False]), [self.old, self.spare, self.new]
        self.recoveries = {
            primary.name: recoveries if all_use_old or primary in self.primaries[:2] else [self.new]
            for primary in self.primaries
        }
        for primary in self.primaries[:3]:
            self.map(primary, pick(self.recoveries[primary.name]))
        for number in range(self.random.randint(1, 8)):
            self._protect(number)
        self.clock.advance(3600)

    def desired(self) -> DesiredState:
        """hub and spoke follow, theirs is another tool's, and alone has no row.

        A test network may be one that a pair leaves or goes to, or that of both rows.
        """
        hub, spoke, theirs, _ = self.primaries
        pick = self.random.choice
        to_hub, to_spoke = pick([(self.new, self.new)] * 4 + [(self.old, self.new), (self.new, self.spare)])
        tests = [None, self.bubble.id, *[self.old.id] * 3, *[self.spare.id] * 3, self.new.id]
        test_hub, test_spoke = pick(tests), pick(tests)
        rows = (
            Row(name="hub", vault="sea", primary=hub.id, recovery=to_hub.id, failback=False, test=test_hub),
            Row(name="spoke", vault="sea", primary=spoke.id, recovery=to_spoke.id, failback=False, test=test_spoke),
            Row(name="theirs", vault="sea", primary=theirs.id, recovery=to_hub.id, failback=False, managed_by="tf"),
        )
        regions = (Region(primary=EA, recovery=SEA), Region(primary=EA, recovery=WEST))
        release = self.random.random() < 0.5
        return self.state(*rows, regions=regions, machines="follow", release_addresses=release)

    def _protect(self, number: int) -> None:
        pick = self.random.choice
        primary = pick(self.primaries)
        recovery = pick([*self.recoveries[primary.name] * 2, self.far])
        tests = pick([None, None, self.old.id])
        nics = tuple(self._nic(f"nic{index}", primary, recovery, tests) for index in range(pick([1, 1, 2])))
        item = self.build.protected_item(
            f"vm{number}",
            self.fabrics[EA],
            self.fabrics[recovery.location],
            *nics,
            state=pick(["Protected"] * 14 + ["InitialReplicationInProgress"]),
            active_location=pick(["Primary"] * 24 + ["Recovery"]),
            recovery_network_id=pick([recovery.id, recovery.id, None]),
            test_network_id=tests,
            recovery_group_id=self.vault.id.parent,
            is_cluster_member=self.random.random() < 0.05,
            settings=self._settings("item"),
        )
        if self.random.random() < 0.3:
            self.world.extras[item.id.key] = {"aMemberOfTomorrow": {"value": [number]}}

    def _nic(self, name: str, primary: VirtualNetwork, recovery: VirtualNetwork, tests: ArmId | None) -> Nic:
        pick = self.random.choice
        return Nic(
            name=name,
            primary_network_id=primary.id,
            recovery_network_id=recovery.id,
            # A machine with a test network on a NIC always shows one itself.
            test_network_id=pick([tests] * 6 + [self.old.id]) if tests else None,
            recovery_network_security_group=pick([None, ArmId(f"{BESIDE}/networkSecurityGroups/nsg")]),
            selection=pick(["SelectedByDefault", "SelectedByUserOverride"]),
            ip_configurations=tuple(self._address(index) for index in range(pick([1, 1, 2]))),
            settings=self._settings("nic"),
            unknown_members={"aMemberOfTomorrow": "true"} if self.random.random() < 0.06 else {},
        )

    def _address(self, index: int) -> IpConfiguration:
        pick = self.random.choice
        return IpConfiguration(
            name=f"ipconfig{index + 1}",
            primary=not index,
            subnet=pick(["web", "db"]),
            ip_type="Dynamic",
            recovery_subnet=pick(["web", "db", "app"]),
            recovery_ip=pick([None, None, f"10.0.0.{self.random.randint(10, 200)}"]),
            recovery_public_ip=pick([None, ArmId(f"{BESIDE}/publicIPAddresses/ip")]),
            test_subnet=pick([None, "web"]),
            settings=self._settings("ip_configuration"),
        )

    def _settings(self, level: Any) -> dict[str, Setting]:
        """Some settings of a PATCH, with unusual values."""
        values: dict[str, Setting] = {}
        for number, member in enumerate(UPDATES["A2A"].of(level)):
            # Settings that hold a machine are rarer: most machines should follow.
            keeps = member.patch in {"reuseExistingNic", "tfoReuseExistingNic", "tfoLBBackendAddressPoolIds"}
            if member.field is None and self.random.random() < (0.1 if keeps else 0.4):
                chosen: dict[str, Setting] = {"flag": self.random.random() < 0.5, "number": self.random.randint(0, 4)}
                text = f"chosen-{number}" if member.patch.endswith("Name") else f"{BESIDE}/{member.patch}"
                values[member.patch] = chosen.get(member.kind, text)
                if member.patch == "tfoLBBackendAddressPoolIds":
                    values[member.patch] = (f"{BESIDE}/pool",)
        return values

    def documents(self) -> dict[str, dict[str, Any]]:
        """Each machine as a GET answers it, unknown members included, flat."""
        items = self.world.state.protected_items.values(self.vault.id.key)
        shown = (self.world.protected_items.get(item.id) for item in items)
        return {item.friendly_name: flat(item_json(self.world, item)["properties"]) for item in shown}


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """A document flattened by path; NICs and IP configurations are keyed by ids and names."""
    if isinstance(value, list) and any(isinstance(part, dict) for part in value):
        value = {str(part.get("nicId") or part.get("name") or index): part for index, part in enumerate(value)}
    if isinstance(value, dict):
        return {key: leaf for name, part in value.items() for key, leaf in flat(part, f"{path}/{name}").items()}
    return {} if path.endswith(PASSING) else {path: value}


def differences(before: dict[str, dict[str, Any]], after: dict[str, dict[str, Any]]) -> dict[str, set[str]]:
    """The differing paths of each machine that differs."""
    changed = {
        name: {path for path in {*document, *after[name]} if document.get(path) != after[name].get(path)}
        for name, document in before.items()
    }
    return {name: paths for name, paths in changed.items() if paths}

"""Whether a test network is connected to production or may be, and which networks must be read to know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from msgspec import structs

from asrnet.desired.pairs import Pair
from asrnet.desired.state import Source
from asrnet.errors import ForbiddenError
from asrnet.inventory.test_networks import (
    check_test_network,
    connected_test_networks,
    networks_around,
    production_networks,
)
from asrnet.inventory.values import Absent, Inventory, Unknown, VaultInventory
from asrnet.model.arm import ArmId
from asrnet.model.azure import NOT_SELECTED, NetworkMapping, Nic, Peering, ProtectedItem, VirtualNetwork
from asrnet.model.findings import Finding

GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg"


def network_id(name: str) -> ArmId:
    return ArmId(f"{GROUP}/providers/Microsoft.Network/virtualNetworks/{name}")


def network(name: str, *peers: Peering | str, place: str = "southeastasia", **more: Any) -> VirtualNetwork:
    """A network in the recovery region; a peer given by name forwards no traffic."""
    peerings = tuple(Peering(network_id=network_id(peer)) if isinstance(peer, str) else peer for peer in peers)
    return VirtualNetwork(
        id=network_id(name), location=place, **{"address_space": ("10.0.0.0/16",), "peerings": peerings, **more}
    )


def letting_in(name: str, **more: Any) -> Peering:
    """A peering that accepts forwarded traffic."""
    return Peering(network_id=network_id(name), allow_forwarded=True, **more)


TESTED = Pair(
    name="app", vault="sea", primary=network_id("app-ea"), recovery=network_id("app-sea"), test=network_id("bubble")
)
PAIR = Pair(name="app", vault="sea", primary=network_id("app-ea"), recovery=network_id("app-sea"))


class BoundedInventory(Inventory, frozen=True, kw_only=True):
    """An inventory that records its reads and stops endless walks."""

    asked: list[ArmId]

    def network(self, network_id: ArmId) -> VirtualNetwork | Absent | Unknown:
        self.asked.append(network_id)
        assert len(self.asked) <= 20, f"asked again and again: {[network_id.name for network_id in self.asked]}"
        return super().network(network_id)


def read(*networks: VirtualNetwork, forbidden: Sequence[str] = ()) -> BoundedInventory:
    """An inventory of these networks and those of the pair, unless they are given."""
    by_id = {network.id: network for network in (network("app-ea", place="eastasia"), network("app-sea"))}
    return BoundedInventory(
        asked=[],
        read_at=0,
        vaults={},
        networks=by_id | {network.id: network for network in networks},
        missing={network_id(name): Unknown(error=ForbiddenError("not allowed")) for name in forbidden},
        subscriptions={},
    )


def connections(inventory: Inventory, tested: Sequence[Pair] = (PAIR,), others: Sequence[Pair] = ()) -> list[Finding]:
    """What connects the network ``bubble`` of the ``tested`` pairs with production, to which ``others`` belong too."""
    production = production_networks([*tested, *others], inventory)
    return list(connected_test_networks("sea", {network_id("bubble"): tested}, inventory, production))


def judged(*networks: VirtualNetwork, forbidden: Sequence[str] = ()) -> list[tuple[str, str, str]]:
    """The kind, severity and message of each finding about the network ``bubble``."""
    return [
        (finding.kind, finding.severity, finding.message.removeprefix("the test network bubble "))
        for finding in connections(read(*networks, forbidden=forbidden))
    ]


def problems(bubble: VirtualNetwork, name: str = "bubble", *, missing: bool = False) -> list[tuple[str, str]]:
    found = read(bubble)
    if missing:
        found = structs.replace(found, networks={}, missing={network_id(name): Absent()})
    findings = check_test_network(
        PAIR,
        network_id(name),
        found,
        recovery_region="southeastasia",
        production=production_networks([PAIR], found),
    )
    return [(finding.kind, finding.message) for finding in findings]


def test_an_isolated_network_is_fine_though_it_has_the_addresses_of_production() -> None:
    assert judged(network("bubble", address_space=("10.0.0.0/16",))) == []


@pytest.mark.parametrize("end", ["app-ea", "app-sea"])
def test_a_peering_with_production_connects(end: str) -> None:
    chain = f"is connected to {end}, a network of production: bubble - {end}"
    assert judged(network("bubble", end)) == [("test_network_connected", "warning", chain)]


def test_a_one_sided_peering_connects_nothing() -> None:
    assert judged(network("bubble", Peering(network_id=network_id("app-sea"), connected=False))) == []


@pytest.mark.parametrize(
    ("near", "far"),
    [(letting_in("hub"), "hub"), ("hub", letting_in("hub"))],
    ids=["the test lets in what production sends", "production lets in what the test sends"],
)
def test_a_hub_that_forwards_connects(near: Peering | str, far: Peering | str) -> None:
    chain = "is connected to app-sea, a network of production: bubble - hub - app-sea"
    assert judged(network("bubble", near), network("hub", "bubble", "app-sea"), network("app-sea", far)) == [
        ("test_network_connected", "warning", chain)
    ]


def test_a_chain_of_hubs_that_forward_connects() -> None:
    chain = "is connected to app-ea, a network of production: bubble - hub-sea - hub-ea - app-ea"
    networks = (
        network("bubble", letting_in("hub-sea")),
        network("hub-sea", "bubble", letting_in("hub-ea")),
        network("hub-ea", letting_in("hub-sea"), "app-ea"),
        network("app-ea", letting_in("hub-ea"), place="eastasia"),
    )
    assert judged(*networks) == [("test_network_connected", "warning", chain)]


@pytest.mark.parametrize(
    "bubble_and_hub",
    [
        (network("bubble", "hub"), network("hub", "bubble", gateway=True)),
        (
            network("bubble", Peering(network_id=network_id("hub"), use_remote_gateways=True)),
            network("hub", "bubble"),
        ),
    ],
    ids=["the hub has one", "the test uses one"],
)
def test_the_gateway_of_a_hub_connects(bubble_and_hub: tuple[VirtualNetwork, ...]) -> None:
    chain = "is connected to the gateway of hub: bubble - hub"
    assert judged(*bubble_and_hub) == [("test_network_connected", "warning", chain)]


def test_a_hub_that_forwards_nothing_and_has_no_gateway_is_only_a_note() -> None:
    ((kind, severity, message),) = judged(
        network("bubble", "shared"), network("shared", "bubble", "app-sea"), network("app-sea", "shared")
    )
    assert (kind, severity) == ("test_network_connected", "info")
    assert message.startswith("is peered with shared, like production's app-sea; shared does not forward")


def test_a_network_that_leads_nowhere_is_fine() -> None:
    assert judged(network("bubble", "tools"), network("tools", "bubble", "lab"), network("lab", "tools")) == []


def test_several_networks_behind_one_neighbour_are_one_finding() -> None:
    ((_, _, message),) = judged(
        network("bubble", letting_in("hub")),
        network("hub", "bubble", "app-sea", "app-ea"),
        network("app-sea", "hub"),
        network("app-ea", "hub", place="eastasia"),
    )
    assert message.startswith("is connected to app-sea, a network of production, and to 1 more: ")


def test_its_own_gateway_connects() -> None:
    assert judged(network("bubble", gateway=True)) == [
        ("test_network_connected", "warning", "has a gateway of its own")
    ]


def test_the_name_servers_of_production_connect() -> None:
    production = network("app-sea", dns_servers=("10.9.0.4",))
    ((kind, severity, message),) = judged(network("bubble", dns_servers=("10.9.0.4",)), production)
    assert (kind, severity, message) == (
        "test_network_connected",
        "warning",
        "has the DNS server 10.9.0.4 of app-sea, a network of production",
    )


def test_a_name_server_among_its_own_addresses_is_a_machine_under_test() -> None:
    production = network("app-sea", dns_servers=("10.0.0.4",))
    ((_, severity, message),) = judged(network("bubble", dns_servers=("10.0.0.4",)), production)
    assert severity == "info"
    assert message.endswith("only a machine under test can answer")


def test_other_name_servers_are_fine() -> None:
    assert judged(network("bubble", dns_servers=("10.9.0.5",)), network("app-sea", dns_servers=("10.9.0.4",))) == []


@pytest.mark.parametrize(
    ("neighbour", "what"),
    [("HV_hub-sea_1f2e", "a hub of a virtual WAN"), ("hub", "a network")],
)
def test_a_neighbour_that_could_not_be_read_makes_it_unknown(neighbour: str, what: str) -> None:
    ((kind, severity, message),) = judged(network("bubble", neighbour), forbidden=[neighbour])
    assert (kind, severity) == ("unknown", "warning")
    assert message == (
        "whether the test network bubble is connected to production is not known: "
        f"bubble - {neighbour} leads to {what} that could not be read: not allowed"
    )


def test_a_network_behind_a_hub_that_could_not_be_read_makes_it_unknown() -> None:
    ((kind, _, message),) = judged(
        network("bubble", "hub"), network("hub", "bubble", "elsewhere"), forbidden=["elsewhere"]
    )
    assert (kind, "bubble - hub - elsewhere leads to" in message) == ("unknown", True)


def test_the_peering_of_a_network_manager_makes_it_unknown() -> None:
    managed = Peering(network_id=network_id("tools"), name="ANM_12ab")
    ((kind, _, message),) = judged(network("bubble", managed), network("tools", "bubble"))
    assert (kind, "ANM_12ab" in message) == ("unknown", True)


def zone(name: str) -> ArmId:
    return ArmId(f"{GROUP}/providers/Microsoft.Network/privateDnsZones/{name}")


def test_a_private_dns_zone_that_production_registers_in_connects() -> None:
    shop = zone("shop.internal")
    production = network("app-sea", registration_zone=shop)
    ((kind, severity, message),) = judged(network("bubble", registration_zone=shop), production)
    assert (kind, severity, message) == (
        "test_network_connected",
        "warning",
        "registers its machines in the private DNS zone shop.internal, like app-sea, a network of production",
    )


def test_a_private_dns_zone_of_its_own_is_fine() -> None:
    production = network("app-sea", registration_zone=zone("shop.internal"))
    assert judged(network("bubble", registration_zone=zone("test.internal")), production) == []
    assert judged(network("bubble"), production) == []


def test_a_virtual_hub_that_is_not_found_makes_it_unknown() -> None:
    inventory = structs.replace(read(network("bubble", "HV_hub")), missing={network_id("HV_hub"): Absent()})
    (finding,) = connections(inventory)
    assert (finding.kind, finding.message.partition(": ")[2]) == (
        "unknown",
        "bubble - HV_hub leads to a hub of a virtual WAN that could not be read",
    )


def test_a_neighbour_that_does_not_exist_connects_nothing() -> None:
    found = structs.replace(read(network("bubble", "gone")), missing={network_id("gone"): Absent()})
    assert connections(found) == []


def test_a_network_of_several_pairs_is_judged_once() -> None:
    pairs = [PAIR, structs.replace(PAIR, name="web")]
    found = read(network("bubble", "app-sea"))
    (finding,) = connections(found, pairs)
    assert finding.pair is None


def test_the_networks_to_be_read_grow_as_networks_are_read() -> None:
    bubble, hub = network("bubble", letting_in("hub")), network("hub", "bubble", "far")
    asked = [networks_around([TESTED], read(*networks)) for networks in ((), (bubble,), (bubble, hub))]
    assert asked == [{network_id("bubble")}, {network_id("hub")}, {network_id("far")}]
    assert networks_around([TESTED], read(bubble, hub, network("far", "hub"))) == set()


def mapped(primary: str, recovery: str) -> VaultInventory:
    """A vault with a live mapping that no tested pair declares."""
    vault_id = ArmId(f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/v")
    path = ("replicationFabrics", "ea", "replicationNetworks", "azureNetwork", "replicationNetworkMappings", "m")
    mapping = NetworkMapping(
        id=vault_id.child(*path),
        kind="azure_to_azure",
        primary_network_id=network_id(primary),
        recovery_network_id=network_id(recovery),
    )
    return VaultInventory(name="sea", id=vault_id, mappings=(mapping,))


@pytest.mark.parametrize("end", ["crm-ea", "crm-sea"])
def test_the_networks_of_every_live_mapping_are_production(end: str) -> None:
    found = structs.replace(read(network("bubble", end)), vaults={"sea": mapped("crm-ea", "crm-sea")})
    (finding,) = connections(found)
    assert finding.message.endswith(f"a network of production: bubble - {end}")


def test_networks_behind_a_pair_need_not_be_read_but_those_behind_other_mappings_must() -> None:
    """A plan may delete or retarget the other mappings, and so take their networks out of production."""
    networks = (
        network("bubble", letting_in("hub")),
        network("hub", "bubble", "crm-sea"),
        network("crm-sea", letting_in("hub"), "far"),
    )
    found = structs.replace(read(*networks), vaults={"sea": mapped("crm-ea", "crm-sea")})
    assert networks_around([TESTED, CRM], found) == set()
    assert networks_around([TESTED], found) == {network_id("far")}


def test_a_ring_of_forwarding_networks_is_walked_once() -> None:
    ring = [
        network("bubble", letting_in("a")),
        network("a", letting_in("bubble"), letting_in("b"), letting_in("c")),
        network("b", letting_in("a"), letting_in("c")),
        network("c", letting_in("b"), letting_in("a")),
    ]
    found = read(*ring)
    assert connections(found) == []
    assert sorted(network_id.name for network_id in found.asked) == ["a", "b", "bubble", "c"]


def test_a_one_sided_peering_of_a_hub_connects_nothing() -> None:
    broken = Peering(network_id=network_id("app-sea"), connected=False)
    networks = (
        network("bubble", letting_in("hub")),
        network("hub", "bubble", broken),
        network("app-sea", letting_in("hub")),
    )
    assert judged(*networks) == []


def test_a_test_network_in_another_region_is_a_problem() -> None:
    ((kind, message),) = problems(network("bubble", place="eastasia"))
    assert kind == "region_mismatch"
    assert message == "the test network bubble is in eastasia, and machines are tested in southeastasia"


def test_a_network_of_the_pair_itself_is_refused_as_its_test_network() -> None:
    ((kind, message),) = problems(network("bubble"), "app-sea")
    assert kind == "conflict"
    assert "tests would run in production" in message


def test_a_test_network_that_does_not_exist_is_a_problem() -> None:
    assert [kind for kind, _ in problems(network("bubble"), missing=True)] == ["missing_network"]


def test_a_test_network_of_its_own_in_the_recovery_region_is_no_problem() -> None:
    assert problems(network("bubble")) == []


def machine(name: str, *, runs_on: str, fails_over_to: str) -> ProtectedItem:
    vault_id = ArmId(f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/v")
    path = ("replicationFabrics", "ea", "replicationProtectionContainers", "c", "replicationProtectedItems", name)
    nic = Nic(name="nic0", primary_network_id=network_id(runs_on), recovery_network_id=network_id(fails_over_to))
    return ProtectedItem(id=vault_id.child(*path), friendly_name=name, nics=(nic,))


CRM = Pair(
    name="crm",
    vault="sea",
    primary=network_id("crm-ea"),
    recovery=network_id("crm-sea"),
    source=Source(file="f.yaml", line=12),
)


@pytest.mark.parametrize(
    ("test", "reason"),
    [
        ("crm-ea", "is a network of pair crm (f.yaml:12)"),
        ("crm-sea", "is a network of pair crm (f.yaml:12)"),
        ("erp-ea", "is an end of mapping m in vault sea"),
        ("erp-sea", "is an end of mapping m in vault sea"),
        ("fo-ea", "is the network in which fo1 runs"),
        ("fo-sea", "is the network to which fo1 fails over"),
    ],
)
def test_a_network_of_production_is_refused_as_a_test_network(test: str, reason: str) -> None:
    vault = structs.replace(
        mapped("erp-ea", "erp-sea"), items=(machine("fo1", runs_on="fo-ea", fails_over_to="fo-sea"),)
    )
    found = structs.replace(read(network(test)), vaults={"sea": vault})
    (finding,) = check_test_network(
        PAIR,
        network_id(test),
        found,
        recovery_region="southeastasia",
        production=production_networks([PAIR, CRM], found),
    )
    assert finding.kind == "conflict"
    assert finding.message == f"the test network {test} {reason}: tests would run in production"


def test_the_networks_of_pairs_that_are_not_mapped_yet_are_production() -> None:
    (finding,) = connections(read(network("bubble", "crm-sea")), others=[CRM])
    assert finding.message.endswith("a network of production: bubble - crm-sea")


@pytest.mark.parametrize("end", ["fo-ea", "fo-sea"])
def test_the_networks_of_protected_machines_are_production(end: str) -> None:
    items = (machine("fo1", runs_on="fo-ea", fails_over_to="fo-sea"),)
    vault = structs.replace(mapped("app-ea", "app-sea"), items=items)
    (finding,) = connections(structs.replace(read(network("bubble", end)), vaults={"sea": vault}))
    assert finding.message.endswith(f"a network of production: bubble - {end}")


def test_a_nic_that_does_not_fail_over_makes_no_network_production() -> None:
    nic = Nic(name="nic0", recovery_network_id=network_id("bubble"), selection=NOT_SELECTED)
    item = ProtectedItem(
        id=ArmId(f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/v"), friendly_name="vm1", nics=(nic,)
    )
    vault = VaultInventory(name="sea", id=item.id, items=(item,))
    assert production_networks([], structs.replace(read(), vaults={"sea": vault})) == {}


def test_the_region_of_a_test_network_is_not_judged_while_the_region_of_the_machines_is_unknown() -> None:
    inventory = read(network("bubble", place="westus"))
    for region, kinds in ((None, []), ("southeastasia", ["region_mismatch"])):
        findings = check_test_network(TESTED, network_id("bubble"), inventory, recovery_region=region, production={})
        assert [finding.kind for finding in findings] == kinds

"""Properties of every prediction, for any networks and machines."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, ip_address
from typing import Any

from failover_worlds import address, item, land, machine, mapping, prediction, subnet, vnet
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import structs

from asrnet.failover import (
    RULES,
    Operation,
    Prediction,
    capacity,
    choose_subnet,
    machines_of_items,
    machines_of_subnets,
    subnet_fits,
    usable,
)
from asrnet.model.azure import IpConfiguration, MappingKind, Nic, ProtectedItem, Subnet

NAMES = ("app", "db", "web", "Web2")
addresses = st.integers(0, 47).map(lambda last: f"10.0.{last % 3}.{last // 3}")
prefixes = st.sampled_from(["10.0.0.0/24", "10.0.1.0/28", "10.0.1.0/29", "10.0.2.0/28", "10.9.0.0/29", "10.8.0.0/30"])
subnets = st.builds(
    lambda name, ranges, used: subnet(name, *ranges, used=used),
    st.sampled_from(NAMES),
    st.lists(prefixes, min_size=1, max_size=3, unique=True),
    st.lists(addresses, max_size=6, unique=True),
)
recovery_subnets = st.lists(subnets, max_size=4, unique_by=lambda each: each.name)
machines = st.lists(
    st.tuples(st.sampled_from([*NAMES, "gone"]), st.none() | addresses, st.none() | addresses), max_size=12
)
operations = st.sampled_from(["failover", "test-failover", "failback"])

HOME = vnet("home", *(subnet(name, f"10.0.{n}.0/24") for n, name in enumerate(NAMES)))


def predicted(
    recovery: list[Subnet], seeds: list[tuple[str, str | None, str | None]], operation: Operation
) -> Prediction:
    away = vnet("away", *recovery)
    listed = [machine(f"vm{n}", HOME, address(name, ip, recovery_ip=own)) for n, (name, ip, own) in enumerate(seeds)]
    return prediction(listed, [HOME, away], [mapping(HOME, away), mapping(away, HOME)], operation)


def is_reserved(ip: str, prefix: str) -> bool:
    network = IPv4Network(prefix)
    return IPv4Address(ip) in [*list(network)[:4], network.broadcast_address]


@settings(max_examples=60)
@given(recovery_subnets, machines, operations)
def test_predicted_addresses_are_inside_the_subnet_and_never_reserved(
    recovery: list[Subnet], seeds: list[tuple[str, str | None, str | None]], operation: Operation
) -> None:
    where = {each.name: each.prefixes for each in (HOME.subnets if operation == "failback" else recovery)}
    for landing in predicted(recovery, seeds, operation).landings:
        if landing.ip is not None:
            ranges = where[landing.subnet or ""]
            # Ranges of one subnet may overlap here; the address must be usable in one of them.
            assert any(
                ip_address(landing.ip) in IPv4Network(prefix) and not is_reserved(landing.ip, prefix)
                for prefix in ranges
            )


@settings(max_examples=60)
@given(recovery_subnets, machines, operations)
def test_no_address_of_a_subnet_is_given_out_twice_or_while_in_use(
    recovery: list[Subnet], seeds: list[tuple[str, str | None, str | None]], operation: Operation
) -> None:
    landings = predicted(recovery, seeds, operation).landings
    given_out = [(each.network_id, each.subnet, each.ip) for each in landings if each.ip is not None]
    assert len(given_out) == len(set(given_out))
    if operation != "failback":
        in_use = {(each.name, ip) for each in recovery for ip in each.used_ips}
        assert not in_use & {(each.subnet, each.ip) for each in landings}


@settings(max_examples=60)
@given(recovery_subnets, machines, operations)
def test_every_address_has_an_outcome_and_each_is_counted_once(
    recovery: list[Subnet], seeds: list[tuple[str, str | None, str | None]], operation: Operation
) -> None:
    answer = predicted(recovery, seeds, operation)
    counts = answer.summary
    assert counts.addresses == len(seeds) == len(answer.landings)
    assert counts.addresses == (
        counts.keeps_address
        + counts.changes_address
        + counts.loses_connectivity
        + counts.unknown
        + counts.not_failed_over
    )


@settings(max_examples=60)
@given(recovery_subnets, machines, operations)
def test_the_same_inputs_give_the_same_prediction(
    recovery: list[Subnet], seeds: list[tuple[str, str | None, str | None]], operation: Operation
) -> None:
    assert predicted(recovery, seeds, operation) == predicted(recovery, seeds, operation)


@given(st.lists(st.text(min_size=1, max_size=5), unique_by=str.lower), st.data())
def test_between_regions_the_subnet_depends_only_on_the_set_of_names(names: list[str], data: st.DataObject) -> None:
    primary = data.draw(st.sampled_from(names) if names else st.just("web"))
    shuffled = data.draw(st.permutations(names))
    for wanted in (primary, primary.upper(), "not there at all"):
        assert choose_subnet(names, wanted) == choose_subnet(shuffled, wanted)


@given(st.lists(st.text(min_size=1, max_size=5), min_size=1, unique_by=str.lower), st.text(max_size=5))
def test_a_subnet_of_the_same_name_is_taken_whatever_its_position(names: list[str], primary: str) -> None:
    kinds: tuple[MappingKind, ...] = ("azure_to_azure", "vmm_to_azure", "vmm_to_vmm")
    for kind in kinds:
        choice = choose_subnet([*names, primary], primary, kind)
        assert choice is not None
        assert choice.name.lower() == primary.lower()


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(24, 32))
def test_a_range_holds_five_machines_fewer_than_addresses(base: int, length: int) -> None:
    network = IPv4Network((base, length), strict=False)
    ordinary = usable(str(network))
    assert len(ordinary) == capacity([str(network)]) == max(0, network.num_addresses - 5)
    assert [IPv4Address(each) for each in ordinary] == list(network)[4:-1]


# --- a machine's own settings -----------------------------------------------------------------------------------------

AWAY = vnet("away", *(subnet(name, f"10.{n}.0.0/24") for n, name in enumerate(NAMES)))
OWN = vnet("own", *(subnet(name, f"10.{10 + n}.0.0/24") for n, name in enumerate(NAMES)))
BUBBLE = vnet("bubble", *(subnet(name, f"10.{20 + n}.0.0/24") for n, name in enumerate(NAMES)))
EVERYWHERE = (HOME, AWAY, OWN, BUBBLE)
subnet_indexes = st.integers(0, len(NAMES) - 1)
hosts_of_a_subnet = st.integers(4, 254)
all_mappings = st.lists(
    st.sampled_from([mapping(one, other) for one in EVERYWHERE for other in EVERYWHERE if one is not other]),
    unique_by=lambda each: each.id,
)


@given(
    mappings=all_mappings,
    primary=subnet_indexes,
    chosen=subnet_indexes,
    host=hosts_of_a_subnet,
    on_the_item=st.booleans(),
)
def test_the_network_set_on_a_machine_wins_over_any_mapping(
    mappings: list[Any], primary: int, chosen: int, host: int, *, on_the_item: bool
) -> None:
    settings_of_nic = address(
        NAMES[primary],
        f"10.0.{primary}.9",
        recovery_subnet=NAMES[chosen],
        recovery_ip=f"10.{10 + chosen}.0.{host}",
        test_subnet=NAMES[chosen],
        test_ip=f"10.{20 + chosen}.0.{host}",
    )
    own = {"recovery_network_id": OWN.id, "test_network_id": BUBBLE.id}
    model = item("vm", HOME, settings_of_nic, **({} if on_the_item else own))
    [one] = machines_of_items([structs.replace(model, **own) if on_the_item else model])
    landing = land(one, EVERYWHERE, mappings)
    assert (landing.network_id, landing.subnet, landing.ip) == (OWN.id, NAMES[chosen], settings_of_nic.recovery_ip)
    tested = land(one, EVERYWHERE, mappings, "test-failover", test_network_id=AWAY.id)
    assert (tested.network_id, tested.subnet, tested.ip) == (BUBBLE.id, NAMES[chosen], settings_of_nic.test_ip)


@given(all_mappings, subnet_indexes, hosts_of_a_subnet, st.sampled_from(["failover", "failback"]))
def test_a_re_protected_machine_fails_back_by_its_own_settings(
    mappings: list[Any], chosen: int, host: int, operation: Operation
) -> None:
    settings_of_nic = address("web", "10.2.0.9", recovery_subnet=NAMES[chosen], recovery_ip=f"10.0.{chosen}.{host}")
    locations = {"initial_location": "eastasia", "primary_location": "southeastasia", "recovery_location": "eastasia"}
    [one] = machines_of_items([item("vm", AWAY, settings_of_nic, recovery_network_id=HOME.id, **locations)])
    landing = land(one, EVERYWHERE, mappings, operation)
    assert (landing.network_id, landing.subnet, landing.ip) == (HOME.id, NAMES[chosen], settings_of_nic.recovery_ip)


@settings(max_examples=60)
@given(recovery=recovery_subnets, back=st.booleans())
def test_the_comparison_behind_the_plans_finding_agrees_with_the_prediction(
    recovery: list[Subnet], *, back: bool
) -> None:
    there = vnet("there", *recovery)
    primary, target = (there, HOME) if back else (HOME, there)
    landings = prediction(machines_of_subnets([primary]), [primary, target], [mapping(primary, target)]).landings
    for fit, landing in zip(subnet_fits(primary, target), landings, strict=True):
        assert landing.subnet == (fit.recovery_subnet.name if fit.recovery_subnet else None)
        if landing.address_rule is not None and landing.address_rule is not RULES["subnet_full"]:
            expected = {"same": "keeps_address", "differs": "changes_address"}.get(fit.address_space, "unknown")
            assert landing.outcome == expected
            # The same for every address of the subnet: kept only in the same address space, never in another.
            for ip in (str(IPv4Address(number)) for prefix in fit.subnet.prefixes for number in usable(prefix)[:2]):
                one = land(machine("vm", primary, address(fit.subnet.name, ip)), [primary, target],
                           [mapping(primary, target)])  # fmt: skip
                assert (one.address_rule is RULES["address_other_space"]) <= (fit.address_space != "same")
                assert (one.outcome == "keeps_address") <= (fit.address_space != "differs")


# --- whatever a vault says --------------------------------------------------------------------------------------------

WORDS = (
    "",
    "Primary",
    "Recovery",
    "Protected",
    "NotSelected",
    "A2A",
    "HyperVReplicaAzure",
    "InMageRcm",
    "tomorrow",
    "10.0.1.9",
)
words = st.sampled_from(WORDS)
maybe_words = st.none() | words
maybe_networks = st.none() | st.sampled_from([each.id for each in EVERYWHERE])
anything_of_an_address = st.builds(
    IpConfiguration,
    name=words,
    subnet=maybe_words | st.sampled_from(NAMES),
    ip=maybe_words,
    ip_type=maybe_words,
    recovery_subnet=maybe_words | st.sampled_from(NAMES),
    recovery_ip=maybe_words,
    test_subnet=maybe_words,
    test_ip=maybe_words,
    selected_for_failover=st.booleans(),
)
anything_of_a_nic = st.builds(
    Nic,
    name=words,
    primary_network_id=maybe_networks,
    primary_network=words,
    recovery_network_id=maybe_networks,
    test_network_id=maybe_networks,
    selection=words,
    ip_configurations=st.lists(anything_of_an_address, max_size=2).map(tuple),
)
anything_of_an_item = st.builds(
    ProtectedItem,
    id=st.just(item("vm", HOME).id),
    friendly_name=words,
    state=words,
    active_location=words,
    provider=words,
    recovery_network_id=maybe_networks,
    test_network_id=maybe_networks,
    primary_location=maybe_words,
    recovery_location=maybe_words,
    initial_location=maybe_words,
    primary_zone=maybe_words,
    initial_zone=maybe_words,
    nics=st.lists(anything_of_a_nic, max_size=2).map(tuple),
)


@settings(max_examples=150)
@given(st.lists(anything_of_an_item, max_size=3), all_mappings, operations)
def test_any_item_is_predicted_and_an_unknown_outcome_is_never_reported_as_fine(
    items: list[ProtectedItem], mappings: list[Any], operation: Operation
) -> None:
    answer = prediction(machines_of_items(items), EVERYWHERE, mappings, operation)
    assert answer.summary.machines == len(items)
    for landing in answer.landings:
        if landing.outcome == "keeps_address":
            assert landing.network_id is not None
        if landing.network_id is None and landing.outcome == "unknown":
            assert landing.has_warning
    odd = {"", "tomorrow", "10.0.1.9", "A2A", "InMageRcm", "HyperVReplicaAzure", "NotSelected", "Protected"}
    if any(each.active_location in odd for each in items) and operation == "failover":
        warned = {name for landing in answer.landings for name in landing.notices if name.code == "location_unclear"}
        told = [each for each in items if each.active_location in odd and each.nics and is_in_scope(each)]
        assert bool(warned) is bool(told)


def is_in_scope(each: ProtectedItem) -> bool:
    return not each.provider or machines_of_items([each])[0].unsupported_provider == ""

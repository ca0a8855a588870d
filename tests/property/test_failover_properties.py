"""What holds of every prediction, whatever the networks and the machines."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, ip_address

from failover_worlds import address, machine, mapping, prediction, subnet, vnet
from hypothesis import given, settings
from hypothesis import strategies as st

from asrnet.failover import Operation, Prediction, capacity, choose_subnet, usable
from asrnet.model.azure import MappingKind, Subnet

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
            # Ranges of one subnet may overlap here; in one of them the address has to be an ordinary one.
            assert any(
                ip_address(landing.ip) in IPv4Network(prefix) and not is_reserved(landing.ip, prefix)
                for prefix in ranges
            )


@settings(max_examples=60)
@given(recovery_subnets, machines, operations)
def test_no_address_of_a_subnet_is_given_out_twice_nor_while_in_use(
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
def test_a_subnet_of_the_same_name_is_taken_from_wherever(names: list[str], primary: str) -> None:
    kinds: tuple[MappingKind, ...] = ("azure_to_azure", "vmm_to_azure", "vmm_to_vmm")
    for kind in kinds:
        choice = choose_subnet([*names, primary], primary, kind)
        assert choice is not None
        assert choice.name.lower() == primary.lower()


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(24, 32))
def test_a_range_holds_five_machines_less_than_addresses(base: int, length: int) -> None:
    network = IPv4Network((base, length), strict=False)
    ordinary = usable(str(network))
    assert len(ordinary) == capacity([str(network)]) == max(0, network.num_addresses - 5)
    assert [IPv4Address(each) for each in ordinary] == list(network)[4:-1]

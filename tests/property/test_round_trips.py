"""Round trips: written values read back the same."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import hcl
import pytest
from desired_files import DR, PROD, load, vault, vnet, without_sources
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from machine_life import SECONDS, Life

from asrnet import desired
from asrnet.clocks import SimulatedClock
from asrnet.desired import (
    CopySettings,
    DesiredState,
    Freeze,
    Ignore,
    Match,
    Region,
    Row,
    Rule,
    Vault,
    VmmRow,
    VmNetworkName,
)
from asrnet.errors import ServiceError
from asrnet.export import terraform
from asrnet.fake import world_file
from asrnet.fake.world_format import WorldDocument
from asrnet.files.yaml import parse
from asrnet.model.arm import ArmId
from asrnet.model.limits import Limits, MachinesMode


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


NAMES = st.text("aZ9._-", max_size=8).map(lambda middle: f"a{middle}_")
TRAPS = ("no", "010", "null", "~", "a b", "x: y", "- z", "{a}", "*x", "2026-01-01", "'", '"', "#", "<<", "1e3", "[")
WORDS = st.sampled_from(TRAPS) | st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=6)
GUIDS = st.uuids().map(str)
DAYS = st.dates()
SUBSCRIPTIONS = st.sampled_from([PROD, DR]) | GUIDS
MODES: st.SearchStrategy[MachinesMode | None] = st.sampled_from([None, "report", "follow"])
MANAGED = st.none() | WORDS


@st.composite
def states(draw: st.DrawFn) -> DesiredState:
    names = [draw(WORDS).replace("/", "-") + str(index) for index in range(12)]
    networks = [vnet(draw(SUBSCRIPTIONS), draw(NAMES), f"{draw(NAMES)}{index}") for index in range(8)]
    vaults = ("null", "010")
    one_of = st.sampled_from(vaults)
    return DesiredState(
        cloud=draw(st.sampled_from(["public", "china", "usgovernment"])),
        subscriptions={"prod": PROD, "no": DR},
        vaults=(
            Vault(name=vaults[0], id=vault(DR, "g", "v1"), unmanaged=draw(st.sampled_from(["report", "delete"]))),
            Vault(name=vaults[1], id=vault(PROD, "g", "v2"), create_fabrics=draw(st.booleans())),
        ),
        regions=(
            Region(
                primary="eastasia",
                recovery="southeastasia",
                test=draw(st.sampled_from([None, vnet(DR, "g", "bubble")])),
            ),
            Region(
                primary="southeastasia",
                recovery="eastasia",
                copy=CopySettings(
                    subscription=draw(st.none() | st.just(PROD) | GUIDS),
                    name=draw(st.sampled_from(["{name}-x", "{resource_group}.{name}"])),
                    dns=draw(st.sampled_from(["copy", "azure", ("10.0.0.4", "fd00::1")])),
                ),
            ),
        ),
        pairs=tuple(
            Row(
                name=names[index],
                vault=draw(one_of),
                primary=networks[2 * index],
                recovery=draw(st.sampled_from([None, networks[2 * index + 1]])),
                failback=draw(st.booleans()),
                managed_by=draw(MANAGED),
                machines=draw(MODES),
                release_addresses=draw(st.none() | st.booleans()),
                test=draw(st.sampled_from([None, "none", vnet(DR, "g", "bubble")])),
            )
            for index in range(4)
        ),
        rules=(
            Rule(
                name=names[4],
                vault=draw(one_of),
                match=Match(
                    subscription=draw(st.sampled_from([None, PROD])),
                    name=draw(st.none() | WORDS),
                    tags=draw(st.dictionaries(WORDS, WORDS, max_size=2)),
                ),
                recovery=draw(st.sampled_from([None, str(vnet(DR, "{resource_group}", "{name}-x"))])),
                failback=draw(st.booleans()),
                machines=draw(MODES),
                test=draw(st.sampled_from([None, "none", str(vnet(DR, "g", "{name}-t"))])),
            ),
        ),
        ignore=(
            Ignore(name=names[5], reason=names[6], until=draw(st.none() | DAYS)),
            Ignore(machine=names[5], reason=names[6]),
        ),
        vmm_pairs=(
            VmmRow(
                name=names[7],
                vault=draw(one_of),
                primary=VmNetworkName(server=names[8], network=names[9]),
                recovery=draw(st.just(networks[0]) | st.just(VmNetworkName(server=names[10], network=names[11]))),
                managed_by=draw(MANAGED),
            ),
        ),
        freeze=(Freeze(vault=vaults[0], until=draw(DAYS), reason=names[8]),),
        limits=Limits(max_updates=draw(st.integers(0, 50)), max_change_percent=draw(st.integers(0, 100))),
        machines=draw(st.sampled_from(["report", "follow"])),
        release_addresses=draw(st.booleans()),
    )


@settings(
    deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(states())
def test_written_values_read_back_the_same(state: DesiredState) -> None:
    assert without_sources(load(desired.dump_desired(state))) == state


SEGMENTS = st.text(st.characters(codec="ascii", categories=["L", "N"], include_characters="-_. ()"), min_size=1).filter(
    lambda text: text.strip(".") != "" and text.strip() == text
)


@settings(max_examples=50)
@given(SEGMENTS, st.lists(st.tuples(SEGMENTS, SEGMENTS), min_size=1, max_size=4))
def test_the_parts_of_an_id_read_back_whatever_the_names(group: str, levels: list[tuple[str, str]]) -> None:
    tail = "/".join(f"{kind}/{name}" for kind, name in levels)
    found = ArmId(f"/subscriptions/{PROD}/resourceGroups/{group}/providers/A.B/{tail}")
    assert found.type == "/".join(["a.b", *(kind.lower() for kind, _ in levels)])
    assert (found.name, found.resource_group) == (levels[-1][1], group)
    assert found.within(f"a.b/{levels[0][0].lower()}") is not None
    assert ArmId(str(found)) == found


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_text_makes_a_terraform_string(text: str) -> None:
    [block] = hcl.blocks(f"x {{\n  a = {terraform.string(text)}\n}}\n")
    assert block.attributes == {"a": text}


VERBS = ("failover", "commit", "cancel", "test", "cleanup", "switch east", "switch west", "enable", "disable", "wait")


def play(life: Life, verb: str, item_id: ArmId) -> None:
    """Try an action on a machine, allowed or not."""
    match verb.split():
        case ["failover"]:
            life.items.unplanned_failover(item_id)
        case ["commit"]:
            life.items.commit(item_id)
        case ["cancel"]:
            life.items.cancel(item_id)
        case ["test"]:
            life.items.test_failover(item_id, life.test.id)
        case ["cleanup"]:
            life.items.test_failover_cleanup(item_id)
        case ["switch", target]:
            life.switch(item_id.parent, life.east.id if target == "east" else life.west.id)
        case ["enable"]:
            life.enable()
        case ["disable"]:
            life.items.delete(item_id)
        case _:
            life.clock.sleep(SECONDS)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(VERBS), st.booleans()), max_size=25), st.sampled_from([0, SECONDS]))
def test_a_world_survives_its_file_whatever_happened_to_its_machine(
    steps: list[tuple[str, bool]], seconds: int
) -> None:
    life = Life(seconds=seconds)
    life.enable()
    life.clock.sleep(3 * SECONDS)
    for verb, reversed_machine in steps:
        with suppress(ServiceError):
            play(life, verb, life.west_id if reversed_machine else life.east_id)
        for network in life.world.state.virtual_networks:
            for subnet in network.subnets:
                assert len(set(subnet.used_ips)) == len(subnet.used_ips) == subnet.used
    life.clock.sleep(3 * SECONDS)
    text = world_file.dumps(life.world)
    again = world_file.world_from(parse(text, WorldDocument), clock=SimulatedClock())
    assert again.protected_items.list(life.vault.id) == life.items.list(life.vault.id)
    assert world_file.dumps(again) == text

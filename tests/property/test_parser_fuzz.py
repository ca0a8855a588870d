"""Any file raises only documented errors, when read and when used.

``FUZZ_EXAMPLES=5000`` tries more of each.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import mangling
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asrnet import planning
from asrnet.clocks import SimulatedClock
from asrnet.desired import DesiredState, load_desired
from asrnet.errors import AsrError, InputError, RefusedError
from asrnet.failover import NetworkNames, parse_machines
from asrnet.fake import world_file
from asrnet.fake.ports import backend
from asrnet.fake.world import World
from asrnet.fake.world_format import WorldDocument
from asrnet.files.yaml import parse
from asrnet.inventory import read as inventory
from asrnet.model.plan import Plan, load_plan, to_json
from asrnet.vmm import parse_topology

EXAMPLES = Path(__file__).parents[2] / "examples"
FUZZ = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "50")), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)


@cache
def text_of(example: str) -> str:
    return (EXAMPLES / example).read_text("utf-8")


@cache
def tree_of(example: str) -> Any:
    return yaml.safe_load(text_of(example))


def examples(name: str) -> list[str]:
    return sorted(str(path.relative_to(EXAMPLES)) for path in EXAMPLES.glob(f"*/{name}"))


def wrong(random: Random, example: str) -> str:
    """An example's text, broken in structure or characters."""
    if random.random() < 0.7:
        return mangling.written(random, mangling.tree(random, tree_of(example)))
    return mangling.text(random, text_of(example))


def read_desired(text: str | bytes) -> DesiredState:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "asrnet.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
        return load_desired(path)


def read_world(text: str | bytes) -> World:
    return world_file.world_from(parse(text, WorldDocument, "world.yaml"), clock=SimulatedClock())


def names_of(world: World) -> NetworkNames:
    return NetworkNames(world.state.virtual_networks, fabrics=list(world.state.fabrics))


@cache
def machine_names() -> NetworkNames:
    return names_of(read_world(text_of("05-predict-failover/world.yaml")))


def machines(text: str, *, is_csv: bool = False) -> None:
    parse_machines(text, machine_names(), source="machines", is_csv=is_csv)


def plan_of(example: str, desired: DesiredState | None = None, world: World | None = None) -> Plan:
    there = backend(world or read_world(text_of(f"{example}/world.yaml")))
    wanted = desired or load_desired(EXAMPLES / example / "asrnet.yaml")
    return planning.plan(wanted, inventory.read_inventory(wanted, there))


@cache
def saved_plan() -> bytes:
    return to_json(plan_of("02-adopt-and-repair"))


def read_plan(data: bytes) -> Plan:
    return load_plan(data, source="plan.json")


READERS: dict[str, Callable[[str], object]] = {
    "desired state": read_desired,
    "world": read_world,
    "topology": parse_topology,
    "machines": machines,
    "machines in CSV": lambda text: machines(text, is_csv=True),
}
generators = st.randoms(use_true_random=False)


def is_told(call: Callable[[], object], *kinds: type[AsrError]) -> bool:
    """Whether an error of these kinds was raised; any other fails the test."""
    try:
        call()
    except kinds:
        return True
    return False


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS.keys())
@FUZZ
@given(st.text(max_size=80))
def test_any_text_is_parsed_or_refused(reader: Callable[[str], object], text: str) -> None:
    is_told(lambda: reader(text), InputError)


@pytest.mark.parametrize("reader", [read_desired, read_world], ids=["desired state", "world"])
@FUZZ
@given(st.binary(max_size=80))
def test_any_bytes_are_parsed_or_refused(reader: Callable[[bytes], object], data: bytes) -> None:
    is_told(lambda: reader(data), InputError)


@FUZZ
@given(st.binary(max_size=80) | st.text(max_size=80).map(lambda text: text.encode("utf-8", "replace")))
def test_random_bytes_as_a_saved_plan_are_refused(data: bytes) -> None:
    assert is_told(lambda: read_plan(data), InputError)


@pytest.mark.parametrize("example", examples("asrnet.yaml"))
@FUZZ
@given(generators)
def test_a_broken_desired_state_is_read_or_refused(example: str, random: Random) -> None:
    """A state that still loads is planned against the example's world."""
    text = wrong(random, example)

    def use() -> None:
        plan_of(str(Path(example).parent), read_desired(text))

    is_told(use, AsrError)


@pytest.mark.parametrize("example", examples("world*.yaml"))
@FUZZ
@given(generators)
def test_a_broken_world_is_read_or_refused(example: str, random: Random) -> None:
    """A world that still loads is saved, loaded again, and planned against."""
    text = wrong(random, example)
    if is_told(lambda: read_world(text), InputError):
        return
    world = read_world(text)
    again = world_file.dumps(world)
    assert world_file.dumps(read_world(again)) == again
    is_told(lambda: plan_of(str(Path(example).parent), world=world), AsrError)


@FUZZ
@given(generators)
def test_a_broken_topology_is_read_or_refused(random: Random) -> None:
    text = wrong(random, "03-vmm-two-sites/vmm-topology.yaml")
    is_told(lambda: parse_topology(text), InputError)


@FUZZ
@given(generators)
def test_a_broken_list_of_machines_is_read_or_refused(random: Random) -> None:
    text = wrong(random, "05-predict-failover/new-machines.yaml")
    is_told(lambda: machines(text), InputError)


@pytest.mark.parametrize("example", examples("*.csv"))
@FUZZ
@given(generators)
def test_a_broken_csv_of_machines_is_read_or_refused(example: str, random: Random) -> None:
    text = mangling.text(random, text_of(example))
    is_told(lambda: machines(text, is_csv=True), InputError)


@FUZZ
@given(generators)
def test_a_saved_plan_that_somebody_has_changed_is_refused_or_means_the_same(random: Random) -> None:
    """Refused, unless the change is insignificant, as spaces are."""
    data = saved_plan()
    changed = json.dumps(mangling.tree(random, json.loads(data))).encode()
    if not is_told(lambda: read_plan(changed), InputError, RefusedError):
        assert to_json(read_plan(changed)) == data
    cut = mangling.text(random, data.decode()).encode("utf-8", "surrogatepass")
    if not is_told(lambda: read_plan(cut), InputError, RefusedError):
        assert to_json(read_plan(cut)) == data

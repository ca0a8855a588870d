"""Names of new mappings: readable where possible, and never in use."""

from __future__ import annotations

import re

import pytest

from asrnet.model.arm import ArmId
from asrnet.planning.mappings import mapping_name

GROUP = ArmId("/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg")
HUB, APP = (GROUP.child("providers", "Microsoft.Network", "virtualNetworks", name) for name in ("hub", "app"))
LONG = "n" * 40


def named(primary: str, recovery: str, *taken: str) -> str:
    return mapping_name(primary, recovery, (HUB, APP), set(taken))


@pytest.mark.parametrize(("primary", "recovery"), [("hub", "dr"), ("Hub-1", "DR-2"), ("n" * 30, "r" * 29)])
def test_a_name_that_fits_joins_the_names_of_both_networks(primary: str, recovery: str) -> None:
    assert named(primary, recovery) == f"{primary}-to-{recovery}"


@pytest.mark.parametrize(("primary", "recovery"), [("n" * 30, "r" * 30), ("hub_1", "dr"), ("hub.x", "dr"), ("é", "dr")])
def test_a_name_that_was_cut_or_changed_has_a_hash(primary: str, recovery: str) -> None:
    name = named(primary, recovery)
    assert re.fullmatch(r"[A-Za-z0-9-]{1,63}", name)
    assert re.search(r"-[0-9a-f]{8}$", name)


def test_a_name_that_is_taken_gets_a_different_one_in_any_spelling() -> None:
    first = named("Hub", "DR", "hub-to-dr")
    second = named("Hub", "DR", "hub-to-dr", first.lower())
    third = named("Hub", "DR", "hub-to-dr", first.lower(), second.lower())
    assert len({"Hub-to-DR", first, second, third}) == 4
    assert first.startswith("Hub-to-DR-")


def test_a_long_name_stays_within_the_limit_when_it_is_taken() -> None:
    taken: set[str] = set()
    for _ in range(12):
        taken.add(named(LONG, LONG, *taken).lower())
    assert len(taken) == 12
    assert max(map(len, taken)) == 63


def test_other_networks_of_the_same_names_get_another_hash() -> None:
    assert mapping_name("a_b", "c", (HUB, APP), set()) != mapping_name("a_b", "c", (APP, HUB), set())

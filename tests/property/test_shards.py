"""Shards: independent runs partition the vaults, and together plan what one run would."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from states import EA, GENEROUS, SEA

from asrnet.clocks import SimulatedClock
from asrnet.desired import EVERYTHING, DesiredState, Match, Region, Row, Rule, Selection, Vault
from asrnet.desired.state import shard
from asrnet.drift import detect_drift
from asrnet.fake.builder import SUBSCRIPTION, Builder
from asrnet.fake.ports import backend
from asrnet.model.arm import ArmId
from asrnet.ports import Backend

PREFIX = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults"


@st.composite
def vault_lists(draw: Any) -> list[Vault]:
    names = draw(
        st.lists(st.from_regex(r"[A-Za-z][A-Za-z0-9-]{2,8}", fullmatch=True), unique_by=str.lower, max_size=12)
    )
    return [Vault(name=f"v{number}", id=ArmId(f"{PREFIX}/{name}")) for number, name in enumerate(names)]


@given(vault_lists(), st.integers(1, 9), st.randoms())
def test_every_vault_is_in_one_shard_whatever_the_order_and_the_names(
    vaults: list[Vault], count: int, generator: Any
) -> None:
    parts = [shard(vaults, index, count) for index in range(1, count + 1)]
    members = [vault for part in parts for vault in part]
    assert sorted(vault.id.key for vault in members) == sorted(vault.id.key for vault in vaults)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1
    mixed = [
        Vault(name=f"{vault.name}-renamed", id=ArmId(str(vault.id).upper().replace("/SUBSCRIPTIONS", "/subscriptions")))
        for vault in vaults
    ]
    generator.shuffle(mixed)
    again = [shard(mixed, index, count) for index in range(1, count + 1)]
    assert [[vault.id for vault in part] for part in again] == [[vault.id for vault in part] for part in parts]


@st.composite
def estates(draw: Any) -> tuple[DesiredState, Backend]:
    """Several vaults that share networks, with rows, rules and foreign mappings in both directions."""
    build = Builder(clock=SimulatedClock())
    build.resource_group("rg-asr", location=SEA)
    networks = {
        place: [build.virtual_network(f"{place[:2]}{number}", place) for number in range(draw(st.integers(1, 3)))]
        for place in (EA, SEA)
    }
    vaults, rows = [], []
    for number in range(draw(st.integers(1, 4))):
        vault = build.vault(f"vault-{number}", "westus")
        fabrics = {place: build.azure_fabric(vault, place) for place in (EA, SEA)}
        vaults.append(Vault(name=f"v{number}", id=vault.id))
        for place, other in ((EA, SEA), (SEA, EA)):
            for network in networks[place]:
                if draw(st.booleans()):
                    build.mapping(fabrics[place], network, fabrics[other], draw(st.sampled_from(networks[other])))
        if draw(st.booleans()):
            primary, recovery = draw(st.sampled_from(networks[EA])), draw(st.sampled_from(networks[SEA]))
            rows.append(Row(name=f"row{number}", vault=f"v{number}", primary=primary.id, recovery=recovery.id))
    rules = [
        Rule(name=f"rule-{vault.name}", vault=vault.name, match=Match(name=draw(st.sampled_from(["ea*", "so*", "*"]))))
        for vault in vaults
        if draw(st.booleans())
    ]
    desired = DesiredState(
        subscriptions={"prod": SUBSCRIPTION},
        vaults=tuple(vaults),
        regions=(Region(primary=EA, recovery=SEA), Region(primary=SEA, recovery=EA)),
        pairs=tuple(rows),
        rules=tuple(rules),
        limits=GENEROUS,
    )
    return desired, backend(build.world)


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(estates(), st.integers(1, 4))
def test_the_plans_of_the_shards_are_together_the_plan_of_the_whole(
    estate: tuple[DesiredState, Backend], count: int
) -> None:
    desired, azure = estate
    whole = detect_drift(desired, azure, selection=EVERYTHING).plan
    seen: list[str] = []
    for index in range(1, count + 1):
        mine = {vault.name for vault in shard(desired.vaults, index, count)}
        elsewhere = frozenset(vault.name for vault in desired.vaults) - mine
        plan = detect_drift(desired, azure, selection=Selection(other_vaults=elsewhere)).plan
        assert {change.vault for change in plan.changes} <= mine
        mappings = [change for change in plan.changes if change.kind == "network_mapping"]
        assert mappings == [change for change in whole.changes if change in mappings]
        assert list(plan.findings) == [found for found in whole.findings if found.vault in mine]
        seen += [change.id for change in mappings]
    assert sorted(seen) == sorted(change.id for change in whole.changes if change.kind == "network_mapping")

"""A desired state that is written can be read by people, and reads back the same."""

from __future__ import annotations

from pathlib import Path

import pytest
from desired_files import BASE, DR, HUB, PROD, load, vault, vnet, without_sources
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asrnet import desired
from asrnet.changes import Limits
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
from asrnet.errors import DocumentError


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_written_state_is_readable() -> None:
    state = load(BASE + HUB + "limits: {max_updates: 3, max_deletes: 0}\n")
    assert desired.dumps(state) == (
        "version: 1\n"
        "cloud: public\n"
        f"subscriptions: {{prod: {PROD}, dr: {DR}}}\n"
        "vaults: {sea: dr/rg-dr/vault-sea}\n"
        "regions:\n"
        "- {primary: eastasia, recovery: southeastasia}\n"
        "pairs:\n"
        "- {name: hub, vault: sea, primary: prod/rg/hub-ea, recovery: dr/rg/hub-sea}\n"
        "limits: {max_updates: 3}\n"
    )


NAMES = st.text("aZ9._-", max_size=8).map(lambda middle: f"a{middle}_")
TRAPS = ("no", "010", "null", "~", "a b", "x: y", "- z", "{a}", "*x", "2026-01-01", "'", '"', "#", "<<", "1e3", "[")
WORDS = st.sampled_from(TRAPS) | st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=6)
GUIDS = st.uuids().map(str)
DAYS = st.dates()
SUBSCRIPTIONS = st.sampled_from([PROD, DR]) | GUIDS
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
            Region(primary="eastasia", recovery="southeastasia"),
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
            ),
        ),
        ignore=(Ignore(name=names[5], reason=names[6], until=draw(st.none() | DAYS)),),
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
    )


@settings(
    deadline=None, max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(states())
def test_what_is_written_reads_back_the_same(state: DesiredState) -> None:
    assert without_sources(load(desired.dumps(state))) == state


@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_change_to_a_file_is_a_state_or_a_document_error(data: st.DataObject) -> None:
    text = BASE + HUB + "vmm_pairs: [{name: v, vault: sea, primary: a/b, recovery: c/d}]\nlimits: {max_updates: 1}\n"
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 12, len(text))))
    piece = data.draw(st.text(alphabet="\n :-{}[],'\"/.x0{}%#é\0", max_size=4))
    try:
        assert isinstance(load(text[:start] + piece + text[end:]), DesiredState)
    except DocumentError as error:
        named = error.file
        assert named == "f.yaml"

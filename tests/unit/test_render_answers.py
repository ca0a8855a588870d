"""How predictions and target networks are shown: severities, and names from elsewhere."""

from __future__ import annotations

import json

import pytest
from failover_worlds import address, machine, mapping, prediction, subnet, vnet

from asrnet.errors import InputError
from asrnet.failover import Prediction
from asrnet.inventory.targets import Targets, VaultTargets
from asrnet.model.arm import ArmId
from asrnet.render import View, render
from asrnet.render.prediction_layout import machine_names, sections
from asrnet.vmm import Target

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
HERE = vnet("here", subnet("web", "10.0.1.0/24"), subnet("batch", "10.0.2.0/24"))
THERE = vnet("there", subnet("AzureFirewallSubnet", "10.0.9.0/24"), subnet("web", "10.0.1.0/24", used=["10.0.1.5"]))
ALONE = vnet("alone", subnet("web", "10.3.0.0/24"))


def landed(*machines: tuple[str, str, str]) -> Prediction:
    """A failover of machines given by name, subnet and address."""
    listed = [machine(name, HERE, address(place, ip, ip_type="Static")) for name, place, ip in machines]
    return prediction(listed, [HERE, THERE], [mapping(HERE, THERE)])


def tones(answer: Prediction) -> list[str]:
    machines = list(sections(answer, View()))[1]
    return [row.tone for row in machines.rows]


def test_a_lost_machine_is_an_error_and_a_kept_address_is_plain() -> None:
    lost = prediction([machine("a", ALONE, address("web", "10.3.0.4"))], [ALONE], [])
    assert tones(lost) == ["error"]
    assert tones(landed(("kept", "web", "10.0.1.4"), ("taken", "web", "10.0.1.5"))) == ["plain", "update"]


def test_an_unknown_network_is_not_shown_as_no_network() -> None:
    both = [mapping(HERE, THERE), mapping(HERE, ALONE)]
    unclear = prediction([machine("a", HERE, address("web", "10.0.1.4"))], [HERE, THERE, ALONE], both)
    [row] = next(section.rows for section in sections(unclear, View()) if section.title == "Machines")
    assert row.cells[0] == "?"
    assert row.cells[3] == "not known"


def test_a_warning_is_shown_whatever_becomes_of_the_address() -> None:
    assert tones(landed(("falls", "batch", "10.0.2.4"))) == ["warning"]


def test_names_of_machines_reach_a_terminal_escaped() -> None:
    answer = landed(("\x1b[31mred", "web", "10.0.1.4"))
    for output in ("text", "markdown"):
        assert "\x1b" not in render(answer, output, View())
    assert "\x1b" not in render(answer, "text", View(width=80, colour=False))


@pytest.mark.parametrize(
    "hostile", ["\x1b[31m", "\x00", "two\n::error::lines", "\r", "\t", "\x9b31m", "\u202egnp", "\u2028"]
)
def test_names_of_machines_reach_csv_and_json_escaped(hostile: str) -> None:
    answer = landed((hostile, "web", "10.0.1.4"))
    shown = render(answer, "csv", View())
    assert all(line.isprintable() for line in shown.splitlines())
    assert len(shown.splitlines()) == 2
    text = render(answer, "json", View())
    assert all(line.isprintable() for line in text.split("\n"))
    assert json.loads(text)["landings"][0]["machine"] == hostile


def test_on_a_terminal_the_table_fits_its_width() -> None:
    answer = landed(("a-machine-with-quite-a-long-name", "web", "10.0.1.4"), ("b", "batch", "10.0.2.4"))
    for width in (60, 80, 120):
        drawn = render(answer, "text", View(width=width))
        assert max(map(len, drawn.splitlines())) <= width


def test_a_format_that_an_answer_does_not_have_is_refused_with_those_there_are() -> None:
    with pytest.raises(InputError, match="predictions cannot be written as html") as caught:
        render(landed(), "html", View())
    assert caught.value.hint == "known formats: text, json, csv, markdown, sarif, ndjson"


def test_an_empty_prediction_is_one_line() -> None:
    expected = "Failover of 0 machines: 0 keep their address (=), 0 change it (~), 0 lose connectivity (!).\n"
    assert render(landed(), "text", View()) == expected


def target(network: str, *, available: bool) -> Target:
    return Target(
        primary_server="one",
        protected_cloud="A",
        recovery_server="two",
        protecting_cloud="B",
        network=network,
        available=available,
        reason="logical_network_shared" if available else "no_logical_network",
        message="because",
    )


def test_targets_of_several_vaults_are_told_apart() -> None:
    found = [VaultTargets(vault=name, servers=("one",), targets=(target("N", available=True),)) for name in ("x", "y")]
    both = render(Targets(vaults=tuple(found)), "text", View())
    alone = render(Targets(vaults=tuple(found[:1])), "text", View())
    assert both.startswith("2 pairs of clouds: 2 of 2 target networks available.\n\nVault x: A (one), protected by B")
    assert "Vault" not in alone


def protected(group: str, vault: str, fabric: str, name: str = "web1") -> ArmId:
    vaults = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/providers/Microsoft.RecoveryServices/vaults"
    container = f"{vaults}/{vault}/replicationFabrics/{fabric}/replicationProtectionContainers/{fabric}-container"
    return ArmId(f"{container}/replicationProtectedItems/{name}")


@pytest.mark.parametrize(
    ("items", "names"),
    [
        ([protected("rg", "v1", "ea")], ["web1"]),
        ([protected("rg", "v1", "ea"), protected("rg", "v2", "ea")], ["web1 (v1)", "web1 (v2)"]),
        ([protected("rg", "v1", "ea"), protected("rg", "v1", "we")], ["web1 (ea)", "web1 (we)"]),
        ([protected("one", "v", "ea"), protected("two", "v", "ea")], ["web1 (one)", "web1 (two)"]),
        ([protected("rg", "v", "ea", "a"), protected("rg", "v", "ea", "b")], ["web1 (a)", "web1 (b)"]),
    ],
    ids=["one machine", "two vaults", "two fabrics", "two groups", "two items"],
)
def test_machines_of_one_name_are_told_apart(items: list[ArmId], names: list[str]) -> None:
    assert list(machine_names([("web1", item) for item in items]).values()) == names


def test_the_nics_of_one_machine_are_not_taken_for_several_machines() -> None:
    listed = [
        machine("db1", HERE, address("web", ip, name=name)) for ip, name in (("10.0.1.7", "a"), ("10.0.1.8", "b"))
    ]
    answer = prediction(listed, [HERE, THERE], [mapping(HERE, THERE)])
    rows = next(section.rows for section in sections(answer, View()) if section.title == "Machines")
    assert [row.cells[1] for row in rows] == ["db1 nic0 a", "db1 nic0 b"]

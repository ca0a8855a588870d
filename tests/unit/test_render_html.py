"""The HTML report as a file: its data, and that nothing can run, load or break out."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import date
from html.parser import HTMLParser
from typing import Any

import pytest
from followers import Followers
from msgspec import structs
from sample_plans import applied, change, copy_creation, full_plan, mapping, pair, vnet
from states import EA, SEA, TwoRegions, row

from asrnet import planning
from asrnet.desired import Freeze
from asrnet.inventory import live_pairs as live
from asrnet.inventory import read as inventory
from asrnet.model.azure import Nic
from asrnet.model.findings import FindingKind, finding
from asrnet.model.limits import Limits
from asrnet.model.plan import Plan
from asrnet.render import Run, View, render

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\u202e"


class Elements(HTMLParser):
    """What a page consists of: its tags, its scripts and styles, and everything that points elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.texts: dict[str, list[str]] = {"script": [], "style": [], "td": []}
        self.policy = ""
        self.links: list[str] = []
        self._within = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self._within = tag
        named = dict(attrs)
        if named.get("http-equiv") == "Content-Security-Policy":
            self.policy = named["content"] or ""
        self.links += [value or "" for name, value in attrs if name in {"src", "href", "action", "data", "poster"}]

    def handle_endtag(self, tag: str) -> None:
        self._within = "" if tag == self._within else self._within

    def handle_data(self, data: str) -> None:
        if self._within in self.texts:
            self.texts[self._within].append(data)


def parsed(text: str) -> Elements:
    page = Elements()
    page.feed(text)
    return page


def data(document: Plan | live.LivePairs, **run: Any) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(parsed(render(document, "html", View(run=Run(**run)))).texts["script"][0])
    return found


def item(page: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in page["items"] if one["name"] == name)


def arrows(page: dict[str, Any], name: str) -> set[tuple[str, str, str]]:
    names = [network["name"] for network in page["networks"]]
    return {(names[one["tail"]], one["look"], names[one["head"]]) for one in item(page, name)["arrows"]}


def world() -> tuple[TwoRegions, Any]:
    """A vault with one pair for each problem, and a function that plans it."""
    regions = TwoRegions()
    rows = []
    for name in ("fine", "half", "moved", "double", "theirs"):
        primary = regions.network(f"{name}-ea", subnets={"web": "10.0.1.0/24", "db": "10.0.2.0/24"})
        recovery = regions.network(f"{name}-sea", SEA, subnets={"WEB": "10.0.1.0/25", "app": "10.0.3.0/24"})
        managed_by = "terraform" if name == "theirs" else None
        rows.append(row(primary, recovery, name=name, managed_by=managed_by))
        if name in {"fine", "double"}:
            regions.map_both(primary, recovery)
        elif name in {"half", "theirs"}:
            regions.map(primary, recovery)
        else:
            regions.map_both(primary, regions.network("old-sea", SEA))
        if name == "double":
            regions.map(primary, regions.network("other-sea", SEA), name="second")
    lab = regions.network("lab-ea"), regions.network("lab-sea", SEA)
    regions.map(*lab, name="lab")
    regions.map(lab[1], lab[0], name="lab-back")
    desired = regions.state(*rows)
    found = inventory.read_inventory(desired, regions.backend)
    return regions, (desired, found, planning.plan(desired, found))


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    _, (_, found, plan) = world()
    return data(plan, inventory=found, at=1_700_000_000.0)


def test_every_pair_has_its_state_in_the_plan(page: dict[str, Any]) -> None:
    assert {one["name"]: one["status"] for one in page["items"]} == {
        "fine": "in_sync",
        "half": "half",
        "moved": "retargeted",
        "double": "blocked",
        "theirs": "external",
        "lab, lab-back": "unmanaged",
    }
    assert item(page, "theirs")["label"] == "left to terraform"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("fine", {("fine-ea", "live", "fine-sea"), ("fine-sea", "live", "fine-ea")}),
        ("half", {("half-ea", "live", "half-sea"), ("half-sea", "new", "half-ea")}),
        (
            "moved",
            {
                ("moved-ea", "new", "moved-sea"),
                ("moved-sea", "new", "moved-ea"),
                ("moved-ea", "old", "old-sea"),
                ("old-sea", "old", "moved-ea"),
            },
        ),
        (
            "double",
            {
                ("double-ea", "held", "double-sea"),
                ("double-ea", "held", "other-sea"),
                ("double-sea", "held", "double-ea"),
            },
        ),
        ("theirs", {("theirs-ea", "live", "theirs-sea"), ("theirs-sea", "absent", "theirs-ea")}),
        ("lab, lab-back", {("lab-ea", "stray", "lab-sea"), ("lab-sea", "stray", "lab-ea")}),
    ],
)
def test_the_arrows_of_a_pair_show_the_live_and_the_desired_mappings(
    page: dict[str, Any], name: str, expected: set[tuple[str, str, str]]
) -> None:
    assert arrows(page, name) == expected


def test_networks_are_in_their_regions_with_their_address_space(page: dict[str, Any]) -> None:
    networks = {network["name"]: network for network in page["networks"]}
    assert (networks["fine-ea"]["place"], networks["old-sea"]["place"]) == (EA, SEA)
    assert networks["fine-ea"]["space"] == ["10.0.0.0/16"]


def test_subnets_are_side_by_side_by_name(page: dict[str, Any]) -> None:
    assert item(page, "fine")["subnets"] == [
        {"name": "web", "primary": ["10.0.1.0/24"], "recovery": ["10.0.1.0/25"]},
        {"name": "db", "primary": ["10.0.2.0/24"], "lands": "app"},
        {"name": "app", "recovery": ["10.0.3.0/24"]},
    ]


def test_a_change_has_its_steps_in_order_each_with_the_same_for_az(page: dict[str, Any]) -> None:
    (retarget,) = item(page, "moved")["changes"]
    assert [step["action"] for step in retarget["steps"]] == ["delete", "update", "create"]
    assert [step["az"][0].split()[4] for step in retarget["steps"]] == ["delete", "update", "create"]


def test_findings_of_a_pair_are_shown_with_it_and_the_others_apart(page: dict[str, Any]) -> None:
    assert [found["kind"] for found in item(page, "double")["findings"]] == ["duplicate"]
    assert [found["kind"] for found in item(page, "lab, lab-back")["findings"]] == ["unmanaged", "unmanaged"]
    assert "unmanaged" not in {found["kind"] for found in page.get("findings", ())}


def test_without_what_was_read_the_plan_alone_is_drawn() -> None:
    _, (_, _, plan) = world()
    page = data(plan)
    assert arrows(page, "moved") >= {("moved-ea", "old", "old-sea"), ("moved-ea", "new", "moved-sea")}
    assert arrows(page, "double") == {
        ("double-ea", "blocked", "double-sea"),
        ("double-sea", "blocked", "double-ea"),
    }
    assert [found["kind"] for found in page["findings"]] == ["unmanaged", "unmanaged"]
    assert "made" not in page


def test_a_network_that_cannot_be_named_yet_is_placed_where_others_of_its_region_lead() -> None:
    page = data(full_plan())
    lost = item(page, "lost")
    assert page["networks"][lost["recovery"]] == {"id": "", "name": "not known yet", "place": SEA}
    assert lost.get("arrows", []) == []


def test_a_network_to_be_created_is_marked_and_has_its_future_properties() -> None:
    plan = Plan(
        pairs=(pair("crm", forward="create", reverse="create", recovery_network_id=vnet("crm-ea-asr")),),
        changes=(copy_creation("crm"), change("create", "m", "crm")),
    )
    networks = {network["name"]: network for network in data(plan)["networks"]}
    assert (networks["crm-ea-asr"]["state"], networks["crm-ea-asr"]["space"]) == ("new", ["10.0.0.0/16"])
    done = data(applied(plan, "succeeded"))
    assert "state" not in next(network for network in done["networks"] if network["name"] == "crm-ea-asr")


def test_a_report_shows_the_outcome_of_each_change() -> None:
    page = data(applied(full_plan(), "failed", error="Azure said no", seconds=1.5))
    assert page["kind"] == "report"
    assert item(page, "app")["status"] == "failed"
    (made,) = item(page, "app")["changes"]
    assert (made["outcome"], made["error"], made["seconds"]) == ("failed", "Azure said no", 1.5)


def test_deletions_are_rows_of_their_own() -> None:
    lab = item(data(full_plan()), "lab-map")
    assert (lab["status"], lab["label"], lab["declared"]) == ("delete", "to be deleted", False)


def test_an_update_has_its_old_and_new_values() -> None:
    (retarget,) = item(data(full_plan()), "app")["changes"]
    assert retarget["differences"] == [{"name": "recovery network", "before": "old-sea", "after": "app-sea"}]


def test_an_update_of_a_machine_has_the_old_and_new_values_of_each_address() -> None:
    regions = TwoRegions()
    primary, old, new = (regions.network("app-ea"), regions.network("old-sea", SEA), regions.network("new-sea", SEA))
    regions.map_both(primary, new)
    machine = regions.build.protected_machine(regions.vault, "vm1", primary, old, subnet="web", ip="10.0.1.4")
    regions.build.add(structs.replace(machine, recovery_network_id=old.id))
    desired = structs.replace(regions.state(row(primary, new, name="app")), machines="follow")
    found = inventory.read_inventory(desired, regions.backend)
    (update,) = item(data(planning.plan(desired, found), inventory=found), "app")["changes"]
    assert update["label"] == "~ machine vm1"
    assert {"name": "recovery network", "before": "old-sea", "after": "new-sea"} in update["differences"]


def test_each_kind_of_finding_is_explained_in_the_words_of_its_table() -> None:
    meanings = data(full_plan())["meanings"]
    assert meanings == [
        {"kind": kind, "meaning": kind.meaning, "remedy": kind.remedy}
        for kind in (FindingKind.HALF_PAIR, FindingKind.MISSING_NETWORK, FindingKind.COPIED_DNS)
    ]


def test_machines_are_shown_with_their_pair_and_those_in_the_recovery_region_first() -> None:
    regions = TwoRegions()
    primary, recovery, third = (regions.network("app-ea"), regions.network("app-sea", SEA), regions.network("x", SEA))
    regions.map_both(primary, recovery)
    ea, sea = regions.fabrics[EA], regions.fabrics[SEA]
    there = Nic(name="nic0", primary_network_id=primary.id, recovery_network_id=recovery.id)
    back = Nic(name="nic0", primary_network_id=recovery.id, recovery_network_id=primary.id)
    regions.build.protected_item("stays", ea, sea, there)
    regions.build.protected_item("strays", ea, sea, structs.replace(there, recovery_network_id=third.id))
    regions.build.protected_item("fails-over", ea, sea, there, active_location="Recovery", state="UnplannedFailover")
    regions.build.protected_item("reversed", sea, ea, back, initial_location=EA)
    regions.build.protected_item("between-zones", ea, ea, there, recovery_location=EA)
    desired = regions.state(row(primary, recovery, name="app"))
    found = inventory.read_inventory(desired, regions.backend)
    expected = [
        {"name": "reversed", "state": "Protected", "lands": ["app-ea"], "away": True},
        {
            "name": "fails-over",
            "state": "UnplannedFailover",
            "lands": ["app-sea"],
            "away": True,
            "runs_on": str(recovery.id),
        },
        {"name": "stays", "state": "Protected", "lands": ["app-sea"]},
        {"name": "strays", "state": "Protected", "lands": ["x"], "on_other_network": True},
    ]
    for page in (
        data(planning.plan(desired, found), inventory=found),
        data(live.live_pairs(found, desired), inventory=found),
    ):
        assert (item(page, "app")["machines"], item(page, "app")["machines_away"]) == (expected, 2)


def test_a_machine_shows_its_old_and_new_network_or_why_it_is_held() -> None:
    followers = Followers(machines=1)
    followers.machine("vm002", state="InitialReplicationInProgress")
    desired = followers.desired(test=followers.bubble.id)
    read = inventory.read_inventory(desired, followers.backend)
    plan = planning.plan(desired, read)
    moved, held = item(data(plan, inventory=read), "hub")["machines"]
    assert moved["moves"] == [
        "nic0/ipconfig1: old web 10.0.1.77 -> new web 10.0.1.77",
        "nic0/ipconfig1 in tests: no network -> bubble web",
        "nic0/second: old web -> new web",
        "nic0/second in tests: no network -> bubble web",
    ]
    assert "moves" not in held
    assert held["remark"] == "its state is InitialReplicationInProgress"
    of_saved_plan = item(data(plan), "hub")["machines"]
    assert [machine["name"] for machine in of_saved_plan] == ["vm001", "vm002"]
    assert of_saved_plan[0]["moves"] == moved["moves"]


def test_machines_that_wait_do_not_repeat_what_the_finding_of_their_pair_says() -> None:
    followers = Followers(machines=3)
    freeze = Freeze(vault="sea", until=date(2200, 1, 1), reason="exercise")
    desired = structs.replace(followers.desired(test=followers.bubble.id), freeze=(freeze,))
    read = inventory.read_inventory(desired, followers.backend)
    plan = planning.plan(desired, read)
    hub = item(data(plan, inventory=read), "hub")
    assert [machine["remark"] for machine in hub["machines"]] == ["held back for now"] * 3
    assert all(machine["moves"] for machine in hub["machines"])
    assert [finding["kind"] for finding in hub["findings"] if finding["severity"] != "info"] == ["frozen"]
    assert [machine["remark"] for machine in item(data(plan), "hub")["machines"]] == ["held back for now"] * 3


def test_refusals_of_apply_are_shown_with_the_plan() -> None:
    deletion = change("delete", "lab", None, before=mapping("lab", "lab-ea", "lab-sea"), after=None)
    page = data(Plan(changes=(deletion,), existing={"sea": 1}, limits=Limits(max_deletes=0)))
    assert page["refusals"][0].startswith("vault sea: 1 ")


def test_live_pairs_can_be_a_page_too() -> None:
    _, (desired, found, _) = world()
    page = data(live.live_pairs(found, desired), inventory=found)
    assert page["kind"] == "live"
    assert item(page, "fine")["label"] == "paired"
    assert {one["status"] for one in page["items"]} == {"in_sync", "half", "blocked"}


def test_a_page_holds_two_scripts_and_a_style_and_no_link_to_elsewhere() -> None:
    text = render(full_plan(), "html")
    page = parsed(text)
    assert (page.tags.count("script"), page.tags.count("style")) == (2, 1)
    assert page.links == ["data:,"]
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg|management\.azure\.com)", text)


def test_the_policy_allows_this_script_and_this_style_and_nothing_else() -> None:
    page = parsed(render(full_plan(), "html"))
    digests = [
        base64.b64encode(hashlib.sha256(part.encode()).digest()).decode()
        for part in ("".join(page.texts["style"]), page.texts["script"][1])
    ]
    assert page.policy == (
        f"default-src 'none'; script-src 'sha256-{digests[1]}'; style-src 'sha256-{digests[0]}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def test_hostile_names_stay_within_the_data_and_the_list() -> None:
    plan = Plan(
        pairs=(structs.replace(pair("x", forward="blocked"), name=HOSTILE, vault=HOSTILE),),
        findings=(finding(FindingKind.UNKNOWN, HOSTILE, vault=HOSTILE, pair=HOSTILE, hint=HOSTILE),),
    )
    text = render(plan, "html")
    page = parsed(text)
    assert (page.tags.count("script"), page.tags.count("img")) == (2, 0)
    assert "\u202e" not in text
    shown = HOSTILE.replace("\u202e", "\\u202e")
    assert json.loads(page.texts["script"][0])["items"][0]["name"] == shown
    assert shown in "".join(page.texts["td"])


def test_viewers_without_scripts_get_a_list_of_what_needs_attention() -> None:
    page = parsed(render(full_plan(), "html"))
    cells = "".join(page.texts["td"])
    assert "app" in cells
    assert "lost-ea does not exist" in cells
    assert "hub" not in cells


def test_viewers_without_scripts_read_that_no_pair_needs_attention() -> None:
    azure = TwoRegions()
    hub, dr = azure.network("hub"), azure.network("dr", SEA)
    azure.map_both(hub, dr)
    text = render(azure.plan(azure.state(row(hub, dr))), "html")
    without_scripts = text.partition("<noscript>")[2].partition("</noscript>")[0]
    assert "No pair needs attention." in without_scripts
    assert "<table" not in without_scripts


def test_viewers_without_scripts_see_pairs_in_sync_with_warnings() -> None:
    warning = finding(FindingKind.SUBNET_MISSING, "hub-sea has no subnet web", vault="sea", pair="hub")
    page = parsed(render(structs.replace(full_plan(), findings=(warning,)), "html"))
    assert "hub-sea has no subnet web" in page.texts["td"]


def test_a_plan_of_nothing_is_a_page() -> None:
    assert data(Plan())["summary"].startswith("Nothing to do")

"""The HTML report in a real browser: rendering, filters, details, keyboard, no requests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from chromium import Page, browser, executable
from msgspec import structs
from sample_plans import applied, change, full_plan, machine_plan, pair, vnet
from states import EA, SEA, TwoRegions, row

from asrnet import planning
from asrnet.inventory.read import read_inventory
from asrnet.model.azure import Nic
from asrnet.model.findings import FindingKind, finding
from asrnet.model.plan import Plan
from asrnet.render import Run, View, render

PROGRAM = executable()
pytestmark = pytest.mark.skipif(
    PROGRAM is None, reason="there is no Chromium on this machine (Debian: apt install chromium)"
)

HOSTILE = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1>"
LISTED = "[...document.querySelectorAll('.pair .name')].map(one => one.textContent)"
COUNT = "document.getElementById('count').textContent"
TITLE = "document.getElementById('details-title').textContent"
FRAME = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
LONG = "vnet-payments-production-{:03d}"
FOCUSED = "document.activeElement.querySelector('.name')?.textContent ?? document.activeElement.id"


@pytest.fixture(scope="module")
def tab() -> Iterator[Page]:
    assert PROGRAM
    with browser(PROGRAM) as page:
        page.size(1280, 900)
        yield page


@pytest.fixture
def opened(tab: Page, tmp_path: Path) -> Iterator[Page]:
    """The page of the sample plan; the test must cause no error in it."""
    show(tab, tmp_path, full_plan())
    yield tab
    assert tab.complaints == []


def show(tab: Page, folder: Path, plan: Plan, view: View | None = None) -> None:
    path = folder / "report.html"
    path.write_text(render(plan, "html", view), "utf-8")
    tab.open(path.as_uri())


def search(tab: Page, text: str) -> None:
    tab.run(f"document.getElementById('search').value = {text!r}")
    tab.run("document.getElementById('search').dispatchEvent(new Event('input', {bubbles: true}))")
    tab.run(FRAME)


def test_pairs_that_need_attention_are_listed_first(opened: Page) -> None:
    assert opened.run(LISTED) == ["lost", "app", "old", "crm", "sap", "hub", "lab-map"]
    assert opened.run(COUNT) == "7 of 7 pairs"
    assert opened.run("document.title") == "Network mappings: 4 need attention"


def test_regions_are_side_by_side_with_a_network_on_each_side_of_an_arrow(opened: Page) -> None:
    sides = opened.run("[...document.querySelectorAll('.columns .region')].map(one => one.textContent)")
    assert sides == ["eastasia", "southeastasia"]
    group = "[...document.querySelectorAll('.group')].find(one => one.textContent.includes('hub-ea'))"
    left, arrows, right = (
        opened.run(f"{group}.querySelector('{part}').getBoundingClientRect().x")
        for part in (".left .node", ".arrows", ".right .node")
    )
    assert left < arrows < right
    assert opened.run(f"{group}.querySelectorAll('line.arrow.live').length") == 2


def test_states_differ_in_more_than_colour(opened: Page) -> None:
    words = opened.run("[...document.querySelectorAll('.pair .badge')].map(one => one.textContent)")
    assert words == [
        "blocked",
        "leads elsewhere",
        "in sync",
        "missing",
        "left to terraform",
        "in sync",
        "to be deleted",
    ]
    shapes = opened.run("[...document.querySelectorAll('.pair use')].map(one => one.getAttribute('href'))")
    assert len(set(shapes)) == len(set(words))
    looks = opened.run("[...new Set([...document.querySelectorAll('line.arrow')].map(one => one.classList[1]))]")
    drawn = "(style => style.strokeDasharray + style.strokeWidth)(getComputedStyle(document.querySelector('line.{}')))"
    sign = "(document.querySelector('.glyph.{} use')?.getAttribute('href') ?? '')"
    styles = [opened.run(f"{drawn.format(look)} + {sign.format(look)}") for look in looks]
    assert len(set(styles)) == len(looks) > 3


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("hub", ["hub"]),
        ("CRM-EA-ASR", ["crm"]),
        ("missing_network", ["lost"]),
        ("southeastasia sap", ["sap"]),
        ("nothing of the kind", []),
    ],
)
def test_the_search_leaves_the_rows_that_have_every_word(opened: Page, text: str, rows: list[str]) -> None:
    search(opened, text)
    assert opened.run(LISTED) == rows
    assert opened.run(COUNT) == f"{len(rows)} of 7 pairs"
    assert opened.run("document.getElementById('nothing').hidden") is bool(rows)


def test_filters_by_state_add_up_and_can_be_cleared(opened: Page) -> None:
    opened.run("document.querySelector('.chip.blocked').click()")
    opened.run("document.querySelector('.chip.missing').click()")
    assert opened.run(LISTED) == ["lost", "crm"]
    assert opened.run("document.querySelectorAll('.chip[aria-pressed=true]').length") == 2
    search(opened, "nothing of the kind")
    opened.run("document.getElementById('clear').click()")
    assert len(opened.run(LISTED)) == 7


def test_rows_can_be_sorted_by_name_where_they_share_no_network(opened: Page) -> None:
    opened.run("document.getElementById('order').value = 'name'")
    search(opened, "")
    assert opened.run(LISTED) == ["app", "old", "crm", "hub", "lab-map", "lost", "sap"]


def test_a_click_opens_the_details_of_a_pair(opened: Page) -> None:
    opened.run("document.querySelectorAll('.pair')[1].click()")
    assert opened.run(TITLE) == "app"
    text = opened.run("document.getElementById('details').textContent")
    assert "What apply would do" in text
    assert "points at old-sea, will point at app-sea" in text
    assert opened.run("document.querySelector('#details pre').textContent").startswith("az rest ")
    assert str(vnet("app-ea")) in text


def test_a_click_beside_the_name_is_a_click_on_the_pair(opened: Page) -> None:
    arrows, row = (
        opened.run(f"(box => [box.x + box.width / 2, box.y + box.height / 2])({element}.getBoundingClientRect())")
        for element in ("document.querySelectorAll('.group .arrows')[1]", "document.querySelectorAll('.pair')[1]")
    )
    hit = f"document.elementFromPoint({arrows[0]}, {row[1]}).closest('.pair')?.querySelector('.name').textContent"
    assert opened.run(hit) == "app"


def test_the_keyboard_reaches_everything(opened: Page) -> None:
    opened.press("/")
    assert opened.run(FOCUSED) == "search"
    opened.press("ArrowDown", "ArrowDown")
    assert opened.run(FOCUSED) == "app"
    opened.press("Enter")
    assert opened.run(TITLE) == "app"
    assert opened.run(FOCUSED) == "details-title"
    opened.press("Escape")
    assert opened.run("document.getElementById('details').hidden") is True
    assert opened.run(FOCUSED) == "app"
    opened.press("End")
    assert opened.run(FOCUSED) == "lab-map"


def test_only_one_row_at_a_time_is_in_the_tab_order(opened: Page) -> None:
    assert opened.run("document.querySelectorAll('.pair[tabindex=\"0\"]').length") == 1
    opened.run("document.querySelectorAll('.pair')[3].focus()")
    opened.press("ArrowUp")
    assert opened.run("[...document.querySelectorAll('.pair')].findIndex(one => one.tabIndex === 0)") == 2


def test_an_opened_pair_has_its_own_url(opened: Page) -> None:
    opened.run("document.querySelectorAll('.pair')[1].click()")
    address = opened.run("location.href")
    assert address.endswith("#sea%2Fapp")
    opened.open("about:blank")
    opened.open(address)
    assert opened.run(TITLE) == "app"


def test_a_url_mangled_by_a_mail_program_still_opens_the_page(opened: Page) -> None:
    address = opened.run("location.href").partition("#")[0]
    opened.open("about:blank")
    opened.open(f"{address}#%E0%A4%A")
    search(opened, "hub")
    assert opened.run(COUNT) == "1 of 7 pairs"


def test_networks_stay_below_their_region_during_a_search(tab: Page, tmp_path: Path) -> None:
    back = {"primary_location": "southeastasia", "recovery_location": "eastasia"}
    pairs = (pair("a"), pair("b"), pair("c"), pair("back", **back))
    show(tab, tmp_path, Plan(pairs=pairs))
    search(tab, "back")
    left = "document.querySelector('.columns .region').textContent"
    node = "document.querySelector('.nodes.left .node b').textContent"
    assert (tab.run(left), tab.run(node)) == ("southeastasia", "back-ea")  # the sample's names of primary networks
    search(tab, "")
    nodes = "[...document.querySelectorAll('.nodes.left .node b')].map(one => one.textContent)"
    assert (tab.run(left), tab.run(nodes)) == ("eastasia", ["a-ea", "b-ea", "back-sea", "c-ea"])


def test_dark_mode_is_dark_and_the_print_is_not(opened: Page) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    try:
        colours = []
        for kind, scheme in (("", "light"), ("", "dark"), ("print", "light")):
            opened.media(kind=kind, scheme=scheme)
            colours.append(sum(map(int, re.findall(r"\d+", opened.run(ground))[:3])))
            shown = opened.run("getComputedStyle(document.getElementById('tools')).display")
            assert (shown == "none") is (kind == "print")
    finally:
        opened.media()
    assert colours[0] > 600
    assert colours[1] < 200
    assert colours[2] == colours[0]


def test_the_print_has_every_finding_and_why_each_pair_is_blocked(opened: Page, tmp_path: Path) -> None:
    text = printed(opened, tmp_path)
    for words in ("lost-ea does not exist", "create it", "crm-ea-asr keeps the DNS servers of crm-ea", "app-sea"):
        assert words in text
    table = opened.run("window.table")
    assert "lostblockedlost-eanot known yetblockedblockedlost-ea does not exist" in table
    assert "points at old-sea, will point at app-sea" in table
    assert opened.run("document.querySelectorAll('#print > *').length") == 0


def test_the_print_has_the_details_of_an_opened_pair_only(opened: Page, tmp_path: Path) -> None:
    assert "What apply would do" not in printed(opened, tmp_path)
    opened.run("document.querySelectorAll('.pair')[1].click()")
    assert "What apply would do" in printed(opened, tmp_path)


def test_two_hundred_pairs_print_on_eight_sheets_each_with_the_table_header(tab: Page, tmp_path: Path) -> None:
    states = ("blocked", "create", *["in_sync"] * 8)
    pairs = tuple(
        pair(
            f"payments-production-{number:03d}",
            reverse=states[number % 10],
            recovery_network_id=vnet(LONG.format(number)),
        )
        for number in range(200)
    )
    findings = tuple(
        finding(
            kind, f"{LONG.format(number)} is not as it should be", vault="sea", pair=pairs[number].name, hint="mend it"
        )
        for kind, step in ((FindingKind.DUPLICATE, 10), (FindingKind.SUBNET_MISSING, 3), (FindingKind.COPIED_DNS, 4))
        for number in range(0, 200, step)
    )
    show(tab, tmp_path, Plan(pairs=pairs, findings=findings))
    printed(tab, tmp_path)
    sheets = len(re.findall(rb"/Type\s*/Page\b", (tmp_path / "report.pdf").read_bytes()))
    assert 3 <= sheets <= 8
    tab.media(kind="print")
    try:
        tab.run("dispatchEvent(new Event('beforeprint'))")
        assert tab.run("getComputedStyle(document.querySelector('#print thead')).display") == "table-header-group"
        cut = (
            "[...document.querySelectorAll('#print td')].filter(cell => cell.scrollWidth > cell.clientWidth + 1).length"
        )
        assert tab.run(cut) == 0
    finally:
        tab.run("dispatchEvent(new Event('afterprint'))")
        tab.media()
    assert tab.complaints == []


def test_two_hundred_blocked_pairs_print_on_eight_sheets_with_the_reason_once(tab: Page, tmp_path: Path) -> None:
    pairs = tuple(pair(f"app-{number:03d}", forward="blocked", reverse="blocked") for number in range(200))
    findings = tuple(
        finding(
            FindingKind.FAILOVER_ACTIVE,
            f"update of {blocked.name}-ea-to-old is held back: vm7 is in state UnplannedFailoverCommitted",
            vault="sea",
            pair=blocked.name,
            hint="finish the failover and re-protect, or use --force failover_active",
        )
        for blocked in pairs
    )
    show(tab, tmp_path, Plan(pairs=pairs, findings=findings))
    text = printed(tab, tmp_path)
    assert text.count("update of app-007-ea-to-old is held back") == 1
    assert text.count("finish the failover") == 1
    assert len(re.findall(rb"/Type\s*/Page\b", (tmp_path / "report.pdf").read_bytes())) <= 8


def test_a_hint_of_many_failed_changes_is_given_once_on_screen_and_in_print(tab: Page, tmp_path: Path) -> None:
    names = [f"app-{number:03d}" for number in range(30)]
    plan = Plan(
        pairs=tuple(pair(name, forward="create") for name in names),
        changes=tuple(change("create", f"m-{name}", name, direction="forward") for name in names),
    )
    show(tab, tmp_path, applied(plan, "failed", error="no right", hint="grant the missing right"))
    assert tab.run("document.getElementById('app').innerText").count("grant the missing right") == 1
    advice = "document.querySelector('.advice').textContent"
    assert tab.run(advice) == "for app-000, app-001, app-002 and 27 more: grant the missing right"
    # The printed table omits it; the part below the table prints as it is on the screen.
    assert "grant the missing right" not in printed(tab, tmp_path)


def test_a_pair_of_which_only_machines_failed_says_so_and_which_machine(tab: Page, tmp_path: Path) -> None:
    show(tab, tmp_path, applied(machine_plan(), "failed", error="not done"))
    assert tab.run("[...document.querySelectorAll('.pair .badge')].map(one => one.textContent)") == ["failed"]
    assert tab.run("document.querySelector('.reasons').textContent") == "vm1: not done"


def test_options_and_words_in_backticks_are_not_broken(tab: Page, tmp_path: Path) -> None:
    held = finding(FindingKind.STALE_PROTECTED_ITEM, "vm1 stays", vault="sea", pair="app")
    forced = finding(FindingKind.FROZEN, "app waits", vault="sea", pair="app", hint="wait, or use --force frozen")
    show(tab, tmp_path, Plan(pairs=(pair("app"),), findings=(held, forced)))
    assert "`" not in tab.run("document.getElementById('findings').textContent")
    parts = "[...document.querySelectorAll('#findings .option, #findings code')]"
    assert {"--force", "machines: follow", "--machines follow"} <= set(
        tab.run(f"{parts}.map(part => part.textContent)")
    )
    assert set(tab.run(f"{parts}.map(part => getComputedStyle(part).whiteSpace)")) == {"nowrap"}


def test_no_line_break_splits_an_arrow(tab: Page, tmp_path: Path) -> None:
    twice = finding(FindingKind.DUPLICATE, "hub -> sea, hub -> old", vault="sea", pair="app")
    show(tab, tmp_path, Plan(pairs=(pair("app", forward="blocked", reverse="blocked"),), findings=(twice,)))
    for place in ("#findings .kind", ".reasons"):
        arrows = f"[...document.querySelectorAll('{place} .option')]"
        assert tab.run(f"{arrows}.map(arrow => [arrow.textContent, getComputedStyle(arrow).whiteSpace])") == [
            ["->", "nowrap"],
            ["->", "nowrap"],
        ]
    assert tab.complaints == []


def printed(tab: Page, folder: Path) -> str:
    """The text added for print; that of its table alone stays in ``window.table``."""
    tab.run(
        "addEventListener('beforeprint', () => {"
        " window.printed = document.getElementById('print').textContent;"
        " window.table = document.querySelector('table.paper').textContent; }, {once: true})"
    )
    tab.pdf(folder / "report.pdf")
    text: str = tab.run("window.printed")
    return text


def test_findings_are_counted_by_severity_and_lead_to_their_pairs(opened: Page) -> None:
    heads = "[...document.querySelectorAll('#findings > details')].map(part => part.firstChild.textContent)"
    assert opened.run(heads) == ["Errors 1", "Warnings 1", "Notes 1"]
    assert opened.run("[...document.querySelectorAll('#findings > details')].map(part => part.open)") == [
        True,
        False,
        False,
    ]
    opened.run("document.querySelector('#findings .error a').click()")
    assert opened.run(TITLE) == "lost"
    row = "document.querySelector('.pair.opened').getBoundingClientRect()"
    assert opened.run(f"{row}.top >= 0 && {row}.bottom <= innerHeight")


def test_a_finding_leads_to_a_pair_that_the_filters_hide(opened: Page) -> None:
    opened.run("document.querySelector('.chip.retargeted').click()")
    opened.run("document.querySelector('.chip.missing').click()")
    assert opened.run(LISTED) == ["app", "crm"]
    opened.run("location.hash = '#sea%2Flost'")
    opened.run(FRAME)
    assert opened.run(TITLE) == "lost"
    assert len(opened.run(LISTED)) == 7


def test_the_list_of_findings_follows_the_search(opened: Page) -> None:
    search(opened, "crm")
    assert opened.run("document.getElementById('findings').textContent").startswith("Notes 1")


def test_a_hint_that_many_findings_share_is_shown_once(tab: Page, tmp_path: Path) -> None:
    findings = tuple(
        finding(
            FindingKind.SUBNET_MISSING, f"net-{number} has no subnet web", vault="sea", pair="app", hint="create it"
        )
        for number in range(52)
    )
    show(tab, tmp_path, Plan(pairs=(pair("app"),), findings=findings))
    text = "document.getElementById('findings').textContent"
    assert tab.run(text).count("create it") == 1
    assert "for these 52: create it" in tab.run(text)
    assert tab.run("document.querySelectorAll('#findings li').length") == 10
    tab.run("document.querySelector('#findings .all').click()")
    assert tab.run("document.querySelectorAll('#findings li').length") == 52
    assert tab.run(text).count(FindingKind.SUBNET_MISSING.meaning) == 1


def test_many_findings_of_one_pair_are_grouped_and_folded(tab: Page, tmp_path: Path) -> None:
    held = tuple(
        finding(FindingKind.FAILOVER_ACTIVE, f"vm{number} waits", vault="sea", pair="app", hint="finish it")
        for number in range(16)
    )
    warning = finding(FindingKind.SUBNET_MISSING, "app-sea has no subnet web", vault="sea", pair="app")
    show(tab, tmp_path, Plan(pairs=(pair("app", forward="blocked"),), findings=(warning, *held)))
    reasons = "[...document.querySelectorAll('.reasons li')].map(line => line.textContent)"
    assert tab.run(reasons) == ["vm0 waits", "vm1 waits", "vm2 waits", "and 13 more"]
    tab.run("document.querySelector('.pair').click()")
    heads = "[...document.querySelectorAll('#details .finding > div > b')].map(head => head.textContent)"
    assert tab.run(heads) == ["failover active", "subnet missing"]
    text = tab.run("document.querySelector('#details .finding').innerText")
    assert "16 errors" in text
    assert "11 more" in text
    assert "vm15 waits" not in text
    assert text.count("finish it") == 1
    assert "vm15 waits" in printed(tab, tmp_path)


def test_the_reason_of_a_blocked_pair_is_shown_without_a_click(opened: Page) -> None:
    lines = "[...document.querySelectorAll('.reasons li')].filter(line => line.checkVisibility())"
    assert opened.run(f"{lines}.map(line => line.textContent)") == ["lost-ea does not exist"]


def test_pairs_in_sync_with_warnings_are_marked_and_come_first_among_those_in_sync(tab: Page, tmp_path: Path) -> None:
    warning = finding(FindingKind.SUBNET_MISSING, "zoo-sea has no subnet web", vault="sea", pair="zoo")
    show(tab, tmp_path, Plan(pairs=(pair("app"), pair("zoo")), findings=(warning,)))
    assert tab.run(LISTED) == ["zoo", "app"]
    marks = "[...document.querySelectorAll('.pair')].map(row => row.querySelector('.mark')?.title ?? '')"
    assert tab.run(marks) == ["1 warning", ""]
    assert "in sync, 1 warning" in tab.run("document.querySelector('.pair').getAttribute('aria-label')")


def test_machines_are_shown_with_where_they_run_and_fail_over_to(tab: Page, tmp_path: Path) -> None:
    regions = TwoRegions()
    primary, recovery, other = (
        regions.network("app-ea"), regions.network("app-sea", SEA), regions.network("other-sea", SEA)
    )  # fmt: skip
    regions.map_both(primary, recovery)
    ea, sea = regions.fabrics[EA], regions.fabrics[SEA]
    nic = Nic(name="nic0", primary_network_id=primary.id, recovery_network_id=other.id)
    regions.build.protected_item("stays", ea, sea, nic)
    back = Nic(name="nic0", primary_network_id=recovery.id, recovery_network_id=primary.id)
    regions.build.protected_item("moved", sea, ea, back, initial_location=EA)
    desired = regions.state(row(primary, recovery, name="app"))
    inventory = read_inventory(desired, regions.backend)
    show(tab, tmp_path, planning.plan(desired, inventory), View(run=Run(inventory=inventory)))
    assert "1 machine runs in the recovery region, southeastasia" in tab.run(
        "document.querySelector('.reasons').textContent"
    )
    tab.run("document.querySelector('.pair').click()")
    rows = (
        "[...document.querySelectorAll('#details h3')].find(head => head.textContent.startsWith('Machines'))"
        ".parentElement.querySelectorAll('tbody tr')"
    )
    assert tab.run(f"[...{rows}].map(row => [...row.cells].map(cell => cell.textContent))") == [
        ["movedProtected", "southeastasiarecovery region", "app-ea"],
        ["staysProtected", "eastasia", "other-seaanother network than the pair's"],
    ]


def test_old_and_new_values_of_an_update_are_side_by_side(opened: Page) -> None:
    opened.run("document.querySelectorAll('.pair')[1].click()")
    cells = "[...document.querySelectorAll('#details .differences tbody tr > *')].map(cell => cell.textContent)"
    assert opened.run(cells) == ["recovery network", "old-sea", "app-sea"]


def test_names_are_shortened_in_the_middle_where_there_is_no_room(tab: Page, tmp_path: Path) -> None:
    show(tab, tmp_path, Plan(pairs=(pair("x", primary_network_id=vnet(LONG.format(7))),)))
    name = "document.querySelector('.left .node b')"
    is_cut = "(part => part.scrollWidth > part.clientWidth)(document.querySelector('.left .node .{}'))"
    try:
        for width, narrow in ((1400, False), (400, True)):
            tab.size(width, 844)
            tab.run(FRAME)
            assert tab.run(f"{name}.textContent") == LONG.format(7)
            assert tab.run(is_cut.format("start")) is narrow
            assert tab.run(f"{name}.scrollWidth <= {name}.clientWidth")
            assert tab.run(is_cut.format("end")) is False
    finally:
        tab.size(1280, 900)


def test_a_narrow_window_keeps_the_signs_and_every_name_whole(opened: Page) -> None:
    opened.size(390, 844)
    try:
        opened.run(FRAME)
        shown = "[...document.querySelectorAll('.glyph')].map(one => one.getBoundingClientRect().width > 0)"
        assert set(opened.run(shown)) == {True}
        heights = "[...document.querySelectorAll('.pair')].map(one => one.scrollHeight - one.clientHeight)"
        assert set(opened.run(heights)) == {0}
    finally:
        opened.size(1280, 900)


def test_a_narrow_window_cuts_nothing_off_sideways(opened: Page) -> None:
    opened.size(390, 844)
    try:
        assert opened.run("document.documentElement.scrollWidth") <= 390
        opened.run("document.querySelectorAll('.pair')[1].click()")
        assert opened.run("document.documentElement.scrollWidth") <= 390
    finally:
        opened.size(1280, 900)


def test_the_outcome_of_each_change_is_shown(opened: Page, tmp_path: Path) -> None:
    show(opened, tmp_path, applied(full_plan(), "failed", error="Azure said no"))
    opened.run("[...document.querySelectorAll('.pair')].find(one => one.textContent.startsWith('app')).click()")
    text = opened.run("document.getElementById('details').textContent")
    assert "What apply did" in text
    assert "failed: Azure said no" in text


def test_hostile_names_are_text_everywhere(opened: Page, tmp_path: Path) -> None:
    hostile = structs.replace(
        pair("x", forward="create", managed_by=HOSTILE, file=HOSTILE, line=1), name=HOSTILE, vault=HOSTILE
    )
    plan = Plan(
        pairs=(structs.replace(hostile, primary_location=HOSTILE, primary_network=HOSTILE), pair("fine")),
        changes=(change("create", HOSTILE, HOSTILE, vault=HOSTILE, reason=HOSTILE),),
        findings=(
            finding(FindingKind.HALF_PAIR, HOSTILE, vault=HOSTILE, pair=HOSTILE, hint=f"az {HOSTILE}"),
            finding(FindingKind.UNKNOWN, HOSTILE, vault=HOSTILE),
        ),
    )
    show(opened, tmp_path, plan)
    opened.run("[...document.querySelectorAll('.pair')].find(one => one.textContent.includes('hacked')).click()")
    assert opened.run(TITLE) == HOSTILE
    assert opened.run("window.hacked") is None
    assert opened.run("document.querySelectorAll('img').length") == 0
    assert opened.run("document.body.textContent.split('window.hacked=1</script>').length") > 5


def test_injected_content_cannot_run_or_load_anything(tab: Page, tmp_path: Path) -> None:
    show(tab, tmp_path, full_plan())
    image = '<img src="https://127.0.0.1:9/x.png" onerror="window.hacked=1">'
    tab.run(f"document.body.insertAdjacentHTML('beforeend', {image!r})")
    tab.run("document.body.append(Object.assign(document.createElement('script'), {textContent: 'window.hacked=1'}))")
    tab.run(FRAME)
    assert tab.run("window.hacked") is None
    assert len(tab.complaints) >= 2
    assert all("Content Security Policy" in words for words in tab.complaints)
    assert not [url for url in tab.requests if url.startswith("https:")]


@pytest.mark.parametrize("scheme", ["file", "http"])
def test_opening_the_page_sends_no_other_request(tab: Page, tmp_path: Path, scheme: str) -> None:
    path = tmp_path / "report.html"
    path.write_text(render(full_plan(), "html"), "utf-8")
    asked: list[str] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, path, asked)) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = path.as_uri() if scheme == "file" else f"http://127.0.0.1:{server.server_address[1]}/report.html"
        tab.open(address)
        tab.run("document.querySelectorAll('.pair')[1].click()")
        tab.run(FRAME)
        requests = [url for url in tab.requests if not url.startswith("data:")]
        server.shutdown()
    assert (requests, asked) == ([address], ["/report.html"] if scheme == "http" else [])
    assert tab.complaints == []


def test_the_last_of_many_pairs_can_be_opened_before_it_is_drawn(tab: Page, tmp_path: Path) -> None:
    show(tab, tmp_path, Plan(pairs=tuple(pair(f"p{number:04d}") for number in range(2000))))
    tab.run("location.hash = '#sea%2Fp1999'")
    tab.run(FRAME)
    assert tab.run(TITLE) == "p1999"
    assert tab.run("document.querySelector('.pair.opened').getBoundingClientRect().top < innerHeight")


def test_two_thousand_pairs_are_all_there_and_can_be_searched(tab: Page, tmp_path: Path) -> None:
    states = ("blocked", "create", *["in_sync"] * 48)
    pairs = tuple(pair(f"p{number:04d}", reverse=states[number % 50]) for number in range(2000))
    show(tab, tmp_path, Plan(pairs=pairs))
    assert tab.run(COUNT) == "2,000 of 2,000 pairs"
    # Rows far below are drawn after the page has loaded.
    rows = "document.querySelectorAll('.pair').length"
    assert (
        tab.run(f"new Promise(done => (function look() {{ {rows} < 2000 ? setTimeout(look) : done({rows}) }})())")
        == 2000
    )
    search(tab, "p1234")
    assert tab.run(LISTED) == ["p1234"]
    assert tab.complaints == []


class Handler(BaseHTTPRequestHandler):
    """Serves one file for every request, and records the requests."""

    def __init__(self, path: Path, asked: list[str], *args: object) -> None:
        self._path, self._asked = path, asked
        super().__init__(*args)  # type: ignore[arg-type]  # the socket that the server passes

    def do_GET(self) -> None:
        self._asked.append(self.path)
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(self._path.read_bytes())

    def log_message(self, *_: object) -> None:
        """Not on standard error."""

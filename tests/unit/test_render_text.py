"""Plans as people read them: plain lines, and tables on a terminal."""

from __future__ import annotations

import re

import pytest
from msgspec import structs
from sample_plans import change, full_plan, mapping, pair, vnet
from states import SEA, TwoRegions, row

from asrnet.errors import InputError
from asrnet.model.findings import FindingKind, finding
from asrnet.model.plan import Plan, Summary
from asrnet.render import View, render


def lines(plan: Plan, **view: object) -> list[str]:
    return render(plan, "text", View(**view)).splitlines()  # type: ignore[arg-type]  # each test passes fields of View


def line_of(plan: Plan, word: str, **view: object) -> str:
    [found] = [line for line in lines(plan, **view) if line.split()[1:2] == [word] and line.split()[0] in "+~!="]
    return " ".join(found.split())


def test_a_pair_to_be_created_is_one_line_with_both_networks_and_directions() -> None:
    assert line_of(full_plan(), "crm") == "+ crm crm-ea (eastasia) <-> crm-ea-asr (southeastasia) create create"


def test_a_retarget_names_the_old_and_the_new_network() -> None:
    shown = lines(full_plan())
    after_app = shown.index(next(line for line in shown if line.split()[:2] == ["~", "app"])) + 1
    assert shown[after_app].strip() == "~ mapping app-map: points at old-sea, will point at app-sea"


def test_a_mapping_that_is_written_again_is_not_shown_as_a_retarget() -> None:
    before = mapping("app-map", "app-ea", "app-sea")
    again = change("update", "app-map", "app", before=structs.replace(before, state="Unpaired"), after=before)
    plan = Plan(pairs=(pair("app", forward="update"),), changes=(again,))
    assert line_of(plan, "app") == "~ app app-ea (eastasia) <-> app-sea (southeastasia) write again in sync"
    assert line_of(full_plan(), "app").endswith("retarget retarget")


def test_a_network_to_be_created_is_named_under_its_pair() -> None:
    assert "      + network crm-ea-asr: a copy" in lines(full_plan())


def test_an_unknown_recovery_network_is_shown_as_unknown() -> None:
    assert line_of(full_plan(), "lost") == "! lost lost-ea (eastasia) <-> not known yet blocked blocked"


def test_pairs_in_sync_are_shown_only_when_asked_for() -> None:
    assert not any(line.split()[:2] == ["=", "hub"] for line in lines(full_plan()))
    assert line_of(full_plan(), "hub", verbose=True) == (
        "= hub hub-ea (eastasia) <-> hub-sea (southeastasia) in sync in sync"
    )


def test_a_pair_without_failback_has_one_direction() -> None:
    assert line_of(full_plan(), "old", verbose=True).endswith(
        "old-ea (eastasia) -> old-sea (southeastasia) in sync not declared"
    )


def test_a_pair_of_another_tool_is_left_to_it() -> None:
    assert line_of(full_plan(), "sap", verbose=True).endswith("left to terraform in sync")


def test_directions_that_differ_are_told_apart() -> None:
    plan = Plan(pairs=(pair("hub", reverse="create"),))
    assert line_of(plan, "hub") == "+ hub hub-ea (eastasia) <-> hub-sea (southeastasia) in sync create"


def test_full_ids_are_shown_when_verbose_and_only_then() -> None:
    step = f"          + {vnet('crm-ea-asr')}"
    assert step in lines(full_plan(), verbose=True)
    assert not any("/subscriptions/" in line for line in lines(full_plan()))


def test_changes_of_no_pair_are_listed_separately() -> None:
    shown = lines(full_plan())
    assert shown[shown.index("Other changes") + 1] == "  - forward mapping lab-map in vault sea"


def test_the_networks_that_a_rule_matched_are_named() -> None:
    assert "  prod  2 networks  crm-ea, web-ea" in lines(full_plan())


@pytest.mark.parametrize("output", ["text", "markdown"])
def test_a_hint_that_many_findings_share_is_given_once_below_the_last_of_them(output: str) -> None:
    shared = [
        finding(FindingKind.SUBNET_MISSING, f"net-{number} has no subnet web", vault="sea", hint="create the subnet")
        for number in range(52)
    ]
    own = finding(FindingKind.SUBNET_MISSING, "hub-sea is read only", vault="sea", hint="unlock it")
    text = render(Plan(findings=(shared[0], own, *shared[1:])), output)
    assert text.count("create the subnet") == 1
    assert "hint: unlock it" in text
    before, _, after = text.partition("hint for these 52: create the subnet")
    assert all(f"net-{number} " in before for number in range(52))
    assert "hub-sea is read only" in after


def test_findings_are_sorted_by_severity_and_have_their_hints() -> None:
    shown = lines(full_plan())
    assert [line for line in shown if line in {"Errors", "Warnings", "Notes"}] == ["Errors", "Warnings", "Notes"]
    assert shown[shown.index("Errors") + 2].split() == ["missing_network", "lost", "lost-ea", "does", "not", "exist"]
    assert shown[shown.index("Errors") + 3] == "      hint: create it"


def test_an_exceeded_limit_is_reported_with_figures_and_remedy() -> None:
    assert (
        "  vault sea: 1 mapping to delete, but max_deletes is 0 (2 to create, 1 to update, 1 to delete, 9 existing); "
        "raise the limit or use --force max_deletes"
    ) in lines(full_plan())


def test_a_lifted_limit_is_not_mentioned() -> None:
    assert "Apply would refuse this" not in lines(full_plan(), forced=("max_deletes",))


def test_the_last_line_is_the_summary() -> None:
    assert lines(full_plan())[-1] == (
        "Plan: create 1 network and 2 mappings, retarget 1 pair, delete 1 mapping; "
        "2 mappings in sync, 2 blocked, 1 unmanaged."
    )


def test_a_half_pair_is_named_beside_the_change_that_completes_it() -> None:
    azure = TwoRegions()
    hub, dr = azure.network("hub"), azure.network("dr", SEA)
    azure.map(hub, dr)
    shown = lines(azure.plan(azure.state(row(hub, dr))))
    assert "  half_pair  hub   hub and dr are mapped one way: the reverse mapping is missing" in shown


def test_zeros_are_left_out_of_the_summary_of_a_plan_with_changes() -> None:
    plan = structs.replace(full_plan(), summary=Summary())
    assert lines(plan)[-1].endswith("delete 1 mapping.")


def test_a_retarget_of_one_direction_is_counted_as_a_mapping_and_one_of_both_as_a_pair() -> None:
    [both] = [item for item in full_plan().changes if item.kind == "network_mapping" and item.action == "update"]
    forward = structs.replace(both, direction="forward", steps=both.steps[:1])
    assert both.direction == "both"
    assert lines(Plan(changes=(both, forward, forward)))[-1].startswith("Plan: retarget 1 pair and 2 mappings")


def test_an_empty_plan_is_one_line() -> None:
    assert lines(Plan(summary=Summary(in_sync=1))) == ["Nothing to do: 1 mapping in sync."]


@pytest.mark.parametrize("hostile", ["\x1b[2J", "a\nb", "\u202egnp", "\x00", "\u2028", "\x9b31m", "\udc80"])
@pytest.mark.parametrize("width", [None, 80])
def test_names_with_terminal_escapes_are_escaped(hostile: str, width: int | None) -> None:
    findings = (finding(FindingKind.UNMANAGED, f"about {hostile}", pair=hostile, hint=hostile),)
    plan = structs.replace(full_plan(), pairs=(pair("x", forward="create", managed_by=hostile),), findings=findings)
    text = render(structs.replace(plan, changes=()), "text", View(width=width))
    assert all(char.isprintable() or char == "\n" for char in text)
    assert hostile.encode("unicode_escape", "surrogatepass").decode() in text


@pytest.mark.parametrize("width", [40, 80, 120])
def test_a_terminal_table_is_never_wider_than_the_terminal(width: int) -> None:
    long = pair("p" * 30, primary_network_id=vnet("n" * 64), recovery_network_id=vnet("r" * 64), forward="create")
    plan = structs.replace(full_plan(), pairs=(*full_plan().pairs, long))
    shown = lines(plan, width=width, verbose=True)
    assert max(len(line.rstrip()) for line in shown) <= width
    assert sum(line.count("n" * 4) for line in shown) > 0


def test_a_narrow_terminal_shows_shared_regions_once() -> None:
    plan = Plan(pairs=(pair("hub", forward="create"), pair("app", forward="create")))
    wide, narrow = lines(plan, width=120), lines(plan, width=60)
    assert "\n".join(wide).count("(eastasia)") == 2
    assert re.findall(r"\b\w*eastasia\b", "\n".join(narrow)) == ["eastasia", "southeastasia"]
    assert [line.split()[:3] for line in narrow if "hub-ea" in line] == [["+", "hub", "hub-ea"]]


def test_names_folded_on_a_narrow_terminal_lose_no_character() -> None:
    plan = Plan(pairs=(pair("hub", primary_network_id=vnet("abcdefghij" * 6), forward="create"),))
    assert sum(line.count("a") for line in lines(plan, width=60)) >= 6


def test_colour_is_used_only_when_wanted() -> None:
    assert "\x1b[" not in render(full_plan(), "text", View(width=80))
    assert re.search("\x1b\\[32m[+]", render(full_plan(), "text", View(width=80, colour=True)))


def test_an_unknown_format_is_refused_naming_those_there_are() -> None:
    with pytest.raises(InputError, match="'yaml'") as caught:
        render(full_plan(), "yaml")
    assert "text" in caught.value.hint
    assert "markdown" in caught.value.hint

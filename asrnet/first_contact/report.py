"""The report of first contact as Markdown and as JSON. It contains no id, name, address or free text of Azure's."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct

from asrnet.first_contact.comparison import Result, Row, assumed_and_untried, fact_text, rows_of
from asrnet.first_contact.tidying import LeftOver

_WORDS = {"same": "same", "differs": "**differs**", "not_tried": "not tried"}


class Report(Struct, frozen=True, kw_only=True):
    """The results of first contact. ``stopped`` is why it ended early; ``left`` could not be cleaned up.

    Without ``live``, the emulator took the place of Azure, so that nothing is confirmed or refuted.
    """

    results: tuple[Result, ...]
    live: bool = True
    cloud: str = "public"
    api_version: str = ""
    stopped: str = ""
    left: tuple[LeftOver, ...] = ()

    @property
    def differing(self) -> tuple[Result, ...]:
        """The experiments in which Azure and the emulator differ."""
        return tuple(result for result in self.results if result.outcome == "differs")


def verdict_lines(rows: Sequence[Row], results: Sequence[Result], *, live: bool = True) -> Iterator[str]:
    """A line for each confirmed or refuted row of the coverage page, with the reason if it is refuted.

    Without ``live``, the rows were only rehearsed.
    """
    by_name = {result.experiment.name: result for result in results}
    # Assumed rows come first: first contact is meant for what nobody has seen before.
    rows = sorted(rows, key=lambda row: row.source != "assumed")
    for row in rows:
        if row.verdict == "confirmed":
            yield f"{'confirmed ' if live else 'rehearsed '} {row.name} ({row.source})"
    for row in rows:
        for name in row.differing:
            differences = "; ".join(str(difference) for difference in by_name[name].differences)
            yield f"refuted    {row.name} ({row.source}): {by_name[name].experiment.does}: {differences}"


def as_json(report: Report) -> str:
    """The report as JSON, for programs."""
    document = {
        "version": 1,
        "live": report.live,
        "cloud": report.cloud,
        "api_version": report.api_version,
        "stopped": report.stopped,
        "left_over": dict(Counter(left.kind for left in report.left)),
        "rows": [
            {
                "name": row.name,
                "source": row.source,
                "verdict": _verdict(row, report),
                "refuted_by": list(row.differing),
            }
            for row in rows_of(report.results)
        ],
        "assumed_and_untried": list(assumed_and_untried()),
        "experiments": [
            {
                "name": result.experiment.name,
                "does": result.experiment.does,
                "rows": list(result.experiment.rows),
                "outcome": result.outcome,
                "not_tried": result.azure.not_tried,
                "differences": [
                    {"fact": difference.fact, "azure": difference.azure, "emulator": difference.emulator}
                    for difference in result.differences
                ],
                "facts": result.azure.facts,
                "remarks": result.azure.remarks,
            }
            for result in report.results
        ],
    }
    return json.dumps(document, indent=2) + "\n"


def as_markdown(report: Report) -> str:
    """The report as Markdown, for people, such as readers of the issue that contains it."""
    counts = Counter(result.outcome for result in report.results)
    summary = f"{counts['same']} as on the emulator, {counts['differs']} different, {counts['not_tried']} not tried"
    rows = rows_of(report.results)
    place = f"in the {report.cloud} cloud" if report.live else "on the emulator"
    lines = [
        "# First contact",
        "",
        f"{len(report.results)} experiments {place}, API version {report.api_version}: {summary}.",
        "",
    ]
    if not report.live:
        rehearsal = "**REHEARSAL: nothing was sent to Azure.** This report says nothing about it; run it with `--live`."
        lines = [rehearsal, "", *lines]
    if report.stopped:
        lines += [f"It ended early: {report.stopped}.", ""]
    for kind, count in Counter(left.kind for left in report.left).items():
        lines += [f"Not cleaned up: {count} {kind}{'s' if count > 1 else ''}.", ""]
    lines += ["## Rows of the coverage page", "", "| row | source | verdict | by |", "|---|---|---|---|"]
    order = ("refuted", "confirmed", "not_tried")
    lines += [
        f"| {row.name} | {row.source} | {_verdict(row, report).replace('_', ' ')} | {', '.join(row.differing)} |"
        for row in sorted(rows, key=lambda row: order.index(row.verdict))
    ]
    lines += ["", f"Assumed, without an experiment: {', '.join(assumed_and_untried())}.", ""]
    if report.differing:
        lines += ["## Differences", ""]
        for result in report.differing:
            lines += [f"### {result.experiment.name}", "", f"{result.experiment.does}.", ""]
            lines += [*(f"- {difference}" for difference in result.differences), ""]
    answering = "Azure's" if report.live else "the emulator's"
    lines += [
        "## All experiments",
        "",
        f"| experiment | what was done | outcome | {answering} answers |",
        "|---|---|---|---|",
    ]
    for result in report.results:
        facts = {**result.azure.facts, **result.azure.remarks}
        # Lists of members would fill the page, so they are only in the JSON.
        answers = "; ".join(f"{name}: {fact_text(fact)}" for name, fact in facts.items() if not isinstance(fact, tuple))
        answers = (result.azure.not_tried or answers).replace("|", "\\|")
        lines.append(f"| {result.experiment.name} | {result.experiment.does} | {_WORDS[result.outcome]} | {answers} |")
    return "\n".join([*lines, ""])


def _verdict(row: Row, report: Report) -> str:
    return "rehearsed" if row.verdict == "confirmed" and not report.live else row.verdict

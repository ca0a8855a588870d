"""GitHub Actions: annotations on the lines that declare the pairs, the step's summary and its outputs.

The syntax is that of GitHub's *Workflow commands for GitHub Actions*. A workflow shows only ten errors, ten warnings
and ten notices of a step, so annotations are sorted by severity; the summary lists everything.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Final, Literal

from msgspec import Struct

from asrnet.model.findings import Finding
from asrnet.model.plan import Change, Plan
from asrnet.model.report import Report
from asrnet.render import markdown, wording
from asrnet.render.layout import sections
from asrnet.render.machine_table import lines_by_finding
from asrnet.render.pair_status import error_of, hint_of, is_drifting, is_refused, outcome_of, pair_results, warnings_of

if TYPE_CHECKING:
    from asrnet.files.validation import Validation
    from asrnet.render import View

Level = Literal["error", "warning", "notice"]

SUMMARY_LIMIT: Final = 1000 * 1024
"""The maximum size of a step's summary in bytes. GitHub drops a summary of more than 1 MiB altogether."""

_LEVELS: Final[tuple[Level, ...]] = ("error", "warning", "notice")
_SEVERITIES: Final[dict[str, Level]] = {"error": "error", "warning": "warning", "info": "notice"}
_CUT: Final = "\n*The rest is left out: GitHub accepts at most 1 MiB. The other output files are complete.*\n"


class Annotation(Struct, frozen=True, kw_only=True):
    """An annotation on a line of a file, or on the whole run if there is no file."""

    level: Level
    title: str
    message: str
    file: str = ""
    line: int | None = None
    column: int | None = None


def render(document: Plan | Validation, view: View) -> str:
    """The annotations of a plan, a report or a validation, the most severe first."""
    unsorted = _annotations(document, view) if isinstance(document, Plan) else _mistakes(document, view)
    annotations = sorted(unsorted, key=lambda annotation: _LEVELS.index(annotation.level))
    return "".join(f"{command(annotation)}\n" for annotation in annotations)


def command(annotation: Annotation) -> str:
    """The workflow command for an annotation, escaped so that no name can start another command."""
    properties = {
        "file": annotation.file,
        "line": str(annotation.line or "") if annotation.file else "",
        "col": str(annotation.column or "") if annotation.file and annotation.line else "",
        "title": annotation.title,
    }
    # Values of properties end at a comma, and the message begins after the colons.
    escaped = {name: _data(value).replace(":", "%3A").replace(",", "%2C") for name, value in properties.items()}
    properties_text = ",".join(f"{name}={value}" for name, value in escaped.items() if value)
    return f"::{annotation.level} {properties_text}::{_data(annotation.message)}"


def summary(plan: Plan, view: View, *, room: int = SUMMARY_LIMIT) -> str:
    """The Markdown for the step's summary, cut after a whole line so that it fits ``room`` bytes."""
    text = markdown.whole(plan, view) + "\n"
    data = text.encode()
    if len(data) <= room:
        return text
    head = data[: max(0, room - len(_CUT.encode()))]
    return head[: head.rfind(b"\n") + 1].decode() + _CUT if head else ""


def outputs(plan: Plan, view: View) -> str:
    """The step's outputs: ``drift``, the counts, ``result`` and the summary line."""
    current = view.run.left or plan
    severities = pair_results(plan, view.run.left).severities
    values = {
        "drift": str(is_drifting(plan, view.run.left, warnings_count=view.warnings_count)).lower(),
        **{name: str(getattr(current.summary, name)) for name in current.summary.__struct_fields__},
        "machines": str(current.resources.protected_item),
        "errors": str(severities["error"]),
        "warnings": str(severities["warning"]),
        "result": plan.result if isinstance(plan, Report) else "planned",
        "summary": wording.printable(sections(plan, view)[-1].rows[-1].cells[0]),
    }
    return "".join(f"{name}={value}\n" for name, value in values.items())


def _annotations(plan: Plan, view: View) -> Iterator[Annotation]:
    status = pair_results(plan, view.run.left)
    lines = lines_by_finding(view.run.left or plan)
    title = "refused" if isinstance(plan, Report) else "apply would refuse this"
    for line in _refusals(plan, view):
        yield Annotation(level="error", title=title, message=line)
    for result in status.pairs:
        place = (in_checkout(result.pair.file, view), result.pair.line)
        for finding in result.findings:
            yield _of_finding(finding, *place, lines=lines.get((finding.kind, finding.subject), ()))
        yield from _of_changes(result.changes, *place)
    yield from (_of_finding(finding) for finding in status.findings)
    yield from _of_changes(status.changes)


def in_checkout(file: str, view: View) -> str:
    """The path of a file from the root of the checkout, as GitHub wants it. A file outside of it keeps its path."""
    if not (file and view.workspace):
        return file
    path = os.path.relpath(os.path.join(view.folder, file), view.workspace)  # noqa: PTH118 - text only
    return file if path.startswith(os.pardir) else path.replace(os.sep, "/")


def _mistakes(validation: Validation, view: View) -> Iterator[Annotation]:
    for mistake in validation.mistakes:
        yield Annotation(
            level="error",
            title=mistake.path or "mistake",
            message=f"{mistake.message}\n{mistake.hint}".rstrip(),
            file=in_checkout(mistake.file, view),
            line=mistake.line,
            column=mistake.column,
        )


def _refusals(plan: Plan, view: View) -> Iterable[str]:
    """The reasons why safeguards refuse the plan, or refused changes of the report, each once."""
    if not isinstance(plan, Report):
        return plan.violations(view.forced)
    return dict.fromkeys(filter(None, (error_of(change) for change in plan.changes if is_refused(change))))


def _of_finding(finding: Finding, file: str = "", line: int | None = None, *, lines: Sequence[str] = ()) -> Annotation:
    """The annotation of a finding; ``lines`` are shown below its message."""
    return Annotation(
        level=_SEVERITIES[finding.severity],
        title=f"{finding.kind}: {finding.pair}" if finding.pair else finding.kind,
        message="\n".join(filter(None, (finding.message, *lines, finding.hint))),
        file=file,
        line=line,
    )


def _of_changes(changes: Iterable[Change], file: str = "", line: int | None = None) -> Iterator[Annotation]:
    """An annotation for each applied change. Of planned changes only deletions get one: the others have findings."""
    for change in changes:
        outcome, description = outcome_of(change), f"{wording.change_label(change)}: {change.reason}"
        if outcome == "succeeded":
            yield Annotation(
                level="notice", title=f"done: {change.pair or change.vault}", message=description, file=file, line=line
            )
            for warning in warnings_of(change):
                title = f"warning: {change.pair or change.vault}"
                message = f"{wording.change_label(change)}: {warning}"
                yield Annotation(level="warning", title=title, message=message, file=file, line=line)
        elif outcome and not is_refused(change):
            title = f"{outcome.replace('_', ' ')}: {change.pair or change.vault}"
            yield Annotation(
                level="error",
                title=title,
                message="\n".join(filter(None, (description, error_of(change), hint_of(change)))),
                file=file,
                line=line,
            )
        elif not outcome and change.action == "delete":
            yield Annotation(level="warning", title=f"to delete: {change.vault}", message=description)


def _data(text: str) -> str:
    """``text`` as the message of a workflow command, on one line."""
    lines = (wording.printable(line) for line in text.splitlines())
    return "%0A".join(line.replace("%", "%25") for line in lines)

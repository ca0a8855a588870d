"""The sections of doctor's report: a row for each check with its fix below, and the counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import TYPE_CHECKING, Final

from asrnet.render.sections import Row, Section, Tone, sentences

if TYPE_CHECKING:
    from asrnet.diagnostics.checks import Examination
    from asrnet.render import View

_TONES: Final[Mapping[str, Tone]] = {"ok": "good", "warning": "warning", "failed": "error", "unknown": "quiet"}


def sections(examination: Examination, view: View) -> Iterator[Section]:
    """The checks as a table, and their counts; subscriptions are shown by their aliases in ``view``."""
    rows: list[Row] = []
    for fix, group in groupby(examination.checks, key=lambda check: check.fix):
        checks = list(group)
        for check in checks:
            cells = (check.verdict, check.name, view.aliases.get(check.subject, check.subject), check.message)
            # Checks in a row that fail for one reason share their fix, which is given once.
            label = "fix" if len(checks) == 1 else f"fix for these {len(checks)}"
            rows.append(Row(cells, _TONES[check.verdict], (f"{label}: {fix}",) if fix and check is checks[-1] else ()))
    yield Section("", ("", "Check", "Subject", "Result"), tuple(rows))
    numbers = Counter(check.verdict for check in examination.checks)
    counts = [f"{numbers[verdict]} {verdict}" for verdict in ("ok", "warning", "failed", "unknown") if numbers[verdict]]
    yield sentences("", [f"{len(examination.checks)} checks: {', '.join(counts)}."])

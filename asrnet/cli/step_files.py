"""The summary and output files of a GitHub workflow's step, to which every command of the step appends."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from asrnet.errors import InputError
from asrnet.render import github

if TYPE_CHECKING:
    from asrnet.model.plan import Plan
    from asrnet.render import View


class StepFiles(Struct, frozen=True):
    """The paths of both files; None outside of a workflow."""

    summary: str | None
    outputs: str | None

    @classmethod
    def of(cls, variables: Mapping[str, str]) -> StepFiles:
        """The files that the workflow's variables name. Raises InputError if one cannot be written."""
        files = cls(variables.get("GITHUB_STEP_SUMMARY"), variables.get("GITHUB_OUTPUT"))
        for path in filter(None, (files.summary, files.outputs)):
            _append(path, "")
        return files

    def append(self, plan: Plan, view: View) -> None:
        """Append the summary and the outputs of this run."""
        if self.summary:
            used = 0
            with suppress(OSError):  # if the file cannot be read, appending to it reports the problem
                used = Path(self.summary).stat().st_size
            _append(self.summary, github.summary(plan, view, room=github.SUMMARY_LIMIT - used))
        if self.outputs:
            _append(self.outputs, github.outputs(plan, view))


def _append(path: str, text: str) -> None:
    try:
        with Path(path).open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be written: {why}", hint="GitHub sets this path for each step") from error

"""The summary and outputs of a step in a GitHub workflow: files that every command of the step appends to."""

from __future__ import annotations

from collections.abc import Mapping
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
        """The files that the workflow's variables name. Raises InputError where one cannot be written."""
        files = cls(variables.get("GITHUB_STEP_SUMMARY"), variables.get("GITHUB_OUTPUT"))
        for path in filter(None, (files.summary, files.outputs)):
            _append(path, "")
        return files

    def append(self, plan: Plan, view: View) -> None:
        """Append the summary and the outputs of this run."""
        if self.summary:
            _append(self.summary, github.summary(plan, view, room=github.SUMMARY_LIMIT - _size(self.summary)))
        if self.outputs:
            _append(self.outputs, github.outputs(plan, view))


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:  # writing to it will say what is wrong
        return 0


def _append(path: str, text: str) -> None:
    try:
        with Path(path).open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{path}: cannot be written: {why}", hint="GitHub sets this path for each step") from error

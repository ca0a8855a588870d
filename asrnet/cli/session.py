"""What every command starts from: its settings and arguments, the desired state, the backend, where output goes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from asrnet import settings as options
from asrnet.cli import logs, streams
from asrnet.cli.overwrite_check import check_kept
from asrnet.cli.stopwatch import WATCH
from asrnet.errors import AsrError
from asrnet.render import Run, View
from asrnet.settings import Settings

if TYPE_CHECKING:
    from asrnet.cli.arguments import Invocation
    from asrnet.desired import DesiredState
    from asrnet.inventory.read import Inventory
    from asrnet.model.plan import Plan
    from asrnet.ports import Backend


class Session(Struct, frozen=True):
    """One run of one command, which ``started`` at this time; ``run`` is its id, a GUID."""

    command: str
    settings: Settings
    arguments: Mapping[str, Any]
    started: float = 0.0
    run: str = ""

    @classmethod
    def of(cls, invocation: Invocation) -> Session:
        """Read the settings, set up what is told on standard error, and tell what the settings complain about."""
        settings = options.from_process(invocation.arguments)
        run = _new_id()
        logs.configure(settings, run=run)
        for warning in settings.warnings:
            logs.warn(warning)
        return cls(invocation.command, settings, invocation.arguments, time.time(), run)

    def argument(self, name: str, default: Any = None) -> Any:
        """An argument of the command's own; ``default`` where it was not given."""
        return self.arguments.get(name, default)

    @property
    def warnings_count(self) -> bool:
        """Whether warnings count as drift."""
        return self.command == "drift" and self.settings.fail_on == "warning"

    def so_far(
        self,
        *,
        inventory: Inventory | None = None,
        left: Plan | None = None,
        requests: Mapping[str, int] | None = None,
    ) -> Run:
        """What there is to tell of the run by now."""
        now = time.time()
        return Run(at=now, seconds=now - self.started, requests=requests or {}, inventory=inventory, left=left)

    def view(self, *, all_pairs: bool = False, run: Run | None = None) -> View:
        """For whom standard output is drawn."""
        width = streams.width()
        checkout = self.settings.variables.get("GITHUB_WORKSPACE")
        return View(
            verbose=self.settings.verbose > 0,
            all_pairs=all_pairs,
            width=width,
            colour=width is not None and "NO_COLOR" not in self.settings.variables,
            forced=self.settings.force,
            warnings_count=self.warnings_count,
            run=run or Run(),
            folder=os.path.realpath(os.curdir),
            workspace=os.path.realpath(checkout) if checkout else "",
        )

    @contextmanager
    def backend(self, desired: DesiredState | None = None, *, cloud: str | None = None) -> Iterator[Backend]:
        """The backend, closed at the end: a fake world is saved then. InputError where an output is a file it reads."""
        check_kept(self, desired)
        WATCH.mark("files")
        from asrnet import backends

        backend = backends.connect(
            self.settings,
            cloud=desired.cloud if desired else cloud,
            subscriptions=tuple(desired.subscriptions.values()) if desired else (),
            run=self.run,
        )
        WATCH.mark("import")
        if self.settings.verbose:
            with suppress(AsrError):  # it is told where it matters
                backend.identity()  # every request waits for the sign-in anyway
            WATCH.mark("credential")
        try:
            yield backend
        finally:
            WATCH.mark("reads")
            backend.close()


def _new_id() -> str:
    """A random GUID; the module uuid takes longer to import than this to make."""
    digits = os.urandom(16).hex()
    return "-".join((digits[:8], digits[8:12], f"4{digits[13:16]}", f"a{digits[17:20]}", digits[20:]))

"""The session that every command receives: its settings, the backend, the terminal."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec
from msgspec import Struct, structs

from asrnet import settings as options
from asrnet.cli import logs, streams
from asrnet.cli.overwrite_check import check_overwrites
from asrnet.cli.stopwatch import WATCH
from asrnet.errors import AsrError, InputError
from asrnet.render import Run, View
from asrnet.settings import Settings

if TYPE_CHECKING:
    from asrnet.cli.arguments import Invocation
    from asrnet.desired import DesiredState
    from asrnet.inventory.read import Inventory
    from asrnet.model.plan import Plan
    from asrnet.ports import Backend

S_co = TypeVar("S_co", bound=Settings, covariant=True)


class Stage(Struct):
    """How far a run has come. Once it ``is_begun``, its options and its files have been read, and were right."""

    is_begun: bool = False


class Session(Struct, Generic[S_co], frozen=True):
    """One run of a command. ``started`` is in seconds since 1970; ``run`` is the run's id, a GUID.

    ``arguments`` names the arguments in the order of the command line. ``mistakes``, ``unclear`` and ``is_complete``
    are those of ``Invocation``, for the variables as well.
    """

    command: str
    settings: S_co
    started: float = 0.0
    run: str = ""
    arguments: tuple[str, ...] = ()
    mistakes: tuple[InputError, ...] = ()
    unclear: frozenset[str] = frozenset()
    is_complete: bool = True
    stage: Stage = msgspec.field(default_factory=Stage)

    @classmethod
    def of(cls, invocation: Invocation) -> Session[Settings]:
        """Read the settings, set up logging, and log the warnings about the settings.

        The session has all mistakes in the arguments and the variables, and outputs that would overwrite input files.
        """
        examined = options.examine_process(
            invocation.arguments,
            invocation.command,
            unclear=invocation.unclear,
            is_complete=invocation.is_complete,
        )
        settings = examined.settings
        # A random GUID made by hand, because importing uuid takes longer than the rest of this method.
        digits = os.urandom(16).hex()
        run = "-".join((digits[:8], digits[8:12], f"4{digits[13:16]}", f"a{digits[17:20]}", digits[20:]))
        logs.configure(settings, run=run)
        for warning in settings.warnings:
            logs.warn(warning)
        session = Session(
            command=invocation.command,
            settings=settings,
            started=time.time(),
            run=run,
            arguments=tuple(invocation.arguments),
            mistakes=(*invocation.mistakes, *examined.mistakes),
            unclear=examined.unclear,
            is_complete=examined.is_complete,
        )
        mistakes = list(session.mistakes)
        try:
            check_overwrites(settings, command=invocation.command)
        except InputError as error:
            mistakes.append(error)
        # If an option is unknown, it may be the one that seems to be missing.
        if hasattr(invocation.module, "option_mistakes") and session.is_complete:
            mistakes += invocation.module.option_mistakes(session)
        return structs.replace(session, mistakes=tuple(mistakes))

    def so_far(
        self,
        *,
        inventory: Inventory | None = None,
        left: Plan | None = None,
        requests: Mapping[str, int] | None = None,
    ) -> Run:
        """The facts known about the run so far, for the formats that report them."""
        at = time.time()
        return Run(at=at, seconds=at - self.started, requests=requests or {}, inventory=inventory, left=left)

    def view(
        self, *, all_pairs: bool = False, run: Run | None = None, aliases: Mapping[str, str] | None = None
    ) -> View:
        """How documents are rendered for standard output."""
        colour = streams.wants_colour(self.settings.variables)
        width = streams.width()
        if width is None and colour:  # colours are forced, as for a build log that shows them
            width = streams.usual_width()
        checkout = self.settings.variables.get("GITHUB_WORKSPACE")
        return View(
            verbose=self.settings.verbose > 0,
            all_pairs=all_pairs,
            width=width,
            colour=colour,
            forced=self.settings.force,
            warnings_count=self.settings.warnings_count,
            run=run or Run(),
            folder=os.path.realpath(os.curdir),
            workspace=os.path.realpath(checkout) if checkout else "",
            aliases=aliases or {},
        )

    @contextmanager
    def backend(self, desired: DesiredState | None = None, *, cloud: str | None = None) -> Iterator[Backend]:
        """Connect the backend and close it at the end, which saves a fake world."""
        WATCH.mark("files")
        from asrnet import backends

        backend = backends.connect(
            self.settings,
            cloud=desired.cloud if desired else cloud,
            subscriptions=tuple(desired.subscriptions.values()) if desired else (),
            run=self.run,
            whole_process=True,
        )
        self.stage.is_begun = True
        WATCH.mark("import")
        if self.settings.verbose:
            # Signing in here lets the stopwatch measure it separately. The first request would wait for it anyway, and
            # reports a failure.
            with suppress(AsrError):
                backend.identity()
            WATCH.mark("credential")
        try:
            yield backend
        finally:
            WATCH.mark("reads")
            backend.close()

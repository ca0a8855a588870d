"""Plan, apply, plan again and show, against a simulated Azure in this process, through Microsoft's own SDKs.

It needs no subscription, no network and no files, and writes nothing. With --out it writes the desired state and the
world of the demo to a folder instead, to try every command on.
"""

from __future__ import annotations

import os
import shlex
from contextlib import closing
from importlib import resources
from pathlib import Path
from typing import Final

from asrnet import exit_codes
from asrnet.cli import streams
from asrnet.cli.progress import show_progress
from asrnet.cli.session import Session
from asrnet.errors import InputError
from asrnet.files.atomic import PendingFile, writing_advice
from asrnet.render.wording import printable
from asrnet.settings.tools import DemoSettings

EXAMPLES: Final = (
    ("asrnet demo", "two pairs and a rule, applied in a few seconds"),
    ("asrnet demo --out mine", "write the files of the demo, to try more commands"),
)
EXITS: Final = {0: "done", 1: "the folder already has one of the files, or another error"}
FILES: Final = ("asrnet.yaml", "world.yaml")
"""The files of the demo, those of examples/01-two-regions."""


def run(session: Session[DemoSettings]) -> int:
    """Play the demo, or write its files."""
    if session.settings.out:
        _write_files(session.settings.out)
        return exit_codes.DONE
    return _play(session)


def _play(session: Session[DemoSettings]) -> int:
    from asrnet import applying, backends, desired, planning
    from asrnet.inventory import live_pairs, read
    from asrnet.render import render

    with resources.as_file(resources.files("asrnet.cli") / "demo") as folder:
        state = desired.load_desired(folder / "asrnet.yaml")
        with closing(backends.in_process(str(folder / "world.yaml"))) as backend:
            streams.write("$ asrnet plan\n\n")
            plan = planning.plan(state, read.read_inventory(state, backend))
            streams.write(render(plan, "text", session.view()) + "\n")
            streams.write("$ asrnet apply --yes\n\n")
            with show_progress(plan, session) as on_progress:
                report = applying.apply(plan, backend, on_progress=on_progress)
            streams.write(render(report, "text", session.view()) + "\n")
            streams.write("$ asrnet plan\n\n")
            inventory = read.read_inventory(state, backend)
            plan_after = planning.plan(state, inventory)
            streams.write(render(plan_after, "text", session.view()) + "\n")
            streams.write("$ asrnet show\n\n")
            pairs = live_pairs.live_pairs(inventory, state)
            streams.write(render(pairs, "text", session.view(all_pairs=True)))
    return exit_codes.ERROR if plan_after.changes or report.result != "succeeded" else exit_codes.DONE


def _write_files(out: str) -> None:
    folder = Path(out)
    existing = [name for name in FILES if os.path.exists(folder / name)]  # noqa: PTH110 - Path.exists raises for a long name
    if existing:
        raise InputError(
            f"--out: {out} has a file {existing[0]} already, and demo replaces nothing", hint="give another folder"
        )
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--out: {out} cannot be made: {error.strerror}", hint=writing_advice(out, error)) from error
    for name in FILES:
        PendingFile(folder / name).commit((resources.files("asrnet.cli") / "demo" / name).read_text("utf-8"))
    streams.write(
        f"{printable(out)}: asrnet.yaml and world.yaml written\n"
        f"next:\n  cd {printable(shlex.quote(out))}\n  export ASRNET_BACKEND=fake:world.yaml\n  asrnet plan\n"
    )

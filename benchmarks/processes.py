"""Programs, run and measured as the operating system counts: time on the wall, processor time, peak memory."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

# Without bytecode from an earlier run, every start would compile the SDKs, which no usual installation does. Terraform
# refuses a plug-in folder that is also its cache.
_LEFT_OUT = ("ASRNET_", "AZURE_", "ARM_", "TF_", "REQUESTS_CA", "SSL_CERT", "PYTHONDONTWRITEBYTECODE")
_PEAKS_A_MEGABYTE = 1024 * 1024 if sys.platform == "darwin" else 1024
_LAUNCHER = Path(__file__).with_name("launcher.py")


class Ran(Struct, frozen=True, kw_only=True):
    """What a program cost, in seconds and megabytes, and what it printed. Children count if they were waited for."""

    wall: float
    cpu: float
    megabytes: float
    out: str = ""


class ProgramFailedError(Exception):
    """A program that is measured did not do its work."""


def run(words: Sequence[str], *, folder: Path, environment: Mapping[str, str] | None = None) -> Ran:
    """Run a program in ``folder`` to its end. Raises ProgramFailedError if it does not exit with 0."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)}
    kept["PYTHONPATH"] = str(_LAUNCHER.parent.parent)
    file = folder / "cost.json"
    launched = [sys.executable, "-S", str(_LAUNCHER), str(file), *words]
    done = subprocess.run(
        launched, cwd=folder, env={**kept, **(environment or {})}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ProgramFailedError(f"{' '.join(words[:6])} exited with {done.returncode}: {done.stderr[-2000:]}")
    cost = json.loads(file.read_text("utf-8"))
    return Ran(wall=cost["wall"], cpu=cost["cpu"], megabytes=cost["peak"] / _PEAKS_A_MEGABYTE, out=done.stdout)

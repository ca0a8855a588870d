"""Programs, run and measured as the operating system counts: time on the wall, processor time, peak memory."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec import Struct

_OURS = ("ASRNET_", "AZURE_", "ARM_", "TF_VAR_", "REQUESTS_CA", "SSL_CERT")
_KILOBYTE = 1024 if os.uname().sysname == "Darwin" else 1


class Ran(Struct, frozen=True, kw_only=True):
    """What a program cost, in seconds and megabytes, and what it said. Children count where they were waited for."""

    code: int
    wall: float
    cpu: float
    megabytes: float
    out: str
    err: str


class ProgramFailedError(Exception):
    """A program that is measured did not do its work."""


def run(words: Sequence[str], *, folder: Path, environment: Mapping[str, str] | None = None) -> Ran:
    """Run a program to its end. Raises ProgramFailedError where it does not exit with 0."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
    kept["PYTHONPATH"] = str(Path(__file__).parent.parent)
    with (folder / "stdout").open("w+b") as out, (folder / "stderr").open("w+b") as err:
        began = time.monotonic()
        process = subprocess.Popen(words, cwd=folder, env={**kept, **(environment or {})}, stdout=out, stderr=err)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        texts = [(stream.seek(0), stream.read())[1].decode(errors="replace") for stream in (out, err)]
    if process.returncode:
        raise ProgramFailedError(f"{' '.join(words[:6])} exited with {process.returncode}: {texts[1][-2000:]}")
    return Ran(
        code=process.returncode,
        wall=wall,
        cpu=used.ru_utime + used.ru_stime,
        megabytes=used.ru_maxrss * 1024 / _KILOBYTE / 1024 / 1024,
        out=texts[0],
        err=texts[1],
    )

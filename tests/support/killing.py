"""Killing asrnet at a chosen point: for tests of what is left behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_AT_A_CALL = """
import os, signal, sys
left, words = int(sys.argv[1]), sys.argv[2:]
CALLS, AUDIT = {"write", "flush", "replace"}, {"write"}

def count(frame, event, function):
    global left
    if event != "c_call" or function.__name__ not in CALLS:
        return  # fast, because it runs for everything that asrnet calls
    files = frame.f_code.co_filename.endswith(("atomic.py", "pathlib.py", "apply_flow.py"))
    audit = "apply_flow.py" in frame.f_code.co_filename
    if files and function.__name__ in (AUDIT if audit else CALLS):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

import asrnet.backends, asrnet.clocks
from asrnet.cli import main
asrnet.backends.SystemClock = asrnet.clocks.SimulatedClock  # a fake in a file uses simulated time
sys.setprofile(count)
code = main(words)
sys.setprofile(None)
print(-left, file=sys.stderr)
sys.exit(code)
"""


def clean(folder: Path) -> dict[str, str]:
    """The environment without this machine's settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("ASRNET_", "AZURE_", "ARM_"))}
    return {**kept, "XDG_CACHE_HOME": str(folder)}


def command(*words: str) -> list[str]:
    """A command line of asrnet."""
    return [sys.executable, "-m", "asrnet", *words]


def killed_at(call: int, *words: str, folder: Path, told_to_end: bool = False) -> subprocess.CompletedProcess[str]:
    """asrnet, killed right before the ``call``-th time that it writes, flushes or replaces a file.

    If it ends before that, standard error ends with the number of calls. ``told_to_end``: with SIGTERM, once it has
    written a line.
    """
    with subprocess.Popen(
        [sys.executable, "-c", _AT_A_CALL, str(call), *words],
        cwd=folder,
        env=clean(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        if told_to_end and process.stdout:
            process.stdout.readline()
            process.terminate()
        out, errors = process.communicate(timeout=60)
    return subprocess.CompletedProcess(words, process.returncode, out, errors)

"""Start-up: what a command costs above ``python -c pass``, and which imports that is.

Runs are interleaved, so that a busy moment of the machine hits all of them; the best of each counts, because it was
disturbed the least.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.table import Table

EXAMPLE: Final = Path(__file__).parent.parent / "examples" / "01-two-regions"
CLI: Final = [sys.executable, "-m", "asrnet"]
BARE: Final = "python -c pass"
COMMANDS: Final = {
    BARE: ([sys.executable, "-c", "pass"], None),
    "import asrnet": ([sys.executable, "-c", "import asrnet"], None),
    "asrnet --help": ([*CLI, "--help"], 200),
    "asrnet validate": ([*CLI, "validate"], 300),
    "asrnet plan --backend fake:": ([*CLI, "plan", "--backend", "fake:world.yaml"], 300),
}
PARTS: Final = ("argparse", "logging", "msgspec", "yaml", "asrnet.settings", "asrnet.inventory", "asrnet.planning")


def main(rounds: int = 15) -> None:
    best = measured(rounds)
    table = Table(title=f"start-up, best of {rounds}; Python {platform.python_version()}, {os.cpu_count()} cores")
    for column in ("command", "ms", "above bare python", "to hold", ""):
        table.add_column(column, justify="left" if column == "command" else "right")
    for name, (_, limit) in COMMANDS.items():
        above = best[name] - best[BARE]
        verdict = "" if limit is None else "ok" if above <= limit else "over"
        table.add_row(name, f"{best[name]:.0f}", f"{above:.0f}" if name != BARE else "", str(limit or ""), verdict)
    console = Console()
    console.print(table)
    parts = Table(title="the imports of asrnet plan, own and below")
    parts.add_column("module")
    parts.add_column("ms", justify="right")
    for name, milliseconds in imports():
        parts.add_row(name, f"{milliseconds:.0f}")
    console.print(parts)


def measured(rounds: int) -> dict[str, float]:
    """The best time of each command, in milliseconds."""
    times: defaultdict[str, list[float]] = defaultdict(list)
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    for _ in range(rounds):
        for name, (argv, _) in COMMANDS.items():
            began = time.perf_counter()
            subprocess.run(argv, cwd=EXAMPLE, env=kept, check=True, capture_output=True)
            times[name].append((time.perf_counter() - began) * 1000)
    return {name: min(found) for name, found in times.items()}


def imports() -> list[tuple[str, float]]:
    """What -X importtime says of the larger parts."""
    argv = [sys.executable, "-X", "importtime", *CLI[1:], "plan", "--backend", "fake:world.yaml"]
    with tempfile.TemporaryFile() as trace:
        subprocess.run(argv, cwd=EXAMPLE, check=True, stdout=subprocess.DEVNULL, stderr=trace)
        trace.seek(0)
        lines = [line.decode().split("|") for line in trace if line.count(b"|") == 2]
    found = {name.strip(): int(total) / 1000 for _, total, name in lines if total.strip().isdigit()}
    return [(name, found[name]) for name in PARTS if name in found]


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))

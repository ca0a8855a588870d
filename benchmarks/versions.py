"""This checkout compared with another one: ``plan``, ``drift`` and ``apply`` as processes against one emulator.

    make -C ../asrnet-0.1 .venv/.installed
    python -m benchmarks.versions ../asrnet-0.1 [--sizes 1,20,200,2000] [--rounds 5] [--tasks plan,drift,apply]

Runs are interleaved, so that a busy moment of the machine hits all programs, and a first round is not counted: it
compiles bytecode. The medians count; the last column divides the time on the wall by that of the other checkout.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.emulator import Emulated, emulated
from benchmarks.fleet import count, sizes
from benchmarks.processes import Ran, run
from benchmarks.scenes import Conditions, desired_file

HERE = Path(__file__).parent.parent
COMMANDS = {"plan": ("plan",), "drift": ("drift",), "apply": ("apply", "--yes")}


def programs(task: str, pairs: int, other: Path, emulator: Emulated) -> Iterator[tuple[str, list[str], Path]]:
    """The name of each program that does a task, its words, and the checkout it is imported from."""
    where = ["--endpoint", emulator.url, "-o", "text=report.txt", "--quiet"]
    for name, checkout in (("other", other), ("this", HERE)):
        yield name, [str(checkout / ".venv" / "bin" / "asrnet"), *COMMANDS[task], *where], checkout
    if task == "plan":
        asrnet = str(HERE / ".venv" / "bin" / "asrnet")
        yield "this, by graph", [asrnet, *COMMANDS[task], "--inventory", "graph", *where], HERE
        yield "plain SDK", [sys.executable, "-m", "benchmarks.plain_sdk", task, emulator.url, str(pairs)], HERE


def measured(task: str, pairs: int, other: Path, rounds: int) -> dict[str, list[Ran]]:
    """Every program's runs, without the first. ``apply`` begins with nothing mapped, the others with everything."""
    runs: dict[str, list[Ran]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "asrnet.yaml").write_text(desired_file(pairs), "utf-8")
        with emulated(pairs, mapped=task != "apply", conditions=Conditions(), cache=name) as emulator:
            for number in range(rounds + 1):
                for program, words, checkout in programs(task, pairs, other, emulator):
                    emulator.reset()
                    environment = {**emulator.environment(), "PYTHONPATH": str(checkout)}
                    ran = run(words, folder=folder, environment=environment)
                    if number:
                        runs.setdefault(program, []).append(ran)
    return runs


def main() -> None:
    """Measure each task at each size, and print a row as soon as it is known."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("other", type=Path, help="a checkout with an environment of its own in .venv")
    parser.add_argument("--sizes", type=sizes, default=[1, 20, 200, 2000])
    parser.add_argument("--rounds", type=count, default=5)
    parser.add_argument("--tasks", default=",".join(COMMANDS), help="some of: " + ", ".join(COMMANDS))
    given = parser.parse_args()
    tasks = given.tasks.split(",")
    if not set(tasks) <= set(COMMANDS):
        parser.error(f"--tasks: only {', '.join(COMMANDS)}")
    table = Table("task", "pairs", "program", "wall s", "fastest s", "CPU s", "MB", "x of other")
    for task in tasks:
        for pairs in given.sizes:
            runs = measured(task, pairs, given.other.resolve(), given.rounds)
            wall = {program: statistics.median(ran.wall for ran in ran_each) for program, ran_each in runs.items()}
            for program, ran_each in runs.items():
                figures = [
                    wall[program],
                    min(ran.wall for ran in ran_each),
                    statistics.median(ran.cpu for ran in ran_each),
                ]
                megabytes = f"{max(ran.megabytes for ran in ran_each):.0f}"
                ratio = f"{wall[program] / wall['other']:.2f}"
                row = [task, f"{pairs:,}", program, *(f"{figure:.2f}" for figure in figures), megabytes, ratio]
                print(*row, file=sys.stderr, flush=True)
                table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()

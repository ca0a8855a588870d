"""Everything that is measured, in one table.

    python -m benchmarks [--write docs/performance.md] [the options of benchmarks.fleet]

Start-up, planning, reading, then plan and apply at growing sizes beside the floor and the peers. ``--write`` puts the
table, the machine and the date between the markers of that page.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import fleet, planning, reading, startup
from benchmarks.rows import Row, columns, markdown

BEGIN, END = "<!-- table -->", "<!-- end of the table -->"


def startup_rows() -> Iterator[Row]:
    """Start-up above ``python -c pass``, the best of several."""
    best = startup.measured(9)
    for name in startup.COMMANDS:
        if name != startup.BARE:
            yield Row(work=f"start-up: {name}", program="asrnet", wall=(best[name] - best[startup.BARE]) / 1000)


def planning_rows() -> Iterator[Row]:
    """Planning in memory, with how it grows."""
    for state, size, found, exponent in planning.rows(2):
        if size == max(planning.SIZES):
            work = f"planning {size:,} mappings, {state}; grows by the power {exponent:.2f}"
            seconds, megabytes = found["seconds"], found["megabytes"]
            yield Row(work=work, program="asrnet", cpu=seconds, megabytes=megabytes)


def reading_rows() -> Iterator[Row]:
    """Reading 10,000 mappings and 10,000 networks."""
    for place, found in reading.readings(10_000, 3):
        for who in reversed(reading.WHO):
            one = found[who]
            floor = found["floor"].wall if who != "floor" else None
            work = f"reading 10,000 mappings and networks, {place}"
            yield Row(work=work, program=who, wall=one.wall, cpu=one.cpu, megabytes=one.megabytes, floor=floor)


def machine() -> str:
    """What it ran on: no names, no paths."""
    load = os.getloadavg()[0]
    return (
        f"{datetime.now(UTC):%Y-%m-%d}; {os.cpu_count()} cores ({_processor()}), load {load:.1f} before the start; "
        f"{platform.system()}, {platform.python_implementation()} {platform.python_version()}; "
        f"asrnet {version('asrnet')}, azure-core {version('azure-core')}, msgspec {version('msgspec')}"
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def main() -> None:
    """Measure, print, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    fleet.add_arguments(parser)
    parser.add_argument("--write", type=Path, metavar="PAGE")
    given = parser.parse_args()
    where, what = machine(), fleet.fleet_of(given)
    said = str(what.weather)
    rows: list[Row] = []
    for part in (startup_rows(), planning_rows(), reading_rows(), what.rows()):
        for row in part:
            rows.append(row)
            print(f"measured: {row.work}, {row.program}", file=sys.stderr, flush=True)
    print(columns(rows))
    print(f"\n{where}\n{said}")
    if given.write:
        _write(given.write, f"{where}.\nThe emulator of plan and apply: {said}.\n\n{markdown(rows)}")


def _write(page: Path, text: str) -> None:
    before, _, rest = page.read_text("utf-8").partition(BEGIN)
    page.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.partition(END)[2]}", "utf-8")


if __name__ == "__main__":
    main()

"""Everything that is measured, in one table.

    python -m benchmarks [--quick] [--write docs/performance.md] [the options of benchmarks.fleet]

Start-up, planning, prediction and reading, then plan and apply at growing sizes, compared with the floor and the peers.
``--write`` puts the table, the machine and the date between the markers of that page.
"""

from __future__ import annotations

import argparse
import math
import os
import platform
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks import fleet, paging, planning, prediction, reading, startup
from benchmarks.processes import run
from benchmarks.rows import Row, columns, markdown


def startup_rows(rounds: int) -> Iterator[Row]:
    """Start-up above ``python -c pass``, the best of several."""
    best = startup.measured(rounds)
    for name in startup.COMMANDS:
        if name != startup.BARE:
            work = f"start-up above bare Python: {name}"
            yield Row(work=work, program="asrnet", wall=(best[name] - best[startup.BARE]) / 1000)


SDKS = ("azure.mgmt.core", "azure.mgmt.recoveryservicessiterecovery", "azure.mgmt.network", "azure.mgmt.resourcegraph")
"""The packages of Azure's SDKs that commands load."""


def import_rows(rounds: int) -> Iterator[Row]:
    """A Python that imports one of Azure's packages and does nothing else, the best of several."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for package in SDKS:
            # The first run only writes the bytecode. The one without bytecode looks for it in an empty folder.
            runs = [run([sys.executable, "-c", f"import {package}"], folder=folder) for _ in range(rounds + 1)][1:]
            without = [sys.executable, "-B", "-X", f"pycache_prefix={name}", "-c", f"import {package}"]
            for state, ran in (
                ("with bytecode", min(runs, key=lambda ran: ran.cpu)),
                ("without bytecode", run(without, folder=folder)),
            ):
                yield Row(
                    work=f"import {package}, {state}",
                    program="Python",
                    wall=ran.wall,
                    cpu=ran.cpu,
                    megabytes=ran.megabytes,
                )


def planning_rows(repeats: int, largest: int) -> Iterator[Row]:
    """Planning in memory, with how it grows."""
    sizes = [size for size in planning.SIZES if size <= largest]
    for state, size, found, exponent in planning.rows(repeats, sizes):
        work = f"planning {size:,} mappings, {state}{_growth(exponent)}"
        yield Row(work=work, program="asrnet", cpu=found["seconds"], megabytes=found["megabytes"])


def prediction_rows(repeats: int, largest: int) -> Iterator[Row]:
    """Prediction in memory, with how it grows."""
    sizes = [size for size in prediction.SIZES if size <= largest]
    for operation in prediction.OPERATIONS:
        for size, seconds, exponent, _ in prediction.measured(operation, repeats, sizes):
            if size == max(sizes):
                yield Row(
                    work=f"predicting {size:,} NICs, {operation}{_growth(exponent)}", program="asrnet", wall=seconds
                )


def _growth(exponent: float) -> str:
    return "" if math.isnan(exponent) else f", exponent {exponent:.2f}"


def reading_rows(rounds: int, mappings: int) -> Iterator[Row]:
    """Reading a number of mappings and as many networks."""
    for place, found in reading.readings(mappings, rounds):
        for who in reading.WHO:
            one = found[who]
            floor = found["floor"].wall if who != "floor" else None
            work = f"reading {mappings:,} mappings and networks, {place}"
            yield Row(
                work=work,
                program=who,
                wall=one.wall,
                cpu=one.cpu,
                emulator_cpu=one.emulator_cpu,
                megabytes=one.megabytes,
                floor=floor,
            )


def paging_rows(mappings: int, machines: int) -> Iterator[Row]:
    """The lists of an emulator with these numbers of mappings and machines."""
    for listing in paging.listings(mappings, machines):
        page = f"{listing.page * 1000:.1f} ms a page of 100, at most {listing.slowest * 1000:.0f}"
        yield Row(
            work=f"listing {listing.entries:,} {listing.what}, {page}",
            program="emulator",
            wall=listing.wall,
            emulator_cpu=listing.emulator_cpu,
            megabytes=listing.megabytes,
            methods={"GET": listing.pages},
        )


def machine() -> str:
    """A description of the machine and the versions, without names and paths."""
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


def parts(what: fleet.Fleet, *, quick: bool) -> tuple[Iterator[Row], ...]:
    """All measurements; a quick run repeats less and leaves the largest out."""
    if quick:
        small = (
            startup_rows(3),
            import_rows(1),
            planning_rows(1, 10_000),
            prediction_rows(1, 10_000),
            reading_rows(1, 2_000),
            paging_rows(2_000, 500),
        )
        return (*small, what.rows())
    large = (
        startup_rows(9),
        import_rows(3),
        planning_rows(2, 100_000),
        prediction_rows(2, 100_000),
        reading_rows(3, 10_000),
        paging_rows(paging.MAPPINGS, paging.MACHINES),
    )
    return (*large, what.rows())


def main() -> None:
    """Measure, print, and write where asked to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    fleet.add_arguments(parser)
    parser.add_argument("--write", type=Path, metavar="PAGE")
    given = parser.parse_args()
    if given.write:
        filled(given.write.read_text("utf-8"), "table", "")  # fails now rather than after ten minutes
    began, where, what = time.monotonic(), machine(), fleet.fleet_of(given)
    rows: list[Row] = []
    for part in parts(what, quick=given.quick):
        for row in part:
            rows.append(row)
            print(f"{time.monotonic() - began:4.0f} s: {row.work}, {row.program}", file=sys.stderr, flush=True)
    conditions = f"The emulator of plan and apply: {what.conditions}. It took {time.monotonic() - began:.0f} s in all."
    print(columns(rows))
    print(f"\n{where}\n{conditions}")
    if given.write:
        table = f"{where}.\n{conditions}\n\n{markdown(rows)}"
        given.write.write_text(filled(given.write.read_text("utf-8"), "table", table), "utf-8")


def filled(page: str, name: str, text: str) -> str:
    """``page`` with ``text`` between the two comments with the table's name."""
    before, begin, rest = page.partition(f"<!-- {name} -->")
    _, end, after = rest.partition(f"<!-- end of {name} -->")
    if not (begin and end):
        raise SystemExit(f"the page has no place for the table '{name}'")
    return f"{before}{begin}\n{text}\n{end}{after}"


if __name__ == "__main__":
    main()

"""Plan and apply at growing sizes: asrnet, the floor and the peers on the same emulator, over HTTPS.

python -m benchmarks.fleet [--sizes 1,20,200 | --quick] [--latency S] [--operation S] [--retry-after S] [--rounds N]
"""

from __future__ import annotations

import argparse
import math
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct, structs

from benchmarks.chains import chain_of_asrnet, chain_of_floor
from benchmarks.emulator import Emulated, emulated
from benchmarks.peers import PEERS, Peer, Task
from benchmarks.processes import ProgramFailedError, Ran, run
from benchmarks.rows import Row, columns
from benchmarks.scenes import Conditions, desired_file

SIZES = (1, 20, 200, 2_000)
QUICK_SIZES = (1, 20)
MANY = 200
"""Beyond this many pairs one round is enough: a busy moment of the machine weighs little in a long run."""


class Fleet(Struct, frozen=True, kw_only=True):
    """What is measured, and under which conditions."""

    sizes: Sequence[int] = SIZES
    conditions: Conditions = Conditions()
    rounds: int = 3
    peers: bool = True

    def rows(self) -> Iterator[Row]:
        """A row for each size, task and program, with the times that it is compared to."""
        _compile_all()
        walls: dict[tuple[str, str], float | None] = {}
        for row in self._measured():
            walls[row.work, row.program] = row.wall
            others = [name for name in ("floor", "asrnet") if row.program not in {"floor", name}]
            yield structs.replace(row, **{name: walls[row.work, name] for name in others})

    def _measured(self) -> Iterator[Row]:
        for pairs in self.sizes:
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                (folder / "asrnet.yaml").write_text(desired_file(pairs), "utf-8")
                for task in ("plan", "apply"):
                    yield from self._task(task, pairs, folder)

    def _task(self, task: Task, pairs: int, folder: Path) -> Iterator[Row]:
        with emulated(pairs, mapped=task == "plan", conditions=self.conditions, cache=str(folder)) as emulator:
            floor, own = self._best(task, pairs, emulator, folder)
            yield structs.replace(floor, chain=chain_of_floor(task, pairs))
            yield structs.replace(own, chain=chain_of_asrnet(task, pairs))
            for peer in PEERS:
                yield from self._peer(peer, task, pairs, emulator, folder)

    def _best(self, task: Task, pairs: int, emulator: Emulated, folder: Path) -> tuple[Row, Row]:
        """The floor's and asrnet's best rows; rounds alternate, so that a busy machine hits both."""
        programs = {"floor": _floor(task, pairs, emulator, self.conditions), "asrnet": _command(task, emulator)}
        found: dict[str, list[Row]] = {name: [] for name in programs}
        for _ in range(self.rounds if task == "plan" and pairs <= MANY else 1):
            for name, words in programs.items():
                emulator.reset()
                before = emulator.cpu()
                ran = run(words, folder=folder, environment=emulator.environment())
                found[name].append(_row(name, task, pairs, ran, emulator, before=before))
        floor, own = (min(each, key=lambda row: row.wall or 0.0) for each in found.values())
        return floor, own

    def _peer(self, peer: Peer, task: Task, pairs: int, emulator: Emulated, folder: Path) -> Iterator[Row]:
        work = _work(task, pairs)
        why = peer.absent() or ("" if self.peers else "not run in a quick check")
        if not why and pairs > peer.most(task):
            why = f"not run with more than {peer.most(task)} pairs"
        if why:
            yield Row(work=work, program=peer.name, note=why)
        elif not peer.plans_what_it_applied or task == "apply":
            emulator.reset()
            try:
                yield self._measure(peer, task, pairs, emulator, folder)
                if peer.plans_what_it_applied:
                    emulator.clear()
                    yield self._measure(peer, "plan", pairs, emulator, folder)
            except ProgramFailedError as error:  # a peer that fails loses its own row, and no other measurement
                print(error, file=sys.stderr)
                yield Row(work=work, program=peer.name, note="failed: standard error has the reason")

    def _measure(self, peer: Peer, task: Task, pairs: int, emulator: Emulated, folder: Path) -> Row:
        before = emulator.cpu()
        return _row(peer.name, task, pairs, peer.run(task, pairs, emulator, folder), emulator, before=before)


def _compile_all() -> None:
    """Compile all Python that is measured, so that no program pays for being the first."""
    with tempfile.TemporaryDirectory() as name:
        run([sys.executable, "-c", "import benchmarks.plain_sdk, benchmarks.floor"], folder=Path(name))


def _command(task: Task, emulator: Emulated) -> list[str]:
    words = [sys.executable, "-m", "asrnet", task, "--endpoint", emulator.url, "-o", "text=report.txt", "--quiet"]
    return [*words, "--yes"] if task == "apply" else words


def _floor(task: Task, pairs: int, emulator: Emulated, conditions: Conditions) -> list[str]:
    words = [sys.executable, "-m", "benchmarks.floor", task, emulator.url, str(pairs)]
    return [*words, "--operation", str(conditions.operation)]


def _row(program: str, task: Task, pairs: int, ran: Ran, emulator: Emulated, *, before: float | None) -> Row:
    after = emulator.cpu()
    return Row(
        work=_work(task, pairs),
        program=program,
        wall=ran.wall,
        cpu=ran.cpu,
        emulator_cpu=None if before is None or after is None else after - before,
        megabytes=ran.megabytes,
        methods=emulator.methods(),
        mappings=pairs * 2,
    )


def _work(task: Task, pairs: int) -> str:
    return f"{task}, {pairs:,} pair{'s' * (pairs > 1)}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options for the sizes and the conditions."""
    parser.add_argument(
        "--sizes", type=sizes, help=f"numbers of pairs, with commas; otherwise {SIZES}, or {QUICK_SIZES} if quick"
    )
    parser.add_argument("--quick", action="store_true", help="small sizes, once, and no peers: about a minute")
    parser.add_argument(
        "--latency", type=seconds, default=Conditions().latency, help="seconds of latency of each request"
    )
    parser.add_argument(
        "--operation", type=seconds, default=Conditions().operation, help="seconds that an operation takes"
    )
    parser.add_argument(
        "--retry-after", type=count, default=Conditions().retry_after, help="the Retry-After of accepted writes"
    )
    parser.add_argument("--rounds", type=count, default=3, help="how often a short run is repeated; the best counts")


def fleet_of(given: argparse.Namespace) -> Fleet:
    """The fleet that the arguments describe."""
    usual = QUICK_SIZES if given.quick else SIZES
    return Fleet(
        sizes=given.sizes or usual,
        conditions=Conditions(latency=given.latency, operation=given.operation, retry_after=given.retry_after),
        rounds=1 if given.quick else given.rounds,
        peers=not given.quick,
    )


def sizes(text: str) -> list[int]:
    """Numbers of pairs, with commas between them. Raises ArgumentTypeError."""
    return [count(part) for part in text.split(",")]


def count(text: str) -> int:
    """A whole number above zero. Raises ArgumentTypeError."""
    if text.strip().isdecimal() and int(text):
        return int(text)
    raise argparse.ArgumentTypeError(f"expected whole numbers above zero, found '{text}'")


def seconds(text: str) -> float:
    """A time, of zero or more. Raises ArgumentTypeError."""
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if 0.0 <= found < math.inf:
        return found
    raise argparse.ArgumentTypeError(f"expected seconds, found '{text}'")


def main() -> None:
    """Print the rows of the fleet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_arguments(parser)
    print(columns(list(fleet_of(parser.parse_args()).rows())))


if __name__ == "__main__":
    main()

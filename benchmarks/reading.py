"""Reading at scale: 10,000 mappings and 10,000 networks through asrnet and through the minimal program.

    python -m benchmarks.reading [--mappings N] [--rounds N]

``https``: from an emulator without latency in a process of its own, for which both readers then wait. ``from memory``:
the same answers, kept in the reader's process from an earlier reading, so that only the reader's own work is left. Only
the reading is timed, not start-up; rounds alternate, and the best of each counts.
"""

from __future__ import annotations

import argparse
import io
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import requests
from msgspec import Struct, structs
from msgspec import json as msgspec_json
from requests.adapters import BaseAdapter
from urllib3.response import HTTPResponse

from asrnet.azure import connect
from asrnet.azure.credentials import choose
from asrnet.clocks import SystemClock
from asrnet.emulator.transport import in_process
from asrnet.inventory import read as inventory
from asrnet.settings.clouds import PUBLIC
from benchmarks.emulator import Emulated, emulated
from benchmarks.floor import Floor, connected
from benchmarks.processes import run
from benchmarks.scenes import Conditions, desired, world

AT_ONCE = Conditions(latency=0.0, operation=0.0)
WHO = ("floor", "asrnet")
PLACES = ("https", "from memory")


class Reading(Struct, frozen=True, kw_only=True):
    """What reading everything once cost: seconds, processor seconds, and the peak of the process in megabytes."""

    wall: float
    cpu: float
    megabytes: float
    emulator_cpu: float | None = None


def read_once(who: str, url: str, pairs: int) -> Reading:
    """Read everything in this process; without ``url``, from the answers that a world gave to an earlier reading."""
    session, endpoint = _answers(url, pairs)
    if who == "floor":
        call: Callable[[], object] = Floor(session, endpoint, SystemClock()).read
    else:
        wanted = desired(pairs)
        credential = choose(PUBLIC, named="emulator")
        cloud = PUBLIC.reached_through(url) if url else PUBLIC
        shared = None if url else session
        backend = connect.backend(clock=SystemClock(), cloud=cloud, credential=credential, session=shared)
        call = lambda: inventory.read_inventory(wanted, backend)  # noqa: E731 - either of two calls
    if not url:
        call()
    began, busy = time.perf_counter(), time.process_time()
    call()
    return Reading(
        wall=time.perf_counter() - began,
        cpu=time.process_time() - busy,
        megabytes=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    )


class Remembering(BaseAdapter):
    """Answers a request that it has seen before with the answer of that time."""

    def __init__(self, behind: BaseAdapter) -> None:
        super().__init__()
        self._behind = behind
        self._seen: dict[str, tuple[bytes, requests.Response]] = {}

    def send(self, request: requests.PreparedRequest, *arguments: Any, **options: Any) -> requests.Response:
        url = str(request.url)
        if url not in self._seen:
            answer = self._behind.send(request, *arguments, **options)
            self._seen[url] = answer.raw.read(), answer
        body, answer = self._seen[url]
        again = requests.Response()
        again.status_code, again.headers, again.url, again.request = answer.status_code, answer.headers, url, request
        again.encoding = answer.encoding
        again.raw = HTTPResponse(io.BytesIO(body), dict(answer.headers), answer.status_code, preload_content=False)
        return again

    def close(self) -> None:
        """Nothing is held open."""


def _answers(url: str, pairs: int) -> tuple[requests.Session, str]:
    if url:
        return connected(), url
    session = in_process(world(pairs, mapped=True, conditions=AT_ONCE).world)
    session.mount("https://", Remembering(session.get_adapter(PUBLIC.endpoint)))
    return session, PUBLIC.endpoint


def readings(mappings: int, rounds: int) -> Iterator[tuple[str, dict[str, Reading]]]:
    """For each place the best reading of each program."""
    pairs = mappings // 2
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        with emulated(pairs, mapped=True, conditions=AT_ONCE, cache=name) as emulator:
            yield PLACES[0], _best(pairs, rounds, folder, emulator)
        yield PLACES[1], _best(pairs, rounds, folder, None)


def _best(pairs: int, rounds: int, folder: Path, emulator: Emulated | None) -> dict[str, Reading]:
    found: dict[str, list[Reading]] = {who: [] for who in WHO}
    for _ in range(rounds):
        for who in WHO:
            found[who].append(_read(who, pairs, folder, emulator))
    return {who: min(each, key=lambda one: one.wall) for who, each in found.items()}


def _read(who: str, pairs: int, folder: Path, emulator: Emulated | None) -> Reading:
    """One reading, in a process of its own."""
    words = [sys.executable, "-m", "benchmarks.reading", "--one", who, "--mappings", str(pairs * 2)]
    if emulator is None:
        return msgspec_json.decode(run([*words, "--url", ""], folder=folder).out, type=Reading)
    before = emulator.cpu()
    ran = run([*words, "--url", emulator.url], folder=folder, environment=emulator.environment())
    after = emulator.cpu()
    used = None if before is None or after is None else after - before
    return structs.replace(msgspec_json.decode(ran.out, type=Reading), emulator_cpu=used)


def main() -> None:
    """Print a line for each place and program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mappings", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--one", choices=WHO, help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(msgspec_json.encode(read_once(given.one, given.url, given.mappings // 2)).decode())
        return
    for place, found in readings(given.mappings, given.rounds):
        for who, one in found.items():
            ratio = one.wall / found["floor"].wall
            print(f"{place:<10} {who:<6} {one.wall:6.2f} s {one.cpu:6.2f} s CPU {one.megabytes:5.0f} MB {ratio:5.2f}x")


if __name__ == "__main__":
    main()

"""Lists of the emulator: how long their pages take with many mappings and machines in one vault, and its memory.

    python -m benchmarks.paging [MAPPINGS] [MACHINES]

The emulator answers without latency, and the reader does nothing but ask for the next page.
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Iterator
from typing import Final

import requests
from msgspec import Struct

from benchmarks.emulator import Emulated, emulated
from benchmarks.scenes import VAULT_ID, Conditions

MAPPINGS: Final = 20_000
MACHINES: Final = 5_000
_VERSION: Final = "2025-08-01"


class Listing(Struct, frozen=True, kw_only=True):
    """A list that was read to its end; ``page`` is what a page took on average, ``slowest`` the slowest one."""

    what: str
    entries: int
    pages: int
    wall: float
    page: float
    slowest: float
    emulator_cpu: float | None
    megabytes: float | None


def listings(mappings: int, machines: int) -> Iterator[Listing]:
    """All mappings and all machines of a vault, read once without being timed and once with."""
    conditions = Conditions(latency=0.0, operation=0.0)
    with (
        tempfile.TemporaryDirectory() as cache,
        emulated(mappings // 2, mapped=True, machines=machines, conditions=conditions, cache=cache) as emulator,
    ):
        for what, kind in (("mappings", "replicationNetworkMappings"), ("machines", "replicationProtectedItems")):
            _read(emulator, what, kind)
            yield _read(emulator, what, kind)


def _read(emulator: Emulated, what: str, kind: str) -> Listing:
    session = requests.Session()
    session.headers["Authorization"] = "Bearer made-up"
    url: str | None = f"{emulator.http}{VAULT_ID}/{kind}?api-version={_VERSION}"
    entries, times, before = 0, [], emulator.cpu()
    while url:
        begun = time.perf_counter()
        answer = session.get(url, timeout=60)
        times.append(time.perf_counter() - begun)
        answer.raise_for_status()
        document = answer.json()
        entries += len(document["value"])
        url = document["nextLink"]
    after = emulator.cpu()
    return Listing(
        what=what,
        entries=entries,
        pages=len(times),
        wall=sum(times),
        page=sum(times) / len(times),
        slowest=max(times),
        emulator_cpu=None if before is None or after is None else after - before,
        megabytes=emulator.megabytes(),
    )


def main() -> None:
    """Measure and print."""
    sizes = [int(argument) for argument in sys.argv[1:3]]
    for listing in listings(*(sizes or [MAPPINGS]), *([MACHINES] if len(sizes) < 2 else [])):
        print(listing)


if __name__ == "__main__":
    main()

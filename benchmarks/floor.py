"""The floor: the requests that no program can do without, sent by one that does nothing else.

Reading: the vault, its fabrics, mappings, machines and running jobs and the networks, side by side, page after page.
Mapping: the same, then a PUT for each mapping, four at a time; when the last operation must be over, one list of the
vault's jobs, and the list of mappings again. Connections, parallelism and headers are those of asrnet.

    python -m benchmarks.floor plan|apply URL PAIRS [--operation S]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import quote

import requests
from requests.adapters import HTTPAdapter

from asrnet.clocks import Bounded, SystemClock
from asrnet.model.arm import ArmId
from asrnet.ports import Clock
from benchmarks.scenes import FABRICS, HERE, NETWORKS, THERE, VAULT_ID, network_id

SITE_RECOVERY = "api-version=2025-08-01"
PER_VAULT = 4
READS = 8


class Floor:
    """Sends requests through ``session``; time and threads are the ``clock``'s."""

    def __init__(self, session: requests.Session, url: str, clock: Clock, *, at_once: int = PER_VAULT) -> None:
        self._session = session
        self._url = url
        self._clock = clock
        self._at_once = at_once

    def read(self) -> None:
        """All lists, side by side."""
        vault = f"{self._url}{VAULT_ID}"
        running = quote("jobStatus eq 'InProgress'")
        lists = [
            f"{vault}?api-version=2024-04-01",
            *(f"{vault}/{name}?{SITE_RECOVERY}" for name in ("replicationFabrics", "replicationNetworkMappings")),
            f"{vault}/replicationProtectedItems?{SITE_RECOVERY}",
            f"{vault}/replicationJobs?{SITE_RECOVERY}&$filter={running}",
            f"{self._url}{NETWORKS}?api-version=2024-05-01",
        ]
        self._all([partial(self._list, url) for url in lists], READS)

    def write(self, pairs: int, operation: float) -> None:
        """Map all pairs both ways, and see that it is done."""
        began = datetime.fromtimestamp(int(self._clock.now()), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        ways = [(number, *way) for number in range(pairs) for way in ((HERE, THERE), (THERE, HERE))]
        self._all([partial(self._put, *way) for way in ways], self._at_once)
        self._clock.sleep(operation)
        vault = f"{self._url}{VAULT_ID}"
        since = quote(f"startTime eq '{began}'")
        self._list(f"{vault}/replicationJobs?{SITE_RECOVERY}&$filter={since}")
        self._list(f"{vault}/replicationNetworkMappings?{SITE_RECOVERY}")

    def _all(self, calls: Iterable[Callable[[], None]], at_once: int) -> None:
        bounded = Bounded(self._clock, at_once)
        futures: list[Future[None]] = [bounded.start(call) for call in calls]
        bounded.settle(futures)
        for future in futures:
            future.result()

    def _list(self, url: str) -> None:
        following: str | None = url
        while following:
            following = self._send("GET", following).json().get("nextLink")

    def _put(self, number: int, primary: str, recovery: str) -> None:
        first, second = network_id(number, primary), network_id(number, recovery)
        url = f"{self._url}{_mapping_id(first, second, primary)}?{SITE_RECOVERY}"
        self._send("PUT", url, _body(first, second, recovery))

    def _send(self, method: str, url: str, body: Any = None) -> requests.Response:
        response = self._session.request(method, url, json=body, headers={"Authorization": "Bearer floor"})
        response.raise_for_status()
        return response


def _mapping_id(first: ArmId, second: ArmId, primary: str) -> ArmId:
    name = f"{first.name}-to-{second.name}"
    path = ("replicationNetworks", "azureNetwork", "replicationNetworkMappings", name)
    return VAULT_ID.child("replicationFabrics", FABRICS[primary], *path)


def _body(first: ArmId, second: ArmId, recovery: str) -> dict[str, Any]:
    details = {"instanceType": "AzureToAzure", "primaryNetworkId": str(first)}
    properties = {
        "recoveryNetworkId": str(second),
        "recoveryFabricName": FABRICS[recovery],
        "fabricSpecificDetails": details,
    }
    return {"properties": properties}


def connected() -> requests.Session:
    """A session with the same connections as asrnet's."""
    session = requests.Session()
    session.mount("https://", HTTPAdapter(pool_maxsize=64, max_retries=0))
    return session


def main() -> None:
    """Read, or read and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task", choices=["plan", "apply"])
    parser.add_argument("url")
    parser.add_argument("pairs", type=int)
    parser.add_argument("--operation", type=float, default=3.0)
    given = parser.parse_args()
    floor = Floor(connected(), given.url, SystemClock())
    floor.read()
    if given.task == "apply":
        floor.write(given.pairs, given.operation)


if __name__ == "__main__":
    main()

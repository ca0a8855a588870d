"""The emulator in a process of its own, with a world to measure on.

python -m benchmarks.emulator PAIRS [--mapped] [--latency S] [--operation S] [--retry-after S] [--cache FOLDER]
                              [--machines N]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from msgspec import Struct

from asrnet.emulator.app import App
from asrnet.emulator.serving import ServeOptions, running
from benchmarks.scenes import Conditions, world


class Emulated(Struct, frozen=True, kw_only=True):
    """An emulator that runs. ``url`` is its HTTPS address, ``http`` the plain one, ``ca`` the file of its authority."""

    url: str
    http: str
    ca: str
    process: int

    def environment(self) -> dict[str, str]:
        """The variables with which a client trusts it."""
        return {"REQUESTS_CA_BUNDLE": self.ca, "SSL_CERT_FILE": self.ca}

    def reset(self) -> None:
        """Put the world back as it was at the start, and empty the journal."""
        requests.post(f"{self.http}/_asrnet/reset", timeout=60).raise_for_status()

    def clear(self) -> None:
        """Empty the journal; the world stays as it is."""
        requests.delete(f"{self.http}/_asrnet/requests", timeout=60).raise_for_status()

    def methods(self) -> Mapping[str, int]:
        """The requests since the journal was emptied, by method."""
        counts: Mapping[str, int] = self._journal()["methods"]
        return counts

    def operations(self) -> Mapping[str, int]:
        """The same requests by operation."""
        counts: Mapping[str, int] = self._journal()["operations"]
        return counts

    def cpu(self) -> float | None:
        """The processor seconds it has used, which show whether the programs wait for it. None if not available."""
        try:
            fields = Path(f"/proc/{self.process}/stat").read_text("utf-8").rpartition(") ")[2].split()
        except OSError:
            return None
        user, system = fields[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float | None:
        """The peak of its memory so far. None if not available."""
        try:
            status = Path(f"/proc/{self.process}/status").read_text("utf-8")
        except OSError:
            return None
        return int(status.partition("VmHWM:")[2].split()[0]) / 1024

    def _journal(self) -> Any:
        return requests.get(f"{self.http}/_asrnet/requests", timeout=60).json()


@contextmanager
def emulated(pairs: int, *, mapped: bool, conditions: Conditions, cache: str, machines: int = 0) -> Iterator[Emulated]:
    """An emulator with ``pairs`` pairs and ``machines`` machines, for as long as the context lasts."""
    words = [sys.executable, "-m", "benchmarks.emulator", str(pairs), "--cache", cache, *["--mapped"] * mapped]
    words += ["--latency", str(conditions.latency), "--operation", str(conditions.operation)]
    words += ["--retry-after", str(conditions.retry_after), "--machines", str(machines)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        said = json.loads(process.stdout.readline())
        try:
            yield Emulated(url=said["https"], http=said["http"], ca=said["ca"], process=process.pid)
        finally:
            process.communicate()  # it ends when its standard input does


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", type=int)
    parser.add_argument("--mapped", action="store_true")
    parser.add_argument("--latency", type=float, default=Conditions().latency)
    parser.add_argument("--operation", type=float, default=Conditions().operation)
    parser.add_argument("--retry-after", type=int, default=Conditions().retry_after)
    parser.add_argument("--machines", type=int, default=0)
    parser.add_argument("--cache")
    given = parser.parse_args()
    conditions = Conditions(latency=given.latency, operation=given.operation, retry_after=given.retry_after)
    app = App(world(given.pairs, mapped=given.mapped, conditions=conditions, machines=given.machines).world)
    app.checkpoint()
    with running(app, ServeOptions(port=0, tls_port=0, cache=given.cache)) as found:
        print(found.announcement(), flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()

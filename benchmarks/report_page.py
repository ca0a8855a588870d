"""How long the HTML report of many pairs takes to make and to show, and how large it is.

``python benchmarks/report_page.py [PAIRS] [FILE]``; the times in the browser need a Chromium on this machine.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "support"))

import chromium
from states import EA, SEA, TwoRegions, row

from asrnet import planning
from asrnet.inventory import read as inventory
from asrnet.model.plan import Plan
from asrnet.render import Run, View, render

SHOWN = """
new Promise(done => {
  const paint = performance.getEntriesByName('first-contentful-paint')[0];
  const timing = performance.getEntriesByType('navigation')[0];
  done(`first paint ${Math.round(paint.startTime)} ms, loaded ${Math.round(timing.loadEventEnd)} ms`);
})
"""
FILTER = """
new Promise(done => {
  const search = document.getElementById('search');
  const start = performance.now();
  search.value = WORD;
  search.dispatchEvent(new Event('input', { bubbles: true }));
  requestAnimationFrame(() => requestAnimationFrame(() => done(Math.round(performance.now() - start))));
})
"""
OPEN = """
new Promise(done => {
  const start = performance.now();
  document.querySelectorAll('.pair')[5].click();
  requestAnimationFrame(() => requestAnimationFrame(() => done(Math.round(performance.now() - start))));
})
"""


def world(pairs: int) -> tuple[Plan, inventory.Inventory]:
    """A plan in which one pair in ten needs something: half of it, another target, or all of it."""
    regions = TwoRegions()
    subnets = {f"{name}-subnet": f"10.0.{number}.0/24" for number, name in enumerate(("web", "app", "data"))}
    rows = []
    for number in range(pairs):
        primary = regions.network(f"workload-{number:04d}-ea", EA, subnets=subnets, group=f"rg-team-{number % 40}")
        recovery = regions.network(f"workload-{number:04d}-sea", SEA, subnets=subnets, group=f"rg-team-{number % 40}")
        _map(regions, number, primary, recovery)
        rows.append(row(primary, recovery, name=f"workload-{number:04d}"))
    desired = regions.state(*rows)
    found = inventory.read_inventory(desired, regions.backend)
    return planning.plan(desired, found), found


def _map(regions: TwoRegions, number: int, primary: object, recovery: object) -> None:
    if number % 10:
        regions.map_both(primary, recovery)  # type: ignore[arg-type]  # what network() returned
    elif number % 30 == 0:
        regions.map(primary, recovery)  # type: ignore[arg-type]  # the same
    elif number % 30 == 10:
        old = regions.network(f"workload-{number:04d}-old", SEA)
        regions.map_both(primary, old)  # type: ignore[arg-type]  # the same


def main(pairs: int = 2000, file: str = "") -> None:
    """Measure and print."""
    plan, found = world(pairs)
    started = time.perf_counter()
    text = render(plan, "html", View(run=Run(at=time.time(), inventory=found)))
    print(f"{pairs} pairs: made in {time.perf_counter() - started:.2f} s, {len(text.encode()) / 1e6:.2f} MB")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(file or f"{folder}/report.html")
        path.write_text(text, "utf-8")
        program = chromium.executable()
        if program is None:
            print("no Chromium here")
            return
        with chromium.browser(program) as page:
            page.size(1280, 900)
            page.open(path.resolve().as_uri())
            print(page.run(SHOWN))
            for word in ("'workload-1'", "'half'", "'workload-1234'", "''"):
                print(f"filter {word}: {page.run(FILTER.replace('WORD', word))} ms")
            print(f"details: {page.run(OPEN)} ms")
            print(f"elements: {page.run('document.querySelectorAll(`*`).length')}")


if __name__ == "__main__":
    main(*(int(argument) if argument.isdigit() else argument for argument in sys.argv[1:]))  # type: ignore[arg-type]  # a number, then a path

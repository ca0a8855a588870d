"""Plan, apply, plan again on the first example: Microsoft's own SDKs, answered in this process by the fake Azure."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path

import asrnet
from asrnet import backends
from asrnet.render import View, render

EXAMPLE = Path(__file__).parent.parent / "examples" / "01-two-regions"


def main() -> int:
    """Show every step as the command line would."""
    desired = asrnet.load_desired(EXAMPLE / "asrnet.yaml")
    with closing(backends.in_process(str(EXAMPLE / "world.yaml"))) as backend:
        print("$ asrnet plan\n")
        plan = asrnet.plan(desired, asrnet.read_inventory(desired, backend))
        print(render(plan, "text"))
        print("$ asrnet apply --yes\n")
        report = asrnet.apply(plan, backend)
        print(render(report, "text"))
        print("$ asrnet plan\n")
        inventory = asrnet.read_inventory(desired, backend)
        again = asrnet.plan(desired, inventory)
        print(render(again, "text"))
        print("$ asrnet show\n")
        print(render(asrnet.live_pairs(inventory, desired), "text", View(all_pairs=True)))
    return 1 if again.changes or report.result != "succeeded" else 0


if __name__ == "__main__":
    sys.exit(main())

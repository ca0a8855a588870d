"""Make the pairs that a desired-state file asks for; print the plan and the end.

Azure is found as the command line finds it: AZURE_* variables, or whoever is
signed in to the Azure CLI. To try it without a subscription, in
examples/01-two-regions:

    ASRNET_BACKEND=fake:world.yaml python ../../scripts/provision.py

Exits 0 when all pairs are there, 1 on errors, 2 when a pair stays blocked, 3
when a limit refused.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import closing

import asrnet
from asrnet.render import render


def main() -> int:
    """Plan, show, apply, show."""
    desired = asrnet.load_desired(arguments().file)
    with closing(asrnet.connect(cloud=desired.cloud)) as backend:
        plan = asrnet.plan(desired, asrnet.read_inventory(desired, backend))
        print(render(plan, "text"))
        report = asrnet.apply(plan, backend, on_progress=lambda step: print(step.state, step.action, step.name))
    print(render(report, "text"))
    if report.result not in {"succeeded", "nothing_to_do"}:
        return 3 if report.result == "refused" else 1
    return 2 if report.summary.blocked else 0


def arguments() -> argparse.Namespace:
    """The command line. A mistake in it exits 1, since 2 means a blocked pair here."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", default="asrnet.yaml", help="the desired state (default: %(default)s)")
    try:
        return parser.parse_args()
    except SystemExit as leaving:
        sys.exit(1 if leaving.code else 0)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except asrnet.AsrError as error:
        print(f"{error.message}\n{error.hint}".rstrip(), file=sys.stderr)
        sys.exit(3 if isinstance(error, asrnet.RefusedError) else 1)

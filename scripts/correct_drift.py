"""For cron: find what moved, and correct it within the limits of the file.

Nothing is asked, and nothing printed when there was nothing to do. A line for
cron, every night at two:

    0 2 * * *  cd /srv/asrnet && .venv/bin/python correct_drift.py asrnet.yaml

Exits 0 when all is as declared, 1 on errors, 2 when something is left for a
person, 3 when a limit refused.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import closing

import asrnet
from asrnet.render import render


def main() -> int:
    """Plan, correct, plan again; print only when there was something to say."""
    desired = asrnet.load_desired(arguments().file)
    with closing(asrnet.connect(cloud=desired.cloud)) as backend:
        plan = asrnet.plan(desired, asrnet.read_inventory(desired, backend))
        if plan.changes:
            report = asrnet.apply(plan, backend)  # RefusedError where the plan is over a limit
            print(render(report, "text"))
            if report.result != "succeeded":
                return 3 if report.result == "refused" else 1
            plan = asrnet.plan(desired, asrnet.read_inventory(desired, backend))
    blocked = [found for found in plan.findings if found.severity == "error"]
    for found in blocked:
        print(f"{found.kind}: {found.message}", file=sys.stderr)
    return 2 if plan.changes or blocked else 0


def arguments() -> argparse.Namespace:
    """The command line. A mistake in it exits 1, since 2 means drift here."""
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

"""Create and repair the pairs of a file; print the plan and the result.

Signs in as the command line does: AZURE_* variables, or the Azure CLI. To try
it without a subscription, in examples/01-two-regions:

    ASRNET_BACKEND=fake:world.yaml python ../../scripts/provision.py

Exits 0 when all pairs exist, 1 on errors, 2 when a pair stays blocked, 3 when a
limit refused.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from typing import NoReturn

try:
    import asrnet
    from asrnet.render import render
except ModuleNotFoundError as error:
    sys.exit(f"{error}; install asrnet first, as README.md says: pip install . in the folder of the repository")


class Parser(argparse.ArgumentParser):
    """Exits 1 for a mistake on the command line, since 2 has a meaning of its own."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the mistake."""
        sys.exit(f"{self.format_usage()}{self.prog}: {message}")


def main() -> int:
    """Plan, show, apply, show."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", default="asrnet.yaml", help="the desired state (default: %(default)s)")
    desired = asrnet.load_desired(parser.parse_args().file)
    with closing(asrnet.connect(cloud=desired.cloud)) as backend:
        plan = asrnet.plan(desired, asrnet.read_inventory(desired, backend))
        print(render(plan, "text"))
        report = asrnet.apply(plan, backend, on_progress=lambda step: print(step.state, step.action, step.name))
    print(render(report, "text"))
    return asrnet.exit_code(report)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except asrnet.AsrError as error:
        print(f"error: {error}", *([f"hint: {error.hint}"] if error.hint else []), sep="\n", file=sys.stderr)
        sys.exit(3 if isinstance(error, asrnet.RefusedError) else 1)

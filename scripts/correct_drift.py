"""For cron: correct drift within the limits of the file.

Prints nothing when nothing had to be corrected. A line for cron, every night
at two:

    0 2 * * *  cd /srv/asrnet && .venv/bin/python correct_drift.py asrnet.yaml

Exits 0 when everything is as declared, 1 on errors, 2 when drift remains that a
person must settle, 3 when a limit refused.
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
    """Exits 1 for a mistake on the command line, since 2 means that drift remains."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the mistake."""
        sys.exit(f"{self.format_usage()}{self.prog}: {message}")


def main() -> int:
    """Correct drift, and print what was done and what is left."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", default="asrnet.yaml", help="the desired state (default: %(default)s)")
    desired = asrnet.load_desired(parser.parse_args().file)
    with closing(asrnet.connect(cloud=desired.cloud)) as backend:
        correction = asrnet.correct_drift(desired, backend)
    if correction.report.changes:
        print(render(correction.report, "text"))
    errors = [finding for finding in correction.left.findings if finding.severity == "error"] if correction.left else []
    for line in (*correction.refusals, *(f"{finding.kind}: {finding.message}" for finding in errors)):
        print(line, file=sys.stderr)
    return asrnet.exit_code(correction)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except asrnet.AsrError as error:
        print(f"error: {error}", *([f"hint: {error.hint}"] if error.hint else []), sep="\n", file=sys.stderr)
        sys.exit(3 if isinstance(error, asrnet.RefusedError) else 1)

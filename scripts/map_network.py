"""Map one network in both directions, as the portal does at a first replication.

A network that is already mapped keeps its recovery network. Any other is mapped
to the chosen network, or to a copy of itself in the region. Prints only the id
of the recovery network on standard output. For example:

    python map_network.py "$VAULT_ID" "$NETWORK_ID" southeastasia

Exits 0 when both mappings exist, 1 when they do not, 3 when the network is
mapped to another network than the chosen one.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from typing import NoReturn

try:
    import asrnet
except ModuleNotFoundError as error:
    sys.exit(f"{error}; install asrnet first, as README.md says: pip install . in the folder of the repository")


class Parser(argparse.ArgumentParser):
    """Exits 1 for a mistake on the command line."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the mistake."""
        sys.exit(f"{self.format_usage()}{self.prog}: {message}")


def main() -> int:
    """Make sure that both mappings exist."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vault", metavar="VAULT_ID", type=asrnet.ArmId, help="the Recovery Services vault")
    parser.add_argument("primary", metavar="NETWORK_ID", type=asrnet.ArmId, help="the network to map")
    parser.add_argument("to", metavar="REGION", help="the recovery region, such as southeastasia")
    parser.add_argument(
        "recovery", metavar="RECOVERY_NETWORK_ID", type=asrnet.ArmId, nargs="?", help="the network to map to"
    )
    parser.add_argument(
        "--machines", choices=("report", "follow"), default="report", help="whether its protected machines follow"
    )
    pair = vars(parser.parse_args())
    with closing(asrnet.connect()) as backend:
        report = asrnet.ensure_pair(backend, **pair)
    for finding in report.findings:
        print(f"{finding.severity}: {finding.message}", file=sys.stderr)
    for change in report.changes:
        print(f"{change.outcome}: {change.action} {change.name} {change.error or ''}".rstrip(), file=sys.stderr)
    if report.result not in {"succeeded", "nothing_to_do"} or report.summary.blocked:
        return 1
    print(report.pairs[0].recovery_network_id)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except asrnet.AsrError as error:
        print(f"error: {error}", *([f"hint: {error.hint}"] if error.hint else []), sep="\n", file=sys.stderr)
        sys.exit(3 if isinstance(error, asrnet.RefusedError) else 1)

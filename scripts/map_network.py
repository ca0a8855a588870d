"""Map one network and its way back, as the portal does at a first replication.

A network that is mapped keeps its recovery network; one that is not gets the
chosen network, or a copy of itself in the region. Once both mappings are there,
prints the id of the recovery network, and nothing else, on standard output:

    python map_network.py "$VAULT_ID" "$NETWORK_ID" southeastasia

Exits 0 when both mappings are there, 1 when not, 3 when the network is mapped
to another one than the chosen.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import closing

import asrnet


def main() -> int:
    """Make sure that both mappings exist."""
    with closing(asrnet.connect()) as backend:
        report = asrnet.ensure_pair(backend, **vars(arguments()))
    for finding in report.findings:
        print(f"{finding.severity}: {finding.message}", file=sys.stderr)
    for change in report.changes:
        print(f"{change.outcome}: {change.action} {change.name} {change.error or ''}".rstrip(), file=sys.stderr)
    if report.result not in {"succeeded", "nothing_to_do"} or report.summary.blocked:
        return 1
    print(report.pairs[0].recovery_network_id)
    return 0


def arguments() -> argparse.Namespace:
    """The command line. A mistake in it exits 1, as every other error does."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vault", metavar="VAULT_ID", type=asrnet.ArmId, help="the Recovery Services vault")
    parser.add_argument("primary", metavar="NETWORK_ID", type=asrnet.ArmId, help="the network to map")
    parser.add_argument("to", metavar="REGION", help="the recovery region, such as southeastasia")
    parser.add_argument(
        "recovery", metavar="RECOVERY_NETWORK_ID", type=asrnet.ArmId, nargs="?", help="the network to map to"
    )
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

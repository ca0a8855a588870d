"""Map one network and its way back, as the portal does at a first replication.

A network that is mapped keeps its recovery network; one that is not gets the
chosen network, or a copy of itself in the region. Prints the id of the recovery
network, and nothing else, on standard output. For example:

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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vault", metavar="VAULT_ID", type=asrnet.ArmId, help="the Recovery Services vault")
    parser.add_argument("primary", metavar="NETWORK_ID", type=asrnet.ArmId, help="the network to map")
    parser.add_argument("to", metavar="REGION", help="the recovery region, such as southeastasia")
    parser.add_argument(
        "recovery", metavar="RECOVERY_NETWORK_ID", type=asrnet.ArmId, nargs="?", help="the network to map to"
    )
    wanted = vars(parser.parse_args())
    with closing(asrnet.connect()) as backend:
        report = asrnet.ensure_pair(backend, **wanted)
    for found in report.findings:
        print(f"{found.severity}: {found.message}", file=sys.stderr)
    for change in report.changes:
        print(f"{change.outcome}: {change.action} {change.name} {change.error or ''}".rstrip(), file=sys.stderr)
    print(report.pairs[0].recovery_network_id)
    return 0 if report.result in {"succeeded", "nothing_to_do"} and not report.summary.blocked else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except asrnet.AsrError as error:
        print(f"{error.message}\n{error.hint}".rstrip(), file=sys.stderr)
        sys.exit(3 if isinstance(error, asrnet.RefusedError) else 1)

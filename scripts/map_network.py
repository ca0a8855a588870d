"""Map one network and its way back: ``python map_network.py VAULT_ID NETWORK_ID REGION [RECOVERY_NETWORK_ID]``.

What the portal does when replication is first enabled: a network that is mapped keeps its recovery network, one that
is not gets the chosen network, or a copy of itself in REGION. Prints the id of the recovery network.
"""

from __future__ import annotations

import sys
from contextlib import closing

import asrnet


def main(vault: str, primary: str, region: str, recovery: str | None = None) -> int:
    """Make sure that both mappings exist."""
    with closing(asrnet.connect()) as backend:
        report = asrnet.ensure_pair(
            backend,
            vault=asrnet.ArmId(vault),
            primary=asrnet.ArmId(primary),
            to=region,
            recovery=asrnet.ArmId(recovery) if recovery else None,
        )
    for found in report.findings:
        print(f"{found.severity}: {found.message}", file=sys.stderr)
    for change in report.changes:
        print(f"{change.outcome}: {change.action} {change.name} {change.error or ''}".rstrip(), file=sys.stderr)
    print(report.pairs[0].recovery_network_id)
    return 0 if report.result in {"succeeded", "nothing_to_do"} and not report.summary.blocked else 1


if __name__ == "__main__":
    if len(sys.argv) not in {4, 5}:
        sys.exit(f"usage: {sys.argv[0]} VAULT_ID NETWORK_ID REGION [RECOVERY_NETWORK_ID]")
    try:
        sys.exit(main(*sys.argv[1:]))
    except asrnet.AsrError as error:
        sys.exit(f"{error.message}\n{error.hint}".rstrip())

"""Findings: what a person should know of a plan, each of a kind, and each kind of a severity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from asrnet.model.arm import ArmId

Severity = Literal["error", "warning", "info"]
FindingKind = Literal[
    "missing_pair",
    "half_pair",
    "retargeted",
    "not_paired",
    "missing_network",
    "missing_fabric",
    "missing_resource_group",
    "region_mismatch",
    "unknown",
    "cross_tenant",
    "ambiguous",
    "conflict",
    "duplicate",
    "target_not_available",
    "no_eligible_host",
    "network_without_logical_network",
    "logical_network_without_networks",
    "failover_active",
    "frozen",
    "orphan",
    "unmanaged",
    "stale_protected_item",
    "subnet_missing",
    "subnet_too_small",
    "fallback_subnet_reserved",
    "vault_in_primary_region",
    "address_space_differs",
    "not_copied",
    "copied_dns",
    "zone_to_zone",
    "retired_scenario",
]

SEVERITIES: Final[Mapping[FindingKind, Severity]] = {
    "missing_pair": "warning",
    "half_pair": "warning",
    "retargeted": "warning",
    "not_paired": "warning",
    "missing_network": "error",
    "missing_fabric": "error",
    "missing_resource_group": "error",
    "region_mismatch": "error",
    "unknown": "error",
    "cross_tenant": "error",
    "ambiguous": "error",
    "conflict": "error",
    "duplicate": "error",
    "target_not_available": "error",
    "no_eligible_host": "warning",
    "network_without_logical_network": "warning",
    "logical_network_without_networks": "warning",
    "failover_active": "error",
    "frozen": "error",
    "orphan": "warning",
    "unmanaged": "warning",
    "stale_protected_item": "warning",
    "subnet_missing": "warning",
    "subnet_too_small": "warning",
    "fallback_subnet_reserved": "warning",
    "vault_in_primary_region": "warning",
    "address_space_differs": "info",
    "not_copied": "info",
    "copied_dns": "info",
    "zone_to_zone": "info",
    "retired_scenario": "info",
}

CORRECTED: Final[frozenset[FindingKind]] = frozenset({"missing_pair", "half_pair", "retargeted", "not_paired"})
"""What changes correct: it counts as drift through them."""
UNREAD: Final[frozenset[FindingKind]] = frozenset({"unknown", "cross_tenant"})
"""What could not be found out."""
HOLDS: Final[frozenset[FindingKind]] = frozenset({"failover_active", "frozen"})
"""What makes changes wait."""


class Finding(Struct, frozen=True, gc=False, kw_only=True):
    """Something a person should know. Errors block their pair; ``subject`` is the id or name it is about."""

    kind: FindingKind
    severity: Severity
    message: str
    vault: str | None = None
    pair: str | None = None
    subject: str | None = None
    hint: str = ""

    def counts(self, *, warnings_count: bool = False) -> bool:
        """Whether it counts as drift by itself; pending changes do beside it."""
        return self.severity == "error" or (warnings_count and self.severity == "warning")


def finding(
    kind: FindingKind,
    message: str,
    *,
    vault: str | None = None,
    pair: str | None = None,
    subject: ArmId | str | None = None,
    hint: str = "",
) -> Finding:
    """A finding with the severity its kind has."""
    return Finding(
        kind=kind,
        severity=SEVERITIES[kind],
        message=message,
        vault=vault,
        pair=pair,
        subject=None if subject is None else str(subject),
        hint=hint,
    )

"""A prediction as flat rows, one for each address, with a column for each answer and each rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from asrnet.failover import Landing, Prediction, Rule

COLUMNS: Final[tuple[str, ...]] = (
    *("machine", "nic", "ip_configuration", "kind", "outcome"),
    *("primary_network", "primary_subnet", "primary_ip", "primary_ip_type"),
    *("via_network", "network", "subnet", "ip", "ip_type"),
    *("rule", "sentence", "source"),
    *("network_rule", "subnet_rule", "address_rule", "type_rule"),
    *("own_network_id", "mapped_network_id", "own_subnet", "named_subnet"),
    *("recovery_plan", "hosts", "warnings", "notes", "detail"),
    *("primary_network_id", "network_id", "via_ip", "item_id"),
)
"""The columns, the most important first. New ones are added at the end, so that readers by position keep working."""

_PLAIN: Final = frozenset(COLUMNS) & frozenset(Landing.__struct_fields__)
_NO_NICS: Final = "Site Recovery does not report the NICs of this machine yet"
_NO_RULES: Final = "machines of this provider are not predicted"


def prediction_rows(prediction: Prediction) -> Iterator[dict[str, str]]:
    """A row for each address, and one for each machine without NICs or without rules."""
    for landing in prediction.landings:
        yield _row(landing)
    for machine in prediction.without_nics:
        yield dict.fromkeys(COLUMNS, "") | {"machine": machine, "outcome": "unknown", "notes": _NO_NICS}
    for machine in prediction.out_of_scope:
        yield dict.fromkeys(COLUMNS, "") | {"machine": machine, "outcome": "unknown", "warnings": _NO_RULES}


def _row(landing: Landing) -> dict[str, str]:
    row = {}
    for column in COLUMNS:
        value = getattr(landing, column) if column in _PLAIN else None
        if isinstance(value, Rule):
            value = value.code
        elif isinstance(value, tuple):
            value = " ".join(value)
        row[column] = "" if value is None else str(value)
    messages = {
        severity: "; ".join(notice.message for notice in landing.notices if notice.severity == severity)
        for severity in ("warning", "info")
    }
    return row | {
        "sentence": landing.rule.sentence,
        "source": landing.rule.source,
        "warnings": messages["warning"],
        "notes": messages["info"],
    }

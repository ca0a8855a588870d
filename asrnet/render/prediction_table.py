"""A prediction as flat rows, one for each address, with a column for each answer and each rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from asrnet.failover import InterfaceComparison, Landing, Prediction, Rule
from asrnet.render.prediction_layout import settings_in_words

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

PLANNED_COLUMNS: Final[tuple[str, ...]] = (
    *("now_outcome", "now_network", "now_subnet", "now_ip", "now_rule", "now_network_id"),
)
"""The columns of a prediction for after a plan, behind the others: where the address lands today."""

_SETTINGS: Final = tuple(setting for setting, _ in settings_in_words(None))
INTERFACE_COLUMNS: Final[tuple[str, ...]] = (
    *(f"{setting.replace(' ', '_')}_{side}".lower() for setting in _SETTINGS for side in ("today", "there")),
    *("left_behind", "nic_unknown"),
)
"""The columns of a prediction that compares NICs, behind the others: what the address's NIC has on either side."""

_PLAIN: Final = frozenset(COLUMNS) & frozenset(Landing.__struct_fields__)
_NO_NICS: Final = "Site Recovery does not report the NICs of this machine yet"
_NO_RULES: Final = "machines of this provider are not predicted"


def columns_of(prediction: Prediction) -> tuple[str, ...]:
    """The columns that the rows of ``prediction`` have."""
    planned = PLANNED_COLUMNS if prediction.planned else ()
    return (*COLUMNS, *planned, *(INTERFACE_COLUMNS if prediction.interfaces else ()))


def prediction_rows(prediction: Prediction) -> Iterator[dict[str, str]]:
    """A row for each address, and one for each machine without NICs or without rules."""
    empty = dict.fromkeys(columns_of(prediction), "")
    comparisons = {(comparison.item_id, comparison.nic): comparison for comparison in prediction.interfaces}
    for landing in prediction.landings:
        row = empty | _row(landing)
        if (present := landing.now) is not None:
            places = (present.network, present.subnet, present.ip)
            values = (present.outcome, *places, present.rule.code, present.network_id)
            row |= {name: str(value or "") for name, value in zip(PLANNED_COLUMNS, values, strict=True)}
        if comparison := comparisons.get((landing.item_id, landing.nic)):
            row |= _interface(comparison)
        yield row
    for machine in prediction.without_nics:
        yield empty | {"machine": machine, "outcome": "unknown", "notes": _NO_NICS}
    for machine in prediction.out_of_scope:
        yield empty | {"machine": machine, "outcome": "unknown", "warnings": _NO_RULES}


def _interface(comparison: InterfaceComparison) -> dict[str, str]:
    sides = (dict(settings_in_words(comparison.today)), dict(settings_in_words(comparison.there)))
    values = (*(side[setting] for setting in _SETTINGS for side in sides),)
    lists = ("; ".join(comparison.left_behind), "; ".join(comparison.unknown))
    return dict(zip(INTERFACE_COLUMNS, (*values, *lists), strict=True))


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

"""The safety limits of a run and what ``--force`` lifts: the part of plans that options and desired states share."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

LIMIT_NAMES: Final = ("max_updates", "max_deletes", "max_change_percent", "max_rule_growth", "max_machines")
FORCEABLE: Final = (*LIMIT_NAMES, "failover_active", "reversed", "frozen")
"""What ``--force`` can lift, by name. ``reversed`` is lifted only for pairs that are named with ``--pair``."""

MachinesMode = Literal["report", "follow"]
"""Whether protected machines of pairs are only reported, or pointed at the pair's networks."""


class Limits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Safety limits, per vault and per run. Creates count only for ``max_rule_growth`` (pairs that rules add)."""

    max_updates: Annotated[
        int, Meta(description="How many mappings are updated at most. A retarget counts as one update.")
    ] = 10
    max_deletes: Annotated[int, Meta(description="How many unmanaged mappings are deleted at most.")] = 0
    max_change_percent: Annotated[
        int, Meta(description="What part of the existing mappings is updated or deleted at most, in percent.")
    ] = 30
    # In a vault with few mappings, a single retarget would exceed any percentage.
    min_existing: Annotated[
        int, Meta(description="How many mappings a vault must have for max_change_percent to apply.")
    ] = 10
    max_rule_growth: Annotated[int, Meta(description="How many pairs the rules add at most.")] = 20
    max_machines: Annotated[int, Meta(description="How many machines are pointed at another network at most.")] = 20

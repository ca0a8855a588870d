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
        int, Meta(description="The maximum number of mappings that are updated. A retarget counts as one update.")
    ] = 10
    max_deletes: Annotated[int, Meta(description="The maximum number of unmanaged mappings that are deleted.")] = 0
    max_change_percent: Annotated[
        int, Meta(description="The maximum share of the existing mappings that is updated or deleted, in percent.")
    ] = 30
    # In a vault with few mappings, a single retarget would exceed any percentage.
    min_existing: Annotated[
        int, Meta(description="The minimum number of mappings in a vault for max_change_percent to apply.")
    ] = 10
    max_rule_growth: Annotated[int, Meta(description="The maximum number of pairs that the rules add.")] = 20
    max_machines: Annotated[
        int, Meta(description="The maximum number of machines that are pointed at another network.")
    ] = 20

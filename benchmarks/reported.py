"""Figures of other tools that were reported elsewhere, beside what asrnet takes here for the same work.

They come from another machine of two cores and a stand-in of Azure on it, or from recorded traffic with Azure. Where a
tool is installed it is measured instead: see ``peers``.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from benchmarks.rows import Row

TERRAFORM = "terraform, azurerm 5.2.0"
REPORTED: Sequence[Row] = (
    Row(work="plan, 20 pairs", program=TERRAFORM, wall=2.4, methods={"in all": 43}, mappings=40),
    Row(work="plan, 200 pairs", program=TERRAFORM, wall=7.3, methods={"in all": 403}, mappings=400),
    Row(work="apply, 20 pairs", program=TERRAFORM, wall=125.0, methods={"in all": 165}, mappings=40),
    Row(
        work="apply, 200 pairs",
        program=f"{TERRAFORM}; operations finish at once, Retry-After 1",
        wall=56.0,
        methods={"in all": 1605},
        mappings=400,
    ),
    Row(work="apply, 1 pair", program="az, with Azure", wall=64.0, mappings=2),
    Row(work="plan, 1 pair", program="az network vnet list, with Azure", wall=8.5),
    Row(work="plan, 1 pair", program="az site-recovery network mapping list, with Azure", wall=1.4),
)


def compared(measured: Sequence[Row]) -> list[Row]:
    """What was reported of work that was ``measured``, each with asrnet's wall to compare."""
    own = {row.work: row.wall for row in measured if row.program == "asrnet"}
    return [structs.replace(row, asrnet=own[row.work]) for row in REPORTED if row.work in own]

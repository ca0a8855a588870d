"""The options of plan, apply, drift and map: the commands that plan changes or make them."""

# No "from __future__ import annotations" here: the annotations are the table, read as objects.

from typing import Annotated, Literal

from asrnet.settings import values
from asrnet.settings.table import CONSENT, FILES, Option, Settings


class PlanSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet plan`` takes."""

    out: Annotated[
        str | None,
        Option(help="save the plan, for: asrnet apply PLANFILE", metavar="PATH", barred=FILES, writes=True),
    ] = None
    detailed_exitcode: Annotated[bool, Option(help="exit 2, not 0, when changes are pending or a pair is blocked")] = (
        False
    )


class ApplySettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet apply`` takes."""

    planfile: Annotated[
        str | None,
        Option(
            help="a plan saved by asrnet plan --out",
            positional=True,
            metavar="PLANFILE",
            reads="the saved plan",
            instead_of="file",
        ),
    ] = None

    @property
    def changes_azure(self) -> bool:
        """Always."""
        return True


class DriftSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet drift`` takes."""

    correct: Annotated[bool, Option(help="correct what may be corrected, then plan again", barred=CONSENT)] = False
    only: Annotated[
        tuple[str, ...],
        Option(
            help="report, count and correct only this kind of drift, such as half_pair; each finding names its kind",
            group="Safety",
            metavar="KIND",
            parse=values.finding_kind,
            variable="ASRNET_ONLY",
        ),
    ] = ()
    ignore: Annotated[
        tuple[str, ...],
        Option(
            help="neither correct nor count this kind of drift",
            group="Safety",
            metavar="KIND",
            parse=values.finding_kind,
            variable="ASRNET_IGNORE",
        ),
    ] = ()
    fail_on: Annotated[
        Literal["error", "warning"],
        Option(help="which findings count as drift besides pending changes", group="Safety", variable="ASRNET_FAIL_ON"),
    ] = "error"

    @property
    def changes_azure(self) -> bool:
        """Whether drift is corrected."""
        return self.correct

    @property
    def warnings_count(self) -> bool:
        """Whether --fail-on warning is given."""
        return self.fail_on == "warning"


class MapSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet map`` takes."""

    primary: Annotated[
        str,
        Option(help="the network: a full id, or alias/resource group/name", positional=True, metavar="PRIMARY"),
    ]
    to: Annotated[str, Option(help="the recovery region", metavar="REGION")]
    recovery: Annotated[str | None, Option(help="the recovery network, in the recovery region", metavar="NETWORK")] = (
        None
    )
    retarget: Annotated[bool, Option(help="change a mapping that leads to another network", barred=CONSENT)] = False

    @property
    def changes_azure(self) -> bool:
        """Always."""
        return True

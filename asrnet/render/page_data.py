"""What the HTML report shows, as plain data: networks, pairs with their arrows, findings, steps."""

from __future__ import annotations

from msgspec import Struct

from asrnet.export.az import az_commands
from asrnet.model.findings import Finding
from asrnet.model.plan import Change
from asrnet.model.report import AppliedChange
from asrnet.render import wording
from asrnet.render.pair_status import error_of, outcome_of


class PageNetwork(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A node. ``state``: ``new`` is to be created, ``gone`` and ``unknown`` say what was found of it."""

    id: str
    name: str
    place: str
    space: tuple[str, ...] = ()
    state: str = ""


class PageArrow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An arrow between two networks, by their index, and what is the matter with the mapping.

    ``live`` is there and wanted, ``new`` wanted and not there, ``old`` there and to go, ``held`` there and not to be
    touched now, ``blocked`` wanted and not to be made now, ``broken`` there and not paired, ``absent`` wanted of
    another tool, ``failed`` tried in vain, ``stray`` there and asked for by nobody.
    """

    tail: int
    head: int
    look: str


class PageSubnet(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Two subnets of one name, side by side. ``lands`` is where machines land for want of a twin."""

    name: str
    primary: tuple[str, ...] = ()
    recovery: tuple[str, ...] = ()
    used: int = 0
    lands: str = ""
    small: bool = False


class PageFinding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A finding as it stands in the plan."""

    kind: str
    severity: str
    message: str
    hint: str = ""
    vault: str = ""


class PageStep(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One write, and the commands that would do the same."""

    action: str
    id: str
    az: tuple[str, ...] = ()


class PageChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What apply would do, or did."""

    label: str
    action: str
    vault: str
    reason: str
    steps: tuple[PageStep, ...]
    outcome: str = ""
    error: str = ""
    seconds: float = 0.0


class PageItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A row of the picture: a declared pair, or mappings that nobody declared (``declared`` False).

    ``status`` says how it stands, ``label`` the same in words; ``forward`` and ``reverse`` each direction.
    """

    name: str
    vault: str
    status: str
    label: str
    primary: int
    recovery: int
    arrows: tuple[PageArrow, ...]
    declared: bool = True
    source: str = ""
    managed_by: str = ""
    by_rule: bool = False
    forward: str = ""
    reverse: str = ""
    subnets: tuple[PageSubnet, ...] = ()
    findings: tuple[PageFinding, ...] = ()
    changes: tuple[PageChange, ...] = ()


class PageRule(Struct, frozen=True, kw_only=True):
    """A rule and the names of the networks it matched."""

    name: str
    networks: tuple[str, ...]


class Page(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The whole report. ``made`` is a time in ISO 8601; ``findings`` and ``changes`` are those of no pair."""

    kind: str
    summary: str
    made: str = ""
    cloud: str = ""
    statuses: tuple[tuple[str, str], ...] = ()
    networks: tuple[PageNetwork, ...] = ()
    items: tuple[PageItem, ...] = ()
    refusals: tuple[str, ...] = ()
    findings: tuple[PageFinding, ...] = ()
    changes: tuple[PageChange, ...] = ()
    rules: tuple[PageRule, ...] = ()


def page_finding(found: Finding) -> PageFinding:
    """A finding as the page has it."""
    return PageFinding(
        kind=found.kind, severity=found.severity, message=found.message, hint=found.hint, vault=found.vault or ""
    )


def page_change(change: Change) -> PageChange:
    """A change as the page has it."""
    return PageChange(
        label=wording.change_label(change),
        action=change.action,
        vault=change.vault,
        reason=change.reason,
        steps=tuple(
            PageStep(action=step.action, id=str(step.resource_id), az=az_commands(step)) for step in change.steps
        ),
        outcome=(outcome_of(change) or "").replace("_", " "),
        error=error_of(change) or "",
        seconds=change.seconds if isinstance(change, AppliedChange) else 0.0,
    )

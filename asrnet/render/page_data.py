"""The data of the HTML report: networks, pairs with their arrows, machines, findings, changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from asrnet.export.az import az_commands
from asrnet.model.azure import NetworkMapping, VirtualNetwork
from asrnet.model.findings import Finding, FindingKind
from asrnet.model.machine_networks import MachineNetworks
from asrnet.model.plan import Change
from asrnet.model.report import AppliedChange
from asrnet.render import wording
from asrnet.render.machine_table import ANY
from asrnet.render.pair_status import error_of, hint_of, outcome_of, warnings_of


class PageNetwork(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A network. ``state`` is ``new`` if the plan creates it, ``gone`` or ``unknown`` if it is missing or unread."""

    id: str
    name: str
    place: str
    space: tuple[str, ...] = ()
    state: str = ""


class PageArrow(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An arrow between two networks, given by index, with the state of its mapping in ``look``.

    ``live`` exists as declared, ``new`` will be created, ``old`` will be removed, ``held`` exists and must not change
    now, ``blocked`` is declared and cannot be created now, ``broken`` exists and is not paired, ``absent`` is left to
    another tool to create, ``failed`` could not be created, ``stray`` exists and is unmanaged.
    """

    tail: int
    head: int
    look: str


class PageSubnet(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A subnet and its match by name in the other network. ``lands`` is where machines land if there is no match."""

    name: str
    primary: tuple[str, ...] = ()
    recovery: tuple[str, ...] = ()
    used: int = 0
    lands: str = ""
    small: bool = False


class PageMachine(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A replicated machine of a pair, with its protection state and the networks that it lands on next.

    ``away``: it runs in the recovery region. ``runs_on`` is the id of the network that it runs on, where that may be a
    network of another pair. ``on_other_network``: it lands on another network than the pair's. ``moves`` has a line for
    each address that is moved, with its place before and after, and ``remark`` says why the machine stays where it is.
    """

    name: str
    state: str
    lands: tuple[str, ...] = ()
    away: bool = False
    runs_on: str = ""
    on_other_network: bool = False
    moves: tuple[str, ...] = ()
    remark: str = ""


class PageFinding(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A finding of the plan."""

    kind: str
    severity: str
    message: str
    hint: str = ""
    vault: str = ""


class PageMeaning(Struct, frozen=True, kw_only=True):
    """What ``asrnet explain`` prints about a kind of finding."""

    kind: str
    meaning: str
    remedy: str


class PageDifference(Struct, frozen=True, kw_only=True):
    """A value that an update changes."""

    name: str
    before: str
    after: str


class PageStep(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One write, and the equivalent az commands."""

    action: str
    id: str
    az: tuple[str, ...] = ()


class PageChange(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A change that apply would make, or made. ``machine`` is the name of the machine that it updates."""

    label: str
    machine: str = ""
    action: str
    vault: str
    reason: str
    steps: tuple[PageStep, ...]
    differences: tuple[PageDifference, ...] = ()
    outcome: str = ""
    error: str = ""
    hint: str = ""
    warnings: tuple[str, ...] = ()
    seconds: float = 0.0


class PageItem(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A row of the diagram: a declared pair, or unmanaged mappings (``declared`` False).

    ``status`` has the text ``label``; ``forward`` and ``reverse`` are the texts of the two directions.
    ``machines_away`` counts the machines that run in the recovery region.
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
    machines: tuple[PageMachine, ...] = ()
    machines_away: int = 0
    findings: tuple[PageFinding, ...] = ()
    changes: tuple[PageChange, ...] = ()


class PageRule(Struct, frozen=True, kw_only=True):
    """A rule and the names of the networks it matched."""

    name: str
    networks: tuple[str, ...]


class Page(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The whole report. ``made`` is a time in ISO 8601; ``findings`` and ``changes`` belong to no pair.

    ``meanings`` explains the kinds of all findings of the page.
    """

    kind: str
    summary: str
    made: str = ""
    cloud: str = ""
    statuses: tuple[tuple[str, str], ...] = ()
    networks: tuple[PageNetwork, ...] = ()
    items: tuple[PageItem, ...] = ()
    refusals: tuple[str, ...] = ()
    findings: tuple[PageFinding, ...] = ()
    meanings: tuple[PageMeaning, ...] = ()
    changes: tuple[PageChange, ...] = ()
    rules: tuple[PageRule, ...] = ()


def page_finding(finding: Finding) -> PageFinding:
    """The page's data of a finding."""
    return PageFinding(
        kind=finding.kind,
        severity=finding.severity,
        message=finding.message,
        hint=finding.hint,
        vault=finding.vault or "",
    )


def page_meanings(kinds: Iterable[FindingKind]) -> tuple[PageMeaning, ...]:
    """The explanation of each of ``kinds``, in the order of the table of kinds."""
    used = set(kinds)
    return tuple(
        PageMeaning(kind=kind, meaning=kind.meaning, remedy=kind.remedy) for kind in FindingKind if kind in used
    )


def _moves(before: MachineNetworks, after: MachineNetworks) -> Iterator[tuple[str, str, str]]:
    """The networks of a machine, and the subnet and address of each of its IP configurations, before and after."""
    for name, old_id, new_id in (
        ("recovery network", before.recovery_network_id, after.recovery_network_id),
        ("test network", before.test_network_id, after.test_network_id),
    ):
        yield name, old_id.name if old_id else "", new_id.name if new_id else ""
    for old, new in zip(before.addresses, after.addresses, strict=True):
        where = f"{old.nic}/{old.ip_configuration}"
        yield f"{where}: subnet", old.recovery_subnet or "", new.recovery_subnet or ""
        yield f"{where}: address", old.recovery_ip or ANY, new.recovery_ip or ANY
        yield f"{where}: subnet in tests", old.test_subnet or "", new.test_subnet or ""
        yield f"{where}: address in tests", old.test_ip or ANY, new.test_ip or ANY


def _differences(change: Change) -> tuple[PageDifference, ...]:
    """What an update changes, value by value."""
    match change.before, change.after:
        case NetworkMapping() as before, NetworkMapping() as after:
            values = [("recovery network", before.recovery_network_id.name, after.recovery_network_id.name)]
        case VirtualNetwork() as before, VirtualNetwork() as after:
            names = [", ".join(subnet.name for subnet in network.subnets) for network in (before, after)]
            values = [("subnets", names[0], names[1])]
        case MachineNetworks() as before, MachineNetworks() as after:
            values = list(_moves(before, after))
        case _:
            values = []
    return tuple(
        PageDifference(name=name, before=before, after=after) for name, before, after in values if before != after
    )


def page_change(change: Change) -> PageChange:
    """The page's data of a change."""
    return PageChange(
        label=wording.change_label(change),
        machine=change.name if change.kind == "protected_item" else "",
        action=change.action,
        vault=change.vault,
        reason=change.reason,
        steps=tuple(
            PageStep(action=step.action, id=str(step.resource_id), az=az_commands(step)) for step in change.steps
        ),
        differences=_differences(change),
        outcome=(outcome_of(change) or "").replace("_", " "),
        error=error_of(change) or "",
        hint=hint_of(change),
        warnings=warnings_of(change),
        seconds=change.seconds if isinstance(change, AppliedChange) else 0.0,
    )

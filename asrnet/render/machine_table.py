"""Where the machines of a plan or report go, before and after: a row for each address and each kind of failover."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from asrnet.model.findings import Finding, FindingKind
from asrnet.model.machine_networks import MachineAddress, MachineNetworks
from asrnet.model.plan import MachineView, Plan
from asrnet.render.pair_status import error_of, outcome_of, settled_kinds
from asrnet.render.sections import Row, Section, Tone
from asrnet.render.wording import WAITS

_HEADER: Final = ("", "Machine", "Pair", "NIC", "Network", "Subnet", "Address")
_SIGNS: Final[Mapping[str, tuple[str, Tone]]] = {
    "update": ("~", "update"),
    "waiting": (WAITS, "warning"),
    "held": ("!", "warning"),
    "reported": ("!", "warning"),
    "in_sync": ("=", "plain"),
    "succeeded": ("=", "good"),
    "failed": ("!", "error"),
    "stale": ("!", "error"),
    "rolled_back": ("!", "error"),
    "in_flight": ("?", "warning"),
    "skipped": (WAITS, "warning"),
}
"""The sign and the tone of a machine by the outcome of its change or, while it has none, by its status."""

_LEFT_ALONE: Final = frozenset({"held", "reported"})

ANY: Final = "left to Azure"


class MachineRow(Struct, frozen=True, kw_only=True):
    """Where one address of a machine goes in a failover or, with ``occasion`` ``test``, in a test failover.

    ``status`` is the outcome of the machine's change if it has one, and ``reason`` says why it was not made or why
    the machine is left alone. ``*_then`` is as ``*_now`` if nothing is planned. An empty network or subnet is not
    set; an empty address is assigned by Azure. ``source`` is the file and line of the pair's row or rule.
    ``label`` is what people read of the address: its NIC, with the IP configuration where NICs of the machine have
    several, and whether it is about tests.
    """

    vault: str
    pair: str
    machine: str
    status: str
    nic: str
    ip_configuration: str
    occasion: str
    network_now: str
    network_then: str
    subnet_now: str
    subnet_then: str
    address_now: str
    address_then: str
    reason: str = ""
    machine_id: str = ""
    source: str = ""
    label: str = ""

    @property
    def differs(self) -> bool:
        """Whether the plan moves the address."""
        now = (self.network_now, self.subnet_now, self.address_now)
        return now != (self.network_then, self.subnet_then, self.address_then)

    @property
    def is_moved(self) -> bool:
        """Whether the move is planned or was tried; machines that are only reported or held do not move."""
        return self.differs and self.status not in _LEFT_ALONE

    @property
    def line(self) -> str:
        """The current and the planned landing of the address, in one line."""
        now = " ".join(filter(None, (self.network_now or "no network", self.subnet_now, self.address_now)))
        then = " ".join(filter(None, (self.network_then or "no network", self.subnet_then, self.address_then)))
        # A machine that is left alone does not move, so there is no arrow.
        return f"{self.label}: {now}{', not ' if self.status in _LEFT_ALONE else ' -> '}{then}"


COLUMNS: Final = tuple(name for name in MachineRow.__struct_fields__ if name != "label")


def machine_rows(plan: Plan) -> Iterator[MachineRow]:
    """The rows of all machines of a plan or report; a machine that reports no addresses has one for its networks."""
    applied = {change.resource_id: change for change in plan.changes if outcome_of(change)}
    sources = {(pair.vault, pair.name): f"{pair.file}:{pair.line}" for pair in plan.pairs if pair.file and pair.line}
    for machine in plan.machines:
        change = applied.get(machine.id)
        status = (change and outcome_of(change)) or machine.status
        reason = (change and error_of(change)) or machine.reason
        yield from _rows_of(machine, status, reason, sources.get((machine.vault, machine.pair), ""))


def lines_by_finding(plan: Plan) -> Mapping[tuple[str, str | None], Sequence[str]]:
    """A line for each address that differs, by the kind and the subject of the finding about it."""
    lines: dict[tuple[str, str | None], list[str]] = defaultdict(list)
    for row in machine_rows(plan):
        if row.differs:
            is_test = row.occasion == "test"
            kind = FindingKind.TEST_NETWORK_DIFFERS if is_test else FindingKind.STALE_PROTECTED_ITEM
            lines[kind, row.machine_id].append(row.line)
    return lines


def as_record(row: MachineRow) -> dict[str, str]:
    """A row by the names of its columns."""
    return {name: getattr(row, name) for name in COLUMNS}


def findings_beside_table(findings: Iterable[Finding], plan: Plan) -> list[Finding]:
    """``findings`` without those that the table of machines already shows for machines that follow.

    Before the update, a finding with a hint stays, because it says more than the table: the machine is no longer
    ignored.
    """
    applied = {change.resource_id for change in plan.changes if outcome_of(change)}
    shown = {
        (kind, str(machine.id)): machine.id in applied
        for machine in plan.machines
        if machine.status in {"update", "waiting"} and machine.planned
        for kind in settled_kinds(machine.networks, machine.planned)
    }

    def is_shown(finding: Finding) -> bool:
        is_applied = shown.get((finding.kind, finding.subject or ""))
        return is_applied is not None and (is_applied or not finding.hint)

    return [finding for finding in findings if not is_shown(finding)]


def machines_section(plan: Plan, *, verbose: bool) -> Section:
    """The table of machines that are updated, wait or are held; all of them if ``verbose``."""
    rows = []
    for row in machine_rows(plan):
        if row.status in {"in_sync", "reported"} and not verbose:
            continue
        sign, tone = _SIGNS[row.status]
        rows.append(
            Row(
                (
                    sign,
                    row.machine,
                    row.pair,
                    row.label,
                    _now_and_then(row, row.network_now or "none", row.network_then or "none"),
                    _now_and_then(row, row.subnet_now or "none", row.subnet_then or "none"),
                    _now_and_then(row, row.address_now or ANY, row.address_then or ANY),
                ),
                tone,
            )
        )
    return Section("Machines", _HEADER, tuple(rows))


def _now_and_then(row: MachineRow, now: str, then: str) -> str:
    if now == then:
        return now
    if row.status not in _LEFT_ALONE:
        return f"{now} -> {then}"
    # Nothing moves, so there is no arrow. If any free address would do, the present one is as good.
    return now if then == ANY else f"{now}, not {then}"


def _rows_of(machine: MachineView, status: str, reason: str, source: str) -> Iterator[MachineRow]:
    now, then = machine.networks, machine.planned or machine.networks
    addresses = [*zip(now.addresses, then.addresses, strict=True)] or [(_NO_ADDRESS, _NO_ADDRESS)]
    # Names of IP configurations matter only if a NIC has several.
    has_several = len({address.nic for address in now.addresses}) < len(now.addresses)
    has_test = now.test_network_id is not None or then.test_network_id is not None
    for before, after in addresses:
        for occasion in ("failover", "test") if has_test else ("failover",):
            is_test = occasion == "test"
            nic = f"{before.nic}/{before.ip_configuration}" if has_several else before.nic
            yield MachineRow(
                vault=machine.vault,
                pair=machine.pair,
                machine=machine.name,
                status=status,
                nic=before.nic,
                ip_configuration=before.ip_configuration,
                occasion=occasion,
                network_now=_network(now, is_test=is_test),
                network_then=_network(then, is_test=is_test),
                subnet_now=(before.test_subnet if is_test else before.recovery_subnet) or "",
                subnet_then=(after.test_subnet if is_test else after.recovery_subnet) or "",
                address_now=(before.test_ip if is_test else before.recovery_ip) or "",
                address_then=(after.test_ip if is_test else after.recovery_ip) or "",
                reason=reason,
                machine_id=str(machine.id),
                source=source,
                label=f"{nic} in tests".strip() if is_test else nic,
            )


_NO_ADDRESS: Final = MachineAddress(nic="", ip_configuration="")


def _network(networks: MachineNetworks, *, is_test: bool) -> str:
    network_id = networks.test_network_id if is_test else networks.recovery_network_id
    return network_id.name if network_id else ""

"""Where the machines of a plan or report go, now and then: a row for each address and for each kind of failover."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from msgspec import Struct, structs

from asrnet.model.arm import ArmId
from asrnet.model.findings import FOLLOWS, Finding
from asrnet.model.machine_networks import MachineAddress, MachineNetworks
from asrnet.model.plan import MachineView, Plan
from asrnet.render.pair_status import outcome_of
from asrnet.render.sections import Row, Section, Tone

_HEADER: Final = ("", "Machine", "Pair", "NIC", "Network", "Subnet", "Address")
_SIGNS: Final[Mapping[str, tuple[str, Tone]]] = {
    "update": ("~", "update"),
    "waiting": ("!", "warning"),
    "held": ("!", "warning"),
    "reported": ("!", "warning"),
    "in_sync": ("=", "plain"),
    "succeeded": ("=", "good"),
    "failed": ("!", "error"),
    "stale": ("!", "error"),
    "rolled_back": ("!", "error"),
    "in_flight": ("?", "warning"),
    "skipped": ("!", "warning"),
}
"""The sign and the tone of a machine by the outcome of its change or, while it has none, by its status."""

ANY: Final = "any free one"


class MachineRow(Struct, frozen=True, kw_only=True):
    """Where one address of a machine goes in a failover or, with ``occasion`` ``test``, in a test failover.

    ``status`` is the outcome of the machine's change where it has one. ``*_then`` is as ``*_now`` where nothing is
    planned. An empty network or subnet is not set; an empty address is assigned by Azure.
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


COLUMNS: Final = MachineRow.__struct_fields__


def machine_rows(plan: Plan) -> Iterator[MachineRow]:
    """The rows of all machines of a plan or report; a machine that tells no addresses has one for its networks."""
    outcomes = {
        change.resource_id: outcome
        for change in plan.changes
        if change.kind == "protected_item" and (outcome := outcome_of(change))
    }
    for machine in plan.machines:
        yield from _rows_of(machine, outcomes.get(machine.id) or machine.status)


def as_record(row: MachineRow) -> dict[str, str]:
    """A row by the names of its columns."""
    return structs.asdict(row)


def findings_beside_table(findings: Iterable[Finding], plan: Plan) -> list[Finding]:
    """``findings`` without those that the table of machines shows: what differs, of each machine that is to follow."""
    following = {str(machine.id) for machine in plan.machines if machine.status in {"update", "waiting"}}
    return [finding for finding in findings if finding.kind not in FOLLOWS or finding.subject not in following]


def machines_section(plan: Plan, *, verbose: bool) -> Section:
    """The table of machines that are updated, wait or are held; all of them if ``verbose``."""
    # Names of ip configurations say something only where a NIC has several.
    several = {
        machine.id
        for machine in plan.machines
        if len({address.nic for address in machine.networks.addresses}) < len(machine.networks.addresses)
    }
    rows = []
    for row in machine_rows(plan):
        if row.status in {"in_sync", "reported"} and not verbose:
            continue
        sign, tone = _SIGNS[row.status]
        nic = row.nic
        if row.ip_configuration and ArmId(row.machine_id) in several:
            nic = f"{nic}/{row.ip_configuration}"
        if row.occasion == "test":
            nic = f"{nic} in tests".strip()
        rows.append(
            Row(
                (
                    sign,
                    row.machine,
                    row.pair,
                    nic,
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
    if row.status not in {"held", "reported"}:
        return f"{now} -> {then}"
    # Nothing moves, so no arrow. Where any free address would do, the present one is as good.
    return now if then == ANY else f"{now}, not {then}"


def _rows_of(machine: MachineView, status: str) -> Iterator[MachineRow]:
    now, then = machine.networks, machine.planned or machine.networks
    addresses = [*zip(now.addresses, then.addresses, strict=True)] or [(_NO_ADDRESS, _NO_ADDRESS)]
    has_test = now.test_network_id is not None or then.test_network_id is not None
    for before, after in addresses:
        for occasion in ("failover", "test") if has_test else ("failover",):
            is_test = occasion == "test"
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
                reason=machine.reason,
                machine_id=str(machine.id),
            )


_NO_ADDRESS: Final = MachineAddress(nic="", ip_configuration="")


def _network(networks: MachineNetworks, *, is_test: bool) -> str:
    network_id = networks.test_network_id if is_test else networks.recovery_network_id
    return network_id.name if network_id else ""

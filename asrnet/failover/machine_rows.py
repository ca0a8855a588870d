"""What the rows of a list of machines say, checked against the networks that are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from ipaddress import ip_address
from typing import Final

from msgspec import Struct

from asrnet.errors import DocumentError, InputError
from asrnet.failover.addresses import span
from asrnet.failover.machines import Machine, Network, Replica, network_name
from asrnet.failover.names import NetworkNames
from asrnet.failover.pool import number
from asrnet.files.problems import did_you_mean
from asrnet.model.arm import ArmId
from asrnet.model.azure import IpConfiguration, Nic, Subnet, VirtualNetwork

DISCONNECTED: Final = "disconnected"
"""As ``replica_network``: the replica was disconnected after failover."""

_TYPES = {"static": "Static", "dynamic": "Dynamic", "dhcp": "Dynamic"}


class MachineRow(Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """A row of a list: a NIC of a machine, or with the ``nic`` of a row before, a secondary address of that one.

    ``recovery_plan`` is the plan it fails over in. ``replica_network`` says where the replica was moved after failover
    (or ``disconnected``), which decides about failback; empty means that nobody touched it.
    """

    name: str
    primary_network: str
    subnet: str | None = None
    ip: str | None = None
    ip_type: str | None = None
    nic: str | None = None
    recovery_plan: str | None = None
    replica_network: str | None = None


class Entry(Struct, frozen=True, gc=False):
    """A row, the line it starts in, asked for only when needed, and how to complain: ``(field, problem, hint)``."""

    row: MachineRow
    line: Callable[[], int | None]
    complain: Callable[..., DocumentError]


class _Read(Struct, frozen=True, gc=False):
    """A row that was checked: its NIC by name, with one address."""

    entry: Entry
    network: Network
    nic: str
    configuration: IpConfiguration
    replica: Replica | None


def machines_of_entries(entries: Iterable[Entry], names: NetworkNames) -> tuple[Machine, ...]:
    """The machines in the order in which they are first named. Raises DocumentError at the first row that is wrong."""
    by_machine: dict[str, list[_Read]] = {}
    seen: dict[tuple[object, ...], Entry] = {}
    for entry in entries:
        machine = _required(entry, "name")
        rows = by_machine.setdefault(machine.lower(), [])
        read = _read(entry, names, nic=entry.row.nic or f"nic{len(rows)}")
        _refuse_repeats(read, seen)
        rows.append(read)
    return tuple(_machine(rows) for rows in by_machine.values())


def _required(entry: Entry, field: str) -> str:
    value: str = getattr(entry.row, field)
    if not value.strip():
        raise entry.complain(field, "is empty")
    return value


def _read(entry: Entry, names: NetworkNames, nic: str) -> _Read:
    network = _network(entry, "primary_network", names)
    _check_address(entry)
    subnet = _subnet(entry, network)
    configuration = IpConfiguration(
        name="ipconfig1",
        subnet=subnet.name if isinstance(subnet, Subnet) else subnet,
        ip=entry.row.ip or None,
        ip_type=_ip_type(entry),
    )
    return _Read(entry, network, nic, configuration, _replica(entry, names))


def _network(entry: Entry, field: str, names: NetworkNames) -> Network:
    try:
        return names.find(_required(entry, field))
    except InputError as error:
        if isinstance(error, DocumentError):
            raise
        raise entry.complain(field, error.message, error.hint) from error


def _check_address(entry: Entry) -> None:
    if entry.row.ip and number(entry.row.ip) is None:
        try:
            ip_address(entry.row.ip)
        except ValueError as error:
            raise entry.complain("ip", f"'{entry.row.ip}' is not an address", "an address reads 10.0.1.4") from error


def _subnet(entry: Entry, network: Network) -> Subnet | str | None:
    """The subnet that the row names, else the one that has its address, else the only one."""
    wanted, address = entry.row.subnet, number(entry.row.ip)
    if not network.subnets:
        return wanted or None
    if wanted:
        subnet = next((subnet for subnet in network.subnets if subnet.name.lower() == wanted.lower()), None)
        if subnet is None:
            known = [subnet.name for subnet in network.subnets]
            words = f"'{network_name(network)}' has no subnet '{wanted}'{did_you_mean(wanted, known)}"
            raise entry.complain("subnet", words, f"it has {', '.join(known)}")
        if address is not None and not _has(subnet, address):
            ranges = ", ".join(subnet.prefixes)
            raise entry.complain("ip", f"{entry.row.ip} is outside the subnet '{subnet.name}' ({ranges})")
        return subnet
    return _subnet_of_address(entry, network, address)


def _subnet_of_address(entry: Entry, network: Network, address: int | None) -> Subnet | None:
    if address is not None:
        found = next((subnet for subnet in network.subnets if _has(subnet, address)), None)
        if found is None:
            raise entry.complain("ip", f"{entry.row.ip} is in no subnet of '{network_name(network)}'")
        return found
    if len(network.subnets) == 1:
        return network.subnets[0]
    if isinstance(network, VirtualNetwork):
        raise entry.complain("subnet", "is empty, and without an address it cannot be told either")
    return None


def _has(subnet: Subnet, address: int) -> bool:
    spans = [part for part in map(span, subnet.prefixes) if part]
    return not spans or any(address in part for part in spans)


def _ip_type(entry: Entry) -> str | None:
    given = entry.row.ip_type
    if not given:
        return None
    if given.lower() not in _TYPES:
        raise entry.complain("ip_type", f"'{given}' is not a type of address", "it is Static or Dynamic")
    return _TYPES[given.lower()]


def _replica(entry: Entry, names: NetworkNames) -> Replica | None:
    moved_to = entry.row.replica_network
    if not moved_to:
        return None
    if moved_to.lower() == DISCONNECTED:
        return Replica(network_id=None)
    return Replica(network_id=_network(entry, "replica_network", names).id)


def _refuse_repeats(read: _Read, seen: dict[tuple[object, ...], Entry]) -> None:
    row, ip = read.entry.row, read.configuration.ip
    same_row = (row.name.lower(), read.network.id, row.nic, read.configuration.subnet, ip)
    first = seen.setdefault(same_row, read.entry)
    if first is not read.entry:
        raise read.entry.complain("name", f"'{row.name}' has the same row in line {first.line()}")
    if ip is not None:
        first = seen.setdefault((read.network.id, ip), read.entry)
        if first is not read.entry:
            words = f"{ip} is the address of '{first.row.name}' already, in line {first.line()}"
            raise read.entry.complain("ip", words)


def _machine(rows: Sequence[_Read]) -> Machine:
    first = rows[0].entry.row
    plans = {read.entry.row.recovery_plan or "" for read in rows}
    if len(plans) > 1:
        raise rows[-1].entry.complain("recovery_plan", f"'{first.name}' has another recovery plan in an earlier row")
    nics: dict[str, list[_Read]] = {}
    for read in rows:
        nics.setdefault(read.nic.lower(), []).append(read)
    return Machine(
        name=first.name,
        nics=tuple(map(_nic, nics.values())),
        recovery_plan=plans.pop(),
        replicas={reads[0].nic: replica for reads in nics.values() if (replica := _one_replica(reads))},
    )


def _nic(reads: Sequence[_Read]) -> Nic:
    primary = _one_network(reads)
    configurations = [
        IpConfiguration(
            name=f"ipconfig{index}",
            primary=index == 1,
            subnet=read.configuration.subnet,
            ip=read.configuration.ip,
            ip_type=read.configuration.ip_type,
        )
        for index, read in enumerate(reads, start=1)
    ]
    return Nic(name=reads[0].nic, primary_network_id=primary, ip_configurations=tuple(configurations))


def _one_network(reads: Sequence[_Read]) -> ArmId:
    first = reads[0].network
    for read in reads[1:]:
        if read.network.id != first.id:
            words = f"the NIC '{read.nic}' is on '{network_name(first)}' in line {reads[0].entry.line()}"
            raise read.entry.complain("primary_network", words)
    return first.id


def _one_replica(reads: Sequence[_Read]) -> Replica | None:
    replicas = {read.replica for read in reads if read.replica is not None}
    if len(replicas) > 1:
        raise reads[-1].entry.complain("replica_network", f"the NIC '{reads[0].nic}' has another one in an earlier row")
    return next(iter(replicas), None)

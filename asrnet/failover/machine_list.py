"""Lists of machines as YAML, JSON or CSV: ``name,primary_network,subnet,ip,ip_type``, a row for each NIC or address."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, structs

from asrnet.errors import DocumentError, InputError, did_you_mean
from asrnet.failover.addresses import number, span
from asrnet.failover.machines import Machine, Replica
from asrnet.failover.network_names import Network, NetworkNames, network_name
from asrnet.files import yaml as documents
from asrnet.files.problems import collecting, combined, raise_any
from asrnet.model.azure import IpConfiguration, Nic, Subnet, VirtualNetwork

COLUMNS: Final = ("name", "primary_network", "subnet", "ip", "ip_type")
"""The columns that a CSV list must have; the cells after the second one may be empty."""

DISCONNECTED: Final = "disconnected"
"""The ``replica_network`` of a replica that was disconnected after failover."""

_IP_TYPES: Final = {"static": "Static", "dynamic": "Dynamic", "dhcp": "Dynamic"}
_HEADER_HINT: Final = f"the first line names the columns, with commas between them: {','.join(COLUMNS)}"


class MachineRow(Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """A row of a list: a NIC of a machine or, if an earlier row has the same ``nic``, a secondary address of that NIC.

    ``recovery_plan`` is the plan that fails the machine over. ``recovery_region`` is its target, if its network is
    mapped to several regions. ``replica_network`` is where the replica was moved after failover (or ``disconnected``),
    which decides the failback; empty means that it was not moved.
    """

    name: str
    primary_network: str
    subnet: str | None = None
    ip: str | None = None
    ip_type: str | None = None
    nic: str | None = None
    recovery_plan: str | None = None
    replica_network: str | None = None
    recovery_region: str | None = None


class Entry(Struct, frozen=True, gc=False):
    """A row, its line number, computed only when needed, and a factory of errors: ``error(field, problem, hint)``."""

    row: MachineRow
    line: Callable[[], int | None]
    error: Callable[..., DocumentError]


class _MachineList(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    machines: list[MachineRow]
    version: int = 1


class _CheckedRow(Struct, frozen=True, gc=False):
    """A row with its names resolved: a NIC by name, with one address."""

    entry: Entry
    network: Network
    nic: str
    configuration: IpConfiguration
    replica: Replica | None
    region: str | None


def parse_machines(text: str, names: NetworkNames, *, source: str, is_csv: bool = False) -> tuple[Machine, ...]:
    """The machines in ``text``; errors name its ``source``. Raises DocumentError."""
    entries, mistakes = _entries(text, source, is_csv=is_csv)
    return machines_of_entries(entries, names, mistakes)


def read_entries(path: str | Path) -> list[Entry]:
    """Read the rows of a file: CSV if its name ends in ``.csv``, otherwise YAML or JSON. Networks are not resolved yet.

    Raises DocumentError if the file is not such a list.
    """
    entries, mistakes = _read(path)
    raise_any(mistakes)
    return entries


def check_entries(path: str | Path) -> None:
    """Raise DocumentError about all mistakes in the file ``path`` that do not depend on the networks."""
    entries, mistakes = _read(path)
    for entry in entries:
        mistakes += _form_mistakes(entry)
        for field in ("name", "primary_network"):
            with collecting(mistakes):
                _required(entry, field)
    raise_any(mistakes)


def _read(path: str | Path) -> tuple[list[Entry], list[DocumentError]]:
    text = documents.read_text(path, limit=documents.WORLD_LIMIT)
    return _entries(text, str(path), is_csv=Path(path).suffix.lower() == ".csv")


def machines_of_entries(
    entries: Iterable[Entry], names: NetworkNames, mistakes: Iterable[DocumentError] = ()
) -> tuple[Machine, ...]:
    """The machines, in the order of their first rows.

    Raises DocumentError about all wrong rows, and about the ``mistakes`` that were found when the rows were read.
    """
    mistakes = list(mistakes)
    rows_by_machine: dict[str, list[_CheckedRow]] = {}
    first_entries: dict[tuple[object, ...], Entry] = {}
    for entry in entries:
        with collecting(mistakes):
            rows = rows_by_machine.setdefault(_required(entry, "name").lower(), [])
            row = _checked_row(entry, names, nic=entry.row.nic or f"nic{len(rows)}")
            _refuse_repeats(row, first_entries)
            rows.append(row)
        if len(mistakes) >= documents.MOST_MISTAKES:
            break
    raise_any(mistakes)
    machines: list[Machine] = []
    for rows in rows_by_machine.values():
        with collecting(mistakes):
            machines.append(_machine(rows))
    raise_any(mistakes)
    return tuple(machines)


def _entries(text: str, source: str, *, is_csv: bool) -> tuple[list[Entry], list[DocumentError]]:
    """The rows that can be read, and the mistakes in the others. Raises DocumentError if none can be read."""
    mistakes: list[DocumentError] = []
    entries = list(_csv_entries(text, source, mistakes) if is_csv else _yaml_entries(text, source))
    if not entries and not mistakes:
        raise DocumentError("the list has no machines", file=source, hint=f"a machine needs {', '.join(COLUMNS)}")
    return entries, mistakes


def _yaml_entries(text: str, source: str) -> Iterator[Entry]:
    lines = (line.strip() for line in text.removeprefix("\ufeff").splitlines())
    first = next((line for line in lines if line and line != "---" and not line.startswith(("#", "%"))), "")
    document: documents.Document[Any]
    above: tuple[str, ...] = ()
    # The text is a bare list or a document with the key ``machines``. Its first character decides, so that mistakes are
    # reported against the intended form.
    if first.startswith(("-", "[")):
        document = documents.parse(text, list[MachineRow], source)
        rows = document.value
    else:
        document = documents.parse(text, _MachineList, source)
        if document.value.version != 1:
            raise document.error(f"the list has version {document.value.version}, expected 1", "version")
        rows, above = document.value.machines, ("machines",)
    for index, row in enumerate(rows):
        path: tuple[str | int, ...] = (*above, index)
        # Lines are looked up only for errors, because for 100,000 rows that would take longer than everything else.
        yield Entry(row, partial(document.line, *path), partial(_yaml_error, document, path))


def _yaml_error(
    document: documents.Document[Any], path: tuple[str | int, ...], field: str, problem: str, hint: str = ""
) -> DocumentError:
    return document.error(problem, *path, field, hint=hint)


def _csv_entries(text: str, source: str, mistakes: list[DocumentError]) -> Iterator[Entry]:
    columns: tuple[str, ...] = ()
    for line, cells in _csv_rows(text, source):
        if not columns:
            columns = _header(cells, source, line)
            continue
        if len(cells) != len(columns):
            number_of_cells = f"{len(cells)} cell{'' if len(cells) == 1 else 's'}"
            message = f"found {number_of_cells}, expected {len(columns)} as in the header"
            mistakes.append(DocumentError(message, file=source, line=line))
            continue
        row = MachineRow(**dict(zip(columns, cells, strict=True)))
        yield Entry(row, partial(int, line), partial(_csv_error, source, line))
    if not columns:
        raise DocumentError("the file is empty", file=source, hint=_HEADER_HINT)


def _csv_rows(text: str, source: str) -> Iterator[tuple[int, list[str]]]:
    """All rows that are not empty, each with its first line, because quoted cells may contain line breaks."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            raise DocumentError(f"not valid CSV: {error}", file=source, line=line) from error
        if any(cells):
            yield line, cells


def _header(cells: Sequence[str], source: str, line: int) -> tuple[str, ...]:
    allowed = MachineRow.__struct_fields__
    columns = tuple(cell.lower() for cell in cells)
    missing = [column for column in COLUMNS if column not in columns]
    unknown = [column for column in columns if column not in allowed]
    if missing:
        others = f"; found {', '.join(columns)}" if unknown else ""
        message = f"missing columns: {', '.join(missing)}{others}"
        raise DocumentError(message, file=source, line=line, hint=_HEADER_HINT)
    if unknown:
        hint = f"columns are {', '.join(allowed)}"
        messages = [f"unknown column '{column}'{did_you_mean(column, allowed)}" for column in unknown]
        raise_any(DocumentError(message, file=source, line=line, hint=hint) for message in messages)
    repeated = next((column for column in columns if columns.count(column) > 1), None)
    if repeated:
        raise DocumentError(f"the column '{repeated}' is given twice", file=source, line=line)
    return columns


def _csv_error(source: str, line: int, field: str, problem: str, hint: str = "") -> DocumentError:
    return DocumentError(f"{field}: {problem}", file=source, line=line, hint=hint)


def _required(entry: Entry, field: str) -> str:
    value: str = getattr(entry.row, field)
    if not value.strip():
        raise entry.error(field, "is empty")
    return value


def _checked_row(entry: Entry, names: NetworkNames, nic: str) -> _CheckedRow:
    """Resolve the names of a row. Raises DocumentError about everything that is wrong in it."""
    row = entry.row
    mistakes: list[DocumentError] = []
    network: Network | None
    subnet: str | None = None
    try:
        network = _network(entry, "primary_network", names)
    except DocumentError as error:
        network = None
        mistakes.append(error)
    mistakes += _form_mistakes(entry)
    if network and _is_address(row.ip):
        with collecting(mistakes):
            subnet = _subnet_name(entry, network)
    replica = None
    if row.replica_network:
        is_disconnected = row.replica_network.lower() == DISCONNECTED
        with collecting(mistakes):
            replica = Replica(network_id=None if is_disconnected else _network(entry, "replica_network", names).id)
    region = None
    if row.recovery_region and network and not isinstance(network, VirtualNetwork):
        message = f"'{network_name(network)}' is a VM network, which is not mapped to a region"
        mistakes.append(entry.error("recovery_region", message))
    elif row.recovery_region:
        try:
            region = names.region(row.recovery_region)
        except InputError as error:
            mistakes.append(entry.error("recovery_region", error.message, error.hint))
    if network is None or mistakes:
        raise combined(mistakes)
    configuration = IpConfiguration(
        name="ipconfig1",
        subnet=subnet,
        ip=row.ip or None,
        ip_type=_IP_TYPES[row.ip_type.lower()] if row.ip_type else None,
    )
    return _CheckedRow(entry, network, nic, configuration, replica, region)


def _form_mistakes(entry: Entry) -> Iterator[DocumentError]:
    """The mistakes in the row that do not depend on the networks."""
    row = entry.row
    if not _is_address(row.ip):
        yield entry.error("ip", f"'{row.ip}' is not an address", "write it as 10.0.1.4")
    if row.ip_type and row.ip_type.lower() not in _IP_TYPES:
        yield entry.error("ip_type", f"'{row.ip_type}' is not a type of address", "use Static or Dynamic")


def _is_address(text: str | None) -> bool:
    """Whether a row has an address, or none. IPv6 is valid, too: the prediction is that it does not fail over."""
    if text and number(text) is None:
        try:
            ip_address(text)
        except ValueError:
            return False
    return True


def _network(entry: Entry, field: str, names: NetworkNames) -> Network:
    name = _required(entry, field)
    try:
        return names.find(name)
    except InputError as error:
        raise entry.error(field, error.message, error.hint) from error


def _subnet_name(entry: Entry, network: Network) -> str | None:
    """The subnet that the row names, else the subnet that contains its address, else the only subnet."""
    name, ip = entry.row.subnet, entry.row.ip
    address = number(ip)
    # A VM network need not have subnets, so the name cannot be checked.
    if not network.subnets:
        return name or None
    if name:
        subnet = next((subnet for subnet in network.subnets if subnet.name.lower() == name.lower()), None)
        if subnet is None:
            names = [subnet.name for subnet in network.subnets]
            message = f"'{network_name(network)}' has no subnet '{name}'{did_you_mean(name, names)}"
            raise entry.error("subnet", message, f"it has {', '.join(names)}")
        if address is not None and not _holds(subnet, address):
            ranges = ", ".join(subnet.prefixes)
            raise entry.error("ip", f"{ip} is outside the subnet '{subnet.name}' ({ranges})")
        return subnet.name
    if address is not None:
        subnet = next((subnet for subnet in network.subnets if _holds(subnet, address)), None)
        if subnet is None:
            raise entry.error("ip", f"{ip} is in no subnet of '{network_name(network)}'")
        return subnet.name
    if len(network.subnets) == 1:
        return network.subnets[0].name
    if isinstance(network, VirtualNetwork):
        raise entry.error("subnet", "is empty: name the subnet or give an address")
    return None


def _holds(subnet: Subnet, address: int) -> bool:
    spans = [addresses for addresses in map(span, subnet.prefixes) if addresses]
    return not spans or any(address in addresses for addresses in spans)


def _refuse_repeats(checked: _CheckedRow, first_entries: dict[tuple[object, ...], Entry]) -> None:
    """Raise DocumentError for a row or address that is in an earlier row; ``first_entries`` records both."""
    entry, row, ip = checked.entry, checked.entry.row, checked.configuration.ip
    first = first_entries.setdefault(
        (row.name.lower(), checked.network.id, row.nic, checked.configuration.subnet, ip), entry
    )
    if first is not entry:
        raise entry.error("name", f"'{row.name}' is given twice, first in line {first.line()}")
    if ip is not None:
        first = first_entries.setdefault((checked.network.id, ip), entry)
        if first is not entry:
            raise entry.error("ip", f"{ip} is already the address of '{first.row.name}', in line {first.line()}")


def _machine(rows: Sequence[_CheckedRow]) -> Machine:
    """The machine of ``rows``. Raises DocumentError about everything in which they contradict each other."""
    name = rows[0].entry.row.name
    mistakes: list[DocumentError] = []
    plans = {row.entry.row.recovery_plan or "" for row in rows}
    if len(plans) > 1:
        problem = f"'{name}' has another recovery plan in an earlier row"
        mistakes.append(rows[-1].entry.error("recovery_plan", problem))
    regions = {row.region for row in rows if row.region}
    if len(regions) > 1:
        problem = f"'{name}' has another recovery region in an earlier row"
        mistakes.append(rows[-1].entry.error("recovery_region", problem))
    rows_by_nic: dict[str, list[_CheckedRow]] = {}
    for row in rows:
        rows_by_nic.setdefault(row.nic.lower(), []).append(row)
    replicas: dict[str, Replica] = {}
    for row in rows:
        nic = rows_by_nic[row.nic.lower()][0].nic
        if row.replica is not None and replicas.setdefault(nic, row.replica) != row.replica:
            problem = f"the NIC '{nic}' has another replica network in an earlier row"
            mistakes.append(row.entry.error("replica_network", problem))
    nics: list[Nic] = []
    for rows_of_nic in rows_by_nic.values():
        with collecting(mistakes):
            nics.append(_nic(rows_of_nic))
    raise_any(mistakes)
    return Machine(
        name=name,
        nics=tuple(nics),
        recovery_location=next(iter(regions), None),
        recovery_plan=plans.pop(),
        replicas=replicas,
    )


def _nic(rows: Sequence[_CheckedRow]) -> Nic:
    network = rows[0].network
    for row in rows[1:]:
        if row.network.id != network.id:
            message = f"the NIC '{row.nic}' is on '{network_name(network)}' in line {rows[0].entry.line()}"
            raise row.entry.error("primary_network", message)
    return Nic(
        name=rows[0].nic,
        primary_network_id=network.id,
        ip_configurations=tuple(
            structs.replace(row.configuration, name=f"ipconfig{index}", primary=index == 1)
            for index, row in enumerate(rows, start=1)
        ),
    )

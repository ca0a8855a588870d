"""Loads desired-state files: reads, merges and resolves them, and checks everything that needs no Azure."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, Generic, Literal, TypeVar
from zlib import crc32

from msgspec import Struct, structs

from asrnet.desired import checks, references
from asrnet.desired.entries import DesiredFile, RegionEntry, RowEntry, RuleEntry, VaultEntry, VmmRowEntry
from asrnet.desired.state import (
    CopySettings,
    DesiredState,
    Ignore,
    Region,
    Row,
    RowKeys,
    Rule,
    RuleKeys,
    Source,
    Vault,
    VaultKeys,
    VmmRow,
    VmmRowKeys,
    VmNetworkName,
)
from asrnet.errors import DocumentError, InputError, did_you_mean, printable
from asrnet.files import yaml as documents
from asrnet.files.problems import SUFFIXES, combined, missing, path_text, reading_advice
from asrnet.files.yaml import Document, Reading
from asrnet.model import arm as ids
from asrnet.model.arm import ArmId
from asrnet.model.limits import Limits

T = TypeVar("T")
R = TypeVar("R")

MISSING: Final = "go to the folder that has it, let asrnet init write a first one, or name another file"
"""The hint if there is no desired state. The command line adds the option."""
_HINTS: Final = {
    documents.EMPTY: "remove the file and let asrnet init write a first one, or name another file",
    documents.CSV: documents.CSV_HINT,
}
PLAN: Final = "this is a saved plan"
WORLD: Final = "this is a world"
_ONLY_IN_WORLDS: Final = frozenset({"resource_groups", "virtual_networks", "virtual_machines", "network_interfaces"})
_ONLY_IN_PLANS: Final = frozenset({"checksum", "format_version", "changes"})
_HIGHEST_LIMIT: Final = 1_000_000


class Examined(Struct, frozen=True, kw_only=True):
    """A desired state and every mistake in its files; with mistakes ``desired`` lacks the entries that have them.

    ``desired`` is None if nothing could be read.
    """

    desired: DesiredState | None
    mistakes: tuple[DocumentError, ...] = ()


def load(path: str | Path) -> DesiredState:
    """The desired state in a file, or in every .yaml, .yml and .json file of a folder.

    Raises DocumentError, with file and line, for all mistakes that can be found without asking Azure.
    """
    examined = examine(path)
    if examined.desired is None or examined.mistakes:
        raise combined(examined.mistakes)
    return examined.desired


def examine(path: str | Path) -> Examined:
    """As much of a desired state as could be read, with all mistakes. Unlike ``load``, it does not raise them."""
    try:
        readings = _read(Path(path))
    except DocumentError as error:
        return Examined(desired=None, mistakes=(error,))
    files = [reading.document for reading in readings if reading.document]
    mistakes = [mistake for reading in readings for mistake in reading.mistakes]
    if not files:
        return Examined(desired=None, mistakes=tuple(mistakes))
    state = _Loader(files, mistakes, is_complete=len(files) == len(readings)).state()
    order = {printable(reading.source): index for index, reading in enumerate(readings)}
    mistakes.sort(key=lambda mistake: order.get(printable(mistake.file), 0))
    return Examined(desired=state, mistakes=tuple(mistakes))


def _read(path: Path) -> list[Reading[DesiredFile]]:
    if not os.path.lexists(path):
        raise DocumentError(missing(path), file=path, hint=MISSING)
    if not path.is_dir():
        return [_read_file(path)]
    try:
        inside = list(path.iterdir())
    except OSError as error:
        problem = f"the folder cannot be read: {error.strerror}"
        raise DocumentError(problem, file=path, hint=reading_advice(error)) from error
    files = sorted(file for file in inside if file.suffix.lower() in SUFFIXES and not file.name.startswith("."))
    # By the real path, because the file that names a topology may spell it another way.
    readings = {file.resolve(): _read_file(file) for file in files}
    for reading in list(readings.values()):  # a topology that one of the files names may be in the same folder
        topology = reading.document and reading.document.value.topology
        if topology:
            named = (Path(reading.source).parent / topology).resolve()
            if named in readings and readings[named].mistakes:
                del readings[named]
    if not readings:
        raise DocumentError(
            f"the folder holds no desired state, expected files named *{', *'.join(SUFFIXES)}", file=path, hint=MISSING
        )
    return list(readings.values())


def _read_file(path: Path) -> Reading[DesiredFile]:
    """Decode the file ``path``. A world or a saved plan is one mistake, rather than one for each unknown key."""
    reading = documents.examine(path, DesiredFile)
    for mistake in reading.mistakes:
        mistake.hint = mistake.hint or _HINTS.get(mistake.problem, "")
    paths = {mistake.path for mistake in reading.mistakes}
    if paths >= _ONLY_IN_PLANS:
        problem, hint = PLAN, "apply a saved plan with: asrnet apply PLANFILE"
    elif paths & _ONLY_IN_WORLDS:
        problem = WORLD
        hint = "use a world with --backend fake:FILE, and check it with asrnet validate --world FILE"
    else:
        return reading
    return Reading(reading.source, None, (DocumentError(f"{problem}, expected a desired state", file=path, hint=hint),))


class _Entry(Struct, Generic[T], frozen=True):
    """One entry of a file, written at ``path``. ``mistakes`` collects the mistakes of all entries."""

    raw: T
    document: Document[DesiredFile]
    path: tuple[str | int, ...]
    mistakes: list[DocumentError]

    @property
    def name(self) -> str:
        """The key of the entry."""
        return str(self.path[-1])

    @property
    def source(self) -> Source:
        """The file and the line, printable because they go into plans: a file's name may be any bytes."""
        line, column = self.document.lines.nearest(self.path)
        return Source(file=printable(self.document.source), line=line, column=column, path=path_text(self.path))

    def note(self, problem: str, *below: str | int, hint: str = "") -> None:
        """Note a mistake in this entry, or in the part ``below`` it."""
        self.mistakes.append(self.document.error(problem, *self.path, *below, hint=hint))

    def resolved(self, resolve: Callable[[], R], *below: str | int) -> R | None:
        """What ``resolve`` returns; None if it raises InputError, which is noted for the part ``below``."""
        try:
            return resolve()
        except InputError as error:
            self.note(error.message, *below, hint=error.hint)
            self.mistakes[-1].__cause__ = error
            return None


class _Names(dict[str, str]):
    """The GUIDs of subscriptions by alias, with an invented GUID for each missing name.

    Used if a file or a section could not be read, so that its aliases are not reported as unknown wherever they occur.
    """

    def __contains__(self, name: object) -> bool:
        return True

    def __missing__(self, name: str) -> str:
        return _invented_guid(name)


def _invented_guid(name: str) -> str:
    """A GUID for an alias whose own is faulty, so that references to the alias are checked nevertheless."""
    return f"00000000-0000-0000-0000-{crc32(name.encode('utf-8', 'surrogatepass')):012x}"


class _Loader:
    """Resolves the files' entries, in the order in which they build on each other, and notes all ``mistakes``.

    ``is_complete`` is False if a file could not be read at all.
    """

    def __init__(
        self, files: list[Document[DesiredFile]], mistakes: list[DocumentError], *, is_complete: bool = True
    ) -> None:
        self._files = files
        self._mistakes = mistakes
        # _faulty: the sections with a mistake; _lost: those in which not even the names of the entries are known.
        paths = {mistake.path for mistake in mistakes}
        self._lost = {key for key in DesiredFile.__struct_fields__ if key in paths or not is_complete}
        self._faulty = self._lost | {path.partition(".")[0].partition("[")[0] for path in paths}
        self._aliases = self._subscriptions()
        vaults = self._entries("vaults")
        self._vault_names = {entry.name for entry in vaults}
        self._vaults = self._resolved_entries("vaults", self._vault)

    def state(self) -> DesiredState:
        """The desired state, with the rules between its entries checked."""
        if not self._values("version") and "version" not in self._faulty:
            problem = "the key 'version' is missing, expected version: 1"
            self._mistakes.append(self._files[0].error(problem))
        if not self._vault_names and "vaults" not in self._faulty:
            self._mistakes.append(checks.no_vaults(file=self._files[0].source))
        for entry in self._entries("freeze"):
            if entry.raw is not None:
                self._check_vault(entry)
        topologies = self._values("topology")
        state = DesiredState(
            cloud=self._agreed("cloud") or "public",
            subscriptions=self._aliases,
            vaults=self._vaults,
            regions=self._resolved_entries("regions", self._region),
            pairs=self._resolved_entries("pairs", self._row),
            rules=self._resolved_entries("rules", self._rule),
            ignore=self._resolved_entries("ignore", self._ignore),
            vmm_pairs=self._resolved_entries("vmm_pairs", self._vmm_row),
            topology=(
                str(Path(topologies[0].document.source).parent / self._agreed("topology", repeated=False))
                if topologies
                else None
            ),
            freeze=self._resolved_entries("freeze", lambda entry: entry.raw),
            limits=self._limits(),
            machines=self._agreed("machines") or "report",
            release_addresses=self._agreed("release_addresses") or False,
        )
        self._mistakes += checks.mistakes(state, file=self._files[0].source, faulty=self._faulty)
        return state

    def _resolved_entries(self, key: str, resolve: Callable[[_Entry[Any]], R | None]) -> tuple[R, ...]:
        """The entries under ``key``, resolved, without those that are faulty."""
        values: list[R] = []
        for entry in self._entries(key):
            before = len(self._mistakes)
            value = None if entry.raw is None else resolve(entry)
            if value is None or len(self._mistakes) > before:
                self._faulty.add(key)
            else:
                values.append(value)
        return tuple(values)

    def _entries(self, key: str) -> list[_Entry[Any]]:
        """The entries under ``key`` of all files: items of lists, values of mappings. A faulty one's value is None."""
        entries: list[_Entry[Any]] = []
        for document in self._files:
            section = getattr(document.value, key)
            steps = section.items() if hasattr(section, "items") else enumerate(section)
            entries += [_Entry(raw, document, (key, step), self._mistakes) for step, raw in steps]
        return entries

    def _values(self, key: str) -> list[_Entry[Any]]:
        """The value of ``key`` in each file that has one."""
        values = [(document, getattr(document.value, key)) for document in self._files]
        return [_Entry(value, document, (key,), self._mistakes) for document, value in values if value is not None]

    def _agreed(self, key: str, *, repeated: bool = True) -> Any:
        """The value of ``key``, on which all files must agree; unless ``repeated``, only one file may have it."""
        values = self._values(key)
        for entry in values[1:]:
            if entry.raw != values[0].raw or not repeated:
                problem = "the files disagree" if repeated else "given twice"
                entry.note(f"{problem}, first at {values[0].source}")
        return values[0].raw if values else None

    def _subscriptions(self) -> dict[str, str]:
        aliases: dict[str, str] = _Names() if "subscriptions" in self._lost else {}
        first: dict[str, _Entry[str]] = {}
        for entry in self._entries("subscriptions"):
            text = entry.raw
            guid = None if text is None else entry.resolved(partial(references.alias, entry.name, text))
            if guid is None:
                self._faulty.add("subscriptions")
                guid = _invented_guid(entry.name)
            elif entry.name in first and aliases[entry.name] != guid:
                entry.note(f"the alias stands for another subscription at {first[entry.name].source}")
            if entry.name not in first:
                first[entry.name], aliases[entry.name] = entry, guid
        return aliases

    def _vault(self, entry: _Entry[str | VaultEntry]) -> Vault | None:
        has_options = isinstance(entry.raw, VaultEntry)
        raw = entry.raw if isinstance(entry.raw, VaultEntry) else VaultEntry(id=entry.raw)
        entry.resolved(lambda: references.label(entry.name))
        identifier = entry.resolved(
            lambda: references.resource(raw.id, ids.VAULT, self._aliases), *(("id",) if has_options else ())
        )
        if identifier is None:
            return None
        return Vault(**_keys(raw, VaultKeys), name=entry.name, id=identifier, source=entry.source)

    def _region(self, entry: _Entry[RegionEntry]) -> Region | None:
        primary = entry.resolved(lambda: references.region(entry.raw.primary), "primary")
        recovery = entry.resolved(lambda: references.region(entry.raw.recovery), "recovery")
        if primary is not None and primary == recovery:
            entry.note(
                f"{primary} is paired with itself, expected another region",
                "recovery",
                hint="zones of one region need no network mapping",
            )
        copy = self._copy(entry)
        test = self._network(entry, "test") if entry.raw.test is not None else None
        if primary is None or recovery is None:
            return None
        return Region(primary=primary, recovery=recovery, copy=copy, test=test, source=entry.source)

    def _copy(self, entry: _Entry[RegionEntry]) -> CopySettings:
        raw, subscription = entry.raw.copy, entry.raw.copy.subscription
        if subscription is not None:
            text = subscription
            subscription = entry.resolved(lambda: references.subscription(text, self._aliases), "copy", "subscription")
        before = len(self._mistakes)
        entry.resolved(
            lambda: references.check_template(raw.resource_group, references.GROUP), "copy", "resource_group"
        )
        entry.resolved(lambda: references.check_template(raw.name, ids.VNET), "copy", "name")
        if len(self._mistakes) > before:
            pass  # the templates are checked together only if each is valid by itself
        elif "{name}" not in raw.name + raw.resource_group:
            entry.note("all copies would be one network, expected {name} in it", "copy", "name")
        elif raw.subscription is None and (raw.resource_group, raw.name) == ("{resource_group}", "{name}"):
            entry.note("the copy would be the network itself, expected another name", "copy", "name")
        if not raw.dns:
            entry.note("found no servers, expected their addresses, copy or azure", "copy", "dns")
        for index, server in enumerate(raw.dns if isinstance(raw.dns, tuple) else ()):
            try:
                ipaddress.ip_address(server)
            except ValueError:
                entry.note(f"found '{server[:60]}', expected an ip address", "copy", "dns", index)
        attached: dict[str, str | None] = {}
        for key, kind in (("network_security_group", ids.SECURITY_GROUP), ("route_table", ids.ROUTE_TABLE)):
            template = getattr(raw, key)
            attached[key] = None
            if template not in {None, references.NONE}:
                resolve = partial(references.template, template, kind, self._aliases, orelse=", or none")
                attached[key] = entry.resolved(resolve, "copy", key)
        return structs.replace(raw, subscription=subscription, **attached)

    def _row(self, entry: _Entry[RowEntry]) -> Row | None:
        raw = entry.raw
        primary = self._network(entry, "primary")
        recovery = None if raw.recovery == references.COPY else self._network(entry, "recovery", ", or copy")
        if primary is not None and primary == recovery:
            entry.note("this is the primary network itself, expected another", "recovery")
        self._check_label(entry)
        self._check_vault(entry)
        if primary is None:
            return None
        return Row(
            **_keys(raw, RowKeys),
            primary=primary,
            recovery=recovery,
            failback=raw.failback is None,
            test=self._test(entry, primary, recovery),
            source=entry.source,
        )

    def _test(self, entry: _Entry[RowEntry], primary: ArmId, recovery: ArmId | None) -> ArmId | Literal["none"] | None:
        """The test network of a row, which a test failover must keep apart from what production uses."""
        if entry.raw.test is None:
            return None
        if entry.raw.test == references.NONE:
            return "none"
        test = self._network(entry, "test", ", or none")
        if test is not None and test in {primary, recovery}:
            side = "primary" if test == primary else "recovery"
            entry.note(
                f"this is the {side} network of the same row, expected a network that production does not use",
                "test",
                hint="machines of a test failover would meet those of production",
            )
        return test

    def _network(self, entry: _Entry[RowEntry] | _Entry[RegionEntry], side: str, orelse: str = "") -> ArmId | None:
        text = getattr(entry.raw, side)
        return entry.resolved(partial(references.resource, text, ids.VNET, self._aliases, orelse=orelse), side)

    def _rule(self, entry: _Entry[RuleEntry]) -> Rule:
        recovery: str | None = None
        if entry.raw.recovery != references.COPY:
            template = partial(references.template, entry.raw.recovery, ids.VNET, self._aliases, orelse=", or copy")
            recovery = entry.resolved(template, "recovery")
        self._check_label(entry)
        self._check_vault(entry)
        keys = _keys(entry.raw, RuleKeys)
        subscription = entry.raw.match.subscription
        if subscription is not None:
            guid = entry.resolved(
                partial(references.subscription, subscription, self._aliases), "match", "subscription"
            )
            if guid is not None and guid not in self._aliases.values() and "subscriptions" not in self._lost:
                entry.note("rules search only what is declared under subscriptions", "match", "subscription")
            keys["match"] = structs.replace(entry.raw.match, subscription=guid)
        test = entry.raw.test
        if test is not None and test != references.NONE:
            test = entry.resolved(
                partial(references.template, test, ids.VNET, self._aliases, orelse=", or none"), "test"
            )
            if test is not None and test == recovery:
                entry.note("this is the recovery network of the same rule, expected another", "test")
        return Rule(**keys, recovery=recovery, failback=entry.raw.failback is None, test=test, source=entry.source)

    def _ignore(self, entry: _Entry[Ignore]) -> Ignore:
        if (entry.raw.name is None) == (entry.raw.machine is None):
            problem = "found neither 'name' nor 'machine'" if entry.raw.name is None else "found 'name' and 'machine'"
            entry.note(
                f"{problem}, expected one of them",
                hint="name is a glob for networks, machine one for protected machines; write an entry for each",
            )
        return entry.raw

    def _vmm_row(self, entry: _Entry[VmmRowEntry]) -> VmmRow | None:
        text = entry.raw.recovery
        primary = entry.resolved(lambda: _vm_network(entry.raw.primary), "primary")
        recovery: VmNetworkName | ArmId | None
        if text.startswith("/") or text.count("/") > 1:
            recovery = entry.resolved(lambda: references.resource(text, ids.VNET, self._aliases), "recovery")
        else:
            orelse = "; or a virtual network: alias/resource group/name, or a full resource id"
            recovery = entry.resolved(lambda: _vm_network(text, orelse=orelse), "recovery")
        if primary and isinstance(recovery, VmNetworkName) and checks.vmm_key(primary) == checks.vmm_key(recovery):
            entry.note("this is the primary network itself, expected another", "recovery")
        if isinstance(recovery, VmNetworkName) and entry.raw.machines == "follow":
            entry.note(
                "found follow, but machines can only be pointed at networks in Azure",
                "machines",
                hint="between VMM servers, choose the network of each machine in VMM",
            )
        self._check_label(entry)
        self._check_vault(entry)
        if primary is None or recovery is None:
            return None
        return VmmRow(**_keys(entry.raw, VmmRowKeys), primary=primary, recovery=recovery, source=entry.source)

    def _check_label(self, entry: _Entry[Any]) -> None:
        entry.resolved(lambda: references.label(entry.raw.name), "name")

    def _check_vault(self, entry: _Entry[Any]) -> None:
        # A missing vault may be declared in a part that could not be read. If no vault is declared, only that is
        # reported.
        names = self._vault_names
        if names and entry.raw.vault not in names and "vaults" not in self._lost:
            entry.note(
                f"unknown vault '{entry.raw.vault}'{did_you_mean(entry.raw.vault, names)}",
                "vault",
                hint=f"declared under vaults: {', '.join(sorted(names))}",
            )

    def _limits(self) -> Limits:
        limits: Limits = self._agreed("limits", repeated=False) or Limits()
        for name in limits.__struct_fields__:
            highest = 100 if name == "max_change_percent" else _HIGHEST_LIMIT
            if not 0 <= getattr(limits, name) <= highest:
                self._values("limits")[0].note(f"expected a whole number from 0 to {highest}", name)
        return limits


def _keys(entry: Struct, keys: type[Struct]) -> dict[str, Any]:
    """The fields that an entry of a file shares with its resolved value."""
    return {name: getattr(entry, name) for name in keys.__struct_fields__}


def _vm_network(text: str, *, orelse: str = "") -> VmNetworkName:
    server, _, network = (part.strip() for part in text.partition("/"))
    if not server or not network or "/" in network:
        raise InputError(f"found '{text[:120]}', expected VMM server/VM network{orelse}")
    return VmNetworkName(server=references.label(server), network=references.label(network))

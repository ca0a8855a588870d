"""Loads desired-state files: reads, merges and resolves them, and checks everything that needs no Azure."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from msgspec import Struct, structs

from asrnet.desired import checks, references
from asrnet.desired.entries import DesiredFile, RowEntry, RuleEntry, VaultEntry, VmmRowEntry
from asrnet.desired.state import (
    CopySettings,
    DesiredState,
    Region,
    RegionKeys,
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
from asrnet.errors import DocumentError, InputError, printable
from asrnet.files import yaml as documents
from asrnet.files.problems import did_you_mean
from asrnet.files.yaml import Document
from asrnet.model import arm as ids
from asrnet.model.arm import ArmId
from asrnet.model.plan import Limits

T = TypeVar("T")

SUFFIXES: Final = (".yaml", ".yml", ".json")
_HIGHEST_LIMIT: Final = 1_000_000


def load(path: str | Path) -> DesiredState:
    """The desired state in a file, or in every .yaml, .yml and .json file of a folder.

    Raises DocumentError, with file and line, for every mistake that can be found without asking Azure.
    """
    return _Loader(_read(Path(path))).state()


def _read(path: Path) -> list[Document[DesiredFile]]:
    if not path.is_dir():
        return [documents.read(path, DesiredFile)]
    try:
        inside = list(path.iterdir())
    except OSError as error:
        raise DocumentError(f"the folder cannot be read: {error.strerror}", file=path) from error
    files = sorted(file for file in inside if file.suffix.lower() in SUFFIXES and not file.name.startswith("."))
    read: list[Document[DesiredFile]] = []
    refused: dict[Path, DocumentError] = {}
    for file in files:
        try:
            read.append(documents.read(file, DesiredFile))
        except DocumentError as error:
            refused[file.resolve()] = error
    for document in read:  # a topology that one of the files names may be in the same folder
        if document.value.topology:
            refused.pop((Path(document.source).parent / document.value.topology).resolve(), None)
    if refused:
        raise next(iter(refused.values()))
    if not read:
        raise DocumentError(
            f"the folder holds no desired state, expected files named *{', *'.join(SUFFIXES)}", file=path
        )
    return read


class _Entry(Struct, Generic[T], frozen=True):
    """One entry of a file: what is written at ``path``."""

    raw: T
    document: Document[DesiredFile]
    path: tuple[str | int, ...]

    @property
    def name(self) -> str:
        """The key of the entry."""
        return str(self.path[-1])

    @property
    def source(self) -> Source:
        """The file and the line, printable because they go into plans: a file's name may be any bytes."""
        return Source(file=printable(self.document.source), line=self.document.line(*self.path))

    def error(self, problem: str, *below: str | int, hint: str = "") -> DocumentError:
        """The error to raise about this entry, or about the part ``below`` it."""
        return self.document.error(problem, *self.path, *below, hint=hint)

    @contextmanager
    def at(self, *below: str | int) -> Iterator[None]:
        """Adds file, line and path to an InputError raised inside."""
        try:
            yield
        except DocumentError:
            raise
        except InputError as error:
            raise self.error(error.message, *below, hint=error.hint) from error


class _Loader:
    """Resolves the files' entries, in the order in which they build on each other."""

    def __init__(self, files: list[Document[DesiredFile]]) -> None:
        self._files = files
        self._aliases = self._subscriptions()
        self._vaults = tuple(self._vault(entry) for entry in self._entries("vaults"))

    def state(self) -> DesiredState:
        """The desired state, checked as a whole."""
        if not self._values("version"):
            raise self._files[0].error("the key 'version' is missing, expected version: 1")
        checks.need_vaults(self._vaults, file=self._files[0].source)
        for entry in self._entries("freeze"):
            self._check_vault(entry)
        topologies = self._values("topology")
        state = DesiredState(
            cloud=self._agreed("cloud") or "public",
            subscriptions=self._aliases,
            vaults=self._vaults,
            regions=tuple(self._region(entry) for entry in self._entries("regions")),
            pairs=tuple(self._row(entry) for entry in self._entries("pairs")),
            rules=tuple(self._rule(entry) for entry in self._entries("rules")),
            ignore=tuple(entry.raw for entry in self._entries("ignore")),
            vmm_pairs=tuple(self._vmm_row(entry) for entry in self._entries("vmm_pairs")),
            topology=(
                str(Path(topologies[0].document.source).parent / self._agreed("topology", repeated=False))
                if topologies
                else None
            ),
            freeze=tuple(entry.raw for entry in self._entries("freeze")),
            limits=self._limits(),
        )
        checks.check(state, file=self._files[0].source)
        return state

    def _entries(self, key: str) -> list[_Entry[Any]]:
        """The entries under ``key`` of all files: items of lists, values of mappings."""
        entries: list[_Entry[Any]] = []
        for document in self._files:
            section = getattr(document.value, key)
            steps = section.items() if hasattr(section, "items") else enumerate(section)
            entries += [_Entry(raw, document, (key, step)) for step, raw in steps]
        return entries

    def _values(self, key: str) -> list[_Entry[Any]]:
        """The value of ``key`` in each file that has one."""
        values = [(document, getattr(document.value, key)) for document in self._files]
        return [_Entry(value, document, (key,)) for document, value in values if value is not None]

    def _agreed(self, key: str, *, repeated: bool = True) -> Any:
        """The value of ``key``, on which all files must agree; unless ``repeated``, only one file may have it."""
        values = self._values(key)
        for entry in values[1:]:
            if entry.raw != values[0].raw or not repeated:
                problem = "the files disagree" if repeated else "given twice"
                raise entry.error(f"{problem}, first at {values[0].source}")
        return values[0].raw if values else None

    def _subscriptions(self) -> dict[str, str]:
        aliases: dict[str, str] = {}
        first: dict[str, _Entry[str]] = {}
        for entry in self._entries("subscriptions"):
            with entry.at():
                guid = references.alias(entry.name, entry.raw)
            if aliases.setdefault(entry.name, guid) != guid:
                raise entry.error(f"the alias stands for another subscription at {first[entry.name].source}")
            first.setdefault(entry.name, entry)
        return aliases

    def _vault(self, entry: _Entry[str | VaultEntry]) -> Vault:
        has_options = isinstance(entry.raw, VaultEntry)
        raw = entry.raw if isinstance(entry.raw, VaultEntry) else VaultEntry(id=entry.raw)
        with entry.at():
            references.label(entry.name)
        with entry.at(*(("id",) if has_options else ())):
            identifier = references.resource(raw.id, ids.VAULT, self._aliases)
        return Vault(**_keys(raw, VaultKeys), name=entry.name, id=identifier, source=entry.source)

    def _region(self, entry: _Entry[RegionKeys]) -> Region:
        with entry.at("primary"):
            primary = references.region(entry.raw.primary)
        with entry.at("recovery"):
            recovery = references.region(entry.raw.recovery)
        if primary == recovery:
            raise entry.error(
                f"{primary} is paired with itself, expected another region",
                "recovery",
                hint="zones of one region need no network mapping",
            )
        return Region(primary=primary, recovery=recovery, copy=self._copy(entry), source=entry.source)

    def _copy(self, entry: _Entry[RegionKeys]) -> CopySettings:
        raw, subscription = entry.raw.copy, entry.raw.copy.subscription
        if subscription is not None:
            with entry.at("copy", "subscription"):
                subscription = references.subscription(subscription, self._aliases)
        with entry.at("copy", "resource_group"):
            references.check_template(raw.resource_group, references.GROUP)
        with entry.at("copy", "name"):
            references.check_template(raw.name, ids.VNET)
        if "{name}" not in raw.name + raw.resource_group:
            raise entry.error("all copies would be one network, expected {name} in it", "copy", "name")
        if raw.subscription is None and (raw.resource_group, raw.name) == ("{resource_group}", "{name}"):
            raise entry.error("the copy would be the network itself, expected another name", "copy", "name")
        if not raw.dns:
            raise entry.error("found no servers, expected their addresses, copy or azure", "copy", "dns")
        for index, server in enumerate(raw.dns if isinstance(raw.dns, tuple) else ()):
            try:
                ipaddress.ip_address(server)
            except ValueError as error:
                problem = f"found '{server[:60]}', expected an ip address"
                raise entry.error(problem, "copy", "dns", index) from error
        attached: dict[str, str | None] = {}
        for key, kind in (("network_security_group", ids.SECURITY_GROUP), ("route_table", ids.ROUTE_TABLE)):
            template = getattr(raw, key)
            attached[key] = None
            if template not in {None, references.NONE}:
                with entry.at("copy", key):
                    attached[key] = references.template(template, kind, self._aliases, orelse=", or none")
        return structs.replace(raw, subscription=subscription, **attached)

    def _row(self, entry: _Entry[RowEntry]) -> Row:
        primary = self._network(entry, "primary")
        recovery = None if entry.raw.recovery == references.COPY else self._network(entry, "recovery", ", or copy")
        if primary == recovery:
            raise entry.error("this is the primary network itself, expected another", "recovery")
        self._check_label(entry)
        self._check_vault(entry)
        return Row(
            **_keys(entry.raw, RowKeys),
            primary=primary,
            recovery=recovery,
            failback=entry.raw.failback is None,
            source=entry.source,
        )

    def _network(self, entry: _Entry[RowEntry], side: str, orelse: str = "") -> ArmId:
        with entry.at(side):
            return references.resource(getattr(entry.raw, side), ids.VNET, self._aliases, orelse=orelse)

    def _rule(self, entry: _Entry[RuleEntry]) -> Rule:
        recovery: str | None = None
        if entry.raw.recovery != references.COPY:
            with entry.at("recovery"):
                recovery = references.template(entry.raw.recovery, ids.VNET, self._aliases, orelse=", or copy")
        self._check_label(entry)
        self._check_vault(entry)
        keys = _keys(entry.raw, RuleKeys)
        if entry.raw.match.subscription is not None:
            with entry.at("match", "subscription"):
                guid = references.subscription(entry.raw.match.subscription, self._aliases)
            if guid not in self._aliases.values():
                raise entry.error("rules search only what is declared under subscriptions", "match", "subscription")
            keys["match"] = structs.replace(entry.raw.match, subscription=guid)
        return Rule(**keys, recovery=recovery, failback=entry.raw.failback is None, source=entry.source)

    def _vmm_row(self, entry: _Entry[VmmRowEntry]) -> VmmRow:
        recovery: VmNetworkName | ArmId
        with entry.at("primary"):
            primary = _vm_network(entry.raw.primary)
        with entry.at("recovery"):
            text = entry.raw.recovery
            if text.startswith("/") or text.count("/") > 1:
                recovery = references.resource(text, ids.VNET, self._aliases)
            else:
                orelse = "; or a virtual network: alias/resource group/name, or a full resource id"
                recovery = _vm_network(text, orelse=orelse)
        if isinstance(recovery, VmNetworkName) and checks.vmm_key(primary) == checks.vmm_key(recovery):
            raise entry.error("this is the primary network itself, expected another", "recovery")
        self._check_label(entry)
        self._check_vault(entry)
        return VmmRow(**_keys(entry.raw, VmmRowKeys), primary=primary, recovery=recovery, source=entry.source)

    def _check_label(self, entry: _Entry[Any]) -> None:
        with entry.at("name"):
            references.label(entry.raw.name)

    def _check_vault(self, entry: _Entry[Any]) -> None:
        names = [vault.name for vault in self._vaults]
        if entry.raw.vault not in names:
            raise entry.error(
                f"unknown vault '{entry.raw.vault}'{did_you_mean(entry.raw.vault, names)}",
                "vault",
                hint=f"declared under vaults: {', '.join(sorted(names))}",
            )

    def _limits(self) -> Limits:
        limits: Limits = self._agreed("limits", repeated=False) or Limits()
        for name in limits.__struct_fields__:
            highest = 100 if name == "max_change_percent" else _HIGHEST_LIMIT
            if not 0 <= getattr(limits, name) <= highest:
                raise self._values("limits")[0].error(f"expected a whole number from 0 to {highest}", name)
        return limits


def _keys(entry: Struct, keys: type[Struct]) -> dict[str, Any]:
    """The fields that an entry of a file shares with its resolved value."""
    return {name: getattr(entry, name) for name in keys.__struct_fields__}


def _vm_network(text: str, *, orelse: str = "") -> VmNetworkName:
    server, _, network = (part.strip() for part in text.partition("/"))
    if not server or not network or "/" in network:
        raise InputError(f"found '{text[:120]}', expected VMM server/VM network{orelse}")
    return VmNetworkName(server=references.label(server), network=references.label(network))

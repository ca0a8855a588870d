"""Desired-state files -> DesiredState: read, merge, resolve; what can be checked without Azure is checked here."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from asrnet.desired import checks, references
from asrnet.desired.entries import Entry
from asrnet.desired.file import DesiredFile, FreezeFile, IgnoreFile, RowFile, RuleFile, VaultFile, VmmRowFile
from asrnet.desired.regions import region
from asrnet.desired.state import DesiredState, Freeze, Ignore, Match, Row, Rule, Vault, VmmRow, VmNetworkName
from asrnet.errors import DocumentError, InputError
from asrnet.files import yaml as documents
from asrnet.files.problems import did_you_mean
from asrnet.files.yaml import Document
from asrnet.model import arm as ids
from asrnet.model.arm import ArmId
from asrnet.model.plan import Limits

SUFFIXES: Final = (".yaml", ".yml", ".json")
_HIGHEST_LIMIT: Final = 1_000_000
_PERCENT: Final = 100


def load(path: str | Path) -> DesiredState:
    """The desired state in a file, or in every .yaml, .yml and .json file of a folder.

    Raises DocumentError, with file and line, for whatever is wrong and can be known without Azure.
    """
    return _Loader(_read(Path(path))).state()


def _read(path: Path) -> list[Document[DesiredFile]]:
    if not path.is_dir():
        return [documents.read(path, DesiredFile)]
    read: list[Document[DesiredFile]] = []
    refused: dict[Path, DocumentError] = {}
    for file in _files(path):
        try:
            read.append(documents.read(file, DesiredFile))
        except DocumentError as error:
            refused[file.resolve()] = error
    for document in read:  # a topology may lie in the folder, beside the files that name it
        if document.value.topology:
            refused.pop((Path(document.source).parent / document.value.topology).resolve(), None)
    if refused:
        raise next(iter(refused.values()))
    if not read:
        raise DocumentError(
            f"the folder holds no desired state, expected files named *{', *'.join(SUFFIXES)}", file=path
        )
    return read


def _files(folder: Path) -> list[Path]:
    try:
        inside = list(folder.iterdir())
    except OSError as error:
        raise DocumentError(f"the folder cannot be read: {error.strerror}", file=folder) from error
    return sorted(file for file in inside if file.suffix.lower() in SUFFIXES and not file.name.startswith("."))


class _Loader:
    """Resolves the files' entries, in the order in which they build on each other."""

    def __init__(self, files: list[Document[DesiredFile]]) -> None:
        self._files = files
        self._aliases = self._subscriptions()
        self._vaults = tuple(self._vault(entry) for entry in self._entries("vaults"))

    def state(self) -> DesiredState:
        """The desired state, checked as a whole."""
        self._check_version()
        checks.need_vaults(self._vaults, file=self._files[0].source)
        state = DesiredState(
            cloud=self._agreed("cloud") or "public",
            subscriptions=self._aliases,
            vaults=self._vaults,
            regions=tuple(region(entry, self._aliases) for entry in self._entries("regions")),
            pairs=tuple(self._row(entry) for entry in self._entries("pairs")),
            rules=tuple(self._rule(entry) for entry in self._entries("rules")),
            ignore=tuple(_ignore(entry) for entry in self._entries("ignore")),
            vmm_pairs=tuple(self._vmm_row(entry) for entry in self._entries("vmm_pairs")),
            topology=self._topology(),
            freeze=tuple(self._freeze(entry) for entry in self._entries("freeze")),
            limits=self._limits(),
        )
        checks.check(state, file=self._files[0].source)
        return state

    def _entries(self, key: str) -> list[Entry[Any]]:
        """The entries under ``key`` of all files: items of lists, values of mappings."""
        found: list[Entry[Any]] = []
        for document in self._files:
            inside = getattr(document.value, key)
            steps = inside.items() if hasattr(inside, "items") else enumerate(inside)
            found += [Entry(raw, document, (key, step)) for step, raw in steps]
        return found

    def _said(self, key: str) -> list[Entry[Any]]:
        """What the files say under ``key``, where they say anything."""
        values = [(document, getattr(document.value, key)) for document in self._files]
        return [Entry(value, document, (key,)) for document, value in values if value is not None]

    def _agreed(self, key: str, *, repeated: bool = True) -> Any:
        said = self._said(key)
        for entry in said[1:]:
            if not repeated or entry.raw != said[0].raw:
                problem = "said twice" if entry.raw == said[0].raw or not repeated else "the files disagree"
                raise entry.error(f"{problem}, first at {said[0].source}")
        return said[0].raw if said else None

    def _check_version(self) -> None:
        if not self._said("version"):
            raise self._files[0].error("the key 'version' is missing, expected version: 1")

    def _subscriptions(self) -> dict[str, str]:
        aliases: dict[str, str] = {}
        first: dict[str, Entry[str]] = {}
        for entry in self._entries("subscriptions"):
            with entry.at():
                guid = references.alias(entry.name, entry.raw)
            if aliases.setdefault(entry.name, guid) != guid:
                raise entry.error(f"the alias stands for another subscription at {first[entry.name].source}")
            first.setdefault(entry.name, entry)
        return aliases

    def _vault(self, entry: Entry[str | VaultFile]) -> Vault:
        raw, below = (entry.raw, ("id",)) if isinstance(entry.raw, VaultFile) else (VaultFile(id=entry.raw), ())
        with entry.at():
            references.label(entry.name)
        with entry.at(*below):
            identifier = references.resource(raw.id, ids.VAULT, self._aliases)
        return Vault(
            name=entry.name,
            id=identifier,
            unmanaged=raw.unmanaged,
            create_fabrics=raw.create_fabrics,
            source=entry.source,
        )

    def _row(self, entry: Entry[RowFile]) -> Row:
        primary = self._network(entry, "primary")
        recovery = None if entry.raw.recovery == references.COPY else self._network(entry, "recovery")
        if primary == recovery:
            raise entry.error("this is the primary network itself, expected another", "recovery")
        return Row(
            name=_label(entry),
            vault=self._vault_name(entry),
            primary=primary,
            recovery=recovery,
            failback=entry.raw.failback is None,
            managed_by=entry.raw.managed_by,
            source=entry.source,
        )

    def _network(self, entry: Entry[RowFile], side: str) -> ArmId:
        text = getattr(entry.raw, side)
        with entry.at(side):
            return references.resource(text, ids.VNET, self._aliases, orelse=_orelse(side))

    def _rule(self, entry: Entry[RuleFile]) -> Rule:
        recovery: str | None = None
        if entry.raw.recovery != references.COPY:
            with entry.at("recovery"):
                recovery = references.template(entry.raw.recovery, self._aliases, orelse=_orelse("recovery"))
        return Rule(
            name=_label(entry),
            vault=self._vault_name(entry),
            match=self._match(entry),
            recovery=recovery,
            failback=entry.raw.failback is None,
            managed_by=entry.raw.managed_by,
            source=entry.source,
        )

    def _match(self, entry: Entry[RuleFile]) -> Match:
        raw = entry.raw.match
        guid = None
        if raw.subscription is not None:
            with entry.at("match", "subscription"):
                guid = references.subscription(raw.subscription, self._aliases)
            if guid not in self._aliases.values():
                raise entry.error("rules search only what is declared under subscriptions", "match", "subscription")
        return Match(subscription=guid, resource_group=raw.resource_group, name=raw.name, tags=raw.tags)

    def _vmm_row(self, entry: Entry[VmmRowFile]) -> VmmRow:
        with entry.at("primary"):
            primary = _vm_network(entry.raw.primary)
        with entry.at("recovery"):
            recovery = self._vmm_recovery(entry.raw.recovery)
        if isinstance(recovery, VmNetworkName) and checks.vmm_key(primary) == checks.vmm_key(recovery):
            raise entry.error("this is the primary network itself, expected another", "recovery")
        return VmmRow(
            name=_label(entry),
            vault=self._vault_name(entry),
            primary=primary,
            recovery=recovery,
            managed_by=entry.raw.managed_by,
            source=entry.source,
        )

    def _vmm_recovery(self, text: str) -> VmNetworkName | ArmId:
        if text.startswith("/") or text.count("/") > 1:
            return references.resource(text, ids.VNET, self._aliases)
        return _vm_network(text, orelse="; or a virtual network: alias/resource group/name, or a full resource id")

    def _vault_name(self, entry: Entry[Any]) -> str:
        name: str = entry.raw.vault
        names = [vault.name for vault in self._vaults]
        if name not in names:
            raise entry.error(
                f"unknown vault '{name}'{did_you_mean(name, names)}",
                "vault",
                hint=f"declared under vaults: {', '.join(sorted(names))}",
            )
        return name

    def _freeze(self, entry: Entry[FreezeFile]) -> Freeze:
        return Freeze(
            vault=self._vault_name(entry), until=entry.raw.until, reason=entry.raw.reason, source=entry.source
        )

    def _topology(self) -> str | None:
        said = self._agreed("topology", repeated=False)
        if said is None:
            return None
        return str(Path(self._said("topology")[0].document.source).parent / said)

    def _limits(self) -> Limits:
        limits: Limits = self._agreed("limits", repeated=False) or Limits()
        for name in limits.__struct_fields__:
            highest = _PERCENT if name == "max_change_percent" else _HIGHEST_LIMIT
            if not 0 <= getattr(limits, name) <= highest:
                raise self._said("limits")[0].error(f"expected a whole number from 0 to {highest}", name)
        return limits


def _label(entry: Entry[Any]) -> str:
    with entry.at("name"):
        return references.label(entry.raw.name)


def _orelse(side: str) -> str:
    return ", or copy" if side == "recovery" else ""


def _ignore(entry: Entry[IgnoreFile]) -> Ignore:
    return Ignore(name=entry.raw.name, reason=entry.raw.reason, until=entry.raw.until, source=entry.source)


def _vm_network(text: str, *, orelse: str = "") -> VmNetworkName:
    server, _, network = (part.strip() for part in text.partition("/"))
    if not server or not network or "/" in network:
        raise InputError(f"found '{text[:120]}', expected VMM server/VM network{orelse}")
    return VmNetworkName(server=references.label(server), network=references.label(network))

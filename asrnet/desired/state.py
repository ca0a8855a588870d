"""What the desired state says, as values."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import date
from typing import Literal

from msgspec import Struct, structs

from asrnet.model.arm import ArmId
from asrnet.model.plan import Limits

CloudName = Literal["public", "china", "usgovernment"]


class Source(Struct, frozen=True, kw_only=True):
    """Where in the files something was said; ``line`` counts from 1."""

    file: str = ""
    line: int | None = None

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


class Vault(Struct, frozen=True, kw_only=True):
    """A vault under the name the rows use. ``unmanaged`` says what becomes of live mappings that no row asks for."""

    name: str
    id: ArmId
    unmanaged: Literal["report", "ignore", "delete"] = "report"
    create_fabrics: bool = False
    source: Source = Source()


class CopySettings(Struct, frozen=True, kw_only=True):
    """How copies are made. ``subscription`` is a GUID, None for the primary's; names take {name}, {resource_group}.

    ``dns`` is ``copy``, ``azure`` (Azure's own resolver) or the servers' addresses.
    """

    subscription: str | None = None
    resource_group: str = "{resource_group}-asr"
    name: str = "{name}-asr"
    dns: Literal["copy", "azure"] | tuple[str, ...] = "copy"


class Region(Struct, frozen=True, kw_only=True):
    """A direction in which regions may be paired (short names), and how copies are made there."""

    primary: str
    recovery: str
    copy: CopySettings = CopySettings()
    source: Source = Source()


class Row(Struct, frozen=True, gc=False, kw_only=True):
    """An explicit pair. ``recovery`` None asks for a copy; ``managed_by`` names the tool that changes it instead."""

    name: str
    vault: str
    primary: ArmId
    recovery: ArmId | None
    failback: bool = True
    managed_by: str | None = None
    source: Source = Source()


class Match(Struct, frozen=True, kw_only=True):
    """What a rule's networks have in common: globs without case, all of which must fit. ``subscription`` is a GUID."""

    subscription: str | None = None
    resource_group: str | None = None
    name: str | None = None
    tags: Mapping[str, str] = {}


class Rule(Struct, frozen=True, kw_only=True):
    """Pairs for every matching network of a primary region without a row of its own.

    ``recovery`` None asks for copies; otherwise it is a network's id in which {name} and {resource_group} stand for
    those of the primary.
    """

    name: str
    vault: str
    match: Match = Match()
    recovery: str | None = None
    failback: bool = True
    managed_by: str | None = None
    source: Source = Source()


class Ignore(Struct, frozen=True, kw_only=True):
    """Networks, by a glob of their name, that rules pass over and findings about unmanaged mappings leave out."""

    name: str
    reason: str
    until: date | None = None
    source: Source = Source()


class Freeze(Struct, frozen=True, kw_only=True):
    """No change is made in ``vault`` up to and including the day ``until`` (UTC)."""

    vault: str
    until: date
    reason: str
    source: Source = Source()


class VmNetworkName(Struct, frozen=True, kw_only=True):
    """A VM network by the names people use: the VMM server's and its own."""

    server: str
    network: str

    def __str__(self) -> str:
        return f"{self.server}/{self.network}"


class VmmRow(Struct, frozen=True, kw_only=True):
    """An on-premises pair; with a virtual network as ``recovery`` a single mapping to Azure."""

    name: str
    vault: str
    primary: VmNetworkName
    recovery: VmNetworkName | ArmId
    managed_by: str | None = None
    source: Source = Source()


class DesiredState(Struct, frozen=True, kw_only=True):
    """Everything the files say. ``subscriptions`` maps aliases to GUIDs; ``topology`` is the path of a VMM topology."""

    cloud: CloudName = "public"
    subscriptions: Mapping[str, str] = {}
    vaults: tuple[Vault, ...] = ()
    regions: tuple[Region, ...] = ()
    pairs: tuple[Row, ...] = ()
    rules: tuple[Rule, ...] = ()
    ignore: tuple[Ignore, ...] = ()
    vmm_pairs: tuple[VmmRow, ...] = ()
    topology: str | None = None
    freeze: tuple[Freeze, ...] = ()
    limits: Limits = Limits()

    def within(self, vaults: Collection[str]) -> DesiredState:
        """The part that is about these ``vaults``, by their names."""
        return structs.replace(
            self,
            vaults=tuple(vault for vault in self.vaults if vault.name in vaults),
            pairs=tuple(row for row in self.pairs if row.vault in vaults),
            rules=tuple(rule for rule in self.rules if rule.vault in vaults),
            vmm_pairs=tuple(row for row in self.vmm_pairs if row.vault in vaults),
        )

    def vault(self, name: str) -> Vault:
        """The vault under ``name``; the loader has made sure that there is one."""
        return next(vault for vault in self.vaults if vault.name == name)


class Selection(Struct, frozen=True, kw_only=True):
    """The part of the desired state a run is about: names of vaults and pairs; empty means all.

    The vaults of ``elsewhere`` are left to other runs.
    """

    vaults: frozenset[str] = frozenset()
    pairs: frozenset[str] = frozenset()
    elsewhere: frozenset[str] = frozenset()

    def has_vault(self, name: str) -> bool:
        """Whether the vault is part of the run."""
        return name not in self.elsewhere and (not self.vaults or name in self.vaults)

    def has_pair(self, name: str | None) -> bool:
        """Whether the pair is part of the run."""
        return not self.pairs or name in self.pairs


EVERYTHING = Selection()
"""No selection: the run is about all of the desired state."""

"""The desired state as values.

A key that means the same in the file and here is declared once, with its description for the JSON Schema. A section
without names to resolve is decoded straight into its Struct here. For the others, the Struct here and the file's entry
(``entries.py``) share a base class with the common keys (``RowKeys``, ``RuleKeys``...).
"""

# No "from __future__ import annotations" here: msgspec would have to compile each annotation at every start.

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Annotated, Literal, Self

from msgspec import Meta, Struct, structs

from asrnet.model.arm import ArmId
from asrnet.model.limits import Limits, MachinesMode

CloudName = Literal["public", "china", "usgovernment"]
Name = Annotated[str, Meta(min_length=1, max_length=128)]
ManagedBy = Annotated[
    Name | None, Meta(description="The tool that manages this pair; asrnet checks and reports it, and changes nothing")
]
Machines = Annotated[
    MachinesMode | None,
    Meta(description="Whether protected machines are pointed at the pair's networks (follow) or only reported"),
]
ReleaseAddresses = Annotated[
    bool | None,
    Meta(description="Release static recovery addresses that are outside the subnet that a machine moves to"),
]
To = Annotated[
    str | None,
    Meta(description="The recovery region; needed for a copy where regions declare several for the primary's region"),
]


class Source(Struct, frozen=True, kw_only=True):
    """The place of a value in the files, and the path of its key; ``line`` and ``column`` count from 1."""

    file: str = ""
    line: int | None = None
    column: int | None = None
    path: str = ""

    def __str__(self) -> str:
        return self.file if self.line is None else f"{self.file}:{self.line}"


class VaultKeys(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The options of a vault."""

    unmanaged: Annotated[
        Literal["report", "ignore", "delete"],
        Meta(description="What becomes of live mappings that no row asks for; delete needs --allow-delete too"),
    ] = "report"
    create_fabrics: Annotated[bool, Meta(description="Create the Azure fabrics that pairs need")] = False


class Vault(VaultKeys, frozen=True, kw_only=True):
    """A vault under the name the rows use."""

    name: str
    id: ArmId
    source: Source = Source()


class CopySettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How copies of networks are made; {name}, {resource_group} and {recovery_region} stand for the primary's."""

    subscription: Annotated[
        str | None, Meta(description="Where copies go: an alias or a GUID; the primary's own by default")
    ] = None
    resource_group: Annotated[str, Meta(description="Must exist, unless create_resource_group is true")] = (
        "{resource_group}-asr"
    )
    name: Annotated[str, Meta(description="The copy's name")] = "{name}-asr"
    dns: Annotated[
        Literal["copy", "azure"] | tuple[str, ...],
        Meta(description="The primary's DNS servers, Azure's own resolver, or the servers' addresses"),
    ] = "copy"
    network_security_group: Annotated[
        str | None,
        Meta(
            description="An existing network security group for the copied subnets, in the copy's region and "
            "subscription: alias/resource group/name, or a full id; with {subnet} in it, each subnet has its own"
        ),
    ] = None
    route_table: Annotated[
        str | None, Meta(description="An existing route table for the copied subnets, written in the same way")
    ] = None
    skip_subnets: Annotated[tuple[str, ...], Meta(description="Names of subnets that are not copied")] = ()
    private_subnets: Annotated[
        Literal["copy"] | bool,
        Meta(description="Whether copied subnets have no default outbound access; copy: as in the primary"),
    ] = "copy"
    create_resource_group: Annotated[bool, Meta(description="Create the copies' resource group")] = False
    add_subnets: Annotated[
        bool, Meta(description="Add subnets that the primary has and an existing copy lacks, one by one")
    ] = False


class RegionKeys(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A direction in which regions may be paired, and how copies are made there."""

    primary: Annotated[str, Meta(description="A region of Azure, such as eastasia or East Asia")]
    recovery: Annotated[str, Meta(description="Another region of Azure")]
    copy: CopySettings = CopySettings()


class Region(RegionKeys, frozen=True, kw_only=True):
    """A direction in which regions may be paired: short names, and a GUID for the subscription of copies.

    ``test`` is the network of test failovers of its pairs that name none of their own.
    """

    test: ArmId | None = None
    source: Source = Source()


class RowKeys(Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """The keys of a row of virtual networks, common to the file and the Struct here."""

    name: Annotated[Name, Meta(description="Appears in plans, findings, --pair and messages")]
    vault: Annotated[str, Meta(description="A name under vaults")]
    to: To = None
    managed_by: ManagedBy = None
    machines: Machines = None
    release_addresses: ReleaseAddresses = None


class Row(RowKeys, frozen=True, gc=False, kw_only=True):
    """An explicit pair. ``recovery`` None asks for a copy; ``failback``: the row owns the reverse mapping.

    ``test`` is the network of test failovers, or ``none`` if the row opts out of the regions' one.
    """

    primary: ArmId
    recovery: ArmId | None
    failback: bool = True
    test: ArmId | Literal["none"] | None = None
    source: Source = Source()


class Match(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a rule's networks have in common: globs that ignore case, all of which must match."""

    subscription: Annotated[str | None, Meta(description="An alias under subscriptions")] = None
    resource_group: Annotated[str | None, Meta(description="A glob of the resource group's name")] = None
    name: Annotated[str | None, Meta(description="A glob of the network's name")] = None
    tags: Annotated[Mapping[str, str], Meta(description="Globs of the values of tags, by the tags' names")] = {}


class RuleKeys(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a rule, common to the file and the Struct here."""

    name: Annotated[Name, Meta(description="Appears in plans, findings and messages, as name/network")]
    vault: Annotated[str, Meta(description="A name under vaults")]
    match: Match = Match()
    to: To = None
    managed_by: ManagedBy = None
    machines: Machines = None
    release_addresses: ReleaseAddresses = None


class Rule(RuleKeys, frozen=True, kw_only=True):
    """Pairs for every matching network of a primary region without a row of its own.

    ``recovery`` None asks for copies; otherwise it is a network's id in which {name} and {resource_group} stand for
    those of the primary. ``test`` is such an id too, and ``none`` opts out of the regions' test network. The
    subscription of ``match`` is a GUID.
    """

    recovery: str | None = None
    failback: bool = True
    test: str | None = None
    source: Source = Source()


class Ignore(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Networks or machines to leave as they are: an entry has either ``name`` or ``machine``.

    Networks of this name are passed over by rules and left out of findings about unmanaged mappings. Machines of this
    name keep their networks and are not reported.
    """

    name: Annotated[Name | None, Meta(description="A glob of the network's name, without case")] = None
    machine: Annotated[Name | None, Meta(description="A glob of the machine's name, without case")] = None
    reason: Annotated[Name, Meta(description="Why it is ignored")]
    until: Annotated[date | None, Meta(description="The last day on which the entry counts (UTC)")] = None


class Freeze(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """No change is made in the vault up to and including a day (UTC)."""

    vault: Annotated[str, Meta(description="A name under vaults")]
    until: Annotated[date, Meta(description="The last day without changes (UTC)")]
    reason: Annotated[Name, Meta(description="Why; findings show it")]


class VmNetworkName(Struct, frozen=True, kw_only=True):
    """A VM network by the names people use: the VMM server's and its own."""

    server: str
    network: str

    def __str__(self) -> str:
        return f"{self.server}/{self.network}"


class VmmRowKeys(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys of a row of VM networks, common to the file and the Struct here."""

    name: Annotated[Name, Meta(description="Appears in plans, findings, --pair and messages")]
    vault: Annotated[str, Meta(description="A name under vaults")]
    managed_by: ManagedBy = None
    machines: Machines = None
    release_addresses: ReleaseAddresses = None


class VmmRow(VmmRowKeys, frozen=True, kw_only=True):
    """An on-premises pair; with a virtual network as ``recovery`` a single mapping to Azure."""

    primary: VmNetworkName
    recovery: VmNetworkName | ArmId
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
    machines: MachinesMode = "report"
    release_addresses: bool = False

    def with_machines(self, mode: MachinesMode | None) -> Self:
        """The same state with ``mode`` for all machines, overriding the file and its rows; None changes nothing."""
        if mode is None:
            return self
        return structs.replace(
            self,
            machines=mode,
            pairs=tuple(structs.replace(row, machines=None) for row in self.pairs),
            rules=tuple(structs.replace(rule, machines=None) for rule in self.rules),
            vmm_pairs=tuple(structs.replace(row, machines=None) for row in self.vmm_pairs),
        )

    def follows(self, entry: Row | Rule | VmmRow) -> bool:
        """Whether machines of this row or rule follow. Its own setting overrides the file's.

        Machines of another tool's pair never follow. Nor do machines between two VMM servers, whose networks Site
        Recovery cannot update.
        """
        if isinstance(entry, VmmRow) and not isinstance(entry.recovery, ArmId):
            return False
        return not entry.managed_by and (entry.machines or self.machines) == "follow"

    def releases(self, entry: Row | Rule | VmmRow) -> bool:
        """Whether machines of this row or rule release static addresses that do not fit."""
        return self.release_addresses if entry.release_addresses is None else entry.release_addresses

    @property
    def vaults_that_follow(self) -> frozenset[str]:
        """The names of the vaults in which machines may follow."""
        entries: list[Row | Rule | VmmRow] = [*self.pairs, *self.rules, *self.vmm_pairs]
        return frozenset(entry.vault for entry in entries if self.follows(entry))

    @property
    def has_tests(self) -> bool:
        """Whether a row, a rule or a region names a test network."""
        entries: list[Row | Rule | Region] = [*self.pairs, *self.rules, *self.regions]
        return any(entry.test and entry.test != "none" for entry in entries)

    def within(self, vaults: Collection[str]) -> Self:
        """The part of the state that belongs to these ``vaults``, given by name."""
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
    """The part of the desired state a run is about: names of vaults, pairs and machines; empty means all.

    A run on some machines is about their pairs. The vaults of ``other_vaults`` are left to other runs.
    """

    vaults: frozenset[str] = frozenset()
    pairs: frozenset[str] = frozenset()
    machines: frozenset[str] = frozenset()
    other_vaults: frozenset[str] = frozenset()

    def has_vault(self, name: str) -> bool:
        """Whether the vault is part of the run."""
        return name not in self.other_vaults and (not self.vaults or name in self.vaults)

    def has_pair(self, name: str | None) -> bool:
        """Whether the pair is part of the run."""
        return not self.pairs or name in self.pairs

    def has_machine(self, name: str) -> bool:
        """Whether the machine is part of the run. Names of machines are compared without case."""
        return not self.machines or name.lower() in {machine.lower() for machine in self.machines}


EVERYTHING = Selection()
"""No selection: the run is about all of the desired state."""


def shard(vaults: Sequence[Vault], index: int, count: int) -> tuple[Vault, ...]:
    """The part ``index`` (from 1) of ``count`` parts, whose sizes differ by one at most; it may be empty.

    Runs that know nothing of each other and read the same files split them alike: neither the order of the vaults nor
    their names matter, only their ids.
    """
    ordered = sorted(vaults, key=lambda vault: vault.id.key)
    return tuple(ordered[index - 1 :: count])

"""The shape of a desired-state file, as written: its keys, their types, and what they mean (the schema's words)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Literal

from msgspec import Meta, Struct

from asrnet.desired.state import CloudName
from asrnet.model.plan import Limits

Name = Annotated[str, Meta(min_length=1, max_length=128)]
Failback = Annotated[Literal["none"] | None, Meta(description="none: this row does not own the reverse mapping")]
ManagedBy = Annotated[
    Name | None, Meta(description="The tool that manages this pair; asrnet checks and reports it, and changes nothing")
]


class VaultFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A Recovery Services vault, with options."""

    id: Annotated[str, Meta(description="alias/resource group/name, or a full resource id")]
    unmanaged: Annotated[
        Literal["report", "ignore", "delete"],
        Meta(description="What becomes of live mappings that no row asks for; delete needs --allow-delete too"),
    ] = "report"
    create_fabrics: Annotated[bool, Meta(description="Create the Azure fabrics that pairs need")] = False


class CopyFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How copies of networks are made; {name} and {resource_group} stand for the primary's."""

    subscription: Annotated[
        str | None, Meta(description="Where copies go: an alias or a GUID; the primary's own by default")
    ] = None
    resource_group: Annotated[str, Meta(description="Must exist")] = "{resource_group}-asr"
    name: str = "{name}-asr"
    dns: Annotated[
        Literal["copy", "azure"] | tuple[str, ...],
        Meta(description="The primary's DNS servers, Azure's own resolver, or the servers' addresses"),
    ] = "copy"


class RegionFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A direction in which regions may be paired, and how copies are made there."""

    primary: Annotated[str, Meta(description="A region of Azure, such as eastasia or East Asia")]
    recovery: Annotated[str, Meta(description="Another region of Azure")]
    copy: CopyFile = CopyFile()


class RowFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pair of virtual networks: two mappings, forward and reverse."""

    name: Annotated[Name, Meta(description="Appears in plans, findings, --pair and messages")]
    vault: Annotated[str, Meta(description="A name under vaults")]
    primary: Annotated[str, Meta(description="A virtual network: alias/resource group/name, or a full resource id")]
    recovery: Annotated[str, Meta(description="A virtual network like primary, or copy for one made by asrnet")]
    failback: Failback = None
    managed_by: ManagedBy = None


class MatchFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a rule's networks have in common: globs without case, all of which must fit."""

    subscription: Annotated[str | None, Meta(description="An alias under subscriptions")] = None
    resource_group: str | None = None
    name: str | None = None
    tags: Mapping[str, str] = {}


class RuleFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Pairs for every matching network of a primary region that has no row of its own."""

    name: Annotated[Name, Meta(description="Appears in plans, findings and messages, as name/network")]
    vault: Annotated[str, Meta(description="A name under vaults")]
    match: MatchFile = MatchFile()
    recovery: Annotated[
        str,
        Meta(description="copy, or a virtual network in whose id {name} and {resource_group} stand for the primary's"),
    ]
    failback: Failback = None
    managed_by: ManagedBy = None


class IgnoreFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Networks that rules pass over and findings about unmanaged mappings leave out."""

    name: Annotated[Name, Meta(description="A glob of the network's name, without case")]
    reason: Name
    until: Annotated[date | None, Meta(description="The last day on which the entry counts (UTC)")] = None


class VmmRowFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A pair of VM networks managed by System Center VMM, or a VM network mapped to Azure."""

    name: Annotated[Name, Meta(description="Appears in plans, findings, --pair and messages")]
    vault: Annotated[str, Meta(description="A name under vaults")]
    primary: Annotated[str, Meta(description="VMM server/VM network")]
    recovery: Annotated[
        str, Meta(description="VMM server/VM network; or a virtual network: alias/resource group/name, or a full id")
    ]
    managed_by: ManagedBy = None


class FreezeFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """No change is made in the vault up to and including a day (UTC)."""

    vault: Annotated[str, Meta(description="A name under vaults")]
    until: date
    reason: Name


class DesiredFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The desired state of Site Recovery's network mappings: one file, or one of a folder's."""

    version: Annotated[Literal[1] | None, Meta(description="The version of this format")] = None
    cloud: Annotated[
        CloudName | None, Meta(description="Authority, endpoint and token scope together; public by default")
    ] = None
    subscriptions: Annotated[
        Mapping[str, str], Meta(description="Aliases of subscriptions (GUIDs); rules search only these")
    ] = {}
    vaults: Annotated[
        Mapping[str, str | VaultFile],
        Meta(description="Names for vaults; each an id (alias/resource group/name, or full) or a mapping with options"),
    ] = {}
    regions: tuple[RegionFile, ...] = ()
    pairs: tuple[RowFile, ...] = ()
    rules: tuple[RuleFile, ...] = ()
    ignore: tuple[IgnoreFile, ...] = ()
    vmm_pairs: tuple[VmmRowFile, ...] = ()
    topology: Annotated[
        Name | None, Meta(description="The path, from this file, of a VMM topology; enables the availability check")
    ] = None
    freeze: tuple[FreezeFile, ...] = ()
    limits: Limits | None = None

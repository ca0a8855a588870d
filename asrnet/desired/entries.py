"""The form of a desired-state file, where it differs from the resolved values of ``state.py``."""

# No "from __future__ import annotations" here: msgspec would have to compile each annotation at every start.

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta, Struct

from asrnet.desired.state import (
    CloudName,
    Freeze,
    Ignore,
    Name,
    RegionKeys,
    RowKeys,
    RuleKeys,
    VaultKeys,
    VmmRowKeys,
)
from asrnet.model.limits import Limits, MachinesMode

Failback = Annotated[Literal["none"] | None, Meta(description="none: this row does not own the reverse mapping")]


class VaultEntry(VaultKeys, frozen=True, kw_only=True):
    """A Recovery Services vault, with options."""

    id: Annotated[str, Meta(description="alias/resource group/name, or a full resource id")]


class RegionEntry(RegionKeys, frozen=True, kw_only=True):
    """A direction in which regions may be paired, and how copies are made there."""

    test: Annotated[
        str | None,
        Meta(description="The network of test failovers, in the recovery region, for pairs that name none themselves"),
    ] = None


class RowEntry(RowKeys, frozen=True, kw_only=True):
    """A pair of virtual networks: two mappings, forward and reverse."""

    primary: Annotated[str, Meta(description="A virtual network: alias/resource group/name, or a full resource id")]
    recovery: Annotated[str, Meta(description="A virtual network, written like primary; or copy, which asrnet makes")]
    failback: Failback = None
    test: Annotated[
        str | None,
        Meta(
            description="The network of test failovers, in the recovery region; none: do not use the one under regions"
        ),
    ] = None


class RuleEntry(RuleKeys, frozen=True, kw_only=True):
    """Pairs for every matching network of a primary region that has no row of its own."""

    recovery: Annotated[
        str,
        Meta(description="copy, or a virtual network in whose id {name} and {resource_group} stand for the primary's"),
    ]
    failback: Failback = None
    test: Annotated[
        str | None,
        Meta(
            description="The network of test failovers, written like recovery; none: do not use the one under regions"
        ),
    ] = None


class VmmRowEntry(VmmRowKeys, frozen=True, kw_only=True):
    """A pair of VM networks managed by System Center VMM, or a VM network mapped to Azure."""

    primary: Annotated[str, Meta(description="VMM server/VM network")]
    recovery: Annotated[
        str, Meta(description="VMM server/VM network; or a virtual network: alias/resource group/name, or a full id")
    ]


class DesiredFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The desired state of Site Recovery's network mappings: a single file, or one file of a folder."""

    version: Annotated[Literal[1] | None, Meta(description="The version of this format")] = None
    cloud: Annotated[
        CloudName | None, Meta(description="Authority, endpoint and token scope together; public by default")
    ] = None
    subscriptions: Annotated[
        Mapping[str, str], Meta(description="Aliases of subscriptions (GUIDs); rules search only these")
    ] = {}
    vaults: Annotated[
        Mapping[str, str | VaultEntry],
        Meta(description="Names for vaults; each an id (alias/resource group/name, or full) or a mapping with options"),
    ] = {}
    regions: tuple[RegionEntry, ...] = ()
    pairs: tuple[RowEntry, ...] = ()
    rules: tuple[RuleEntry, ...] = ()
    ignore: tuple[Ignore, ...] = ()
    vmm_pairs: tuple[VmmRowEntry, ...] = ()
    topology: Annotated[
        Name | None, Meta(description="The path, from this file, of a VMM topology; enables the availability check")
    ] = None
    freeze: tuple[Freeze, ...] = ()
    limits: Limits | None = None
    machines: Annotated[
        MachinesMode | None,
        Meta(
            description="Whether protected machines follow changed mappings, or are only reported (the default); rows, "
            "rules and --machines may override it"
        ),
    ] = None
    release_addresses: Annotated[
        bool | None,
        Meta(
            description="Release static recovery addresses that are outside the subnet that a machine moves to "
            "(false by default: such a machine stays)"
        ),
    ] = None

"""Findings: what a person should know about a plan. ``FindingKind`` is the table of all kinds.

A new kind is a member of ``FindingKind``; its severity, whether it counts as drift, ``docs/errors.md``, the JSON
Schema and ``asrnet explain`` follow from it.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, Literal, Self

from msgspec import Struct

from asrnet.model.arm import ArmId

Severity = Literal["error", "warning", "info"]
Role = Literal["", "corrected", "follows", "unread", "holds"]


class FindingKind(StrEnum):
    """What a finding is about.

    ``role`` is ``corrected`` if a change of the plan corrects it (the change then counts as the drift), ``follows`` if
    that is so where machines follow, ``unread`` if something could not be read, and ``holds`` if it makes changes wait.
    ``meaning`` describes the finding, and ``remedy`` what to do about it.
    """

    severity: Severity
    role: Role
    meaning: str
    remedy: str

    def __new__(cls, value: str, severity: Severity, role: Role, meaning: str, remedy: str) -> Self:
        """A member whose value is the kind's name in JSON."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.severity, member.role, member.meaning, member.remedy = severity, role, meaning, remedy
        return member

    MISSING_PAIR = (
        "missing_pair", "warning", "corrected",
        "Neither mapping of a declared pair exists.",
        "asrnet apply creates both.",
    )  # fmt: skip
    HALF_PAIR = (
        "half_pair", "warning", "corrected",
        "One mapping of the pair is missing: machines can fail over but not back, or the reverse.",
        "asrnet apply creates the missing mapping.",
    )  # fmt: skip
    RETARGETED = (
        "retargeted", "warning", "corrected",
        "A mapping leads to another network than the pair declares.",
        "asrnet apply points it back. If the new target is right, change the file instead.",
    )  # fmt: skip
    NOT_PAIRED = (
        "not_paired", "warning", "corrected",
        "The mapping exists, and its state is not Paired.",
        "asrnet apply writes it again. If the state stays, look at the mapping's job in the portal.",
    )  # fmt: skip
    MISSING_NETWORK = (
        "missing_network", "error", "",
        "A network of the pair does not exist, or a security group or route table for its copy.",
        "Create it, correct its id in the file, or declare `recovery: copy`.",
    )  # fmt: skip
    MISSING_FABRIC = (
        "missing_fabric", "error", "",
        "The vault has no Site Recovery fabric for a region of the pair.",
        "Enable replication of any machine of that region once, or set `create_fabrics: true` for the vault.",
    )  # fmt: skip
    MISSING_RESOURCE_GROUP = (
        "missing_resource_group", "error", "",
        "The resource group in which a copy would be created does not exist.",
        "Create the group, set `create_resource_group: true` under `copy`, or name another group there.",
    )  # fmt: skip
    REGION_MISMATCH = (
        "region_mismatch", "error", "",
        "A network is in a region that `regions` does not declare, or both networks are in one region.",
        "Declare the pair of regions, or correct the network.",
    )  # fmt: skip
    UNKNOWN = (
        "unknown", "error", "unread",
        "Something could not be read, so it may exist or not. Nothing is created or called an orphan because of it.",
        "The message names the cause. Grant the missing right, or try again when Azure answers.",
    )  # fmt: skip
    CROSS_TENANT = (
        "cross_tenant", "error", "unread",
        "A subscription does not belong to the tenant that asrnet is signed in to.",
        "Sign in to that tenant, or use Azure Lighthouse.",
    )  # fmt: skip
    AMBIGUOUS = (
        "ambiguous", "error", "",
        "Several resources match, and only a person can decide which one is meant.",
        "Name it: a network by its full id, a recovery region with `to`.",
    )  # fmt: skip
    CONFLICT = (
        "conflict", "error", "",
        "Two declarations contradict each other.",
        "The message names both lines. Change one of them.",
    )  # fmt: skip
    DUPLICATE = (
        "duplicate", "error", "",
        ("One network has several mappings to the same region; which one counts is not known. As a warning: a retarget "
        "leaves the mappings of the old recovery network."),
        "Delete all but one.",
    )  # fmt: skip
    TARGET_NOT_AVAILABLE = (
        "target_not_available", "error", "",
        "VMM: no cloud that protects the primary network's clouds can reach the recovery network.",
        "asrnet targets lists the networks that are available, and why the others are not.",
    )  # fmt: skip
    NO_ELIGIBLE_HOST = (
        "no_eligible_host", "warning", "",
        "VMM: no host of the protecting cloud reaches the recovery network.",
        "Give a host access to the network in VMM.",
    )  # fmt: skip
    NETWORK_WITHOUT_LOGICAL_NETWORK = (
        "network_without_logical_network", "warning", "",
        "VMM: it is not known which logical network is behind a VM network.",
        "Declare it in the topology file.",
    )  # fmt: skip
    LOGICAL_NETWORK_WITHOUT_NETWORKS = (
        "logical_network_without_networks", "warning", "",
        "VMM: a logical network has no VM networks, so nothing can be mapped to it.",
        "Create a VM network on it, or remove it from the topology file.",
    )  # fmt: skip
    FAILOVER_ACTIVE = (
        "failover_active", "error", "holds",
        ("Machines on these networks are failing over or being re-protected, so updates and deletes of mappings wait, "
         "and so do updates of machines with an unfinished job."),
        "Finish the failover: commit it and re-protect. `--force failover_active` lifts the guard.",
    )  # fmt: skip
    REVERSED = (
        "reversed", "error", "holds",
        ("Machines of the pair run in the recovery region, and their next re-protection uses the pair's mappings, "
        "so updates and deletes of the mappings wait. As an info it holds nothing back."),
        "Fail back first. `--force reversed` together with `--pair` lifts the guard.",
    )  # fmt: skip
    FROZEN = (
        "frozen", "error", "holds",
        "The file freezes the vault until a date.",
        "Wait, end the freeze in the file, or use `--force frozen`.",
    )  # fmt: skip
    ORPHAN = (
        "orphan", "warning", "",
        "A live mapping of a network that no longer exists.",
        "Delete it, or set `unmanaged: delete` for the vault and use --allow-delete.",
    )  # fmt: skip
    UNMANAGED = (
        "unmanaged", "warning", "",
        "A live mapping that no row or rule declares.",
        "Declare it (asrnet dump writes the rows), ignore it, or delete it.",
    )  # fmt: skip
    RULE_MATCHES_NOTHING = (
        "rule_matches_nothing", "warning", "",
        "A rule matches no network of a primary region, so it protects nothing.",
        "Correct the rule's `match`, or the `regions` of the file. If the rule is no longer needed, remove it.",
    )  # fmt: skip
    NO_WAY_BACK = (
        "no_way_back", "warning", "",
        "A network was mapped to one that fails back elsewhere, so its machines can fail over but not back.",
        "Map it to a recovery network of its own, or declare `failback: none` if that is as it should be.",
    )  # fmt: skip
    STALE_PROTECTED_ITEM = (
        "stale_protected_item", "warning", "follows",
        "A machine fails over to another network than the mapped one: mappings apply to new replications only.",
        "Let it follow: `machines: follow`, or `--machines follow`. If it is right as it is, list it under `ignore`.",
    )  # fmt: skip
    TEST_NETWORK_DIFFERS = (
        "test_network_differs", "warning", "follows",
        "A machine's test failovers go to another network than the one declared as `test`, or to none.",
        "Let it follow: `machines: follow`, or `--machines follow`. `test: none` in a row asks for no test network.",
    )  # fmt: skip
    MISSING_RIGHT = (
        "missing_right", "error", "holds",
        "The identity lacks the right to make a change that is due, so the change waits.",
        "Grant it: `asrnet permissions` writes the role, `asrnet doctor` shows what is missing.",
    )  # fmt: skip
    TEST_NETWORK_CONNECTED = (
        "test_network_connected", "warning", "",
        "A test network is connected to what production uses, so machines under test can reach production.",
        "Remove what connects it, or name another test network. The message shows the way.",
    )  # fmt: skip
    NETWORK_RULES_LEFT_BEHIND = (
        "network_rules_left_behind", "warning", "",
        "After failover a machine's NIC lacks something that protects or publishes it today.",
        "Set it in the machine's network settings for its recovery side. asrnet predict --nics shows both sides.",
    )  # fmt: skip
    SUBNET_MISSING = (
        "subnet_missing", "warning", "",
        "The recovery network has no subnet of the same name, so machines land in its first one.",
        "Create the subnet, or choose one for each machine.",
    )  # fmt: skip
    SUBNET_TOO_SMALL = (
        "subnet_too_small", "warning", "",
        "The recovery subnet has fewer free addresses than the primary subnet uses, or than its machines need.",
        "Enlarge the recovery subnet.",
    )  # fmt: skip
    FALLBACK_SUBNET_RESERVED = (
        "fallback_subnet_reserved", "warning", "",
        "The subnet that machines would fall back to is reserved for an Azure service or delegated.",
        "Create a subnet with the primary subnet's name in the recovery network.",
    )  # fmt: skip
    VAULT_IN_PRIMARY_REGION = (
        "vault_in_primary_region", "warning", "",
        "The vault is in the primary region and fails together with it.",
        "Use a vault in the recovery region.",
    )  # fmt: skip
    ADDRESS_SPACE_DIFFERS = (
        "address_space_differs", "info", "",
        "A subnet's prefixes differ between the two networks, so machines get new addresses there.",
        "Nothing, if DNS and clients cope. Otherwise give the recovery subnet the same prefixes.",
    )  # fmt: skip
    NOT_COPIED = (
        "not_copied", "info", "",
        "A setting of the primary network is not part of its copy. As an error: the copy cannot be made.",
        "Set it on the copy if it is needed. The hint of an error says what to do instead.",
    )  # fmt: skip
    COPIED_DNS = (
        "copied_dns", "info", "",
        "The copy has the primary network's DNS servers, which may be out of reach on the day of the disaster.",
        "Set `dns` under `copy` in the region.",
    )  # fmt: skip
    ZONE_TO_ZONE = (
        "zone_to_zone", "info", "",
        "A mapping within one region. asrnet leaves it alone.",
        "Nothing.",
    )  # fmt: skip
    RETIRED_SCENARIO = (
        "retired_scenario", "info", "",
        "Microsoft has retired this Site Recovery scenario.",
        "Plan the move to a supported one.",
    )  # fmt: skip


CORRECTED: Final = frozenset(kind for kind in FindingKind if kind.role == "corrected")
UNREAD: Final = frozenset(kind for kind in FindingKind if kind.role == "unread")
FOLLOWS: Final = frozenset(kind for kind in FindingKind if kind.role == "follows")
HOLDS: Final = frozenset(kind for kind in FindingKind if kind.role == "holds")


class Finding(Struct, frozen=True, gc=False, kw_only=True):
    """Something a person should know. Errors block their pair; ``subject`` is the id or name it is about."""

    kind: FindingKind
    severity: Severity
    message: str
    vault: str | None = None
    pair: str | None = None
    subject: str | None = None
    hint: str = ""

    def counts(self, *, warnings_count: bool = False) -> bool:
        """Whether the finding itself counts as drift. Pending changes count in any case."""
        return self.severity == "error" or (warnings_count and self.severity == "warning")


def finding(
    kind: FindingKind,
    message: str,
    *,
    vault: str | None = None,
    pair: str | None = None,
    subject: ArmId | str | None = None,
    hint: str = "",
    severity: Severity | None = None,
) -> Finding:
    """Make a finding. Its severity is that of its kind unless ``severity`` is given."""
    return Finding(
        kind=kind,
        severity=severity or kind.severity,
        message=message,
        vault=vault,
        pair=pair,
        subject=None if subject is None else str(subject),
        hint=hint,
    )

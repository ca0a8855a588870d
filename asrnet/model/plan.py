"""The plan and its parts: changes and their steps, pairs, counts and limits. A plan checks its limits and its checksum.

These Structs are the JSON of ``-o json`` and of saved plans, so the names of their fields are a public format.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Literal

import msgspec
from msgspec import Struct

from asrnet.errors import DocumentError, InputError, RefusedError
from asrnet.model.arm import ArmId
from asrnet.model.azure import Fabric, NetworkMapping, ProtectedItem, Resource, ResourceGroup, VirtualNetwork
from asrnet.model.findings import Finding
from asrnet.model.limits import Limits
from asrnet.model.machine_networks import MachineNetworks, networks_of

FORMAT_VERSION: Final = "1.1"

Action = Literal["create", "update", "delete"]
PAST_TENSE: Final[Mapping[str, str]] = {"create": "created", "update": "updated", "delete": "deleted"}
ChangeKind = Literal["network_mapping", "virtual_network", "fabric", "resource_group", "protected_item"]
Content = Resource | MachineNetworks
"""What a step finds and leaves: a whole resource, or the network settings of a machine."""
_KINDS: Final[Mapping[type, ChangeKind]] = {
    NetworkMapping: "network_mapping",
    VirtualNetwork: "virtual_network",
    Fabric: "fabric",
    ResourceGroup: "resource_group",
}
Direction = Literal["forward", "reverse", "both"]


class Step(Struct, frozen=True, gc=False, kw_only=True):
    """One write. ``before`` is the resource as it must still be when the write is sent, ``after`` as it will be.

    ``fingerprint`` is that of a machine's whole updatable document (``model.machine_update.fingerprint``), because its
    update sends more than what changes. Empty for other resources.
    """

    action: Action
    resource_id: ArmId
    before: Content | None = None
    after: Content | None = None
    fingerprint: str = ""


class Change(Struct, frozen=True, gc=False, kw_only=True):
    """One decision, carried out by one or more steps in order. A retarget is one change, an update.

    ``owner`` is the kind of declaration that asks for the change, or None if the change belongs to no pair.
    """

    id: str
    action: Action
    kind: ChangeKind
    vault: str
    pair: str | None
    direction: Direction | None
    name: str
    resource_id: ArmId
    primary_network_id: ArmId | None
    recovery_network_id: ArmId | None
    before: Content | None
    after: Content | None
    reason: str
    steps: tuple[Step, ...]
    depends_on: tuple[str, ...] = ()
    owner: Literal["row", "rule"] | None = None

    @staticmethod
    def create(
        resource: Resource,
        *,
        id: str,  # noqa: A002 - the field's name
        vault: str,
        reason: str,
        pair: str | None = None,
        direction: Direction | None = None,
        primary_network_id: ArmId | None = None,
        recovery_network_id: ArmId | None = None,
        depends_on: tuple[str, ...] = (),
        owner: Literal["row", "rule"] | None = None,
    ) -> Change:
        """The change that creates ``resource``. The network ids of a mapping are taken from the mapping."""
        if isinstance(resource, NetworkMapping):
            primary_network_id, recovery_network_id = resource.primary_network_id, resource.recovery_network_id
        return Change(
            id=id,
            action="create",
            kind=_KINDS[type(resource)],
            vault=vault,
            pair=pair,
            direction=direction,
            name=resource.id.name,
            resource_id=resource.id,
            primary_network_id=primary_network_id,
            recovery_network_id=recovery_network_id,
            before=None,
            after=resource,
            reason=reason,
            steps=(Step(action="create", resource_id=resource.id, after=resource),),
            depends_on=depends_on,
            owner=owner,
        )

    @staticmethod
    def update(
        before: Resource,
        after: Resource,
        *,
        id: str,  # noqa: A002 - the field's name
        vault: str,
        reason: str,
        steps: tuple[Step, ...] = (),
        pair: str | None = None,
        direction: Direction | None = None,
        primary_network_id: ArmId | None = None,
        recovery_network_id: ArmId | None = None,
        depends_on: tuple[str, ...] = (),
        owner: Literal["row", "rule"] | None = None,
    ) -> Change:
        """The change that turns ``before`` into ``after``, in one step unless ``steps`` are given."""
        if isinstance(after, NetworkMapping):
            primary_network_id, recovery_network_id = after.primary_network_id, after.recovery_network_id
        return Change(
            id=id,
            action="update",
            kind=_KINDS[type(after)],
            vault=vault,
            pair=pair,
            direction=direction,
            name=after.id.name,
            resource_id=after.id,
            primary_network_id=primary_network_id,
            recovery_network_id=recovery_network_id,
            before=before,
            after=after,
            reason=reason,
            steps=steps or (Step(action="update", resource_id=after.id, before=before, after=after),),
            depends_on=depends_on,
            owner=owner,
        )

    @staticmethod
    def update_machine(
        item: ProtectedItem,
        after: MachineNetworks,
        *,
        id: str,  # noqa: A002 - the field's name
        vault: str,
        reason: str,
        pair: str,
        primary_network_id: ArmId,
        fingerprint: str,
        depends_on: tuple[str, ...] = (),
        owner: Literal["row", "rule"] | None = None,
    ) -> Change:
        """The change that sets the networks of ``item`` to ``after``, in one step."""
        before = networks_of(item, recovery=after.recovery_network_id, test=after.test_network_id)
        step = Step(action="update", resource_id=item.id, before=before, after=after, fingerprint=fingerprint)
        return Change(
            id=id,
            action="update",
            kind="protected_item",
            vault=vault,
            pair=pair,
            direction=None,
            name=item.friendly_name,
            resource_id=item.id,
            primary_network_id=primary_network_id,
            recovery_network_id=after.recovery_network_id,
            before=before,
            after=after,
            reason=reason,
            steps=(step,),
            depends_on=depends_on,
            owner=owner,
        )

    @staticmethod
    def delete(mapping: NetworkMapping, *, id: str, vault: str, reason: str) -> Change:  # noqa: A002 - the field's name
        """The change that deletes an unmanaged mapping. asrnet never deletes anything but mappings."""
        return Change(
            id=id,
            action="delete",
            kind="network_mapping",
            vault=vault,
            pair=None,
            direction=None,
            name=mapping.name,
            resource_id=mapping.id,
            primary_network_id=mapping.primary_network_id,
            recovery_network_id=mapping.recovery_network_id,
            before=mapping,
            after=None,
            reason=reason,
            steps=(Step(action="delete", resource_id=mapping.id, before=mapping),),
        )

    @property
    def keeps_target(self) -> bool:
        """Whether an update keeps the mapping's recovery network, and only restores its state."""
        before, after = self.before, self.after
        return (
            isinstance(before, NetworkMapping)
            and isinstance(after, NetworkMapping)
            and before.recovery_network_id == after.recovery_network_id
        )


class Summary(Struct, frozen=True, kw_only=True):
    """Counts of mappings; a retarget counts once, as an update."""

    in_sync: int = 0
    create: int = 0
    update: int = 0
    delete: int = 0
    blocked: int = 0
    unmanaged: int = 0


class Resources(Struct, frozen=True, kw_only=True):
    """Counts of the networks, fabrics and resource groups to create, and of the machines to update."""

    virtual_network: int = 0
    fabric: int = 0
    resource_group: int = 0
    protected_item: int = 0


def resources_of(changes: Iterable[Change]) -> Resources:
    """How many networks, fabrics and resource groups ``changes`` create, and how many machines they update."""
    created = Counter(change.kind for change in changes if change.action == "create" or change.kind == "protected_item")
    return Resources(
        virtual_network=created["virtual_network"],
        fabric=created["fabric"],
        resource_group=created["resource_group"],
        protected_item=created["protected_item"],
    )


class RuleMatch(Struct, frozen=True, kw_only=True):
    """What a rule matched."""

    name: str
    matched: tuple[ArmId, ...]


PairStatus = Literal["in_sync", "create", "update", "blocked", "external"]


class PairView(Struct, frozen=True, gc=False, kw_only=True):
    """A pair for display. A status of ``external`` means that another tool manages it.

    ``recovery_network_id`` is None while it is not known. ``primary_network`` and ``recovery_network`` are display
    names, because the ids of VM networks are GUIDs.
    """

    name: str
    vault: str
    primary_network_id: ArmId
    recovery_network_id: ArmId | None
    primary_location: str | None
    recovery_location: str | None
    failback: bool
    forward: PairStatus
    reverse: PairStatus | None
    managed_by: str | None = None
    owner: Literal["row", "rule"] = "row"
    file: str = ""
    line: int | None = None
    primary_network: str = ""
    recovery_network: str = ""


MachineStatus = Literal["in_sync", "update", "waiting", "held", "reported"]


class MachineView(Struct, frozen=True, gc=False, kw_only=True):
    """A protected machine of a pair for display: its networks now, and those that its pair asks for.

    ``waiting``: its update is held back by a freeze, or together with the mapping that it follows. ``held``: it should
    follow but must not be changed now. ``reason`` says why, for both. ``reported``: it differs, and machines of the
    pair do not follow. ``planned`` is None if it is in sync or if that is not known. ``follows``: the machines of its
    pair follow.
    """

    name: str
    id: ArmId
    vault: str
    pair: str
    status: MachineStatus
    networks: MachineNetworks
    planned: MachineNetworks | None = None
    reason: str = ""
    follows: bool = False


class Observed(Struct, frozen=True, kw_only=True):
    """The state of one vault that the plan is based on, with which a saved plan detects later changes.

    ``machines`` has the fingerprints of the machines that the plan updates, by the keys of their ids.
    """

    vault: str
    vault_id: ArmId
    mappings: Mapping[str, str]
    networks: Mapping[str, str]
    fabrics: Mapping[str, str]
    machines: Mapping[str, str] = {}


class Plan(Struct, frozen=True, kw_only=True):
    """The changes that apply would make, with their reasons, and all findings.

    ``existing`` counts the live mappings of each vault, by its name. ``tenant`` and ``cloud`` are those it was made in.
    """

    format_version: str = FORMAT_VERSION
    checksum: str = ""
    cloud: str = "public"
    tenant: str | None = None
    summary: Summary = Summary()
    resources: Resources = Resources()
    rules: tuple[RuleMatch, ...] = ()
    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()
    pairs: tuple[PairView, ...] = ()
    machines: tuple[MachineView, ...] = ()
    limits: Limits = Limits()
    existing: Mapping[str, int] = {}
    observed: tuple[Observed, ...] = ()

    @property
    def machines_left_alone(self) -> int:
        """How many machines do not follow their pair: they are held, or their update waits for something."""
        return sum(machine.status in {"held", "waiting"} for machine in self.machines)

    def sealed(self) -> Plan:
        """This plan with its checksum filled in."""
        return msgspec.structs.replace(self, checksum=self._digest())

    def _digest(self) -> str:
        """The checksum, computed field by field and element by element, so that no copy of the plan is made."""
        digest = hashlib.sha256()
        buffer = bytearray()
        for name in Plan.__struct_fields__:
            value = "" if name == "checksum" else getattr(self, name)
            digest.update(name.encode())
            for part in value if isinstance(value, tuple) else (value,):
                _ENCODER.encode_into(part, buffer)
                digest.update(buffer)
        return f"sha256:{digest.hexdigest()}"

    def violations(self, forced: Iterable[str] = ()) -> tuple[str, ...]:
        """A line for each limit that is exceeded and not ``forced``, with the figures and what to do about it."""
        return tuple(violation.line for violation in self.exceeded(forced))

    def exceeded(self, forced: Iterable[str] = ()) -> tuple[Violation, ...]:
        """The limits that are exceeded and not ``forced``."""
        return tuple(_violations(self, forced))

    def raise_if_over_limits(self, forced: Iterable[str] = ()) -> None:
        """Raise RefusedError naming every limit that is exceeded and not forced."""
        violations = _violations(self, forced)
        if violations:
            raise RefusedError("; ".join(violation.line for violation in violations), kind=violations[0].limit)


class Violation(Struct, frozen=True):
    """An exceeded limit, the number of changes that exceed it, the message, and the vault or run it is about."""

    limit: str
    number: int
    line: str
    scope: str


def _violations(plan: Plan, forced: Iterable[str]) -> list[Violation]:
    """The exceeded limits of each vault, then those of the whole run that do not repeat a single vault's."""
    violations: list[Violation] = []
    for vault, existing in sorted(plan.existing.items()):
        changes = [change for change in plan.changes if change.vault == vault]
        violations += _violations_in(f"vault {vault}", changes, existing, plan.limits)
    if len(plan.existing) > 1:
        reported = {(violation.limit, violation.number) for violation in violations}
        of_run = _violations_in("this run", plan.changes, sum(plan.existing.values()), plan.limits)
        violations += [violation for violation in of_run if (violation.limit, violation.number) not in reported]
    lifted = set(forced)
    return [violation for violation in violations if violation.limit not in lifted]


def _violations_in(scope: str, changes: Sequence[Change], existing: int, limits: Limits) -> Iterator[Violation]:
    counts = Counter(change.action for change in changes if change.kind == "network_mapping")
    growth = sum(
        change.owner == "rule" and change.action == "create" and change.direction == "forward" for change in changes
    )
    machines = sum(change.kind == "protected_item" for change in changes)
    updates, deletes = counts["update"], counts["delete"]
    figures = f"{counts['create']} to create, {updates} to update, {deletes} to delete, {existing} existing"
    for name, value, limit, noun, purpose in (
        ("max_updates", updates, limits.max_updates, "mapping", "to update"),
        ("max_deletes", deletes, limits.max_deletes, "mapping", "to delete"),
        ("max_rule_growth", growth, limits.max_rule_growth, "pair", "that rules add"),
    ):
        if value > limit:
            number = f"{value} {noun}{'' if value == 1 else 's'} {purpose}"
            line = f"{scope}: {number}, but {name} is {limit} ({figures}); raise the limit or use --force {name}"
            yield Violation(name, value, line, scope)
    if machines > limits.max_machines:
        line = (
            f"{scope}: {machines} machine{'' if machines == 1 else 's'} to update, but max_machines is "
            f"{limits.max_machines}; raise the limit, select some with --machine, or use --force max_machines"
        )
        yield Violation("max_machines", machines, line, scope)
    if existing >= limits.min_existing and (updates + deletes) * 100 > limits.max_change_percent * existing:
        share = (updates + deletes) * 100 / existing
        line = (
            f"{scope}: {share:.2f}% of the mappings to update or delete, but max_change_percent is "
            f"{limits.max_change_percent} "
            f"({updates + deletes}/{existing}; {figures}); raise the limit or use --force max_change_percent"
        )
        yield Violation("max_change_percent", updates + deletes, line, scope)


def encode(value: object) -> Any:
    """The msgspec hook that encodes types unknown to JSON."""
    if isinstance(value, ArmId):
        return str(value)
    raise NotImplementedError(f"no JSON for {type(value).__name__}")


def decode(kind: type, value: Any) -> Any:
    """The msgspec hook that decodes types unknown to JSON. msgspec adds the path to a ValueError."""
    if kind is not ArmId:
        raise NotImplementedError(f"no {kind.__name__} in JSON")
    if not isinstance(value, str):
        raise ValueError("Expected an id")  # noqa: TRY004 - msgspec adds the path to a ValueError only
    try:
        return ArmId(value)
    except InputError as error:
        raise ValueError(error.message) from error


_BYTE: Final = re.compile(r"\(byte (\d+)\)")
"""Where msgspec says that JSON is malformed."""

# Ids are the only type in plans that JSON lacks, and a large plan has half a million of them: str() is the quickest.
_ENCODER = msgspec.json.Encoder(enc_hook=str, order="deterministic")


def to_json(value: Struct) -> bytes:
    """The JSON of a plan or report, keys in the order of the fields."""
    return msgspec.json.encode(value, enc_hook=encode)


def load_plan(data: bytes, *, source: str) -> Plan:
    """A plan that was saved with ``to_json``.

    Raises DocumentError if it is not a plan of this version, and RefusedError (``tampered``) if its checksum is wrong.
    The checksum of an older format never matches.
    """
    try:
        version = msgspec.json.decode(data, type=_Versioned).format_version
        if version.partition(".")[0] != FORMAT_VERSION.partition(".")[0]:
            raise DocumentError(
                f"the plan has format {version}, this asrnet reads {FORMAT_VERSION}",
                file=source,
                hint="make the plan again with this version",
            )
        plan = msgspec.json.decode(data, type=Plan, dec_hook=decode)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        place = _BYTE.search(str(error))
        line = data.count(b"\n", 0, int(place[1])) + 1 if place else None
        hint = "make it with: asrnet plan --out PLANFILE"
        raise DocumentError(f"not a saved plan: {error}", file=source, line=line, hint=hint) from error
    if plan.sealed().checksum != plan.checksum:
        problem = "the plan was changed after it was saved: its checksum does not match"
        if version != FORMAT_VERSION:  # a checksum covers the keys of its own format only
            problem = f"the plan has format {version}, and this asrnet can check only the checksums of {FORMAT_VERSION}"
        raise RefusedError(
            f"{source}: {problem}",
            kind="tampered",
            hint="make the plan again with: asrnet plan --out PLANFILE",
        )
    return plan


class _Versioned(Struct):
    format_version: str


def mapping_of(step: Step) -> NetworkMapping:
    """The mapping that a step writes, or the one that it deletes."""
    mapping = step.after or step.before
    assert isinstance(mapping, NetworkMapping)  # noqa: S101 - a step of a network_mapping change has nothing else
    return mapping

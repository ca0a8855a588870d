"""What a vault may contain before first contact, and the removal of everything that first contact created."""

from __future__ import annotations

from msgspec import Struct

from asrnet.errors import AsrError, RefusedError
from asrnet.first_contact.session import LABELS, PREFIX, TAG, NotTried, Place, Session, at, is_own
from asrnet.model.arm import ArmId, normal_location

_NOT_FOUND = 404
_BAD_REQUEST = 400


class LeftOver(Struct, frozen=True):
    """A resource that could not be cleaned up: its kind, its name, and why."""

    kind: str
    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {self.reason}"


def check_is_throwaway(session: Session) -> None:
    """Raise RefusedError if the vault or the group contains something that first contact must not touch.

    A vault may contain only what an interrupted run of first contact left. If a machine was named, the vault may
    contain that machine and the fabrics and mappings it needs. Whatever cannot be read is assumed to contain something.
    """
    place = session.place
    hint = "give first contact an empty vault, to which it may write freely"
    try:
        items = session.rows(f"{place.vault}/replicationProtectedItems")
        mappings = session.rows(f"{place.vault}/replicationNetworkMappings")
        fabrics = session.rows(f"{place.vault}/replicationFabrics")
        networks = session.rows(f"{place.group}/providers/Microsoft.Network/virtualNetworks")
    except NotTried as reason:
        raise RefusedError(
            f"the vault or the group cannot be read ({reason}), so it may not be empty",
            kind="not_throwaway",
            hint="asrnet doctor names the rights that are missing",
        ) from reason
    others = [row for row in items if place.machine is None or ArmId(str(at(row, "id"))) != place.machine]
    counts = {"machine": len(others)}
    if place.machine is None:
        counts["mapping"] = sum(not is_own(row) for row in mappings)
        counts["fabric"] = sum(not is_own(row) for row in fabrics)
    held = [f"{count} {kind}{'s' if count > 1 else ''}" for kind, count in counts.items() if count]
    if held:
        raise RefusedError(
            f"the vault contains {', '.join(held)} that first contact did not create", kind="not_throwaway", hint=hint
        )
    for network in networks:
        if is_own(network) and at(network, "tags", TAG) is None:
            raise RefusedError(
                f"the group has a network whose name begins with '{PREFIX}' but without the tag '{TAG}'",
                kind="not_throwaway",
                hint="rename it, or give first contact another resource group",
            )


def clean_up(session: Session) -> list[LeftOver]:
    """Delete everything that this or an earlier run of first contact created, and return what could not be deleted.

    It searches the vault instead of remembering writes, because a write may have taken effect although its answer was
    lost.
    """
    place = session.place
    left: list[LeftOver] = []
    try:
        session.settle()
    except AsrError as error:
        left.append(LeftOver("operation", "still running", f"waiting for it failed: {error}"))
    for kind, path in (
        ("mapping", f"{place.vault}/replicationNetworkMappings"),
        ("fabric", f"{place.vault}/replicationFabrics"),
        ("network", f"{place.group}/providers/Microsoft.Network/virtualNetworks"),
    ):
        try:
            rows = [row for row in session.rows(path) if is_own(row)]
        except (NotTried, AsrError) as error:
            left.append(LeftOver(kind, f"{PREFIX}-*", f"the list could not be read: {error}"))
            continue
        for row in rows:
            reason = _deleted(session, kind, row)
            if reason:
                left.append(LeftOver(kind, str(at(row, "name")), reason))
    return left


def _deleted(session: Session, kind: str, row: object) -> str:
    """Delete one resource of ours. Returns the reason why it still exists, or an empty text."""
    if kind == "network" and at(row, "tags", TAG) is None:
        return f"it lacks the tag '{TAG}', so it is not ours"
    path = str(at(row, "id"))
    for label, reason in session.kept.items():
        if session.label(path) == label:
            return reason
    try:
        write = session.write("DELETE", path)
        if write.state not in {"", "Succeeded"}:
            return f"its deletion ended with {write.state} {write.facts.get('ended with code') or ''}".rstrip()
        answer = session.get(path)
    except (NotTried, AsrError) as error:
        return str(error)
    # A missing mapping has been answered with 400 as well as 404.
    if answer.status == _NOT_FOUND or (kind == "mapping" and answer.status == _BAD_REQUEST):
        return ""
    code = write.facts.get("detail code") or write.facts.get("code") or ""
    return f"DELETE was answered {write.answer.status} {code}".rstrip()


def place_of(session: Session, vault: ArmId, group: ArmId, regions: tuple[str, str], machine: ArmId | None) -> Place:
    """Determine the place of the experiments: the vault's region, and its existing fabrics for the two regions.

    With a machine, the regions are the machine's. Raises RefusedError if they cannot be read.
    """
    answer = session.get(vault)
    location = at(answer.document, "location")
    if location is None:
        raise RefusedError(
            f"reading the vault was answered {answer.status}", kind="not_throwaway", hint="check --vault"
        )
    if machine is not None:
        if not machine.key.startswith(f"{vault.key}/"):
            raise RefusedError("the machine is not in the vault", kind="not_throwaway", hint="check --machine")
        item = session.get(machine)
        primary, recovery = (
            at(item.document, "properties", "providerSpecificDetails", f"{end}FabricLocation")
            for end in ("primary", "recovery")
        )
        if not primary or not recovery:
            raise RefusedError(
                f"reading the machine was answered {item.status}, without the regions of an Azure machine",
                kind="not_throwaway",
                hint="--machine takes the id of a protected item (Azure to Azure) in the vault",
            )
        regions = (normal_location(str(primary)), normal_location(str(recovery)))
    fabric_ids = {region: vault.child("replicationFabrics", f"{PREFIX}-{region}") for region in regions}
    for row in session.rows(f"{vault}/replicationFabrics"):
        region = normal_location(str(at(row, "properties", "customDetails", "location")))
        if region in fabric_ids:
            fabric_ids[region] = ArmId(str(at(row, "id")))
    return Place(
        vault=vault,
        group=group,
        vault_location=normal_location(str(location)),
        regions=regions,
        fabrics=(fabric_ids[regions[0]], fabric_ids[regions[1]]),
        machine=machine,
    )


def planned_writes(place: Place) -> list[str]:
    """What first contact will write, one line each."""
    lines = [f"virtual network {place.network(label)}" for label in LABELS]
    lines += [f"fabric {fabric}" for fabric in place.fabrics if fabric.name.startswith(PREFIX)]
    lines.append(f"mappings named {PREFIX}-* under {' and '.join(fabric.name for fabric in place.fabrics)}")
    if place.machine is not None:
        lines.append(f"the network settings of the machine {place.machine.name}, which are restored")
    return lines

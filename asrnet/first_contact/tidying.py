"""What a vault may hold before first contact, and the removal of everything that first contact made."""

from __future__ import annotations

from msgspec import Struct

from asrnet.errors import AsrError, RefusedError
from asrnet.first_contact.session import LABELS, PREFIX, TAG, NotTried, Place, Session, at, is_own
from asrnet.model.arm import ArmId, normal_location

_NOT_FOUND = 404
_BAD_REQUEST = 400


class LeftOver(Struct, frozen=True):
    """Something that could not be cleaned up: what kind of thing, its name, and why."""

    kind: str
    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}: {self.reason}"


def check_is_throwaway(session: Session) -> None:
    """Raise RefusedError where the vault or the group holds what first contact must not come near.

    A vault must hold nothing but what an interrupted run of first contact left. Where a machine was named, the vault
    may hold this one, and the fabrics and mappings that it needs. What cannot be read is taken for something.
    """
    place = session.place
    hint = "give first contact a vault of its own, which it may write to as it likes"
    try:
        items = session.rows(f"{place.vault}/replicationProtectedItems")
        mappings = session.rows(f"{place.vault}/replicationNetworkMappings")
        fabrics = session.rows(f"{place.vault}/replicationFabrics")
        networks = session.rows(f"{place.group}/providers/Microsoft.Network/virtualNetworks")
    except NotTried as reason:
        raise RefusedError(
            f"the vault or the group cannot be read ({reason}), so it is not known to be empty",
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
        raise RefusedError(f"the vault holds {', '.join(held)} of somebody else's", kind="not_throwaway", hint=hint)
    for network in networks:
        if is_own(network) and at(network, "tags", TAG) is None:
            raise RefusedError(
                f"the group has a network whose name begins with '{PREFIX}' and that lacks the tag '{TAG}'",
                kind="not_throwaway",
                hint="rename it, or give first contact another resource group",
            )


def clean_up(session: Session) -> list[LeftOver]:
    """Delete everything that first contact made, now or in a run before: what could not be deleted.

    It goes by what is there and not by what was noted: a write whose answer was lost may have had its effect.
    """
    place = session.place
    left: list[LeftOver] = []
    try:
        session.settle()
    except AsrError as error:
        left.append(LeftOver("operation", "that is still running", f"its end could not be awaited: {error}"))
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
    """Delete one resource of ours; why it is still there, or nothing."""
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
    # A missing mapping has been answered 400 as well as 404.
    if answer.status == _NOT_FOUND or (kind == "mapping" and answer.status == _BAD_REQUEST):
        return ""
    code = write.facts.get("detail code") or write.facts.get("code") or ""
    return f"DELETE was answered {write.answer.status} {code}".rstrip()


def place_of(session: Session, vault: ArmId, group: ArmId, regions: tuple[str, str], machine: ArmId | None) -> Place:
    """Where the experiments take place: the vault's region, and its fabrics for the two regions where it has some.

    With a machine, the regions are the machine's. Raises RefusedError where these cannot be read.
    """
    answer = session.get(vault)
    location = at(answer.document, "location")
    if location is None:
        raise RefusedError(f"the vault was answered {answer.status}", kind="not_throwaway", hint="check --vault")
    if machine is not None:
        if not machine.key.startswith(f"{vault.key}/"):
            raise RefusedError("the machine is not one of the vault", kind="not_throwaway", hint="check --machine")
        item = session.get(machine)
        primary, recovery = (
            at(item.document, "properties", "providerSpecificDetails", f"{end}FabricLocation")
            for end in ("primary", "recovery")
        )
        if not primary or not recovery:
            raise RefusedError(
                f"the machine was answered {item.status}, without the regions of an Azure machine",
                kind="not_throwaway",
                hint="--machine takes the id of a protected item of Azure to Azure in the vault",
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


def written(place: Place) -> list[str]:
    """What first contact will write, a line each, before it does."""
    lines = [f"virtual network {place.network(label)}" for label in LABELS]
    lines += [f"fabric {fabric}" for fabric in place.fabrics if fabric.name.startswith(PREFIX)]
    lines.append(f"mappings named {PREFIX}-* under {' and '.join(fabric.name for fabric in place.fabrics)}")
    if place.machine is not None:
        lines.append(f"the network settings of the machine {place.machine.name}, which are put back")
    return lines

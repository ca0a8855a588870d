"""Faults in a scene of chaos: of the service and of the wire."""

from __future__ import annotations

from typing import Final

from chaos import Scene
from msgspec import structs
from states import EA

from asrnet.emulator.faults import Fault as WireFault
from asrnet.emulator.faults import Kind
from asrnet.fake.faults import Effect, Fault

MAPPINGS: Final = "replicationnetworkmappings"
SERVICE: Final[tuple[Effect, ...]] = (
    *(
        "operation_fails",
        "operation_fails",
        "operation_never_ends",
        "operation_never_ends",
        "operation_warns",
        "list_lags",
        "refused",
    ),
    *("scope_locked", "policy_denied", "forbidden", "changed_before", "changed_before"),
)
WIRE: Final[tuple[Kind, ...]] = (
    *("throttle", "unavailable", "busy", "reset", "reset", "delay", "garbage", "answer"),
    *("scope_locked", "policy", "forbidden"),
)

_WRITES: Final = ("PUT", "PATCH", "DELETE")
_WRITTEN: Final = (MAPPINGS, MAPPINGS, MAPPINGS, "virtualnetworks", "replicationfabrics", "*")
_READ: Final = (
    MAPPINGS,
    MAPPINGS,
    "virtualnetworks",
    "virtualnetworks",
    "replicationprotecteditems",
    "replicationjobs",
)


def service_faults(scene: Scene) -> list[Fault]:
    """Up to six faults of the service; where much may be deleted, often one that leaves networks unread."""
    faults = [_service_fault(scene) for _ in range(scene.random.choice([0, 1, 1, 2, 3, 5]))]
    if scene.allow_delete and scene.chance(0.4):
        unread = Fault(effect="forbidden", method="GET", kind="virtualnetworks", times=scene.random.choice([1, 2, 9]))
        faults.append(structs.replace(unread, after=scene.random.choice([0, 1, 5, 8, 12, 20, 30])))
    return faults


def _service_fault(scene: Scene) -> Fault:
    pick = scene.random.choice
    effect = pick(SERVICE)
    method = pick([*_WRITES, "GET", "GET", "*"])
    fault = Fault(
        effect=effect,
        method=method,
        kind=pick(_READ if method == "GET" else _WRITTEN),
        times=pick([1, 1, 2, 4]),
        after=pick([0, 0, 0, 1, 2, 5]),
        status=pick([400, 409, 500]),
        code="28020" if effect == "operation_fails" else "Refused",
        seconds=pick([2.0, 20.0]),
    )
    mapped = [mapping for site in scene.sites for mapping in site.mapped if mapping.kind == "azure_to_azure"]
    if effect != "changed_before":
        return fault
    if not mapped:
        return structs.replace(fault, effect="refused")
    target = pick(mapped)
    others = scene.far if target.primary_location == EA else scene.near
    elsewhere = pick([None, *(network.id for network in others)])
    return structs.replace(fault, mapping=target.id, recovery_network_id=elsewhere, times=1)


def wire_faults(scene: Scene) -> list[WireFault]:
    """Up to eight faults of the wire."""
    return [_wire_fault(scene) for _ in range(scene.random.choice([1, 2, 4, 8]))]


def _wire_fault(scene: Scene) -> WireFault:
    pick = scene.random.choice
    kind = pick(WIRE)
    return WireFault(
        kind=kind,
        method=pick([*_WRITES, "GET", "*", "*"]),
        path=pick(["*/replicationnetworkmappings*", "*/virtualnetworks*", "*/replicationjobs*", "*", "*"]),
        times=pick([1, 1, 2, 12]),
        skip=pick([0, 0, 1, 3, 10]),
        retry_after=pick([None, 1.0, 5.0]),
        seconds=pick([0.5, 20.0]),
        handled=scene.chance(0.5),
        status=pick([500, 502, 504, 408]),
        code="Broken" if kind == "answer" else "",
    )


def storm(scene: Scene) -> list[WireFault]:
    """Writes of all kinds that must be repeated, some seconds later."""
    pick = scene.random.choice
    return [
        WireFault(
            kind=pick(["throttle", "unavailable", "busy"]),
            method=method,
            path=path,
            times=pick([1, 3, 8]),
            retry_after=pick([1.0, 3.0, 5.0]),
        )
        for method in _WRITES
        for path in ("*/replicationnetworkmappings*", "*/virtualnetworks*")
    ]

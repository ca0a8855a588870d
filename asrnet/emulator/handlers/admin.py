"""The admin paths under ``/_asrnet/``. Tests use them to control the emulator outside Azure's protocol."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final

import msgspec

from asrnet.emulator.calls import Call
from asrnet.emulator.faults import Fault
from asrnet.emulator.messages import GatewayError, Response, decoded, empty_response, json_response
from asrnet.emulator.routing import Routes
from asrnet.errors import InputError
from asrnet.fake import world_file
from asrnet.fake.faults import Fault as ServiceFault
from asrnet.files.yaml import TYPES_LOCK
from asrnet.model.arm import ArmId

routes: Final = Routes(open=True, versioned=False)

_LATEST_REQUESTS: Final = 1000


@routes.get("/_asrnet/health", "Admin_Health", "documented")
def health(call: Call) -> Response:
    """Report that the emulator runs and how many requests it has answered."""
    return json_response({"status": "ok", "version": version("asrnet"), "requests": call.emulation.journal.total})


@routes.get("/_asrnet/ca.pem", "Admin_Authority", "documented")
def authority(call: Call) -> Response:
    """The certificate authority that clients must trust, as PEM."""
    if not call.emulation.authority:
        raise GatewayError(404, "NotFound", "The emulator is open without TLS.")
    return Response(status=200, headers=(("Content-Type", "application/x-pem-file"),), body=call.emulation.authority)


@routes.post("/_asrnet/reset", "Admin_Reset", "documented")
def reset(call: Call) -> Response:
    """Restore the seed, and clear the scripted faults and the journal."""
    call.emulation.reset()
    return empty_response(204)


@routes.post("/_asrnet/seed", "Admin_Seed", "documented")
def seed(call: Call) -> Response:
    """Replace the world with the one in the body (YAML or JSON), and save it as the seed."""
    call.emulation.replace_world(_body(call), seed=True)
    return empty_response(204)


@routes.get("/_asrnet/state", "Admin_GetState", "documented")
def get_state(call: Call) -> Response:
    """The current world, in the format of world files."""
    return json_response(msgspec.to_builtins(world_file.dump(call.world), enc_hook=str))


@routes.put("/_asrnet/state", "Admin_PutState", "documented")
def put_state(call: Call) -> Response:
    """Replace the world with the one in the body; the seed does not change."""
    call.emulation.replace_world(_body(call), seed=False)
    return empty_response(204)


@routes.get("/_asrnet/faults", "Admin_GetFaults", "documented")
def get_faults(call: Call) -> Response:
    """The faults still to come: those of the wire and those of the service."""
    service = [msgspec.to_builtins(fault, enc_hook=str) for fault in call.world.faults.waiting()]
    return json_response({"wire": msgspec.to_builtins(call.emulation.faults.pending()), "service": service})


@routes.post("/_asrnet/faults", "Admin_AddFaults", "documented")
def add_faults(call: Call) -> Response:
    """Append one fault or several: those with ``effect`` are faults of the service, those with ``kind`` of the wire."""
    entries = _json(call)
    faults = [_read_fault(entry) for entry in (entries if isinstance(entries, list) else [entries])]
    for fault in faults:
        if isinstance(fault, ServiceFault):
            call.world.faults.add(fault)
        else:
            call.emulation.faults.add(fault)
    return json_response({"added": len(faults)}, status=201)


@routes.delete("/_asrnet/faults", "Admin_ClearFaults", "documented")
def clear_faults(call: Call) -> Response:
    """Remove all faults, of the wire and of the service."""
    call.emulation.faults.clear()
    call.world.faults.clear()
    return empty_response(204)


@routes.get("/_asrnet/requests", "Admin_GetRequests", "documented")
def get_requests(call: Call) -> Response:
    """The journal: counts of all requests, and the latest ones without their secrets."""
    return json_response(call.emulation.journal.summary(_LATEST_REQUESTS))


@routes.delete("/_asrnet/requests", "Admin_ClearRequests", "documented")
def clear_requests(call: Call) -> Response:
    """Clear the journal."""
    call.emulation.journal.clear()
    return empty_response(204)


@routes.post("/_asrnet/clock/advance", "Admin_AdvanceClock", "documented")
def advance(call: Call) -> Response:
    """Let ``seconds`` pass on the emulator's clock at once."""
    body = _json(call)
    seconds = body.get("seconds") if isinstance(body, dict) else None
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds < 0:
        raise GatewayError(400, "InvalidRequestContent", "'seconds' must be a number that is not negative.")
    call.emulation.advance(float(seconds))
    return json_response({"now": call.world.clock.now()})


def _body(call: Call) -> bytes:
    if not call.request.body:
        raise GatewayError(400, "InvalidRequestContent", "The body is empty; a world was expected.")
    return call.request.body


def _json(call: Call) -> Any:
    try:
        return decoded(call.request.body)
    except ValueError as error:
        raise GatewayError(400, "InvalidRequestContent", f"The body is not JSON: {error}.") from error


def _read_fault(entry: Any) -> Fault | ServiceFault:
    kind: type[Fault | ServiceFault] = ServiceFault if isinstance(entry, dict) and "effect" in entry else Fault
    try:
        with TYPES_LOCK:
            return msgspec.convert(entry, kind, dec_hook=lambda _, value: ArmId(str(value)))
    except (msgspec.ValidationError, InputError) as error:
        raise GatewayError(400, "InvalidFault", f"The fault cannot be read: {error}.") from error

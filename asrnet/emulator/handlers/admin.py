"""What a test says to the emulator beside the protocol, under ``/_asrnet/``."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from asrnet.emulator.call import Call
from asrnet.emulator.faults import Fault
from asrnet.emulator.messages import Response, decoded, empty_response, json_response
from asrnet.emulator.refusals import GatewayError
from asrnet.emulator.routing import Handler, Route
from asrnet.errors import InputError
from asrnet.fake import document as world_file
from asrnet.fake.faults import Fault as ServiceFault
from asrnet.files.decoding import TYPES
from asrnet.model.arm import ArmId

_SHOWN: Final = 1000


def health(call: Call) -> Response:
    """That the emulator runs, and since how many requests."""
    from importlib.metadata import version

    return json_response({"status": "ok", "version": version("asrnet"), "requests": call.app.journal.total})


def authority(call: Call) -> Response:
    """The certificate authority to trust, as PEM."""
    if not call.app.authority:
        raise GatewayError(404, "NotFound", "The emulator is open without TLS.")
    return Response(status=200, headers=(("Content-Type", "application/x-pem-file"),), body=call.app.authority)


def reset(call: Call) -> Response:
    """Back to the seed: the world as it was at the start; the scripts of faults and the journal are emptied."""
    call.app.reset()
    return empty_response(204)


def seed(call: Call) -> Response:
    """Replace the world by the one in the body (YAML or JSON), and make it the seed."""
    call.app.replace_world(_body(call), seed=True)
    return empty_response(204)


def get_state(call: Call) -> Response:
    """The world as it is now, in the format of world files."""
    return json_response(msgspec.to_builtins(world_file.dump(call.world), enc_hook=str))


def put_state(call: Call) -> Response:
    """Replace the world by the one in the body; the seed stays."""
    call.app.replace_world(_body(call), seed=False)
    return empty_response(204)


def get_faults(call: Call) -> Response:
    """The faults still to come: those of the wire and those of the service."""
    service = [msgspec.to_builtins(fault, enc_hook=str) for fault in call.world.faults.waiting()]
    return json_response({"wire": msgspec.to_builtins(call.app.faults.pending()), "service": service})


def add_faults(call: Call) -> Response:
    """Append a fault or a list of them: with ``effect`` it is one of the service, with ``kind`` alone of the wire."""
    said = _json(call)
    faults = [_fault(entry) for entry in (said if isinstance(said, list) else [said])]
    for fault in faults:
        if isinstance(fault, ServiceFault):
            call.world.faults.add(fault)
        else:
            call.app.faults.add(fault)
    return json_response({"added": len(faults)}, status=201)


def clear_faults(call: Call) -> Response:
    """Empty both scripts."""
    call.app.faults.clear()
    call.world.faults.clear()
    return empty_response(204)


def get_requests(call: Call) -> Response:
    """What was asked: counts of everything, and the latest requests without their secrets."""
    return json_response(call.app.journal.summary(_SHOWN))


def clear_requests(call: Call) -> Response:
    """Empty the journal."""
    call.app.journal.clear()
    return empty_response(204)


def advance(call: Call) -> Response:
    """Let ``seconds`` pass on the emulator's clock at once."""
    said = _json(call)
    seconds = said.get("seconds") if isinstance(said, dict) else None
    if not isinstance(seconds, int | float) or isinstance(seconds, bool) or seconds < 0:
        raise GatewayError(400, "InvalidRequestContent", "'seconds' is not a number of seconds to let pass.")
    call.app.advance(float(seconds))
    return json_response({"now": call.world.clock.now()})


def _body(call: Call) -> bytes:
    if not call.request.body:
        raise GatewayError(400, "InvalidRequestContent", "The body is empty; a world was expected.")
    return call.request.body


def _json(call: Call) -> Any:
    try:
        return decoded(call.request.body)
    except ValueError as error:
        raise GatewayError(400, "InvalidRequestContent", f"The body is no JSON: {error}.") from error


def _fault(entry: Any) -> Fault | ServiceFault:
    service = isinstance(entry, dict) and "effect" in entry
    try:
        with TYPES:
            if service:
                return msgspec.convert(entry, ServiceFault, dec_hook=_id)
            return msgspec.convert(entry, Fault)
    except (msgspec.ValidationError, InputError) as error:
        raise GatewayError(400, "InvalidFault", f"The fault cannot be read: {error}.") from error


def _id(_: type, value: Any) -> ArmId:
    return ArmId(str(value))


def _admin(method: str, path: str, operation: str, handler: Handler) -> Route:
    return Route(
        method=method,
        template=f"/_asrnet/{path}",
        operation=f"Admin_{operation}",
        source="documented",
        handler=handler,
        open=True,
        versioned=False,
    )


ROUTES: Final = (
    _admin("GET", "health", "Health", health),
    _admin("GET", "ca.pem", "Authority", authority),
    _admin("POST", "reset", "Reset", reset),
    _admin("POST", "seed", "Seed", seed),
    _admin("GET", "state", "GetState", get_state),
    _admin("PUT", "state", "PutState", put_state),
    _admin("GET", "faults", "GetFaults", get_faults),
    _admin("POST", "faults", "AddFaults", add_faults),
    _admin("DELETE", "faults", "ClearFaults", clear_faults),
    _admin("GET", "requests", "GetRequests", get_requests),
    _admin("DELETE", "requests", "ClearRequests", clear_requests),
    _admin("POST", "clock/advance", "AdvanceClock", advance),
)

"""The emulator itself: a request in, a response out.

Its doors are ``asrnet.emulator.transport`` (in process) and ``asrnet.emulator.server`` (HTTPS).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from threading import RLock

from msgspec import Struct
from msgspec.structs import replace

from asrnet.emulator.call import Call
from asrnet.emulator.clock import Advanceable
from asrnet.emulator.envelopes import refused
from asrnet.emulator.faults import Faults, answer_of, effect_of
from asrnet.emulator.headers import finished
from asrnet.emulator.journal import Entry, Journal
from asrnet.emulator.messages import Request, Response, json_response
from asrnet.emulator.refusals import GatewayError, plain_envelope
from asrnet.emulator.routes import ROUTES
from asrnet.emulator.routing import Match, Router
from asrnet.emulator.site_recovery_json import stable_guid
from asrnet.emulator.throttle import KINDS, Allowance, Bucket, Throttle
from asrnet.errors import InputError, ServiceError
from asrnet.fake import document as world_file
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.operations import Started
from asrnet.fake.world import World
from asrnet.files.yaml import Document, Places, parse

ADMIN = "/_asrnet/"
LATEST = datetime(3000, 1, 1, tzinfo=UTC).timestamp()
"""As far as the clock can be put forward: far beyond it, times cannot be written any more."""

_ADMIN_ROUTER = Router(route for route in ROUTES if route.template.startswith(ADMIN))
_ROUTER = Router(route for route in ROUTES if not route.template.startswith(ADMIN))
_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)", re.IGNORECASE)


class Options(Struct, frozen=True, kw_only=True):
    """How the wire behaves; how the service behaves is the world's.

    ``authenticate``: a request without a bearer is refused (any bearer is taken). ``buckets``: limits of requests by
    kind (reads, writes, deletes), none by default.
    """

    authenticate: bool = True
    buckets: Mapping[str, Bucket] = {}


class App:
    """A world behind Resource Manager's protocol. Safe to call from several threads at once.

    ``authority`` is the certificate (PEM) of whoever signed the server's, empty without TLS.
    ``faults`` is the script of the wire, ``journal`` what was asked.
    """

    def __init__(self, world: World, options: Options | None = None) -> None:
        self.world = world
        self.options = options or Options()
        self.faults = Faults()
        self.journal = Journal()
        self.authority = b""
        self._seed: world_file.WorldDocument | None = None
        self._throttle = Throttle(self.options.buckets)
        self._started: dict[str, tuple[Started, str]] = {}
        self._count = 0
        self._lock = RLock()

    def handle(self, request: Request) -> Response:
        """Answer a request. Errors are answers too; nothing that a client sends raises."""
        if request.path.lower().startswith(ADMIN):
            return self._administer(request)
        with self._lock:
            self._count += 1
            return self._answer(request, correlation_of(request, self._count))

    def checkpoint(self) -> None:
        """Make the world as it is now, and how it behaves, what ``reset`` goes back to."""
        with self._lock:
            self._seed = replace(world_file.dump(self.world), behaviour=self.world.behaviour)

    def reset(self) -> None:
        """Back to the last checkpoint, with empty scripts and an empty journal. Raises GatewayError without one."""
        if self._seed is None:
            raise GatewayError(409, "NoSeed", "There is no seed to go back to.")
        with self._lock:
            self._become(Document(self._seed, "<seed>", Places("", "<seed>")))
            self.faults.clear()
            self.journal.clear()

    def replace_world(self, text: bytes, *, seed: bool) -> None:
        """Take the world that ``text`` describes; ``seed``: ``reset`` goes back to it. Raises DocumentError."""
        document = parse(text, world_file.WorldDocument, "<body>")
        with self._lock:
            self._become(document)
            if seed:
                self.checkpoint()

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once. Raises GatewayError where the clock cannot be put forward, or not so far."""
        clock = self.world.clock
        if not isinstance(clock, Advanceable):
            raise GatewayError(409, "ClockNotAdvanceable", "The emulator's clock cannot be put forward.")
        if clock.now() + seconds > LATEST:
            raise GatewayError(400, "InvalidRequestContent", "The emulator's time ends with the year 2999.")
        clock.advance(seconds)

    def remember(self, started: Started, call: Call) -> None:
        """Keep what an operation was about and whose request started it: its job tells."""
        self._started[started.id] = (started, f"{call.client_request_id} ActivityId: {call.correlation_id}")

    def origin_of(self, operation_id: str) -> tuple[Started | None, str]:
        """What an operation was about and whose request started it; None for one that came with the world."""
        return self._started.get(operation_id) or (None, f"{stable_guid(operation_id, 'activity')} ActivityId: ")

    def _become(self, document: Document[world_file.WorldDocument]) -> None:
        made = world_file.world_from(document, clock=self.world.clock, behaviour=self._behaviour(document.value))
        with self._lock:
            self.world.become(made)
            self._started.clear()

    def _behaviour(self, said: world_file.WorldDocument) -> Behaviour | None:
        """A world that does not say how it behaves behaves like the one before it."""
        if said.behaviour is not None:
            return None
        strict = said.strict_mapping
        return self.world.behaviour if strict is None else replace(self.world.behaviour, strict_mapping=strict)

    def _administer(self, request: Request) -> Response:
        """Answer what is no part of Azure: no faults, limits or journal. Web pages are refused; they send an origin."""
        try:
            if request.header("origin"):
                raise GatewayError(403, "Forbidden", "Web pages may not administer the emulator.")
            match = _ADMIN_ROUTER.find(request.method, request.path)
            return self._dispatch(request, match, correlation_of(request, 0))
        except ServiceError as error:
            return refused(error, request, correlation_id="")
        except InputError as error:
            return json_response(plain_envelope("InvalidWorld", error.message), status=400)

    def _answer(self, request: Request, correlation_id: str) -> Response:
        now = self.world.clock.now()
        self.world.journal.count(request.method, request.path)
        fault = self.faults.take(request)
        response = answer_of(fault, request) if fault else None
        match: Match | None = None
        allowance: Allowance | None = None
        if response is None:
            match, allowance, response = self._serve(request, correlation_id, now)
            response = effect_of(fault, response) if fault else response
        self._note(request, response, match, fault.kind if fault else "", now)
        return finished(response, request, correlation_id=correlation_id, now=now, allowance=allowance)

    def _serve(
        self, request: Request, correlation_id: str, now: float
    ) -> tuple[Match | None, Allowance | None, Response]:
        match: Match | None = None
        allowance: Allowance | None = None
        try:
            match = self._match(request)
            allowance = self._admit(request, match, now)
            return match, allowance, self._dispatch(request, match, correlation_id)
        except ServiceError as error:
            return match, allowance, refused(error, request, correlation_id=correlation_id)
        except InputError as error:  # a name or id that no resource can have
            refusal = GatewayError(400, "InvalidRequest", error.message)
            return match, allowance, refused(refusal, request, correlation_id=correlation_id)

    def _match(self, request: Request) -> Match:
        """The route; a request without a bearer does not get to know whether there is one."""
        bearer = not self.options.authenticate or request.header("authorization").lower().startswith("bearer ")
        try:
            match = _ROUTER.find(request.method, request.path)
        except GatewayError:
            if bearer:
                raise
            raise _unauthenticated(request, self.world.tenant) from None
        if not bearer and not match.route.open:
            raise _unauthenticated(request, self.world.tenant)
        return match

    def _admit(self, request: Request, match: Match, now: float) -> Allowance | None:
        if match.route.versioned:
            _check_version(request)
        subscription = _SUBSCRIPTION.match(request.path)
        kind = KINDS.get(request.method)
        if subscription is None or kind is None:
            return None
        allowance = self._throttle.take(subscription[1].lower(), kind, now)
        if allowance.retry_after:
            raise _throttled(subscription[1], request.method, allowance.retry_after)
        return allowance

    def _dispatch(self, request: Request, match: Match, correlation_id: str) -> Response:
        handler = match.route.handler
        if handler is None:
            message = f"The emulator does not implement the operation '{match.route.operation}'."
            raise GatewayError(501, "NotImplemented", message)
        client_id = request.header("x-ms-client-request-id") or correlation_id
        return handler(
            Call(
                app=self,
                request=request,
                route=match.route,
                values=match.values,
                correlation_id=correlation_id,
                client_request_id=client_id,
            )
        )

    def _note(self, request: Request, response: Response, match: Match | None, fault: str, now: float) -> None:
        self.journal.add(
            Entry(
                time=now,
                method=request.method,
                path=request.path,
                api_version=request.api_version,
                operation=match.route.operation if match else "",
                status=0 if response.dropped else response.status,
                fault=fault,
            )
        )


def correlation_of(request: Request, count: int) -> str:
    """The client's own correlation id, or one of the emulator's."""
    return request.header("x-ms-correlation-request-id") or stable_guid("request", str(count))


_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}(-(preview|alpha|beta|privatepreview))?", re.IGNORECASE)


def _check_version(request: Request) -> None:
    version = request.api_version
    if not version:
        message = "The api-version query parameter (?api-version=) is required for all requests."
        raise GatewayError(400, "MissingApiVersionParameter", message)
    if not _VERSION.fullmatch(version):
        message = f"The api-version '{version}' is invalid. It must be a date, YYYY-MM-DD, or one with -preview."
        raise GatewayError(400, "InvalidApiVersionParameter", message)


def _unauthenticated(request: Request, tenant: str) -> GatewayError:
    challenge = (
        f'Bearer authorization_uri="{request.origin}/{tenant}", error="invalid_token", '
        "error_description=\"The authentication failed because of missing 'Authorization' header.\""
    )
    message = "Authentication failed. The 'Authorization' header is missing."
    return GatewayError(401, "AuthenticationFailed", message, headers={"WWW-Authenticate": challenge})


def _throttled(subscription: str, method: str, seconds: int) -> GatewayError:
    message = (
        f"Number of requests for subscription '{subscription}' and operation '{method}' exceeded the backend storage "
        f"limit. Please try again after '{seconds}' seconds."
    )
    headers = {"Retry-After": str(seconds)}
    return GatewayError(429, "SubscriptionRequestsThrottled", message, headers=headers)

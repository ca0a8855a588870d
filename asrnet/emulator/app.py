"""The core of the emulator: it turns a request into a response.

Clients reach it in process (``asrnet.emulator.transport``) or over HTTP and HTTPS (``asrnet.emulator.server``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

from msgspec import Struct

from asrnet.emulator.calls import Call
from asrnet.emulator.emulation import Emulation
from asrnet.emulator.faults import answer_of, effect_of
from asrnet.emulator.journal import Entry
from asrnet.emulator.messages import (
    GatewayError,
    Request,
    Response,
    error_response,
    json_response,
    plain_envelope,
)
from asrnet.emulator.platform import KINDS, Allowance, Bucket, Throttle, with_platform_headers
from asrnet.emulator.routes import ROUTES
from asrnet.emulator.routing import Match, Router
from asrnet.errors import InputError, ServiceError
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.operations import stable_guid
from asrnet.fake.world import World

ADMIN: Final = "/_asrnet/"

_ADMIN_ROUTER: Final = Router(route for route in ROUTES if route.template.startswith(ADMIN))
_ROUTER: Final = Router(route for route in ROUTES if not route.template.startswith(ADMIN))
_SUBSCRIPTION: Final = re.compile(r"/subscriptions/([^/]+)", re.IGNORECASE)
_VERSION: Final = re.compile(r"\d{4}-\d{2}-\d{2}(-(preview|alpha|beta|privatepreview))?", re.IGNORECASE)


class Options(Struct, frozen=True, kw_only=True):
    """Options of the HTTP layer. How the services themselves behave is set in the world.

    With ``authenticate``, a request without a bearer token is refused; any token is accepted. ``buckets`` holds the
    request limits by kind (reads, writes, deletes); by default there are none.
    """

    authenticate: bool = True
    buckets: Mapping[str, Bucket] = {}


class App(Emulation):
    """A world behind Azure Resource Manager's protocol. It may be called from several threads at once."""

    def __init__(
        self,
        world: World,
        options: Options | None = None,
        adjust: Callable[[Behaviour], Behaviour] = lambda behaviour: behaviour,
    ) -> None:
        super().__init__(world, adjust)
        self.options = options or Options()
        self._throttle = Throttle(self.options.buckets)
        self._count = 0

    def handle(self, request: Request) -> Response:
        """Answer a request. Errors become error responses; no request makes this method raise."""
        if request.path.lower().startswith(ADMIN):
            return self._administer(request)
        # Requests are handled one at a time: handlers read the world several times and must see a consistent state.
        with self.lock:
            self._count += 1
            correlation_id = request.header("x-ms-correlation-request-id") or stable_guid("request", str(self._count))
            return self._answer(request, correlation_id)

    def _administer(self, request: Request) -> Response:
        """Answer a request to the admin paths. Faults, limits and the journal do not apply to it."""
        try:
            if request.header("origin"):  # browsers send this header for web pages, which must not control the emulator
                raise GatewayError(403, "Forbidden", "Web pages may not administer the emulator.")
            return self._dispatch(request, _ADMIN_ROUTER.find(request.method, request.path), "")
        except ServiceError as error:
            return error_response(error, request, correlation_id="")
        except InputError as error:
            return json_response(plain_envelope("InvalidWorld", error.message), status=400)

    def _answer(self, request: Request, correlation_id: str) -> Response:
        now = self.world.clock.now()
        self.world.journal.count(request.method, request.path)
        fault = self.faults.take(request)
        # A wire fault is applied before anything else: before authentication, limits and routing.
        response = answer_of(fault, request) if fault else None
        match: Match | None = None
        allowance: Allowance | None = None
        if response is None:
            try:
                match = self._match(request)
                allowance = self._admit(request, match, now)
                response = self._dispatch(request, match, correlation_id)
            except ServiceError as error:
                response = error_response(error, request, correlation_id=correlation_id)
            except InputError as error:  # a name or id that no resource can have
                refusal = GatewayError(400, "InvalidRequest", error.message)
                response = error_response(refusal, request, correlation_id=correlation_id)
            response = effect_of(fault, response) if fault else response
        self.journal.add(
            Entry(
                time=now,
                method=request.method,
                path=request.path,
                api_version=request.api_version,
                operation=match.route.operation if match else "",
                status=0 if response.dropped else response.status,
                fault=fault.kind if fault else "",
            )
        )
        return with_platform_headers(response, request, correlation_id=correlation_id, now=now, allowance=allowance)

    def _match(self, request: Request) -> Match:
        """Find the route. A request without a bearer token gets 401 whether or not its path exists."""
        authenticated = not self.options.authenticate or request.header("authorization").lower().startswith("bearer ")
        try:
            match = _ROUTER.find(request.method, request.path)
        except GatewayError:
            if authenticated:
                raise
            # Without a bearer token, a client must not learn which paths exist.
            raise self._unauthenticated(request) from None
        if not authenticated and not match.route.open:
            raise self._unauthenticated(request)
        return match

    def _unauthenticated(self, request: Request) -> GatewayError:
        challenge = (
            f'Bearer authorization_uri="{request.origin}/{self.world.tenant}", error="invalid_token", '
            "error_description=\"The authentication failed because of missing 'Authorization' header.\""
        )
        return GatewayError(
            401,
            "AuthenticationFailed",
            "Authentication failed. The 'Authorization' header is missing.",
            headers={"WWW-Authenticate": challenge},
        )

    def _admit(self, request: Request, match: Match, now: float) -> Allowance | None:
        """Check the api-version and count the request; return the remaining allowance, or None if it is not counted."""
        if match.route.versioned:
            version = request.api_version
            if not version:
                message = "The api-version query parameter (?api-version=) is required for all requests."
                raise GatewayError(400, "MissingApiVersionParameter", message)
            if not _VERSION.fullmatch(version):
                message = (
                    f"The api-version '{version}' is invalid. It must be a date, YYYY-MM-DD, or one with -preview."
                )
                raise GatewayError(400, "InvalidApiVersionParameter", message)
        # Limits apply per subscription; a request outside any subscription, such as a query, is not counted.
        subscription = _SUBSCRIPTION.match(request.path)
        kind = KINDS.get(request.method)
        if subscription is None or kind is None:
            return None
        allowance = self._throttle.take(subscription[1].lower(), kind, now)
        if allowance.retry_after:
            raise GatewayError(
                429,
                "SubscriptionRequestsThrottled",
                f"Number of requests for subscription '{subscription[1]}' and operation '{request.method}' exceeded "
                f"the backend storage limit. Please try again after '{allowance.retry_after}' seconds.",
                headers={"Retry-After": str(allowance.retry_after)},
            )
        return allowance

    def _dispatch(self, request: Request, match: Match, correlation_id: str) -> Response:
        handler = match.route.handler
        if handler is None:
            message = f"The emulator does not implement the operation '{match.route.operation}'."
            raise GatewayError(501, "NotImplemented", message)
        return handler(
            Call(
                emulation=self,
                request=request,
                template=match.route.template,
                values=match.values,
                correlation_id=correlation_id,
                client_request_id=request.header("x-ms-client-request-id") or correlation_id,
            )
        )

"""One request on its way through the emulator: what a handler gets to see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from asrnet.emulator.messages import Request, Response, empty_response, json_response
from asrnet.emulator.paging import paged
from asrnet.emulator.refusals import GatewayError
from asrnet.emulator.signing import is_intact, signed_query
from asrnet.emulator.site_recovery_json import wire_id
from asrnet.errors import InputError
from asrnet.fake.operations import Started
from asrnet.model.arm import ArmId

if TYPE_CHECKING:
    from asrnet.emulator.app import App
    from asrnet.emulator.routing import Route
    from asrnet.fake.world import World

T = TypeVar("T")


class Call(Struct, frozen=True, kw_only=True):
    """A request with its route, the values of the route's parameters and the ids it is traced by."""

    app: "App"  # noqa: UP037 - a name for type checkers only; the modules import each other
    request: Request
    route: "Route"  # noqa: UP037 - the same
    values: dict[str, str]
    correlation_id: str
    client_request_id: str

    @property
    def world(self) -> World:
        """The world behind the emulator."""
        return self.app.world

    def id(self, last: str) -> ArmId:
        """The id that the path begins with, up to and with the template's parameter ``last``."""
        head = self.route.template.partition(f"{{{last}}}")[0] + f"{{{last}}}"
        try:
            return ArmId(head.format_map(self.values))
        except InputError as error:
            raise GatewayError(400, "InvalidResourceName", error.message) from error

    def signed(self, operation_id: str) -> str:
        """The end of an operation's URL: its id and the signed query."""
        query = signed_query(operation_id, self.request.api_version, self.world.clock.now())
        return f"{operation_id}?{query}"

    def check_signature(self, operation_id: str) -> None:
        """Count an operation's URL that came back altered; it is answered all the same."""
        if not is_intact(self.request.query, operation_id):
            self.app.journal.altered += 1

    def page(self, entries: Sequence[T], render: Callable[[T], object], *, null_link: bool = True) -> Response:
        """A page of a list. ``null_link``: one of Site Recovery's, where the last page says ``nextLink: null``."""
        behaviour = self.world.behaviour
        size = behaviour.page_size if null_link else behaviour.network_page_size
        empty_last = null_link and behaviour.empty_last_page
        document = paged(self.request, entries, render, size=size, empty_last=empty_last)
        if not null_link and document["nextLink"] is None:
            del document["nextLink"]
        return json_response(document)

    def accepted(self, started: Started | None, resource: ArmId) -> Response:
        """Site Recovery's answer to a write: 202 without a body and both addresses to follow; 204 for no operation."""
        if started is None:
            return empty_response(204)
        self.app.remember(started, self)
        signed, vault = self.signed(started.id), self.id("vault")
        return empty_response(
            202,
            ("Azure-AsyncOperation", f"{self.request.origin}{wire_id(vault)}/replicationOperationStatus/{signed}"),
            ("Location", f"{self.request.origin}{wire_id(resource)}/operationresults/{signed}"),
            ("Retry-After", str(self.world.behaviour.retry_after)),
        )

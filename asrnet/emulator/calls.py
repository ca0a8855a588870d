"""A request as handlers see it, and the responses that many of them build."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Collection, Sequence
from typing import Final, TypeVar
from urllib.parse import quote

from msgspec import Struct

from asrnet.emulator.emulation import Emulation
from asrnet.emulator.messages import GatewayError, Request, Response, empty_response, json_response
from asrnet.emulator.signing import is_intact, signed_query
from asrnet.emulator.spelling import wire_id
from asrnet.errors import InputError
from asrnet.fake.operations import Started
from asrnet.fake.store import page
from asrnet.fake.world import World
from asrnet.model.arm import ArmId

T = TypeVar("T")

_CLAUSE: Final = re.compile(r"\s*(\w+)\s+eq\s+(?:'([^']*)'|(\S+))\s*", re.IGNORECASE)


class Call(Struct, frozen=True, kw_only=True):
    """A request with the template of its route, the values of the template's parameters, and its tracing ids."""

    emulation: Emulation
    request: Request
    template: str
    values: dict[str, str]
    correlation_id: str
    client_request_id: str

    @property
    def world(self) -> World:
        """The world that the emulator serves."""
        return self.emulation.world

    def id(self, last: str) -> ArmId:
        """The id at the start of the path, up to and including the template's parameter ``last``."""
        # Names keep the client's spelling, because responses repeat the casing of the request.
        head = self.template.partition(f"{{{last}}}")[0] + f"{{{last}}}"
        try:
            return ArmId(head.format_map(self.values))
        except InputError as error:
            raise GatewayError(400, "InvalidResourceName", error.message) from error

    def equalities(self, names: Collection[str]) -> dict[str, str]:
        """The values that ``$filter`` asks for, by lower-case name.

        Anything but equalities of ``names`` joined by ``and`` is refused with 400.
        """
        text = self.request.parameters.get("$filter", "")
        values: dict[str, str] = {}
        for clause in re.split(r"\s+and\s+", text, flags=re.IGNORECASE) if text.strip() else []:
            match = _CLAUSE.fullmatch(clause)
            if match is None or match[1].lower() not in names:
                raise GatewayError(400, "BadRequest", f"The query specified in the URI is not valid: '{clause[:200]}'.")
            values[match[1].lower()] = match[2] or match[3] or ""
        return values

    def page(self, entries: Sequence[T], render: Callable[[T], object], *, null_link: bool = True) -> Response:
        """One page of a list. With ``null_link``, the last page has ``nextLink: null``, as in Site Recovery."""
        behaviour = self.world.behaviour
        size = behaviour.page_size if null_link else behaviour.network_page_size
        # Recorded: a list of Site Recovery that has entries can end with an empty page.
        entries_page = page(entries, self._page_start(), size, empty_last=null_link and behaviour.empty_last_page)
        document: dict[str, object] = {"value": [render(entry) for entry in entries_page.values]}
        if entries_page.next is not None:
            document["nextLink"] = self._page_link(entries_page.next)
        elif null_link:
            document["nextLink"] = None
        return json_response(document)

    def _page_start(self) -> int:
        token = self.request.parameters.get("$skiptoken", "")
        if not token:
            return 0
        refusal = GatewayError(400, "InvalidSkipToken", "The provided $skipToken is invalid.")
        try:
            word, _, number = base64.urlsafe_b64decode(token + "==").decode().partition(":")
            start = int(number)
        except (binascii.Error, UnicodeDecodeError, ValueError) as error:
            raise refusal from error
        if word != "from" or start < 0:
            raise refusal
        return start

    def _page_link(self, start: int) -> str:
        # Opaque, so that no client can count on its content.
        token = base64.urlsafe_b64encode(f"from:{start}".encode()).decode().rstrip("=")
        # Recorded: the link is the URL as the client wrote it, with a new $skipToken.
        parts = [
            part
            for part in self.request.query.split("&")
            if not part.lower().startswith(("$skiptoken=", "%24skiptoken="))
        ]
        return f"{self.request.origin}{self.request.path}?{'&'.join([*parts, f'$skipToken={quote(token)}'])}"

    def signed(self, operation_id: str) -> str:
        """The end of an operation's URL: its id and the signed query."""
        return f"{operation_id}?{signed_query(operation_id, self.request.api_version, self.world.clock.now())}"

    def check_signature(self, operation_id: str) -> None:
        """Count the URL of an operation if the client has altered it. The request is answered all the same."""
        if not is_intact(self.request.query, operation_id):
            self.emulation.journal.altered += 1

    def status_retry_after(self, *, most: int = 86400) -> tuple[tuple[str, str], ...]:
        """The Retry-After header of a running operation's status, at most ``most`` seconds, if the world sets one."""
        seconds = self.world.behaviour.status_retry_after
        return () if seconds is None else (("Retry-After", str(min(most, seconds))),)

    def accepted(self, started: Started | None, resource: ArmId) -> Response:
        """Site Recovery's answer to a write: 202 with the two URLs to poll, or 204 if there is no operation."""
        if started is None:
            return empty_response(204)
        # Recorded: a job's activityId combines the client request id and the correlation id of the request that started
        # it.
        self.emulation.remember(started, f"{self.client_request_id} ActivityId: {self.correlation_id}")
        # Recorded: both URLs name the same operation, and "operationresults" is in lower case.
        signed, vault = self.signed(started.id), self.id("vault")
        return empty_response(
            202,
            ("Azure-AsyncOperation", f"{self.request.origin}{wire_id(vault)}/replicationOperationStatus/{signed}"),
            ("Location", f"{self.request.origin}{wire_id(resource)}/operationresults/{signed}"),
            ("Retry-After", str(self.world.behaviour.retry_after)),
        )

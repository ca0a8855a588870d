"""Routes, and finding the route of a request. Paths are matched segment by segment, ignoring case.

A handler's route is declared above it, with its text for the coverage page::

    routes = Routes()

    @routes.get(FABRIC, "ReplicationFabrics_Get", "recorded")
    def get_fabric(call: Call) -> Response:
        ...
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Literal, TypeAlias
from urllib.parse import unquote

from msgspec import Struct

from asrnet.emulator.calls import Call
from asrnet.emulator.messages import GatewayError, Response
from asrnet.fake.journal import type_of

Source = Literal["recorded", "specified", "documented", "assumed"]
"""The source of a route's behaviour: real traffic, the API's specification, Microsoft's documents, or none."""

Handler: TypeAlias = Callable[[Call], Response]

# The paths that most templates begin with.
SUBSCRIPTION: Final = "/subscriptions/{subscription}"
GROUP: Final = f"{SUBSCRIPTION}/resourceGroups/{{group}}"
VNETS: Final = "providers/Microsoft.Network/virtualNetworks"
VNET: Final = f"{GROUP}/{VNETS}/{{vnet}}"
VAULTS: Final = "providers/Microsoft.RecoveryServices/vaults"
VAULT: Final = f"{GROUP}/{VAULTS}/{{vault}}"
FABRIC: Final = f"{VAULT}/replicationFabrics/{{fabric}}"
NETWORK: Final = f"{FABRIC}/replicationNetworks/{{network}}"
MAPPING: Final = f"{NETWORK}/replicationNetworkMappings/{{mapping}}"
CONTAINER: Final = f"{FABRIC}/replicationProtectionContainers/{{container}}"
CONTAINER_MAPPING: Final = f"{CONTAINER}/replicationProtectionContainerMappings/{{mapping}}"
ITEM: Final = f"{CONTAINER}/replicationProtectedItems/{{item}}"


class Route(Struct, frozen=True, kw_only=True):
    """One operation. Without a ``handler``, the operation is known but answered with 501.

    ``open``: no bearer token is needed. ``versioned``: an api-version is required. ``note`` is text for the coverage
    page.
    """

    method: str
    template: str
    operation: str
    source: Source
    handler: Handler | None = None
    open: bool = False
    versioned: bool = True
    note: str = ""

    @property
    def area(self) -> str:
        """The operation group, taken from the name: ``ReplicationFabrics`` for ``ReplicationFabrics_Get``."""
        return self.operation.partition("_")[0]


class Routes:
    """The routes of a module of handlers. ``open`` and ``versioned`` apply to all of them."""

    def __init__(self, *, open: bool = False, versioned: bool = True) -> None:  # noqa: A002 - as Route calls it
        self._open = open
        self._versioned = versioned
        self._routes: list[Route] = []

    def __iter__(self) -> Iterator[Route]:
        return iter(self._routes)

    def add(
        self, method: str, template: str, operation: str, source: Source, note: str = ""
    ) -> Callable[[Handler], Handler]:
        """Return the decorator that makes a function the handler of an operation. It can be applied several times."""

        def register(handler: Handler) -> Handler:
            route = Route(
                method=method,
                template=template,
                operation=operation,
                source=source,
                handler=handler,
                open=self._open,
                versioned=self._versioned,
                note=note,
            )
            self._routes.append(route)
            return handler

        return register

    def get(self, template: str, operation: str, source: Source, note: str = "") -> Callable[[Handler], Handler]:
        """``add`` for GET."""
        return self.add("GET", template, operation, source, note)

    def put(self, template: str, operation: str, source: Source, note: str = "") -> Callable[[Handler], Handler]:
        """``add`` for PUT."""
        return self.add("PUT", template, operation, source, note)

    def patch(self, template: str, operation: str, source: Source, note: str = "") -> Callable[[Handler], Handler]:
        """``add`` for PATCH."""
        return self.add("PATCH", template, operation, source, note)

    def post(self, template: str, operation: str, source: Source, note: str = "") -> Callable[[Handler], Handler]:
        """``add`` for POST."""
        return self.add("POST", template, operation, source, note)

    def delete(self, template: str, operation: str, source: Source, note: str = "") -> Callable[[Handler], Handler]:
        """``add`` for DELETE."""
        return self.add("DELETE", template, operation, source, note)


class Match(Struct, frozen=True, kw_only=True):
    """A route and the values of its template's parameters. Names keep the client's spelling."""

    route: Route
    values: dict[str, str]


class _Node:
    __slots__ = ("literal", "names", "parameter", "routes")

    def __init__(self) -> None:
        self.literal: dict[str, _Node] = {}
        self.parameter: _Node | None = None
        self.routes: dict[str, Route] = {}
        self.names: dict[str, tuple[str, ...]] = {}


class Router:
    """Finds the route of a request. Raises ValueError if two of the ``routes`` share a method and path."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for route in routes:
            node = self._root
            names: list[str] = []
            for segment in route.template.strip("/").split("/"):
                if segment.startswith("{"):
                    names.append(segment[1:-1])
                    node.parameter = node.parameter or _Node()
                    node = node.parameter
                else:
                    node = node.literal.setdefault(segment.lower(), _Node())
            if route.method in node.routes:
                raise ValueError(f"two routes for {route.method} {route.template}")
            node.routes[route.method] = route
            node.names[route.method] = tuple(names)

    def find(self, method: str, path: str) -> Match:
        """Find the route of a request.

        Raises GatewayError: 400 for an unsafe path, 404 for an unknown provider, 405 for the wrong method, and 501 for
        anything else that Azure may have.
        """
        allowed: set[str] = set()
        for node, values in _walk(self._root, split_path(path), ()):
            route = node.routes.get(method)
            if route:
                return Match(route=route, values=dict(zip(node.names[method], values, strict=True)))
            allowed.update(node.routes)
        if allowed:
            message = f"The requested resource does not support http method '{method}'."
            raise GatewayError(405, "MethodNotAllowed", message, headers={"Allow": ", ".join(sorted(allowed))})
        # An operation that Azure has and the emulator lacks must not look like a missing resource, because programs act
        # on a 404.
        kind = unquote(type_of(path))[:200]
        namespace = kind.partition("/")[0].lower()
        if path.lower().startswith(("/subscriptions/", "/providers/")) and namespace.startswith("microsoft."):
            message = f"The emulator does not implement {method} of '{kind}'."
            raise GatewayError(501, "NotImplemented", message)
        shown = unquote(path)[:300]
        if "/" in kind and re.search(r"/providers/[^/]+", path, re.IGNORECASE):
            message = f"The resource namespace '{namespace[:100]}' is invalid, for the path '{shown}'."
            raise GatewayError(404, "InvalidResourceNamespace", message)
        raise GatewayError(404, "ResourceNotFound", f"No resource was found for the path '{shown}'.")


def _walk(node: _Node, segments: tuple[str, ...], values: tuple[str, ...]) -> Iterable[tuple[_Node, tuple[str, ...]]]:
    """All nodes that match the path. A literal segment is tried before a parameter."""
    if not segments:
        if node.routes:
            yield node, values
        return
    # Both are tried, because a fabric may be named "remove": only the rest of the path decides which one is meant.
    first, below = segments[0], segments[1:]
    fixed = node.literal.get(first.lower())
    if fixed:
        yield from _walk(fixed, below, values)
    if node.parameter:
        yield from _walk(node.parameter, below, (*values, first))


_ESCAPED_SEPARATOR: Final = re.compile(r"%2f|%5c|%00", re.IGNORECASE)
_BAD_CHARACTER: Final = re.compile(r"[\x00-\x1f\\]")
_NO_PARENT: Final = re.compile(r"(/providers/[^/]+)//", re.IGNORECASE)
_LONGEST_PATH: Final = 8192


def split_path(path: str) -> tuple[str, ...]:
    """Split an escaped path into unescaped segments; 400 for dots, escaped slashes, empty segments and controls.

    A doubled slash at the start and one slash at the end are ignored, because clients join URLs carelessly. So is a
    doubled slash after a provider: ``az resource`` puts the parent's path there, which is empty for a top-level
    resource.
    """
    path = _NO_PARENT.sub(r"\1/", path)
    # An escaped slash would give the resource another path than the one that was matched.
    if len(path) > _LONGEST_PATH:
        raise GatewayError(414, "RequestUriTooLong", "The request URI is too long.")
    refusal = GatewayError(
        400, "BadRequest", "The request URL is invalid: a path segment is empty, relative or badly escaped."
    )
    if _ESCAPED_SEPARATOR.search(path) or not path.startswith("/"):
        raise refusal
    segments = tuple(unquote(segment) for segment in path.lstrip("/").removesuffix("/").split("/"))
    if segments == ("",):
        return ()
    if any(segment in {"", ".", ".."} or _BAD_CHARACTER.search(segment) for segment in segments):
        raise refusal
    return segments

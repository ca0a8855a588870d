"""The table of routes and the search in it: a path is matched segment by segment, without case."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal, TypeAlias
from urllib.parse import unquote

from msgspec import Struct

from asrnet.emulator.messages import Response
from asrnet.emulator.refusals import GatewayError

if TYPE_CHECKING:
    from asrnet.emulator.call import Call

Source = Literal["recorded", "specified", "documented", "assumed"]
"""Where a route's behaviour is known from: real traffic, the API's specification, Microsoft's documents, or nowhere."""

Handler: TypeAlias = "Callable[[Call], Response]"


class Route(Struct, frozen=True, kw_only=True):
    """One operation. ``handler`` None: known, and answered with 501.

    ``open``: answered without a bearer. ``versioned``: refused without an api-version. ``note``: for the coverage page.
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
        """What the operation belongs to, by its name: ``ReplicationFabrics_Get`` to ``ReplicationFabrics``."""
        return self.operation.partition("_")[0]


class Match(Struct, frozen=True, kw_only=True):
    """A route and the values of its template's parameters, with the names as the client spelled them."""

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
    """Finds the route of a request among ``routes``; two routes for one method and path are a mistake."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._root = _Node()
        for route in routes:
            self._add(route)

    def find(self, method: str, path: str) -> Match:
        """The route for a request. Refused: 400 for an unsafe path, 404 for an unknown one, 405 for the method."""
        segments = split_path(path)
        allowed: set[str] = set()
        for node, values in _walk(self._root, segments, ()):
            route = node.routes.get(method)
            if route:
                return Match(route=route, values=dict(zip(node.names[method], values, strict=True)))
            allowed.update(node.routes)
        if allowed:
            raise _wrong_method(method, allowed)
        raise _unknown_path(path)

    def _add(self, route: Route) -> None:
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


def _walk(node: _Node, segments: tuple[str, ...], values: tuple[str, ...]) -> Iterable[tuple[_Node, tuple[str, ...]]]:
    """All nodes that a path leads to; a fixed word is tried before a parameter."""
    if not segments:
        if node.routes:
            yield node, values
        return
    first, rest = segments[0], segments[1:]
    fixed = node.literal.get(first.lower())
    if fixed:
        yield from _walk(fixed, rest, values)
    if node.parameter:
        yield from _walk(node.parameter, rest, (*values, first))


_ESCAPED_SEPARATOR = re.compile(r"%2f|%5c|%00", re.IGNORECASE)
_BAD_CHARACTER = re.compile(r"[\x00-\x1f\\]")
_NO_PARENT = re.compile(r"(/providers/[^/]+)//", re.IGNORECASE)
_LONGEST_PATH = 8192


def split_path(path: str) -> tuple[str, ...]:
    """The segments of an escaped path, unescaped. Refused with 400: dots, escaped slashes, empty segments, controls.

    A doubled slash in front and one slash at the end are forgiven: clients join base addresses carelessly. So is one
    behind a provider, where ``az resource`` puts the path of a parent that there is not.
    """
    path = _NO_PARENT.sub(r"\1/", path)
    if len(path) > _LONGEST_PATH:
        raise GatewayError(414, "RequestUriTooLong", "The request URI is too long.")
    if _ESCAPED_SEPARATOR.search(path) or not path.startswith("/"):
        raise _bad_path()
    segments = tuple(unquote(segment) for segment in path.lstrip("/").removesuffix("/").split("/"))
    if segments == ("",):
        return ()
    if any(segment in {"", ".", ".."} or _BAD_CHARACTER.search(segment) for segment in segments):
        raise _bad_path()
    return segments


def _bad_path() -> GatewayError:
    return GatewayError(
        400, "BadRequest", "The request URL is invalid: a path segment is empty, relative or badly escaped."
    )


def _wrong_method(method: str, allowed: set[str]) -> GatewayError:
    message = f"The requested resource does not support http method '{method}'."
    return GatewayError(405, "MethodNotAllowed", message, headers={"Allow": ", ".join(sorted(allowed))})


def _unknown_path(path: str) -> GatewayError:
    kind = re.search(r"/providers/([^/]+/[^/]+)", path, re.IGNORECASE)
    if kind:
        message = f"The resource type could not be found in the namespace for the path '{unquote(path)[:300]}'."
        return GatewayError(404, "InvalidResourceType", message)
    return GatewayError(404, "ResourceNotFound", f"No resource was found for the path '{unquote(path)[:300]}'.")

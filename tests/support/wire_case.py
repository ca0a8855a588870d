"""A client of the raw wire: the emulator's requests and responses."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from asrnet.emulator.app import App, Options
from asrnet.emulator.messages import Request, Response
from asrnet.fake.builder import Builder

VERSION = "2022-08-01"
BEARER = {"authorization": "Bearer made-up", "x-ms-client-request-id": "4f0c0000-0000-0000-0000-00000000c11e"}


class Wire:
    """Sends requests to its own emulator. ``world`` builds the state behind it."""

    def __init__(self, options: Options | None = None) -> None:
        self.build = Builder()
        self.app = App(self.build.world, options)

    def send(
        self,
        method: str,
        path: object,
        *,
        body: Any = None,
        version: str = VERSION,
        query: str = "",
        raw: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Response:
        versioned = f"api-version={version}" if version else ""
        return self.app.handle(
            Request(
                method=method,
                path=str(path),
                query="&".join(part for part in (versioned, query) if part),
                headers=BEARER if headers is None else headers,
                body=raw if raw is not None else b"" if body is None else json.dumps(body).encode(),
            )
        )

    def get(self, path: object, **more: Any) -> Any:
        """The document of a GET that must succeed."""
        response = self.send("GET", path, **more)
        assert response.status == 200, response.body
        return json.loads(response.body)

    def follow(self, url: str, method: str = "GET") -> Response:
        """Send a request to a URL from an answer."""
        parts = urlsplit(url)
        return self.app.handle(Request(method=method, path=parts.path, query=parts.query, headers=BEARER))


def error_of(response: Response) -> dict[str, Any]:
    """The inside of an error document."""
    found: dict[str, Any] = json.loads(response.body)["error"]
    return found


def exactly(document: object) -> str:
    """A document with the order of its keys, for comparison."""
    return json.dumps(document, indent=1)

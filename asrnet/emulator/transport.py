"""The emulator without a socket: a requests.Session that answers in this process.

The unmodified Azure SDK runs on it::

    transport = RequestsTransport(session=in_process(world), session_owner=False)
    client = SiteRecoveryManagementClient(..., transport=transport)
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict
from urllib3.response import HTTPResponse

from asrnet.emulator.app import App
from asrnet.emulator.messages import Request, Response
from asrnet.fake.world import World


def in_process(world: World, *, latency_s: float | None = None) -> requests.Session:
    """A session that ``world`` answers. Without ``latency_s``, the latency is that of the world."""
    return session(App(world), latency_s=latency_s)


def session(app: App, *, latency_s: float | None = 0.0) -> requests.Session:
    """A session in which ``app`` answers every request, whatever its host.

    Half of ``latency_s`` seconds passes on the world's clock before a request takes effect, and half afterwards. None
    stands for the latency that the world has at the time of the request.
    """
    in_process_session = requests.Session()
    # Otherwise requests would read this machine's proxy settings and .netrc.
    in_process_session.trust_env = False
    adapter = InProcessAdapter(app, latency_s)
    for scheme in ("https://", "http://"):
        in_process_session.mount(scheme, adapter)
    return in_process_session


class InProcessAdapter(BaseAdapter):
    """Passes requests to an App instead of a network. It may be used by several threads."""

    def __init__(self, app: App, latency_s: float | None = 0.0) -> None:
        super().__init__()
        self._app = app
        self._latency = latency_s

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        """Answer ``request``. Raises ConnectionError if a scripted fault drops the connection.

        Time-outs, certificates and proxies are ignored; every answer can be streamed.
        """
        latency = self._app.world.behaviour.latency if self._latency is None else self._latency
        clock = self._app.world.clock
        if latency:
            clock.sleep(latency / 2)
        answer = self._app.handle(_incoming(request))
        if latency or answer.delay:
            clock.sleep(latency / 2 + answer.delay)
        if answer.dropped:
            raise requests.ConnectionError("the emulator reset the connection", request=request)
        return _outgoing(answer, request)

    def close(self) -> None:
        """Do nothing, because no resources are held."""


def _incoming(request: requests.PreparedRequest) -> Request:
    parts = urlsplit(request.url or "")
    body: Any = request.body  # None, str, bytes, a file or an iterator
    headers: Mapping[str, Any] = request.headers  # values are str, or bytes if the caller passed bytes
    if isinstance(body, str):
        body = body.encode()
    elif body is not None and not isinstance(body, bytes):
        body = body.read() if hasattr(body, "read") else b"".join(body)
    return Request(
        method=(request.method or "GET").upper(),
        path=parts.path or "/",
        query=parts.query,
        headers={
            name.lower(): value.decode("latin-1") if isinstance(value, bytes) else value
            for name, value in headers.items()
        },
        body=bytes(body or b""),
        scheme=parts.scheme,
        host=parts.netloc,
    )


def _outgoing(answer: Response, request: requests.PreparedRequest) -> requests.Response:
    response = requests.Response()
    response.status_code = answer.status
    response.headers = CaseInsensitiveDict(answer.headers)
    response.raw = HTTPResponse(
        body=io.BytesIO(answer.body), headers=dict(answer.headers), status=answer.status, preload_content=False
    )
    response.url = request.url or ""
    response.request = request
    response.encoding = "utf-8"
    return response

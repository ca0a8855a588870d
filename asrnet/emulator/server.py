"""The emulator's HTTP/1.1 server for clients in other processes, over TCP or TLS, with one thread per connection.

It is based on the standard library's server. Two others were measured: cheroot drops kept-alive connections when there
are more of them than threads, and uvicorn with a parser written in Python is no faster. With each of them, computing an
answer takes longer than sending it.
"""

from __future__ import annotations

import io
import socket
import ssl
import struct
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any, Final

from msgspec import Struct

from asrnet.emulator.app import ADMIN, App
from asrnet.emulator.messages import Request, Response, json_response, plain_envelope
from asrnet.emulator.reading import (
    LARGEST_BODY,
    LARGEST_WORLD,
    RequestError,
    TimedStream,
    drain,
    read_body,
    read_headers,
    read_target,
)
from asrnet.errors import InputError

# Seconds for a client's TLS handshake, for outstanding answers on closing, and for reading the remainder of a refused
# request.
HANDSHAKE_SECONDS: Final = 10.0
DRAIN_SECONDS: Final = 3.0
LINGER_SECONDS: Final = 2.0
_HELLO: Final = b"\x16"  # the first byte of a TLS handshake
_SPEAKS_TLS: Final = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 34\r\nConnection: close\r\n\r\n"
    b"This port speaks TLS: use https.\r\n"
)
_STATUSES: Final = frozenset(HTTPStatus)
_REACHABLE: Final = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - named, not listened on


class Timeouts(Struct, frozen=True, kw_only=True):
    """Time-outs in seconds: between requests, for reading a whole request, and for sending an answer."""

    idle: float = 75.0
    request: float = 30.0
    answer: float = 60.0


class Server(ThreadingMixIn, TCPServer):
    """Listens on an address and passes requests to ``app``, over TLS if there is a ``context``.

    ``latency`` is in seconds; None stands for the latency of the world.
    """

    allow_reuse_address = sys.platform != "win32"  # on Windows it would let two servers share a port
    daemon_threads = True
    # The library would wait for every connection, even an idle one. Our close() waits only for requests in progress.
    block_on_close = False
    # The default of 5 refuses clients that open many connections at once.
    request_queue_size = 256

    def __init__(
        self,
        app: App,
        address: tuple[str, int],
        *,
        context: ssl.SSLContext | None = None,
        latency: float | None = None,
        timeouts: Timeouts | None = None,
        record: Callable[[Request, Response], None] | None = None,
    ) -> None:
        self.app = app
        self._latency = latency
        self.timeouts = timeouts or Timeouts()
        self.record = record
        self._context = context
        self._idle = threading.Condition()
        self._busy = 0
        self._closing = False
        self._opened = False
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        try:
            super().__init__(address, RequestHandler)
        except (OSError, OverflowError) as error:
            raise InputError(
                f"cannot listen on {address[0]} port {address[1]}: {getattr(error, 'strerror', None) or error}",
                hint="choose another port, or 0 for any that is free",
            ) from error

    @property
    def url(self) -> str:
        """The URL under which this machine can reach the server."""
        host, port = str(self.server_address[0]), self.server_address[1]
        host = _REACHABLE.get(host, host)
        shown = f"[{host}]" if ":" in host else host
        return f"{'https' if self._context else 'http'}://{shown}:{port}"

    @property
    def half_latency(self) -> float:
        """Seconds to wait before a request takes effect, and again afterwards."""
        latency = self.app.world.behaviour.latency if self._latency is None else self._latency
        return latency / 2

    @property
    def scheme(self) -> str:
        """``https`` or ``http``."""
        return "https" if self._context else "http"

    def finish_request(self, request: Any, client_address: Any) -> None:
        """Serve a connection, including its TLS handshake, in its own thread, so that slow clients delay no others."""
        if self._context is None:
            super().finish_request(request, client_address)
            return
        request.settimeout(HANDSHAKE_SECONDS)
        try:
            # The byte stays in the socket for the handshake to read. No byte means that the client has disconnected.
            if request.recv(1, socket.MSG_PEEK) not in {_HELLO, b""}:
                request.sendall(_SPEAKS_TLS)
                drain(request, LINGER_SECONDS)
                return
            secured = self._context.wrap_socket(request, server_side=True)
        except (OSError, ValueError):  # the client does not trust the authority, or is a port scanner
            return
        with secured:
            super().finish_request(secured, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print the traceback, unless the client has merely disconnected."""
        if not isinstance(sys.exception(), OSError | InterruptedError):
            super().handle_error(request, client_address)

    def open(self) -> None:
        """Start accepting connections in a separate thread."""
        self._opened = True
        # shutdown() may have to wait this long.
        threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def close(self) -> None:
        """Stop accepting connections, and wait a little for the requests in progress."""
        if self._opened:  # without a running loop, shutdown() would wait forever
            self.shutdown()
        self.server_close()
        with self._idle:
            self._closing = True
            self._idle.wait_for(lambda: not self._busy, timeout=DRAIN_SECONDS)

    @contextmanager
    def handling_request(self) -> Iterator[None]:
        """Count a request as in progress. Raises InterruptedError once the server is closing."""
        with self._idle:
            if self._closing:
                raise InterruptedError("the emulator is being stopped")
            self._busy += 1
        try:
            yield
        finally:
            with self._idle:
                self._busy -= 1
                self._idle.notify_all()


_UNUSUAL_BLANKS: Final = frozenset(b"\t\r\v\f\x1c\x1d\x1e\x1f\x85\xa0")


class RequestHandler(BaseHTTPRequestHandler):
    """One connection. It answers requests until one side closes it."""

    server: Server
    protocol_version = "HTTP/1.1"
    # Otherwise a small answer may wait until the client acknowledges the previous one.
    disable_nagle_algorithm = True

    def setup(self) -> None:
        """Read from the connection through a stream with a deadline."""
        super().setup()
        self._stream = TimedStream(self.connection)
        self._reader = io.BufferedReader(self._stream)
        self.rfile = self._reader

    def handle_one_request(self) -> None:
        """Read a request and answer it."""
        self.close_connection = True
        self._stream.allow(self.server.timeouts.idle)
        try:
            if self._reader.peek(1)[:1] == _HELLO:
                self.command = ""
                self.send_error(HTTPStatus.BAD_REQUEST, "This port speaks plain HTTP, and not TLS.")
                return
            self.raw_requestline = self.rfile.readline(65537)
            if self.raw_requestline:
                self._stream.allow(self.server.timeouts.request)
                with self.server.handling_request():
                    self._answer()
        except (OSError, InterruptedError):  # too slow, disconnected, or the emulator is stopping
            self.close_connection = True

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer a request that is not valid HTTP with an error document like Azure's."""
        text = explain or message or HTTPStatus(code).phrase
        self.close_connection = True
        self._write(json_response(plain_envelope("BadRequest", text), status=code))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the signature is the library's
        """Log nothing, because the journal has every request."""

    def _answer(self) -> None:
        if len(self.raw_requestline) > 65536:  # noqa: PLR2004 - the library's limit of a line
            self.command, self.request_version = "", self.protocol_version
            self.send_error(HTTPStatus.REQUEST_URI_TOO_LONG)
            return
        if _UNUSUAL_BLANKS & set(self.raw_requestline.rstrip(b"\r\n")):
            # The library would split the line at these characters and take the first part as the method.
            self.command, self.request_version = "", self.protocol_version
            self.send_error(HTTPStatus.BAD_REQUEST, "The request line has characters that cannot be in one.")
            return
        if not self.parse_request():
            return
        try:
            request = self._request()
        except RequestError as error:
            self.close_connection = True
            self._write(json_response(plain_envelope(error.code, error.message), status=error.status))
            if error.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                drain(self.connection, LINGER_SECONDS)
            return
        response = self._handled(request)
        if response.dropped:
            # Abort the connection, so that the client gets a reset instead of an answer.
            self.close_connection = True
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()
            return
        if self.server.record:
            self.server.record(request, response)
        self._write(response)

    def _request(self) -> Request:
        headers, target = read_headers(self.headers), read_target(self.path)
        # Links use the host that the client sent, or the emulator's own if the client sent none or an invalid one.
        host = target.netloc or headers.get("host", "")
        if not host or not all(character.isalnum() or character in ".-:[]" for character in host):
            host = self.server.url.partition("://")[2]
        largest = LARGEST_WORLD if target.path.lower().startswith(ADMIN) else LARGEST_BODY
        return Request(
            method=self.command.upper(),
            path=target.path or "/",
            query=target.query,
            headers=headers,
            body=read_body(self._reader, headers, largest=largest),
            scheme=self.server.scheme,
            host=host,
        )

    def _handled(self, request: Request) -> Response:
        clock = self.server.app.world.clock
        half = 0.0 if request.path.lower().startswith(ADMIN) else self.server.half_latency
        if half:
            clock.sleep(half)
        try:
            response = self.server.app.handle(request)
        except Exception as error:  # noqa: BLE001 - the outer edge: a bug must not take the server down
            self.server.handle_error(self.request, self.client_address)  # prints the traceback on standard error
            message = f"This is a bug in the emulator: {type(error).__name__}."
            return json_response(plain_envelope("InternalServerError", message), status=500)
        if half or response.delay:
            clock.sleep(half + response.delay)
        return response

    def _write(self, response: Response) -> None:
        phrase = HTTPStatus(response.status).phrase if response.status in _STATUSES else "Unknown"
        lines = [f"HTTP/1.1 {response.status} {phrase}"]
        lines += [f"{name}: {value}" for name, value in response.headers]
        if response.header("Content-Length") is None and response.status != HTTPStatus.NO_CONTENT:
            lines.append(f"Content-Length: {len(response.body)}")
        if self.close_connection:
            lines.append("Connection: close")
        head = "\r\n".join((*lines, "", "")).encode("latin-1", "replace")
        # Until here the socket had the time-out of reading; sending has its own.
        self.connection.settimeout(self.server.timeouts.answer)
        self.connection.sendall(head if self.command == "HEAD" else head + response.body)

"""Reading HTTP requests from a connection, within limits of time and size."""

from __future__ import annotations

import io
import re
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from email.message import Message
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

MIB: Final = 1024 * 1024
LARGEST_BODY: Final = 4 * MIB
"""The limit of Azure Resource Manager."""
LARGEST_WORLD: Final = 64 * MIB
"""The limit of the admin paths."""
_LONGEST_LINE: Final = 8192
_ADDRESS: Final = re.compile(r"https?://", re.IGNORECASE)
_FOLD: Final = re.compile(r"[\r\n]+[ \t]*")


class RequestError(Exception):
    """The request cannot be read, and its connection cannot be used any further."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message


class TimedStream(io.RawIOBase):
    """A stream over a socket with a deadline. A client that sends single bytes does not get more time."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__()
        self._connection = connection
        self._deadline = time.monotonic()

    def allow(self, seconds: float) -> None:
        """Set the deadline to ``seconds`` from now."""
        self._deadline = time.monotonic() + seconds

    def readable(self) -> bool:
        """True."""
        return True

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]  # a narrower buffer will do
        """Read the available bytes. Raises TimeoutError at the deadline."""
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the client is too slow")
        self._connection.settimeout(left)
        return self._connection.recv_into(buffer)


def read_target(text: str) -> SplitResult:
    """Parse the target of a request line: a path, or a full URL as sent to a proxy. Raises RequestError for others."""
    try:
        return urlsplit(text if _ADDRESS.match(text) else f"/{text.lstrip('/')}")
    except ValueError as error:
        raise RequestError(400, "BadRequest", "The request URL is invalid.") from error


def read_headers(message: Message) -> dict[str, str]:
    """The headers by lower-case name. Raises RequestError for malformed headers and for conflicting lengths."""
    if message.defects:
        raise RequestError(400, "BadRequest", "A header is not a name with a value.")
    if len(set(message.get_all("content-length", ()))) > 1:
        raise RequestError(400, "BadRequest", "Two lengths of the body contradict each other.")
    return {name.lower(): _FOLD.sub(" ", value) for name, value in message.items()}


def drain(connection: socket.socket, seconds: float) -> None:
    """For a while, discard what the client still sends. If the connection closed at once, the answer could be lost."""
    end = time.monotonic() + seconds
    with suppress(OSError):
        connection.shutdown(socket.SHUT_WR)
        while (left := end - time.monotonic()) > 0:
            connection.settimeout(left)
            if not connection.recv(_LONGEST_LINE):
                return


def read_body(stream: io.BufferedReader[Any], headers: Mapping[str, str], *, largest: int) -> bytes:
    """Read the body that ``headers`` announce. Raises RequestError if it is too large, or is not as announced."""
    length, coding = headers.get("content-length"), headers.get("transfer-encoding", "")
    if coding and length is not None:
        raise RequestError(400, "BadRequest", "Content-Length and Transfer-Encoding contradict each other.")
    if coding.lower() == "chunked":
        return _read_chunks(stream, largest)
    if coding:
        raise RequestError(501, "NotImplemented", f"The transfer encoding '{coding[:40]}' is not supported.")
    # RFC 9112: a request with neither header has no body.
    if length is None:
        return b""
    return _read_exactly(stream, _number(length, 10), largest)


def _read_chunks(stream: io.BufferedReader[Any], largest: int) -> bytes:
    body = bytearray()
    while True:
        size = _number(_read_line(stream).partition(";")[0].strip(), 16)
        if size == 0:
            break
        body += _read_exactly(stream, size, largest - len(body))
        if _read_line(stream):
            raise RequestError(400, "BadRequest", "A chunk of the body does not end where it should.")
    while _read_line(stream):
        pass  # trailers
    return bytes(body)


def _read_line(stream: io.BufferedReader[Any]) -> str:
    line = stream.readline(_LONGEST_LINE)
    if not line.endswith(b"\n"):
        raise RequestError(400, "BadRequest", "The body is cut off.")
    return line.decode("latin-1").rstrip("\r\n")


def _read_exactly(stream: io.BufferedReader[Any], size: int, largest: int) -> bytes:
    if size > largest:
        raise RequestError(413, "RequestEntityTooLarge", f"The request content is larger than {largest} bytes.")
    body = stream.read(size)
    if len(body) < size:
        raise RequestError(400, "BadRequest", "The body is cut off.")
    return body


def _number(text: str, base: int) -> int:
    try:
        if text.isalnum():  # no signs, spaces or underscores
            return int(text, base)
    except ValueError:
        pass
    raise RequestError(400, "BadRequest", "The length of the body is not a number.")

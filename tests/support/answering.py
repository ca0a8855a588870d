"""A fake Azure: a session whose requests call a function of the test."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any

import requests
import urllib3
from requests.adapters import BaseAdapter

Reply = tuple[int, Mapping[str, str], object]


class Answering(BaseAdapter):
    """Passes every request to ``handle`` and records it; ``handle`` returns status, headers and body, or raises."""

    def __init__(self, handle: Callable[[requests.PreparedRequest], Reply]) -> None:
        super().__init__()
        self.handle = handle
        self.requests: list[requests.PreparedRequest] = []

    @property
    def session(self) -> requests.Session:
        session = requests.Session()
        session.mount("https://", self)
        session.mount("http://", self)
        return session

    @property
    def sent(self) -> list[str]:
        return [f"{request.method} {str(request.url).partition('?')[0]}" for request in self.requests]

    def send(self, request: requests.PreparedRequest, *_args: Any, **_options: Any) -> requests.Response:
        self.requests.append(request)
        status, headers, body = self.handle(request)
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"Content-Type": "application/json", "Content-Length": str(len(content)), **headers}
        response = requests.Response()
        response.status_code = status
        response.headers.update(sent)
        response.url = str(request.url)
        response.request = request
        response.raw = urllib3.HTTPResponse(io.BytesIO(content), headers=sent, status=status, preload_content=False)
        return response

    def close(self) -> None:
        pass


def in_turn(*replies: Reply | Exception) -> Callable[[requests.PreparedRequest], Reply]:
    """One reply after the other; the last repeats."""
    left = list(replies)

    def handle(_request: requests.PreparedRequest) -> Reply:
        reply = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(reply, Exception):
            raise reply
        return reply

    return handle


def error(code: str, message: str, **more: object) -> dict[str, object]:
    """The error document of Resource Manager."""
    return {"error": {"code": code, "message": message, **more}}

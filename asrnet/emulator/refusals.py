"""Refusals of the gateway: of requests that never reach a resource."""

from __future__ import annotations

from collections.abc import Mapping

from asrnet.errors import ServiceError


class GatewayError(ServiceError):
    """The gateway's own answer to a request that never reaches a resource; it may come with ``headers``."""

    def __init__(self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message, status=status, code=code)
        self.headers = dict(headers or {})


def plain_envelope(code: str, message: str) -> dict[str, object]:
    """The error document of Resource Manager's gateway."""
    return {"error": {"code": code, "message": message}}

"""Somebody else who acts when a write is sent, so that only a repeat can notice it."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import Context
from typing import Any

from msgspec import structs

from asrnet.ports import Backend, before_sending


class _Watched:
    """A writer that detects the first request of one method."""

    def __init__(self, writer: Any, method: str, act: Callable[[], object]) -> None:
        self._writer = writer
        self._method = method
        self._acts = [act]

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._writer, name)
        if name != self._method:
            return call

        def watched(*arguments: Any) -> Any:
            with before_sending(self._act_once):
                return call(*arguments)

        return watched

    def _act_once(self) -> None:
        while self._acts:
            self._acts.pop()()


def meddled(backend: Backend, method: str, act: Callable[[], object]) -> Backend:
    """``backend``, with ``act`` called when the first request of a writer's ``method`` is sent."""
    return structs.replace(
        backend,
        mapping_writer=_Watched(backend.mapping_writer, method, act),
        network_writer=_Watched(backend.network_writer, method, act),
    )


class _Blind:
    """A writer that sends without the checks before it."""

    def __init__(self, writer: Any) -> None:
        self._writer = writer

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._writer, name)
        return lambda *arguments: Context().run(call, *arguments)


def blind(backend: Backend) -> Backend:
    """``backend`` without the reads before each write."""
    return structs.replace(
        backend, mapping_writer=_Blind(backend.mapping_writer), network_writer=_Blind(backend.network_writer)
    )

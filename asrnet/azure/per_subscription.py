"""The SDKs' clients are each for one subscription; a run needs one of each."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

C = TypeVar("C")


class PerSubscription(Generic[C]):
    """``build(subscription)``, called once for each subscription however many threads ask."""

    def __init__(self, build: Callable[[str], C]) -> None:
        self._build = build
        self._lock = threading.Lock()
        self._built: dict[str, C] = {}

    def __call__(self, subscription: str) -> C:
        """What was built for ``subscription``."""
        with self._lock:
            if subscription not in self._built:
                self._built[subscription] = self._build(subscription)
            return self._built[subscription]

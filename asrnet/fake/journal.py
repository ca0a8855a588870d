"""Counts a world's requests by method and kind of resource, and derives the action that each of them needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from threading import Lock
from typing import Final

_VERBS: Final = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete", "POST": "action"}


class Journal:
    """Counts of requests. It holds no queries, headers or bodies, and therefore no secrets."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._counts: Counter[tuple[str, str]] = Counter()

    def count(self, method: str, path: str) -> None:
        """Count one request to the URL path ``path``."""
        with self._lock:
            self._counts[method.upper(), kind_of(path)] += 1

    def counts(self) -> Mapping[tuple[str, str], int]:
        """The number of requests by method and kind, such as ``("GET", "replicationnetworkmappings")``."""
        with self._lock:
            return dict(self._counts)

    def methods(self) -> Mapping[str, int]:
        """The number of requests by method."""
        total: Counter[str] = Counter()
        for (method, _), count in self.counts().items():
            total[method] += count
        return total

    def clear(self) -> None:
        """Reset all counts to zero."""
        with self._lock:
            self._counts.clear()


@lru_cache(maxsize=4096)  # each request is counted, checked against rights and searched for faults by its type
def type_of(path: str) -> str:
    """The resource type in the path of a resource or a list: ``Microsoft.Network/virtualNetworks``."""
    parts = path.partition("?")[0].strip("/").split("/")
    # The last provider counts, because a path can contain another resource's provider, as paths of permissions do.
    # Names are every second segment, so a resource named "providers" does not count.
    start = max((i for i in range(0, len(parts), 2) if parts[i].lower() == "providers"), default=-1)
    if start < 0:
        # Paths of subscriptions and resource groups contain no provider.
        return "/".join(["Microsoft.Resources", *parts[0::2]])
    return "/".join([*parts[start + 1 : start + 2], *parts[start + 2 :: 2]])


def kind_of(path: str) -> str:
    """The last segment of the resource type, in lower case."""
    return type_of(path).rpartition("/")[2].lower()


def action_of(method: str, path: str) -> str:
    """The action that a role must allow for the request: ``Microsoft.Network/virtualNetworks/read``."""
    return f"{type_of(path)}/{_VERBS.get(method.upper(), 'action')}"

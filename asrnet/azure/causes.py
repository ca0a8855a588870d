"""What an error came from, however the libraries in between wrapped it."""

from __future__ import annotations

import socket
from collections.abc import Iterator


def chain(error: BaseException) -> Iterator[BaseException]:
    """``error`` and every error it carries: as cause, context, argument, ``reason`` or ``inner_exception``."""
    seen: set[int] = set()
    pending: list[object] = [error]
    while pending:
        each = pending.pop()
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        seen.add(id(each))
        yield each
        carried = (getattr(each, name, None) for name in ("__cause__", "__context__", "reason", "inner_exception"))
        pending.extend([*each.args, *carried])


def is_name_failure(error: BaseException) -> bool:
    """Whether ``error`` comes down to the name of a host that does not resolve."""
    return any(
        isinstance(each, socket.gaierror) or type(each).__name__ == "NameResolutionError" for each in chain(error)
    )

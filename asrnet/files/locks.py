"""Exclusive locks on files that are replaced as a whole."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, where an open file cannot be replaced
    fcntl = None  # type: ignore[assignment]


class FileLock:
    """An exclusive lock on the file ``path``, which its holder may replace. It ends with the process at the latest.

    Without a file, or on Windows, nothing is locked, and ``acquire`` succeeds.
    """

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._handle: int | None = None

    def acquire(self) -> bool:
        """Take the lock. False if somebody else has it."""
        if self._handle is not None or fcntl is None:
            return True
        try:
            handle = os.open(self._path, os.O_RDONLY)
        except OSError:  # whoever reads the file reports this
            return True
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Whoever had the lock may have put another file in its place, and that one has to be locked.
            if os.path.samestat(os.fstat(handle), self._path.stat()):
                self._handle = handle
                return True
        except OSError:
            pass
        os.close(handle)
        return False

    def release(self) -> None:
        """Give the lock back."""
        if self._handle is not None:
            with suppress(OSError):
                os.close(self._handle)
            self._handle = None

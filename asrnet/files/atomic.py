"""Atomic writing of files."""

from __future__ import annotations

import errno
import os
import shlex
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from asrnet.errors import InputError


class PendingFile:
    """A file to be written later. The old file stays unchanged until ``commit``.

    The constructor checks that ``path`` can be written, and raises InputError if not. Devices and pipes are written to
    directly.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = str(path)
        self._target = Path(path)
        self._temporary: str | None = None
        try:
            self._open()
        except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: links that lead in a circle
            raise self._error(error) from error

    def _open(self) -> None:
        if self._target.is_dir():
            raise IsADirectoryError(0, "it is a folder")
        if self._target.exists() and not self._target.is_file():
            if not os.access(self._target, os.W_OK):
                raise PermissionError(0, "it is not writable")
            return
        from tempfile import mkstemp  # slow to import, and most runs write no file

        # A symbolic link stays: the file that it leads to is replaced. The temporary file is beside it, because a
        # rename is atomic only within one file system.
        self._target = self._target.resolve()
        handle, self._temporary = mkstemp(dir=self._target.parent, prefix=f".{self._target.name}.")
        os.close(handle)

    def replaced(self) -> str:
        """The text of the old file; empty if there is none or it cannot be read as text."""
        with suppress(OSError, ValueError):
            return self._target.read_text("utf-8") if self._target.is_file() else ""
        return ""

    def commit(self, text: str) -> None:
        """Replace the old file by ``text``. Raises InputError if that fails, and leaves the old file unchanged."""
        try:
            self._write(text)
        except OSError as error:
            self.abandon()
            raise self._error(error) from error

    def _write(self, text: str) -> None:
        with Path(self._temporary or self._target).open("w", encoding="utf-8", newline="\n") as stream:
            stream.write(text)
            stream.flush()
            if self._temporary:
                # Otherwise a crash soon after the rename could leave an empty file.
                os.fsync(stream.fileno())
        if self._temporary:
            Path(self._temporary).chmod(_mode(self._target))
            Path(self._temporary).replace(self._target)
            self._temporary = None

    def abandon(self) -> None:
        """Leave the old file unchanged, and remove the temporary one."""
        if self._temporary:
            with suppress(OSError):
                Path(self._temporary).unlink()
            self._temporary = None

    def _error(self, error: OSError | ValueError | RuntimeError) -> InputError:
        why = getattr(error, "strerror", None) or str(error)
        hint = f"nothing was overwritten; {writing_advice(self.path, error)}"
        return InputError(f"{self.path}: cannot be written: {why}", hint=hint)


def writing_advice(path: str | Path, error: Exception) -> str:
    """What to do about an ``error`` of writing to ``path``."""
    if isinstance(error, IsADirectoryError):
        return "name a file in it"
    if isinstance(error, RuntimeError):
        return "choose a path whose links do not lead in a circle"
    # The nearest part of the path that exists is a file instead of a folder, or a folder without the next one.
    folder = existing = Path(path).parent
    with suppress(OSError, ValueError):
        while not existing.exists():
            existing = existing.parent
        if not existing.is_dir():
            return f"{existing} is a file, so nothing can be in it; choose another path"
        if existing != folder:
            return f"make the folder first: {shlex.join(['mkdir', '-p', str(folder)])}"
    number = getattr(error, "errno", None)
    return _ADVICE.get(number or 0, "choose a folder that exists and is writable")


_ADVICE: Final[Mapping[int, str]] = {
    errno.ENOSPC: "the disk is full: make room, or choose a place on another one",
    errno.EDQUOT: "the quota is used up: make room, or choose another place",
    errno.EROFS: "the file system is read-only: choose a place on another one",
    errno.ENAMETOOLONG: "choose a shorter name",
}


def _mode(target: Path) -> int:
    """The mode of the old file, or else that of a new file: the temporary file is readable by its owner only."""
    if target.exists():
        return target.stat().st_mode & 0o777
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


@contextmanager
def interrupts_deferred() -> Iterator[None]:
    """Let the block end before Ctrl-C, SIGTERM or SIGHUP takes effect: what it writes must not be lost.

    Only signals with a handler in Python are deferred, and only in the main thread, which is the one that gets them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
    handlers = {number: handler for number in numbers if callable(handler := signal.getsignal(number))}
    arrived: list[int] = []
    for number in handlers:
        signal.signal(number, lambda number, _: arrived.append(number))
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
    if arrived:
        signal.raise_signal(arrived[0])


def replace(path: str | Path, text: str) -> None:
    """Write ``text`` to ``path``, at once or not at all. Raises InputError if it cannot be written."""
    pending = PendingFile(path)
    try:
        pending.commit(text)
    except BaseException:
        pending.abandon()
        raise

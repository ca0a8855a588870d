"""One entry of a desired-state file, and where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

from msgspec import Struct

from asrnet.desired.file import DesiredFile
from asrnet.desired.state import Source
from asrnet.errors import DocumentError, InputError, harmless
from asrnet.files.yaml import Document

T = TypeVar("T")


class Entry(Struct, Generic[T], frozen=True):
    """What one file says at ``path``."""

    raw: T
    document: Document[DesiredFile]
    path: tuple[str | int, ...]

    @property
    def name(self) -> str:
        """The key it stands under."""
        return str(self.path[-1])

    @property
    def source(self) -> Source:
        """The file and the line. A file's name need not be text, and this goes into plans."""
        return Source(file=harmless(self.document.source), line=self.document.line(*self.path))

    def error(self, problem: str, *below: str | int, hint: str = "") -> DocumentError:
        """The error to raise about this entry, or about what is ``below`` it."""
        return self.document.error(problem, *self.path, *below, hint=hint)

    @contextmanager
    def at(self, *below: str | int) -> Iterator[None]:
        """Adds file, line and path to an InputError raised inside."""
        try:
            yield
        except DocumentError:
            raise
        except InputError as error:
            raise self.error(error.message, *below, hint=error.hint) from error

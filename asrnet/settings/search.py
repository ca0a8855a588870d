"""The search for the desired state in the folders above the working directory, within one repository."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

_ADMINISTRATOR = 0  # root's user id: root's files are trusted like the user's own


class NearestFile(Struct, frozen=True):
    """A file above the working directory, or the reason why the one that is there is not used."""

    path: str = ""
    problem: str = ""


def file_above(name: str, folder: str | Path = ".") -> NearestFile:
    """The nearest file ``name`` in a folder above ``folder``, up to the root of its Git repository.

    The search never leaves the repository, the home directory or the file system that ``folder`` is in. The
    file decides what asrnet changes, so one that somebody else could have put there is not used; Git refuses other
    users' repositories likewise.
    """
    try:
        start = Path(folder).resolve(strict=True)
        device = start.stat().st_dev
        above = start
        while not _is_end(above):
            above = above.parent
            if above.stat().st_dev != device:
                break
            candidate = above / name
            if candidate.is_file():
                path = os.path.relpath(candidate, start)
                if _is_trusted(candidate):
                    return NearestFile(path=os.path.normpath(os.path.join(folder, path)))  # noqa: PTH118 - may begin with ..
                return NearestFile(problem=f"{path} is not used: it, or its folder, belongs to another user")
    except (OSError, RuntimeError):  # a folder is gone or cannot be read, or this user has no home directory
        pass
    return NearestFile()


def _is_end(folder: Path) -> bool:
    """Whether the search ends with ``folder``. Outside a repository it ends at once."""
    is_outside = not any((above / ".git").exists() for above in (folder, *folder.parents))
    return is_outside or (folder / ".git").exists() or folder in {Path.home(), folder.parent}


def _is_trusted(file: Path) -> bool:
    """Whether the file, its folder and what a symbolic link leads to belong to this user or to the administrator."""
    if not hasattr(os, "getuid"):  # Windows, where folders of other users cannot be written
        return True
    owners = {file.stat().st_uid, file.lstat().st_uid, file.parent.stat().st_uid}
    return owners <= {os.getuid(), _ADMINISTRATOR}

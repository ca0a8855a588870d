"""Files that are written whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from asrnet.files.atomic import PendingFile


def test_a_file_is_synced_to_disk_before_it_replaces_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rename may reach the disk before the content does; after a power failure the file would be empty."""
    target = tmp_path / "plan.json"
    target.write_text("old", "utf-8")
    synced: list[tuple[int, str]] = []

    def record(descriptor: int) -> None:
        synced.append((os.fstat(descriptor).st_size, target.read_text("utf-8")))

    monkeypatch.setattr(os, "fsync", record)
    PendingFile(target).commit("the new text")
    assert synced == [(len("the new text"), "old")]
    assert target.read_text("utf-8") == "the new text"

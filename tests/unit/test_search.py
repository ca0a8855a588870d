"""The desired state is found above the working directory, within the repository and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from asrnet import settings
from asrnet.settings.search import NearestFile, file_above

NAME = "asrnet.yaml"


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository in a folder of its own, with the folder a/b in it."""
    monkeypatch.setenv("HOME", "/nonexistent")
    root = tmp_path / "outside" / "repository"
    (root / "a" / "b").mkdir(parents=True)
    (root / ".git").mkdir()
    return root


def write(folder: Path) -> None:
    (folder / NAME).write_text("version: 1\n")


def test_the_nearest_file_above_is_found_up_to_the_root_of_the_repository(repository: Path) -> None:
    write(repository)
    assert file_above(NAME, repository / "a" / "b") == NearestFile(path=str(repository / NAME))
    write(repository / "a")
    assert file_above(NAME, repository / "a" / "b") == NearestFile(path=str(repository / "a" / NAME))


def test_the_file_is_named_relative_to_the_working_directory(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(repository)
    monkeypatch.chdir(repository / "a" / "b")
    assert file_above(NAME) == NearestFile(path=f"../../{NAME}")


def test_nothing_is_found_above_the_root_of_the_repository(repository: Path) -> None:
    write(repository.parent)
    assert file_above(NAME, repository / "a") == NearestFile()
    assert file_above(NAME, repository) == NearestFile()


def test_the_root_of_a_worktree_or_submodule_is_a_root_too(repository: Path) -> None:
    write(repository)
    (repository / "a" / ".git").write_text("gitdir: ../.git/modules/a\n")
    assert file_above(NAME, repository / "a" / "b") == NearestFile()


def test_without_a_repository_nothing_above_is_read(repository: Path) -> None:
    (repository / ".git").rmdir()
    write(repository)
    assert file_above(NAME, repository / "a" / "b") == NearestFile()


def test_nothing_is_found_above_the_home_directory(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(repository / "a"))
    write(repository)
    assert file_above(NAME, repository / "a" / "b") == NearestFile()
    write(repository / "a")
    assert file_above(NAME, repository / "a" / "b") == NearestFile(path=str(repository / "a" / NAME))


def test_nothing_is_found_on_another_file_system(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(repository)
    stat = Path.stat

    def elsewhere(path: Path, **options: bool) -> os.stat_result:
        result = stat(path, **options)
        return os.stat_result((*result[:2], result.st_dev + 1, *result[3:])) if path == repository else result

    monkeypatch.setattr(Path, "stat", elsewhere)
    assert file_above(NAME, repository / "a" / "b") == NearestFile()


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owner here")
def test_a_file_of_another_user_is_named_and_not_used(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(repository)
    owner = (repository / NAME).stat().st_uid
    monkeypatch.setattr(os, "getuid", lambda: owner)
    assert file_above(NAME, repository / "a").path
    monkeypatch.setattr("asrnet.settings.search._ADMINISTRATOR", 65_000)
    monkeypatch.setattr(os, "getuid", lambda: owner + 1)
    assert file_above(NAME, repository / "a") == NearestFile(
        problem=f"../{NAME} is not used: it, or its folder, belongs to another user"
    )


def test_a_user_without_a_home_directory_has_no_search(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_home() -> Path:
        raise RuntimeError("Could not determine home directory.")

    write(repository)
    monkeypatch.setattr(Path, "home", no_home)
    assert file_above(NAME, repository / "a") == NearestFile()


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="files have no owner here")
@pytest.mark.parametrize("what", ["the file", "the link", "the folder"])
def test_every_folder_on_the_way_to_the_file_must_belong_to_this_user(
    repository: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    write(repository / "a" / "b")
    (repository / NAME).symlink_to(repository / "a" / "b" / NAME)
    assert file_above(NAME, repository / "a").path
    stat = Path.stat

    def of_others(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        result = stat(path, follow_symlinks=follow_symlinks)
        asked = "the folder" if path == repository else "the file" if follow_symlinks else "the link"
        is_foreign = asked == what and path in {repository, repository / NAME}
        return os.stat_result((*result[:4], 65_000, *result[5:])) if is_foreign else result

    monkeypatch.setattr(Path, "stat", of_others)
    assert file_above(NAME, repository / "a").problem


def test_a_missing_folder_has_nothing_above_it(repository: Path) -> None:
    assert file_above(NAME, repository / "gone") == NearestFile()


def test_a_folder_of_that_name_is_not_a_desired_state(repository: Path) -> None:
    (repository / NAME).mkdir()
    assert file_above(NAME, repository / "a") == NearestFile()


def test_the_search_runs_only_where_no_file_is_named_and_none_is_in_the_working_directory(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ASRNET_FILE", raising=False)
    write(repository)
    monkeypatch.chdir(repository / "a")
    found = settings.from_process({}, "plan")
    assert (found.file, found.is_file_from_above) == (f"../{NAME}", True)
    assert settings.from_process({"file": NAME}, "plan").file == NAME
    monkeypatch.setenv("ASRNET_FILE", "other.yaml")
    assert settings.from_process({}, "plan").file == "other.yaml"
    monkeypatch.delenv("ASRNET_FILE")
    write(repository / "a")
    assert settings.from_process({}, "plan").file == NAME

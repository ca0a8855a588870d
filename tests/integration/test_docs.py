"""The documentation: nothing undocumented, no dead links, no snippet that does not run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Cli
from pages import PAGES, ROOT

from asrnet.cli.arguments import command_parser
from asrnet.cli.commands import COMMANDS
from asrnet.errors import AsrError

COMMANDS_PAGE = (ROOT / "docs" / "commands.md").read_text("utf-8")


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_and_each_of_its_options_is_documented(command: str) -> None:
    parser, _ = command_parser(command)
    options = [option for action in parser._actions for option in action.option_strings if option.startswith("--")]
    assert f"\n## asrnet {command}\n" in COMMANDS_PAGE
    assert [option for option in options if option not in COMMANDS_PAGE and option != "--help"] == []


def test_the_readme_has_at_most_150_lines() -> None:
    assert len((ROOT / "README.md").read_text("utf-8").splitlines()) <= 150


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_resolves(page: Path) -> None:
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    targets = [target for target in re.findall(r"\]\(([^)\s]+)\)", text) if not target.startswith("http")]
    assert [target for target in targets if not _leads(page, target)] == []


def _leads(page: Path, target: str) -> bool:
    path, _, anchor = target.partition("#")
    found = page.parent / path if path else page
    return found.exists() and (not anchor or anchor in set(_anchors(found)))


def _anchors(page: Path) -> Iterator[str]:
    for title in re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE):
        yield re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")


@pytest.mark.parametrize("page", [ROOT / "README.md", ROOT / "docs" / "desired-state.md"], ids=lambda page: page.name)
def test_desired_states_in_the_documents_are_valid(cli: Cli, folder: Path, page: Path) -> None:
    for text in blocks(page, "yaml"):
        (folder / "asrnet.yaml").write_text(text, "utf-8")
        ran = cli("validate")
        assert (ran.code, ran.err) == (0, "")


@pytest.mark.usefixtures("clean_environment")
def test_the_library_in_ten_lines_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    [code] = blocks(ROOT / "README.md", "python")
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    monkeypatch.setenv("ASRNET_BACKEND", "fake:world.yaml")
    ran = subprocess.run([sys.executable, "-c", code], cwd=folder, check=True, capture_output=True, text=True)
    assert ran.stdout.splitlines()[-1].startswith("succeeded {'GET': ")


@pytest.mark.usefixtures("clean_environment")
@pytest.mark.parametrize("number", range(6))
def test_the_examples_of_the_library_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    code = blocks(ROOT / "docs" / "library.md", "python")[number]
    folder = Path(shutil.copytree(ROOT / "examples" / "02-adopt-and-repair", tmp_path / "mine"))
    monkeypatch.setenv("ASRNET_BACKEND", "fake:world.yaml")
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], cwd=folder, check=False, capture_output=True, text=True
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout


def test_the_page_of_the_library_names_every_public_function() -> None:
    import asrnet

    text = (ROOT / "docs" / "library.md").read_text("utf-8")
    functions = [name for name in asrnet.__all__ if name[0].islower()]
    assert [name for name in functions if not re.search(rf"`{name}[(`]", text) and name != "from_process"] == []


def test_the_changelog_begins_with_what_is_unreleased_and_then_this_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    headings = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert headings[0] == "[Unreleased]"
    assert re.fullmatch(rf"\[{re.escape(version)}\] - \d{{4}}-\d\d-\d\d", headings[1])


def test_the_site_has_every_page() -> None:
    pages = {str(page.relative_to(ROOT)) for page in PAGES} | {"docs/reference.md"}
    text = (ROOT / "mkdocs.yml").read_text("utf-8")
    assert sorted(re.findall(r"^ *- (?:.*: )?(\S+\.md)$", text, re.MULTILINE)) == sorted(pages)


def test_links_to_folders_lead_to_their_pages() -> None:
    """A folder has no page on the site."""
    targets = [(page, target) for page in PAGES for target in re.findall(r"\]\(([^)\s#]+)\)", page.read_text("utf-8"))]
    assert [str(page) for page, target in targets if (page.parent / target).is_dir()] == []


def test_images_are_written_as_markdown_so_that_the_site_corrects_their_addresses() -> None:
    """On the site a page is one folder deeper, and links in raw HTML are not adjusted."""
    assert [str(page) for page in PAGES if "<img" in page.read_text("utf-8")] == []


def test_editors_see_every_public_name() -> None:
    import asrnet

    assert set(asrnet.__all__) <= set(dir(asrnet))
    assert {"TYPE_CHECKING", "annotations"}.isdisjoint(dir(asrnet))
    assert all(getattr(asrnet, name) for name in asrnet.__all__)


@pytest.mark.parametrize(
    ("old", "new"), [("read", "read_inventory"), ("load", "load_desired"), ("dumps", "dump_desired")]
)
def test_names_of_the_last_version_work_and_warn(old: str, new: str) -> None:
    import asrnet

    with pytest.warns(DeprecationWarning, match=f"asrnet.{old} is now asrnet.{new}"):
        assert getattr(asrnet, old) is getattr(asrnet, new)


def test_every_public_name_of_the_last_version_is_there() -> None:
    import asrnet

    names = (
        "ArmId AsrError Backend Change CopySettings DesiredState Finding InputError Inventory LivePairs Options Plan "
        "Progress RefusedError Report Selection ServiceError Settings apply connect dumps ensure_pair from_process "
        "live_pairs load load_plan moved_since plan plan_pair read to_json"
    )
    with pytest.warns(DeprecationWarning, match="is now"):
        assert all(getattr(asrnet, name) for name in names.split())


def test_the_pages_name_every_error_and_every_finding() -> None:
    from asrnet import errors
    from asrnet.model.findings import FindingKind

    text = (ROOT / "docs" / "errors.md").read_text("utf-8")
    public = {name for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, AsrError)}
    internal = {"AsrError", "VaultUnusedError", "ResourceGroupNotFoundError"}  # never part of the public API
    assert [name for name in public - internal if f"`{name}`" not in text] == []
    findings = (ROOT / "docs" / "findings.md").read_text("utf-8")
    assert [kind for kind in FindingKind if f"| {kind} |" not in findings] == []

"""Rules for all scheduler templates: only existing options, no secrets, and a link from the page."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from command_line import Cli
from schedules import TEMPLATES

import asrnet
from asrnet.settings import VARIABLES, all_options

FILES = sorted(path for path in TEMPLATES.rglob("*") if path.is_file())
PAGE = (TEMPLATES / "README.md").read_text("utf-8")


def names(files: list[Path]) -> list[str]:
    return [str(path.relative_to(TEMPLATES)) for path in files]


@pytest.mark.parametrize("path", FILES, ids=names(FILES))
def test_every_variable_of_asrnet_in_a_template_exists(path: Path) -> None:
    found = set(re.findall(r"\bASRNET_[A-Z_]+", path.read_text("utf-8")))
    assert found - {option.variable for option in all_options()} == set()


@pytest.mark.parametrize("path", FILES, ids=names(FILES))
def test_every_variable_of_azure_that_a_template_sets_is_read(path: Path) -> None:
    found = set(
        re.findall(r"(?:name: '?|^\s*|#\s+)(AZURE_[A-Z_]+)\b(?='?[:=,}])", path.read_text("utf-8"), re.MULTILINE)
    )
    assert found - {variable.name for variable in VARIABLES} == set()


@pytest.mark.parametrize("path", FILES, ids=names(FILES))
def test_every_option_in_a_template_exists(path: Path) -> None:
    from asrnet.cli.arguments import command_parser
    from asrnet.cli.commands import COMMANDS

    known = {text for name in COMMANDS for action in command_parser(name)[0]._actions for text in action.option_strings}
    said = re.findall(rf"asrnet ((?:{'|'.join(COMMANDS)})\b[^\n`\"]*)", path.read_text("utf-8"))
    found = {option for line in said for option in re.findall(r"(?<!\S)--?[a-z][a-z-]*", line)}
    assert found - known - {"--role-definition"} == set()


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix != ".md"], ids=lambda path: str(path.name))
def test_no_template_holds_a_secret_or_names_a_registry(path: Path) -> None:
    text = path.read_text("utf-8")
    assert re.search(r"CLIENT_SECRET|password|secrets\.(?!\[)|-----BEGIN", text, re.IGNORECASE) is None
    assert re.search(r"https?://|index-url", text) is None
    images = re.findall(r"param image = '([^']+)'|newName: (\S+)", text)
    assert all("".join(image).startswith("registry.example/") for image in images)


def test_the_version_in_the_templates_is_the_current_one() -> None:
    found = {one for path in FILES for one in re.findall(r"asrnet[:-]([0-9][0-9.]*)|newTag: (\S+)", path.read_text())}
    assert {version for pair in found for version in pair if version} == {asrnet.__version__}


def test_the_page_links_to_every_file() -> None:
    linked = set(re.findall(r"\]\(([^)#]+)\)", PAGE))
    assert [name for name in names(FILES) if name != "README.md" and name not in linked] == []


@pytest.mark.parametrize("name", ["container-apps/asrnet.yaml", "kubernetes/asrnet.yaml"])
def test_the_desired_states_of_the_templates_are_valid(cli: Cli, name: str) -> None:
    assert cli("validate", str(TEMPLATES / name)).code == 0


@pytest.mark.parametrize(("arguments", "code"), [([], 2), (["--correct"], 0)])
def test_exit_codes_are_those_on_the_page(fake: Cli, arguments: list[str], code: int) -> None:
    assert fake("drift", *arguments).code == code
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| {code} |")).split(" | ")
    assert row[-1].strip(" |") == ("success" if code == 0 else "failure")

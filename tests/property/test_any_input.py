"""Any content of a file or variable is a value, or an asrnet error that names its place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from desired_files import BASE, HUB, load
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from shelf import Shelf

from asrnet.desired import DesiredState
from asrnet.errors import DocumentError, InputError
from asrnet.export import terraform
from asrnet.files import yaml as documents
from asrnet.settings import Settings, options_of, read

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
KEYS = st.sampled_from(
    ["title", "items", "by_name", "counts", "levels", "name", "id", "kind", "count", "until", "tags"]
)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.text(max_size=3), inner, max_size=3)
)
PLAIN_PIECES = ("title", "items", "name", "010", "null", "\n", "  ", "\t", "\x85", "\u2028", "\ufeff", "\ud800")
MARKS = (
    ": ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    ",",
    '"',
    "'",
    "|",
    ">",
    "&a ",
    "*a",
    "#",
    "? ",
    "!!int ",
    "---\n",
    "...",
    "<<",
)
ODDITIES = ("%", "@", "\\ud83d", "\\u0000")
PIECES = st.sampled_from((*PLAIN_PIECES, *MARKS, *ODDITIES))
NO_CLOCK = settings(deadline=None, max_examples=40)


def accepts_or_refuses(text: str | bytes) -> None:
    try:
        document = documents.parse(text, Shelf, "f.yaml")
    except DocumentError as error:
        refused = str(error)
        assert refused.startswith("f.yaml")
    else:
        assert isinstance(document.value, Shelf)
        assert document.line() != 0


@NO_CLOCK
@given(st.binary(max_size=60))
def test_any_bytes_are_a_value_or_a_document_error(data: bytes) -> None:
    accepts_or_refuses(data)


@NO_CLOCK
@given(st.lists(PIECES | st.text(max_size=3), max_size=30).map("".join))
@example("'")
@example('{"title": "\\')
def test_any_text_is_a_value_or_a_document_error(text: str) -> None:
    accepts_or_refuses(text)


@NO_CLOCK
@given(TREES)
def test_any_tree_is_a_value_or_a_document_error_in_both_notations(tree: Any) -> None:
    accepts_or_refuses(json.dumps(tree))
    accepts_or_refuses(yaml.safe_dump(tree, allow_unicode=True))


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from([option.variable for option in options_of("") if option.name != "env_file"]), st.text(max_size=30)
)
def test_any_text_is_a_setting_or_an_input_error(variable: str, text: str) -> None:
    try:
        assert isinstance(read({}, {variable: text}), Settings)
    except InputError as error:
        refused = str(error)
        assert refused.startswith(f"{variable}: ")


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("here")
@settings(deadline=None, max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_any_change_to_a_file_is_a_state_or_a_document_error(data: st.DataObject) -> None:
    text = BASE + HUB + "vmm_pairs: [{name: v, vault: sea, primary: a/b, recovery: c/d}]\nlimits: {max_updates: 1}\n"
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 12, len(text))))
    piece = data.draw(st.text(alphabet="\n :-{}[],'\"/.x0{}%#é\0", max_size=4))
    try:
        assert isinstance(load(text[:start] + piece + text[end:]), DesiredState)
    except DocumentError as error:
        named = error.file
        assert named == "f.yaml"


@given(st.text())
def test_every_text_makes_an_identifier_of_terraform(text: str) -> None:
    name = terraform.identifier(text)
    assert name.isascii()
    assert name[:1].isalpha() or name[0] == "_"
    assert name.replace("-", "").replace("_", "").isalnum() or set(name) <= {"-", "_"}

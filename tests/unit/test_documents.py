"""Strict documents: what is accepted, and that every refusal has file, line, path, problem and expectation."""

from __future__ import annotations

import errno
import json
import os
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest
import yaml
from shelf import Item, Shelf

from asrnet.errors import DocumentError
from asrnet.files import yaml as documents
from asrnet.files.problems import problems, separated
from asrnet.model.arm import ArmId

SUBSCRIPTION = "/subscriptions/11111111-1111-1111-1111-111111111111"
VNET = f"{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v"


def refusal(text: str | bytes, kind: Any = Shelf) -> str:
    with pytest.raises(DocumentError) as caught:
        documents.parse(text, kind, "f.yaml")
    return str(caught.value)


def refusals(text: str | bytes, kind: Any = Shelf) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        documents.parse(text, kind, "f.yaml")
    return [mistake.message for mistake in separated(caught.value)]


def file_refusal(path: Path, **options: int) -> str:
    with pytest.raises(DocumentError) as caught:
        documents.read(path, Shelf, **options)
    return str(caught.value)


# What is accepted


def test_scalars_stay_text_where_text_is_expected() -> None:
    text = "items: [{name: yes, tags: {a: 010, b: 1e3, c: true, d: 2026-01-01}}]"
    item = documents.parse(text, Shelf).value.items[0]
    assert item.name == "yes"
    assert item.tags == {"a": "010", "b": "1e3", "c": "true", "d": "2026-01-01"}


def test_text_is_converted_to_the_type_of_the_field() -> None:
    text = f"items: [{{name: a, count: 12, until: 2027-03-31, enabled: false, id: {VNET}}}]"
    item = documents.parse(text, Shelf).value.items[0]
    assert (item.count, item.until, item.enabled, item.id) == (12, date(2027, 3, 31), False, ArmId(VNET))


def test_json_reads_like_the_same_yaml() -> None:
    plain = {"title": "x", "items": [{"name": "a\U0001f600", "count": 3, "enabled": True, "tags": {"n": "1"}}]}
    for text in (json.dumps(plain), json.dumps(plain, ensure_ascii=False, indent="\t"), yaml.safe_dump(plain)):
        assert documents.parse(text, Shelf).value.items[0] == Item(name="a\U0001f600", count=3, tags={"n": "1"})


def test_json_scalars_of_another_type_are_text_too() -> None:
    assert documents.parse('{"items": [{"name": true, "tags": {"n": 1.50}}]}', Shelf).value.items == (
        Item(name="true", tags={"n": "1.50"}),
    )


@pytest.mark.parametrize("nothing", ["", "~", "null", "NULL"])
def test_an_empty_value_is_none(nothing: str) -> None:
    assert documents.parse(f"items: [{{name: a, until: {nothing}}}]", Shelf).value.items[0].until is None
    assert refusal(f"title: {nothing}") == "f.yaml:1: title: found nothing, expected text"


def test_a_quoted_null_is_text() -> None:
    assert documents.parse("title: 'null'", Shelf).value.title == "null"
    assert documents.parse('{"title": ""}', Shelf).value.title == ""


def test_a_byte_order_mark_is_skipped() -> None:
    assert documents.parse(b"\xef\xbb\xbftitle: x", Shelf).value.title == "x"


@pytest.mark.parametrize("start", ["", "# yaml\n"])
def test_every_part_of_a_document_knows_its_line(start: str) -> None:
    text = start + '{"title": "x",\n "items": [{"name": "a"},\n  {"name": "b",\n   "count": 1}]}'
    document = documents.parse(text, Shelf)
    first = 1 + start.count("\n")
    assert document.line() == first
    assert document.line("items", 1) == first + 2
    assert document.line("items", 1, "count") == first + 3
    assert document.line("items", 2) is None


def test_an_error_about_a_value_points_at_it_or_at_what_is_nearest_above() -> None:
    document = documents.parse("title: x\nitems:\n- name: a\n", Shelf, "f.yaml")
    assert str(document.error("too short", "items", 0, "name")) == "f.yaml:3: items[0].name: too short"
    assert document.error("is missing", "items", 0, "count", hint="add it").line == 3


# Files


def test_a_file_is_read_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "shelf.yaml"
    path.write_text("title: x", encoding="utf-8")
    assert documents.read(path, Shelf).value == Shelf(title="x")


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    assert file_refusal(tmp_path / "no.yaml") == f"{tmp_path}/no.yaml: the file does not exist"


def test_a_folder_is_not_a_file(tmp_path: Path) -> None:
    assert file_refusal(tmp_path) == f"{tmp_path}: this is a folder, expected a file"


@pytest.mark.skipif(not hasattr(os, "symlink"), reason="needs symbolic links")
def test_an_unreadable_file_says_why(tmp_path: Path) -> None:
    loop = tmp_path / "loop.yaml"
    loop.symlink_to(loop)
    assert file_refusal(loop).startswith(f"{loop}: the file cannot be read: ")


def test_an_impossible_path_is_an_error_like_any_other() -> None:
    assert "the file cannot be read" in file_refusal(Path("a\0b"))


def test_a_file_beyond_the_limit_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "huge.yaml"
    path.write_bytes(b"title: " + b"x" * 100)
    assert file_refusal(path, limit=64) == f"{path}: the file is larger than 64 bytes, the most that is read"
    assert documents.read(path, Shelf, limit=107).value.title == "x" * 100


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing but a remark\n", "---\n", b"\xef\xbb\xbf"])
def test_an_empty_file_is_refused(text: str | bytes) -> None:
    assert "expected" in refusal(text)


@pytest.mark.parametrize("data", [b"title: x\n\xff\xfe", b"\xff\xfetitle"])
def test_bytes_that_are_not_utf_8_are_refused(data: bytes) -> None:
    assert "not a text file, expected UTF-8" in refusal(data)


def test_a_control_character_is_refused_with_its_line() -> None:
    assert refusal(b"title: x\nitems: \0") == (
        "f.yaml:2: not a text file: it contains the character U+0000, expected UTF-8 text"
    )


# The form


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("title: *x", "f.yaml:1: the alias '*x' is not accepted; write the value out"),
        ("title: &x a", "f.yaml:1: the anchor '&x' is not accepted; write the value out"),
        ("anything: &a\n  self: *a", "f.yaml:1: the anchor '&a' is not accepted; write the value out"),
        ("<<: {title: x}", "f.yaml:1: merge keys ('<<') are not accepted; write the values out"),
        ("title: !!python/name:os.system x", "f.yaml:1: the tag 'tag:yaml.org,2002:python/name:os.system' is not "),
        ("title: a\n---\ntitle: b", "f.yaml:2: a second document starts here, expected one per file"),
        ("title: a\ntitle: b", "f.yaml:2: title: the key is given twice, first in line 1"),
        (
            '{"items": [{"name": "a",\n "name": "b"}]}',
            "f.yaml:2: items[0].name: the key is given twice, first in line 1",
        ),
        ("? [a]\n: b", "f.yaml:1: a list or mapping cannot be a key, expected text"),
        ("{? : b}", "f.yaml:1: a key is empty, expected text"),
        ("\ttitle: x", "f.yaml:1: not valid YAML: a tab cannot indent, expected spaces"),
        ("anything:\n  a: 1\n\tb: 2", "f.yaml:3: not valid YAML: a tab cannot indent, expected spaces"),
        ("title: a: b", "f.yaml:1: not valid YAML: mapping values are not allowed in this context"),
        ("title: [a\n", "f.yaml:2: not valid YAML: while parsing a flow sequence, did not find expected ',' or ']'"),
        ("just text", "f.yaml:1: found 'just text', expected keys and values (key: value)"),
        ("- a", "f.yaml:1: found a list, expected keys and values (key: value)"),
    ],
)
def test_content_that_a_document_may_not_have_is_named_with_its_line(text: str, message: str) -> None:
    assert refusal(text).startswith(message)


def test_billion_laughs_stop_at_the_first_anchor() -> None:
    lines = ["a0: &a0 [x]"] + [f"a{n}: &a{n} [{','.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]
    assert "the anchor '&a0' is not accepted" in refusal("\n".join(lines))


@pytest.mark.parametrize("text", ["anything: " + "[" * 100_000, "- " * 100_000, '{"anything":' * 5_000])
def test_extreme_depth_is_refused_without_exhausting_anything(text: str) -> None:
    assert "nested more than 50 levels deep" in refusal(text)


# The content


def test_an_unknown_key_comes_with_the_nearest_known_one() -> None:
    with pytest.raises(DocumentError) as caught:
        documents.parse("items:\n- name: a\n  cuont: 1\n", Shelf, "f.yaml")
    assert str(caught.value) == "f.yaml:3: items[0].cuont: unknown key; did you mean 'count'?"
    assert caught.value.hint == "known keys: count, enabled, id, kind, name, tags, until"


def test_an_unknown_key_unlike_any_other_lists_the_known_ones() -> None:
    assert refusal("xyzzy: 1") == "f.yaml:1: xyzzy: unknown key"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("items:\n- {count: 1}", "f.yaml:2: items[0]: the key 'name' is missing"),
        ("items: 5", "f.yaml:1: items: found '5', expected a list"),
        ("title: [x]", "f.yaml:1: title: found a list, expected text"),
        ("title: {x: y}", "f.yaml:1: title: found keys and values, expected text"),
        ("items:\n- name: a\n  count: 010", "f.yaml:3: items[0].count: found '010', expected a whole number"),
        ("items: [{name: a, count: 1.5}]", "f.yaml:1: items[0].count: found '1.5', expected a whole number"),
        ("items: [{name: a, enabled: yes}]", "f.yaml:1: items[0].enabled: found 'yes', expected true or false"),
        ("items: [{name: a, until: soon}]", "f.yaml:1: items[0].until: found 'soon', expected a date (YYYY-MM-DD)"),
        ("items: [{name: a, kind: alpah}]", "f.yaml:1: items[0].kind: found 'alpah', expected alpha or beta; did you "),
        ("items: [{name: a, id: v}]", "f.yaml:1: items[0].id: 'v' is not a resource id: it does not start with "),
        ("items: [{name: a, id: [v]}]", "f.yaml:1: items[0].id: expected a resource id"),
        ("by_name: {a: [x]}", "f.yaml:1: by_name.a: found a list, expected text or keys and values (key: value)"),
        ("levels: {low: 1, middle: 2}", "f.yaml:1: levels.middle: found 'middle', expected high or low"),
        ('{"title": "x",\n"items": [{"name": "a", "count": "x"}]}', "f.yaml:2: items[0].count: found 'x', expected a "),
    ],
)
def test_a_value_of_the_wrong_kind_says_what_was_found_and_expected(text: str, message: str) -> None:
    assert refusal(text).startswith(message)


def test_a_long_value_is_shortened_in_messages() -> None:
    assert len(refusal(f"items: {'x' * 10_000}")) < 200


def test_the_entry_of_a_mapping_is_named_though_others_are_wrong_too() -> None:
    text = "counts:\n  a: {x: 1}\n  b: {x: 1, y: z}\n  c: {x: w}\nby_name: {q: 1}\n"
    assert refusals(text) == [
        "f.yaml:3: counts.b.y: found 'z', expected a whole number",
        "f.yaml:4: counts.c.x: found 'w', expected a whole number",
    ]


def test_the_entry_is_found_among_thousands_of_others() -> None:
    text = "by_name:\n" + "".join(f"  k{n}: {{name: n, count: {n if n < 1200 else 'x'}}}\n" for n in range(2200))
    mistakes = refusals(text)
    assert mistakes[0] == "f.yaml:1202: by_name.k1200.count: found 'x', expected a whole number"
    assert len(mistakes) == 1000


def test_json_with_surrogate_pairs_keeps_its_lines() -> None:
    text = '{"title": "\\ud83d\\ude00",\n "items": [{"name": "a", "count": "q"}]}'
    assert refusal(text) == "f.yaml:2: items[0].count: found 'q', expected a whole number"


def test_a_lone_surrogate_is_refused() -> None:
    assert "not valid YAML" in refusal('{"title": "\\ud83d"}')


@pytest.mark.parametrize("count", ["1e400", "NaN", "Infinity"])
def test_a_number_that_is_too_large_is_refused_as_a_count(count: str) -> None:
    for text in (f"items: [{{name: a, count: {count}}}]", f'{{"items": [{{"name": "a", "count": {count}}}]}}'):
        assert refusal(text).startswith("f.yaml:1: items[0].count: found ")


def test_a_key_that_reads_like_part_of_a_message_does_no_harm() -> None:
    for key in ("x` - at `$.items", "x` - at `$.items[...]", "x` - at `$.title.y[3]", "x` - at `key` in `$.title"):
        assert "unknown key" in refusal(json.dumps({"title": "a", "items": [], key: "1"}))


@pytest.mark.parametrize("mark", ["utf-16-le", "utf-16-be"])
def test_a_file_written_by_powershell_is_reported_as_utf_16(mark: str) -> None:
    with pytest.raises(DocumentError) as caught:
        documents.parse("\ufeffitems: []\r\n".encode(mark), Shelf, "f.yaml")
    assert str(caught.value) == "f.yaml: the text is in UTF-16, expected UTF-8"
    assert "PowerShell" in caught.value.hint


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("title: a\n  items: []\n", "this line indented too far"),
        ("title: a\nitems:\n- name: a\n   id: b\n", "this line indented too far"),
        ("title: a\nitems:\n  - name: a\n - name: b\n", "is this line indented like the one above"),
        ("title:a\nitems: []\n", "is a space missing after the colon"),
        ("title: 'a\nitems: []\n", "is a quote not closed?"),
        ("title: a\nitems: [{name: a]\n", "is a comma or a closing bracket missing"),
        ("title: a\nitems: [{name:}]\n", "is a value missing after the colon"),
        ("title: @a\nitems: []\n", "needs quotes"),
    ],
)
def test_a_mistake_in_the_form_lists_what_is_allowed(text: str, hint: str) -> None:
    with pytest.raises(DocumentError) as caught:
        documents.parse(text, Shelf, "f.yaml")
    assert hint in caught.value.hint


def test_a_file_without_the_right_to_read_it_has_a_hint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "open", denied)
    with pytest.raises(DocumentError) as caught:
        documents.read(tmp_path / "asrnet.yaml", Shelf)
    assert caught.value.problem == "the file cannot be read: Permission denied"
    assert caught.value.hint == "let this user read it (chmod u+r), or run asrnet as the user who may"


def test_the_first_mistake_is_found_without_reading_the_others() -> None:
    conversions = []

    def convert(value: Any, kind: Any) -> object:
        conversions.append(value)
        return msgspec.convert(value, kind)

    assert next(problems({"items": [1] * 1000}, Shelf, convert)).path == ("items", 0)
    assert len(conversions) < 5


def test_an_entry_with_more_unknown_keys_than_are_reported_is_left_out(tmp_path: Path) -> None:
    keys = ", ".join(f"key{n}: 1" for n in range(documents.MOST_MISTAKES + 1))
    (tmp_path / "shelf.yaml").write_text(f"items: [{{name: a, {keys}}}, {{name: b, key: 1}}]", encoding="utf-8")
    reading = documents.examine(tmp_path / "shelf.yaml", Shelf)
    assert reading.document is not None
    assert [str(item) for item in reading.document.value.items] == ["None", str(Item(name="b"))]
    assert len(reading.mistakes) == documents.MOST_MISTAKES

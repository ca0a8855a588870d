"""Terraform's language, parsed by its grammar, as far as dumps need it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

import tree_sitter_hcl
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_hcl.language()))
_ESCAPED = re.compile(r'\\(?:u([0-9a-f]{4})|U([0-9a-f]{8})|(["\\nrt]))')


class Block(NamedTuple):
    """A block: its type, its labels, its attributes. Strings are unescaped, references are left as they are."""

    type: str
    labels: tuple[str, ...]
    attributes: dict[str, str]


def blocks(text: str) -> list[Block]:
    """The blocks of a file; fails where the file is not in the language."""
    return [_block(node) for node in _of_type(parsed(text), "block")]


def parsed(text: str) -> Node:
    """The syntax of a file; fails where the file is not in the language."""
    root = _PARSER.parse(text.encode()).root_node
    assert not root.has_error, text
    return root


def _block(node: Node) -> Block:
    identifier, *rest = node.named_children
    labels = tuple(_value(label) for label in rest if label.type == "string_lit")
    bodies = (body for body in rest if body.type == "body")
    attributes = [child.named_children for body in bodies for child in body.named_children]
    names = [_text(name) for name, _ in attributes]
    assert len(set(names)) == len(names)
    return Block(_text(identifier), labels, {_text(name): _value(value) for name, value in attributes})


def _of_type(node: Node, kind: str) -> Iterator[Node]:
    for child in node.named_children:
        if child.type == kind:
            yield child
        else:
            yield from _of_type(child, kind)


def _value(node: Node) -> str:
    text = _text(node)
    if not text.startswith('"'):
        return text
    assert not list(_of_type(node, "template_interpolation")), text
    assert not list(_of_type(node, "template_directive")), text
    return _ESCAPED.sub(_unescaped, text[1:-1])


def _unescaped(found: re.Match[str]) -> str:
    four, eight, char = found.groups()
    return {"n": "\n", "r": "\r", "t": "\t"}.get(char, char) if char else chr(int(four or eight, 16))


def _text(node: Node) -> str:
    assert node.text is not None
    return node.text.decode()

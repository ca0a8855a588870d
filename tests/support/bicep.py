"""Bicep, parsed by its grammar: declarations as plain values, as far as the scheduler templates need."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import tree_sitter_bicep
from tree_sitter import Language, Node, Parser

_PARSER = Parser(Language(tree_sitter_bicep.language()))


class Expression(str):
    """A non-constant expression, as written."""

    __slots__ = ()


class Declaration(NamedTuple):
    """A declaration: ``param``, ``var``, ``type``, ``resource``, ``module`` or ``output``, with its name and value.

    ``what`` is the type of a resource or the file of a module. ``loop`` is the expression of its loop.
    """

    kind: str
    name: str
    value: Any
    what: str = ""
    loop: str = ""


class File(NamedTuple):
    """A file's declarations by name, and every name that its expressions use."""

    declarations: dict[str, Declaration]
    used: set[str]
    described: set[str]


def parse(text: str) -> File:
    """The declarations of a file; fails where the file is not in the language."""
    root = _PARSER.parse(text.encode()).root_node
    assert not root.has_error, text
    declarations: dict[str, Declaration] = {}
    described: set[str] = set()
    decorated = ""
    for node in root.named_children:
        if node.type == "decorators":
            decorated = _text(node)
        elif node.type.endswith("_declaration"):
            found = _declaration(node)
            assert found.name not in declarations
            declarations[found.name] = found
            described |= {found.name} if "@description" in decorated else set()
            decorated = ""
    return File(declarations, {_text(node) for node in _identifiers(root)}, described)


def parameters(text: str) -> dict[str, Any]:
    """The values of a ``.bicepparam`` file; the grammar covers only Bicep itself."""
    [using] = re.findall(r"^using '([^']+)'\n", text, re.MULTILINE)
    plain = re.sub(r"^param ", "var ", text.replace(f"using '{using}'\n", ""), flags=re.MULTILINE)
    return {name: found.value for name, found in parse(plain).declarations.items()}


def _declaration(node: Node) -> Declaration:
    kind = {"parameter": "param", "variable": "var"}.get(word := node.type.removesuffix("_declaration"), word)
    identifier, *rest = node.named_children
    what = ""
    if kind in {"resource", "module"}:
        what = _value(rest.pop(0))
    if rest and rest[0].type == "type":
        rest.pop(0)
    if not rest:
        return Declaration(kind, _text(identifier), None, what)
    body, loop = rest[-1], ""
    while body.type in {"for_statement", "if_statement"}:
        loop = loop or _text(body.named_children[1]) if body.type == "for_statement" else loop
        body = body.named_children[-1]
    return Declaration(kind, _text(identifier), _value(body), what, loop)


def _value(node: Node) -> Any:
    if node.type == "object":
        return dict(_property(child) for child in node.named_children if child.type == "object_property")
    if node.type == "array":
        return [_value(child) for child in node.named_children if child.type != "comment"]
    if node.type == "string" and not any(child.type == "interpolation" for child in node.named_children):
        return _text(node)[1:-1]
    if node.type in {"number", "boolean"}:
        return {"true": True, "false": False}.get(_text(node), _text(node))
    if node.type == "ternary_expression":
        condition, *branches = node.named_children
        return {f"{_text(condition)}?": [_value(branch) for branch in branches]}
    return Expression(_text(node))


def _property(node: Node) -> tuple[str, Any]:
    name, value = (child for child in node.named_children if child.type != "comment")
    return _text(name).strip("'"), _value(value)


def _identifiers(node: Node) -> Iterator[Node]:
    """Names in expressions, and not those that declare something or call a property."""
    children = node.named_children
    declares = node.type.endswith("_declaration") or node.type == "object_property"
    for index, child in enumerate(children):
        if child.type == "identifier" and not (declares and index == 0):
            yield child
        yield from _identifiers(child)


def _text(node: Node) -> str:
    assert node.text is not None
    return node.text.decode()

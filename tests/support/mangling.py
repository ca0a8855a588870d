"""Valid documents made invalid: trees with a part exchanged, texts with a piece removed, doubled or replaced."""

from __future__ import annotations

import json
from collections.abc import Iterator
from copy import deepcopy
from random import Random
from typing import Any, Final

import yaml

ODD: Final[tuple[Any, ...]] = (
    *(None, True, -1, 0, 10**40, 1.5, float("inf"), float("nan"), "", " ", "x", "yes", "../..", "a/b/c", "é\u202e\x85"),
    *(
        "10.0.0.0/99",
        "::/0",
        "999.1.1.1",
        "2027-13-01",
        "{resource_group}",
        "{0.__class__}",
        "{",
        "*[",
        "copy",
        "\ud800",
    ),
    *("/subscriptions/x/resourceGroups/../providers/y", "VMM/", "/", [], {}, [[]], {"": None}, [None, {"a": [1]}]),
)
TEXTS: Final = (
    "\x00",
    "\ufeff",
    "\t",
    "\r",
    "'",
    '"',
    "---\n",
    "...",
    "&a ",
    "*a",
    "<<: ",
    "!!python/name:os ",
    ": ",
    "- ",
    "? ",
)
TEXTS_MORE: Final = (
    "{",
    "}",
    "[",
    "]",
    "#",
    "|",
    ">",
    ",",
    ";",
    "\n",
    "\n\n  ",
    "%",
    "@",
    "`",
    "\u2028",
    "\U0001d7d9",
    "1e999",
    "0x1F",
)


def tree(random: Random, document: Any) -> Any:
    """``document`` with one to three of its parts changed."""
    changed = deepcopy(document)
    for _ in range(random.choice([1, 1, 1, 2, 3])):
        places = list(_places(changed))
        if places:
            _change(random, *random.choice(places), changed)
    return changed


def text(random: Random, whole: str) -> str:
    """``whole`` with one to three pieces changed."""
    for _ in range(random.choice([1, 1, 2, 3])):
        start = random.randrange(len(whole) + 1)
        end = min(len(whole), start + random.choice([0, 1, 1, 5, 40]))
        piece = whole[start:end]
        new = random.choice(["", piece * 2, piece[::-1], piece.upper(), random.choice(TEXTS + TEXTS_MORE)])
        whole = whole[:start] + new + whole[end:]
    return whole


def written(random: Random, document: Any) -> str:
    """``document`` as YAML or JSON."""
    return json.dumps(document) if random.choice([True, False]) else str(yaml.safe_dump(document, sort_keys=False))


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    keys = node if isinstance(node, dict) else range(len(node)) if isinstance(node, list) else ()
    for key in keys:
        yield node, key
        yield from _places(node[key])


def _change(random: Random, node: Any, key: Any, whole: Any) -> None:
    how = random.choice(["odd", "odd", "odd", "remove", "rename", "double", "elsewhere", "wrap", "text"])
    elsewhere = random.choice(list(_places(whole)))
    if how == "remove":
        del node[key]
    elif how == "rename" and isinstance(node, dict):
        node[random.choice([str(key) + "s", str(key).upper(), "", "name", "version"])] = node.pop(key)
    elif how == "double" and isinstance(node, list):
        node.append(deepcopy(node[key]))
    elif how == "elsewhere":
        node[key] = deepcopy(elsewhere[0][elsewhere[1]])
    elif how == "wrap":
        node[key] = random.choice([[node[key]], {"name": node[key]}])
    elif how == "text" and isinstance(node[key], str):
        node[key] = text(random, node[key])
    else:
        node[key] = deepcopy(random.choice(ODD))

"""A document of every kind of value, for tests of reading."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

from msgspec import Struct

from asrnet.model.arm import ArmId


class Item(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    name: str
    id: ArmId | None = None
    kind: Literal["alpha", "beta"] = "alpha"
    count: int = 0
    until: date | None = None
    enabled: bool = True
    tags: Mapping[str, str] = {}


class Shelf(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    title: str = ""
    items: tuple[Item, ...] = ()
    by_name: Mapping[str, Item | str] = {}
    counts: Mapping[str, Mapping[str, int]] = {}
    levels: Mapping[Literal["low", "high"], int] = {}
    anything: Any = None

"""The public names: each is in the reference of the site."""

from __future__ import annotations

import re
from pathlib import Path

import asrnet
from asrnet import errors

REFERENCE = Path(__file__).parents[2] / "site" / "pages" / "docs" / "reference.md"


def test_the_reference_has_every_public_name_once() -> None:
    names = re.findall(r"^::: asrnet\.(\w+)$", REFERENCE.read_text("utf-8"), re.MULTILINE)
    assert sorted(names) == sorted(asrnet.__all__)


def test_every_class_of_error_that_the_pages_name_is_public() -> None:
    classes = {name for name, value in vars(errors).items() if isinstance(value, type) and name.endswith("Error")}
    assert classes <= set(asrnet.__all__)

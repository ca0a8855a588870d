"""Plans, reports and lists in the formats of ``--output``: a module each, imported when asked for."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from asrnet.errors import InputError

if TYPE_CHECKING:
    from asrnet.inventory.read import Inventory
    from asrnet.model.plan import Plan
    from asrnet.render.layout import Document

FORMATS: Final[Mapping[str, str]] = {
    "text": "asrnet.render.text",
    "json": "asrnet.render.json",
    "markdown": "asrnet.render.markdown",
    "mermaid": "asrnet.render.mermaid",
    "html": "asrnet.render.html",
    "github": "asrnet.render.github",
    "junit": "asrnet.render.junit",
    "prometheus": "asrnet.render.prometheus",
}
"""The name of each format and the module whose ``render(document, view)`` writes it."""


class Run(Struct, frozen=True, kw_only=True):
    """What a run knows beside its document; some formats tell it.

    ``at`` is when it ended and ``last_success`` when one last left nothing to do, both in seconds since 1970;
    ``seconds`` is how long it took, ``requests`` what it sent, by method. ``inventory`` is what was read, ``left``
    the plan that was made after a correction.
    """

    at: float | None = None
    seconds: float | None = None
    last_success: float | None = None
    requests: Mapping[str, int] = {}
    inventory: Inventory | None = None
    left: Plan | None = None


class View(Struct, frozen=True, kw_only=True):
    """For whom a document is drawn.

    ``width`` None: no terminal. ``all_pairs``: those in sync too. ``forced``: limits the user has lifted.
    ``warnings_count``: warnings are drift, too.
    ``folder`` is where asrnet runs, ``workspace`` the checkout that it belongs to, for links to lines of files.
    """

    verbose: bool = False
    all_pairs: bool = False
    width: int | None = None
    colour: bool = False
    forced: tuple[str, ...] = ()
    warnings_count: bool = False
    run: Run = Run()
    folder: str = ""
    workspace: str = ""


def render(document: Document, output: str, view: View | None = None) -> str:
    """``document`` in the format ``output``; InputError, naming those there are, where there is none of that name."""
    if output not in FORMATS:
        raise InputError(f"unknown output format '{output}'", hint=f"there are {', '.join(FORMATS)}")
    text: str = import_module(FORMATS[output]).render(document, view or View())
    return text

"""Results in the formats of ``--output``: a module for each format, imported when it is asked for.

A new format is a module with ``render(document, view)`` and a line in ``FORMATS``: the choices of the command line, its
help and the docs follow.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, Literal

from msgspec import Struct

from asrnet.errors import InputError

if TYPE_CHECKING:
    from asrnet.diagnostics.checks import Examination
    from asrnet.failover import Prediction
    from asrnet.inventory.live_pairs import LivePairs
    from asrnet.inventory.read import Inventory
    from asrnet.inventory.targets import Targets
    from asrnet.model.plan import Plan

    Document = Plan | LivePairs | Prediction | Targets | Examination
    """What can be rendered; a report is a plan with outcomes."""

DocumentKind = Literal["plan", "live", "prediction", "targets", "doctor"]
"""What can be rendered. A report is a plan with outcomes."""


class Format(Struct, frozen=True):
    """The module whose ``render(document, view)`` writes a format, and the kinds of documents that it can write."""

    module: str
    documents: frozenset[DocumentKind]


def _format(module: str, *documents: DocumentKind) -> Format:
    return Format(f"asrnet.render.{module}", frozenset(documents))


FORMATS: Final[Mapping[str, Format]] = {
    "text": _format("text", "plan", "live", "prediction", "targets", "doctor"),
    "json": _format("json", "plan", "live", "prediction", "targets", "doctor"),
    "csv": _format("csv", "prediction", "targets"),
    "markdown": _format("markdown", "plan", "live", "prediction", "targets"),
    "mermaid": _format("mermaid", "plan", "live"),
    "html": _format("html", "plan", "live"),
    "github": _format("github", "plan"),
    "junit": _format("junit", "plan"),
    "prometheus": _format("prometheus", "plan"),
}
"""The formats by name."""


class DocumentType(Struct, frozen=True):
    """How documents of a class are called, of which kind they are, and the module that lays out their text."""

    kind: DocumentKind
    plural: str
    layout: str


DOCUMENTS: Final[Mapping[str, DocumentType]] = {
    "Plan": DocumentType("plan", "plans", "asrnet.render.plan_layout"),
    "Report": DocumentType("plan", "reports", "asrnet.render.report_layout"),
    "LivePairs": DocumentType("live", "live pairs", "asrnet.render.live_layout"),
    "Prediction": DocumentType("prediction", "predictions", "asrnet.render.prediction_layout"),
    "Targets": DocumentType("targets", "target networks", "asrnet.render.targets_layout"),
    "Examination": DocumentType("doctor", "the checks of doctor", "asrnet.render.doctor_layout"),
}
"""By the name of the class, since comparing with the classes themselves would import every one of them in every run."""


class Run(Struct, frozen=True, kw_only=True):
    """What a run knows besides its document; some formats tell it.

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
    ``warnings_count``: warnings are drift, too. ``aliases`` are names of subscriptions by id.
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
    aliases: Mapping[str, str] = {}


def type_of(document: Document) -> DocumentType:
    """Which type of document this is."""
    return DOCUMENTS[type(document).__name__]


def formats_of(kind: DocumentKind) -> tuple[str, ...]:
    """The names of the formats that documents of a kind can be written in."""
    return tuple(name for name, each in FORMATS.items() if kind in each.documents)


def render(document: Document, output: str, view: View | None = None) -> str:
    """``document`` in the format ``output``. Raises InputError, naming those there are, where it has no such format."""
    document_type = type_of(document)
    names = formats_of(document_type.kind)
    if output not in names:
        known = f"{document_type.plural} cannot be written as {output}" if output in FORMATS else None
        raise InputError(known or f"unknown output format '{output}'", hint=f"there are {', '.join(names)}")
    module: Any = import_module(FORMATS[output].module)
    text: str = module.render(document, view or View())
    return text

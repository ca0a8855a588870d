"""Rendering of results in the formats of ``--output``. Each format is a module, imported when it is used.

To add a format, write a module with ``render(document, view)`` and add a line to ``FORMATS``: the command line's
choices, its help and the docs are made from that table.
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
    from asrnet.files.validation import Validation
    from asrnet.inventory.live_pairs import LivePairs
    from asrnet.inventory.read import Inventory
    from asrnet.inventory.targets import Targets
    from asrnet.model.explanation import Explanations
    from asrnet.model.plan import Plan

    Document = Plan | LivePairs | Prediction | Targets | Examination | Explanations | Validation
    """Everything that can be rendered. A report is a plan with outcomes."""

DocumentKind = Literal["plan", "live", "prediction", "targets", "doctor", "explanations", "validation"]
"""The kinds of documents. A report counts as a plan."""


class Format(Struct, frozen=True):
    """A format: the module that renders it, and the kinds of documents that the module can render."""

    module: str
    documents: frozenset[DocumentKind]


def _format(module: str, *documents: DocumentKind) -> Format:
    return Format(f"asrnet.render.{module}", frozenset(documents))


FORMATS: Final[Mapping[str, Format]] = {
    "text": _format("text", "plan", "live", "prediction", "targets", "doctor", "explanations", "validation"),
    "json": _format("json", "plan", "live", "prediction", "targets", "doctor", "explanations", "validation"),
    "csv": _format("csv", "plan", "prediction", "targets"),
    "markdown": _format("markdown", "plan", "live", "prediction", "targets", "validation"),
    "mermaid": _format("mermaid", "plan", "live"),
    "html": _format("html", "plan", "live"),
    "github": _format("github", "plan", "validation"),
    "sarif": _format("sarif", "plan", "prediction", "validation"),
    "ndjson": _format("ndjson", "plan", "prediction"),
    "junit": _format("junit", "plan"),
    "prometheus": _format("prometheus", "plan"),
}
"""The formats by name."""


class DocumentType(Struct, frozen=True):
    """The kind of a class of documents, its name in messages, and the module that lays its documents out as text."""

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
    "Explanations": DocumentType("explanations", "explanations", "asrnet.render.explanation_layout"),
    "Validation": DocumentType("validation", "results of validate", "asrnet.render.validation_layout"),
}
"""The types by class name. Names, because a table of the classes would import all of them in every run."""


class Run(Struct, frozen=True, kw_only=True):
    """Facts about a run that some formats show with the document.

    ``at`` is when the run ended and ``last_success`` when a run last left nothing to do, both in seconds since 1970.
    ``seconds`` is how long the run took, and ``requests`` counts the requests it sent, by method. ``inventory`` is what
    it read, and ``left`` the plan that was made after a correction.
    """

    at: float | None = None
    seconds: float | None = None
    last_success: float | None = None
    requests: Mapping[str, int] = {}
    inventory: Inventory | None = None
    left: Plan | None = None


class View(Struct, frozen=True, kw_only=True):
    """How a document is to be rendered.

    ``width`` is in columns, or None without a terminal. ``all_pairs`` includes the pairs in sync. ``forced`` names the
    limits that the user has lifted. With ``warnings_count`` warnings count as drift. ``aliases`` maps ids of
    subscriptions to their names. ``folder`` is where asrnet runs and ``workspace`` the checkout around it, which
    annotations name files in. ``errors_shown``: standard error has the mistakes of files already.
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
    errors_shown: bool = False
    aliases: Mapping[str, str] = {}


def type_of(document: Document) -> DocumentType:
    """The type of ``document``."""
    return DOCUMENTS[type(document).__name__]


def formats_of(kind: DocumentKind) -> tuple[str, ...]:
    """The names of the formats in which documents of a kind can be rendered."""
    return tuple(name for name, entry in FORMATS.items() if kind in entry.documents)


def render(document: Document, output: str, view: View | None = None) -> str:
    """Render ``document`` in the format ``output``. Raises InputError if documents of its type have no such format."""
    document_type = type_of(document)
    names = formats_of(document_type.kind)
    if output not in names:
        is_format = output in FORMATS
        problem = (
            f"{document_type.plural} cannot be written as {output}"
            if is_format
            else f"unknown output format '{output}'"
        )
        raise InputError(problem, hint=f"known formats: {', '.join(names)}")
    module: Any = import_module(FORMATS[output].module)
    text: str = module.render(document, view or View())
    return text

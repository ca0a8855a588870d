"""Compares Azure's answers with the emulator's, and derives verdicts on the rows of the coverage page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from asrnet.emulator.routes import ROUTES
from asrnet.fake.refusals import assumptions
from asrnet.first_contact.experiments import EXPERIMENTS, Experiment
from asrnet.first_contact.session import Fact, Facts

Verdict = Literal["confirmed", "refuted", "not_tried"]


class Observation(Struct, frozen=True, kw_only=True):
    """The outcome of an experiment: facts, remarks that are not compared, or the reason why it was not tried."""

    facts: Facts = {}
    remarks: Facts = {}
    not_tried: str = ""


class Difference(Struct, frozen=True, kw_only=True):
    """A fact on which Azure and the emulator differ."""

    fact: str
    azure: Fact
    emulator: Fact

    def __str__(self) -> str:
        if isinstance(self.azure, tuple) and isinstance(self.emulator, tuple):
            azure, emulator = set(self.azure), set(self.emulator)
            only = [("Azure", sorted(azure - emulator)), ("the emulator", sorted(emulator - azure))]
            return f"{self.fact}: " + "; ".join(f"only {side} has {', '.join(names)}" for side, names in only if names)
        return f"{self.fact}: Azure {fact_text(self.azure)}, the emulator {fact_text(self.emulator)}"


class Result(Struct, frozen=True, kw_only=True):
    """An experiment with Azure's observation and the differences from the emulator's."""

    experiment: Experiment
    azure: Observation
    differences: tuple[Difference, ...] = ()

    @property
    def outcome(self) -> Literal["same", "differs", "not_tried"]:
        """Whether the answers are the same."""
        if self.azure.not_tried:
            return "not_tried"
        return "differs" if self.differences else "same"


class Row(Struct, frozen=True, kw_only=True):
    """A row of the coverage page and the verdict of its experiments."""

    name: str
    source: str
    note: str
    verdict: Verdict
    differing: tuple[str, ...] = ()
    """The names of the experiments that refute it."""


def fact_text(fact: Fact) -> str:
    """A fact as text."""
    if fact is None:
        return "nothing"
    if isinstance(fact, bool):
        return "yes" if fact else "no"
    return ", ".join(fact) or "nothing" if isinstance(fact, tuple) else str(fact)


def compare(experiment: Experiment, azure: Observation, emulator: Observation) -> Result:
    """Compare the observations of an experiment on both sides."""
    if azure.not_tried:
        return Result(experiment=experiment, azure=azure)
    if emulator.not_tried:
        difference = Difference(fact="the experiment", azure="could be made", emulator=emulator.not_tried)
        return Result(experiment=experiment, azure=azure, differences=(difference,))
    names = dict.fromkeys([*azure.facts, *emulator.facts])
    differences = tuple(
        Difference(fact=name, azure=azure.facts.get(name), emulator=emulator.facts.get(name))
        for name in names
        if azure.facts.get(name) != emulator.facts.get(name)
    )
    return Result(experiment=experiment, azure=azure, differences=differences)


def rows_of(results: Sequence[Result]) -> tuple[Row, ...]:
    """The rows with experiments. One difference refutes a row; it is confirmed if there is none at all."""
    sources = sources_of_rows()
    rows = []
    for name in dict.fromkeys(name for experiment in EXPERIMENTS for name in experiment.rows):
        about = [result for result in results if name in result.experiment.rows]
        differing = tuple(result.experiment.name for result in about if result.outcome == "differs")
        tried = any(result.outcome != "not_tried" for result in about)
        source, note = sources[name]
        verdict: Verdict = "refuted" if differing else "confirmed" if tried else "not_tried"
        rows.append(Row(name=name, source=source, note=note, verdict=verdict, differing=differing))
    return tuple(rows)


def sources_of_rows() -> Mapping[str, tuple[str, str]]:
    """The source and the remark of every row of the coverage page, by name."""
    routes: dict[str, tuple[str, str]] = {
        route.operation: (route.source, route.note) for route in ROUTES if route.handler
    }
    refusals: dict[str, tuple[str, str]] = {
        str(name): ("assumed", f"{status} {code}: {' '.join(message.split())}")
        for name, (status, code, message) in assumptions().items()
    }
    return {**routes, **refusals}


def assumed_and_untried(experiments: Iterable[Experiment] = EXPERIMENTS) -> tuple[str, ...]:
    """The assumed rows without an experiment, which stay assumed whatever first contact finds."""
    tried = {name for experiment in experiments for name in experiment.rows}
    return tuple(name for name, (source, _) in sources_of_rows().items() if source == "assumed" and name not in tried)

"""The table of formats: each kind of document is written in its formats, and others are refused."""

from __future__ import annotations

from typing import Any

import pytest
from failover_worlds import address, machine, mapping, prediction, subnet, vnet
from sample_plans import full_plan

from asrnet.desired import EVERYTHING, DesiredState
from asrnet.diagnostics.checks import doctor
from asrnet.errors import InputError
from asrnet.fake.builder import Builder
from asrnet.fake.ports import backend
from asrnet.files.problems import Mistake
from asrnet.files.validation import Validation
from asrnet.glossary import explain
from asrnet.inventory.live_pairs import live_pairs
from asrnet.inventory.read import read_inventory
from asrnet.inventory.targets import targets
from asrnet.render import DOCUMENTS, FORMATS, DocumentKind, formats_of, render

HERE, THERE = vnet("here", subnet("web", "10.0.1.0/24")), vnet("there", subnet("web", "10.1.1.0/24"))


def documents() -> dict[DocumentKind, Any]:
    """A document of each kind."""
    azure = backend(Builder().world)
    inventory = read_inventory(DesiredState(), azure)
    machines = [machine("a", HERE, address("web", "10.0.1.4"))]
    return {
        "plan": full_plan(),
        "live": live_pairs(inventory, DesiredState(), EVERYTHING),
        "prediction": prediction(machines, [HERE, THERE], [mapping(HERE, THERE)]),
        "targets": targets(inventory),
        "doctor": doctor(DesiredState(), azure),
        "explanations": explain(),
        "validation": Validation(files=(), mistakes=(Mistake(file="asrnet.yaml", line=3, message="a"),)),
    }


def test_every_kind_of_document_is_written_in_the_formats_of_the_table_and_refused_in_the_others() -> None:
    examples = documents()
    assert examples.keys() == {document_type.kind for document_type in DOCUMENTS.values()}
    for kind, document in examples.items():
        for output in FORMATS:
            if output in formats_of(kind):
                assert render(document, output).endswith("\n") or render(document, output) == ""
            else:
                with pytest.raises(InputError, match=f"cannot be written as {output}"):
                    render(document, output)


def test_text_and_json_are_there_for_every_kind() -> None:
    for document_type in DOCUMENTS.values():
        assert formats_of(document_type.kind)[:2] == ("text", "json")


def test_an_unknown_format_is_refused() -> None:
    with pytest.raises(InputError, match="unknown output format 'docx'") as caught:
        render(full_plan(), "docx")
    assert caught.value.hint.startswith("known formats: text, json, ")

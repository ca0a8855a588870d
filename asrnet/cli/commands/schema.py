"""Print the JSON Schema of a file (desired, world, topology), or of a command's output with -o json.

The outputs: plan (plan, drift), report (apply, drift --correct, map), live (show), prediction (predict), targets,
validation (validate), doctor and explanations (explain).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

from asrnet import exit_codes
from asrnet.cli import streams
from asrnet.cli.session import Session
from asrnet.errors import InputError
from asrnet.schema import KINDS, json_schema
from asrnet.settings.tools import SchemaSettings

HELP: Final = {"kind": f"{', '.join(KINDS)}"}
EXAMPLES: Final = (
    ("asrnet schema > asrnet.schema.json", "for editors: the schema of the desired state"),
    ("asrnet schema report", "the schema of what apply -o json writes"),
)


def option_mistakes(session: Session[SchemaSettings]) -> Iterator[InputError]:
    """A mistake for a kind that has no schema."""
    if session.settings.kind not in KINDS:
        try:
            json_schema(session.settings.kind)
        except InputError as error:
            yield error


def run(session: Session[SchemaSettings]) -> int:
    """Print the schema."""
    streams.write(json.dumps(json_schema(session.settings.kind), indent=2) + "\n")
    return exit_codes.DONE

"""Print the JSON Schema of a file (desired, world, topology), or of what a command writes with -o json.

That is plan for plan and drift, report for apply, drift --correct and map, live for show, prediction for predict,
targets for targets and doctor for doctor.
"""

from __future__ import annotations

import json
from typing import Final

from asrnet import exit_codes
from asrnet.cli import streams
from asrnet.cli.session import Session
from asrnet.schema import KINDS, json_schema
from asrnet.settings import SchemaSettings

HELP: Final = {"kind": f"{', '.join(KINDS)}"}
EXAMPLES: Final = (
    ("asrnet schema > asrnet.schema.json", "for editors: the schema of the desired state"),
    ("asrnet schema report", "the schema of what apply -o json writes"),
)


def run(session: Session[SchemaSettings]) -> int:
    """Print it."""
    streams.write(json.dumps(json_schema(session.settings.kind), indent=2) + "\n")
    return exit_codes.DONE

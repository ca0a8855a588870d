"""Print the JSON Schema of a file (desired, world, topology), or of what a command writes with -o json.

That is plan for plan and drift, report for apply, drift --correct and map, live for show, prediction for predict,
targets for targets and doctor for doctor.
"""

from __future__ import annotations

import argparse
import json
from typing import Final

from asrnet.cli import exits, streams
from asrnet.cli.session import Session

EXAMPLES: Final = (
    ("asrnet schema > asrnet.schema.json", "for editors: the schema of the desired state"),
    ("asrnet schema report", "the schema of what apply -o json writes"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    from asrnet.schema import KINDS

    parser.add_argument("kind", nargs="?", metavar="KIND", help=f"{', '.join(KINDS)}; desired without it")


def run(session: Session) -> int:
    """Print it."""
    from asrnet.schema import json_schema

    streams.write(json.dumps(json_schema(session.argument("kind") or "desired"), indent=2) + "\n")
    return exits.DONE

"""Predict where every protected machine lands after failover and after failback.

Prints a line for each address that changes, is lost or is not known. For
example, on the fake world of examples/05-predict-failover:

    ASRNET_BACKEND=fake:world.yaml python ../../scripts/predict_failover.py

Exits 0 when every address is kept or deliberately changed, 1 on errors, 2 when
a machine would lose its connection.
"""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from typing import Final, Literal, NoReturn

try:
    import asrnet
except ModuleNotFoundError as error:
    sys.exit(f"{error}; install asrnet first, as README.md says: pip install . in the folder of the repository")

OPERATIONS: Final[tuple[Literal["failover", "failback"], ...]] = ("failover", "failback")


class Parser(argparse.ArgumentParser):
    """Exits 1 for a mistake on the command line, since 2 has a meaning of its own."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the mistake."""
        sys.exit(f"{self.format_usage()}{self.prog}: {message}")


def main() -> int:
    """Predict both directions."""
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", default="asrnet.yaml", help="the desired state (default: %(default)s)")
    desired = asrnet.load_desired(parser.parse_args().file)
    is_lost = False
    with closing(asrnet.connect(cloud=desired.cloud)) as backend:
        for operation in OPERATIONS:
            inputs = asrnet.read_machines(desired, backend, asrnet.Question(operation=operation))
            prediction = asrnet.predict(inputs)
            is_lost = is_lost or prediction.fails_on("lost")
            for landing in prediction.landings:
                if landing.outcome != "keeps_address":
                    place = f"{landing.network or '-'}/{landing.subnet or '-'} {landing.ip or '-'}"
                    print(f"{operation}: {landing.machine} {landing.nic}: {landing.outcome}: {place}")
    return 2 if is_lost else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except asrnet.AsrError as error:
        print(f"error: {error}", *([f"hint: {error.hint}"] if error.hint else []), sep="\n", file=sys.stderr)
        sys.exit(3 if isinstance(error, asrnet.RefusedError) else 1)

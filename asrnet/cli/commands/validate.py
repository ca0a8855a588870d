"""Check files offline: desired states, and with --world the worlds of the fake."""

from __future__ import annotations

from typing import Final

from asrnet import exit_codes
from asrnet.cli import streams
from asrnet.cli.session import Session
from asrnet.desired import DesiredState, load_desired
from asrnet.render.wording import count, listed, printable
from asrnet.settings import ValidateSettings

EXAMPLES: Final = (
    ("asrnet validate teams/", "check all files of a folder as one desired state"),
    ("asrnet validate --world world.yaml", "check a world"),
)
EXITS: Final = {0: "valid", 1: "not valid, or another error"}


def run(session: Session[ValidateSettings]) -> int:
    """Check the files in order, up to the first invalid one."""
    settings = session.settings
    for path in settings.paths or (settings.file,):
        if settings.worlds:
            from asrnet import backends

            contents = listed(count(number, noun) for noun, number in backends.census(path).items())
        else:
            contents = _contents(load_desired(path))
        streams.write(f"{printable(str(path))}: valid: {contents}\n")
    return exit_codes.DONE


def _contents(desired: DesiredState) -> str:
    servers = 0
    if desired.topology:
        from asrnet.vmm import read_topology

        servers = len(read_topology(desired.topology).servers)
    numbers = [
        (len(desired.pairs) + len(desired.vmm_pairs), "pair"),
        (len(desired.rules), "rule"),
        (len(desired.vaults), "vault"),
        (servers, "VMM server"),
    ]
    return listed(count(number, noun) for number, noun in numbers if number)

"""Check files offline and show all their mistakes: desired states, or with --world the worlds of the fake."""

from __future__ import annotations

from typing import Final

from msgspec import structs

from asrnet import exit_codes
from asrnet.cli import inputs, logs, outputs
from asrnet.cli.overwrite_check import check_overwrites
from asrnet.cli.session import Session
from asrnet.desired import examine_desired
from asrnet.errors import DocumentError
from asrnet.files.problems import combined, mistakes_of, raise_any, separated
from asrnet.files.validation import CheckedFile, Validation
from asrnet.render import DocumentKind
from asrnet.settings.readings import ValidateSettings

DOCUMENT: Final[DocumentKind] = "validation"
EXAMPLES: Final = (
    ("asrnet validate teams/", "check all files of a folder as one desired state"),
    ("asrnet validate -o text -o sarif=asrnet.sarif", "the same for a code scanner, which marks the lines"),
    ("asrnet validate --world world.yaml", "check a world"),
)
EXITS: Final = {0: "valid", 1: "not valid, or another error"}


def run(session: Session[ValidateSettings]) -> int:
    """Check all files, and report the mistakes of all of them."""
    settings = session.settings
    files: list[CheckedFile] = []
    errors: list[DocumentError] = []
    if not settings.paths:
        inputs.say_where_it_was_found(settings)
    with outputs.opened(settings, DOCUMENT) as opened:
        for path in settings.paths or (settings.file,):
            try:
                contents = _contents_of_world(path) if settings.worlds else _contents(path, session)
            except DocumentError as error:
                errors.append(error)
                files.append(CheckedFile(path=path, valid=False))
            else:
                files.append(CheckedFile(path=path, valid=True, contents=contents))
        error_of_all = combined(errors) if errors else None
        document = Validation(files=tuple(files), mistakes=mistakes_of(error_of_all) if error_of_all else ())
        # The mistakes go to standard output or standard error, not to both.
        are_printed = opened.printed not in {None, "text", "github"}
        opened.write(document, structs.replace(session.view(), errors_shown=not are_printed))
    if error_of_all and are_printed:
        number = len(document.mistakes)
        logs.error(f"{number} {'mistake' if number == 1 else 'mistakes'}, which standard output lists")
    elif error_of_all:
        from asrnet.cli.mistakes import report

        report(separated(error_of_all))
    return exit_codes.ERROR if errors else exit_codes.DONE


def _contents_of_world(path: str) -> dict[str, int]:
    from asrnet import backends

    return backends.census(path)


def _contents(path: str, session: Session[ValidateSettings]) -> dict[str, int]:
    """What a valid desired state declares. Raises DocumentError about all mistakes in it and in its topology."""
    examined = examine_desired(path)
    desired = examined.desired
    topology = desired.topology if desired else None
    check_overwrites(session.settings, command=session.command, topology=topology)
    raise_any([*examined.mistakes, *inputs.topology_mistakes(topology)])
    servers = 0
    if topology:
        from asrnet.vmm import read_topology

        servers = len(read_topology(topology).servers)
    assert desired is not None  # noqa: S101 - without mistakes there is one
    numbers = {
        "pairs": len(desired.pairs) + len(desired.vmm_pairs),
        "rules": len(desired.rules),
        "vaults": len(desired.vaults),
        "vmm_servers": servers,
    }
    return {key: number for key, number in numbers.items() if number}

"""Write a first desired-state file: from the live mappings of a vault, or without one an example to edit.

An existing file is never replaced. What to do next goes to standard output.
"""

from __future__ import annotations

import os
import shlex
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import structs

from asrnet import exit_codes
from asrnet.cli import inputs, logs, streams
from asrnet.cli.session import Session
from asrnet.cli.unreadable import report_unread
from asrnet.desired import DesiredState, Vault
from asrnet.errors import AsrError, InputError
from asrnet.export import first_file
from asrnet.files.atomic import PendingFile
from asrnet.render.wording import count, printable
from asrnet.settings.tools import InitSettings

if TYPE_CHECKING:
    from asrnet.export.desired import Dump

HELP: Final = {"vault": "start from the live mappings of this vault, given by its full id; may be repeated"}
EXAMPLES: Final = (
    ("asrnet init", "an example to edit"),
    ("asrnet init --vault /subscriptions/.../vaults/vault-dr", "start from the live mappings"),
)
EXITS: Final = {0: "written", 1: "the file exists, the vault could not be read, or another error"}


def option_mistakes(session: Session[InitSettings]) -> list[InputError]:
    """A mistake for each vault without an id, and for a file that exists."""
    mistakes: list[InputError] = []
    for text in session.settings.vault:
        with inputs.collected(mistakes):
            inputs.vault_id(text, session.settings)
    with inputs.collected(mistakes):
        _check_absent(session.settings)
    return mistakes


def run(session: Session[InitSettings]) -> int:
    """Write the file and say what to do next."""
    settings = session.settings
    vaults = first_file.vaults_by_name(inputs.vault_id(text, settings) for text in settings.vault)
    file = PendingFile(settings.out)
    try:
        if not vaults:
            text, is_example = first_file.example(), True
        else:
            result = _dump(session, vaults)
            if result is None:
                return exit_codes.ERROR
            dump, machines, names = result
            pairs = len(dump.desired.pairs) + len(dump.desired.vmm_pairs)
            number = count(len(vaults), "vault")
            has = "has" if len(vaults) == 1 else "have"
            nothing = f"{number} {has} no mapping to write down: the pairs of the file are invented, for you to edit"
            streams.write(f"found {count(pairs, 'live pair')} in {number}\n" if pairs else f"{nothing}\n")
            text = first_file.from_dump(dump, str(Path(settings.out).parent), machines=machines, names=names)
            is_example = not pairs
        # While Azure was being read, somebody else may have created the file.
        _check_absent(settings)
        file.commit(text)
    finally:
        file.abandon()
    streams.write(_next_steps(settings, is_example=is_example))
    return exit_codes.DONE


def _check_absent(settings: InitSettings) -> None:
    if os.path.lexists(settings.out):
        source = f"{settings.source('out')}: " if "out" in settings.sources else ""
        raise InputError(
            f"{source}{settings.out} exists, and init replaces nothing",
            hint=f"name a file in it, as in --out {Path(settings.out) / 'asrnet.yaml'}"
            if Path(settings.out).is_dir()
            else "edit it, or give another file with --out",
        )


def _dump(session: Session[InitSettings], vaults: tuple[Vault, ...]) -> tuple[Dump, int, dict[str, str]] | None:
    """The live mappings of ``vaults``, the number of their machines, and the names of subscriptions by their GUIDs.

    None if a vault could not be read, after reporting it.
    """
    from asrnet.export.desired import export_desired
    from asrnet.inventory import read

    settings = session.settings
    desired = DesiredState(vaults=vaults)
    if "ARM_ENVIRONMENT" in settings.variables:
        from asrnet.settings import clouds

        desired = structs.replace(desired, cloud=clouds.cloud(settings.variables["ARM_ENVIRONMENT"]).name)
    with session.backend(desired) as backend:
        inventory = read.read_inventory(desired, backend, confirm=False)
        inventory = read.extended(inventory, backend, read.mapped_networks(inventory))
        # If the file lacked the mappings of a vault, asrnet would report them as unmanaged.
        hints = [vault.error.hint for vault in inventory.vaults.values() if vault.error and vault.error.hint]
        if report_unread(inventory.unread("vault"), next(iter(hints), "")):
            return None
        dump = export_desired(inventory, desired)
        names = {}
        for guid in first_file.subscriptions_of(dump.desired):
            with suppress(AsrError):  # names are optional: the GUIDs work as well
                names[guid] = backend.surroundings.subscription(guid).name
    for line in dump.left_out:
        logs.warn(f"left out: {line}")
    items = [vault.items for vault in inventory.vaults.values()]
    return dump, sum(len(listed) for listed in items if isinstance(listed, tuple)), names


def _next_steps(settings: InitSettings, *, is_example: bool) -> str:
    file = [] if settings.out == "asrnet.yaml" else ["-f", settings.out]
    # A variable is still set in the next command, unless it came from a file that only this one names.
    is_set = settings.source("backend") != "--backend" and "env_file" not in settings.sources
    backend = ["--backend", settings.backend] if settings.world and not is_set else []
    edit = "replace the subscriptions, vaults, regions and networks of the example with your own"
    steps = [
        edit if is_example else "read it: is every pair as it should be?",
        f"check it offline:        {shlex.join(['asrnet', 'validate', *file])}",
        f"see what apply would do: {shlex.join(['asrnet', 'plan', *file, *backend])}",
    ]
    lines = [
        f"{printable(settings.out)}: written",
        "next:",
        *(f"  {n}. {printable(step)}" for n, step in enumerate(steps, 1)),
    ]
    return "\n".join(lines) + "\n"

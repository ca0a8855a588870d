"""Try some fifty small experiments on live Azure and compare its answers with the emulator's.

Without --live everything is rehearsed on the emulator in this process, and nothing
is sent anywhere:

    python scripts/first_contact.py --vault ID --group ID

With --live it signs in as asrnet does (az login, or the AZURE_* variables), says
what it will write, and does so in the vault and the resource group that are named:
two fabrics, four small virtual networks and mappings between them. All of them are
deleted at the end, after an error and after Ctrl-C too. A vault that holds anything
else is refused: give it one of its own. It takes about a quarter of an hour.

The report has no ids, names, addresses or tokens in it, so that it can be shared.

Exits 0 when Azure answered as the emulator does, 1 on errors and when something
could not be cleaned up, 2 when answers differ, 3 when the vault was refused.
"""

from __future__ import annotations

import argparse
import signal
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NoReturn

try:
    from msgspec import structs

    import asrnet
    from asrnet import backends, first_contact, settings
    from asrnet.first_contact.comparison import Observation, rows_of
    from asrnet.first_contact.experiments import Experiment
    from asrnet.first_contact.report import Report, as_json, as_markdown, verdict_lines
    from asrnet.first_contact.session import Place
    from asrnet.first_contact.tidying import planned_writes
    from asrnet.model.arm import VAULT, ArmId, expect, normal_location
except ModuleNotFoundError as error:
    sys.exit(f"{error}; install asrnet first, as README.md says: pip install . in the folder of the repository")


class Parser(argparse.ArgumentParser):
    """Exits 1 for a mistake on the command line, since 2 has a meaning of its own."""

    def error(self, message: str) -> NoReturn:
        """Print the usage and the mistake."""
        sys.exit(f"{self.format_usage()}{self.prog}: {message}")


def parser() -> Parser:
    """The options."""
    options = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--vault", required=True, metavar="ID", help="a throwaway Recovery Services vault")
    options.add_argument("--group", required=True, metavar="ID", help="the resource group for the virtual networks")
    options.add_argument(
        "--regions",
        default="eastus2,centralus",
        metavar="PRIMARY,RECOVERY",
        help="the two regions (default: %(default)s); with --machine they are the machine's",
    )
    options.add_argument("--live", action="store_true", help="send the requests to Azure, and write there")
    options.add_argument(
        "--machine",
        metavar="ID",
        help="a throwaway protected item of the vault: its test network is changed and put back",
    )
    options.add_argument(
        "--throwaway-machine", metavar="NAME", help="the name of the same machine again: it may come to harm"
    )
    options.add_argument(
        "--report",
        metavar="PATH",
        help="where to write the report, as PATH.md and PATH.json "
        "(default: first-contact with --live, else first-contact-rehearsal)",
    )
    return options


def main(argv: Sequence[str] | None = None) -> int:
    """Make the experiments and write the report."""
    options = parser()
    given = options.parse_args(argv)
    vault, group = expect(ArmId(given.vault), VAULT, "a vault"), ArmId(given.group)
    primary, _, recovery = normal_location(given.regions).partition(",")
    if not primary or not recovery or primary == recovery:
        options.error("--regions takes two different regions, such as eastus2,centralus")
    machine = ArmId(given.machine) if given.machine else None
    if machine is not None and (not given.live or given.throwaway_machine != machine.name):
        options.error("--machine is for --live, and needs its name again: --throwaway-machine NAME")
    if not given.live:
        return rehearse(vault, group, (primary, recovery), Path(given.report or "first-contact-rehearsal"))
    # SIGTERM, with which schedulers stop a process, cleans up as Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    chosen = settings.from_process({})
    with closing(backends.wire(chosen)) as wire:
        place = first_contact.find_place(wire, vault=vault, group=group, regions=(primary, recovery), machine=machine)
        print("This will be written, and deleted again:", *(f"  {line}" for line in planned_writes(place)), sep="\n")
        world = None
        if machine is not None:
            with closing(asrnet.connect(chosen)) as backend:
                world = first_contact.twin_of(place, *first_contact.surroundings_of(machine, vault, backend))
        report = first_contact.explore(wire, place, world=world, on_progress=show_progress)
    return publish(report, Path(given.report or "first-contact"))


def rehearse(vault: ArmId, group: ArmId, regions: tuple[str, str], path: Path) -> int:
    """Make the experiments on an emulator with such a vault, which shows what --live would do."""
    nowhere = Place(vault=vault, group=group, vault_location=regions[1], regions=regions, fabrics=(vault, vault))
    wire = backends.emulated_wire(first_contact.twin_of(nowhere))
    place = first_contact.find_place(wire, vault=vault, group=group, regions=regions)
    print("A rehearsal on the emulator; nothing is sent to Azure. With --live this would be written:")
    print(*(f"  {line}" for line in planned_writes(place)), sep="\n")
    report = first_contact.explore(wire, place, on_progress=show_progress)
    return publish(structs.replace(report, live=False), path)


def show_progress(experiment: Experiment, observation: Observation) -> None:
    """A line for each experiment as it is made."""
    outcome = f"not tried: {observation.not_tried}" if observation.not_tried else "done"
    print(f"{experiment.name}: {outcome}", flush=True)


def publish(report: Report, path: Path) -> int:
    """Write the report, print what it says of the coverage page and what is left over, and choose the exit code."""
    remark = "" if report.live else "A rehearsal: nothing was sent to Azure. "
    for suffix, text in ((".md", as_markdown(report)), (".json", as_json(report))):
        path.with_name(path.name + suffix).write_text(text, "utf-8")
    print("\nRows of docs/emulator-coverage.md:")
    print(*(f"  {line}" for line in verdict_lines(rows_of(report.results), report.results, live=report.live)), sep="\n")
    print(f"\n{remark}{len(report.differing)} of {len(report.results)} experiments differ.", end=" ")
    print(f"Report: {path}.md and {path}.json")
    if report.stopped:
        print(f"It ended early: {report.stopped}.", file=sys.stderr)
    for left in report.left:
        print(f"Not cleaned up: {left}", file=sys.stderr)
    if report.stopped or report.left:
        return 1
    return 2 if report.differing else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except asrnet.AsrError as error:
        print(f"error: {error}", *([f"hint: {error.hint}"] if error.hint else []), sep="\n", file=sys.stderr)
        sys.exit(3 if isinstance(error, asrnet.RefusedError) else 1)

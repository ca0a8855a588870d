"""Write the live mappings down: as a desired state whose plan is empty, a world to work offline with, or Terraform.

Terraform gets a resource of the azurerm provider and an import block for each mapping (docs/coexistence.md).
Without a desired-state file, --vault takes the full id of a vault.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from asrnet.cli import exits, inputs, logs, streams
from asrnet.cli.session import Session
from asrnet.files.atomic import PendingFile

if TYPE_CHECKING:
    from asrnet.desired import DesiredState, Selection
    from asrnet.inventory.read import Inventory
    from asrnet.ports import Backend


EXAMPLES: Final = (
    ("asrnet dump --vault /subscriptions/.../vaults/vault-dr --out asrnet.yaml", "begin with what there is"),
    ("asrnet dump --format world --out world.yaml", "a snapshot, for asrnet plan --backend fake:world.yaml"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.add_argument(
        "--format",
        choices=["asrnet", "world", "terraform"],
        help="a desired state, which is the default, a world, or resources with import blocks for Terraform",
    )
    parser.add_argument("--out", metavar="PATH", help="the file to write; standard output without it")


def run(session: Session) -> int:
    """Read, and write down."""
    path = session.argument("out")
    file = PendingFile(path) if path else None
    try:
        text = _text(session)
        if file:
            file.commit(text)
        else:
            streams.write(text)
    finally:
        if file:
            file.abandon()
    return exits.DONE


def _text(session: Session) -> str:
    from asrnet import backends
    from asrnet.inventory import read as inventory

    desired = inputs.desired_or_vaults(session.settings)
    selection = inputs.selection(session.settings, desired)
    with session.backend(desired) as backend:
        found = inventory.read_inventory(desired, backend, selection=selection, confirm=False)
        kind = session.argument("format")
        if kind != "world":
            return _terraform(found, desired, selection) if kind == "terraform" else _desired(session, found, desired)
        found = _with_landing_places(found, backend)
    for line in backends.unread(found):
        logs.warn(f"could not be read and is not in the world: {line}")
    return backends.snapshot(found)


def _desired(session: Session, found: Inventory, desired: DesiredState) -> str:
    from asrnet.export import desired as dumping

    dump = dumping.dump(found, desired)
    _tell(dump.left_out)
    return dump.text(str(Path(session.argument("out") or ".").parent))


def _terraform(found: Inventory, desired: DesiredState, selection: Selection) -> str:
    from asrnet.export import terraform

    exported = terraform.export(found, desired, selection=selection)
    _tell(exported.left_out)
    return exported.text


def _tell(left_out: Iterable[str]) -> None:
    for line in left_out:
        logs.warn(f"left out: {line}")


def _with_landing_places(found: Inventory, backend: Backend) -> Inventory:
    """What machines land on belongs to a world: it is to predict with as well."""
    from asrnet.inventory import read as inventory
    from asrnet.prediction import networks_of_machines

    networks = set(networks_of_machines(found))
    return inventory.with_addresses(inventory.extended(found, backend, networks), backend, networks)

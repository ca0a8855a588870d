"""Write the live mappings as a desired state, as a world to work offline with, or for Terraform, Bicep or az.

The plan of that desired state only completes half pairs; with --accept-halves it is empty.
Terraform gets a resource of the azurerm provider and an import block for each mapping, Bicep a resource, and az a
command that creates it (docs/coexistence.md).
Without a desired-state file, --vault takes the full id of a vault.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from asrnet import exit_codes
from asrnet.cli import inputs, logs, outputs
from asrnet.cli.session import Session
from asrnet.errors import AsrError
from asrnet.render.wording import printable
from asrnet.settings.readings import DumpSettings

if TYPE_CHECKING:
    from asrnet.desired import DesiredState
    from asrnet.export.exported import Exported
    from asrnet.inventory.read import Inventory
    from asrnet.ports import Backend

EXAMPLES: Final = (
    ("asrnet dump --vault /subscriptions/.../vaults/vault-dr --out asrnet.yaml", "start from the existing mappings"),
    ("asrnet dump --format bicep --out mappings.bicep", "resources that a deployment leaves as they are"),
    ("asrnet dump --format world --out world.yaml", "a snapshot, for asrnet plan --backend fake:world.yaml"),
)


def run(session: Session[DumpSettings]) -> int:
    """Read the mappings and write the dump."""
    with outputs.destination(session.settings.out) as write:
        write(_text(session))
    if session.settings.out:
        logs.remark(f"written: {printable(session.settings.out)}")
    return exit_codes.DONE


def _text(session: Session[DumpSettings]) -> str:
    from asrnet.inventory import read

    settings = session.settings
    desired = inputs.desired_state(session)
    selection = inputs.selection(settings, desired)
    with session.backend(desired) as backend:
        inventory = read.read_inventory(desired, backend, selection=selection, confirm=False)
        if settings.format == "world":
            from asrnet import backends, prediction

            # Predictions work on a world too, and need the networks that machines land in.
            networks = set(prediction.networks_of_machines(inventory))
            inventory = read.with_addresses(read.extended(inventory, backend, networks), backend, networks)
            for line in inventory.unread("vault", "subscription", "network", "servers", "machines", "jobs"):
                logs.warn(f"could not be read and is not in the world: {line}")
            interfaces, unread = prediction.interfaces_of_machines(inventory, backend) if settings.nics else ([], [])
            for line in unread:
                logs.warn(f"could not be read and is not in the world: {line}")
            return backends.snapshot(inventory, interfaces, names=_names(desired, inventory, backend))
        if settings.format == "asrnet":
            # The networks' tags tell copies from their originals, and a missing network cannot be declared.
            inventory = read.extended(inventory, backend, read.mapped_networks(inventory))
    if settings.format != "asrnet":
        exported = _export(settings.format)(inventory, desired, selection=selection)
        text, left_out = exported.text, exported.left_out
    else:
        from asrnet.export.desired import export_desired

        dump = export_desired(inventory, desired, accept_halves=settings.accept_halves)
        text, left_out = dump.text(str(Path(settings.out or ".").parent)), dump.left_out
    for line in left_out:
        logs.warn(f"left out: {line}")
    return text


def _names(desired: DesiredState, inventory: Inventory, backend: Backend) -> dict[str, str]:
    """The names of subscriptions by their GUIDs: from the desired state or, without one, from Azure."""
    names = {guid: name for name, guid in desired.subscriptions.items()}
    if not names:
        ids = [*inventory.networks, *(vault.id for vault in inventory.vaults.values())]
        for guid in dict.fromkeys(resource_id.subscription for resource_id in ids):
            with suppress(AsrError):  # names are optional: the GUIDs work as well
                names[guid] = backend.surroundings.subscription(guid).name
    return names


def _export(name: str) -> Callable[..., Exported]:
    if name == "terraform":
        from asrnet.export.terraform import export_terraform as export
    elif name == "bicep":
        from asrnet.export.bicep import export_bicep as export
    else:
        from asrnet.export.az_script import export_az as export
    return export

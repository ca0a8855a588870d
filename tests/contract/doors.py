"""The doors onto a world that the contract suite goes through, and the world that most tests start from."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from asrnet.azure import connect
from asrnet.azure.clouds import PUBLIC
from asrnet.azure.credentials import choose
from asrnet.emulator.transport import in_process
from asrnet.fake import ports as fake_ports
from asrnet.fake.records import VaultResource
from asrnet.fake.world import World
from asrnet.models import Fabric, VirtualNetwork
from asrnet.ports import Backend, Operation, OperationStatus


def wire(world: World) -> Backend:
    """The real SDK in process, through the emulator's transport."""
    credential = choose(PUBLIC, named="emulator")
    return connect.backend(clock=world.clock, credential=credential, session=in_process(world))


DOORS: dict[str, Callable[[World], Backend]] = {"fake": fake_ports.backend, "wire": wire}


class TwoRegions(Struct, frozen=True, kw_only=True):
    """A vault in Southeast Asia that replicates East Asia."""

    vault: VaultResource
    fabric_ea: Fabric
    fabric_sea: Fabric
    ea: VirtualNetwork
    sea: VirtualNetwork
    other_sea: VirtualNetwork


def status(backend: Backend, operation: Operation | None) -> OperationStatus:
    """Where a Site Recovery operation stands; it must have been accepted."""
    assert operation is not None
    return backend.mapping_writer.operation(operation)

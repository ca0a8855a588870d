"""The backends ("doors") of the contract suite, and the world that most tests start from."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import cache
from typing import Any

from msgspec import Struct, structs
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter

from asrnet.azure import connect
from asrnet.azure.credentials import EmulatorCredential, given
from asrnet.azure.pipeline import new_session
from asrnet.emulator.app import App
from asrnet.emulator.serving import ServeOptions, running
from asrnet.emulator.transport import in_process
from asrnet.fake import ports as fake_ports
from asrnet.fake.records import VaultResource
from asrnet.fake.world import World
from asrnet.model.arm import ArmId
from asrnet.model.azure import Fabric, NetworkMapping, VirtualNetwork
from asrnet.ports import Backend, Operation, OperationStatus
from asrnet.settings.clouds import PUBLIC


def wire(world: World) -> Backend:
    """The real SDK in process, through the emulator's transport."""
    credential = given(EmulatorCredential(world.tenant))
    return connect.backend(clock=world.clock, credential=credential, session=in_process(world))


def https(world: World) -> Backend:
    """The real SDK over TLS to the emulator's server."""
    stack = ExitStack()
    options = ServeOptions(port=0, tls_port=0, cache=_certificates())
    emulator = stack.enter_context(running(App(world), options))
    cloud = PUBLIC.reached_through(emulator.https)
    session = new_session(cloud)
    session.mount("https://", _Trusting(str(emulator.ca)))
    credential = given(EmulatorCredential(world.tenant))
    opened = connect.backend(clock=world.clock, cloud=cloud, credential=credential, session=session)
    stack.callback(session.close)
    return structs.replace(opened, close=stack.close)


class _Trusting(HTTPAdapter):
    """Trusts one authority; otherwise the SDK's transport overrides the session's setting."""

    def __init__(self, ca: str) -> None:
        super().__init__()
        self._ca = ca

    def send(self, request: PreparedRequest, *args: Any, **options: Any) -> Response:
        return super().send(request, *args, **{**options, "verify": self._ca})


@cache
def _certificates() -> str:
    """A folder for the certificates of all tests of this process."""
    folder = tempfile.mkdtemp(prefix="asrnet-test-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def readable(backend: Backend, vault_id: ArmId) -> list[NetworkMapping]:
    """The mappings of a vault, none of which is unreadable."""
    found = list(backend.mappings.mappings(vault_id))
    assert all(isinstance(mapping, NetworkMapping) for mapping in found)
    return [mapping for mapping in found if isinstance(mapping, NetworkMapping)]


DOORS: dict[str, Callable[[World], Backend]] = {"fake": fake_ports.backend, "wire": wire, "https": https}


class TwoRegions(Struct, frozen=True, kw_only=True):
    """A vault in Southeast Asia that replicates East Asia."""

    vault: VaultResource
    fabric_ea: Fabric
    fabric_sea: Fabric
    ea: VirtualNetwork
    sea: VirtualNetwork
    other_sea: VirtualNetwork


def status(backend: Backend, operation: Operation | None) -> OperationStatus:
    """The status of a Site Recovery operation, which must have been accepted."""
    assert operation is not None
    return backend.mapping_writer.operation(operation)

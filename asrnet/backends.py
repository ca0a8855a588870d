"""Chooses the backend: Azure itself, an emulator, or a fake world in a file. No other module chooses."""

from __future__ import annotations

import logging
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from msgspec import structs

from asrnet.clocks import SystemClock
from asrnet.errors import InputError
from asrnet.files.atomic import PendingFile, interrupts_deferred
from asrnet.ports import Backend

if TYPE_CHECKING:
    from asrnet.azure.wire import Wire
    from asrnet.fake.world import World
    from asrnet.files.locks import FileLock
    from asrnet.inventory.read import Inventory
    from asrnet.model.azure import NetworkInterface
    from asrnet.settings import Settings

_log = logging.getLogger(__name__)
_PATIENCE: Final = 60.0
"""How many seconds a run waits for another run on the same world."""


def connect(
    settings: Settings | None = None,
    *,
    cloud: str | None = None,
    subscriptions: Sequence[str] = (),
    run: str = "",
    whole_process: bool = False,
) -> Backend:
    """The backend that ``settings`` select; without them, the settings of this process.

    Close it when done, which saves a fake world that was written to. ``cloud`` is the desired state's; without it,
    ARM_ENVIRONMENT decides. ``run`` is an id that marks the requests in Azure's logs. Raises InputError; nothing is
    sent yet, so an unreachable Azure shows only with the first request. With ``whole_process``, the process does
    nothing else, so process-wide settings may be changed to import the SDKs faster.
    """
    if settings is None:
        from asrnet.settings import from_process

        settings = from_process({})
    if settings.world is not None:
        return _fake(settings.world, is_writing=settings.changes_azure)
    cloud = cloud or settings.variables.get("ARM_ENVIRONMENT") or "public"
    return _azure(settings, cloud, subscriptions, run, whole_process)


def _fake(path: str, *, is_writing: bool) -> Backend:
    """The world in the file ``path``. If the run ``is_writing``, the file is locked before it is read.

    Without the lock, two runs that write to one world would each save all of it, and the last one would win.
    """
    from asrnet.fake import ports, world_file
    from asrnet.fake.vmm import links_of
    from asrnet.files.locks import FileLock

    clock, lock = SystemClock(), FileLock(path)
    if is_writing:
        _wait_for(lock, path, clock)
    version = _version(path)
    try:
        world = world_file.load(path, clock=clock)
    except BaseException:
        lock.release()
        raise

    def close() -> None:
        try:
            if world.journal.methods().keys() - {"GET"}:
                _wait_for(lock, path, clock)
                if _version(path) != version:
                    raise InputError(
                        f"{path} was changed by another program during this run; the changes of this run are not saved",
                        hint="run the command again while no other command works on the same world",
                    )
                # Ctrl-C may be pressed again while an interrupted run saves what it has done.
                with interrupts_deferred():
                    world_file.save(world, path)
        finally:
            lock.release()

    def expect(kinds: Collection[str]) -> None:
        if kinds:
            PendingFile(path).abandon()  # raises before the first write if the file cannot be written

    return structs.replace(ports.backend(world), close=close, expect=expect, vmm_links=partial(links_of, world.state))


def _wait_for(lock: FileLock, path: str, clock: SystemClock) -> None:
    """Take the lock of a world. Raises InputError if another run has it for longer than ``_PATIENCE``."""
    began, is_announced = clock.now(), False
    while not lock.acquire():
        if clock.now() - began > _PATIENCE:
            raise InputError(f"{path} is in use by another run", hint="try again when that run has ended")
        if not is_announced:
            _log.warning("waiting for another run that works on %s", path)
            is_announced = True
        clock.sleep(0.2)


def _version(path: str) -> tuple[int, ...]:
    """A value that changes when the file is replaced or edited; empty if there is no file."""
    try:
        status = os.stat(path)  # noqa: PTH116 - raises ValueError for an impossible path, as handled here
    except (OSError, ValueError):
        return ()
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


def _azure(settings: Settings, cloud_name: str, subscriptions: Sequence[str], run: str, whole_process: bool) -> Backend:  # noqa: FBT001 - passed on
    from asrnet.azure import connect

    return connect.backend(
        **_azure_options(settings, cloud_name),
        inventory=settings.inventory,
        subscriptions=subscriptions,
        start_now=True,
        whole_process=whole_process,
        run=run,
    )


def _azure_options(settings: Settings, cloud_name: str) -> dict[str, Any]:
    """The arguments that every connection to Azure takes."""
    from asrnet.azure import credentials
    from asrnet.azure.retry import RetryLimits
    from asrnet.settings import clouds

    cloud = clouds.cloud(cloud_name, settings.endpoint)
    if authority := settings.variables.get("AZURE_AUTHORITY_HOST"):
        cloud = cloud.signing_in_at(authority)
    return {
        "clock": SystemClock(),
        "cloud": cloud,
        "credential": credentials.choose(cloud, named=settings.credential or "", variables=settings.variables),
        "limits": RetryLimits(
            attempts=settings.retry_attempts,
            connection_attempts=min(settings.retry_attempts, RetryLimits().connection_attempts),
            deadline=settings.retry_deadline,
        ),
        "api_versions": {chosen.provider: chosen.version for chosen in settings.api_version},
    }


def check(settings: Settings, *, cloud: str | None = None) -> None:
    """Raise InputError if ``settings`` cannot say how to reach Azure. Nothing is sent, and no fake world is read."""
    if settings.world is None:
        _azure_options(settings, cloud or settings.variables.get("ARM_ENVIRONMENT") or "public")


def wire(settings: Settings) -> Wire:
    """Raw HTTP requests to the Azure that ``settings`` select, for ``asrnet.first_contact``.

    A request that ends in a server error is repeated twice; then the error is returned like any response, because the
    caller may want to see it. Raises InputError if ``settings`` select a fake world, which does not speak HTTP.
    """
    if settings.world is not None:
        raise InputError("a fake world does not speak HTTP", hint="unset ASRNET_BACKEND")
    from asrnet.azure import connect

    options = _azure_options(settings, settings.variables.get("ARM_ENVIRONMENT") or "public")
    limits = structs.replace(options.pop("limits"), attempts=min(settings.retry_attempts, 3))
    return connect.wire(**options, limits=limits)


def emulated_wire(world: World) -> Wire:
    """The same raw HTTP requests, answered in this process by an emulator of ``world``."""
    from asrnet.azure import connect
    from asrnet.azure.credentials import EmulatorCredential, given
    from asrnet.emulator.transport import in_process as session_on

    credential = given(EmulatorCredential(world.tenant))
    return connect.wire(clock=world.clock, credential=credential, session=session_on(world))


def snapshot(
    inventory: Inventory, interfaces: Iterable[NetworkInterface] = (), *, names: Mapping[str, str] | None = None
) -> str:
    """The text of a world file with everything in ``inventory`` and ``interfaces``, as it was read.

    ``names`` has the names of subscriptions by GUID.
    """
    from asrnet.fake import world_file
    from asrnet.fake.snapshot import world_of

    return world_file.dumps(world_of(inventory, interfaces, names or {}))


def census(path: str) -> dict[str, int]:
    """Counts of networks, vaults and mappings in the world file ``path``. Raises DocumentError if it is no world."""
    from asrnet.fake import world_file

    state = world_file.load(path, clock=SystemClock()).state
    return {
        "virtual_networks": len(list(state.virtual_networks)),
        "vaults": len(list(state.vaults)),
        "mappings": len(list(state.mappings)) + len(list(state.unreadable_mappings)),
    }


def in_process(path: str, *, operations: str = "time:2") -> Backend:
    """The real SDKs on the world file ``path``, in this process: no socket, no subscription, nothing saved.

    ``operations`` says how long each operation takes: ``immediate``, or ``time:SECONDS``.
    """
    from asrnet.azure import connect
    from asrnet.azure.credentials import EmulatorCredential, given
    from asrnet.emulator.transport import in_process as session_on
    from asrnet.fake import world_file

    clock = SystemClock()
    world = world_file.load(path, clock=clock)
    world.behaviour = structs.replace(world.behaviour, operations=operations)
    return connect.backend(
        clock=clock, credential=given(EmulatorCredential(world.tenant)), session=session_on(world), start_now=True
    )

"""Which Azure to work on: the real one, an emulator, or a fake in a file. The only module that chooses."""

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
"""How many seconds a run waits for another one that works on the same world."""


def connect(
    settings: Settings | None = None,
    *,
    cloud: str | None = None,
    subscriptions: Sequence[str] = (),
    run: str = "",
    whole_process: bool = False,
) -> Backend:
    """The backend that ``settings`` (those of this process, where none are given) ask for.

    Close it when done, which saves a fake world that was written to. ``cloud`` is what the desired state says; without
    one ARM_ENVIRONMENT does. ``run`` is the id by which Azure's logs find the requests. Raises InputError; whether
    Azure answers shows with the first request. ``whole_process``: this process does nothing else, so what speeds up
    the import of the SDKs may be set for all of it.
    """
    if settings is None:
        from asrnet.settings import from_process

        settings = from_process({})
    if settings.world is not None:
        return _fake(settings.world, is_writing=settings.changes_azure)
    cloud = cloud or settings.variables.get("ARM_ENVIRONMENT") or "public"
    return _azure(settings, cloud, subscriptions, run, whole_process)


def _fake(path: str, *, is_writing: bool) -> Backend:
    """The world in the file ``path``. A run that ``is_writing`` has the file to itself from before it reads it.

    Runs that write to one world at the same time would each save the whole of it, and the last one would win.
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
                        f"{path} was changed by somebody else during this run, whose own changes are not saved",
                        hint="run it again, and one at a time",
                    )
                # Pressed again while an interrupted run saves what it has done.
                with interrupts_deferred():
                    world_file.save(world, path)
        finally:
            lock.release()

    def expect(kinds: Collection[str]) -> None:
        if kinds:
            PendingFile(path).abandon()  # a world that cannot be saved is known before it is written to

    return structs.replace(ports.backend(world), close=close, expect=expect, vmm_links=partial(links_of, world.state))


def _wait_for(lock: FileLock, path: str, clock: SystemClock) -> None:
    """Take the lock of a world. Raises InputError if another run has it for longer than ``_PATIENCE``."""
    began, is_announced = clock.now(), False
    while not lock.acquire():
        if clock.now() - began > _PATIENCE:
            raise InputError(f"{path} is in use by another run", hint="try again when that has ended")
        if not is_announced:
            _log.warning("waiting for another run that works on %s", path)
            is_announced = True
        clock.sleep(0.2)


def _version(path: str) -> tuple[int, ...]:
    """What changes when the file is replaced or edited; empty if there is none."""
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
    """The arguments that every connection to Azure has."""
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


def wire(settings: Settings) -> Wire:
    """Bare requests to the Azure that ``settings`` ask for: what ``asrnet.first_contact`` sends.

    An error of the server is repeated twice and then an answer like others, which a caller may want to see. Raises
    InputError where they ask for a fake world, which has no wire.
    """
    if settings.world is not None:
        raise InputError("a fake world answers no bare requests", hint="unset ASRNET_BACKEND")
    from asrnet.azure import connect

    options = _azure_options(settings, settings.variables.get("ARM_ENVIRONMENT") or "public")
    limits = structs.replace(options.pop("limits"), attempts=min(settings.retry_attempts, 3))
    return connect.wire(**options, limits=limits)


def emulated_wire(world: World) -> Wire:
    """The same bare requests, answered in this process by the emulator of ``world``."""
    from asrnet.azure import connect
    from asrnet.azure.credentials import EmulatorCredential, given
    from asrnet.emulator.transport import in_process as session_on

    credential = given(EmulatorCredential(world.tenant))
    return connect.wire(clock=world.clock, credential=credential, session=session_on(world))


def snapshot(
    inventory: Inventory, interfaces: Iterable[NetworkInterface] = (), *, names: Mapping[str, str] | None = None
) -> str:
    """The world file in which everything of ``inventory``, and each of ``interfaces``, is as it was read.

    ``names`` are those of subscriptions, by their GUIDs.
    """
    from asrnet.fake import world_file
    from asrnet.fake.snapshot import world_of

    return world_file.dumps(world_of(inventory, interfaces, names or {}))


def census(path: str) -> dict[str, int]:
    """How much there is in the world file ``path``, by kind. Raises DocumentError where it is no world."""
    from asrnet.fake import world_file

    state = world_file.load(path, clock=SystemClock()).state
    return {
        "virtual_networks": len(list(state.virtual_networks)),
        "vaults": len(list(state.vaults)),
        "mappings": len(list(state.mappings)) + len(list(state.unreadable_mappings)),
    }


def in_process(path: str, *, operations: str = "time:2") -> Backend:
    """The real SDKs on the world in the file ``path``, in this process: no socket, no subscription, nothing saved.

    ``operations`` says how long the world takes for each: ``immediate``, or ``time:SECONDS``.
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

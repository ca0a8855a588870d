"""Running an emulator: its world from files, its two doors (HTTP and HTTPS), its clock and its end."""

from __future__ import annotations

import ipaddress
import json
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from types import FrameType

from msgspec import Struct
from msgspec.structs import replace

from asrnet.clocks import SystemClock
from asrnet.emulator.app import App, Options
from asrnet.emulator.capture import Capture
from asrnet.emulator.server import Door, Patience
from asrnet.emulator.trust import default_folder, given_trust, kept_trust
from asrnet.errors import InputError
from asrnet.fake import world_file
from asrnet.fake.behaviour import Behaviour, checked
from asrnet.fake.builder import Builder
from asrnet.files.atomic import PendingFile

DEFAULT_OPERATIONS = "time:3"
"""How long operations take where neither the options nor the world set it: the time recorded for mappings."""


class ShiftedClock(SystemClock):
    """The time of day plus what it was advanced by. Sleeps are real."""

    def __init__(self) -> None:
        super().__init__()
        self._shift = 0.0
        self._shifting = threading.Lock()

    def now(self) -> float:
        """Seconds since 1970."""
        return super().now() + self._shift

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once: operations that are due by then end."""
        with self._shifting:
            self._shift += seconds


class ServeOptions(Struct, frozen=True, kw_only=True):
    """The options of ``asrnet emulator``. Ports of 0 pick free ones. None: the world's own behaviour counts.

    ``latency`` is in milliseconds, ``cache`` the folder for certificates. ``allow_remote``: addresses other than
    loopback may be listened on.
    """

    host: str = "127.0.0.1"
    port: int = 4590
    tls_port: int = 4591
    tls_cert: str | None = None
    tls_key: str | None = None
    seed: str | None = None
    state: str | None = None
    operations: str | None = None
    retry_after: int | None = None
    latency: float | None = None
    page_size: int | None = None
    capture: str | None = None
    authenticate: bool = True
    allow_remote: bool = False
    cache: str | None = None


class Emulator(Struct, frozen=True, kw_only=True):
    """An emulator that runs in this process and is open to others. ``http`` and ``https`` are its addresses."""

    app: App
    http: str
    https: str
    ca: Path

    def announcement(self) -> str:
        """The line that says where it is: a JSON object."""
        return json.dumps({"http": self.http, "https": self.https, "ca": str(self.ca)})


def serve(options: ServeOptions, announce: Callable[[str], None]) -> int:
    """Run an emulator until SIGTERM or Ctrl-C; the exit code. Must be called in the main thread.

    Calls ``announce`` with the announcement once connections are accepted. Raises InputError and DocumentError where
    it cannot start, and InputError where the state cannot be saved.
    """
    app = app_of(options)
    capture = Capture(options.capture) if options.capture else None
    # A queue and no Event: a signal may come while Event.wait holds the lock that Event.set waits for, and both are of
    # this thread, which then hangs. SimpleQueue.put never waits (documented for exactly this use).
    signals: SimpleQueue[int] = SimpleQueue()
    with _stop_signals(signals.put), running(app, options, capture=capture) as emulator:
        announce(emulator.announcement())
        while True:
            with suppress(Empty):
                signals.get(timeout=0.5)  # a signal does not interrupt the wait on every platform: look now and then
                break
    if options.state:
        world_file.save(app.world, options.state)
    return 0


def app_of(options: ServeOptions) -> App:
    """The App that the options describe: the world of the state file if it exists, else of the seed.

    Without either it has nothing but the subscription 11111111-1111-1111-1111-111111111111.
    ``reset`` goes back to the seed. Raises InputError and DocumentError.
    """
    _check(options)
    clock = ShiftedClock()
    seed = world_file.load(options.seed, clock=clock) if options.seed else None
    if options.state:
        PendingFile(options.state).abandon()  # fails now, and not at the end, where the state cannot be written
    saved = world_file.load(options.state, clock=clock) if options.state and Path(options.state).exists() else None
    world = seed or Builder(clock=clock).world
    world.behaviour = _behaviour(world.behaviour, options)
    app = App(world, Options(authenticate=options.authenticate), lambda behaviour: _behaviour(behaviour, options))
    # Before the saved state is taken over: reset goes back to the seed.
    app.checkpoint()
    if saved:
        saved.behaviour = _behaviour(saved.behaviour, options)
        world.become(saved)
    return app


@contextmanager
def running(
    app: App, options: ServeOptions | None = None, *, capture: Capture | None = None, patience: Patience | None = None
) -> Iterator[Emulator]:
    """``app`` open on HTTP and HTTPS for as long as the context lasts. Raises InputError where it cannot be opened."""
    options = options or ServeOptions(port=0, tls_port=0)
    if options.tls_cert and options.tls_key:
        trust = given_trust(options.tls_cert, options.tls_key)
    else:
        trust = kept_trust(Path(options.cache) if options.cache else default_folder(), options.host)
    secured = trust.context()
    app.authority = trust.ca.read_bytes()
    doors: list[Door] = []
    try:
        for port, context in ((options.port, None), (options.tls_port, secured)):
            doors.append(
                Door(
                    app,
                    (options.host, port),
                    context=context,
                    latency=None if options.latency is None else options.latency / 1000,
                    patience=patience,
                    record=capture.record if capture else None,
                )
            )
        for door in doors:
            door.open()
        yield Emulator(app=app, http=doors[0].url, https=doors[1].url, ca=trust.ca)
    finally:
        for door in doors:
            door.close()


def _check(options: ServeOptions) -> None:
    if bool(options.tls_cert) != bool(options.tls_key):
        raise InputError("a certificate needs its key", hint="give --tls-cert and --tls-key, or neither")
    if options.latency is not None and options.latency < 0:
        raise InputError("the latency cannot be negative")
    if _is_loopback(options.host):
        return
    if not options.allow_remote:
        raise InputError(
            f"'{options.host}' is not an address of this machine alone",
            hint="the emulator takes any credential; --allow-remote opens it to the network all the same",
        )
    print(  # noqa: T201 - a warning beside the output
        f"warning: the emulator is open to the network on {options.host} and takes any credential", file=sys.stderr
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost" and all(
            ipaddress.ip_address(address[4][0]).is_loopback for address in socket.getaddrinfo(host, None)
        )


def _behaviour(behaviour: Behaviour, options: ServeOptions) -> Behaviour:
    """``behaviour`` with the options applied; where neither sets it, operations take a few seconds, as real ones do."""
    # The options win over what the world says, at the start and for every seed after it.
    overrides = {
        "operations": options.operations,
        "retry_after": options.retry_after,
        # az and the SDKs wait as long as status answers say, and 30 s where these do not say.
        "status_retry_after": options.retry_after,
        "page_size": options.page_size,
        "network_page_size": options.page_size,
    }
    # A world that sets any of its behaviour means what it leaves out as well.
    if options.operations is None and behaviour == Behaviour():
        overrides["operations"] = DEFAULT_OPERATIONS
    operations = overrides["operations"]
    if isinstance(operations, str) and operations.startswith("time:") and behaviour.replication == "immediate":
        overrides["replication"] = operations
    return checked(replace(behaviour, **{name: value for name, value in overrides.items() if value is not None}))


@contextmanager
def _stop_signals(tell: Callable[[int], None]) -> Iterator[None]:
    """Tell the number of each signal that asks to stop, instead of what the signal does otherwise."""

    def stop(number: int, _frame: FrameType | None) -> None:
        tell(number)

    numbers = [signal.SIGTERM, signal.SIGINT]
    # Windows has no SIGHUP, and with nohup it stays ignored.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

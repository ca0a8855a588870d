"""Running an emulator: loading its world, listening on HTTP and HTTPS, its clock, and stopping."""

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
from asrnet.emulator.server import Server, Timeouts
from asrnet.emulator.trust import cached_trust, default_folder, trust_of_files
from asrnet.errors import InputError
from asrnet.fake import world_file
from asrnet.fake.behaviour import Behaviour, checked
from asrnet.fake.builder import Builder
from asrnet.files.atomic import PendingFile
from asrnet.files.problems import raise_any

DEFAULT_OPERATIONS = "time:3"
"""How long operations take if neither the options nor the world says so: the time recorded for mappings."""


class ShiftedClock(SystemClock):
    """The time of day plus the time it was advanced by. Sleeping takes real time."""

    def __init__(self) -> None:
        super().__init__()
        self._shift = 0.0
        self._shifting = threading.Lock()

    def now(self) -> float:
        """Seconds since 1970."""
        return super().now() + self._shift

    def advance(self, seconds: float) -> None:
        """Let ``seconds`` pass at once, so that the operations due by then end."""
        with self._shifting:
            self._shift += seconds


class ServeOptions(Struct, frozen=True, kw_only=True):
    """The options of ``asrnet emulator``. Port 0 selects a free one; None keeps the world's own behaviour.

    ``latency`` is in milliseconds; ``cache`` is the folder for certificates. ``allow_remote`` permits listening on
    addresses other than loopback.
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
    """An emulator that runs in this process and accepts connections at the URLs ``http`` and ``https``."""

    app: App
    http: str
    https: str
    ca: Path

    def announcement(self) -> str:
        """The line that announces the emulator: a JSON object."""
        return json.dumps({"http": self.http, "https": self.https, "ca": str(self.ca)})


def serve(options: ServeOptions, announce: Callable[[str], None]) -> int:
    """Run an emulator until SIGTERM or Ctrl-C, and return the exit code. Must be called in the main thread.

    Calls ``announce`` with the announcement once connections are accepted. Raises InputError or DocumentError if it
    cannot start, and InputError if the state cannot be saved.
    """
    app = app_of(options)
    capture = Capture(options.capture) if options.capture else None
    # Not an Event: a signal may arrive while Event.wait holds the lock that Event.set needs. Both run in this thread,
    # which would then hang. SimpleQueue.put never blocks and is documented as safe in signal handlers.
    signals: SimpleQueue[int] = SimpleQueue()
    with _stop_signals(signals.put), running(app, options, capture=capture) as emulator:
        announce(emulator.announcement())
        while True:
            with suppress(Empty):
                signals.get(timeout=0.5)  # on some platforms a signal does not interrupt the wait, so poll
                break
    if options.state:
        world_file.save(app.world, options.state)
    return 0


def app_of(options: ServeOptions) -> App:
    """Build the App for the options. Its world is that of the state file if it exists, otherwise that of the seed.

    Without either, the world contains only the subscription 11111111-1111-1111-1111-111111111111. ``reset`` always
    restores the seed. Raises InputError and DocumentError.
    """
    _check(options)
    clock = ShiftedClock()
    seed = world_file.load(options.seed, clock=clock) if options.seed else None
    if options.state:
        PendingFile(options.state).abandon()  # a state file that cannot be written must fail now and not at the end
    saved = world_file.load(options.state, clock=clock) if options.state and Path(options.state).exists() else None
    world = seed or Builder(clock=clock).world
    world.behaviour = _behaviour(world.behaviour, options)
    app = App(world, Options(authenticate=options.authenticate), lambda behaviour: _behaviour(behaviour, options))
    # The seed is saved before the saved state replaces the world, so that reset restores the seed.
    app.checkpoint()
    if saved:
        saved.behaviour = _behaviour(saved.behaviour, options)
        world.take_over(saved)
    return app


@contextmanager
def running(
    app: App, options: ServeOptions | None = None, *, capture: Capture | None = None, timeouts: Timeouts | None = None
) -> Iterator[Emulator]:
    """Serve ``app`` over HTTP and HTTPS within the context. Raises InputError if it cannot listen."""
    options = options or ServeOptions(port=0, tls_port=0)
    if options.tls_cert and options.tls_key:
        trust = trust_of_files(options.tls_cert, options.tls_key)
    else:
        trust = cached_trust(Path(options.cache) if options.cache else default_folder(), options.host)
    secured = trust.context()
    app.authority = trust.ca.read_bytes()
    servers: list[Server] = []
    try:
        for port, context in ((options.port, None), (options.tls_port, secured)):
            servers.append(
                Server(
                    app,
                    (options.host, port),
                    context=context,
                    latency=None if options.latency is None else options.latency / 1000,
                    timeouts=timeouts,
                    record=capture.record if capture else None,
                )
            )
        for server in servers:
            server.open()
        yield Emulator(app=app, http=servers[0].url, https=servers[1].url, ca=trust.ca)
    finally:
        for server in servers:
            server.close()


def conflicts_of(options: ServeOptions) -> Iterator[InputError]:
    """A mistake for each option that needs another one, or has an impossible value."""
    if bool(options.tls_cert) != bool(options.tls_key):
        yield InputError("a certificate needs its key", hint="give --tls-cert and --tls-key, or neither")
    if options.latency is not None and options.latency < 0:
        yield InputError("the latency cannot be negative")


def _check(options: ServeOptions) -> None:
    raise_any(conflicts_of(options))
    if _is_loopback(options.host):
        return
    if not options.allow_remote:
        raise InputError(
            f"'{options.host}' is not a loopback address",
            hint="the emulator accepts any credential; --allow-remote opens it to the network anyway",
        )
    print(  # noqa: T201 - a warning beside the output
        f"warning: the emulator is open to the network on {options.host} and accepts any credential", file=sys.stderr
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost" and all(
            ipaddress.ip_address(address[4][0]).is_loopback for address in socket.getaddrinfo(host, None)
        )


def _behaviour(behaviour: Behaviour, options: ServeOptions) -> Behaviour:
    """Apply the options to ``behaviour``. If neither sets a duration, operations take a few seconds, as on Azure."""
    # Options override the world, at the start and for every seed loaded later.
    overrides = {
        "operations": options.operations,
        "retry_after": options.retry_after,
        # az and the SDKs poll at the Retry-After of status answers, and every 30 s without one.
        "status_retry_after": options.retry_after,
        "page_size": options.page_size,
        "network_page_size": options.page_size,
    }
    # If a world sets any behaviour, the defaults apply to all that it does not set.
    if options.operations is None and behaviour == Behaviour():
        overrides["operations"] = DEFAULT_OPERATIONS
    operations = overrides["operations"]
    if isinstance(operations, str) and operations.startswith("time:") and behaviour.replication == "immediate":
        overrides["replication"] = operations
    return checked(replace(behaviour, **{name: value for name, value in overrides.items() if value is not None}))


@contextmanager
def _stop_signals(on_signal: Callable[[int], None]) -> Iterator[None]:
    """Within the context, a signal that would stop the process calls ``on_signal`` with its number instead."""

    def stop(number: int, _frame: FrameType | None) -> None:
        on_signal(number)

    numbers = [signal.SIGTERM, signal.SIGINT]
    # Windows has no SIGHUP. Under nohup it is ignored, and must stay ignored.
    if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

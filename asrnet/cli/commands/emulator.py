"""Serve a world over HTTP and HTTPS, for clients that know nothing of asrnet: az, Terraform, SDKs.

The first line on standard output is a JSON object, {"http": URL, "https": URL, "ca": FILE}, printed when connections
are accepted. SIGTERM or Ctrl-C ends it. It is a test double and not a security boundary: any credential is accepted.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from asrnet.cli import streams
from asrnet.cli.session import Session
from asrnet.errors import InputError
from asrnet.settings.tools import EmulatorSettings

if TYPE_CHECKING:
    from asrnet.emulator.serving import ServeOptions

EXAMPLES: Final = (
    ("asrnet emulator --seed world.yaml", "serve a world on the usual ports"),
    ("asrnet emulator --port 0 --tls-port 0 --operations immediate", "an empty world for tests, on free ports"),
)
EXITS: Final = {0: "ended by SIGTERM or Ctrl-C"}


def option_mistakes(session: Session[EmulatorSettings]) -> Iterator[InputError]:
    """A mistake for each option that needs another one."""
    from asrnet.emulator.serving import conflicts_of

    if not session.unclear & {"tls_cert", "tls_key"}:
        yield from conflicts_of(_options(session.settings))


def run(session: Session[EmulatorSettings]) -> int:
    """Serve until a signal ends the process."""
    from asrnet.emulator.serving import serve

    def announce(line: str) -> None:
        session.stage.is_begun = True
        streams.write(f"{line}\n")

    return serve(_options(session.settings), announce=announce)


def _options(settings: EmulatorSettings) -> ServeOptions:
    from asrnet.emulator.serving import ServeOptions

    return ServeOptions(
        host=settings.host,
        port=settings.port,
        tls_port=settings.tls_port,
        tls_cert=settings.tls_cert,
        tls_key=settings.tls_key,
        seed=settings.seed,
        state=settings.state,
        operations=settings.operations,
        retry_after=settings.retry_after,
        latency=settings.latency,
        page_size=settings.page_size,
        capture=settings.capture,
        authenticate=not settings.no_auth,
        allow_remote=settings.allow_remote,
    )

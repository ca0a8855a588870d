"""Serve a world over HTTP and HTTPS, for clients that know nothing of asrnet: az, Terraform, SDKs.

The first line on standard output is a JSON object, {"http": URL, "https": URL, "ca": FILE}, printed when connections
are accepted. SIGTERM or Ctrl-C ends it. It is a test double and not a security boundary: any credential is accepted.
"""

from __future__ import annotations

from typing import Final

from asrnet.cli import streams
from asrnet.cli.session import Session
from asrnet.settings.tools import EmulatorSettings

EXAMPLES: Final = (
    ("asrnet emulator --seed world.yaml", "serve a world on the usual ports"),
    ("asrnet emulator --port 0 --tls-port 0 --operations immediate", "an empty world for tests, on free ports"),
)
EXITS: Final = {0: "ended by SIGTERM or Ctrl-C"}


def run(session: Session[EmulatorSettings]) -> int:
    """Serve until a signal ends the process."""
    from asrnet.emulator.serving import ServeOptions, serve

    settings = session.settings
    options = ServeOptions(
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
    return serve(options, announce=lambda line: streams.write(f"{line}\n"))

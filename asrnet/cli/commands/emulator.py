"""Serve a world over HTTP and HTTPS, for clients that know nothing of asrnet: az, Terraform, SDKs.

The first line on standard output is a JSON object, {"http": URL, "https": URL, "ca": FILE}, printed when connections
are accepted. SIGTERM and Ctrl-C end it. It is a test double and no security boundary: any credential is taken.
"""

from __future__ import annotations

import argparse
from typing import Final

from asrnet.cli.session import Session

EXAMPLES: Final = (
    ("asrnet emulator --seed world.yaml", "serve a world on the usual ports"),
    ("asrnet emulator --port 0 --tls-port 0 --operations immediate", "an empty world for tests, on free ports"),
)
EXITS: Final = {0: "ended by SIGTERM or Ctrl-C"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command: none but its options."""


def run(session: Session) -> int:
    """Serve until told to stop."""
    from asrnet.emulator.serving import ServeOptions, serve

    settings = session.settings
    return serve(
        ServeOptions(
            host=settings.emulator_host,
            port=settings.emulator_port,
            tls_port=settings.emulator_tls_port,
            tls_cert=settings.emulator_tls_cert,
            tls_key=settings.emulator_tls_key,
            seed=settings.emulator_seed,
            state=settings.emulator_state,
            operations=settings.emulator_operations,
            retry_after=settings.emulator_retry_after,
            latency=settings.emulator_latency,
            page_size=settings.emulator_page_size,
            capture=settings.emulator_capture,
            authenticate=not settings.emulator_no_auth,
            allow_remote=settings.emulator_allow_remote,
        )
    )

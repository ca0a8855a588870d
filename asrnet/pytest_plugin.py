"""Fixtures to test programs that use Site Recovery: a world to fill, ports on it, and an emulator in front of it.

pytest loads this by itself once asrnet is installed. The fixtures of one test share one world::

    def test_both_directions_are_mapped(asr_world, asr_emulator):
        ...  # fill asr_world, run the script against asr_emulator.url, look at asr_world.world
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from asrnet.emulator.app import App
    from asrnet.emulator.faults import Faults
    from asrnet.fake.builder import Builder
    from asrnet.ports import Backend


class AsrEmulator:
    """A running emulator. ``url`` is its HTTPS address, ``http`` the plain one, ``ca`` the certificate to trust.

    ``world`` is the builder of what it serves, ``faults`` the script of the wire's faults, ``app`` the emulator itself
    with the journal of its requests.
    """

    def __init__(self, *, url: str, http: str, ca: Path, app: App, world: Builder) -> None:
        self.url = url
        self.http = http
        self.ca = ca
        self.app = app
        self.world = world

    @property
    def faults(self) -> Faults:
        """The script of the wire's faults."""
        return self.app.faults

    def environment(self) -> dict[str, str]:
        """Variables for a script under test: the emulator's address and authority, and a managed identity to use."""
        ca = str(self.ca)
        return {
            "ASRNET_ENDPOINT": self.url,
            "REQUESTS_CA_BUNDLE": ca,
            "SSL_CERT_FILE": ca,
            "NODE_EXTRA_CA_CERTS": ca,
            "IDENTITY_ENDPOINT": f"{self.http}/msi/token",
            "IDENTITY_HEADER": "any",
        }


@pytest.fixture
def asr_world() -> Builder:
    """An empty world to fill, with one subscription. Its time is simulated: ``asr_world.world.clock.advance(30)``."""
    import time

    from asrnet.clocks import SimulatedClock
    from asrnet.fake.builder import Builder

    return Builder(clock=SimulatedClock(start=time.time()))  # tokens must not seem expired to clients


@pytest.fixture
def fake_azure(asr_world: Builder) -> Backend:
    """The ports of asrnet on the world: for tests that call its functions."""
    from asrnet.fake.ports import backend

    return backend(asr_world.world)


@pytest.fixture
def asr_emulator(asr_world: Builder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AsrEmulator]:
    """The world behind Azure's protocol, on free ports of this machine: for tests of programs."""
    from asrnet.emulator.app import App
    from asrnet.emulator.serving import ServeOptions, running

    cache = tmp_path_factory.getbasetemp() / "asrnet-certificates"
    app = App(asr_world.world)
    with running(app, ServeOptions(port=0, tls_port=0, cache=str(cache))) as emulator:
        yield AsrEmulator(url=emulator.https, http=emulator.http, ca=emulator.ca, app=app, world=asr_world)

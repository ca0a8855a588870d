"""What every test needs."""

from __future__ import annotations

import logging

import pytest


@pytest.fixture(autouse=True)
def _logs_reach_pytest() -> None:
    """The command line keeps asrnet's log to itself once it has run in this process; ``caplog`` listens at the root."""
    log = logging.getLogger("asrnet")
    log.propagate = True
    log.setLevel(logging.NOTSET)

"""What every test needs."""

from __future__ import annotations

import logging

import pytest


@pytest.fixture(autouse=True)
def _logs_reach_pytest(monkeypatch: pytest.MonkeyPatch) -> None:
    """The command line keeps asrnet's log to itself once it has run in this process; ``caplog`` listens at the root."""
    monkeypatch.setattr(logging.getLogger("asrnet"), "propagate", True)
    logging.getLogger("asrnet").setLevel(logging.NOTSET)

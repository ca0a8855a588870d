"""What every test needs."""

from __future__ import annotations

import gc
import logging


def pytest_collection_finish() -> None:
    """Leave the thousands of items that pytest has collected out of every later pass of the garbage collector."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup() -> None:
    """The command line keeps asrnet's log to itself once it has run in this process; ``caplog`` listens at the root."""
    log = logging.getLogger("asrnet")
    log.propagate = True
    if log.level:  # a level that is set, even to what it was, makes every logger of the process forget its own
        log.setLevel(logging.NOTSET)

"""Fixtures for every test."""

from __future__ import annotations

import gc
import logging
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Spare the garbage collector the thousands of items that pytest collects, then and later, and let it run less."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 10, 10)
        gc.enable()


def pytest_runtest_setup() -> None:
    """The command line stops asrnet's log from propagating; ``caplog`` listens at the root."""
    log = logging.getLogger("asrnet")
    log.propagate = True
    if log.level:  # setting a level, even the same, clears the cached levels of every logger in the process
        log.setLevel(logging.NOTSET)

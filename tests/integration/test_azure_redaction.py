"""The signed query of operation URLs stays out of vendors' errors and logs."""

from __future__ import annotations

import logging

import pytest

from asrnet.azure.answers import causes, scrub
from asrnet.azure.request_log import quieten_vendors

SIGNED = "https://management.azure.com/x/replicationOperationStatus/1?api-version=2025-08-01&t=1&s=secret"


def test_an_error_and_its_causes_are_redacted() -> None:
    inner = OSError(f"cannot reach {SIGNED}")
    outer = RuntimeError(inner, f"while reading {SIGNED}")
    try:
        raise outer from inner
    except RuntimeError as caught:
        scrub(caught)
    assert [str(each) for each in causes(outer) if "secret" in str(each)] == []
    assert "cannot reach https://management.azure.com" in str(inner)


def test_an_error_drops_a_response_that_it_would_print() -> None:
    class AnsweredError(Exception):
        response: object = "a page with a secret"

        def __str__(self) -> str:
            return f"failed: {self.response}"

    scrub(error := AnsweredError("x"))
    assert "secret" not in str(error)


def test_the_connection_log_shows_addresses_without_their_query(caplog: pytest.LogCaptureFixture) -> None:
    quieten_vendors()
    log = logging.getLogger("urllib3.connectionpool")
    with caplog.at_level(logging.DEBUG, logger=log.name):
        log.debug('%s "%s %s" %s', "management.azure.com", "GET", SIGNED, 200)
    assert "secret" not in caplog.text
    assert "replicationOperationStatus/1" in caplog.text

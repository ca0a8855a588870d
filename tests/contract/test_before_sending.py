"""Calls that run right before a request is sent, on every backend."""

from __future__ import annotations

import pytest
from doors import TwoRegions

from asrnet.errors import ConflictError
from asrnet.model.azure import NetworkMapping
from asrnet.ports import Backend, before_sending


def test_a_call_runs_before_each_request_of_the_block_and_of_no_other(
    backend: Backend, regions: TwoRegions, wanted: NetworkMapping
) -> None:
    calls: list[str] = []
    with before_sending(lambda: calls.append("sent")):
        list(backend.mappings.mappings(regions.vault.id))
        backend.mappings.mapping(wanted.id)
    backend.mappings.mapping(wanted.id)
    assert calls == ["sent", "sent"]


@pytest.mark.usefixtures("own_world")
def test_an_error_of_the_check_prevents_the_write(backend: Backend, wanted: NetworkMapping) -> None:
    def refuse() -> None:
        raise ConflictError("somebody was here")

    with before_sending(refuse), pytest.raises(ConflictError, match="somebody was here"):
        backend.mapping_writer.create_mapping(wanted)
    assert backend.mappings.mapping(wanted.id) is None
    assert "PUT" not in backend.requests()


def test_a_call_sees_the_world_as_the_write_finds_it(backend: Backend, wanted: NetworkMapping) -> None:
    """Its own requests do not trigger it again; outer calls run before inner ones."""
    order: list[str] = []

    def look() -> None:
        order.append("look")
        assert backend.mappings.mapping(wanted.id) is None

    with before_sending(look), before_sending(lambda: order.append("send")):
        backend.mapping_writer.create_mapping(wanted)
    assert order == ["look", "send"]
    assert backend.mappings.mapping(wanted.id) == wanted

"""Mappings that do not say what they map, on every backend: unknown is not absent."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from doors import TwoRegions
from msgspec import structs

from asrnet.errors import ServiceError
from asrnet.fake.builder import Builder
from asrnet.model.azure import NetworkMapping, UnreadableMapping
from asrnet.ports import Backend


@pytest.fixture
def unreadable(azure: Builder, regions: TwoRegions) -> UnreadableMapping:
    return azure.unreadable_mapping(regions.fabric_ea, "Blank", regions.ea)


def test_a_list_includes_mappings_that_do_not_say_what_they_map(
    backend: Backend, azure: Builder, regions: TwoRegions, unreadable: UnreadableMapping
) -> None:
    forward, reverse = azure.pair(regions.fabric_ea, regions.ea, regions.fabric_sea, regions.sea)
    nothing = azure.unreadable_mapping(regions.fabric_sea, "nothing")
    found = sorted(backend.mappings.mappings(regions.vault.id), key=lambda mapping: mapping.name)
    assert found == [unreadable, forward, reverse, nothing]
    assert [mapping.primary_network_id for mapping in found][3] is None


def test_an_unreadable_mapping_is_listed_where_only_parts_of_the_vault_may_be_read(
    backend: Backend, regions: TwoRegions, unreadable: UnreadableMapping, behave: Callable[..., None]
) -> None:
    behave(denied=("Microsoft.RecoveryServices/vaults/replicationNetworkMappings/read",))
    assert list(backend.mappings.mappings(regions.vault.id)) == [unreadable]


def test_getting_an_unreadable_mapping_is_an_error_and_not_none(
    backend: Backend, unreadable: UnreadableMapping
) -> None:
    with pytest.raises(ServiceError, match="the mapping 'Blank' does not say which network it leads to"):
        backend.mappings.mapping(unreadable.id)


def test_a_put_under_the_name_of_an_unreadable_mapping_replaces_it(
    backend: Backend, regions: TwoRegions, unreadable: UnreadableMapping, wanted: NetworkMapping
) -> None:
    """A PUT upserts in the service, so asrnet must never send one here unintentionally."""
    renamed = structs.replace(wanted, id=unreadable.id)
    backend.mapping_writer.create_mapping(renamed)
    assert list(backend.mappings.mappings(regions.vault.id)) == [renamed]


def test_an_unreadable_mapping_can_be_deleted(
    backend: Backend, regions: TwoRegions, unreadable: UnreadableMapping
) -> None:
    assert backend.mapping_writer.delete_mapping(unreadable.id) is not None
    assert list(backend.mappings.mappings(regions.vault.id)) == []

"""Decisions above the requests to Site Recovery: absence, and lists in parts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from msgspec import structs

from asrnet.errors import ConflictError, ForbiddenError, NotFoundError, ServiceError, VaultUnusedError
from asrnet.fake.builder import Builder
from asrnet.fake.ports import FakeSiteRecovery
from asrnet.model.arm import ArmId
from asrnet.model.azure import Fabric, LiveMapping, NetworkMapping
from asrnet.ports import Operation
from asrnet.site_recovery import SiteRecovery

FORBIDDEN = ForbiddenError("no", status=403, code="AuthorizationFailed")


class Requests(FakeSiteRecovery):
    """A world's requests, some of which end in an error."""

    def __init__(self) -> None:
        self.build = Builder()
        super().__init__(self.build.world)
        self.vault = self.build.vault()
        fabric = self.build.azure_fabric(self.vault, "eastasia")
        recovery_fabric = self.build.azure_fabric(self.vault, "southeastasia")
        primary = self.build.virtual_network("Hub-EA", "eastasia")
        recovery = self.build.virtual_network("Hub-SEA", "southeastasia")
        self.there: NetworkMapping = self.build.mapping(fabric, primary, recovery_fabric, recovery)
        self.absent = structs.replace(
            self.there, id=self.there.id.parent.child("replicationNetworkMappings", "another")
        )
        self.mapping_error: ServiceError | None = None
        self.list_error: ServiceError | None = None
        self.sent: list[str] = []

    def mappings(self, vault: ArmId) -> Iterator[LiveMapping]:
        self.sent.append("list")
        if self.list_error:
            raise self.list_error
        yield from super().mappings(vault)

    def fabrics(self, vault: ArmId) -> Iterator[Fabric]:
        self.sent.append("fabrics")
        yield from super().fabrics(vault)

    def mapping(self, mapping_id: ArmId) -> LiveMapping:
        if self.mapping_error:
            raise self.mapping_error
        return super().mapping(mapping_id)

    def delete_mapping(self, mapping_id: ArmId) -> Operation | None:
        if self.mapping_error:
            raise self.mapping_error
        return super().delete_mapping(mapping_id)


@pytest.fixture
def requests() -> Requests:
    return Requests()


@pytest.fixture
def site_recovery(requests: Requests) -> SiteRecovery:
    return SiteRecovery(requests)


CLEAR = [
    NotFoundError("gone", status=404, code="ArmResourceDoesNotExist"),
    NotFoundError("gone", status=404, code="FabricArmEntityMissing"),
    ServiceError("gone", status=400, code="ArmResourceDoesNotExist"),
]
ABOUT_SOMETHING_ELSE = [
    VaultUnusedError("unused", status=400, code="SubscriptionIdNotRegisteredWithSrs"),
    NotFoundError("gone", status=404, code="ResourceNotFound"),
    NotFoundError("gone", status=404, code="ResourceGroupNotFound"),
    NotFoundError("gone", status=404, code="SubscriptionNotFound"),
    ServiceError("gone", status=400, code="SubscriptionNotFound"),
    ServiceError("a proxy's", status=404),
    ServiceError("down", status=503),
    ConflictError("busy", status=409),
    FORBIDDEN,
]
UNCLEAR = ServiceError("what?", status=400, code="UnhandledException")


@pytest.mark.parametrize("error", CLEAR, ids=str)
def test_a_clear_answer_proves_absence_without_another_request(
    error: ServiceError, requests: Requests, site_recovery: SiteRecovery
) -> None:
    requests.mapping_error = error
    assert site_recovery.mapping(requests.there.id) is None
    assert site_recovery.delete_mapping(requests.there.id) is None
    assert requests.sent == []


@pytest.mark.parametrize("error", ABOUT_SOMETHING_ELSE, ids=lambda error: f"{error.status} {error.code}")
def test_an_error_about_something_else_proves_no_absence(
    error: ServiceError, requests: Requests, site_recovery: SiteRecovery
) -> None:
    requests.mapping_error = error
    for call in (site_recovery.mapping, site_recovery.delete_mapping):
        with pytest.raises(ServiceError) as caught:
            call(requests.absent.id)
        assert caught.value is error


def test_an_unclear_400_is_settled_by_the_list(requests: Requests, site_recovery: SiteRecovery) -> None:
    """Public reports show status 400 for a missing mapping, without a code."""
    requests.mapping_error = UNCLEAR
    assert site_recovery.mapping(requests.absent.id) is None
    assert site_recovery.delete_mapping(requests.absent.id) is None
    found = site_recovery.mapping(requests.there.id)
    assert found is not None
    assert found.id == requests.there.id
    with pytest.raises(ServiceError) as caught:
        site_recovery.delete_mapping(requests.there.id)
    assert caught.value is UNCLEAR


def test_an_unclear_400_stays_an_error_where_the_list_cannot_be_read(
    requests: Requests, site_recovery: SiteRecovery
) -> None:
    requests.mapping_error, requests.list_error = UNCLEAR, ServiceError("down", status=503)
    with pytest.raises(ServiceError) as caught:
        site_recovery.mapping(requests.absent.id)
    assert caught.value is UNCLEAR


def test_a_mapping_under_another_segment_is_the_same_mapping(requests: Requests, site_recovery: SiteRecovery) -> None:
    """Terraform addresses mappings by the name of the primary network, and lists say azureNetwork."""
    requests.mapping_error = UNCLEAR
    segment = requests.there.fabric_id.child("replicationNetworks", "Hub-EA")
    assert site_recovery.mapping(segment.child("replicationNetworkMappings", requests.there.name.upper())) is not None


def test_a_forbidden_list_of_the_vault_is_read_in_parts_and_not_requested_again(
    requests: Requests, site_recovery: SiteRecovery
) -> None:
    requests.list_error = FORBIDDEN
    for _ in range(2):
        assert [mapping.id for mapping in site_recovery.mappings(requests.vault.id)] == [requests.there.id]
    assert requests.sent == ["list", "fabrics", "fabrics"]

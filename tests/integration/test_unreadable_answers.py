"""Answers with wrong or rare shapes: none is read as an empty list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from answering import Answering, Reply, error, in_turn

from asrnet.azure.connect import backend
from asrnet.azure.credentials import choose
from asrnet.azure.retry import RetryLimits
from asrnet.clocks import SimulatedClock
from asrnet.errors import NotFoundError, ServiceError
from asrnet.model.arm import ArmId
from asrnet.ports import Backend
from asrnet.settings.clouds import PUBLIC

S = "11111111-1111-1111-1111-111111111111"
ARM = "https://management.azure.com"
VAULT = ArmId(f"/subscriptions/{S}/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v")
FABRIC = VAULT.child("replicationFabrics", "f")
NETWORK = ArmId(f"/subscriptions/{S}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/n")
MAPPING = FABRIC.child("replicationNetworks", "azureNetwork", "replicationNetworkMappings", "m")
MARK = b"\xef\xbb\xbf"

LISTS: dict[str, Callable[[Backend], Any]] = {
    "networks": lambda azure: azure.networks.virtual_networks(S),
    "fabrics": lambda azure: azure.mappings.fabrics(VAULT),
    "mappings": lambda azure: azure.mappings.mappings(VAULT),
    "machines": lambda azure: azure.mappings.protected_items(VAULT),
    "jobs": lambda azure: azure.mappings.jobs(VAULT),
    "VM networks": lambda azure: azure.vmm.vm_networks(FABRIC),
    "logical networks": lambda azure: azure.vmm.logical_networks(FABRIC),
    "clouds": lambda azure: azure.vmm.clouds(FABRIC),
    "cloud mappings": lambda azure: azure.vmm.cloud_mappings(VAULT),
}
every_list = pytest.mark.parametrize("what", LISTS)


def connected(azure: Answering) -> Backend:
    limits = RetryLimits(attempts=1, connection_attempts=1)
    credential = choose(PUBLIC, named="emulator")
    return backend(clock=SimulatedClock(), credential=credential, limits=limits, session=azure.session)


def read(what: str, *replies: Reply) -> list[Any]:
    return list(LISTS[what](connected(Answering(in_turn(*replies)))))


@every_list
@pytest.mark.parametrize(
    "body",
    [
        b"<html>busy</html>",
        b"",
        b"[]",
        b'"text"',
        b"null",
        b'{"value": null}',
        b'{"value": "text"}',
        b'{"value": 1}',
        b'{"value": [null]}',
        b'{"value": ["text"]}',
        b'{"value": [[]]}',
        b'{"value": [',
        b"\xff\xfe\x00",
        b'{"value": [], "nextLink": 7}',
        b'{"value": [], "nextLink": ["x"]}',
    ],
    ids=repr,
)
def test_an_answer_that_is_not_a_list_is_an_error_that_names_the_list(what: str, body: bytes) -> None:
    with pytest.raises(ServiceError, match="cannot be read") as caught:
        read(what, (200, {}, body), (200, {}, {"value": []}))
    assert caught.value.resource_id.startswith(f"/subscriptions/{S}")


@every_list
@pytest.mark.parametrize("row", [{"id": 7}, {"id": None}, {}, {"id": "/x", "properties": "text"}], ids=repr)
def test_a_row_of_the_wrong_shape_fails_the_list_or_is_left_out(what: str, row: dict[str, object]) -> None:
    """A list that proves absence fails; any other list omits at most that row."""
    try:
        found = read(what, (200, {}, {"value": [row]}))
        # A job that does not say what it is may be one that must not be disturbed.
        assert found == [] or (what, [job.name for job in found]) == ("jobs", ["unreadable"])
    except ServiceError as refusal:
        assert "cannot be read" in refusal.message  # noqa: PT017 - either is right
    else:
        assert what not in {"fabrics", "mappings", "machines"}


@pytest.mark.parametrize("job_id", [None, "", "7a", "/subscriptions/x/jobs/7a"])
def test_a_job_without_a_readable_id_is_read_all_the_same(job_id: str | None) -> None:
    properties = {"scenarioName": "TestFailover", "state": "InProgress", "targetObjectName": "vm1"}
    [job] = read("jobs", (200, {}, {"value": [{"id": job_id, "properties": properties}]}))
    assert (job.scenario, job.state, job.target) == ("TestFailover", "InProgress", "vm1")


@pytest.mark.parametrize(
    "properties",
    [{"state": 5}, {"primaryNetworkId": ["x"]}, {"fabricSpecificSettings": "x"}, {"recoveryNetworkId": True}],
    ids=repr,
)
def test_a_mapping_with_a_member_of_the_wrong_kind_is_refused(properties: dict[str, object]) -> None:
    ends = {"primaryNetworkId": str(NETWORK), "recoveryNetworkId": str(NETWORK)}
    regions = {"primaryFabricFriendlyName": "East US", "recoveryFabricFriendlyName": "West US"}
    row = {"id": str(MAPPING), "properties": {**ends, **regions, **properties}}
    with pytest.raises(ServiceError, match="cannot be read"):
        read("mappings", (200, {}, {"value": [row]}))


@pytest.mark.parametrize("body", [b"<html>busy</html>", b"", b"[]", b"null", b'"text"', b"7"], ids=repr)
@pytest.mark.parametrize(
    "call",
    [
        lambda azure: azure.networks.virtual_network(NETWORK),
        lambda azure: azure.mappings.mapping(MAPPING),
        lambda azure: azure.mappings.vault_location(VAULT),
        lambda azure: azure.surroundings.subscription(S),
        lambda azure: azure.surroundings.regions(S),
        lambda azure: azure.surroundings.provider(S, "Microsoft.Network"),
        lambda azure: azure.surroundings.rights(VAULT),
    ],
    ids=["network", "mapping", "vault", "subscription", "regions", "provider", "rights"],
)
def test_an_answer_that_is_not_a_resource_is_an_error(call: Callable[[Backend], object], body: bytes) -> None:
    with pytest.raises(ServiceError, match="cannot be read"):
        call(connected(Answering(in_turn((200, {}, body)))))


@pytest.mark.parametrize("body", [b"{}", b'{"id": ""}', b'{"id": 7}', b'{"id": "/what/is/this"}'], ids=repr)
def test_a_resource_without_a_valid_id_is_an_error(body: bytes) -> None:
    azure = connected(Answering(in_turn((200, {}, body))))
    for call in (azure.networks.virtual_network, azure.networks.subnet_attachment):
        with pytest.raises(ServiceError, match="cannot be read"):
            call(NETWORK)
    with pytest.raises(ServiceError, match="cannot be read"):
        azure.mappings.mapping(MAPPING)


@pytest.mark.parametrize(
    "provider", ["A2A", "HyperVReplicaAzure", "InMageAzureV2", "InMageRcm", "NobodyKnowsIt", "", None]
)
def test_machines_of_every_provider_are_read_with_their_nics(provider: str | None) -> None:
    """The SDK's models of unknown providers lack this member."""
    details = {"instanceType": provider, "vmNics": [{"nicId": "a"}, {"nicId": "b"}]}
    row = {
        "id": str(FABRIC.child("replicationProtectionContainers", "c", "replicationProtectedItems", "vm")),
        "properties": {"friendlyName": "vm", "providerSpecificDetails": details},
    }
    (machine,) = read("machines", (200, {}, {"value": [row]}))
    assert [nic.name for nic in machine.nics] == ["a", "b"]
    assert machine.provider == (provider or "")


@every_list
@pytest.mark.parametrize("charset", ["", "; charset=utf-8", "; charset=UTF-8", "; charset=utf-8-sig"])
def test_a_list_after_a_byte_order_mark_is_read(what: str, charset: str) -> None:
    body = MARK + b'{"value": [], "nextLink": null}'
    assert read(what, (200, {"Content-Type": f"application/json{charset}"}, body)) == []


def test_absence_is_proved_after_a_byte_order_mark() -> None:
    body = MARK + b'{"error": {"code": "ResourceNotFound", "message": "Gone."}}'
    assert connected(Answering(in_turn((404, {}, body)))).networks.virtual_network(NETWORK) is None
    with pytest.raises(NotFoundError):
        connected(Answering(in_turn((404, {}, body)))).mappings.vault_location(VAULT)


@every_list
@pytest.mark.parametrize("link", ["/next/page?api-version=2025-08-01&$skiptoken=a%2Bb", f"{ARM}/next/page?x={{0}}"])
def test_a_page_is_requested_at_the_endpoint_whatever_form_its_address_has(what: str, link: str) -> None:
    azure = Answering(in_turn((200, {}, {"value": [], "nextLink": link}), (200, {}, {"value": []})))
    assert list(LISTS[what](connected(azure))) == []
    assert azure.sent[1:] == [f"GET {ARM}/next/page"]


@every_list
@pytest.mark.parametrize("link", ["https://pod01.example.invalid/x", "http://127.0.0.1/x", "https://[::1]/x"])
def test_a_page_on_another_host_is_refused_and_is_not_the_end_of_the_list(what: str, link: str) -> None:
    azure = Answering(in_turn((200, {}, {"value": [], "nextLink": link}), (200, {}, {"value": []})))
    with pytest.raises(ServiceError) as caught:
        list(LISTS[what](connected(azure)))
    assert caught.value.code == "ForeignHost"
    assert len(azure.requests) == 1


@every_list
def test_a_page_without_a_scheme_is_requested_at_the_endpoint(what: str) -> None:
    """A browser would follow the link to that host; the SDK reads it as a path."""
    azure = Answering(in_turn((200, {}, {"value": [], "nextLink": "//example.invalid/x"}), (200, {}, {"value": []})))
    assert list(LISTS[what](connected(azure))) == []
    assert {sent.split("/")[2] for sent in azure.sent} == {"management.azure.com"}


@every_list
def test_pages_that_link_to_each_other_end_with_an_error(what: str) -> None:
    pages = iter("abcabc")

    def handle(_request: requests.PreparedRequest) -> Reply:
        return 200, {}, {"value": [], "nextLink": f"{ARM}/page?at={next(pages)}"}

    with pytest.raises(ServiceError, match="has pages that form a loop"):
        list(LISTS[what](connected(Answering(handle))))


@every_list
def test_an_empty_last_page_ends_the_list(what: str) -> None:
    more: Reply = (200, {}, {"value": [], "nextLink": f"{ARM}/page?2"})
    ends: tuple[dict[str, object], ...] = (
        {"value": []},
        {"value": [], "nextLink": None},
        {"value": [], "nextLink": ""},
        {},
    )
    for end in ends:
        assert read(what, more, (200, {}, end)) == []


@every_list
def test_a_refusal_on_a_later_page_is_an_error(what: str) -> None:
    more: Reply = (200, {}, {"value": [], "nextLink": f"{ARM}/page?2"})
    with pytest.raises(ServiceError) as caught:
        read(what, more, (409, {}, error("Conflict", "No.")))
    assert caught.value.code == "Conflict"

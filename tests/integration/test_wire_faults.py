"""The real SDK under faults: what is retried, raised, or requested instead."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable
from urllib.parse import unquote

import pytest
import requests
import urllib3
from answering import Answering, Reply, error, in_turn
from azure.core.credentials import AccessTokenInfo
from msgspec import structs

from asrnet.azure.connect import backend
from asrnet.azure.credentials import choose, given
from asrnet.azure.retry import RetryLimits
from asrnet.clocks import SimulatedClock
from asrnet.errors import (
    AsrError,
    CredentialError,
    ForbiddenError,
    NotFoundError,
    ServiceError,
    UnreachableError,
    VaultUnusedError,
)
from asrnet.model.arm import ArmId
from asrnet.model.azure import LiveMapping, NetworkMapping, VirtualNetwork
from asrnet.ports import Backend
from asrnet.settings.clouds import PUBLIC

S = "11111111-1111-1111-1111-111111111111"
VAULT = ArmId(f"/subscriptions/{S}/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v")
VNETS = f"/subscriptions/{S}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks"
MAPPING = NetworkMapping(
    id=VAULT.child(
        "replicationFabrics", "fa", "replicationNetworks", "azureNetwork", "replicationNetworkMappings", "m"
    ),
    kind="azure_to_azure",
    primary_network_id=ArmId(f"{VNETS}/a"),
    recovery_network_id=ArmId(f"{VNETS}/b"),
    recovery_fabric_id=VAULT.child("replicationFabrics", "fb"),
)
STATUS = f"https://management.azure.com{VAULT}/replicationOperationStatus/0a1b?api-version=2025-08-01&s=secret"
ACCEPTED: Reply = (202, {"Azure-AsyncOperation": STATUS, "Retry-After": "30"}, None)
EMPTY: Reply = (200, {}, {"value": [], "nextLink": None})
BUSY: Reply = (409, {"Retry-After": "5"}, error("AnotherOperationInProgress", "Busy."))
THROTTLED: Reply = (429, {"Retry-After": "17"}, error("SubscriptionRequestsThrottled", "Later."))
UNAVAILABLE: Reply = (503, {"Retry-After": "3"}, error("ServiceUnavailable", "Later."))


class Wire:
    """A backend on a simulated clock, with answers from the test."""

    def __init__(self, *replies: Reply | Exception, handle: Callable[..., Reply] | None = None) -> None:
        self.azure = Answering(handle or in_turn(*replies))
        self.clock = SimulatedClock()
        self._begun = self.clock.now()
        self.backend: Backend = backend(
            clock=self.clock,
            credential=choose(PUBLIC, named="emulator"),
            limits=RetryLimits(attempts=4, connection_attempts=3, deadline=100.0),
            session=self.azure.session,
        )

    def mappings(self) -> list[LiveMapping]:
        return list(self.backend.mappings.mappings(VAULT))

    def refusal(self, call: Callable[[], object]) -> AsrError:
        with pytest.raises(AsrError) as caught:
            call()
        return caught.value

    @property
    def waited(self) -> float:
        return self.clock.now() - self._begun


def test_a_throttled_list_waits_for_retry_after_and_is_counted() -> None:
    wire = Wire(THROTTLED, UNAVAILABLE, EMPTY)
    assert wire.mappings() == []
    assert wire.waited >= 20.0
    assert wire.waited < 21.0
    assert wire.backend.requests() == {"GET": 3, "retries": 2}


def test_a_connection_that_is_reset_is_retried_up_to_the_limit() -> None:
    wire = Wire(requests.ConnectionError("reset by peer"), EMPTY)
    assert wire.mappings() == []
    assert wire.backend.requests() == {"GET": 2, "retries": 1}
    lasting = Wire(requests.ConnectionError("reset by peer"))
    found = lasting.refusal(lasting.mappings)
    assert isinstance(found, UnreachableError)
    assert found.message.startswith("no answer from management.azure.com: ")
    assert found.message.endswith(f"(GET {VAULT}/replicationNetworkMappings, 3 attempts)")
    assert lasting.backend.requests() == {"GET": 3, "retries": 2}


def test_a_service_that_stays_down_is_an_error_after_the_last_attempt() -> None:
    wire = Wire(UNAVAILABLE)
    found = wire.refusal(wire.mappings)
    assert isinstance(found, ServiceError)
    assert (found.status, found.code) == (503, "ServiceUnavailable")
    assert found.message.endswith(f" (HTTP 503: GET {VAULT}/replicationNetworkMappings, 4 attempts)")
    assert "run again later" in found.hint
    assert (wire.waited, wire.backend.requests()) == (9.0, {"GET": 4, "retries": 3})


def test_a_throttling_beyond_the_deadline_is_an_error_at_once() -> None:
    wire = Wire((429, {"Retry-After": "3600"}, error("SubscriptionRequestsThrottled", "Later.")))
    found = wire.refusal(wire.mappings)
    assert isinstance(found, ServiceError)
    assert (found.status, wire.waited) == (429, 0.0)
    assert "throttling" in found.hint


def test_a_busy_vault_is_retried_and_the_operation_counts_the_attempts() -> None:
    wire = Wire(BUSY, BUSY, ACCEPTED)
    operation = wire.backend.mapping_writer.create_mapping(MAPPING)
    assert operation is not None
    assert (operation.id, operation.busy, operation.retry_after) == ("0a1b", 2, 30.0)
    assert wire.waited == 10.0
    assert wire.backend.requests() == {"PUT": 3, "retries": 2}
    bodies = {request.body for request in wire.azure.requests}
    assert len(bodies) == 1


def test_a_write_of_a_network_repeats_its_body() -> None:
    made: Reply = (201, {}, {"properties": {"provisioningState": "Succeeded"}})
    wire = Wire(UNAVAILABLE, made)
    network = VirtualNetwork(id=ArmId(f"{VNETS}/n"), location="eastus", address_space=("10.0.0.0/16",))
    assert wire.backend.network_writer.create_virtual_network(network) is None
    first, second = (request.body for request in wire.azure.requests)
    assert first == second
    assert "10.0.0.0/16" in str(second)


@pytest.mark.parametrize("code", ["ScopeLocked", "RequestDisallowedByPolicy", "AuthorizationFailed"])
def test_a_refusal_is_not_retried(code: str) -> None:
    wire = Wire((409, {}, error(code, "No.")), ACCEPTED)
    wire.refusal(lambda: wire.backend.mapping_writer.create_mapping(MAPPING))
    assert wire.backend.requests() == {"PUT": 1, "retries": 0}


def test_stopping_the_run_ends_a_wait_at_once() -> None:
    wire = Wire(THROTTLED, EMPTY)
    future = wire.clock.start(wire.mappings)
    wire.clock.advance(1)
    wire.clock.stop()
    wire.clock.wait([future], None)
    with pytest.raises(InterruptedError):
        future.result()
    assert len(wire.azure.requests) == 1


def test_an_expired_token_is_a_credential_error() -> None:
    wire = Wire((401, {"WWW-Authenticate": "Bearer error=invalid_token"}, error("ExpiredAuthenticationToken", "Old.")))
    found = wire.refusal(wire.mappings)
    assert isinstance(found, CredentialError)
    assert "az login" in found.hint


def test_a_missing_right_names_the_action_and_the_role_that_has_it() -> None:
    action = "Microsoft.RecoveryServices/vaults/replicationFabrics/write"
    message = f"The client 'c' with object id 'o' does not have authorization to perform action '{action}' over scope"
    wire = Wire((403, {}, error("AuthorizationFailed", message)))
    found = wire.refusal(wire.mappings)
    assert isinstance(found, ForbiddenError)
    assert (found.action, found.resource_id) == (action, str(VAULT))
    assert "'asrnet permissions --for apply'" in found.hint


@pytest.mark.parametrize("code", ["ResourceNotFound", "SubscriptionNotFound", "ResourceGroupNotFound"])
def test_a_missing_vault_subscription_or_group_is_not_found(code: str) -> None:
    wire = Wire((404, {"x-ms-correlation-request-id": "corr-7"}, error(code, "Gone.")))
    found = wire.refusal(wire.mappings)
    assert isinstance(found, NotFoundError)
    assert (found.code, found.request_id) == (code, "corr-7")


def test_a_name_that_does_not_resolve_is_reported_after_few_attempts() -> None:
    pool = urllib3.HTTPSConnectionPool("management.azure.com")
    connection = urllib3.connection.HTTPSConnection("management.azure.com")
    unknown = socket.gaierror(-2, "Name or service not known")
    cause = urllib3.exceptions.NameResolutionError("management.azure.com", connection, unknown)
    fault = requests.ConnectionError(urllib3.exceptions.MaxRetryError(pool, "/x?s=secret", cause))
    wire = Wire(fault)
    found = wire.refusal(wire.mappings)
    assert isinstance(found, UnreachableError)
    assert "does not resolve" in found.hint
    assert "secret" not in found.message
    assert len(wire.azure.requests) == 3


@pytest.mark.parametrize("body", [b"<html>busy</html>", b'{"value": 1}', b"[]", b""])
def test_an_answer_that_is_not_a_list_is_an_error_and_not_an_empty_list(body: bytes) -> None:
    wire = Wire((200, {}, body))
    found = wire.refusal(wire.mappings)
    assert isinstance(found, ServiceError)
    assert "cannot be read" in found.message


@pytest.mark.parametrize(
    ("links", "asked"),
    [(["2", "2"], 2), (["2", "3", "2"], 3), (["2", "3", "4", "3"], 4), ([""], 1), (["2", ""], 2)],
    ids=["to itself", "of two", "of two, later", "the first to itself", "to the first"],
)
def test_a_list_whose_pages_loop_ends_with_an_error(links: list[str], asked: int) -> None:
    """An empty link resolves to the address of the first page."""
    left = [*links, "never asked for"]

    def handle(request: requests.PreparedRequest) -> Reply:
        first.append(str(request.url))
        link = left.pop(0)
        return (
            200,
            {},
            {"value": [], "nextLink": f"https://management.azure.com/same?page={link}" if link else first[0]},
        )

    first: list[str] = []
    wire = Wire(handle=handle)
    found = wire.refusal(wire.mappings)
    assert "has pages that form a loop" in found.message
    assert len(wire.azure.requests) == asked


def test_a_list_of_many_pages_is_not_taken_for_a_loop() -> None:
    pages: list[Reply] = [(200, {}, {"value": [], "nextLink": f"https://management.azure.com/p?{i}"}) for i in range(9)]
    wire = Wire(*pages, (200, {}, {"value": []}))
    assert wire.mappings() == []
    assert len(wire.azure.requests) == 10


def test_a_later_page_that_is_forbidden_is_an_error_and_not_a_second_reading() -> None:
    row = {
        "id": str(MAPPING.id),
        "properties": {"primaryNetworkId": f"{VNETS}/a", "recoveryNetworkId": f"{VNETS}/b"},
    }
    more: Reply = (200, {}, {"value": [row], "nextLink": "https://management.azure.com/page2"})
    wire = Wire(more, (403, {}, error("AuthorizationFailed", "No.")), EMPTY)
    assert isinstance(wire.refusal(wire.mappings), ForbiddenError)


def test_a_forbidden_list_of_the_vault_is_requested_once_per_run() -> None:
    def handle(request: requests.PreparedRequest) -> Reply:
        path = str(request.url).partition("?")[0]
        if path.endswith("/vaults/v/replicationNetworkMappings"):
            return 403, {}, error("AuthorizationFailed", "No.")
        if path.endswith("/replicationFabrics"):
            fabric = {
                "id": f"{VAULT}/replicationFabrics/fa",
                "properties": {"customDetails": {"instanceType": "Azure"}},
            }
            return 200, {}, {"value": [fabric]}
        return EMPTY

    wire = Wire(handle=handle)
    assert (wire.mappings(), wire.mappings()) == ([], [])
    whole = [sent for sent in wire.azure.sent if sent.endswith("/vaults/v/replicationNetworkMappings")]
    assert len(whole) == 1
    network = "replicationFabrics/fa/replicationNetworks/azureNetwork/replicationNetworkMappings"
    assert wire.azure.sent[-1] == f"GET https://management.azure.com{VAULT}/{network}"


@pytest.mark.parametrize("status", [400, 405, 409])
def test_a_patch_that_is_refused_is_an_error_and_no_other_write(status: int) -> None:
    wire = Wire((status, {}, error("Unsupported", "No PATCH.")))
    wire.refusal(lambda: wire.backend.mapping_writer.patch_mapping(MAPPING))
    assert [request.method for request in wire.azure.requests] == ["PATCH"]


def test_patch_and_put_have_the_same_address_and_body() -> None:
    wire = Wire(ACCEPTED)
    wire.backend.mapping_writer.patch_mapping(MAPPING)
    wire.backend.mapping_writer.put_mapping(MAPPING)
    assert [request.method for request in wire.azure.requests] == ["PATCH", "PUT"]
    assert len({(str(request.url), str(request.body)) for request in wire.azure.requests}) == 1


@pytest.mark.parametrize("status", [400, 404])
def test_deleting_a_missing_resource_succeeds_at_once(status: int) -> None:
    detail = {"code": "ArmResourceDoesNotExist", "message": "Gone.", "possibleCauses": ""}
    wire = Wire((status, {}, error("NotFound", "Gone.", details=[detail])))
    assert wire.backend.mapping_writer.delete_mapping(MAPPING.id) is None


def test_an_unused_vault_is_not_read_in_parts() -> None:
    detail = {"code": "SubscriptionIdNotRegisteredWithSrs", "message": "Not registered.", "possibleCauses": ""}
    wire = Wire((400, {}, error("BadRequest", "Not registered.", details=[detail])))
    assert isinstance(wire.refusal(wire.mappings), VaultUnusedError)
    assert [request.method for request in wire.azure.requests] == ["GET"]


def test_special_characters_in_names_are_escaped() -> None:
    wire = Wire(ACCEPTED, (404, {}, error("NotFound", "Gone.")))
    odd = MAPPING.id.parent.child("replicationNetworkMappings", "a b (é)")
    wire.backend.mapping_writer.create_mapping(structs.replace(MAPPING, id=odd))
    assert wire.backend.mappings.mapping(odd) is None
    segments = {str(request.url).partition("?")[0].rpartition("/")[2] for request in wire.azure.requests}
    assert segments == {"a%20b%20%28%C3%A9%29"}


def test_jobs_are_filtered_by_the_service_and_again_here() -> None:
    def job(name: str, state: str | None, start: str) -> dict[str, object]:
        return {"id": f"{VAULT}/replicationJobs/{name}", "properties": {"state": state, "startTime": start}}

    rows = [
        job("old", "InProgress", "2026-01-01T00:00:00.1234567Z"),
        job("new", "InProgress", "2026-01-01T00:00:09.1234567Z"),
        job("done", "Succeeded", "2026-01-01T00:00:09.1234567Z"),
        job("odd", "InProgress", "not a time"),
        job("untold", None, "2026-01-01T00:00:09.1234567Z"),
    ]
    wire = Wire((200, {}, {"value": rows}))
    found = list(wire.backend.mappings.jobs(VAULT, since=1_767_225_605.5, state="InProgress"))
    assert [each.name for each in found] == ["new", "odd", "untold"]
    query = unquote(str(wire.azure.requests[0].url).partition("?")[2])
    assert query == "api-version=2025-08-01&$filter=startTime eq '2026-01-01T00:00:05Z' and jobStatus eq 'InProgress'"


class Issuer:
    """A credential that counts its tokens."""

    def __init__(self) -> None:
        self.issued = 0

    def get_token_info(self, *_scopes: str, **_options: object) -> AccessTokenInfo:
        self.issued += 1
        return AccessTokenInfo(f"token-{self.issued}", 4_000_000_000)


def test_all_clients_of_a_run_share_one_token() -> None:
    issuer = Issuer()
    azure = Answering(in_turn(EMPTY))
    run = backend(clock=SimulatedClock(), credential=given(issuer), session=azure.session)
    list(run.mappings.mappings(VAULT))
    list(run.mappings.mappings(ArmId(str(VAULT).replace(S, S.replace("1", "2")))))
    list(run.networks.virtual_networks(S))
    assert issuer.issued == 1
    assert {request.headers["Authorization"] for request in azure.requests} == {"Bearer token-1"}


def loaded_after(program: str) -> set[str]:
    """The azure packages that are loaded after ``program`` has run in its own process."""
    listing = f"{program}\nimport sys\nprint(*(name for name in sys.modules if name.startswith('azure')))"
    done = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True, timeout=60)
    return set(done.stdout.split())


def test_an_sdk_is_imported_only_where_it_is_needed() -> None:
    loaded = loaded_after(
        "from asrnet.azure.connect import backend\n"
        "from asrnet.clocks import SystemClock\n"
        "from asrnet.settings.clouds import cloud\n"
        "backend(clock=SystemClock(), cloud=cloud('public', 'http://127.0.0.1:1')).identity()"
    )
    assert "azure.core" in loaded
    unwanted = {"azure.identity", "azure.mgmt.network", "azure.mgmt.recoveryservicessiterecovery"}
    assert loaded & unwanted == set()
    assert loaded_after("import asrnet.azure, asrnet.settings.clouds, asrnet.azure.credentials") == set()

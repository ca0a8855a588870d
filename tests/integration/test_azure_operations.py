"""What an accepted write returns, and the status of its operation."""

from __future__ import annotations

import pytest
from answering import Answering, Reply
from azure.core.pipeline import Pipeline, PipelineResponse
from azure.core.pipeline.transport import RequestsTransport
from azure.core.rest import HttpRequest

from asrnet.azure.operations import Submitted, operation_of, status_of
from asrnet.azure.retry import BUSY
from asrnet.errors import OperationFailedError, ServiceError
from asrnet.model.arm import ArmId
from asrnet.ports import Operation, OperationStatus

S = "11111111-1111-1111-1111-111111111111"
VAULT = ArmId(f"/subscriptions/{S}/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v")
MAPPING = VAULT.child(
    "replicationFabrics", "f", "replicationNetworks", "azureNetwork", "replicationNetworkMappings", "m"
)
STATUS = f"https://management.azure.com{VAULT}/replicationOperationStatus/0a1b?api-version=2025-08-01&s=secret"
WAITING = Operation(id="0a1b", resource_id=MAPPING, status_url=STATUS)


def answered(reply: Reply) -> PipelineResponse[HttpRequest, object]:
    transport = RequestsTransport(session=Answering(lambda _: reply).session, session_owner=False)
    response = Pipeline(transport, []).run(HttpRequest("PUT", f"https://management.azure.com{MAPPING}"))
    response.http_response.read()
    return response


def status(document: object, *, code: int = 200) -> OperationStatus:
    response = answered((code, {}, document))
    return status_of(response.http_response, WAITING)  # type: ignore[arg-type]  # it is a status


def test_an_accepted_write_is_an_operation_named_like_its_job() -> None:
    response = answered(
        (
            202,
            {"Azure-AsyncOperation": STATUS, "Retry-After": "30", "x-ms-correlation-request-id": "corr"},
            None,
        )
    )
    response.context[BUSY] = 3
    operation = operation_of(response, MAPPING)
    assert operation == Operation(
        id="0a1b", resource_id=MAPPING, status_url=STATUS, retry_after=30.0, busy=3, correlation_id="corr"
    )
    assert "secret" not in repr(operation)


def test_the_location_is_polled_where_no_other_address_is_given() -> None:
    location = f"https://management.azure.com{MAPPING}/operationresults/0a1b?api-version=2025-08-01"
    operation = operation_of(answered((202, {"Location": location}, None)), MAPPING)
    assert operation is not None
    assert (operation.id, operation.status_url) == ("0a1b", location)


@pytest.mark.parametrize(
    "reply",
    [
        (200, {}, {"properties": {"state": "Paired"}}),
        (200, {}, None),
        (204, {}, None),
        (201, {}, {"properties": {"provisioningState": "Succeeded"}}),
        (200, {"Location": "https://management.azure.com/x"}, None),
    ],
)
def test_a_write_that_azure_finishes_at_once_is_not_polled(reply: Reply) -> None:
    assert operation_of(answered(reply), MAPPING) is None


def test_a_resource_being_created_is_polled_itself_where_no_address_is_given() -> None:
    operation = operation_of(answered((201, {}, {"properties": {"provisioningState": "Updating"}})), MAPPING)
    assert operation is not None
    assert operation.status_url == f"https://management.azure.com{MAPPING}"


def test_an_accepted_write_without_any_address_is_an_error_and_not_a_success() -> None:
    with pytest.raises(ServiceError, match="does not say how to follow"):
        operation_of(answered((202, {}, None)), MAPPING)


def test_the_sdk_gets_the_operation_as_the_result_of_a_method_without_polling() -> None:
    method = Submitted(MAPPING)
    method.initialize(None, answered((202, {"Azure-AsyncOperation": STATUS}, None)), None)
    assert method.finished()
    operation = method.resource()
    assert operation is not None
    assert operation.id == "0a1b"


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("InProgress", "in_progress"),
        ("Succeeded", "succeeded"),
        ("succeeded", "succeeded"),
        ("Failed", "failed"),
        ("Canceled", "canceled"),
        ("Cancelled", "canceled"),
        ("Completed", "succeeded"),
        ("PartiallySucceeded", "succeeded"),
        ("CompletedWithInformation", "succeeded"),
        ("TimedOut", "failed"),
        ("Aborted", "canceled"),
        ("Accepted", "in_progress"),
        ("SomethingNew", "in_progress"),
    ],
)
def test_only_the_status_decides_whether_an_operation_succeeded(word: str, state: str) -> None:
    assert status({"status": word, "error": None, "id": None, "properties": None}).state == state


@pytest.mark.parametrize("body", [b"not json", b"<html>busy</html>", b"[]", b"{}x"])
def test_an_unreadable_state_does_not_count_as_success(body: bytes) -> None:
    with pytest.raises(ServiceError, match="cannot be read"):
        status(body)


def test_a_state_after_a_byte_order_mark_is_read() -> None:
    assert status(b'\xef\xbb\xbf{"status": "InProgress"}').state == "in_progress"


@pytest.mark.parametrize("header", ["Azure-AsyncOperation", "Location"])
def test_a_relative_address_is_joined_to_the_endpoint(header: str) -> None:
    operation = operation_of(answered((202, {header: "/subscriptions/1/op/0a1b?s=x~y"}, None)), MAPPING)
    assert operation is not None
    assert (operation.id, operation.status_url) == (
        "0a1b",
        "https://management.azure.com/subscriptions/1/op/0a1b?s=x~y",
    )


@pytest.mark.parametrize("word", ["Succeeded", "InProgress"])
def test_an_error_in_a_succeeded_or_running_status_is_a_warning(word: str) -> None:
    warning = {"code": "28061", "message": "The machine is unavailable.", "details": None}
    assert status({"status": word, "error": warning}).error is None


def test_a_failed_operation_gives_its_error() -> None:
    detail = {
        "code": "150261",
        "message": "Inner words.",
        "possibleCauses": "A cause.",
        "recommendedAction": "Do this.",
    }
    document = {"status": "Failed", "error": {"code": "28020", "message": "Words.", "details": [detail]}}
    error = status(document).error
    assert isinstance(error, OperationFailedError)
    assert (error.code, error.possible_causes, error.hint) == ("150261", "A cause.", "Do this.")
    assert error.resource_id == str(MAPPING)


def test_a_failed_status_without_an_error_is_a_failure() -> None:
    error = status({"status": "Canceled", "error": None}).error
    assert isinstance(error, OperationFailedError)
    assert (error.code, error.message) == ("Canceled", "the operation ended in Canceled")


@pytest.mark.parametrize(
    ("document", "code", "state"),
    [
        (None, 202, "in_progress"),
        (None, 204, "succeeded"),
        ({"properties": {"provisioningState": "Updating"}}, 200, "in_progress"),
        ({"properties": {"provisioningState": "Succeeded"}}, 200, "succeeded"),
        ({"properties": {"provisioningState": "Failed"}}, 200, "failed"),
        ({"properties": {"state": "Paired"}}, 200, "succeeded"),
    ],
)
def test_other_status_urls_are_read_in_their_own_format(document: object, code: int, state: str) -> None:
    assert status(document, code=code).state == state

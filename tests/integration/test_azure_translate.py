"""Translating Azure's answers into asrnet's errors."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Mapping
from types import MappingProxyType

import pytest
from azure.core.exceptions import DecodeError, ServiceRequestError
from msgspec import Struct

from asrnet.azure.answers import read_error
from asrnet.azure.translate import error_of, translated
from asrnet.errors import (
    AsrError,
    ConflictError,
    CredentialError,
    CrossTenantError,
    ForbiddenError,
    NotFoundError,
    ResourceGroupNotFoundError,
    ServiceError,
    UnreachableError,
    VaultUnusedError,
)
from asrnet.model.arm import ArmId

S = "11111111-1111-1111-1111-111111111111"
VNET = ArmId(f"/subscriptions/{S}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/hub")


HEADERS = {"x-ms-correlation-request-id": "corr-1", "x-ms-request-id": "req-1"}


class Answer(Struct, frozen=True):
    """The parts of an HTTP response that matter."""

    status_code: int
    content: bytes
    headers: Mapping[str, str] = MappingProxyType(HEADERS)
    reason: str = ""


def answered(status: int, document: object) -> AsrError:
    return error_of(Answer(status, json.dumps(document).encode()), VNET)


def coded(status: int, code: str, message: str = "Words.", **more: object) -> AsrError:
    return answered(status, {"error": {"code": code, "message": message, **more}})


def site_recovery(status: int, outer: str, inner: str, message: str = "Words.") -> AsrError:
    detail = {
        "code": inner,
        "message": message,
        "possibleCauses": "A cause.",
        "recommendedAction": "An action.",
        "clientRequestId": "client",
        "activityId": "activity",
    }
    return coded(status, outer, message, details=[detail])


def service(error: AsrError) -> ServiceError:
    assert isinstance(error, ServiceError)
    return error


def test_a_site_recovery_error_carries_its_inner_code_causes_and_advice() -> None:
    error = service(
        site_recovery(404, "NotFound", "FabricArmEntityMissing", "Fabric with name f could not be located.")
    )
    assert type(error) is NotFoundError
    assert (error.status, error.code, error.message) == (
        404,
        "FabricArmEntityMissing",
        "Fabric with name f could not be located.",
    )
    assert (error.possible_causes, error.recommended_action, error.hint) == ("A cause.", "An action.", "An action.")
    assert (error.resource_id, error.request_id) == (str(VNET), "corr-1")


def test_details_of_other_services_do_not_hide_the_outer_code() -> None:
    error = service(coded(400, "NetcfgSubnetRangesOverlap", details=[{"code": "Noise", "message": "Noise."}]))
    assert (error.code, error.message) == ("NetcfgSubnetRangesOverlap", "Words.")


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "ResourceNotFound", NotFoundError),
        (404, "ResourceGroupNotFound", ResourceGroupNotFoundError),
        (404, "SubscriptionNotFound", NotFoundError),
        (409, "Conflict", ConflictError),
        (409, "ScopeLocked", ConflictError),
        (403, "ScopeLocked", ConflictError),
        (403, "AuthorizationFailed", ForbiddenError),
        (400, "LinkedAuthorizationFailed", ForbiddenError),
        (403, "RequestDisallowedByPolicy", ForbiddenError),
        (401, "InvalidAuthenticationTokenTenant", CrossTenantError),
        (400, "InvalidRequestContent", ServiceError),
        (500, "InternalServerError", ServiceError),
    ],
)
def test_each_error_code_maps_to_its_class(status: int, code: str, kind: type[ServiceError]) -> None:
    error = service(coded(status, code))
    assert type(error) is kind
    assert (error.status, error.code) == (status, code)


@pytest.mark.parametrize("code", ["ExpiredAuthenticationToken", "InvalidAuthenticationToken", "AuthenticationFailed"])
def test_a_refused_token_is_a_credential_error(code: str) -> None:
    error = coded(401, code, "The access token expiry UTC time is earlier than now.")
    assert isinstance(error, CredentialError)
    assert "expiry" in error.message
    assert "az login" in error.hint


def test_an_unused_vault_has_its_own_error() -> None:
    error = site_recovery(400, "BadRequest", "SubscriptionIdNotRegisteredWithSrs")
    assert isinstance(error, VaultUnusedError)
    assert "create_fabrics" in error.hint


def test_the_missing_action_is_named() -> None:
    message = (
        "The client 'c' with object id 'o' does not have authorization to perform action "
        "'Microsoft.Network/virtualNetworks/read' over scope '/subscriptions/s' or the scope is invalid."
    )
    error = coded(403, "AuthorizationFailed", message)
    assert isinstance(error, ForbiddenError)
    assert error.action == "Microsoft.Network/virtualNetworks/read"
    assert "'Microsoft.Network/virtualNetworks/read'" in error.hint


def test_the_linked_action_is_named_where_a_linked_resource_refuses() -> None:
    message = (
        "The client 'c' with object id 'o' has permission to perform action 'Microsoft.X/write' on scope '/s'; "
        "however, it does not have permission to perform action(s) 'Microsoft.Network/virtualNetworks/join/action' on "
        "the linked scope(s) '/t' (respectively) or the linked scope(s) are invalid."
    )
    error = coded(403, "LinkedAuthorizationFailed", message)
    assert isinstance(error, ForbiddenError)
    assert error.action == "Microsoft.Network/virtualNetworks/join/action"


@pytest.mark.parametrize(
    ("status", "code"),
    [(403, "DenyAssignmentAuthorizationFailed"), (403, "AuthorizationFailed"), (403, "LinkedAuthorizationFailed")],
)
def test_a_deny_assignment_is_named_and_no_role_is_asked_for(status: int, code: str) -> None:
    message = (
        "The client 'c' with object id 'o' has permission to perform action 'Microsoft.Network/virtualNetworks/read' "
        "on scope '/subscriptions/s/resourceGroups/rg'; however, the access is denied because of the deny assignment "
        "with name 'stack-deny' and Id '0123' at scope '/subscriptions/s/resourceGroups/rg'."
    )
    error = coded(status, code, message)
    assert isinstance(error, ForbiddenError)
    assert error.action == "", "a role allows it already"
    assert "the deny assignment 'stack-deny' at /subscriptions/s/resourceGroups/rg" in error.hint
    assert "no role helps" in error.hint
    assert "grant" not in error.hint


@pytest.mark.parametrize(
    ("message", "named"),
    [
        ("The access is denied because of the deny assignment with Id '0123' at scope '/s'.", "'0123' at /s"),
        ("The access is denied because of a Deny Assignment.", "a deny assignment"),
        ("Words.", "a deny assignment"),
    ],
)
def test_a_deny_assignment_is_recognised_without_its_name_or_scope(message: str, named: str) -> None:
    assert named in coded(403, "DenyAssignmentAuthorizationFailed", message).hint


def test_the_lock_is_named() -> None:
    message = "The scope '/a' cannot perform write operation because following scope(s) are locked: '/a/locks/keep'."
    assert "'/a/locks/keep'" in coded(409, "ScopeLocked", message).hint


@pytest.mark.parametrize(
    "error",
    [
        coded(
            403,
            "RequestDisallowedByPolicy",
            additionalInfo=[{"type": "PolicyViolation", "info": {"policyAssignmentDisplayName": "No networks"}}],
        ),
        coded(
            403,
            "RequestDisallowedByPolicy",
            """Resource 'x' was disallowed by policy. Identifiers: '[{"policyAssignment":{"name":"No networks"}}]'.""",
        ),
    ],
)
def test_the_policy_assignment_is_named(error: AsrError) -> None:
    assert "'No networks'" in error.hint


def test_both_tenants_are_named() -> None:
    message = (
        "The access token is from the wrong issuer 'https://sts.windows.net/aaa/'. It must match the tenant "
        "'https://sts.windows.net/bbb/' associated with this subscription."
    )
    hint = coded(401, "InvalidAuthenticationTokenTenant", message).hint
    assert "of tenant aaa" in hint
    assert "of tenant bbb" in hint


def test_an_unregistered_provider_comes_with_the_command_that_registers_it() -> None:
    message = (
        "The subscription is not registered to use namespace 'Microsoft.Network'. See https://aka.ms/rps-not-found."
    )
    error = coded(409, "MissingSubscriptionRegistration", message)
    assert isinstance(error, ConflictError)
    assert error.hint == "az provider register --namespace Microsoft.Network"


@pytest.mark.parametrize(
    "error",
    [
        error_of(Answer(404, b"<html><body>Not Found</body></html>"), VNET),
        coded(404, "InvalidResourceType"),
    ],
)
def test_a_404_about_something_else_does_not_prove_absence(error: AsrError) -> None:
    assert type(error) is ServiceError


def test_a_redirect_is_an_error_and_is_not_followed() -> None:
    error = service(error_of(Answer(302, b"", {"Location": "https://evil.example/"}), VNET))
    assert "redirect" in error.message
    assert error.status == 302


@pytest.mark.parametrize(
    ("document", "code", "message"),
    [
        ({"Code": "Conflict", "Message": "In use.", "Target": None, "Details": []}, "Conflict", "In use."),
        ({"Error": {"Code": "Odd", "Message": "Odd thing."}}, "Odd", "Odd thing."),
        ({"ERROR": {"CODE": "Odd", "MESSAGE": "Odd thing."}}, "Odd", "Odd thing."),
        ({"odata.error": {"code": "Odd", "message": {"lang": "en", "value": "Odd thing."}}}, "Odd", "Odd thing."),
        ({"OData.Error": {"Code": "Odd", "Message": {"Lang": "en", "Value": "Odd thing."}}}, "Odd", "Odd thing."),
        ({"error": {"error": {"code": "Odd", "message": "Odd thing."}}}, "Odd", "Odd thing."),
        ({"error": [{"code": "Odd", "message": "Odd thing."}]}, "Odd", "Odd thing."),
        ({"errors": [{"code": "Odd", "message": "Odd thing."}]}, "Odd", "Odd thing."),
        ({"code": "Top", "message": "No envelope."}, "Top", "No envelope."),
        ({"Message": "Not supported for this vault."}, "", "Not supported for this vault."),
        ({"statusCode": 401, "message": "A gateway's words."}, "", "A gateway's words."),
        ({"type": "about:blank", "title": "Too large", "status": 413}, "", "Too large"),
        ({"title": "Invalid", "detail": "The name is taken.", "status": 400}, "", "The name is taken."),
        ({"error": "invalid_client", "error_description": "No such client."}, "invalid_client", "No such client."),
        ({"error": "text"}, "", "text"),
        (
            {"Error": {"Code": "BadRequest", "Details": [{"Code": "28020", "Message": "M", "PossibleCauses": "C"}]}},
            "28020",
            "M",
        ),
        (
            {"error": {"code": "BadRequest", "message": '{"error": {"code": "Inner", "message": "Quoted."}}'}},
            "Inner",
            "Quoted.",
        ),
    ],
)
def test_code_and_message_are_found_in_any_case_and_envelope(document: object, code: str, message: str) -> None:
    error = read_error(json.dumps(document).encode())
    assert (error.code, error.message) == (code, message)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_error_after_a_byte_order_mark_is_read(encoding: str) -> None:
    error = read_error('{"error": {"code": "Odd", "message": "Größe"}}'.encode(encoding))
    assert (error.code, error.message) == ("Odd", "Größe")


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", ""),
        (b"upstream connect error", "upstream connect error"),
        (b"[1, 2]", "[1, 2]"),
        (b'"a text"', "a text"),
        (b'{"status": "bad"}', '{"status": "bad"}'),
        (b"\xff\x00", "\ufffd\x00"),
        (b"[" * 100_000, "[" * 300),
        (
            b"\xef\xbb\xbf<?xml version='1.0'?><Error><Code>Odd</Code><Message>a &lt; b</Message></Error>",
            "Odd: a < b",
        ),
        (
            (
                b"<html><head><title>502 Bad Gateway</title><style>p{}</style></head><body><script>x()</script>"
                b"<h1>No <b>upstream</b></h1></body></html>"
            ),
            "502 Bad Gateway: No upstream",
        ),
        (b"<!DOCTYPE html><html><body>\n<p>Blocked &amp; logged</p></body></html>", "Blocked & logged"),
    ],
)
def test_an_unknown_body_is_read_as_text_and_does_not_prove_absence(body: bytes, message: str) -> None:
    error = read_error(body)
    assert (error.message, error.codes) == (message, frozenset())


def test_numbers_and_lists_in_an_error_are_read_as_text() -> None:
    answer = read_error(b'{"error": {"code": 28020, "message": "M", "details": null, "possibleCauses": ["a", "b"]}}')
    assert (answer.code, answer.possible_causes) == ("28020", "a b")


def test_a_request_without_an_answer_is_unreachable_and_hides_the_signed_query() -> None:
    fault = ServiceRequestError("Max retries exceeded with url: /x/1?api-version=1&s=secret (Caused by reset)")
    with pytest.raises(UnreachableError) as caught, translated(VNET):
        raise fault
    assert "Max retries" in caught.value.message
    assert "secret" not in caught.value.message
    assert "secret" not in str(caught.value.__cause__)


def test_a_certificate_that_does_not_verify_is_reported_with_the_roots_in_use() -> None:
    cause = ssl.SSLCertVerificationError(1, "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed")
    cause.verify_message = "self-signed certificate in certificate chain"
    with pytest.raises(UnreachableError) as caught, translated(VNET):
        raise ServiceRequestError("wrapped", error=cause) from cause
    assert caught.value.message.endswith("is not trusted: self-signed certificate in certificate chain")
    assert "REQUESTS_CA_BUNDLE" in caught.value.hint
    assert "root certificate" in caught.value.hint


def test_a_document_that_cannot_be_decoded_is_an_error_of_the_answer_whatever_its_status() -> None:
    response = Answer(200, b"<html>")
    with pytest.raises(ServiceError) as caught, translated(VNET):
        raise DecodeError("JSON is invalid", response=response)  # type: ignore[arg-type]  # the relevant part
    assert "cannot be read: JSON is invalid" in caught.value.message
    assert caught.value.status == 200


def test_a_host_name_that_does_not_resolve_is_reported_as_such() -> None:
    cause = socket.gaierror(-2, "Name or service not known")
    with pytest.raises(UnreachableError) as caught, translated(VNET):
        raise ServiceRequestError("cannot connect", error=cause) from cause
    assert "does not resolve" in caught.value.hint


def test_errors_from_outside_the_sdk_pass_through() -> None:
    with pytest.raises(InterruptedError), translated(VNET):
        raise InterruptedError("the run is being stopped")

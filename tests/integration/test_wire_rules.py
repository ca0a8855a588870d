"""What the gateway does with every request: paths, methods, versions, tokens, bodies, pages, faults, limits."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import structs
from wire_case import BEARER, VERSION, Wire, error_of

from asrnet.emulator import coverage
from asrnet.emulator.app import Options
from asrnet.emulator.faults import FOREVER, Fault
from asrnet.emulator.messages import Request
from asrnet.emulator.platform import Bucket
from asrnet.emulator.routes import ROUTES
from asrnet.emulator.routing import Route
from asrnet.errors import InputError

SUB = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
def wire() -> Wire:
    return Wire()


def test_paths_are_matched_without_case(wire: Wire) -> None:
    vault = wire.build.vault("Vault", used=True)
    assert wire.get(str(vault.id).upper().replace(SUB.upper(), SUB))["name"] == "Vault"
    assert wire.get(f"{vault.id}/REPLICATIONFABRICS")["value"] == []


@pytest.mark.parametrize("version", ["2016-08-10", "2022-08-01", "2025-08-01", "2026-03-01", "2024-01-01-preview"])
def test_any_api_version_is_accepted(wire: Wire, version: str) -> None:
    assert wire.send("GET", f"/subscriptions/{SUB}", version=version).status == 200


def test_a_missing_api_version_is_an_error(wire: Wire) -> None:
    answer = wire.send("GET", f"/subscriptions/{SUB}", version="")
    assert (answer.status, error_of(answer)["code"]) == (400, "MissingApiVersionParameter")
    assert error_of(wire.send("GET", f"/subscriptions/{SUB}", version="latest"))["code"] == "InvalidApiVersionParameter"


@pytest.mark.parametrize("headers", [{}, {"authorization": "Basic abc"}])
@pytest.mark.parametrize("path", [f"/subscriptions/{SUB}", "/no/such/path"])
def test_a_missing_token_is_challenged_on_any_path(wire: Wire, path: str, headers: dict[str, str]) -> None:
    answer = wire.send("GET", path, headers=headers)
    assert (answer.status, error_of(answer)["code"]) == (401, "AuthenticationFailed")
    assert (answer.header("WWW-Authenticate") or "").startswith('Bearer authorization_uri="https://')


def test_the_token_can_be_made_unnecessary() -> None:
    wire = Wire(Options(authenticate=False))
    assert wire.send("GET", f"/subscriptions/{SUB}", headers={}).status == 200


@pytest.mark.parametrize(
    "path",
    [
        f"/subscriptions/{SUB}/resourceGroups/../x",
        f"/subscriptions/{SUB}/resourceGroups/%2e%2e",
        f"/subscriptions/{SUB}/resourceGroups/a%2Fb",
        f"/subscriptions/{SUB}/resourceGroups/a%5cb",
        f"/subscriptions/{SUB}//resourceGroups",
        f"/subscriptions/{SUB}/resourceGroups/a%00",
        f"/subscriptions/{SUB}/resourceGroups/a%0ab",
        "*",
    ],
)
def test_unsafe_paths_are_refused(wire: Wire, path: str) -> None:
    answer = wire.send("GET", path)
    assert (answer.status, error_of(answer)["code"]) == (400, "BadRequest")


def test_a_doubled_leading_slash_and_a_trailing_one_are_accepted(wire: Wire) -> None:
    assert wire.get(f"//subscriptions/{SUB}/")["subscriptionId"] == SUB


def test_names_are_unescaped(wire: Wire) -> None:
    vault = wire.build.vault("Vault")
    fabric = wire.build.azure_fabric(vault, "eastus", name="Fabric One é")
    found = wire.get(f"{vault.id}/replicationFabrics/Fabric%20One%20%C3%A9")
    assert found["name"] == fabric.name


def test_a_subscription_that_is_not_a_guid_is_refused(wire: Wire) -> None:
    answer = wire.send("GET", "/subscriptions/mine/resourceGroups")
    assert (answer.status, error_of(answer)["code"]) == (400, "InvalidResourceName")


def test_unknown_paths_are_404(wire: Wire) -> None:
    assert error_of(wire.send("GET", "/nowhere"))["code"] == "ResourceNotFound"
    kind = wire.send("GET", f"/subscriptions/{SUB}/providers/Contoso.Sql/servers")
    assert (kind.status, error_of(kind)["code"]) == (404, "InvalidResourceNamespace")


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (f"/subscriptions/{SUB}/providers/Microsoft.Sql/servers", "Microsoft.Sql/servers"),
        (f"/subscriptions/{SUB}/resourceGroups/rg/providers/Microsoft.Network/natGateways", "Microsoft.Network/natGat"),
        (f"/subscriptions/{SUB}/tagNames", "Microsoft.Resources/subscriptions/tagNames"),
        ("/providers/Microsoft.Management/managementGroups", "Microsoft.Management/managementGroups"),
    ],
)
def test_operations_that_only_azure_has_are_501_with_their_name(wire: Wire, path: str, name: str) -> None:
    answer = wire.send("GET", path)
    assert (answer.status, error_of(answer)["code"]) == (501, "NotImplemented")
    assert f"GET of '{name}" in error_of(answer)["message"]


def test_a_method_that_is_not_allowed_names_those_that_are(wire: Wire) -> None:
    answer = wire.send("DELETE", f"/subscriptions/{SUB}")
    assert (answer.status, answer.header("Allow"), error_of(answer)["code"]) == (405, "GET", "MethodNotAllowed")


def test_operations_not_implemented_are_named(wire: Wire) -> None:
    vault = wire.build.vault("Vault")
    answer = wire.send("GET", f"{vault.id}/replicationAppliances")
    assert answer.status == 501
    assert "'ReplicationAppliances_List'" in error_of(answer)["message"]


@pytest.mark.parametrize("raw", [b"", b"{", b"[1]", b"\xff\xfe", b"null", b'"text"'])
def test_bodies_that_are_not_json_objects_are_refused(wire: Wire, raw: bytes) -> None:
    answer = wire.send("PUT", f"/subscriptions/{SUB}/resourceGroups/rg", raw=raw)
    assert (answer.status, error_of(answer)["code"]) == (400, "InvalidRequestContent")


@pytest.mark.parametrize(
    "body",
    [
        {"properties": 5},
        {"properties": {"recoveryNetworkId": 5}},
        {"properties": {"recoveryNetworkId": "no id"}},
        {"properties": {"recoveryNetworkId": f"/subscriptions/{SUB}/resourceGroups/.."}},
        {"properties": {"fabricSpecificDetails": []}},
        {"properties": {"fabricSpecificDetails": {"instanceType": "Teleport"}}},
        {},
    ],
)
def test_mappings_with_members_of_the_wrong_kind_are_refused(wire: Wire, body: Any) -> None:
    vault = wire.build.vault("Vault")
    fabric = wire.build.azure_fabric(vault, "eastus")
    path = f"{fabric.id}/replicationNetworks/azureNetwork/replicationNetworkMappings/m"
    assert wire.send("PUT", path, body=body).status == 400


def pages(wire: Wire, path: object) -> list[list[str]]:
    found, query = [], ""
    while True:
        document = wire.get(path, query=query)
        found.append([each["name"] for each in document["value"]])
        if not document.get("nextLink"):
            return found
        query = document["nextLink"].partition(f"api-version={VERSION}&")[2]


def test_lists_come_in_pages_with_links_back_to_the_client(wire: Wire) -> None:
    wire.build.world.behaviour = structs.replace(wire.build.world.behaviour, page_size=2, network_page_size=2)
    vault = wire.build.vault("Vault")
    for location in ("eastus", "westus", "eastasia"):
        wire.build.azure_fabric(vault, location, name=location)
    first = wire.get(f"{vault.id}/replicationFabrics")
    assert first["nextLink"].startswith(f"https://management.azure.com{vault.id}/replicationFabrics?api-version=")
    assert "&$skipToken=" in first["nextLink"]
    assert pages(wire, f"{vault.id}/replicationFabrics") == [["eastus", "westus"], ["eastasia"]]
    for name in ("a", "b"):
        wire.build.virtual_network(name, "eastus")
    assert pages(wire, f"/subscriptions/{SUB}/providers/Microsoft.Network/virtualNetworks") == [["a", "b"]]


def test_the_last_page_can_be_empty(wire: Wire) -> None:
    behaviour = structs.replace(wire.build.world.behaviour, page_size=2, empty_last_page=True)
    wire.build.world.behaviour = behaviour
    vault = wire.build.vault("Vault")
    for location in ("eastus", "westus"):
        wire.build.azure_fabric(vault, location, name=location)
    assert pages(wire, f"{vault.id}/replicationFabrics") == [["eastus", "westus"], []]


@pytest.mark.parametrize("token", ["xyz", "ZnJvbTotMQ", "Zm9vOjE", "%00"])
def test_an_invented_token_is_refused(wire: Wire, token: str) -> None:
    vault = wire.build.vault("Vault", used=True)
    answer = wire.send("GET", f"{vault.id}/replicationFabrics", query=f"$skipToken={token}")
    assert (answer.status, error_of(answer)["code"]) == (400, "InvalidSkipToken")


def test_an_altered_operation_address_is_answered_and_counted(wire: Wire) -> None:
    vault = wire.build.vault("Vault")
    fabric = wire.build.azure_fabric(vault, "eastus")
    url = wire.send("DELETE", fabric.id).header("Azure-AsyncOperation") or ""
    assert wire.follow(url).status == 200
    assert wire.follow(url.replace("%3a", "%3A")).status == 200
    assert wire.app.journal.altered == 0
    assert wire.follow(url[:-1]).status == 200
    assert wire.follow(url.replace("%3a00&", "%3a01&")).status == 200
    assert wire.app.journal.altered == 2


def test_an_unknown_operation_is_404(wire: Wire) -> None:
    vault = wire.build.vault("Vault", used=True)
    assert wire.send("GET", f"{vault.id}/replicationOperationStatus/none").status == 404


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        (Fault(kind="throttle", retry_after=7), 429, "TooManyRequests"),
        (Fault(kind="unavailable"), 503, "ServiceUnavailable"),
        (Fault(kind="busy"), 409, "AnotherOperationInProgress"),
        (Fault(kind="scope_locked"), 409, "ScopeLocked"),
        (Fault(kind="policy"), 403, "RequestDisallowedByPolicy"),
        (Fault(kind="forbidden", action="a/b/read"), 403, "AuthorizationFailed"),
        (Fault(kind="answer", status=418, code="Teapot", message="short"), 418, "Teapot"),
    ],
)
def test_scripted_faults_answer_instead_of_the_service(wire: Wire, fault: Fault, status: int, code: str) -> None:
    wire.app.faults.add(fault)
    first, second = wire.send("GET", f"/subscriptions/{SUB}"), wire.send("GET", f"/subscriptions/{SUB}")
    assert (first.status, error_of(first)["code"], second.status) == (status, code, 200)
    assert first.header("Retry-After") == ("7" if fault.kind == "throttle" else None)


def test_a_fault_skips_some_matching_requests_and_repeats_as_configured(wire: Wire) -> None:
    wire.app.faults.add(Fault(kind="unavailable", method="get", path="*/RESOURCEGROUPS", skip=1, times=2))
    groups = f"/subscriptions/{SUB}/resourceGroups"
    assert wire.send("GET", f"/subscriptions/{SUB}").status == 200
    assert [wire.send("GET", groups).status for _ in range(4)] == [200, 503, 503, 200]
    assert wire.app.faults.pending() == ()


def test_a_fault_can_be_permanent(wire: Wire) -> None:
    wire.app.faults.add(Fault(kind="unavailable", times=FOREVER))
    assert [wire.send("GET", "/subscriptions").status for _ in range(3)] == [503, 503, 503]
    wire.app.faults.clear()
    assert wire.send("GET", "/subscriptions").status == 200
    with pytest.raises(InputError):
        wire.app.faults.add(Fault(kind="unavailable", times=0))


def test_a_connection_can_be_reset_before_or_after_the_effect(wire: Wire) -> None:
    group = f"/subscriptions/{SUB}/resourceGroups/rg-new"
    wire.app.faults.add(Fault(kind="reset", method="PUT"))
    assert wire.send("PUT", group, body={"location": "eastus"}).dropped
    assert wire.send("GET", group).status == 404
    wire.app.faults.add(Fault(kind="reset", method="PUT", handled=True))
    assert wire.send("PUT", group, body={"location": "eastus"}).dropped
    assert wire.send("GET", group).status == 200


def test_an_answer_can_be_late_or_garbage(wire: Wire) -> None:
    wire.app.faults.add(Fault(kind="delay", seconds=20))
    wire.app.faults.add(Fault(kind="garbage"))
    late, garbage = wire.send("GET", "/subscriptions"), wire.send("GET", "/subscriptions")
    assert (late.status, late.delay) == (200, 20)
    with pytest.raises(ValueError):
        json.loads(garbage.body)


def test_requests_are_limited_per_subscription_and_kind() -> None:
    wire = Wire(Options(buckets={"writes": Bucket(size=2, refill=0.5)}))
    groups = f"/subscriptions/{SUB}/resourceGroups"

    def put() -> tuple[int, str | None, str | None]:
        answer = wire.send("PUT", f"{groups}/rg", body={"location": "eastus"})
        remaining = answer.header("x-ms-ratelimit-remaining-subscription-writes")
        return answer.status, remaining, answer.header("Retry-After")

    assert [put(), put(), put()] == [(201, "1", None), (200, "0", None), (429, None, "2")]
    assert wire.send("GET", groups).status == 200
    wire.build.world.clock.sleep(2)
    assert put() == (200, "0", None)


def test_the_journal_has_paths_and_counts_and_no_secrets(wire: Wire) -> None:
    vault = wire.build.vault("Vault")
    fabric = wire.build.azure_fabric(vault, "eastus")
    secret = {**BEARER, "authorization": "Bearer canary-token"}
    url = wire.send("DELETE", fabric.id, headers=secret).header("Azure-AsyncOperation") or ""
    wire.follow(url)
    journal = wire.app.journal
    last = journal.entries[-1]
    assert (last.method, last.status, last.operation) == ("GET", 200, "ReplicationOperationStatus_Get")
    assert (journal.total, journal.methods["DELETE"], journal.statuses[202]) == (2, 1, 1)
    assert journal.count("GET", "ReplicationOperationStatus_Get") == 1
    assert "canary" not in repr(list(journal.entries))
    assert url.partition("&s=")[2][:20] not in repr(list(journal.entries))
    assert wire.build.world.journal.methods() == {"DELETE": 1, "GET": 1}
    journal.clear()
    assert journal.total == 0


def test_the_journal_shows_neither_token_nor_query() -> None:
    request = Request(method="GET", path="/x", query="s=canary", headers={"authorization": "Bearer canary"})
    assert "canary" not in repr(request)


def test_an_error_of_rights_names_the_action(wire: Wire) -> None:
    wire.build.world.behaviour = structs.replace(wire.build.world.behaviour, denied=("*/replicationFabrics/read",))
    vault = wire.build.vault("Vault", used=True)
    answer = wire.send("GET", f"{vault.id}/replicationFabrics")
    assert (answer.status, error_of(answer)["code"]) == (403, "AuthorizationFailed")
    assert "'Microsoft.RecoveryServices/vaults/replicationFabrics/read'" in error_of(answer)["message"]


def test_a_subscription_of_another_tenant_is_401(wire: Wire) -> None:
    other = wire.build.subscription(SUB.replace("1", "3"), tenant="33333333-3333-3333-3333-333333333333")
    answer = wire.send("GET", f"/subscriptions/{other.id}/resourceGroups")
    assert (answer.status, error_of(answer)["code"]) == (401, "InvalidAuthenticationTokenTenant")


def test_an_unregistered_subscription_can_be_registered(wire: Wire) -> None:
    wire.build.world.behaviour = structs.replace(wire.build.world.behaviour, unregistered=(SUB,))
    networks = f"/subscriptions/{SUB}/providers/Microsoft.Network/virtualNetworks"
    refused = wire.send("GET", networks)
    assert (refused.status, error_of(refused)["code"]) == (409, "MissingSubscriptionRegistration")
    provider = f"/subscriptions/{SUB}/providers/Microsoft.Network"
    assert wire.get(provider)["registrationState"] == "NotRegistered"
    assert wire.send("POST", f"{provider}/register").status == 200
    assert wire.get(provider)["registrationState"] == "Registered"
    assert wire.send("GET", networks).status == 200


class AnyName(dict[str, str]):
    """A name for every parameter of a template."""

    def __missing__(self, name: str) -> str:
        return "x"


def every(route: Route) -> str:
    return f"{route.method} {route.template}"


@pytest.mark.parametrize("route", ROUTES, ids=every)
def test_every_route_answers_a_world_without_resources(wire: Wire, route: Route) -> None:
    values = AnyName(subscription=SUB, namespace="Microsoft.Network", operation="b3Bl", location="eastus")
    answer = wire.send(
        route.method, route.template.format_map(values), body={"location": "eastus", "query": "Resources"}
    )
    assert answer.status in {200, 201, 204, 400, 404, 409, 501}
    assert (answer.status == 501) == (route.handler is None or route.operation in AZURE_MACHINES_ONLY)


AZURE_MACHINES_ONLY = {"ReplicationProtectionIntents_Create"}


def test_every_operation_is_on_the_coverage_page_with_its_status() -> None:
    implemented, missing = coverage.page().split("## Known and not implemented")
    for route in ROUTES:
        area, _, name = route.operation.partition("_")
        if route.handler:
            assert f"| {route.operation} | `{route.method} " in implemented
        else:
            (line,) = [line for line in missing.splitlines() if line.startswith(f"- {area}: ")]
            assert name in line


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "application/xml; charset=utf-8"])
def test_bodies_that_do_not_claim_to_be_json_are_refused(wire: Wire, media: str) -> None:
    headers = {**BEARER, "content-type": media}
    answer = wire.send("PUT", f"/subscriptions/{SUB}/resourceGroups/rg", body={"location": "eastus"}, headers=headers)
    assert (answer.status, error_of(answer)["code"]) == (415, "UnsupportedMediaType")


@pytest.mark.parametrize(
    "path",
    [
        "resourceGroups/ends-in.",
        "resourceGroups/a%20b",
        f"resourceGroups/{'x' * 91}",
        "resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/-x",
        "resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/a%20b",
        "resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/net/subnets/a!b",
        "resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/1vault",
        "resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/v",
    ],
)
def test_names_that_azure_refuses_are_refused(wire: Wire, path: str) -> None:
    wire.build.virtual_network("net", "eastus")
    answer = wire.send("PUT", f"/subscriptions/{SUB}/{path}", body={"location": "eastus"})
    assert (answer.status, error_of(answer)["code"]) == (400, "InvalidResourceName")


@pytest.mark.parametrize("path", ["rg(1)", "r", "größe", "a.b-c_d"])
def test_names_that_azure_accepts_are_accepted(wire: Wire, path: str) -> None:
    assert wire.send("PUT", f"/subscriptions/{SUB}/resourceGroups/{path}", body={"location": "eastus"}).status == 201

"""The admin paths of an emulator under /_asrnet/, and signing in to it."""

from __future__ import annotations

import base64
import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any, get_args

import pytest
from wire_case import BEARER, Wire, error_of

from asrnet.clocks import SystemClock
from asrnet.emulator.app import App
from asrnet.emulator.faults import Kind
from asrnet.emulator.journal import Entry, Journal
from asrnet.emulator.messages import Request
from asrnet.emulator.routes import ROUTES
from asrnet.emulator.serving import ServeOptions, ShiftedClock, app_of
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.builder import SUBSCRIPTION, Builder
from asrnet.fake.faults import Effect

NETWORKS = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network/virtualNetworks"
WORLD = f"""
version: 1
virtual_networks:
- {{id: /subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/seeded,
   location: eastus, address_space: [10.0.0.0/16]}}
"""


@pytest.fixture
def wire() -> Wire:
    return Wire()


def admin(wire: Wire, method: str, path: str, body: Any = None, raw: bytes | None = None) -> Any:
    answer = wire.send(method, f"/_asrnet/{path}", body=body, raw=raw, headers={}, version="")
    assert answer.status < 300, answer.body
    return json.loads(answer.body) if answer.body else None


def names(wire: Wire) -> list[str]:
    return [each["name"] for each in wire.get(NETWORKS)["value"]]


def test_health_needs_no_token_and_is_not_in_the_journal(wire: Wire) -> None:
    wire.get(NETWORKS)
    assert admin(wire, "GET", "health") | {"version": ""} == {"status": "ok", "version": "", "requests": 1}
    assert admin(wire, "GET", "requests")["total"] == 1


def test_a_seed_replaces_the_world_and_reset_restores_it(wire: Wire) -> None:
    wire.build.virtual_network("before", "eastus")
    admin(wire, "POST", "seed", raw=WORLD.encode())
    assert names(wire) == ["seeded"]
    wire.send("DELETE", f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg")
    assert names(wire) == []
    admin(wire, "POST", "faults", {"kind": "unavailable", "times": -1})
    admin(wire, "POST", "reset")
    assert names(wire) == ["seeded"]
    assert admin(wire, "GET", "requests")["total"] == 1


def test_reset_restores_the_checkpoint_and_is_refused_without_one(wire: Wire) -> None:
    network = wire.build.virtual_network("kept", "eastus")
    refused = wire.send("POST", "/_asrnet/reset")
    assert (refused.status, error_of(refused)["code"]) == (409, "NoSeed")
    wire.app.checkpoint()
    wire.send("DELETE", network.id)
    admin(wire, "POST", "reset")
    assert names(wire) == ["kept"]


def test_the_state_is_a_world_that_can_be_loaded_again(wire: Wire) -> None:
    wire.build.virtual_network("kept", "eastus")
    state = admin(wire, "GET", "state")
    assert state["virtual_networks"][0]["id"].endswith("/kept")
    wire.build.virtual_network("more", "eastus")
    admin(wire, "PUT", "state", state)
    assert names(wire) == ["kept"]


@pytest.mark.parametrize("path", ["seed", "state"])
@pytest.mark.parametrize("raw", [b"version: 1\nnetworks: []", b"{", b"\x00", b"version: 2"])
def test_a_world_that_cannot_be_read_is_refused_with_its_line(wire: Wire, path: str, raw: bytes) -> None:
    wire.build.virtual_network("kept", "eastus")
    answer = wire.send("POST" if path == "seed" else "PUT", f"/_asrnet/{path}", raw=raw)
    assert (answer.status, error_of(answer)["code"]) == (400, "InvalidWorld")
    assert error_of(answer)["message"].startswith("<body>")
    assert names(wire) == ["kept"]


def test_faults_of_the_wire_and_of_the_service_are_distinguished(wire: Wire) -> None:
    faults = [{"kind": "throttle", "retry_after": 3}, {"effect": "operation_fails", "method": "PUT", "code": "1"}]
    assert admin(wire, "POST", "faults", faults) == {"added": 2}
    waiting = admin(wire, "GET", "faults")
    assert [fault["kind"] for fault in waiting["wire"]] == ["throttle"]
    assert [fault["effect"] for fault in waiting["service"]] == ["operation_fails"]
    admin(wire, "DELETE", "faults")
    assert admin(wire, "GET", "faults") == {"wire": [], "service": []}


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "flood"},
        {"effect": "flood"},
        {"kind": "busy", "color": 1},
        7,
        [[]],
        {"kind": "busy", "times": 0},
        {"kind": "busy", "times": -2},
        {"kind": "busy", "skip": -1},
        {"kind": "answer", "status": 9999},
        {"kind": "answer", "status": 100},
        {"kind": "delay", "seconds": 1e300},
        {"kind": "delay", "seconds": -1},
        {"kind": "throttle", "retry_after": -5},
        {"effect": "refused", "status": 0},
        {"effect": "refused", "after": -1},
        {"effect": "list_lags", "seconds": -1},
        {"effect": "changed_before", "mapping": "nonsense"},
        [{"kind": "busy"}, {"kind": "flood"}],
    ],
)
def test_one_invalid_fault_refuses_the_whole_list(wire: Wire, body: Any) -> None:
    answer = wire.send("POST", "/_asrnet/faults", body=body)
    assert (answer.status, error_of(answer)["code"]) == (400, "InvalidFault")
    assert admin(wire, "GET", "faults") == {"wire": [], "service": []}


@pytest.mark.parametrize("status", [204, 304])
def test_a_scripted_answer_without_a_body_has_none(wire: Wire, status: int) -> None:
    admin(wire, "POST", "faults", {"kind": "answer", "status": status, "message": "unseen"})
    answer = wire.send("GET", NETWORKS)
    assert (answer.status, answer.body, answer.header("Content-Type")) == (status, b"", None)


@pytest.mark.parametrize(
    "behaviour",
    [
        "latency: 1e300",
        "list_lag: 1e9",
        "retry_after: 100000",
        "answers: {duplicate_mapping: {status: 9}}",
        "answers: {network_missing: {status: 1000}}",
    ],
)
def test_an_impossible_behaviour_is_refused(wire: Wire, behaviour: str) -> None:
    answer = wire.send("PUT", "/_asrnet/state", raw=f"version: 1\nbehaviour: {{{behaviour}}}".encode())
    assert (answer.status, error_of(answer)["code"]) == (400, "InvalidWorld")
    assert error_of(answer)["message"].startswith("<body>:2: behaviour")


def test_a_tenant_that_would_break_a_header_is_refused(wire: Wire) -> None:
    answer = wire.send("PUT", "/_asrnet/state", raw=b'version: 1\ntenant: "a\\r\\nSet-Cookie: b"')
    assert (answer.status, error_of(answer)["message"]) == (
        400,
        "<body>:2: tenant: a tenant must be a GUID or a domain",
    )


def test_reset_restores_the_behaviour_of_the_seed(wire: Wire) -> None:
    admin(wire, "POST", "seed", raw=WORLD.encode())
    admin(wire, "PUT", "state", raw=b'version: 1\nbehaviour: {operations: "manual:3", denied: ["*"]}')
    assert wire.app.world.behaviour.operations == "manual:3"
    admin(wire, "POST", "reset")
    assert (names(wire), wire.app.world.behaviour.operations) == (["seeded"], "immediate")


def test_the_journal_can_be_read_while_requests_are_added() -> None:
    """New statuses are counted while others read the counts."""
    journal, done = Journal(), Event()

    def read() -> int:
        read = 0
        while not done.is_set():
            read += len(journal.summary(5)) == 6
        return read

    with ThreadPoolExecutor(1) as pool:
        reads = pool.submit(read)
        for status in range(20_000):
            journal.add(Entry(time=0, method="GET", path="/", api_version="", operation="", status=status))
        done.set()
        assert reads.result() > 0


def test_the_journal_is_served_and_cleared(wire: Wire) -> None:
    wire.get(NETWORKS)
    wire.send("GET", "/nowhere")
    journal = admin(wire, "GET", "requests")
    assert (journal["total"], journal["methods"], journal["statuses"]) == (2, {"GET": 2}, {"200": 1, "404": 1})
    assert journal["requests"][0]["path"] == NETWORKS
    admin(wire, "DELETE", "requests")
    assert admin(wire, "GET", "requests")["total"] == 0


def test_web_pages_may_not_use_the_admin_paths(wire: Wire) -> None:
    answer = wire.send("POST", "/_asrnet/reset", headers={"origin": "http://evil.example"})
    assert answer.status == 403


@pytest.mark.parametrize("path", ["//_asrnet/seed", "/%5fasrnet/seed"])
def test_admin_paths_have_one_spelling(wire: Wire, path: str) -> None:
    wire.build.virtual_network("kept", "eastus")
    assert wire.send("POST", path, raw=WORLD.encode()).status == 404
    assert names(wire) == ["kept"]


def test_advancing_the_clock_ends_operations() -> None:
    clock = ShiftedClock()
    app = App(Builder(clock=clock).world)
    before = clock.now()
    answer = app.handle(Request(method="POST", path="/_asrnet/clock/advance", body=b'{"seconds": 3600}'))
    assert json.loads(answer.body)["now"] - before >= 3600
    fixed = App(Builder(clock=SystemClock()).world)
    refused = fixed.handle(Request(method="POST", path="/_asrnet/clock/advance", body=b'{"seconds": 1}'))
    assert (refused.status, error_of(refused)["code"]) == (409, "ClockNotAdvanceable")


def test_the_clock_cannot_pass_the_last_time_that_can_be_written() -> None:
    app = App(Builder(clock=ShiftedClock()).world)
    answers = [
        app.handle(Request(method="POST", path="/_asrnet/clock/advance", body=b'{"seconds": 1e10}')) for _ in range(9)
    ]
    assert {answer.status for answer in answers} == {200, 400}
    assert answers[-1].status == 400
    after = app.handle(Request(method="GET", path="/tenants", query="api-version=2022-12-01", headers=BEARER))
    assert after.status == 200


@pytest.mark.parametrize(
    "body", [b"{}", b'{"seconds": "1"}', b'{"seconds": -1}', b'{"seconds": true}', b"[1]", b"x", b""]
)
def test_the_clock_is_advanced_by_a_number(wire: Wire, body: bytes) -> None:
    assert wire.send("POST", "/_asrnet/clock/advance", raw=body).status == 400


def test_a_body_may_have_any_content_type() -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}  # the default of curl -d
    bodies = {"seed": WORLD, "faults": '{"kind": "busy"}', "clock/advance": '{"seconds": 1}'}
    app = App(Builder(clock=ShiftedClock()).world)
    for path, body in bodies.items():
        request = Request(method="POST", path=f"/_asrnet/{path}", body=body.encode(), headers=form)
        assert app.handle(request).status < 300, path


def signed_in(wire: Wire, method: str, path: str, **more: Any) -> Any:
    answer = wire.send(method, path, headers={}, version="", **more)
    assert answer.status == 200, answer.body
    return json.loads(answer.body)


def test_the_metadata_lead_back_to_the_emulator(wire: Wire) -> None:
    found = signed_in(wire, "GET", "/metadata/endpoints", query="api-version=2022-09-01")
    assert isinstance(found, dict)
    assert found["resourceManager"] == found["authentication"]["loginEndpoint"] == "https://management.azure.com"
    assert found["authentication"]["identityProvider"] == "AAD"
    assert found["suffixes"]["storage"] == "core.windows.net"
    for name in ("microsoftGraphResourceId", "batch", "vmImageAliasDoc", "appInsightsResourceId"):
        assert found[name].startswith("https://management.azure.com")


def test_openid_discovery_names_the_token_endpoint(wire: Wire) -> None:
    found = signed_in(wire, "GET", "/common/v2.0/.well-known/openid-configuration")
    assert found["token_endpoint"] == "https://management.azure.com/common/oauth2/v2.0/token"
    assert found["issuer"].startswith("https://")


def test_any_credential_gets_a_jwt_that_is_accepted(wire: Wire) -> None:
    form = b"grant_type=client_credentials&client_id=me&client_secret=canary&scope=https://x/.default"
    found = signed_in(wire, "POST", "/my-tenant/oauth2/v2.0/token", raw=form)
    assert (found["token_type"], "id_token" in found, found["expires_in"]) == ("Bearer", False, 3599)
    middle = found["access_token"].split(".")[1]
    claims = json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    assert (claims["tid"], claims["appid"], claims["aud"]) == ("my-tenant", "me", "https://x")
    assert {"oid", "exp", "iss"} <= claims.keys()
    bearer = {"authorization": f"Bearer {found['access_token']}"}
    assert wire.send("GET", NETWORKS, headers=bearer).status == 200
    assert "canary" not in repr(list(wire.app.journal.entries))


def test_a_token_request_without_a_grant_gets_an_oauth_error(wire: Wire) -> None:
    answer = wire.send("POST", "/common/oauth2/v2.0/token", raw=b"", headers={}, version="")
    assert (answer.status, json.loads(answer.body)["error"]) == (400, "invalid_request")


def test_a_managed_identity_gets_a_token_with_its_expiry_as_text(wire: Wire) -> None:
    found = signed_in(wire, "GET", "/msi/token", query="resource=https://management.azure.com/&api-version=2019-08-01")
    assert found["expires_on"] == str(int(wire.build.world.clock.now()) + 3599)
    assert found["resource"] == "https://management.azure.com/"


def test_tenants_subscriptions_and_regions_are_listed(wire: Wire) -> None:
    tenant = wire.build.world.tenant
    assert wire.get("/tenants")["value"][0]["tenantId"] == tenant
    (subscription,) = wire.get("/subscriptions")["value"]
    assert (subscription["subscriptionId"], subscription["tenantId"]) == (SUBSCRIPTION, tenant)
    assert subscription == wire.get(f"/subscriptions/{SUBSCRIPTION}")
    regions = wire.get(f"/subscriptions/{SUBSCRIPTION}/locations")["value"]
    assert {"eastasia", "southeastasia"} <= {region["name"] for region in regions}
    providers = wire.get(f"/subscriptions/{SUBSCRIPTION}/providers")["value"]
    assert "Microsoft.RecoveryServices" in {provider["namespace"] for provider in providers}
    assert wire.send("GET", f"/subscriptions/{SUBSCRIPTION}/providers/Contoso.Nothing").status == 404


PAGE = (Path(__file__).parent.parent.parent / "docs" / "emulator.md").read_text("utf-8")


def test_the_documented_faults_are_accepted_and_cover_every_kind(wire: Wire) -> None:
    scripts = [json.loads(text) for text in re.findall(r"^```json\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)]
    for script in scripts:
        assert admin(wire, "POST", "faults", script) == {"added": len(script)}
    shown = {fault.get("effect") or fault["kind"] for script in scripts for fault in script}
    assert shown == {*get_args(Kind), *get_args(Effect)}


def test_every_admin_path_is_documented() -> None:
    paths = {route.template.removeprefix("/_asrnet/") for route in ROUTES if route.template.startswith("/_asrnet/")}
    assert [path for path in paths if path not in PAGE] == []


def test_a_seed_without_a_behaviour_does_not_inherit_the_previous_one(wire: Wire) -> None:
    admin(wire, "POST", "seed", raw=b'version: 1\nbehaviour: {denied: ["*"], operations: "manual:3"}')
    admin(wire, "POST", "seed", raw=b"version: 1")
    assert wire.app.world.behaviour == Behaviour()


def test_the_options_of_an_emulator_apply_to_every_seed() -> None:
    app = app_of(ServeOptions(operations="time:1"))
    app.replace_world(b'version: 1\nbehaviour: {denied: ["*"]}', seed=True)
    assert (app.world.behaviour.operations, app.world.behaviour.denied) == ("time:1", ("*",))
    app.replace_world(b"version: 1", seed=True)
    assert (app.world.behaviour.operations, app.world.behaviour.denied) == ("time:1", ())

"""Virtual networks through Resource Graph, with answers from the test."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
from answering import Answering, Reply, error
from msgspec import structs
from states import SEA, TwoRegions
from states import row as row_of

from asrnet import planning
from asrnet.azure.connect import backend
from asrnet.azure.credentials import EmulatorCredential, choose, given
from asrnet.clocks import SimulatedClock
from asrnet.emulator.transport import in_process
from asrnet.errors import ForbiddenError, NotFoundError, ServiceError
from asrnet.fake.builder import SUBSCRIPTION
from asrnet.inventory.read import read_inventory
from asrnet.model.arm import ArmId
from asrnet.ports import Backend
from asrnet.settings.clouds import PUBLIC

ONE = "11111111-1111-1111-1111-111111111111"
TWO = "22222222-2222-2222-2222-222222222222"
THREE = "33333333-3333-3333-3333-333333333333"
GRAPH = "POST https://management.azure.com/providers/Microsoft.ResourceGraph/resources"


def row(subscription: str, name: str) -> dict[str, object]:
    path = f"/subscriptions/{subscription}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/{name}"
    space = {"addressPrefixes": ["10.0.0.0/16"]}
    return {"id": path, "name": name, "location": "eastasia", "tags": None, "properties": {"addressSpace": space}}


class Graph:
    """Resource Graph with some rows, two per page."""

    def __init__(self, *rows: dict[str, object], fails: int = 0) -> None:
        self.rows = rows
        self.fails = fails
        self.asked: list[dict[str, object]] = []

    def __call__(self, request: requests.PreparedRequest) -> Reply:
        if request.method == "GET":
            return 404, {}, error("ResourceNotFound", "Gone.")
        question = json.loads(request.body or "{}")
        self.asked.append(question)
        if self.fails:
            self.fails -= 1
            return 403, {}, error("AuthorizationFailed", "No.")
        begin = int(question["options"].get("$skipToken") or 0)
        page = self.rows[begin : begin + 2]
        more = {"$skipToken": str(begin + 2)} if begin + 2 < len(self.rows) else {}
        answer = {"totalRecords": len(self.rows), "count": len(page), "resultTruncated": "false", "data": page}
        return 200, {}, {**answer, "facets": [], **more}


def connected(azure: Answering, *subscriptions: str) -> Backend:
    return backend(
        clock=SimulatedClock(),
        credential=choose(PUBLIC, named="emulator"),
        session=azure.session,
        inventory="graph",
        subscriptions=subscriptions,
    )


def names(run: Backend, subscription: str) -> list[str]:
    return [network.name for network in run.networks.virtual_networks(subscription)]


def test_one_query_serves_all_subscriptions_page_by_page() -> None:
    graph = Graph(row(ONE, "a"), row(ONE, "b"), row(TWO, "c"))
    azure = Answering(graph)
    run = connected(azure, ONE, TWO)
    assert names(run, TWO) == ["c"]
    assert names(run, ONE) == ["a", "b"]
    assert azure.sent == [GRAPH, GRAPH]
    assert [question["subscriptions"] for question in graph.asked] == [[ONE, TWO], [ONE, TWO]]


def test_a_subscription_not_announced_has_its_own_query() -> None:
    graph = Graph(row(THREE, "x"))
    run = connected(Answering(graph), ONE, TWO)
    assert names(run, THREE) == ["x"]
    assert graph.asked[0]["subscriptions"] == [THREE]


def test_a_single_network_is_read_from_microsoft_network() -> None:
    azure = Answering(Graph())
    run = connected(azure, ONE)
    assert run.networks.virtual_network(ArmId(str(row(ONE, "a")["id"]))) is None
    assert azure.sent == [f"GET https://management.azure.com{row(ONE, 'a')['id']}"]


def test_a_query_that_fails_leaves_no_subscription_looking_empty() -> None:
    run = connected(Answering(Graph(row(ONE, "a"), fails=2)), ONE, TWO)
    for subscription in (ONE, TWO):
        with pytest.raises(ForbiddenError):
            names(run, subscription)
    assert names(run, ONE) == ["a"]


def test_a_missing_subscription_is_an_error_of_the_service() -> None:
    azure = Answering(lambda _: (404, {}, error("SubscriptionNotFound", "Gone.")))
    with pytest.raises(NotFoundError):
        names(connected(azure, ONE), ONE)


def test_an_invalid_row_does_not_hide_the_others() -> None:
    odd = {**row(ONE, "a"), "id": "nonsense"}
    assert names(connected(Answering(Graph(odd, row(ONE, "b"))), ONE), ONE) == ["b"]


@pytest.mark.parametrize("data", [None, "text", [None], ["text"], {"columns": [], "rows": []}, [{"id": 7}]], ids=repr)
def test_an_answer_that_is_not_a_table_of_networks_is_an_error(data: object) -> None:
    def handle(_request: requests.PreparedRequest) -> Reply:
        return 200, {}, {"totalRecords": 1, "count": 1, "resultTruncated": "false", "data": data, "facets": []}

    with pytest.raises(ServiceError, match="cannot be read"):
        list(connected(Answering(handle), ONE).networks.virtual_networks(ONE))


def test_truncated_rows_without_a_continuation_token_are_an_error() -> None:
    def handle(_request: requests.PreparedRequest) -> Reply:
        data = [row(ONE, "a")]
        return 200, {}, {"totalRecords": 2, "count": 1, "resultTruncated": "true", "data": data, "facets": []}

    with pytest.raises(ServiceError, match="omitted rows"):
        list(connected(Answering(handle), ONE).networks.virtual_networks(ONE))


def test_network_interfaces_are_listed_by_microsoft_network() -> None:
    """Resource Graph's rows have another type, and a prediction needs only one list per subscription."""
    interface = f"/subscriptions/{ONE}/resourceGroups/rg/providers/Microsoft.Network/networkInterfaces/web1-nic"

    def answer(request: requests.PreparedRequest) -> Reply:
        assert request.method == "GET"
        return 200, {}, {"value": [{"id": interface, "location": "eastasia", "properties": {}}]}

    found = connected(Answering(answer), ONE).networks.network_interfaces(ONE)
    assert [one.id for one in found] == [ArmId(interface)]


def link(network: str, zone: str, *, registers: object = True) -> dict[str, object]:
    zone_id = f"/subscriptions/{TWO}/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/{zone}"
    properties = {"registrationEnabled": registers, "virtualNetwork": {"id": str(row(ONE, network)["id"]).lower()}}
    return {"id": f"{zone_id}/virtualNetworkLinks/to-{network}", "properties": properties}


def test_the_private_dns_zones_of_networks_are_read_with_one_query() -> None:
    graph = Graph(link("a", "shop.internal"), link("b", "names.internal", registers=False), {"id": "x"})
    zones = connected(Answering(graph), ONE, TWO).networks.registration_zones([TWO, ONE])
    assert zones is not None
    assert [(network_id.name, zone.name) for network_id, zone in zones.items()] == [("a", "shop.internal")]
    assert [question["subscriptions"] for question in graph.asked] == [[ONE, TWO], [ONE, TWO]]
    assert "privatednszones/virtualnetworklinks" in str(graph.asked[0]["query"])


@pytest.mark.parametrize("inventory", ["network", "graph"])
def test_a_test_network_that_registers_in_productions_zone_is_found_where_zones_can_be_read(inventory: Any) -> None:
    azure = TwoRegions()
    shop = ArmId(
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/privateDnsZones/shop.internal"
    )
    hub, dr, bubble = azure.network("hub"), azure.network("dr", SEA), azure.network("bubble", SEA)
    for network in (dr, bubble):
        azure.build.add(structs.replace(network, registration_zone=shop))
    azure.map_both(hub, dr)
    run = backend(
        clock=azure.clock,
        credential=given(EmulatorCredential(azure.world.tenant)),
        session=in_process(azure.world),
        inventory=inventory,
        subscriptions=(SUBSCRIPTION,),
    )
    desired = azure.state(row_of(hub, dr, test=bubble.id))
    plan = planning.plan(desired, read_inventory(desired, run))
    found = [finding.message for finding in plan.findings if finding.kind == "test_network_connected"]
    text = "registers its machines in the private DNS zone shop.internal, like dr, a network of production"
    assert found == ([f"the test network bubble {text}"] if inventory == "graph" else [])

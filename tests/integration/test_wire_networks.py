"""Microsoft.Network, resource groups, vaults and Resource Graph on the wire."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec import structs
from wire_case import BEARER, Wire, error_of, exactly

from asrnet.emulator.messages import Response
from asrnet.model.azure import Subnet

SUB = "11111111-1111-1111-1111-111111111111"
GROUP = f"/subscriptions/{SUB}/resourceGroups/Rg-Hub"
HUB = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/Hub"
BODY: dict[str, Any] = {
    "location": "East Asia",
    "tags": {"dr": "yes"},
    "properties": {
        "addressSpace": {"addressPrefixes": ["10.0.0.0/16"]},
        "subnets": [{"name": "web", "properties": {"addressPrefix": "10.0.1.0/24"}}],
    },
}


@pytest.fixture
def wire() -> Wire:
    found = Wire()
    found.build.resource_group("Rg-Hub", location="eastasia")
    return found


def document(response: Response) -> Any:
    return json.loads(response.body)


def behave(wire: Wire, **settings: object) -> None:
    wire.build.world.behaviour = structs.replace(wire.build.world.behaviour, **settings)


def test_a_new_network_is_201_and_updating_until_its_operation_ends(wire: Wire) -> None:
    behave(wire, operations="time:3")
    created = wire.send("PUT", HUB, body=BODY)
    url = created.header("Azure-AsyncOperation") or ""
    assert (created.status, document(created)["properties"]["provisioningState"]) == (201, "Updating")
    assert f"/subscriptions/{SUB}/providers/Microsoft.Network/locations/eastasia/operations/" in url
    assert document(wire.follow(url)) == {"status": "InProgress"}
    wire.build.world.clock.sleep(3)
    assert document(wire.follow(url)) == {"status": "Succeeded"}
    assert wire.get(HUB)["properties"]["provisioningState"] == "Succeeded"
    assert wire.send("PUT", HUB, body=BODY).status == 200


@pytest.mark.parametrize(("version", "names"), [("2023-06-01", []), ("2023-09-01", ["web"]), ("2024-05-01", ["web"])])
def test_a_put_that_omits_the_subnets_keeps_them_since_the_version_of_september_2023(
    wire: Wire, version: str, names: list[str]
) -> None:
    wire.send("PUT", HUB, body=BODY)
    space = {"addressPrefixes": ["10.0.0.0/16", "10.1.0.0/16"]}
    answer = wire.send("PUT", HUB, body=BODY | {"properties": {"addressSpace": space}}, version=version)
    assert [subnet["name"] for subnet in document(answer)["properties"]["subnets"]] == names
    assert wire.get(HUB)["properties"]["addressSpace"] == space
    wire.send("PUT", HUB, body=BODY | {"properties": {"addressSpace": space, "subnets": []}}, version=version)
    assert wire.get(f"{HUB}/subnets") == {"value": []}


def test_a_network_has_all_its_properties_in_order(wire: Wire) -> None:
    wire.send("PUT", HUB, body=BODY)
    found = wire.get(HUB)
    (subnet,) = found["properties"]["subnets"]
    assert list(found) == ["name", "id", "etag", "type", "location", "tags", "properties"]
    assert (found["location"], found["type"]) == ("eastasia", "Microsoft.Network/virtualNetworks")
    assert found["etag"].startswith('W/"')
    assert list(found["properties"]) == [
        "provisioningState",
        "resourceGuid",
        "addressSpace",
        "subnets",
        "virtualNetworkPeerings",
        "enableDdosProtection",
    ]
    expected = {
        "name": "web",
        "id": f"{HUB}/subnets/web",
        "etag": found["etag"],
        "properties": {
            "provisioningState": "Succeeded",
            "addressPrefix": "10.0.1.0/24",
            "delegations": [],
            "privateEndpointNetworkPolicies": "Disabled",
            "privateLinkServiceNetworkPolicies": "Enabled",
        },
        "type": "Microsoft.Network/virtualNetworks/subnets",
    }
    assert exactly(subnet) == exactly(expected)


def test_a_put_drops_the_subnets_it_does_not_name(wire: Wire) -> None:
    wire.send("PUT", HUB, body=BODY)
    wire.send(
        "PUT", HUB, body={"location": "eastasia", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
    )
    assert wire.get(HUB)["properties"]["subnets"] == []


def test_unknown_properties_are_echoed(wire: Wire) -> None:
    security_group = {"id": f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/nsg-web"}
    subnet = {"name": "web", "properties": {"addressPrefix": "10.0.1.0/24", "networkSecurityGroup": security_group}}
    properties = {**BODY["properties"], "subnets": [subnet], "flowTimeoutInMinutes": 10}
    wire.send("PUT", HUB, body={**BODY, "properties": properties})
    found = wire.get(HUB)["properties"]
    assert found["flowTimeoutInMinutes"] == 10
    assert found["subnets"][0]["properties"]["networkSecurityGroup"] == security_group


def test_attachments_of_a_world_look_like_references(wire: Wire) -> None:
    subnet = Subnet(name="web", prefixes=("10.0.1.0/24",), attachments=("network security group nsg-web",))
    network = wire.build.virtual_network("hub", "eastasia", address_space=["10.0.0.0/16"], subnets=[subnet])
    (found,) = wire.get(network.id)["properties"]["subnets"]
    assert found["properties"]["networkSecurityGroup"]["id"].endswith("/networkSecurityGroups/nsg-web")


def test_addresses_in_use_are_ids_in_another_case_and_expanded_on_request(wire: Wire) -> None:
    subnet = Subnet(name="web", prefixes=("10.0.1.0/24",), used=1, used_ips=("10.0.1.4",))
    network = wire.build.virtual_network("hub", "eastasia", group="Rg", address_space=["10.0.0.0/16"], subnets=[subnet])
    (plain,) = wire.get(network.id)["properties"]["subnets"][0]["properties"]["ipConfigurations"]
    (shown,) = wire.get(network.id, query="$expand=subnets/ipConfigurations")["properties"]["subnets"][0]["properties"][
        "ipConfigurations"
    ]
    assert "/resourceGroups/RG/" in plain["id"]
    assert list(plain) == ["id"]
    assert shown["properties"]["privateIPAddress"] == "10.0.1.4"


def test_a_gateway_uses_its_subnet(wire: Wire) -> None:
    network = wire.build.virtual_network(
        "hub", "eastasia", address_space=["10.0.0.0/16"], subnets={"GatewaySubnet": "10.0.255.0/27"}, gateway=True
    )
    (subnet,) = wire.get(network.id)["properties"]["subnets"]
    assert "/virtualNetworkGateways/" in subnet["properties"]["ipConfigurations"][0]["id"]


def test_empty_lists_of_networks_have_no_link(wire: Wire) -> None:
    assert wire.get(f"{GROUP}/providers/Microsoft.Network/virtualNetworks") == {"value": []}
    assert wire.get(f"/subscriptions/{SUB}/providers/Microsoft.Network/virtualNetworks") == {"value": []}


def test_networks_are_listed_by_group_and_by_subscription(wire: Wire) -> None:
    wire.send("PUT", HUB, body=BODY)
    wire.build.virtual_network("other", "eastasia", group="elsewhere")
    by_group = wire.get(f"{GROUP.lower()}/providers/microsoft.network/virtualnetworks")["value"]
    everywhere = wire.get(f"/subscriptions/{SUB}/providers/Microsoft.Network/virtualNetworks")["value"]
    assert [each["name"] for each in by_group] == ["Hub"]
    assert [each["name"] for each in everywhere] == ["Hub", "other"]


def test_a_missing_network_and_a_missing_group_have_different_errors(wire: Wire) -> None:
    missing = wire.send("GET", HUB)
    group = wire.send("GET", HUB.replace("Rg-Hub", "nowhere"))
    assert (missing.status, error_of(missing)["code"]) == (404, "ResourceNotFound")
    assert "'Microsoft.Network/virtualNetworks/Hub' under resource group 'Rg-Hub'" in error_of(missing)["message"]
    assert (group.status, error_of(group)["code"]) == (404, "ResourceGroupNotFound")


def test_refusals_of_the_provider_have_empty_details(wire: Wire) -> None:
    properties = {"addressSpace": {"addressPrefixes": ["10.0.0.0/33"]}}
    answer = wire.send("PUT", HUB, body={"location": "eastasia", "properties": properties})
    assert answer.status == 400
    assert error_of(answer) == {
        "code": "InvalidAddressPrefixFormat",
        "message": "Address prefix 10.0.0.0/33 is not formatted correctly.",
        "details": [],
    }


def test_a_network_without_a_location_is_refused(wire: Wire) -> None:
    answer = wire.send("PUT", HUB, body={"properties": {}})
    assert (answer.status, error_of(answer)["code"]) == (400, "LocationRequired")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"location": "x" * 91}, "LocationNotAvailableForResourceType"),
        ({"location": "eastasia", "properties": {"subnets": [{"name": "x" * 81}]}}, "InvalidResourceName"),
        ({"location": "eastasia", "properties": {"subnets": [{"name": "a b"}]}}, "InvalidResourceName"),
    ],
)
def test_a_network_that_no_world_could_hold_is_refused(wire: Wire, body: dict[str, object], code: str) -> None:
    answer = wire.send("PUT", HUB, body=body)
    assert (answer.status, error_of(answer)["code"]) == (400, code)


def test_deleting_a_network_takes_an_operation_and_then_nothing(wire: Wire) -> None:
    wire.send("PUT", HUB, body=BODY)
    deleted = wire.send("DELETE", HUB)
    assert (deleted.status, deleted.body) == (202, b"")
    assert wire.follow(deleted.header("Location") or "").status == 204
    assert wire.send("DELETE", HUB).status == 204
    assert wire.send("GET", HUB).status == 404


def test_subnets_have_operations_of_their_own(wire: Wire) -> None:
    wire.send("PUT", HUB, body=BODY)
    created = wire.send("PUT", f"{HUB}/subnets/db", body={"properties": {"addressPrefix": "10.0.2.0/24"}})
    assert (created.status, document(created)["name"]) == (201, "db")
    assert [each["name"] for each in wire.get(f"{HUB}/subnets")["value"]] == ["web", "db"]
    assert wire.get(f"{HUB}/subnets/DB")["properties"]["addressPrefix"] == "10.0.2.0/24"
    assert wire.send("DELETE", f"{HUB}/subnets/db").status == 202
    assert wire.send("DELETE", f"{HUB}/subnets/db").status == 204
    assert error_of(wire.send("GET", f"{HUB}/subnets/db"))["code"] == "NotFound"


@pytest.mark.parametrize(
    ("address", "free", "suggested"),
    [
        ("10.0.1.9", True, []),
        ("10.0.1.4", False, ["10.0.1.5", "10.0.1.6", "10.0.1.7", "10.0.1.8", "10.0.1.9"]),
        ("10.0.1.3", False, ["10.0.1.5", "10.0.1.6", "10.0.1.7", "10.0.1.8", "10.0.1.9"]),
    ],
)
def test_the_provider_answers_which_addresses_are_available(
    wire: Wire, address: str, *, free: bool, suggested: list[str]
) -> None:
    subnet = Subnet(name="web", prefixes=("10.0.1.0/24",), used_ips=("10.0.1.4",))
    network = wire.build.virtual_network("hub", "eastasia", address_space=["10.0.0.0/16"], subnets=[subnet])
    found = wire.get(f"{network.id}/CheckIPAddressAvailability", query=f"ipAddress={address}")
    assert (found["available"], found["availableIPAddresses"]) == (free, suggested)


def test_an_address_of_no_subnet_is_refused(wire: Wire) -> None:
    wire.send("PUT", HUB, body=BODY)
    answer = wire.send("GET", f"{HUB}/CheckIPAddressAvailability", query="ipAddress=192.168.0.1")
    assert (answer.status, error_of(answer)["code"]) == (400, "PrivateIPAddressNotInAnySubnet")


def test_resource_groups_are_created_read_and_deleted(wire: Wire) -> None:
    new = f"/subscriptions/{SUB}/resourcegroups/Rg-New"
    assert wire.send("PUT", new, body={"location": "East US", "tags": {"a": "b"}}).status == 201
    assert wire.send("PUT", new, body={"location": "East US"}).status == 200
    assert wire.get(new)["location"] == "eastus"
    assert wire.send("HEAD", new).status == 204
    assert [each["name"] for each in wire.get(f"/subscriptions/{SUB}/resourceGroups")["value"]] == ["Rg-Hub", "Rg-New"]
    assert wire.send("DELETE", new).status == 200
    assert wire.send("HEAD", new).status == 404


def test_vaults_are_created_read_and_deleted(wire: Wire) -> None:
    behave(wire, operations="manual:2")
    vault = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/Vault"
    created = wire.send("PUT", vault, body={"location": "eastasia", "sku": {"name": "RS0"}, "properties": {}})
    url = created.header("Azure-AsyncOperation") or ""
    assert (created.status, document(created)["properties"]["provisioningState"]) == (201, "Provisioning")
    assert created.header("x-ms-ratelimit-remaining-subscription-resource-requests") == "209"
    assert created.header("x-ms-ratelimit-remaining-subscription-writes") is None
    assert [document(wire.follow(url))["status"] for _ in range(2)] == ["InProgress", "Succeeded"]
    found = wire.get(vault)
    assert (found["sku"], found["location"]) == ({"name": "RS0", "tier": "Standard"}, "eastasia")
    assert wire.get(f"{GROUP}/providers/Microsoft.RecoveryServices/vaults")["value"] == [found]
    assert wire.get(f"/subscriptions/{SUB}/providers/Microsoft.RecoveryServices/vaults")["value"] == [found]


def test_an_unknown_subscription_is_the_gateways_404(wire: Wire) -> None:
    answer = wire.send("GET", f"/subscriptions/{SUB.replace('1', '9')}/resourceGroups")
    assert (answer.status, error_of(answer)["code"]) == (404, "SubscriptionNotFound")


GRAPH = "/providers/Microsoft.ResourceGraph/resources"
QUERY = (
    "Resources | where type =~ 'Microsoft.Network/virtualNetworks' | project id, name, type, location | order by id asc"
)


def ask(wire: Wire, query: str, **options: object) -> Any:
    return wire.send("POST", GRAPH, body={"subscriptions": [SUB], "query": query, "options": options})


def test_resource_graph_finds_networks_with_types_in_lower_case(wire: Wire) -> None:
    wire.send("PUT", HUB, body=BODY)
    wire.build.vault("vault", group="Rg-Hub")
    found = document(ask(wire, QUERY))
    assert found == {
        "totalRecords": 1,
        "count": 1,
        "resultTruncated": "false",
        "facets": [],
        "data": [{"id": HUB, "name": "Hub", "type": "microsoft.network/virtualnetworks", "location": "eastasia"}],
    }


def test_resource_graph_continues_with_a_token(wire: Wire) -> None:
    for name in ("a", "b", "c"):
        wire.build.virtual_network(name, "eastasia")
    first = document(ask(wire, QUERY, **{"$top": 2}))
    second = document(ask(wire, QUERY, **{"$top": 2, "$skipToken": first["$skipToken"]}))
    assert [row["name"] for row in first["data"] + second["data"]] == ["a", "b", "c"]
    assert (first["count"], first["totalRecords"], "$skipToken" in second) == (2, 3, False)


def test_resource_graph_truncates_without_ids_and_makes_tables(wire: Wire) -> None:
    for name in ("a", "b"):
        wire.build.virtual_network(name, "eastasia")
    found = document(ask(wire, "Resources | project name", **{"$top": 1, "resultFormat": "table"}))
    assert found["resultTruncated"] == "true"
    assert found["data"] == {"columns": [{"name": "name", "type": "string"}], "rows": [["a"]]}


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("Resources | where name in~ ('A', 'c') | project name", ["a", "c"]),
        ("resources | where name == 'a' and location =~ 'EastAsia'", ["a"]),
        ("Resources | where properties.addressSpace.addressPrefixes contains '10.0.' | project name", ["a"]),
        ("Resources | where tags['dr'] == 'yes'", ["b"]),
        ("Resources | project name, n = name | sort by name desc | take 2", ["c", "b"]),
        ("Resources | where name !~ 'A' | where name startswith 'B'", ["b"]),
        ("Resources | where resourceGroup != 'rg'", []),
    ],
)
def test_the_supported_subset_of_the_query_language_works(wire: Wire, query: str, names: list[str]) -> None:
    wire.build.virtual_network("a", "eastasia")
    wire.build.virtual_network("b", "eastus", tags={"dr": "yes"})
    wire.build.virtual_network("c", "eastus")
    assert [row["name"] for row in document(ask(wire, query))["data"]] == names


@pytest.mark.parametrize(
    "query",
    [
        "ResourceContainers | project id",
        "Resources | summarize count() by location",
        "Resources | where name matches regex 'a'",
        "Resources | extend x = name",
        "Resources | where name == 'a' or name == 'b'",
        "Resources | limit many",
    ],
)
def test_queries_beyond_the_subset_are_refused(wire: Wire, query: str) -> None:
    answer = ask(wire, query)
    assert (answer.status, error_of(answer)["code"]) == (400, "InvalidQuery")


def test_counting_is_supported(wire: Wire) -> None:
    wire.build.virtual_network("a", "eastasia")
    assert document(ask(wire, "Resources | count"))["data"] == [{"count_": 1}]


def test_the_list_of_resources_is_short(wire: Wire) -> None:
    wire.send("PUT", HUB, body=BODY)
    vault = wire.build.vault("vault", group="Rg-Hub", location="eastasia")
    expected = [
        {
            "id": HUB,
            "name": "Hub",
            "type": "Microsoft.Network/virtualNetworks",
            "location": "eastasia",
            "tags": {"dr": "yes"},
        },
        {
            "id": str(vault.id),
            "name": "vault",
            "type": "Microsoft.RecoveryServices/vaults",
            "location": "eastasia",
        },
    ]
    assert wire.get(f"{GROUP}/resources") == {"value": expected}
    assert wire.get(f"/subscriptions/{SUB}/resources") == {"value": expected}


def test_older_api_versions_omit_later_properties(wire: Wire) -> None:
    wire.send("PUT", HUB, body=BODY)
    old, new = wire.get(HUB, version="2022-01-01"), wire.get(HUB, version="2024-05-01")
    assert "privateEndpointVNetPolicies" not in old["properties"]
    assert new["properties"]["privateEndpointVNetPolicies"] == "Disabled"


def test_the_etag_of_a_network_is_in_a_header_too(wire: Wire) -> None:
    network = wire.build.virtual_network("Hub", "eastus", group="Rg")
    answer = wire.send("GET", network.id)
    assert answer.header("ETag") == json.loads(answer.body)["etag"]
    assert (answer.header("Vary"), answer.header("Server")) == ("Accept-Encoding", "Microsoft-HTTPAPI/2.0")


def test_a_network_that_has_not_changed_is_not_sent_again(wire: Wire) -> None:
    network = wire.build.virtual_network("Hub", "eastus", group="Rg")
    etag = wire.send("GET", network.id).header("ETag") or ""
    again = wire.send("GET", network.id, headers=BEARER | {"if-none-match": etag})
    assert (again.status, again.body, again.header("ETag")) == (304, b"", etag)


@pytest.mark.parametrize(
    ("method", "condition", "status"),
    [
        ("PUT", {"if-match": "CURRENT"}, 200),
        ("PUT", {"if-match": "*"}, 200),
        ("PUT", {"if-match": 'W/"another"'}, 412),
        ("PUT", {"if-none-match": "*"}, 412),
        ("PATCH", {"if-match": 'W/"another"'}, 412),
        ("DELETE", {"if-match": 'W/"another"'}, 412),
        ("DELETE", {"if-match": "CURRENT"}, 202),
    ],
)
def test_a_write_with_a_condition_that_does_not_hold_is_refused(
    wire: Wire, method: str, condition: dict[str, str], status: int
) -> None:
    network = wire.build.virtual_network("Hub", "eastus", group="Rg")
    etag = wire.send("GET", network.id).header("ETag") or ""
    headers = BEARER | {name: value.replace("CURRENT", etag) for name, value in condition.items()}
    body = None if method == "DELETE" else {"location": "eastus", "tags": {"a": "b"}}
    assert wire.send(method, network.id, body=body, headers=headers).status == status


def test_a_condition_can_ask_that_a_network_is_new(wire: Wire) -> None:
    wire.build.resource_group("Rg")
    path = f"/subscriptions/{SUB}/resourceGroups/Rg/providers/Microsoft.Network/virtualNetworks/New"
    body = {"location": "eastus", "properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}}
    assert wire.send("PUT", path, body=body, headers=BEARER | {"if-match": "*"}).status == 412
    assert wire.send("PUT", path, body=body, headers=BEARER | {"if-none-match": "*"}).status == 201


def test_a_resource_group_with_a_used_vault_is_refused_in_the_words_of_the_gateway(wire: Wire) -> None:
    vault = wire.build.vault("Vault", group="rg-dr")
    wire.build.azure_fabric(vault, "eastus")
    answer = wire.send("DELETE", vault.id.parent, version="2021-04-01")
    assert (answer.status, error_of(answer)["code"]) == (409, "ResourceGroupDeletionBlocked")
    assert "details" not in error_of(answer)

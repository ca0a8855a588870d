"""The unmodified Azure SDKs on the emulator in process: lifecycles, pages, operations, faults."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import requests
from azure.core.credentials import AccessToken
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError, ServiceRequestError
from azure.core.pipeline.transport import RequestsTransport
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.recoveryservicessiterecovery import SiteRecoveryManagementClient
from azure.mgmt.resourcegraph import ResourceGraphClient
from azure.mgmt.resourcegraph.models import QueryRequest
from msgspec import structs

from asrnet.emulator.app import App
from asrnet.emulator.faults import Fault
from asrnet.emulator.serving import ServeOptions, app_of
from asrnet.emulator.transport import in_process, session
from asrnet.fake.builder import SUBSCRIPTION, Builder
from asrnet.fake.faults import Fault as ServiceFault
from asrnet.fake.records import VaultResource
from asrnet.model.azure import Fabric, VirtualNetwork

FOREVER = 2**31


class Anybody:
    """A credential that the emulator accepts, as it accepts any."""

    def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken("made-up", FOREVER)


class Azure:
    """Two regions, and the SDK's clients for them."""

    def __init__(self) -> None:
        self.build = Builder()
        self.app = App(self.build.world)
        self.session = session(self.app)
        self.vault: VaultResource = self.build.vault("Vault", group="Rg")
        self.east: Fabric = self.build.azure_fabric(self.vault, "eastus", name="East")
        self.west: Fabric = self.build.azure_fabric(self.vault, "westus", name="West")
        self.hub: VirtualNetwork = self.build.virtual_network("Hub", "eastus", group="Rg")
        self.spare: VirtualNetwork = self.build.virtual_network("Spare", "westus", group="Rg")
        self.other: VirtualNetwork = self.build.virtual_network("Other", "westus", group="Rg")

    def options(self) -> dict[str, Any]:
        transport = RequestsTransport(session=self.session, session_owner=False)
        return {"credential": Anybody(), "transport": transport, "retry_total": 0}

    def site_recovery(self) -> SiteRecoveryManagementClient:
        return SiteRecoveryManagementClient(subscription_id=SUBSCRIPTION, **self.options())

    def network(self) -> NetworkManagementClient:
        return NetworkManagementClient(subscription_id=SUBSCRIPTION, **self.options())

    def behave(self, **settings: object) -> None:
        self.build.world.behaviour = structs.replace(self.build.world.behaviour, **settings)

    def wanted(self, recovery: VirtualNetwork) -> dict[str, Any]:
        details = {"instanceType": "AzureToAzure", "primaryNetworkId": str(self.hub.id)}
        properties = {"recoveryFabricName": "West", "recoveryNetworkId": str(recovery.id)}
        return {"properties": {**properties, "fabricSpecificDetails": details}}


@pytest.fixture
def azure() -> Iterator[Azure]:
    found = Azure()
    yield found
    found.session.close()


def test_the_lifecycle_of_a_mapping_works_through_the_sdk(azure: Azure) -> None:
    mappings = azure.site_recovery().replication_network_mappings
    where = ("Rg", "Vault", "East", "azureNetwork")
    created = mappings.begin_create(*where, "m", azure.wanted(azure.spare)).result()
    assert created.properties is not None
    assert (created.properties.recovery_network_id or "").endswith("/virtualnetworks/spare")
    assert [each.name for each in mappings.list_by_replication_networks(*where)] == ["m"]
    updated = mappings.begin_update(*where, "m", azure.wanted(azure.other)).result()
    assert updated.properties is not None
    assert updated.properties.recovery_network_friendly_name == "other"
    mappings.begin_delete(*where, "m").result()
    assert list(mappings.list("Rg", "Vault")) == []
    with pytest.raises(ResourceNotFoundError) as caught:
        mappings.get(*where, "m")
    assert caught.value.error is not None
    assert caught.value.error.code == "NotFound"


def test_the_sdk_waits_for_an_operation(azure: Azure) -> None:
    azure.behave(operations="manual:2", retry_after=0)
    mappings = azure.site_recovery().replication_network_mappings
    poller = mappings.begin_create(
        "Rg", "Vault", "East", "azureNetwork", "m", azure.wanted(azure.spare), polling_interval=0
    )
    assert poller.result().name == "m"
    assert azure.app.journal.count("GET", "ReplicationOperationStatus_Get") == 2
    assert azure.app.journal.altered == 0


class SimulatedTransport(RequestsTransport):  # type: ignore[misc]  # the SDK's class has no types
    """Advances the world's clock where the SDK would wait."""

    def __init__(self, azure: Azure) -> None:
        super().__init__(session=azure.session, session_owner=False)
        self._clock = azure.build.world.clock

    def sleep(self, duration: float) -> None:
        self._clock.sleep(duration)


def test_sdk_pollers_take_as_long_as_the_operation_where_the_emulator_sends_retry_after(azure: Azure) -> None:
    azure.build.world.behaviour = app_of(ServeOptions(operations="time:2", retry_after=1)).world.behaviour
    begun = azure.build.world.clock.now()
    options = azure.options() | {"transport": SimulatedTransport(azure)}
    client = SiteRecoveryManagementClient(subscription_id=SUBSCRIPTION, **options)
    where = ("Rg", "Vault", "East", "azureNetwork", "m")
    client.replication_network_mappings.begin_create(*where, azure.wanted(azure.spare)).result()
    client.replication_network_mappings.begin_delete(*where).result()
    assert azure.build.world.clock.now() - begun < 10
    assert azure.app.journal.count("GET", "ReplicationOperationStatus_Get") <= 6


def test_the_sdk_follows_pages(azure: Azure) -> None:
    azure.behave(page_size=1, network_page_size=2, empty_last_page=True)
    fabrics = azure.site_recovery().replication_fabrics.list("Rg", "Vault")
    assert [each.name for each in fabrics] == ["East", "West"]
    assert [each.name for each in azure.network().virtual_networks.list_all()] == ["Hub", "Spare", "Other"]
    assert azure.app.journal.count("GET", "ReplicationFabrics_List") == 3
    assert azure.app.journal.count("GET", "VirtualNetworks_ListAll") == 2


def test_the_lifecycle_of_a_fabric_works_through_the_sdk(azure: Azure) -> None:
    fabrics = azure.site_recovery().replication_fabrics
    body = {"properties": {"customDetails": {"instanceType": "Azure", "location": "northeurope"}}}
    created = fabrics.begin_create("Rg", "Vault", "North", body).result()
    assert created.properties is not None
    assert created.properties.friendly_name == "North Europe"
    fabrics.begin_delete("Rg", "Vault", "North").result()
    assert [each.name for each in fabrics.list("Rg", "Vault")] == ["East", "West"]


def test_the_lifecycle_of_a_network_works_through_the_sdk(azure: Azure) -> None:
    networks = azure.network().virtual_networks
    body: Any = {
        "location": "eastus",
        "properties": {
            "addressSpace": {"addressPrefixes": ["10.9.0.0/16"]},
            "subnets": [{"name": "web", "properties": {"addressPrefix": "10.9.1.0/24"}}],
        },
    }
    created = networks.begin_create_or_update("Rg", "New", body).result()
    assert created.name == "New"
    assert [each.name for each in networks.list("Rg")] == ["Hub", "Spare", "Other", "New"]
    free = networks.check_ip_address_availability("Rg", "New", ip_address="10.9.1.1")
    assert (free.available, (free.available_ip_addresses or [])[0]) == (False, "10.9.1.4")
    networks.begin_delete("Rg", "New").result()
    with pytest.raises(ResourceNotFoundError):
        networks.get("Rg", "New")


def test_the_lifecycle_of_subnets_works_through_the_sdk(azure: Azure) -> None:
    subnets = azure.network().subnets
    space = azure.hub.address_space[0].replace(".0.0/16", ".1.0/24")
    body: Any = {"properties": {"addressPrefix": space}}
    created = subnets.begin_create_or_update("Rg", "Hub", "web", body).result()
    assert created.name == "web"
    subnets.begin_delete("Rg", "Hub", "web").result()
    assert list(subnets.list("Rg", "Hub")) == []


def test_jobs_and_machines_are_read_through_the_sdk(azure: Azure) -> None:
    azure.build.protected_item("vm1", azure.east, azure.west)
    client = azure.site_recovery()
    client.replication_network_mappings.begin_create(
        "Rg", "Vault", "East", "azureNetwork", "m", azure.wanted(azure.spare)
    ).result()
    (job,) = client.replication_jobs.list("Rg", "Vault", filter="startTime eq '2026-01-01T00:00:00Z'")
    assert job.properties is not None
    assert (job.properties.scenario_name, job.properties.state) == ("NetworkPairing", "Succeeded")
    full = client.replication_jobs.get("Rg", "Vault", job.name or "")
    assert full.properties is not None
    assert len(full.properties.tasks or ()) == 2
    (item,) = client.replication_protected_items.list("Rg", "Vault")
    assert item.properties is not None
    assert item.properties.protection_state == "Protected"


def test_resource_graph_answers_through_the_sdk(azure: Azure) -> None:
    query = "Resources | where type =~ 'microsoft.network/virtualnetworks' | project id, name | order by name asc"
    client = ResourceGraphClient(**azure.options())
    answer = client.resources(QueryRequest(query=query, subscriptions=[SUBSCRIPTION]))
    rows: Any = answer.data
    assert [row["name"] for row in rows] == ["Hub", "Other", "Spare"]


def test_a_failed_operation_is_an_error_of_the_sdk(azure: Azure) -> None:
    azure.build.world.faults.add(ServiceFault(effect="operation_fails", method="PUT", code="28020"))
    mappings = azure.site_recovery().replication_network_mappings
    with pytest.raises(HttpResponseError, match="28020"):
        mappings.begin_create("Rg", "Vault", "East", "azureNetwork", "m", azure.wanted(azure.spare)).result()


def test_a_reset_is_a_connection_error_of_the_sdk(azure: Azure) -> None:
    azure.app.faults.add(Fault(kind="reset"))
    with pytest.raises(ServiceRequestError):
        azure.site_recovery().replication_fabrics.get("Rg", "Vault", "East")


def test_latency_and_delays_pass_on_the_simulated_clock() -> None:
    azure = Azure()
    start = azure.build.world.clock.now()
    slow = session(azure.app, latency_s=0.2)
    slow.get("https://management.azure.com/subscriptions?api-version=2022-08-01", headers={"Authorization": "Bearer x"})
    assert azure.build.world.clock.now() - start == pytest.approx(0.2)
    azure.app.faults.add(Fault(kind="delay", seconds=30))
    slow.get("https://management.azure.com/subscriptions?api-version=2022-08-01", headers={"Authorization": "Bearer x"})
    assert azure.build.world.clock.now() - start == pytest.approx(30.4)


@pytest.mark.parametrize("body", [None, "text", b"bytes", iter([b"it", b"er"])])
def test_a_session_carries_bodies_of_every_kind(body: Any) -> None:
    built = Builder()
    answer = in_process(built.world).put(
        f"http://127.0.0.1:1/subscriptions/{SUBSCRIPTION}/resourceGroups/rg?api-version=2022-08-01",
        data=body,
        headers={"Authorization": "Bearer x"},
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "InvalidRequestContent")


def test_links_lead_back_to_the_host_the_client_used() -> None:
    built = Builder()
    fabric = built.azure_fabric(built.vault("vault"), "eastus")
    answer = in_process(built.world).delete(
        f"http://127.0.0.1:4590{fabric.id}?api-version=2022-08-01", headers={"Authorization": "Bearer x"}
    )
    assert answer.headers["Azure-AsyncOperation"].startswith("http://127.0.0.1:4590/Subscriptions/")
    assert isinstance(answer, requests.Response)


def test_the_lifecycle_of_a_machine_works_through_the_sdk(azure: Azure) -> None:
    client = azure.site_recovery()
    east, west = azure.build.container(azure.east), azure.build.container(azure.west)
    azure.build.pair(azure.east, azure.hub, azure.west, azure.spare)
    machine = azure.build.virtual_machine("Vm1", azure.hub)
    settings = {"instanceType": "A2A", "multiVmSyncStatus": "Enable"}
    policy = client.replication_policies.begin_create(
        "Rg", "Vault", "Daily", {"properties": {"providerSpecificInput": settings}}
    ).result()
    details = {"instanceType": "A2A", "fabricObjectId": str(machine.id), "recoveryContainerId": str(west.id)}
    body = {"properties": {"policyId": policy.id, "providerSpecificDetails": details}}
    items = client.replication_protected_items
    east_item = ("Rg", "Vault", "East", east.id.name, "Vm1")
    protected = items.begin_create(*east_item, body).result()
    assert protected.properties is not None
    assert protected.properties.policy_friendly_name == "Daily"
    test = {"properties": {"networkType": "VmNetworkAsInput", "networkId": str(azure.other.id)}}
    tested = items.begin_test_failover(*east_item, test).result()
    assert tested.properties is not None
    assert tested.properties.test_failover_state == "WaitingForCompletion"
    items.begin_test_failover_cleanup(*east_item, {"properties": {"comments": ""}}).result()
    direction = {"properties": {"failoverDirection": "PrimaryToRecovery"}}
    failed_over = items.begin_unplanned_failover(*east_item, direction).result()
    assert failed_over.properties is not None
    assert failed_over.properties.active_location == "Recovery"
    items.begin_failover_commit(*east_item).result()
    back = {"instanceType": "A2A", "recoveryContainerId": str(east.id), "policyId": policy.id}
    switch = {"properties": {"replicationProtectedItemName": "Vm1", "providerSpecificDetails": back}}
    client.replication_protection_containers.begin_switch_protection(
        "Rg", "Vault", "East", east.id.name, switch
    ).result()
    reversed_item = items.get("Rg", "Vault", "West", west.id.name, "Vm1")
    assert reversed_item.properties is not None
    assert reversed_item.properties.active_location == "Primary"
    assert azure.app.journal.statuses[500] == 0


def test_a_recovery_plan_and_the_reports_of_a_vault_are_read_through_the_sdk(azure: Azure) -> None:
    client = azure.site_recovery()
    east = azure.build.container(azure.east)
    item = azure.build.protected_item("Vm1", azure.east, azure.west, cloud=east)
    group = {"groupType": "Boot", "replicationProtectedItems": [{"id": str(item.id)}]}
    plan = {"primaryFabricId": str(azure.east.id), "recoveryFabricId": str(azure.west.id), "groups": [group]}
    created = client.replication_recovery_plans.begin_create("Rg", "Vault", "All", {"properties": plan}).result()
    assert created.properties is not None
    assert [group.group_type for group in created.properties.groups or []] == ["Shutdown", "Failover", "Boot"]
    providers = list(client.replication_recovery_services_providers.list("Rg", "Vault"))
    assert [provider.properties and provider.properties.fabric_type for provider in providers] == ["Azure", "Azure"]
    health = client.replication_vault_health.get("Rg", "Vault")
    assert health.properties is not None
    assert health.properties.fabrics_health is not None
    assert health.properties.fabrics_health.resource_count == 2
    assert list(client.replication_events.list("Rg", "Vault")) == []
    alert = {"properties": {"sendToOwners": "Send", "customEmailAddresses": ["ops@contoso.com"], "locale": "en-US"}}
    client.replication_alert_settings.create("Rg", "Vault", "defaultAlertSetting", alert)
    (setting,) = client.replication_alert_settings.list("Rg", "Vault")
    assert setting.properties is not None
    assert setting.properties.custom_email_addresses == ["ops@contoso.com"]

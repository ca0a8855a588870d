"""Every operation of the emulator, in an order that a client could use.

``python tests/support/every_operation.py`` rewrites the fixtures: review the diff. They restate recorded, specified or
assumed answers: docs/emulator-coverage.md says which.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, Final

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from msgspec import structs
from wire_case import Wire

from asrnet.emulator.messages import Response
from asrnet.fake.faults import Fault
from asrnet.model.arm import ArmId

FIXTURES: Final = Path(__file__).parent / "every_operation.json"
SUB: Final = "/subscriptions/11111111-1111-1111-1111-111111111111"
GROUP: Final = f"{SUB}/resourceGroups/Rg-DR"
NETWORKS: Final = f"{GROUP}/providers/Microsoft.Network/virtualNetworks"
VAULTS: Final = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults"
VAULT: Final = f"{VAULTS}/Vault-DR"
FABRICS: Final = f"{VAULT}/replicationFabrics"
MAPPING: Final = f"{FABRICS}/East/replicationNetworks/azureNetwork/replicationNetworkMappings/Hub-To-Spare"
CONTAINERS: Final = "replicationProtectionContainers"
BOX: Final = f"{FABRICS}/East/{CONTAINERS}/Box-East"
BOX_MAPPING: Final = f"{BOX}/replicationProtectionContainerMappings/East-To-West"
POLICY: Final = f"{VAULT}/replicationPolicies/Daily"
PLAN: Final = f"{VAULT}/replicationRecoveryPlans/All"
ITEM: Final = f"{BOX}/replicationProtectedItems/vm1"
INTENT: Final = f"{VAULT}/replicationProtectionIntents/vm2"
GRAPH: Final = "/providers/Microsoft.ResourceGraph/resources"
QUERY: Final = "Resources | where type =~ 'microsoft.network/virtualnetworks' | project id, name | order by name asc"

_FORMS: Final = (
    (r"eyJ[\w-]+\.[\w-]+\.[\w-]+", "<token>"),
    (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<guid>"),
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z", "<time>"),
    (r"datetime'[^']+'", "<etag>"),
    (r"\b[0-9A-F]{40}\b", "<thumbprint>"),
    (r"\b[0-9a-f]{64}\b", "<64 hex>"),
    (r"operation(Status|Results)/\w{20,}", r"operation\1/<name>"),
    (r"\b17\d{8}\b", "<seconds>"),
    (r"([&?][tcsh])=[^&]+", r"\1=<signed>"),
    (r"\d+/\d+/\d{4} \d+:\d\d:\d\d [AP]M|\d{8}T\d{6}Z", "<moment>"),
)
_SHOWN: Final = 3
"""The number of list elements that are kept; more add nothing."""
_COUNTED: Final = frozenset({"content-length", "date"})


def form(value: Any) -> Any:
    """A document with times, GUIDs and similar values replaced by their forms."""
    if isinstance(value, dict):
        return {str(form(name)): form(inside) for name, inside in value.items()}
    if isinstance(value, list):
        return [form(inside) for inside in value[:_SHOWN]]
    if isinstance(value, str):
        for pattern, word in _FORMS:
            value = re.sub(pattern, word, value)
    return value


class Walk:
    """Sends requests and keeps the first answer for every operation, status and operation state."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.seen: dict[str, Any] = {}
        world = self.wire.build.world
        world.behaviour = structs.replace(world.behaviour, operations="time:3")

    def send(self, method: str, path: object, body: Any = None, *, query: str = "") -> Response:
        answer = self.wire.send(method, path, body=body, query=query)
        self._note(answer)
        for name in ("Azure-AsyncOperation", "Location"):
            self._follow(answer.header(name))
        self.wire.build.world.clock.sleep(5 if answer.header("Azure-AsyncOperation") else 0)
        for name in ("Azure-AsyncOperation", "Location"):
            self._follow(answer.header(name))
        return answer

    def get(self, *paths: object) -> None:
        for path in paths:
            self.send("GET", path)

    def _follow(self, url: str | None) -> None:
        if url:
            self._note(self.wire.follow(url))

    def _note(self, answer: Response) -> None:
        entry = self.wire.app.journal.entries[-1]
        body = form(json.loads(answer.body)) if answer.body else None
        headers = {name: form(value) for name, value in sorted(answer.headers) if name.lower() not in _COUNTED}
        state = body.get("status", "") if isinstance(body, dict) else ""
        name = f"{entry.operation} {answer.status} {state}".strip()
        self.seen.setdefault(name, {"headers": headers, "body": body})


def walk() -> dict[str, Any]:
    """The answers: headers and bodies, by operation, status and state."""
    steps = Walk()
    for part in (_sign_in, _resources, _networks, _vault, _site, _mappings, _machines, _on_premises, _the_end):
        part(steps)
    return steps.seen


def _sign_in(walk: Walk) -> None:
    tenant = "/22222222-2222-2222-2222-222222222222"
    walk.get("/metadata/endpoints", f"{tenant}/v2.0/.well-known/openid-configuration", "/common/discovery/instance")
    walk.get(f"{tenant}/.well-known/openid-configuration", f"{tenant}/discovery/v2.0/keys")
    for path in (f"{tenant}/oauth2/v2.0/token", f"{tenant}/oauth2/token"):
        walk._note(walk.wire.send("POST", path, raw=b"grant_type=client_credentials&scope=a/.default"))
    for path in ("/msi/token", "/metadata/identity/oauth2/token"):
        walk.send("GET", path, query="resource=https://management.azure.com/")


def _resources(walk: Walk) -> None:
    walk.get("/subscriptions", SUB, "/tenants", f"{SUB}/providers", f"{SUB}/providers/Microsoft.RecoveryServices")
    walk.send("GET", f"{SUB}/locations")
    walk.send("POST", f"{SUB}/providers/Microsoft.RecoveryServices/register")
    walk.send("GET", GROUP)
    walk.send("PUT", GROUP, {"location": "eastus", "tags": {"a": "b"}})
    walk.send("PATCH", GROUP, {"tags": {"a": "b"}})
    walk.send("HEAD", GROUP)
    walk.get(GROUP, f"{SUB}/resourceGroups", f"{GROUP}/providers/Microsoft.Authorization/permissions")


def _network(location: str, prefix: str) -> dict[str, Any]:
    subnets = [{"name": "web", "properties": {"addressPrefix": f"{prefix}.1.0/24"}}]
    properties = {"addressSpace": {"addressPrefixes": [f"{prefix}.0.0/16"]}, "subnets": subnets}
    return {"location": location, "tags": {"a": "b"}, "properties": properties}


def _networks(walk: Walk) -> None:
    walk.send("GET", f"{NETWORKS}/Hub")
    for name, location, prefix in (("Hub", "eastus", "10.0"), ("Spare", "westus", "10.1"), ("Other", "westus", "10.2")):
        walk.send("PUT", f"{NETWORKS}/{name}", _network(location, prefix))
    walk.get(f"{NETWORKS}/Hub", NETWORKS, f"{SUB}/providers/Microsoft.Network/virtualNetworks")
    walk.send("PATCH", f"{NETWORKS}/Hub", {"tags": {"c": "d"}})
    walk.send("GET", f"{NETWORKS}/Hub/CheckIPAddressAvailability", query="ipAddress=10.0.1.4")
    walk.send("PUT", f"{NETWORKS}/Hub/subnets/new", {"properties": {"addressPrefix": "10.0.9.0/24"}})
    walk.get(f"{NETWORKS}/Hub/subnets", f"{NETWORKS}/Hub/subnets/new")
    walk.get(f"{NETWORKS}/Hub/providers/Microsoft.Authorization/permissions")
    build = walk.wire.build
    walk.get(build.network_security_group("Nsg", "eastus", group="Rg-DR").id)
    walk.get(build.route_table("Routes", "eastus", group="Rg-DR").id)
    hub = build.world.virtual_networks.get(ArmId(f"{NETWORKS}/Hub"))
    build.network_interface("Web1-Nic", hub, group="Rg-DR", subnet="new", ip="10.0.9.4")
    walk.get(f"{SUB}/providers/Microsoft.Network/networkInterfaces")
    walk.send("DELETE", f"{NETWORKS}/Hub/subnets/new")
    walk.send("DELETE", f"{NETWORKS}/Hub/subnets/new")


def _vault(walk: Walk) -> None:
    walk.send("GET", VAULT)
    walk.send("PUT", VAULT, {"location": "westus", "sku": {"name": "RS0", "tier": "Standard"}, "properties": {}})
    walk.send("PATCH", VAULT, {"tags": {"a": "b"}})
    walk.get(VAULT, VAULTS, f"{SUB}/providers/Microsoft.RecoveryServices/vaults")
    walk.get(f"{SUB}/resources", f"{GROUP}/resources", f"{VAULT}/providers/Microsoft.Authorization/permissions")
    walk.get(f"{VAULT}/backupconfig/vaultconfig", f"{VAULT}/backupstorageconfig/vaultstorageconfig")
    walk.get(f"{VAULT}/backupProtectedItems", f"{VAULT}/extendedInformation/vaultExtendedInfo")
    walk.get(f"{VAULT}/replicationVaultSettings", f"{VAULT}/replicationVaultSettings/default")
    walk.send("POST", GRAPH, {"query": QUERY})


def _site(walk: Walk) -> None:
    world = walk.wire.build.world
    world.behaviour = structs.replace(world.behaviour, unused_vault="reject_400")
    walk.send("GET", FABRICS)
    world.behaviour = structs.replace(world.behaviour, unused_vault="empty")
    for name, location in (("East", "eastus"), ("West", "westus")):
        body = {"properties": {"customDetails": {"instanceType": "Azure", "location": location}}}
        walk.send("PUT", f"{FABRICS}/{name}", body)
        box = {"properties": {"providerSpecificInput": [{"instanceType": "A2A"}]}}
        walk.send("PUT", f"{FABRICS}/{name}/{CONTAINERS}/Box-{name}", box)
    walk.get(FABRICS, f"{FABRICS}/East", f"{FABRICS}/None", BOX, f"{BOX}-None")
    walk.get(f"{FABRICS}/East/{CONTAINERS}", f"{VAULT}/{CONTAINERS}")
    settings = {"instanceType": "A2A", "multiVmSyncStatus": "Enable"}
    walk.send("GET", POLICY)
    walk.send("PUT", POLICY, {"properties": {"providerSpecificInput": settings}})
    walk.send("PATCH", POLICY, {"properties": {"replicationProviderSettings": settings}})
    walk.get(POLICY, POLICY.rpartition("/")[0])
    target = {"targetProtectionContainerId": f"{FABRICS}/West/{CONTAINERS}/Box-West", "policyId": POLICY}
    walk.send("PUT", BOX_MAPPING, {"properties": target})
    walk.send("PATCH", BOX_MAPPING, {"properties": {"providerSpecificInput": {"agentAutoUpdateStatus": "Enabled"}}})
    walk.send("DELETE", POLICY)
    kind = "replicationProtectionContainerMappings"
    walk.get(BOX_MAPPING, f"{BOX}/{kind}", f"{VAULT}/{kind}", f"{BOX_MAPPING}-None")


def _mappings(walk: Walk) -> None:
    details = {"instanceType": "AzureToAzure", "primaryNetworkId": f"{NETWORKS}/Hub"}
    wanted = {"recoveryFabricName": "West", "fabricSpecificDetails": details}
    walk.send("GET", MAPPING)
    walk.send("PUT", MAPPING, {"properties": wanted | {"recoveryNetworkId": f"{NETWORKS}/Spare"}})
    walk.get(MAPPING, MAPPING.rpartition("/")[0], f"{VAULT}/replicationNetworkMappings")
    walk.send("PATCH", MAPPING, {"properties": wanted | {"recoveryNetworkId": f"{NETWORKS}/Other"}})
    jobs = json.loads(walk.send("GET", f"{VAULT}/replicationJobs").body)["value"]
    walk.send("GET", jobs[0]["id"])


def _machines(walk: Walk) -> None:
    build = walk.wire.build
    hub = build.world.virtual_networks.get(ArmId(f"{NETWORKS}/Hub"))
    first, second = (build.virtual_machine(name, hub, group="Rg-DR", subnet="web") for name in ("vm1", "vm2"))
    disk = {"diskId": f"{GROUP}/providers/Microsoft.Compute/disks/Disk1", "recoveryResourceGroupId": GROUP}
    details: dict[str, Any] = {"instanceType": "A2A", "fabricObjectId": str(first.id), "recoveryResourceGroupId": GROUP}
    details |= {"vmManagedDisks": [disk]}
    details["recoveryContainerId"] = f"{FABRICS}/West/{CONTAINERS}/Box-West"
    walk.send("GET", ITEM)
    walk.send("PUT", ITEM, {"properties": {"policyId": POLICY, "providerSpecificDetails": details}})
    walk.get(ITEM, f"{BOX}/replicationProtectedItems", f"{VAULT}/replicationProtectedItems")
    walk.send("PATCH", ITEM, {"properties": {"selectedRecoveryAzureNetworkId": f"{NETWORKS}/Spare"}})
    _life(walk)
    walk.send("POST", f"{ITEM}/remove", {"properties": {}})
    walk.send("DELETE", ITEM)
    details = {"instanceType": "A2A", "fabricObjectId": str(second.id), "primaryLocation": "eastus"}
    details["recoveryLocation"] = "westus"
    walk.send("PUT", INTENT, {"properties": {"providerSpecificDetails": details}})
    walk.wire.build.world.clock.sleep(5)
    walk.get(INTENT, f"{VAULT}/replicationProtectionIntents")
    for item in json.loads(walk.send("GET", f"{VAULT}/replicationProtectedItems").body)["value"]:
        walk.send("DELETE", item["id"])


def _life(walk: Walk) -> None:
    """A machine is tested, failed over, re-protected and failed back, first by itself and then by a recovery plan."""
    west = {"instanceType": "A2A", "recoveryContainerId": BOX, "policyId": POLICY}
    west_item = ITEM.replace("/East/", "/West/").replace("Box-East", "Box-West")
    network = {"properties": {"networkType": "VmNetworkAsInput", "networkId": f"{NETWORKS}/Other"}}
    groups = [{"groupType": "Boot", "replicationProtectedItems": [{"id": ITEM}]}]
    plan = {"primaryFabricId": f"{FABRICS}/East", "recoveryFabricId": f"{FABRICS}/West", "groups": groups}
    failover = {"properties": {"failoverDirection": "PrimaryToRecovery"}}
    walk.send("GET", PLAN)
    walk.send("PUT", PLAN, {"properties": plan})
    walk.send("PATCH", PLAN, {"properties": {"groups": groups}})
    walk.get(PLAN, PLAN.rpartition("/")[0])
    for path in (ITEM, PLAN):
        walk.send("POST", f"{path}/failoverCommit")
        walk.send("POST", f"{path}/plannedFailover", failover)
        walk.send("POST", f"{path}/testFailover", network)
        walk.send("POST", f"{path}/testFailoverCleanup", {"properties": {"comments": ""}})
        walk.send("POST", f"{path}/unplannedFailover", failover)
        walk.send("POST", f"{path}/failoverCancel")
        walk.send("POST", f"{path}/unplannedFailover", failover)
        if path == ITEM:
            (point,) = json.loads(walk.send("GET", f"{ITEM}/recoveryPoints").body)["value"]
            walk.get(point["id"], f"{ITEM}/recoveryPoints/none")
            walk.send("POST", f"{ITEM}/applyRecoveryPoint", {"properties": {"recoveryPointId": point["id"]}})
        walk.send("POST", f"{path}/reProtect", failover)
        walk.send("POST", f"{path}/failoverCommit")
        switch = {"replicationProtectedItemName": "vm1", "providerSpecificDetails": west}
        walk.send("POST", f"{BOX}/switchprotection", {"properties": switch})
        walk.get(west_item)
        walk.send("POST", f"{west_item}/unplannedFailover", failover)
        walk.send("POST", f"{west_item}/failoverCommit")
        east = west | {"recoveryContainerId": west_item.partition("/replicationProtectedItems")[0]}
        switch = {"replicationProtectedItemName": "vm1", "providerSpecificDetails": east}
        walk.send(
            "POST", f"{west_item.partition('/replicationProtectedItems')[0]}/switchprotection", {"properties": switch}
        )
    action = {"actionName": "Look", "customDetails": {"instanceType": "ManualActionDetails", "description": "Look."}}
    groups[0]["startGroupActions"] = [action]
    walk.send("PUT", PLAN, {"properties": plan})
    for verb in ("cancel", "resume"):
        walk.send("POST", f"{PLAN}/testFailover", network)
        job = json.loads(walk.send("GET", f"{VAULT}/replicationJobs").body)["value"][0]["id"]
        walk.get(job)
        walk.send("POST", f"{job}/{verb}", {"properties": {"comments": ""}})
        walk.get(job)
    walk.send("POST", f"{PLAN}/testFailoverCleanup", {"properties": {"comments": ""}})
    walk.send("DELETE", PLAN)
    walk.send("PUT", PLAN, {"properties": plan})
    walk.wire.build.world.faults.add(Fault(effect="operation_fails", kind="replicationrecoveryplans", method="DELETE"))
    walk.send("DELETE", PLAN)
    job = json.loads(walk.send("GET", f"{VAULT}/replicationJobs").body)["value"][0]["id"]
    walk.send("POST", f"{job}/restart")


def _on_premises(walk: Walk) -> None:
    build = walk.wire.build
    server = build.vmm_fabric(build.world.vaults.get(ArmId(VAULT)), "vmm.example")
    network, logical = build.vm_network(server, "corp"), build.logical_network(server, "backbone")
    walk.get(f"{VAULT}/replicationNetworks", f"{server.id}/replicationNetworks", network.id, f"{network.id}-none")
    walk.get(f"{server.id}/replicationLogicalNetworks", logical.id)
    cloud = build.cloud(server, "Gold")
    item = build.protected_item("hv1", server, None, cloud=cloud, provider="HyperVReplicaAzure")
    walk.get(item.id, f"{cloud.id}/replicationProtectableItems", f"{cloud.id}/replicationProtectableItems/hv1")
    providers = "replicationRecoveryServicesProviders"
    (provider,) = json.loads(walk.send("GET", f"{server.id}/{providers}").body)["value"]
    walk.get(f"{VAULT}/{providers}", provider["id"], f"{VAULT}/replicationVaultHealth", f"{VAULT}/replicationEvents")
    (event, *_) = json.loads(walk.send("GET", f"{VAULT}/replicationEvents").body)["value"]
    walk.get(event["id"], f"{VAULT}/replicationEvents/none", f"{VAULT}/replicationAlertSettings")
    alert = f"{VAULT}/replicationAlertSettings/defaultAlertSetting"
    walk.send("PUT", alert, {"properties": {"sendToOwners": "Send", "customEmailAddresses": ["ops@contoso.com"]}})
    walk.get(alert)
    walk.send("POST", f"{item.id}/plannedFailover", {"properties": {"failoverDirection": "PrimaryToRecovery"}})
    walk.send("POST", f"{item.id}/failoverCommit")
    walk.send("POST", f"{item.id}/reProtect", {"properties": {"failoverDirection": "RecoveryToPrimary"}})


def _the_end(walk: Walk) -> None:
    walk.send("DELETE", MAPPING)
    walk.send("DELETE", MAPPING)
    walk.send("POST", f"{BOX_MAPPING}/remove", {"properties": {}})
    walk.send("DELETE", BOX_MAPPING)
    target = {"targetProtectionContainerId": f"{FABRICS}/West/{CONTAINERS}/Box-West"}
    walk.send("PUT", BOX_MAPPING, {"properties": target})
    walk.send("DELETE", BOX_MAPPING)
    walk.send("POST", f"{BOX}/remove")
    walk.send("DELETE", POLICY)
    walk.send("DELETE", VAULT)
    walk.send("POST", f"{FABRICS}/East/remove")
    walk.send("DELETE", f"{FABRICS}/West")
    for fabric in json.loads(walk.send("GET", FABRICS).body)["value"]:
        walk.send("DELETE", fabric["id"])
    walk.send("DELETE", VAULT)
    walk.send("DELETE", VAULT)
    walk.send("DELETE", f"{NETWORKS}/Hub")
    walk.send("DELETE", f"{NETWORKS}/Hub")
    walk.send("DELETE", GROUP)


if __name__ == "__main__":
    FIXTURES.write_text(json.dumps(walk(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")

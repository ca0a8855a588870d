"""The recorded lifecycle of an Azure machine, played on the emulator; the shape of every answer.

``python tests/support/recorded_life.py`` rewrites the fixture: review the diff. It restates the recorded answers by
types of values, in the order of their members: nulls, ids and their spelling, times and their digits, GUIDs. The
service's words are kept.
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
from asrnet.model.azure import Subnet

FIXTURES: Final = Path(__file__).parent / "recorded_life.json"
_KINDS: Final = (
    ("guid", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    ("time of 7 digits", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{7}Z"),
    ("time", r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\S*"),
    ("site recovery id", r"/Subscriptions/.*"),
    ("lower-case id", r"/[^A-Z]*/[^A-Z]*"),
    ("id", r"/.*/.*"),
)
_FAILOVER: Final = {
    "properties": {
        "failoverDirection": "PrimaryToRecovery",
        "providerSpecificDetails": {"instanceType": "A2A"},
        "sourceSiteOperations": "NotRequired",
    }
}


def shape(value: Any) -> Any:
    """The type of a value; for objects and lists, of their contents."""
    if isinstance(value, dict):
        return {name: shape(member) for name, member in value.items()}
    if isinstance(value, list):
        return [shape(element) for element in value]
    if not isinstance(value, str):
        return value if value is None or isinstance(value, bool) else type(value).__name__
    if re.fullmatch(r"|[A-Z][A-Za-z]*|[A-Z][a-z]+( [a-z]+){2,}|Microsoft\.[A-Za-z/.]+", value):
        return value
    return next((kind for kind, pattern in _KINDS if re.fullmatch(pattern, value)), "text")


class RecordedLife(Wire):
    """Two regions, their networks, and a machine with its NIC's security group."""

    def __init__(self) -> None:
        super().__init__()
        build = self.build
        build.world.behaviour = structs.replace(
            build.world.behaviour, operations="time:3", fabric_operations="time:70", replication="time:600"
        )
        self.vault = str(build.vault("Vault-DR", "westus", group="Rg-DR").id)
        self.group = self.vault.partition("/providers")[0]
        subnets = [Subnet(name="default", prefixes=("10.0.0.0/24",))]
        self.home, self.away = (
            build.virtual_network(name, place, group=group, address_space=["10.0.0.0/16"], subnets=subnets)
            for name, place, group in (("Home-Net", "eastus", "Rg-Home"), ("Away-Net", "westus", "Rg-DR"))
        )
        self.machine = build.virtual_machine("Vm1", self.home, group="Rg-Home", subnet="default", ip="10.0.0.4")
        security_group = build.network_security_group("Nsg-1", "eastus", group="Rg-Home")
        interface = build.network_interface("Vm1-nic", self.home, group="Rg-Home", subnet="default", ip="10.0.0.4")
        build.add(structs.replace(interface, network_security_group=security_group.id))
        self.answers: dict[str, Any] = {}

    def see(self, name: str, path: str) -> None:
        """Record the shape of a GET's answer."""
        self.answers[name] = shape(self.get(path))

    def do(self, name: str, method: str, path: str, body: Any = None) -> None:
        """Send a write, and record the shapes of its status while it runs and after it has ended."""
        answer = self.send(method, path, body=body)
        assert answer.status == 202, answer.body
        self.answers[f"{name}: accepted"] = [sorted(name for name, _ in answer.headers), len(answer.body)]
        self.answers[f"{name}: running"] = shape(self._status(answer))
        self.build.world.clock.sleep(70)
        self.answers[f"{name}: ended"] = shape(self._status(answer))

    def _status(self, answer: Response) -> Any:
        return json.loads(self.follow(answer.header("Azure-AsyncOperation") or "").body)


def play() -> dict[str, Any]:
    """The shapes of all answers, by action."""
    life = RecordedLife()
    fabrics = f"{life.vault}/replicationFabrics"
    policy = f"{life.vault}/replicationPolicies/policy-1"
    boxes = {}
    for name, place in (("east-1", "eastus"), ("west-1", "westus")):
        region = {"customDetails": {"instanceType": "Azure", "location": place}}
        life.do("make a fabric", "PUT", f"{fabrics}/{name}", {"properties": region})
        life.see("a fabric without containers", f"{fabrics}/{name}")
    settings = {"instanceType": "A2A", "multiVmSyncStatus": "Enable"}
    life.do("make a policy", "PUT", policy, {"properties": {"providerSpecificInput": settings}})
    life.see("a policy", policy)
    for name in ("east-1", "west-1"):
        boxes[name] = f"{fabrics}/{name}/replicationProtectionContainers/box-{name}"
        body = {"properties": {"providerSpecificInput": [{"instanceType": "A2A"}]}}
        life.do("make a container", "PUT", boxes[name], body)
        life.see("a container", boxes[name])
    east, west = boxes["east-1"], boxes["west-1"]
    for box, other in ((east, west), (west, east)):
        pairing = {"instanceType": "A2A", "agentAutoUpdateStatus": "Disabled"}
        properties = {"policyId": policy, "providerSpecificInput": pairing, "targetProtectionContainerId": other}
        path = f"{box}/replicationProtectionContainerMappings/pair-1"
        life.do("map a container", "PUT", path, {"properties": properties})
        life.see("a container mapping", path)
    for fabric, other, primary, recovery in (
        ("east-1", "west-1", life.home, life.away),
        ("west-1", "east-1", life.away, life.home),
    ):
        details = {"instanceType": "AzureToAzure", "primaryNetworkId": str(primary.id)}
        properties = {"recoveryFabricName": other, "recoveryNetworkId": str(recovery.id)}
        path = f"{fabrics}/{fabric}/replicationNetworks/azureNetwork/replicationNetworkMappings/map-1"
        life.do("map a network", "PUT", path, {"properties": {**properties, "fabricSpecificDetails": details}})
        life.see("a network mapping", path)
    _protect_and_return(life, policy, east, west)
    return life.answers


def _protect_and_return(life: RecordedLife, policy: str, east: str, west: str) -> None:
    item, moved = (f"{box}/replicationProtectedItems/item-1" for box in (east, west))
    disk = {
        "diskId": f"{life.machine.id.parent}/providers/Microsoft.Compute/disks/Vm1-Os",
        "primaryStagingAzureStorageAccountId": f"{life.group}/providers/Microsoft.Storage/storageAccounts/stage1",
        "recoveryResourceGroupId": life.group,
    }
    details = {
        "instanceType": "A2A",
        "fabricObjectId": str(life.machine.id),
        "recoveryAzureNetworkId": str(life.away.id),
        "recoveryContainerId": west,
        "recoveryResourceGroupId": life.group,
        "recoverySubnetName": f"{life.away.id}/subnets/default",
        "vmManagedDisks": [disk],
    }
    life.do("protect", "PUT", item, {"properties": {"policyId": policy, "providerSpecificDetails": details}})
    life.see("a machine in initial replication", item)
    life.see("a fabric with a container", east.partition("/replicationProtectionContainers")[0])
    life.build.world.clock.sleep(1200)
    plan = f"{life.vault}/replicationRecoveryPlans/plan-1"
    machines = [{"id": item, "virtualMachineId": str(life.machine.id)}]
    properties = {
        "failoverDeploymentModel": "ResourceManager",
        "groups": [{"groupType": "Boot", "replicationProtectedItems": machines}],
        "primaryFabricId": east.partition("/replicationProtectionContainers")[0],
        "recoveryFabricId": west.partition("/replicationProtectionContainers")[0],
    }
    life.do("make a plan", "PUT", plan, {"properties": properties})
    life.see("a plan", plan)
    life.see("plans", plan.rpartition("/")[0])
    life.do("delete a plan", "DELETE", plan)
    life.see("no plans", plan.rpartition("/")[0])
    life.do("fail over", "POST", f"{item}/unplannedFailover", _FAILOVER)
    life.do("commit", "POST", f"{item}/failoverCommit")
    replica = {
        "diskId": f"{life.group}/providers/Microsoft.Compute/disks/Vm1-Os",
        "primaryStagingAzureStorageAccountId": f"{life.group}/providers/Microsoft.Storage/storageAccounts/stage2",
        "recoveryResourceGroupId": str(life.machine.id.parent),
    }
    back = {
        "instanceType": "A2A",
        "policyId": policy,
        "recoveryContainerId": east,
        "recoveryResourceGroupId": str(life.machine.id.parent),
        "vmManagedDisks": [replica],
    }
    switch = {"properties": {"providerSpecificDetails": back, "replicationProtectedItemName": "item-1"}}
    life.do("switch protection", "POST", f"{east}/switchprotection", switch)
    life.see("a machine that is re-protected", moved)
    life.build.world.clock.sleep(1200)
    life.do("fail back", "POST", f"{moved}/unplannedFailover", _FAILOVER)
    life.do("disable", "DELETE", moved)
    for box in (east, west):
        life.do("unmap a container", "DELETE", f"{box}/replicationProtectionContainerMappings/pair-1")
    for box in (east, west):
        life.do("remove a container", "POST", f"{box}/remove")
    life.do("delete a policy", "DELETE", policy)
    life.do("delete a fabric", "DELETE", east.partition("/replicationProtectionContainers")[0])


if __name__ == "__main__":
    FIXTURES.write_text(json.dumps(play(), indent=1) + "\n", encoding="utf-8")

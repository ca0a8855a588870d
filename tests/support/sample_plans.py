"""Handmade plans and live pairs for tests of rendering."""

from __future__ import annotations

from typing import Any

from asrnet.model.arm import ArmId
from asrnet.model.azure import IpConfiguration, NetworkMapping, Nic, ProtectedItem, VirtualNetwork
from asrnet.model.findings import FindingKind, finding
from asrnet.model.machine_networks import MachineAddress, MachineNetworks
from asrnet.model.plan import (
    Change,
    MachineStatus,
    MachineView,
    PairView,
    Plan,
    Resources,
    RuleMatch,
    Step,
    Summary,
)
from asrnet.model.report import AppliedChange, Report, result_of

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
VAULT = ArmId(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-dr/providers/Microsoft.RecoveryServices/vaults/v1")


def vnet(name: str, group: str = "rg") -> ArmId:
    provider = "providers/Microsoft.Network/virtualNetworks"
    return ArmId(f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/{provider}/{name}")


def mapping(name: str, primary: str, recovery: str) -> NetworkMapping:
    fabric = VAULT.child("replicationFabrics", "ea", "replicationNetworks", "azureNetwork")
    return NetworkMapping(
        id=fabric.child("replicationNetworkMappings", name),
        kind="azure_to_azure",
        primary_network_id=vnet(primary),
        recovery_network_id=vnet(recovery),
        primary_location="eastasia",
        recovery_location="southeastasia",
    )


def pair(name: str, **fields: Any) -> PairView:
    standard: dict[str, Any] = {
        "vault": "sea",
        "primary_network_id": vnet(f"{name}-ea"),
        "recovery_network_id": vnet(f"{name}-sea"),
        "primary_location": "eastasia",
        "recovery_location": "southeastasia",
        "failback": True,
        "forward": "in_sync",
        "reverse": "in_sync",
    }
    return PairView(name=name, **{**standard, **fields})


def change(action: Any, name: str, pair_name: str | None, **fields: Any) -> Change:
    after = fields.pop("after", mapping(name, f"{pair_name}-ea", f"{pair_name}-sea"))
    before = fields.pop("before", None)
    known = after or before
    standard: dict[str, Any] = {
        "kind": "network_mapping",
        "vault": "sea",
        "direction": "forward",
        "resource_id": known.id,
        "primary_network_id": getattr(known, "primary_network_id", None),
        "recovery_network_id": getattr(known, "recovery_network_id", None),
        "reason": "",
        "steps": (Step(action=action, resource_id=known.id, before=before, after=after),),
        "owner": "row",
    }
    fields = {**standard, **fields}
    return Change(
        id=f"sea:{pair_name}:{name}", action=action, name=name, pair=pair_name, before=before, after=after, **fields
    )


def copy_creation(pair_name: str) -> Change:
    made = VirtualNetwork(id=vnet(f"{pair_name}-ea-asr"), location="southeastasia", address_space=("10.0.0.0/16",))
    return change("create", made.name, pair_name, kind="virtual_network", direction=None, after=made, reason="a copy")


def full_plan() -> Plan:
    """A plan with every kind of content."""
    retarget = change(
        "update",
        "app-map",
        "app",
        direction="both",
        before=mapping("app-map", "app-ea", "old-sea"),
        after=mapping("app-map", "app-ea", "app-sea"),
        reason="points at old-sea, will point at app-sea",
    )
    return Plan(
        summary=Summary(in_sync=2, create=2, update=1, delete=1, blocked=2, unmanaged=1),
        resources=Resources(virtual_network=1),
        rules=(RuleMatch(name="prod", matched=(vnet("crm-ea"), vnet("web-ea"))),),
        pairs=(
            pair("hub"),
            pair("app", forward="update", reverse="update"),
            pair("crm", forward="create", reverse="create", recovery_network_id=vnet("crm-ea-asr")),
            pair("lost", forward="blocked", reverse="blocked", recovery_network_id=None, recovery_location=None),
            pair("old", failback=False, forward="in_sync", reverse=None),
            pair("sap", forward="external", reverse="in_sync", managed_by="terraform"),
        ),
        changes=(
            copy_creation("crm"),
            change("create", "crm-map", "crm"),
            change("create", "crm-back", "crm", direction="reverse"),
            retarget,
            change("delete", "lab-map", None, before=mapping("lab-map", "lab-ea", "lab-sea"), after=None, owner=None),
        ),
        findings=(
            finding(FindingKind.COPIED_DNS, "crm-ea-asr keeps the DNS servers of crm-ea", vault="sea", pair="crm"),
            finding(FindingKind.MISSING_NETWORK, "lost-ea does not exist", vault="sea", pair="lost", hint="create it"),
            finding(FindingKind.HALF_PAIR, "web-ea has no way back", vault="sea", pair="web"),
        ),
        existing={"sea": 9},
    )


def applied(plan: Plan, outcome: Any, **fields: Any) -> Report:
    """The report of ``plan`` with the same outcome for every change."""
    changes = tuple(
        AppliedChange(**{name: getattr(one, name) for name in one.__struct_fields__}, outcome=outcome, **fields)
        for one in plan.changes
    )
    kept = {name: getattr(plan, name) for name in plan.__struct_fields__ if name != "changes"}
    return Report(**kept, changes=changes, result=result_of(changes))


def machine_plan() -> Plan:
    """A plan that updates one machine of hub, holds a second, leaves a third and reports a fourth."""

    def networks(recovery: str, subnet: str, ip: str | None = None, test: str | None = None) -> MachineNetworks:
        address = MachineAddress(
            nic="nic0",
            ip_configuration="ipconfig1",
            recovery_subnet=subnet,
            recovery_ip=ip,
            test_subnet="web" if test else None,
        )
        return MachineNetworks(
            recovery_network_id=vnet(recovery), test_network_id=vnet(test) if test else None, addresses=(address,)
        )

    old, new = networks("old-sea", "db", "10.9.0.4"), networks("hub-sea", "web", test="bubble")
    machines = []
    items: list[tuple[str, MachineStatus, str]] = [
        ("vm1", "update", ""),
        ("vm2", "held", "its state is InitialReplicationInProgress"),
        ("vm3", "in_sync", ""),
        ("vm4", "reported", ""),
    ]
    for name, status, reason in items:
        machines.append(
            MachineView(
                name=name,
                id=machine_id(name),
                vault="sea",
                pair="hub",
                status=status,
                networks=new if status == "in_sync" else old,
                planned=None if status == "in_sync" else new,
                reason=reason,
                follows=status != "reported",
            )
        )
    address = IpConfiguration(name="ipconfig1", recovery_subnet="db", recovery_ip="10.9.0.4")
    nic = Nic(name="nic0", recovery_network_id=vnet("old-sea"), ip_configurations=(address,))
    update = Change.update_machine(
        ProtectedItem(id=machine_id("vm1"), friendly_name="vm1", recovery_network_id=vnet("old-sea"), nics=(nic,)),
        new,
        id="sea:hub:machine",
        vault="sea",
        reason="fails over to old-sea, will fail over to hub-sea",
        pair="hub",
        primary_network_id=vnet("hub-ea"),
        fingerprint="1234",
        owner="row",
    )
    stale = [
        finding(
            FindingKind.STALE_PROTECTED_ITEM,
            f"{name} (nic0) still fails over to old-sea",
            vault="sea",
            pair="hub",
            subject=machine_id(name),
            hint=f"asrnet apply --pair hub --machine {name} --machines follow" if name == "vm4" else "",
        )
        for name in ("vm1", "vm2", "vm4")
    ]
    return Plan(
        summary=Summary(in_sync=2),
        resources=Resources(protected_item=1),
        pairs=(pair("hub"),),
        machines=tuple(machines),
        changes=(update,),
        findings=tuple(stale),
        existing={"sea": 2},
    )


def machine_id(name: str) -> ArmId:
    """The id of a protected item in eastasia."""
    container = VAULT.child("replicationFabrics", "ea", "replicationProtectionContainers", "c")
    return container.child("replicationProtectedItems", name)

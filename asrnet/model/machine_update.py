"""The one table of what a machine's settings are called in a GET and in the PATCH that updates them.

The two models of the service differ in names, in places and in what they have, and no client's body proves what a
PATCH does to a setting that it leaves out. So a PATCH carries every setting that the GET returned, and the settings
that are never sent are listed with the reason. A test compares the table with the models of Microsoft's SDK, member by
member.

Sources: the models of API version 2025-08-01 (``VMNicDetails`` against ``VMNicInputDetails`` and so on), and the
document "Customize networking configurations of the target Azure VM" for what the settings do.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

from msgspec import Struct

from asrnet.model.azure import NOT_SELECTED, IpConfiguration, Nic, ProtectedItem

Level = Literal["item", "nic", "ip_configuration"]
LEVELS: Final[tuple[Level, ...]] = ("item", "nic", "ip_configuration")
Kind = Literal["text", "id", "ids", "flag", "word", "number", "any"]
"""What a value is: ``word`` is a flag as the text ``true`` or ``false``, ``any`` is sent as it was read."""


class Member(Struct, frozen=True, kw_only=True):
    """A setting of a machine: the member of a GET that has it, and the member of a PATCH that sets it.

    ``field`` is the field of our model; without one the value is in ``settings`` of its level, under the name of the
    PATCH member. ``in_details``: the PATCH has this setting of an item under ``providerSpecificDetails``.
    """

    level: Level
    get: str
    patch: str
    field: str | None = None
    kind: Kind = "any"
    in_details: bool = False


class MachineUpdate(Struct, frozen=True, kw_only=True):
    """How the machines of one provider are read and updated.

    ``read_only`` are the members of NICs and IP configurations that a GET has and a PATCH has not; a machine whose NIC
    has any other member is held, because nobody knows what a PATCH does to that member. ``not_sent`` are PATCH members
    that asrnet never sends, with the reason. With ``nics_in_details`` the NICs are under ``providerSpecificDetails``,
    and a NIC has one address, whose members are among its own.
    """

    members: tuple[Member, ...]
    read_only: frozenset[str]
    not_sent: Mapping[str, str]
    nics_in_details: bool = False

    def of(self, level: Level) -> tuple[Member, ...]:
        """The settings of one level."""
        return tuple(member for member in self.members if member.level == level)

    @property
    def sets_test_network(self) -> bool:
        """Whether the test network of these machines can be set and read back."""
        return any(member.field == "test_network_id" for member in self.members)


_LICENCE: Final = "sending a licence may change what the machine costs; PowerShell does so unless told otherwise"
_DISKS: Final = "naming disks starts work on them"
_NIC_CHOICE: Final = "it chooses the NIC that the item's network is for, and a PATCH without it is meant for all NICs"
_NO_COUNTERPART: Final = "a GET does not return it, so it could neither be compared nor put back"


def _rows(
    level: Level, *rows: tuple[str, str] | tuple[str, str, str | None, Kind], in_details: bool = False
) -> tuple[Member, ...]:
    """Rows of the table: the member of a GET, that of a PATCH, and for a field of ours its name and its kind."""
    members = []
    for row in rows:
        field, kind = row[2:] or (None, "any")
        members.append(Member(level=level, get=row[0], patch=row[1], field=field, kind=kind, in_details=in_details))
    return tuple(members)


_A2A_ITEM: Final = _rows(
    "item",
    ("selectedRecoveryAzureNetworkId", "selectedRecoveryAzureNetworkId", "recovery_network_id", "id"),
    ("selectedTfoAzureNetworkId", "selectedTfoAzureNetworkId", "test_network_id", "id"),
    ("recoveryAzureVMName", "recoveryAzureVMName"),
    ("recoveryAzureVMSize", "recoveryAzureVMSize"),
    ("recoveryAvailabilitySet", "recoveryAvailabilitySetId"),
)
"""Azure to Azure, outside the provider's details."""

_A2A_DETAILS: Final = _rows(
    "item",
    ("recoveryAzureResourceGroupId", "recoveryResourceGroupId", "recovery_group_id", "id"),
    ("recoveryCloudService", "recoveryCloudServiceId"),
    ("recoveryBootDiagStorageAccountId", "recoveryBootDiagStorageAccountId"),
    ("tfoAzureVMName", "tfoAzureVMName"),
    ("recoveryProximityPlacementGroupId", "recoveryProximityPlacementGroupId"),
    ("recoveryVirtualMachineScaleSetId", "recoveryVirtualMachineScaleSetId"),
    ("recoveryCapacityReservationGroupId", "recoveryCapacityReservationGroupId"),
    ("recoveryAvailabilityZone", "recoveryAvailabilityZone"),
    ("platformFaultDomain", "platformFaultDomain", None, "number"),
    in_details=True,
)
"""Azure to Azure, under ``providerSpecificDetails``."""

_HYPER_V_ITEM: Final = _rows(
    "item",
    ("selectedRecoveryAzureNetworkId", "selectedRecoveryAzureNetworkId", "recovery_network_id", "id"),
    ("recoveryAzureVmName", "recoveryAzureVMName"),
    ("recoveryAzureVMSize", "recoveryAzureVMSize"),
    ("enableRdpOnTargetOption", "enableRdpOnTargetOption"),
    ("recoveryAvailabilitySetId", "recoveryAvailabilitySetId"),
)
"""Hyper-V to Azure, outside the provider's details."""

_HYPER_V_DETAILS: Final = _rows(
    "item",
    ("recoveryAzureResourceGroupId", "recoveryAzureV2ResourceGroupId", "recovery_group_id", "id"),
    ("useManagedDisks", "useManagedDisks"),
    ("targetProximityPlacementGroupId", "targetProximityPlacementGroupId"),
    ("targetAvailabilityZone", "targetAvailabilityZone"),
    ("targetVmTags", "targetVmTags"),
    ("targetManagedDiskTags", "targetManagedDiskTags"),
    ("targetNicTags", "targetNicTags"),
    ("targetCapacityReservationGroupId", "targetCapacityReservationGroupId"),
    in_details=True,
)
"""Hyper-V to Azure, under ``providerSpecificDetails``."""

_NIC: Final = _rows(
    "nic",
    ("nicId", "nicId", "id", "text"),
    ("selectionType", "selectionType", "selection", "text"),
    ("recoveryNetworkSecurityGroupId", "recoveryNetworkSecurityGroupId", "recovery_network_security_group", "id"),
    ("enableAcceleratedNetworkingOnRecovery", "enableAcceleratedNetworkingOnRecovery", None, "flag"),
    ("tfoNetworkSecurityGroupId", "tfoNetworkSecurityGroupId"),
    ("enableAcceleratedNetworkingOnTfo", "enableAcceleratedNetworkingOnTfo", None, "flag"),
    ("recoveryNicName", "recoveryNicName"),
    ("recoveryNicResourceGroupName", "recoveryNicResourceGroupName"),
    ("reuseExistingNic", "reuseExistingNic", None, "flag"),
    ("tfoRecoveryNicName", "tfoNicName"),
    ("tfoRecoveryNicResourceGroupName", "tfoNicResourceGroupName"),
    ("tfoReuseExistingNic", "tfoReuseExistingNic", None, "flag"),
    ("targetNicName", "targetNicName"),
)
"""The NICs of both Azure to Azure and Hyper-V to Azure."""

_ADDRESS: Final = _rows(
    "ip_configuration",
    ("name", "ipConfigName", "name", "text"),
    ("isPrimary", "isPrimary", "primary", "flag"),
    ("isSeletedForFailover", "isSeletedForFailover", "selected_for_failover", "flag"),
    ("recoverySubnetName", "recoverySubnetName", "recovery_subnet", "text"),
    ("recoveryStaticIPAddress", "recoveryStaticIPAddress", "recovery_ip", "text"),
    ("recoveryPublicIPAddressId", "recoveryPublicIPAddressId", "recovery_public_ip", "id"),
    ("recoveryLBBackendAddressPoolIds", "recoveryLBBackendAddressPoolIds", "recovery_load_balancer_pools", "ids"),
    ("tfoSubnetName", "tfoSubnetName", "test_subnet", "text"),
    ("tfoStaticIPAddress", "tfoStaticIPAddress", "test_ip", "text"),
    ("tfoPublicIPAddressId", "tfoPublicIPAddressId"),
    ("tfoLBBackendAddressPoolIds", "tfoLBBackendAddressPoolIds"),
)
"""The IP configurations of both, too. ``isSeletedForFailover`` is the service's own spelling."""

_RCM_DETAILS: Final = _rows(
    "item",
    ("targetNetworkId", "targetNetworkId", "recovery_network_id", "id"),
    ("testNetworkId", "testNetworkId", "test_network_id", "id"),
    ("targetResourceGroupId", "targetResourceGroupId", "recovery_group_id", "id"),
    ("targetVmName", "targetVmName"),
    ("targetVmSize", "targetVmSize"),
    ("targetAvailabilitySetId", "targetAvailabilitySetId"),
    ("targetAvailabilityZone", "targetAvailabilityZone"),
    ("targetProximityPlacementGroupId", "targetProximityPlacementGroupId"),
    ("targetBootDiagnosticsStorageAccountId", "targetBootDiagnosticsStorageAccountId"),
    ("targetVmTags", "targetVmTags"),
    ("targetManagedDiskTags", "targetManagedDiskTags"),
    ("targetNicTags", "targetNicTags"),
    ("targetCapacityReservationGroupId", "targetCapacityReservationGroupId"),
    in_details=True,
)
"""VMware to Azure, under ``providerSpecificDetails``."""

_RCM_NIC: Final = _rows(
    "nic",
    ("nicId", "nicId", "id", "text"),
    ("isPrimaryNic", "isPrimaryNic"),
    ("targetNicName", "targetNicName"),
)
"""The NICs of VMware to Azure."""

_RCM_ADDRESS: Final = _rows(
    "ip_configuration",
    ("isSelectedForFailover", "isSelectedForFailover", "selected_for_failover", "word"),
    ("targetSubnetName", "targetSubnetName", "recovery_subnet", "text"),
    ("targetIPAddress", "targetStaticIPAddress", "recovery_ip", "text"),
    ("testSubnetName", "testSubnetName", "test_subnet", "text"),
    ("testIPAddress", "testStaticIPAddress", "test_ip", "text"),
)
"""The one address of each NIC of VMware to Azure, whose members are among those of the NIC."""

_NIC_READ_ONLY: Final = frozenset(
    {
        "replicaNicId",
        "sourceNicArmId",
        "vMNetworkName",
        # A PATCH cannot set a NIC's network: the item's counts for all NICs.
        "recoveryVMNetworkId",
        "tfoVMNetworkId",
        "ipConfigs",
        "subnetName",
        "staticIPAddress",
        "ipAddressType",
        "recoveryIPAddressType",
    }
)

_RCM_READ_ONLY: Final = frozenset(
    {
        "sourceIPAddress",
        "sourceIPAddressType",
        "sourceNetworkId",
        "sourceSubnetName",
        # Whether an address is static follows from whether one is sent.
        "targetIPAddressType",
        "testIPAddressType",
    }
)

UPDATES: Final[Mapping[str, MachineUpdate]] = {
    "A2A": MachineUpdate(
        members=(*_A2A_ITEM, *_A2A_DETAILS, *_NIC, *_ADDRESS),
        read_only=_NIC_READ_ONLY,
        not_sent={
            "selectedSourceNicId": _NIC_CHOICE,
            "enableRdpOnTargetOption": _NO_COUNTERPART,
            "licenseType": _LICENCE,
            "managedDiskUpdateDetails": _DISKS,
            "diskEncryptionInfo": _DISKS,
        },
    ),
    "HyperVReplicaAzure": MachineUpdate(
        members=(*_HYPER_V_ITEM, *_HYPER_V_DETAILS, *_NIC, *_ADDRESS),
        read_only=_NIC_READ_ONLY,
        not_sent={
            "selectedSourceNicId": _NIC_CHOICE,
            "selectedTfoAzureNetworkId": _NO_COUNTERPART,
            "licenseType": _LICENCE,
            "sqlServerLicenseType": _LICENCE,
            "linuxLicenseType": _LICENCE,
            "recoveryAzureV1ResourceGroupId": "it is for classic machines, which Azure no longer has",
            "userSelectedOSName": _NO_COUNTERPART,
            "vmDisks": _DISKS,
            "diskIdToDiskEncryptionMap": _DISKS,
        },
    ),
    "InMageRcm": MachineUpdate(
        members=(*_RCM_DETAILS, *_RCM_NIC, *_RCM_ADDRESS),
        read_only=_RCM_READ_ONLY,
        not_sent={
            # The members outside the details are for older providers; these machines have their own in the details.
            "recoveryAzureVMName": "targetVmName takes its place",
            "recoveryAzureVMSize": "targetVmSize takes its place",
            "selectedRecoveryAzureNetworkId": "targetNetworkId takes its place",
            "selectedTfoAzureNetworkId": "testNetworkId takes its place",
            "selectedSourceNicId": _NIC_CHOICE,
            "enableRdpOnTargetOption": _NO_COUNTERPART,
            "recoveryAvailabilitySetId": "targetAvailabilitySetId takes its place",
            "licenseType": _LICENCE,
            "sqlServerLicenseType": _LICENCE,
            "linuxLicenseType": _LICENCE,
            "userSelectedOSName": _NO_COUNTERPART,
            "vmDisks": _DISKS,
        },
        nics_in_details=True,
    ),
}
"""By instance type. Machines of other providers are reported and never updated."""

SETTING_KINDS: Final[Mapping[str, Kind]] = {
    member.patch: member.kind for update in UPDATES.values() for member in update.members if member.field is None
}
"""The kind of each value that is passed on unchanged, by the name of the PATCH member."""


def update_body(item: ProtectedItem) -> dict[str, Any]:
    """The body of the PATCH that sets every network setting of a machine to what ``item`` says.

    A setting that ``item`` does not have is left out rather than sent as null; an address that is the empty text is
    sent, which releases it.
    Raises KeyError for a provider whose machines are not updated.
    """
    update = UPDATES[item.provider]
    properties: dict[str, Any] = {}
    details: dict[str, Any] = {"instanceType": item.provider}
    for member in update.of("item"):
        value = _value(item, member)
        if value is not None:
            (details if member.in_details else properties)[member.patch] = value
    nics = []
    for nic in item.nics:
        body = _members(nic, update.of("nic"))
        addresses = [_members(address, update.of("ip_configuration")) for address in nic.ip_configurations]
        if update.nics_in_details:
            nics.append({**body, **(addresses[0] if addresses else {})})
        else:
            nics.append({**body, "ipConfigs": addresses})
    (details if update.nics_in_details else properties)["vmNics"] = nics
    return {"properties": {**properties, "providerSpecificDetails": details}}


def body_of_answer(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The body of a PATCH that sets everything back to what a GET returned, each value as it was returned.

    ``properties`` are those of the GET's body. Raises KeyError for a provider whose machines are not updated.
    """
    settings = properties["providerSpecificDetails"]
    update = UPDATES[settings["instanceType"]]

    def renamed(answer: Mapping[str, Any], members: tuple[Member, ...]) -> dict[str, Any]:
        return {member.patch: answer[member.get] for member in members if answer.get(member.get) is not None}

    of_item = update.of("item")
    details = renamed(settings, tuple(member for member in of_item if member.in_details))
    body = renamed(settings, tuple(member for member in of_item if not member.in_details))
    nics = []
    for nic in settings.get("vmNics") or []:
        if update.nics_in_details:
            nics.append(renamed(nic, (*update.of("nic"), *update.of("ip_configuration"))))
        else:
            addresses = [renamed(address, update.of("ip_configuration")) for address in nic.get("ipConfigs") or []]
            nics.append({**renamed(nic, update.of("nic")), "ipConfigs": addresses})
    (details if update.nics_in_details else body)["vmNics"] = nics
    return {"properties": {**body, "providerSpecificDetails": {"instanceType": settings["instanceType"], **details}}}


def updatable_document(item: ProtectedItem) -> dict[str, str]:
    """Everything that a PATCH can set on a machine, as one flat table: the path of each value, and the value as JSON.

    Two documents are compared to tell whether anything changed, so values that mean the same are equal: ids and names
    in any case (Azure's spelling is not stable even within one answer), a released address and none, false and absent.
    A NIC's selection counts only by whether the NIC fails over: who selected it (``SelectedByDefault``,
    ``SelectedByUserOverride``) changes with any update.
    """
    document: dict[str, str] = {}
    if item.provider not in UPDATES:
        return document
    import json  # 1.5 ms here and in fingerprint, and most plans update no machine

    for path, value in _leaves(update_body(item)["properties"], ""):
        is_chosen = path.endswith(".selectionType") and value != NOT_SELECTED
        if not (is_chosen or value is False or value in ("", [], {})):
            document[path] = json.dumps(_without_case(value), ensure_ascii=False, sort_keys=True)
    return document


def fingerprint(item: ProtectedItem) -> str:
    """A digest of what makes a planned update of a machine stale.

    It covers what a PATCH can set, the machine's state and direction, its fabrics, and the networks of its NICs.
    Health, heartbeats and whatever else changes while a machine replicates are left out.
    """
    networks = [[_key(nic.recovery_network_id), _key(nic.test_network_id)] for nic in item.nics]
    state = [
        item.provider,
        item.state,
        item.active_location,
        item.test_failover_state,
        item.primary_location,
        item.recovery_location,
        item.initial_location,
        item.primary_zone,
        item.initial_zone,
        item.id.key,
        _key(item.recovery_fabric_id),
    ]
    import json

    content = json.dumps([updatable_document(item), state, networks], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()[:32]


def _key(identifier: Any) -> str | None:
    return identifier.key if identifier else None


def _members(part: Nic | IpConfiguration, members: tuple[Member, ...]) -> dict[str, Any]:
    values = ((member.patch, _value(part, member)) for member in members)
    return {name: value for name, value in values if value is not None}


def _value(part: ProtectedItem | Nic | IpConfiguration, member: Member) -> Any:
    """The value that a PATCH sends for ``member``; None if ``part`` has none."""
    if member.field is None:
        setting = part.settings.get(member.patch)
        return list(setting) if isinstance(setting, tuple) else setting
    value = getattr(part, member.field)
    match member.kind:
        case "id":
            return str(value) if value else None
        case "ids":
            return [str(identifier) for identifier in value] or None
        case "word":
            return "true" if value else "false"
        case "text" if member.field not in _RELEASABLE:
            return value or None
        case _:
            return value


_RELEASABLE: Final = frozenset({"recovery_ip", "test_ip"})
"""Fields that are sent even if they are empty, which releases the address."""


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The values of a body by path. A path names NICs and IP configurations, because their order varies."""
    if path.rpartition(".")[2] in {"vmNics", "ipConfigs"}:
        for index, part in enumerate(value):
            name = part.get("nicId") or part.get("ipConfigName") or str(index)
            yield from _leaves(part, f"{path}[{name.lower()}]")
    elif isinstance(value, dict) and not path.endswith("Tags"):
        for name, part in value.items():
            yield from _leaves(part, f"{path}.{name}" if path else name)
    else:
        yield path, value


def _without_case(value: Any) -> Any:
    """``value`` with its ids and names in lower case, and lists of them sorted. Tags are compared as they are."""
    if isinstance(value, str):
        return value.lower()
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return sorted(_without_case(part) for part in value)
    return value

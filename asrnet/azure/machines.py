"""Protected items as Site Recovery's models have them, for every provider whose machines land on Azure networks.

Azure to Azure, Hyper-V and the older VMware providers share one form of NIC; the newest VMware provider (``InMageRcm``)
has another, with one address per NIC.

The SDK's models keep members that they do not declare, so an answer of a newer service can be told from one that is
understood in full: members that the table of ``asrnet.model.machine_update`` does not have are kept as unknown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from msgspec import structs

from asrnet.azure.members import Model, flag, part, parts, reference, references, text, texts
from asrnet.model.arm import ArmId, normal_location
from asrnet.model.azure import IpConfiguration, Nic, ProtectedItem, Setting
from asrnet.model.machine_update import LEVELS, UPDATES, Level, Member

_NOTHING_RUNS: Final = "None"
_INMAGE_RCM: Final = "InMageRcm"
_AZURE_TO_AZURE: Final = "A2A"
_CONFIDENTIAL: Final = "ConfidentialVM"

_PRESERVED: Final[Mapping[tuple[str, Level], Mapping[str, str]]] = {
    (provider, level): {member.get: member.patch for member in update.of(level) if member.field is None}
    for provider, update in UPDATES.items()
    for level in LEVELS
}
"""The settings that an update must preserve: their names in a PATCH by their names in a GET."""
_WITH_FIELD: Final[Mapping[tuple[str, Level], tuple[Member, ...]]] = {
    (provider, level): tuple(member for member in update.of(level) if member.field is not None)
    for provider, update in UPDATES.items()
    for level in LEVELS
}
_KNOWN: Final = {
    provider: update.read_only | {member.get for member in (*update.of("nic"), *update.of("ip_configuration"))}
    for provider, update in UPDATES.items()
}


def read_item(model: Model) -> ProtectedItem:
    """A protected item as asrnet knows it."""
    properties = _plain(part(model, "properties"))
    details = _plain(part(properties, "providerSpecificDetails"))
    item_id = ArmId(text(model, "id"))
    scenario = text(part(properties, "currentScenario"), "scenarioName")
    provider = text(details, "instanceType")
    read_nic = _read_rcm_nic if provider == _INMAGE_RCM else _read_nic
    nics = [read_nic(_plain(nic), index) for index, nic in enumerate(parts(details, "vmNics"))]
    confidential = text(part(details, "targetVmSecurityProfile"), "targetVmSecurityType") == _CONFIDENTIAL
    # API versions after 2025-08-01 have members for confidential machines that the SDK's models do not know.
    confidential |= any(value for name, value in details.items() if "confidential" in name.lower())
    settable = _settable(details, provider, "item") if provider in UPDATES else {}
    settable.pop("unknown_members", None)
    # Machines that are never updated, such as those of older VMware providers, have their networks in the same members.
    of_others = {
        "recovery_network_id": reference(details, "selectedRecoveryAzureNetworkId"),
        "test_network_id": reference(details, "selectedTfoAzureNetworkId"),
    }
    if provider == _AZURE_TO_AZURE:
        # A setting that is not an id must not look like a missing one, for which the mapping would decide.
        of_item = _invalid_id(details, "selectedRecoveryAzureNetworkId")
        for index, nic in enumerate(parts(details, "vmNics")):
            unclear = _invalid_id(nic, "recoveryVMNetworkId") or ("" if nics[index].recovery_network_id else of_item)
            nics[index] = structs.replace(nics[index], unclear_recovery_network=unclear)
    return ProtectedItem(
        id=item_id,
        friendly_name=text(properties, "friendlyName") or item_id.name,
        state=text(properties, "protectionState"),
        active_location=text(properties, "activeLocation"),
        test_failover_state=text(properties, "testFailoverState"),
        provider=provider,
        scenario="" if scenario == _NOTHING_RUNS else scenario,
        recovery_fabric_id=reference(properties, "recoveryFabricId"),
        primary_location=_location(details, "primaryFabricLocation"),
        recovery_location=_location(details, "recoveryFabricLocation"),
        initial_location=_location(details, "initialPrimaryFabricLocation"),
        primary_zone=text(details, "primaryAvailabilityZone") or None,
        initial_zone=text(details, "initialPrimaryZone") or None,
        machine_id=reference(details, "fabricObjectId"),
        is_cluster_member=bool(text(details, "protectionClusterId")),
        is_confidential=confidential,
        nics=tuple(nics),
        **{**of_others, **settable},
    )


def _plain(model: Model) -> Model:
    """``model`` as a dict. Its look-ups are ten times as fast as the SDK model's, and a machine needs a hundred."""
    return dict(model.items())


def _read_nic(model: Model, index: int) -> Nic:
    network_id, network_name = _network(model, "vMNetworkName")
    return Nic(
        name=_last_segment(text(model, "sourceNicArmId") or text(model, "nicId")) or f"nic{index}",
        source_id=reference(model, "sourceNicArmId") or reference(model, "nicId"),
        primary_network_id=network_id,
        primary_network=network_name,
        recovery_network_id=reference(model, "recoveryVMNetworkId"),
        test_network_id=reference(model, "tfoVMNetworkId"),
        ip_configurations=tuple(_read_ip(_plain(ip), number) for number, ip in enumerate(parts(model, "ipConfigs"))),
        **_settable(model, _AZURE_TO_AZURE, "nic"),
    )


def _read_ip(model: Model, index: int) -> IpConfiguration:
    settable = _settable(model, _AZURE_TO_AZURE, "ip_configuration")
    # Recorded: the name is missing while the machine is re-protected, and then it cannot be updated.
    settable.setdefault("name", "")
    settable.setdefault("primary", index == 0)
    return IpConfiguration(
        subnet=text(model, "subnetName") or None,
        ip=text(model, "staticIPAddress") or None,
        ip_type=text(model, "ipAddressType") or None,
        **settable,
    )


def _read_rcm_nic(model: Model, index: int) -> Nic:
    network_id, network_name = _network(model, "sourceNetworkId")
    # The members of the address are members of the NIC, so their unknown ones are found with those of the NIC.
    of_address = _settable(model, _INMAGE_RCM, "ip_configuration") | {"settings": {}, "unknown_members": {}}
    for side, field in (("target", "recovery_ip"), ("test", "test_ip")):
        if text(model, f"{side}IPAddressType").lower() == "dynamic":
            of_address.pop(field, None)  # a PATCH with the address would make it static
    address = IpConfiguration(
        subnet=text(model, "sourceSubnetName") or None,
        ip=text(model, "sourceIPAddress") or None,
        ip_type=text(model, "sourceIPAddressType") or None,
        **of_address,
    )
    return Nic(
        name=_last_segment(text(model, "nicId")) or f"nic{index}",
        primary_network_id=network_id,
        primary_network=network_name,
        ip_configurations=(address,),
        **_settable(model, _INMAGE_RCM, "nic"),
    )


def _settable(model: Model, provider: str, level: Level) -> dict[str, Any]:
    """The settable members: values by our fields, preserved settings, and members that asrnet does not know.

    A value of an unexpected type also counts as unknown, because it could not be sent unchanged.
    """
    settings: dict[str, Setting] = {}
    unknown: dict[str, str] = {}
    values: dict[str, Any] = {"settings": settings, "unknown_members": unknown}
    for member in _WITH_FIELD[provider, level]:
        field = str(member.field)
        if member.kind == "id":
            values[field] = reference(model, member.get)
            if values[field] is None and (word := text(model, member.get)):
                unknown[member.get] = json.dumps(word)
        elif member.kind == "ids":
            values[field] = references(model, member.get)
            if len(values[field]) != len(listed_ids := texts(model, member.get)):
                unknown[member.get] = json.dumps(listed_ids)
        elif member.kind in {"flag", "word"}:
            if (value := flag(model, member.get)) is not None:
                values[field] = value
        elif word := text(model, member.get):
            values[field] = word
    preserved, understood = _PRESERVED[provider, level], _KNOWN[provider]
    for name, value in model.items():
        if value is None or (isinstance(value, (str, list, dict)) and not value):
            continue
        if name in preserved:
            settings[preserved[name]] = _setting(value, name)
        elif level != "item" and name not in understood:  # an item has many unread members
            unknown[name] = json.dumps(value, default=str, ensure_ascii=False)
    return values


def _setting(value: Any, name: str) -> Setting:
    """A preserved value. Raises TypeError for a type that no such member has."""
    if isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, Mapping) and all(isinstance(text_of, str) for text_of in value.values()):
        return dict(value)
    if isinstance(value, (list, tuple)) and all(isinstance(element, (str, Mapping)) for element in value):
        return tuple(element if isinstance(element, str) else dict(element) for element in value)
    raise TypeError(f"'{name}' is not a setting but {value!r:.40}")


def _network(model: Model, name: str) -> tuple[ArmId | None, str]:
    """The primary network: an Azure machine has its id, an on-premises machine its friendly name."""
    network_id = reference(model, name)
    return network_id, "" if network_id else text(model, name)


def _invalid_id(model: Model, name: str) -> str:
    """The value in place of a network's id; empty if it is an id or not set."""
    return "" if reference(model, name) else text(model, name)


def _location(details: Model, name: str) -> str | None:
    location = text(details, name)
    return normal_location(location) if location else None


def _last_segment(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]

"""The NICs and settings of protected items, as Site Recovery writes and reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from asrnet.emulator.messages import Document
from asrnet.fake.machines import REPLICATING
from asrnet.model.arm import ArmId
from asrnet.model.azure import IpConfiguration, Nic, ProtectedItem, Setting
from asrnet.model.machine_update import UPDATES, Level


def lowered_id(identifier: ArmId | None) -> str | None:
    """An id in lower case, as Site Recovery keeps those of machines; None if there is none."""
    return f"/{identifier.key}" if identifier else None


def id_text(identifier: ArmId | None) -> str | None:
    """An id as it was written; None if there is none."""
    return str(identifier) if identifier else None


def source_machine_id(item: ProtectedItem) -> ArmId | None:
    """The Azure machine that is replicated.

    If the world does not name it, it is placed in the resource group of the item's primary network.
    """
    if item.machine_id is not None or item.provider != "A2A":
        return item.machine_id
    network = next((nic.primary_network_id for nic in item.nics if nic.primary_network_id), None)
    group = network.parent if network else None
    return group.child("providers", "Microsoft.Compute", "virtualMachines", item.friendly_name) if group else None


def settings_json(part: ProtectedItem | Nic | IpConfiguration, provider: str, level: Level) -> Document:
    """The settings of a machine, NIC or IP configuration that a PATCH can change, as a GET returns them."""
    members: Document = {}
    for setting in UPDATES[provider].of(level):
        value: Any = part.settings.get(setting.patch) if setting.field is None else getattr(part, setting.field)
        match setting.kind:
            case "id" | "text":
                members[setting.get] = str(value) if value else None
            case "ids":
                members[setting.get] = [str(identifier) for identifier in value]
            case "word":
                members[setting.get] = "true" if value else "false"
            case _:
                members[setting.get] = list(value) if isinstance(value, tuple) else value
    return members


def read_settings(
    provider: str, details: Mapping[str, object], names: Mapping[str, str] | None = None
) -> dict[str, Setting]:
    """Read an item's settings from the details of a PUT.

    ``names`` holds those settings whose name in a PUT differs from their name in a PATCH.
    """
    settings: dict[str, Setting] = {}
    for member in UPDATES[provider].of("item"):
        value = details.get((names or {}).get(member.patch, member.patch))
        if member.field is None and isinstance(value, (str, int, Mapping)) and value:
            settings[member.patch] = value
        elif member.field is None and isinstance(value, list):
            settings[member.patch] = tuple(part for part in value if isinstance(part, (str, Mapping)))
    return settings


def _unknown_json(part: Nic | IpConfiguration) -> Document:
    """The members of a NIC or IP configuration that this version of asrnet does not know."""
    return {name: msgspec.json.decode(value) for name, value in part.unknown_members.items()}


def nic_json(item: ProtectedItem, nic: Nic) -> Document:
    """A NIC with its recovery and test settings."""
    # Recorded after re-protection: during initial replication, a machine's networks and addresses are null.
    replicating = item.state == REPLICATING
    network = id_text(nic.primary_network_id) or nic.primary_network or None
    selection = "SelectedByUserOverride" if item.provider == "A2A" else "SelectedByDefault"
    machine_id = source_machine_id(item)
    source = lowered_id(nic.source_id) if nic.source_id else None
    if source is None and machine_id is not None:
        source = lowered_id(machine_id.parent.child("providers", "Microsoft.Network", "networkInterfaces", nic.name))
    settings = settings_json(nic, "A2A", "nic")
    settings["selectionType"] = nic.selection or selection
    if replicating:
        settings["enableAcceleratedNetworkingOnTfo"] = None
    recorded_order = {
        "nicId": None,
        "replicaNicId": None,
        "sourceNicArmId": source,
        "vMNetworkName": None if replicating else network,
        "recoveryVMNetworkId": id_text(nic.recovery_network_id or item.recovery_network_id),
        "ipConfigs": [
            _ip_configuration_json(configuration, replicating=replicating) for configuration in nic.ip_configurations
        ],
        "selectionType": None,
        "recoveryNetworkSecurityGroupId": None,
        "enableAcceleratedNetworkingOnRecovery": None,
        "tfoVMNetworkId": id_text(nic.test_network_id),
    }
    return recorded_order | settings | _unknown_json(nic)


def _ip_configuration_json(configuration: IpConfiguration, *, replicating: bool) -> Document:
    # Recorded for dynamic addresses; documented: the recovery NIC's allocation method follows the source's.
    is_static = configuration.recovery_ip is not None or configuration.ip_type == "Static"
    recovery_type = "Static" if is_static else "Dynamic"
    recorded_order = {
        "name": None,
        "isPrimary": None,
        "subnetName": None if replicating else configuration.subnet,
        "staticIPAddress": None if replicating else configuration.ip,
        "ipAddressType": configuration.ip_type,
        "isSeletedForFailover": None,
        "recoverySubnetName": None,
        "recoveryStaticIPAddress": None,
        "recoveryIPAddressType": None if configuration.recovery_subnet is None else recovery_type,
    }
    settings = settings_json(configuration, "A2A", "ip_configuration")
    settings["recoveryStaticIPAddress"] = configuration.recovery_ip or ""
    if replicating:
        settings["name"] = None
    return recorded_order | settings | _unknown_json(configuration)


def rcm_nic_json(nic: Nic) -> Document:
    """A NIC of a VMware or physical machine."""
    address = nic.ip_configurations[0] if nic.ip_configurations else IpConfiguration()
    return {
        **settings_json(nic, "InMageRcm", "nic"),
        **settings_json(address, "InMageRcm", "ip_configuration"),
        "sourceIPAddress": address.ip,
        "sourceIPAddressType": address.ip_type,
        "sourceNetworkId": id_text(nic.primary_network_id) or nic.primary_network or None,
        "sourceSubnetName": address.subnet,
        "targetIPAddressType": "Static" if address.recovery_ip else "Dynamic",
        "testIPAddressType": "Static" if address.test_ip else "Dynamic",
    }

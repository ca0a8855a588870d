"""Protected items as Site Recovery writes them, for the providers whose machines network mappings concern."""

from __future__ import annotations

from msgspec import field

from asrnet.azure.wire import Wire, id_or_none
from asrnet.model.arm import ArmId
from asrnet.model.azure import IpConfiguration, Nic, ProtectedItem

_NOTHING_RUNS = "None"


class WireIpConfiguration(Wire, frozen=True):
    """One address. The service spells one of its members without a letter."""

    name: str | None = None
    is_primary: bool | str | None = None
    subnet_name: str | None = None
    static_address: str | None = field(default=None, name="staticIPAddress")
    address_type: str | None = field(default=None, name="ipAddressType")
    selected: bool | None = field(default=None, name="isSeletedForFailover")
    recovery_subnet_name: str | None = None
    recovery_address: str | None = field(default=None, name="recoveryStaticIPAddress")


class WireNic(Wire, frozen=True):
    """A network interface. Of an Azure machine the network's name is its id; of an on-premises one, a name."""

    nic_id: str | None = None
    source_nic_arm_id: str | None = None
    network: str | None = field(default=None, name="vMNetworkName")
    recovery_network: str | None = field(default=None, name="recoveryVMNetworkId")
    test_network: str | None = field(default=None, name="tfoVMNetworkId")
    ip_configs: tuple[WireIpConfiguration, ...] | None = None


class ProviderDetails(Wire, frozen=True):
    """What the provider adds."""

    instance_type: str | None = None
    vm_nics: tuple[WireNic, ...] | None = None
    recovery_fabric_object_id: str | None = None
    primary_fabric_location: str | None = None
    recovery_fabric_location: str | None = None
    initial_primary_fabric_location: str | None = None


class Scenario(Wire, frozen=True):
    """What runs on a machine now."""

    scenario_name: str | None = None


class ItemProperties(Wire, frozen=True):
    """The properties of a protected item."""

    friendly_name: str | None = None
    protection_state: str | None = None
    active_location: str | None = None
    test_failover_state: str | None = None
    current_scenario: Scenario | None = None
    recovery_fabric_id: str | None = None
    provider_specific_details: ProviderDetails | None = None


class WireItem(Wire, frozen=True):
    """A protected item."""

    id: str
    properties: ItemProperties | None = None


def read_item(row: WireItem) -> ProtectedItem:
    """A protected item as asrnet knows it."""
    properties = row.properties or ItemProperties()
    details = properties.provider_specific_details or ProviderDetails()
    item_id = ArmId(row.id)
    scenario = properties.current_scenario.scenario_name if properties.current_scenario else None
    return ProtectedItem(
        id=item_id,
        friendly_name=properties.friendly_name or item_id.name,
        state=properties.protection_state or "",
        active_location=properties.active_location or "",
        test_failover_state=properties.test_failover_state or "",
        provider=details.instance_type or "",
        scenario="" if scenario in {None, _NOTHING_RUNS} else str(scenario),
        recovery_fabric_id=id_or_none(properties.recovery_fabric_id) or id_or_none(details.recovery_fabric_object_id),
        primary_location=details.primary_fabric_location or None,
        recovery_location=details.recovery_fabric_location or None,
        initial_location=details.initial_primary_fabric_location or None,
        nics=tuple(_nic(nic, index) for index, nic in enumerate(details.vm_nics or ())),
    )


def _nic(nic: WireNic, index: int) -> Nic:
    configurations = tuple(_ip(each, number) for number, each in enumerate(nic.ip_configs or ()))
    primary_network_id = id_or_none(nic.network)
    return Nic(
        name=_last_segment(nic.source_nic_arm_id or nic.nic_id) or f"nic{index}",
        primary_network_id=primary_network_id,
        primary_network="" if primary_network_id else nic.network or "",
        recovery_network_id=id_or_none(nic.recovery_network),
        test_network_id=id_or_none(nic.test_network),
        ip_configurations=configurations,
    )


def _ip(configuration: WireIpConfiguration, index: int) -> IpConfiguration:
    return IpConfiguration(
        name=configuration.name or f"ipconfig{index + 1}",
        primary=_truth(configuration.is_primary, default=index == 0),
        subnet=configuration.subnet_name or None,
        ip=configuration.static_address or None,
        ip_type=configuration.address_type or None,
        recovery_subnet=configuration.recovery_subnet_name or None,
        recovery_ip=configuration.recovery_address or None,
        selected_for_failover=configuration.selected is not False,
    )


def _truth(value: bool | str | None, *, default: bool) -> bool:  # noqa: FBT001 - what the wire says
    """Truth, which some versions of the service write as a word."""
    if value is None or value == "":
        return default
    return value if isinstance(value, bool) else value.lower() == "true"


def _last_segment(text: str | None) -> str:
    return (text or "").rstrip("/").rpartition("/")[2]

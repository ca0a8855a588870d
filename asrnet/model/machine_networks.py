"""The networks, subnets and addresses that a machine is set to: what a change of kind ``protected_item`` changes."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, structs

from asrnet.model.arm import ArmId
from asrnet.model.azure import NOT_SELECTED, Nic, ProtectedItem


class MachineAddress(Struct, frozen=True, gc=False, kw_only=True):
    """Where one IP configuration lands: in a failover (``recovery_*``) and in a test failover (``test_*``).

    ``nic`` and ``ip_configuration`` are names. None for an address leaves it to Azure.
    """

    nic: str
    ip_configuration: str
    recovery_subnet: str | None = None
    recovery_ip: str | None = None
    test_subnet: str | None = None
    test_ip: str | None = None


class MachineNetworks(Struct, frozen=True, gc=False, kw_only=True, tag_field="type", tag="protected_item"):
    """All network settings of a machine that a change of kind ``protected_item`` may set."""

    recovery_network_id: ArmId | None = None
    test_network_id: ArmId | None = None
    addresses: tuple[MachineAddress, ...] = ()


def are_same(first: MachineNetworks, second: MachineNetworks) -> bool:
    """Whether both mean the same: names of subnets, NICs and IP configurations are compared without case."""
    return first == second or _comparable(first) == _comparable(second)


def _comparable(networks: MachineNetworks) -> tuple[object, ...]:
    addresses = sorted(
        tuple((value or "").lower() for value in structs.astuple(address)) for address in networks.addresses
    )
    return (networks.recovery_network_id, networks.test_network_id, addresses)


def networks_of(item: ProtectedItem, *, recovery: ArmId | None = None, test: ArmId | None = None) -> MachineNetworks:
    """What a machine is set to now; ``recovery`` and ``test`` are the networks it should be set to, where known.

    An update sets one network for the whole machine, but its NICs may have different ones. Then the result has a
    network that is not the expected one, because a machine is in sync only if all of its NICs are.
    """
    selected = [nic for nic in item.nics if nic.selection != NOT_SELECTED]
    return MachineNetworks(
        recovery_network_id=_common(item.recovery_network_id, (nic.recovery_network_id for nic in selected), recovery),
        test_network_id=_common(item.test_network_id, (nic.test_network_id for nic in selected), test),
        addresses=tuple(
            MachineAddress(
                nic=nic.name,
                ip_configuration=configuration.name,
                recovery_subnet=configuration.recovery_subnet or None,
                recovery_ip=configuration.recovery_ip or None,
                test_subnet=configuration.test_subnet or None,
                test_ip=configuration.test_ip or None,
            )
            for nic in item.nics
            for configuration in nic.ip_configurations
        ),
    )


def _common(of_item: ArmId | None, of_nics: Iterable[ArmId | None], expected: ArmId | None) -> ArmId | None:
    """The network of all NICs; if they differ, one that is not ``expected``. A NIC without a network has the item's."""
    networks = [network_id for nic_network in of_nics if (network_id := nic_network or of_item)]
    expected = expected or of_item
    return next((network_id for network_id in networks if network_id != expected), networks[0] if networks else of_item)


def is_set_to(item: ProtectedItem, after: MachineNetworks) -> bool:
    """Whether the machine, with all of its NICs, is set to ``after``."""
    return are_same(networks_of(item, recovery=after.recovery_network_id, test=after.test_network_id), after)


def updated(item: ProtectedItem, after: MachineNetworks) -> ProtectedItem:
    """``item`` as it must be once ``after`` is set; everything that ``after`` does not name stays as it is.

    An address that the machine has and ``after`` lacks becomes an empty text: it must be sent to be released, and None
    is not sent.
    """
    # ``after`` may come from an earlier answer, which may have spelled the names in another case.
    addresses = {(address.nic.lower(), address.ip_configuration.lower()): address for address in after.addresses}

    def with_addresses(nic: Nic) -> Nic:
        configurations = []
        for configuration in nic.ip_configurations:
            address = addresses.get((nic.name.lower(), configuration.name.lower()))
            if address is not None:
                configuration = structs.replace(  # noqa: PLW2901 - the same one, updated
                    configuration,
                    recovery_subnet=address.recovery_subnet,
                    recovery_ip=address.recovery_ip or ("" if configuration.recovery_ip else None),
                    test_subnet=address.test_subnet,
                    test_ip=address.test_ip or ("" if configuration.test_ip else None),
                )
            configurations.append(configuration)
        return structs.replace(
            nic,
            recovery_network_id=after.recovery_network_id if nic.recovery_network_id else None,
            test_network_id=after.test_network_id if nic.test_network_id else None,
            ip_configurations=tuple(configurations),
        )

    return structs.replace(
        item,
        recovery_network_id=after.recovery_network_id,
        test_network_id=after.test_network_id,
        nics=tuple(with_addresses(nic) for nic in item.nics),
    )

"""Virtual networks of a world, with the rules of Microsoft.Network."""

from __future__ import annotations

import ipaddress
from typing import Final, Generic, Literal, TypeVar

import msgspec

from asrnet.fake import refusals
from asrnet.fake.operations import Started, Write
from asrnet.fake.state import Admission, State
from asrnet.fake.store import Store
from asrnet.model.arm import ArmId, normal_location
from asrnet.model.azure import NetworkInterface, NetworkSecurityGroup, RouteTable, Subnet, VirtualNetwork

_PROVIDER = "providers/Microsoft.Network/virtualNetworks"
_NETWORK_KINDS: Final = {
    "security_groups": "networkSecurityGroups",
    "route_tables": "routeTables",
    "network_interfaces": "networkInterfaces",
}


class VirtualNetworks:
    """Virtual networks. As with the real provider, creations show at once, deletions when their operation ends."""

    def __init__(self, state: State) -> None:
        self._state = state

    def list(self, subscription: str, resource_group: str | None = None) -> tuple[VirtualNetwork, ...]:
        """The networks of a subscription or a resource group. Hidden networks are missing, and the list may lag."""
        group = f"/resourceGroups/{resource_group}" if resource_group else ""
        with self._state.request("GET", f"/subscriptions/{subscription}{group}/{_PROVIDER}") as admission:
            hidden = {name.lower() for name in self._state.behaviour.hidden_networks}
            return self._state.listed(
                network
                for network in self._state.virtual_networks.values(subscription.lower(), lag=admission.lag)
                if not (hidden and network.name.lower() in hidden)
                and (resource_group is None or network.id.resource_group.lower() == resource_group.lower())
            )

    def get(self, network_id: ArmId) -> VirtualNetwork:
        """One network. Raises NotFoundError (ResourceNotFound) and ResourceGroupNotFoundError."""
        with self._state.request("GET", network_id):
            return self._existing(network_id)

    def provisioning_state(self, network_id: ArmId) -> str:
        """``Updating`` while an operation on the network runs, ``Succeeded`` otherwise."""
        with self._state.lock:
            self._state.operations.settle()
            return "Updating" if self._state.operations.pending(network_id) else "Succeeded"

    def put(self, network: VirtualNetwork) -> Started:
        """Create or replace a network. As on Azure, a replacement drops the subnets that it does not name."""
        with self._state.request("PUT", network.id) as admission:
            current = self._state.network(network.id)
            subnets = tuple(self._attached(subnet) for subnet in network.subnets)
            network = msgspec.structs.replace(network, location=normal_location(network.location), subnets=subnets)
            _check_addresses(network)
            if current and current.location != network.location:
                raise refusals.in_other_location(current.id, current.location, network.location)
            if current:
                _refuse_loss(current, network)
            return self._put(network, admission, created=current is None)

    def delete(self, network_id: ArmId) -> Started | None:
        """Delete a network; None if it does not exist. Raises ServiceError if any of its addresses are in use."""
        with self._state.request("DELETE", network_id) as admission:
            network = self._state.network(network_id)
            if network is None:
                return None
            for subnet in network.subnets:
                _refuse_if_used(network, subnet)
            timing = self._state.behaviour.operations
            write = Write(method="DELETE", resource_id=network.id, timing=timing, subject=network)
            forget = self._state.virtual_networks.remove
            return self._state.start(write, lambda: forget(network.id.subscription, network.id.key), admission)

    def put_subnet(self, network_id: ArmId, subnet: Subnet) -> Started:
        """Create or replace one subnet."""
        with self._state.request("PUT", network_id.child("subnets", subnet.name)) as admission:
            network = self._existing(network_id)
            subnet = self._attached(subnet)
            created = all(other.name.lower() != subnet.name.lower() for other in network.subnets)
            subnets = tuple(subnet if other.name.lower() == subnet.name.lower() else other for other in network.subnets)
            changed = msgspec.structs.replace(network, subnets=(*subnets, subnet) if created else subnets)
            _check_addresses(changed)
            _refuse_loss(network, changed)
            return self._put(changed, admission, created=created)

    def delete_subnet(self, network_id: ArmId, name: str) -> Started | None:
        """Delete one subnet; None if it does not exist."""
        with self._state.request("DELETE", network_id.child("subnets", name)) as admission:
            network = self._existing(network_id)
            deleted = next((subnet for subnet in network.subnets if subnet.name.lower() == name.lower()), None)
            if deleted is None:
                return None
            _refuse_if_used(network, deleted)
            subnets = tuple(subnet for subnet in network.subnets if subnet is not deleted)
            return self._put(msgspec.structs.replace(network, subnets=subnets), admission, method="DELETE")

    def _attached(self, subnet: Subnet) -> Subnet:
        """A subnet in a request, with its attachments named as in responses."""
        attachments = [*subnet.attachments]
        for kind, resource_id in (
            ("network security group", subnet.network_security_group),
            ("route table", subnet.route_table),
        ):
            if resource_id:
                scope, key = resource_id.subscription, resource_id.key
                resource = self._state.security_groups.get(scope, key) or self._state.route_tables.get(scope, key)
                if resource is None:
                    raise refusals.resource_not_found(resource_id)
                attachment = f"{kind} {resource.id.name}"
                if attachment not in attachments:
                    attachments.append(attachment)
        return msgspec.structs.replace(subnet, attachments=tuple(attachments))

    def _existing(self, network_id: ArmId) -> VirtualNetwork:
        network = self._state.network(network_id)
        if network is None:
            raise refusals.resource_not_found(network_id)
        return network

    def _put(
        self, network: VirtualNetwork, admission: Admission, *, created: bool = False, method: str = "PUT"
    ) -> Started:
        write = Write(
            method=method,
            resource_id=network.id,
            timing=self._state.behaviour.operations,
            created=created,
            subject=network,
        )
        # Recorded: a PUT is answered with the new network, which GET shows at once as Updating.
        started = self._state.start(write, lambda: None, admission)
        # A write whose operation is scripted to fail changes nothing (assumption).
        if not any(fault.effect == "operation_fails" for fault in admission.faults):
            self._state.virtual_networks.put(network.id.subscription, network.id.key, network)
        return started


R = TypeVar("R", NetworkSecurityGroup, RouteTable, NetworkInterface)


class NetworkResources(Generic[R]):
    """Network security groups, route tables or network interfaces, all read-only."""

    def __init__(self, state: State, name: Literal["security_groups", "route_tables", "network_interfaces"]) -> None:
        self._state = state
        self._name = name

    def list(self, subscription: str, resource_group: str | None = None) -> tuple[R, ...]:
        """All resources of a subscription or a resource group."""
        group = f"/resourceGroups/{resource_group}" if resource_group else ""
        path = f"/subscriptions/{subscription}{group}/providers/Microsoft.Network/{_NETWORK_KINDS[self._name]}"
        with self._state.request("GET", path):
            return self._state.listed(
                resource
                for resource in self._store.values(subscription.lower())
                if resource_group is None or resource.id.resource_group.lower() == resource_group.lower()
            )

    def get(self, resource_id: ArmId) -> R:
        """One resource. Raises NotFoundError (ResourceNotFound) and ResourceGroupNotFoundError."""
        with self._state.request("GET", resource_id):
            resource = self._store.get(resource_id.subscription, resource_id.key)
            if resource is None:
                raise refusals.resource_not_found(resource_id)
            return resource

    @property
    def _store(self) -> Store[R]:
        # Looked up on each access, because ``take_over`` replaces the stores.
        store: Store[R] = getattr(self._state, self._name)
        return store


def _check_addresses(network: VirtualNetwork) -> None:
    """Raise ServiceError if a subnet is outside the network's address space or two subnets overlap."""
    space = [_prefix(text, network.id) for text in network.address_space]
    taken: list[tuple[str, _Prefix]] = []
    for subnet in network.subnets:
        for prefix in [_prefix(text, network.id) for text in subnet.prefixes]:
            if not any(prefix.version == part.version and prefix.subnet_of(part) for part in space):  # type: ignore[arg-type]  # the same version
                raise refusals.network_refusal(
                    "NetcfgInvalidSubnet",
                    f"Subnet '{subnet.name}' is not valid because its IP address range is outside the IP address range "
                    f"of virtual network '{network.name}'.",
                    network.id,
                )
            for name, other in taken:
                if prefix.version == other.version and prefix.overlaps(other):
                    raise refusals.network_refusal(
                        "NetcfgSubnetRangesOverlap",
                        f"Subnet '{subnet.name}' is not valid because it overlaps '{name}'.",
                        network.id,
                    )
            taken.append((subnet.name, prefix))


_Prefix = ipaddress.IPv4Network | ipaddress.IPv6Network


def _prefix(text: str, network_id: ArmId) -> _Prefix:
    try:
        return ipaddress.ip_network(text)
    except ValueError as error:
        raise refusals.network_refusal(
            "InvalidAddressPrefixFormat", f"Address prefix {text} is not formatted correctly.", network_id
        ) from error


def _refuse_loss(current: VirtualNetwork, changed: VirtualNetwork) -> None:
    """Refuse a write that removes a subnet or a range with addresses in use, as its deletion would be refused."""
    subnets = {subnet.name.lower(): subnet for subnet in changed.subnets}
    for subnet in current.subnets:
        replacement = subnets.get(subnet.name.lower())
        if replacement is None:
            _refuse_if_used(current, subnet)
            continue
        ranges = [ipaddress.ip_network(prefix) for prefix in replacement.prefixes]
        for ip in map(ipaddress.ip_address, subnet.used_ips):
            if not any(ip in addresses for addresses in ranges):
                raise refusals.network_refusal(
                    "InUsePrefixCannotBeDeleted",
                    f"IpPrefix {', '.join(subnet.prefixes)} on Subnet {subnet.name} has active allocations and cannot "
                    "be deleted.",
                    current.id.child("subnets", subnet.name),
                )


def _refuse_if_used(network: VirtualNetwork, subnet: Subnet) -> None:
    if subnet.used or subnet.used_ips:
        raise refusals.network_refusal(
            "InUseSubnetCannotBeDeleted",
            f"Subnet {subnet.name} is in use and cannot be deleted.",
            network.id.child("subnets", subnet.name),
        )

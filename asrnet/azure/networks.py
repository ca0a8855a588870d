"""Virtual networks through azure-mgmt-network."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Final

from asrnet.azure.members import translate_readable
from asrnet.azure.models import network_body, read_attachment, read_interface, read_network, subnet_body
from asrnet.azure.operations import status_of
from asrnet.azure.resource_manager import ResourceManager
from asrnet.azure.sdk import NETWORK_PROVIDER, Clients, read, rows, submit
from asrnet.errors import NotFoundError
from asrnet.model.arm import SECURITY_GROUP, ArmId
from asrnet.model.azure import (
    NetworkInterface,
    NetworkSecurityGroup,
    NetworkSubnet,
    ResourceGroup,
    RouteTable,
    VirtualNetwork,
)
from asrnet.ports import Operation, OperationStatus

_ADDRESSES: Final = "subnets/ipConfigurations"
"""Expanded to get the addresses in use; otherwise Azure returns only the ids of the resources that use them."""


class AzureNetworks:
    """Implements NetworkReader and NetworkWriter."""

    def __init__(self, clients: Clients, manager: ResourceManager) -> None:
        self._clients = clients
        self._manager = manager
        self._version = clients.version(NETWORK_PROVIDER)

    def virtual_networks(self, subscription: str) -> Iterator[VirtualNetwork]:
        """The networks of a subscription, page by page."""
        scope = ArmId(f"/subscriptions/{subscription}")
        operation = self._clients.network(subscription).virtual_networks.list_all
        return translate_readable(rows(operation, of=scope, **self._version), read_network, scope, "a virtual network")

    def virtual_network(self, network_id: ArmId, *, addresses: bool = False) -> VirtualNetwork | None:
        """One network; ``addresses`` includes the addresses in use. None if Azure answers 404 ResourceNotFound."""
        expand = {"expand": _ADDRESSES} if addresses else {}
        operation = self._clients.network(network_id.subscription).virtual_networks.get
        try:
            return read(operation, of=network_id, translate=read_network, **expand, **self._version)
        except NotFoundError as error:
            if error.code == "ResourceNotFound":
                return None
            raise

    def create_virtual_network(self, network: VirtualNetwork) -> Operation | None:
        """Start creating a network."""
        operation = self._clients.network(network.id.subscription).virtual_networks.begin_create_or_update
        return submit(operation, network_body(network), of=network.id, **self._version)

    def network_interfaces(self, subscription: str) -> Iterator[NetworkInterface]:
        """The network interfaces of a subscription, page by page."""
        scope = ArmId(f"/subscriptions/{subscription}")
        operation = self._clients.network(subscription).network_interfaces.list_all
        return translate_readable(
            rows(operation, of=scope, **self._version), read_interface, scope, "a network interface"
        )

    def registration_zones(self, subscriptions: Collection[str]) -> Mapping[ArmId, ArmId] | None:  # noqa: ARG002
        """Empty, because the package for private DNS zones is not used."""
        return None

    def subnet_attachment(self, resource_id: ArmId) -> NetworkSecurityGroup | RouteTable | None:
        """A network security group or route table; None if Azure answers 404."""
        client = self._clients.network(resource_id.subscription)
        operations = client.network_security_groups if resource_id.type == SECURITY_GROUP else client.route_tables
        try:
            return read(operations.get, of=resource_id, translate=read_attachment, **self._version)
        except NotFoundError:
            return None

    def resource_group(self, group_id: ArmId) -> ResourceGroup | None:
        """A resource group; None if Azure answers 404."""
        try:
            return self._manager.resource_group(group_id)
        except NotFoundError:
            return None

    def create_resource_group(self, group: ResourceGroup) -> Operation | None:
        """Create a resource group."""
        self._manager.put_resource_group(group)
        return None

    def create_subnet(self, subnet: NetworkSubnet) -> Operation | None:
        """Start adding a subnet."""
        operation = self._clients.network(subnet.network_id.subscription).subnets.begin_create_or_update
        return submit(operation, subnet_body(subnet.subnet), of=subnet.id, **self._version)

    def operation(self, operation: Operation) -> OperationStatus:
        """The status of the creation of a network."""
        return status_of(self._manager.get(operation.status_url, operation.resource_id), operation)

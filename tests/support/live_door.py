"""The backend of live Azure, used if ``ASRNET_LIVE=1`` is set; docs/architecture.md says what it needs.

It writes only in the given vault and resource group: mappings, which it deletes after each test, and three virtual
networks, which stay for the next run. A vault with mappings is refused.
"""

from __future__ import annotations

import os
import time
from functools import cache
from typing import Final, NoReturn

import pytest
from msgspec import structs

from asrnet import backends, settings
from asrnet.clocks import SystemClock
from asrnet.fake.records import VaultResource
from asrnet.model.arm import AZURE_NETWORK, VAULT, ArmId, expect
from asrnet.model.azure import Fabric, NetworkMapping, VirtualNetwork
from asrnet.ports import Backend, MappingWriter, NetworkWriter, Operation, OperationStatus

LIVE: Final = os.environ.get("ASRNET_LIVE") == "1"
_PATIENCE: Final = 600.0
_NETWORKS: Final = {"Hub-EA": "eastasia", "Hub-SEA": "southeastasia", "Other-SEA": "southeastasia"}


def asked(name: str) -> str:
    """The value of a variable; without it the test is refused."""
    return os.environ.get(name) or pytest.exit(f"ASRNET_LIVE=1 needs {name}; see docs/architecture.md")


@cache
def opened() -> Backend:
    """The backend that the environment names, with writes that end before they return."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ASRNET_LIVE")}
    backend = backends.connect(settings.read({}, environ))
    vault = expect(ArmId(asked("ASRNET_LIVE_VAULT")), VAULT, "a vault")
    if list(backend.mappings.mappings(vault)):
        pytest.exit(f"{vault} has mappings, which the tests would delete; give them a vault of their own")
    return structs.replace(backend, mapping_writer=Patient(backend.mapping_writer))


def tidied(backend: Backend) -> None:
    """Delete all mappings: the vault had none at the start."""
    for mapping in list(backend.mappings.mappings(ArmId(asked("ASRNET_LIVE_VAULT")))):
        backend.mapping_writer.delete_mapping(mapping.id)


class Patient:
    """A MappingWriter that waits for its writes to end, as a world's do by default."""

    def __init__(self, writer: MappingWriter) -> None:
        self._writer = writer
        self.operation = writer.operation

    def create_fabric(self, fabric: Fabric) -> Operation | None:
        return ended(self._writer, self._writer.create_fabric(fabric))

    def create_mapping(self, mapping: NetworkMapping) -> Operation | None:
        return ended(self._writer, self._writer.create_mapping(mapping))

    def put_mapping(self, mapping: NetworkMapping) -> Operation | None:
        return ended(self._writer, self._writer.put_mapping(mapping))

    def patch_mapping(self, mapping: NetworkMapping) -> Operation | None:
        return ended(self._writer, self._writer.patch_mapping(mapping))

    def delete_mapping(self, mapping_id: ArmId) -> Operation | None:
        return ended(self._writer, self._writer.delete_mapping(mapping_id))


def ended(writer: MappingWriter | NetworkWriter, operation: Operation | None) -> Operation | None:
    """The operation, once it has ended."""
    if operation is None:
        return None
    clock = SystemClock()
    until = time.monotonic() + _PATIENCE
    while is_running(writer.operation(operation)):
        assert time.monotonic() < until, "an operation takes longer than ten minutes"
        clock.sleep(1.0)
    return operation


def is_running(status: OperationStatus) -> bool:
    return status.state == "in_progress"


def vault() -> VaultResource:
    """The vault, with its region."""
    vault_id = ArmId(asked("ASRNET_LIVE_VAULT"))
    return VaultResource(id=vault_id, location=opened().mappings.vault_location(vault_id), used=True)


def fabric(place: str) -> Fabric:
    """The vault's existing fabric for a region."""
    fabrics = opened().mappings.fabrics(ArmId(asked("ASRNET_LIVE_VAULT")))
    found = next((fabric for fabric in fabrics if fabric.location == place), None)
    return found or pytest.exit(f"ASRNET_LIVE_VAULT has no fabric for {place}; see docs/architecture.md")


@cache
def network(name: str) -> VirtualNetwork:
    """A network of the given group, created if it is missing."""
    backend, place = opened(), _NETWORKS[name]
    group = ArmId(asked("ASRNET_LIVE_GROUP"))
    network_id = group.child("providers", "Microsoft.Network", "virtualNetworks", name)
    there = backend.networks.virtual_network(network_id)
    if there is None:
        wanted = VirtualNetwork(id=network_id, location=place, address_space=("10.254.0.0/24",))
        ended(backend.network_writer, backend.network_writer.create_virtual_network(wanted))
        there = backend.networks.virtual_network(network_id)
    assert there is not None
    return there


class LiveAzure:
    """Sets up what the ports can set up; tests that need a world are skipped."""

    def mapping(
        self,
        primary_fabric: Fabric,
        primary: VirtualNetwork,
        recovery_fabric: Fabric,
        recovery: VirtualNetwork,
        *,
        name: str = "",
        state: str = "",
    ) -> NetworkMapping:
        """A mapping as the service returns it, in whatever ``state``."""
        if state:
            pytest.skip("sets up the state of a mapping, and live Azure decides itself")
        own_name = name or f"{primary.name}-to-{recovery.name}"
        mapping = NetworkMapping(
            id=primary_fabric.id.child("replicationNetworks", AZURE_NETWORK, "replicationNetworkMappings", own_name),
            kind="azure_to_azure",
            primary_network_id=primary.id,
            recovery_network_id=recovery.id,
            recovery_fabric_id=recovery_fabric.id,
        )
        opened().mapping_writer.create_mapping(mapping)
        made = opened().mappings.mapping(mapping.id)
        assert made is not None
        return made

    def pair(
        self, first_fabric: Fabric, first: VirtualNetwork, second_fabric: Fabric, second: VirtualNetwork
    ) -> tuple[NetworkMapping, NetworkMapping]:
        """Both mappings of a pair."""
        forward = self.mapping(first_fabric, first, second_fabric, second)
        return forward, self.mapping(second_fabric, second, first_fabric, first)

    def __getattr__(self, name: str) -> NoReturn:
        pytest.skip(f"sets up a world ({name}), and live Azure is as it is")

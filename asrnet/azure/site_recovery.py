"""Site Recovery, read: like networks without an SDK of its own, which takes 0.6 s to import and is for writing.

The roles Site Recovery Contributor, Operator and Reader do not allow the lists of a whole vault. Where such a list
answers 403, the same is read in parts: mappings network by network, machines and clouds container by container.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final, TypeVar

from azure.mgmt.core import ARMPipelineClient

from asrnet.azure.machine_wire import WireItem, read_item
from asrnet.azure.mapping_wire import WireFabric, WireJob, WireMapping, read_fabric, read_job, read_mapping
from asrnet.azure.pipeline import Pipeline
from asrnet.azure.reading import Sender, address, decoded, get, rows
from asrnet.azure.vmm_wire import (
    WireContainerMapping,
    WireNamed,
    read_cloud,
    read_cloud_mapping,
    read_logical_network,
    read_vm_network,
)
from asrnet.azure.wire import Wire, each, each_readable
from asrnet.model.arm import ArmId, normal_location
from asrnet.model.azure import (
    Cloud,
    CloudMapping,
    Fabric,
    Job,
    LiveMapping,
    LogicalNetwork,
    ProtectedItem,
    VmNetwork,
)
from asrnet.model.bodies import API_VERSION

W = TypeVar("W", bound=Wire)
R = TypeVar("R")

VAULT_API_VERSION: Final = "2024-04-01"


class WireVault(Wire, frozen=True):
    """A vault; only its region matters."""

    location: str = ""


class SiteRecoveryReader:
    """What SiteRecoveryRequests reads."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._endpoint = pipeline.cloud.endpoint
        self._sender: Sender = ARMPipelineClient(**pipeline.client_options())

    def vault_location(self, vault: ArmId) -> str:
        """The region of the vault itself."""
        response = get(self._sender, self._address(vault, VAULT_API_VERSION), vault)
        found: WireVault = decoded(response, WireVault, vault)
        return normal_location(found.location)

    def fabrics(self, vault: ArmId) -> Iterator[Fabric]:
        """All fabrics."""
        return self._every(vault, "replicationFabrics", WireFabric, read_fabric)

    def mappings(self, vault: ArmId) -> Iterator[LiveMapping]:
        """The mappings of a vault, in one list."""
        return self._every(vault, "replicationNetworkMappings", WireMapping, read_mapping)

    def mappings_of_network(self, network_id: ArmId) -> Iterator[LiveMapping]:
        """The mappings under one network of a fabric."""
        return self._every(network_id, "replicationNetworkMappings", WireMapping, read_mapping)

    def mapping(self, mapping_id: ArmId) -> LiveMapping:
        """One mapping."""
        response = get(self._sender, self._address(mapping_id), mapping_id)
        return read_mapping(decoded(response, WireMapping, mapping_id))

    def protected_items(self, vault: ArmId) -> Iterator[ProtectedItem]:
        """The replicated machines of a vault, in one list."""
        return self._every(vault, "replicationProtectedItems", WireItem, read_item)

    def protected_items_of_container(self, container_id: ArmId) -> Iterator[ProtectedItem]:
        """The replicated machines of one container."""
        return self._every(container_id, "replicationProtectedItems", WireItem, read_item)

    def jobs(self, vault: ArmId, *, since: float | None = None, state: str | None = None) -> Iterator[Job]:
        """Jobs by start or state. The service filters, and so does this: which filters it honours is not certain."""
        terms = [f"startTime eq '{_timestamp(since)}'"] if since is not None else []
        terms += [f"jobStatus eq '{state}'"] if state else []
        query = {"filter": " and ".join(terms)} if terms else {}
        found = self._list(vault, "replicationJobs", WireJob, read_job, **query)
        return (job for job in found if _matches(job, since, state))

    def vm_networks(self, fabric_id: ArmId) -> Iterator[VmNetwork]:
        """The VM networks of a VMM server."""
        return self._list(fabric_id, "replicationNetworks", WireNamed, read_vm_network)

    def logical_networks(self, fabric_id: ArmId) -> Iterator[LogicalNetwork]:
        """The logical networks of a VMM server."""
        return self._list(fabric_id, "replicationLogicalNetworks", WireNamed, read_logical_network)

    def clouds(self, fabric_id: ArmId) -> Iterator[Cloud]:
        """The clouds of a VMM server."""
        return self._list(fabric_id, "replicationProtectionContainers", WireNamed, read_cloud)

    def cloud_mappings(self, vault: ArmId) -> Iterator[CloudMapping]:
        """Which cloud is protected by which, in one list."""
        return self._list(vault, "replicationProtectionContainerMappings", WireContainerMapping, read_cloud_mapping)

    def cloud_mappings_of_container(self, container_id: ArmId) -> Iterator[CloudMapping]:
        """By which clouds one cloud is protected."""
        return self._list(
            container_id, "replicationProtectionContainerMappings", WireContainerMapping, read_cloud_mapping
        )

    def _address(self, path: ArmId | str, api_version: str = API_VERSION, **query: str) -> str:
        return address(self._endpoint, path, api_version, **query)

    def _list(
        self, parent: ArmId, name: str, kind: type[W], read: Callable[[W], R | None], **query: str
    ) -> Iterator[R]:
        url = self._address(f"{parent}/{name}", **query)
        return each_readable(rows(self._sender, url, kind, parent), read, f"an element of {name}")

    def _every(self, parent: ArmId, name: str, kind: type[W], read: Callable[[W], R]) -> Iterator[R]:
        url = self._address(f"{parent}/{name}")
        return each(rows(self._sender, url, kind, parent), read, parent)


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _matches(job: Job, since: float | None, state: str | None) -> bool:
    if state and job.state.lower() != state.lower():
        return False
    return since is None or (started := _seconds(job.start_time)) is None or started >= since


def _seconds(time: str) -> float | None:
    """Seconds since 1970; the service writes seven digits of a second."""
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()

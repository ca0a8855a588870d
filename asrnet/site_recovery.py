"""The decisions about Site Recovery that are the same for every backend.

They are: how to read a vault if the identity's roles forbid vault-wide lists, what proves that a mapping is absent, and
which jobs match what was asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Final, TypeVar

from asrnet.errors import ForbiddenError, InputError, NotFoundError, ServiceError, VaultUnusedError
from asrnet.model.arm import AZURE_NETWORK, ArmId
from asrnet.model.azure import (
    Cloud,
    CloudMapping,
    Fabric,
    Job,
    LiveMapping,
    LogicalNetwork,
    NetworkMapping,
    ProtectedItem,
    UnreadableMapping,
    VmNetwork,
)
from asrnet.model.machine_update import UPDATES
from asrnet.ports import Operation, OperationStatus, SiteRecoveryRequests

R = TypeVar("R")

# Resource Manager answers these if the vault or something above it is missing (recorded for a vault).
_ABOVE_THE_VAULT: Final = frozenset(
    {"ResourceNotFound", "ParentResourceNotFound", "ResourceGroupNotFound", "SubscriptionNotFound"}
)
# The ends of Site Recovery's codes: ArmResourceDoesNotExist is recorded, FabricArmEntityMissing reported.
_WORDS_OF_ABSENCE: Final = ("DoesNotExist", "NotFound", "Missing")
_BAD_REQUEST: Final = 400


class SiteRecovery:
    """MappingReader, MappingWriter and VmmReader on one backend's requests.

    The roles Site Recovery Contributor, Operator and Reader do not allow the lists of a whole vault. Where such a list
    answers 403, the same is read in parts: mappings network by network, machines and clouds container by container. The
    refusal is remembered for the rest of the run.
    """

    def __init__(self, requests: SiteRecoveryRequests) -> None:
        self._requests = requests
        self._refused_lists: set[tuple[str, str]] = set()

    def vault_location(self, vault: ArmId) -> str:
        """The region of the vault itself."""
        return self._requests.vault_location(vault)

    def fabrics(self, vault: ArmId) -> Iterable[Fabric]:
        """All fabrics."""
        return self._requests.fabrics(vault)

    def mappings(self, vault: ArmId) -> Iterator[LiveMapping]:
        """All mappings of all fabrics, at best in one list."""

        def network_by_network() -> Iterator[LiveMapping]:
            for fabric in self._requests.fabrics(vault):
                if fabric.kind == "azure":
                    # The documented segment. Terraform writes under the name of the primary network instead. It is
                    # assumed that the service lists such mappings here too, because its answers put every mapping under
                    # azureNetwork.
                    yield from self._requests.mappings_of_network(fabric.id.child("replicationNetworks", AZURE_NETWORK))
                elif fabric.kind == "vmm":
                    for network in self._requests.vm_networks(fabric.id):
                        yield from self._requests.mappings_of_network(network.id)

        return self._whole_or_in_parts(vault, "mappings", self._requests.mappings, network_by_network)

    def mapping(self, mapping_id: ArmId) -> NetworkMapping | None:
        """One mapping; None when it does not exist. Raises ServiceError if it does not say what it maps."""
        try:
            mapping: LiveMapping | None = self._requests.mapping(mapping_id)
        except ServiceError as error:
            mapping = self._listed_after(error, mapping_id)
        if isinstance(mapping, UnreadableMapping):
            raise ServiceError(f"the mapping '{mapping.name}' {mapping.problem}", resource_id=mapping_id)
        return mapping

    def protected_items(self, vault: ArmId) -> Iterator[ProtectedItem]:
        """All replicated machines, at best in one list."""

        def container_by_container() -> Iterator[ProtectedItem]:
            for container_id in self._containers(vault):
                yield from self._requests.protected_items_of_container(container_id)

        return self._whole_or_in_parts(vault, "machines", self._requests.protected_items, container_by_container)

    def protected_item(self, item_id: ArmId) -> ProtectedItem | None:
        """One replicated machine; None when it does not exist."""
        try:
            return self._requests.protected_item(item_id)
        except NotFoundError as error:
            # Recorded: 404 ArmResourceDoesNotExist. If the vault or something above it is missing, an id is wrong.
            if isinstance(error, VaultUnusedError) or error.code in _ABOVE_THE_VAULT:
                raise
            return None

    def jobs(self, vault: ArmId, *, since: float | None = None, state: str | None = None) -> Iterator[Job]:
        """Jobs by start or state, filtered again: which filters the service honours is not certain."""
        for job in self._requests.jobs(vault, since=since, state=state):
            started = _seconds(job.start_time)
            is_late = since is None or started is None or started >= since
            # A job without a state matches every state, because it is not known to have ended.
            if is_late and (not state or job.state.lower() in {state.lower(), ""}):
                yield job

    def vm_networks(self, fabric_id: ArmId) -> Iterable[VmNetwork]:
        """The VM networks of a VMM server."""
        return self._requests.vm_networks(fabric_id)

    def logical_networks(self, fabric_id: ArmId) -> Iterable[LogicalNetwork]:
        """The logical networks of a VMM server."""
        return self._requests.logical_networks(fabric_id)

    def clouds(self, fabric_id: ArmId) -> Iterable[Cloud]:
        """The clouds of a VMM server."""
        return self._requests.clouds(fabric_id)

    def cloud_mappings(self, vault: ArmId) -> Iterator[CloudMapping]:
        """Which cloud is protected by which, at best in one list."""

        def container_by_container() -> Iterator[CloudMapping]:
            for container_id in self._containers(vault):
                yield from self._requests.cloud_mappings_of_container(container_id)

        return self._whole_or_in_parts(vault, "cloud mappings", self._requests.cloud_mappings, container_by_container)

    def create_fabric(self, fabric: Fabric) -> Operation | None:
        """Start creating an Azure fabric."""
        return self._requests.put_fabric(fabric)

    def create_mapping(self, mapping: NetworkMapping) -> Operation | None:
        """Start creating a mapping."""
        return self._requests.put_mapping(mapping)

    def put_mapping(self, mapping: NetworkMapping) -> Operation | None:
        """Start creating a mapping, or replacing the one of that name."""
        return self._requests.put_mapping(mapping)

    def patch_mapping(self, mapping: NetworkMapping) -> Operation | None:
        """Start pointing a mapping elsewhere by PATCH."""
        return self._requests.patch_mapping(mapping)

    def delete_mapping(self, mapping_id: ArmId) -> Operation | None:
        """Start deleting a mapping; None if there is none."""
        try:
            return self._requests.delete_mapping(mapping_id)
        except ServiceError as error:
            if self._listed_after(error, mapping_id) is not None:
                raise
            return None

    def update_item(self, item: ProtectedItem) -> Operation | None:
        """Start setting every network setting of a machine."""
        if item.provider not in UPDATES:
            raise InputError(f"machines of the provider '{item.provider}' are not updated: no document says how")
        return self._requests.update_item(item)

    def operation(self, operation: Operation) -> OperationStatus:
        """The status of a Site Recovery operation."""
        return self._requests.operation(operation)

    def _listed_after(self, error: ServiceError, mapping_id: ArmId) -> LiveMapping | None:
        """The mapping ``mapping_id`` after a GET or DELETE of it was answered with ``error``; None if it is absent.

        Site Recovery answers 404 for a missing mapping, but also 400 with undocumented codes (Azure/azure-sdk-for-go
        issue 8705), so after a 400 without a clear code the vault's list decides. If the vault, its group or its
        subscription is not found, most often an id is wrong, which proves nothing about the mapping. Raises ``error``
        if it has another cause.
        """
        if isinstance(error, VaultUnusedError) or error.code in _ABOVE_THE_VAULT:
            raise error
        if isinstance(error, NotFoundError):
            return None
        if error.status != _BAD_REQUEST:
            raise error
        if error.code.endswith(_WORDS_OF_ABSENCE):
            return None
        vault, fabric = mapping_id.parent.parent.parent, mapping_id.parent.parent
        try:
            # By fabric and name: a mapping is listed under azureNetwork whatever segment its id was written with.
            return next(
                (
                    mapping
                    for mapping in self.mappings(vault)
                    if mapping.fabric_id == fabric and mapping.name.lower() == mapping_id.name.lower()
                ),
                None,
            )
        except ServiceError:
            raise error from None

    def _whole_or_in_parts(
        self,
        vault: ArmId,
        what: str,
        whole: Callable[[ArmId], Iterable[R]],
        in_parts: Callable[[], Iterator[R]],
    ) -> Iterator[R]:
        if (vault.key, what) not in self._refused_lists:
            begun = False
            try:
                for row in whole(vault):
                    begun = True
                    yield row
            except ForbiddenError:
                # Missing roles refuse the first page or no page. Once rows were yielded, reading in parts would repeat
                # them.
                if begun:
                    raise
                self._refused_lists.add((vault.key, what))
            else:
                return
        yield from in_parts()

    def _containers(self, vault: ArmId) -> Iterator[ArmId]:
        for fabric in self._requests.fabrics(vault):
            yield from (cloud.id for cloud in self._requests.clouds(fabric.id))


def _seconds(time: str) -> float | None:
    """Seconds since 1970; the service writes seven digits of a second. None if ``time`` is not a time."""
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        return None
    return moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()

"""Vaults of a world file -> those of a world."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from asrnet.fake import document as file
from asrnet.fake.loading_networks import nic_of, subnets_of
from asrnet.fake.mappings import PSEUDO_FABRIC
from asrnet.fake.places import Place, check_region, check_time, expect, refuse_twice
from asrnet.fake.records import CloudRecord, Host, VaultResource, VmNetworkRecord
from asrnet.fake.regions import region_name
from asrnet.fake.seeding import Seed
from asrnet.files.problems import did_you_mean
from asrnet.model.arm import ASR_NETWORK, AZURE_NETWORK, VAULT, VNET, ArmId, normal_location
from asrnet.model.azure import (
    MICROSOFT_AZURE,
    Cloud,
    CloudMapping,
    Fabric,
    Job,
    LiveMapping,
    LogicalNetwork,
    MappingKind,
    NetworkMapping,
    ProtectedItem,
    UnreadableMapping,
    VmNetwork,
)


class VaultLoader:
    """One vault of a world file."""

    def __init__(self, said: file.VaultEntry, place: Place) -> None:
        self._said = said
        self._place = place
        self._fabrics: dict[str, Fabric] = {}
        self._clouds: dict[tuple[ArmId, str], Cloud] = {}

    def resources(self) -> list[Seed]:
        """The vault and all that is in it, in an order in which it can be seeded."""
        said = self._said
        expect(said.id, VAULT, "a vault", self._place, "id")
        check_region(said.location, self._place)
        used = bool(said.fabrics) if said.used is None else said.used
        if said.fabrics and not used:
            raise self._place.error("a vault with fabrics has been used", "used")
        self._refuse_repetitions()
        resources: list[Seed] = [VaultResource(id=said.id, location=said.location, used=used, tags=said.tags)]
        for index, entry in enumerate(said.fabrics):
            resources += self._fabric(entry, self._place.at("fabrics", index))
        for index, entry in enumerate(said.fabrics):
            resources += self._cloud_mappings(entry, self._place.at("fabrics", index))
        for index, mapping in enumerate(said.mappings):
            resources.append(self._mapping(mapping, self._place.at("mappings", index)))
        for index, item in enumerate(said.protected_items):
            resources.append(self._item(item, self._place.at("protected_items", index)))
        for index, job in enumerate(said.jobs):
            resources.append(self._job(job, self._place.at("jobs", index)))
        return resources

    def _refuse_repetitions(self) -> None:
        said, place = self._said, self._place
        refuse_twice(((entry.name.lower(), "name") for entry in said.fabrics), place.at("fabrics"), "fabric")
        regions = (
            (normal_location(entry.location) if entry.kind == "azure" and entry.location else f"#{index}", "location")
            for index, entry in enumerate(said.fabrics)
        )
        refuse_twice(regions, place.at("fabrics"), "region")
        names = ((f"{entry.fabric}/{_segment(entry)}/{entry.name}".lower(), "name") for entry in said.mappings)
        refuse_twice(names, place.at("mappings"), "mapping")
        names = ((f"{entry.fabric}/{entry.name}".lower(), "name") for entry in said.protected_items)
        refuse_twice(names, place.at("protected_items"), "protected item")

    def _fabric(self, entry: file.FabricEntry, place: Place) -> Iterable[Seed]:
        fabric = Fabric(
            id=place.child(self._said.id, "replicationFabrics", entry.name),
            kind=entry.kind,
            location=normal_location(entry.location) if entry.location else None,
            friendly_name=_friendly_name(entry, place),
        )
        self._fabrics[entry.name.lower()] = fabric
        yield fabric
        for index, network in enumerate(entry.networks):
            yield _vm_network(network, fabric, place.at("networks", index))
        for index, logical in enumerate(entry.logical_networks):
            network_id = place.at("logical_networks", index).child(
                fabric.id, "replicationLogicalNetworks", logical.name
            )
            yield LogicalNetwork(id=network_id, friendly_name=logical.friendly_name)
        for index, cloud in enumerate(entry.clouds):
            yield self._cloud(cloud, fabric, place.at("clouds", index))
        for host in entry.hosts:
            yield Host(fabric_id=fabric.id, name=host.name, cloud=host.cloud, networks=host.networks)

    def _cloud(self, entry: file.CloudEntry, fabric: Fabric, place: Place) -> CloudRecord:
        cloud_id = place.child(fabric.id, "replicationProtectionContainers", entry.name)
        cloud = Cloud(id=cloud_id, friendly_name=entry.friendly_name)
        self._clouds[fabric.id, entry.friendly_name.lower()] = cloud
        self._clouds[fabric.id, entry.name.lower()] = cloud
        return CloudRecord(cloud=cloud, logical_networks=entry.logical_networks)

    def _cloud_mappings(self, entry: file.FabricEntry, place: Place) -> Iterable[Seed]:
        fabric = self._fabrics[entry.name.lower()]
        for index, mapping in enumerate(entry.cloud_mappings):
            yield self._cloud_mapping(mapping, fabric, place.at("cloud_mappings", index))

    def _cloud_mapping(self, entry: file.CloudMappingEntry, fabric: Fabric, place: Place) -> CloudMapping:
        primary = self._found_cloud(fabric, entry.primary, place, "primary")
        recovery = None
        if entry.recovery is not None and entry.recovery != MICROSOFT_AZURE:
            other = fabric
            if entry.recovery_fabric is not None:
                other = self._found_fabric(entry.recovery_fabric, place, "recovery_fabric")
            recovery = self._found_cloud(other, entry.recovery, place, "recovery")
        name = entry.name or f"{entry.primary}-{entry.recovery or MICROSOFT_AZURE}"
        return CloudMapping(
            id=place.child(primary.id, "replicationProtectionContainerMappings", name),
            primary_cloud_id=primary.id,
            recovery_cloud_id=recovery.id if recovery else None,
            recovery_cloud_name=recovery.friendly_name if recovery else MICROSOFT_AZURE,
        )

    def _mapping(self, entry: file.MappingEntry, place: Place) -> LiveMapping:
        fabric = self._found_fabric(entry.fabric, place, "fabric")
        if entry.primary_network_id is None or entry.recovery_network_id is None:
            return _unreadable(entry, fabric, place)
        kind = _kind(fabric, (entry.primary_network_id.type, entry.recovery_network_id.type), place)
        recovery = self._recovery_fabric(entry, kind, place)
        network_id = fabric.id.child(
            "replicationNetworks", _segment(entry) if kind != "azure_to_azure" else AZURE_NETWORK
        )
        return NetworkMapping(
            id=place.child(network_id, "replicationNetworkMappings", entry.name),
            kind=kind,
            primary_network_id=entry.primary_network_id,
            recovery_network_id=entry.recovery_network_id,
            recovery_fabric_id=recovery.id if recovery else self._said.id.child("replicationFabrics", PSEUDO_FABRIC),
            primary_location=fabric.location,
            recovery_location=recovery.location if recovery else None,
            state=entry.state,
        )

    def _recovery_fabric(self, entry: file.MappingEntry, kind: MappingKind, place: Place) -> Fabric | None:
        if kind == "vmm_to_azure":
            if entry.recovery_fabric in {None, MICROSOFT_AZURE, PSEUDO_FABRIC}:
                return None
            raise place.error("a mapping to Azure has no recovery fabric", "recovery_fabric", hint="leave it out")
        if entry.recovery_fabric is None:
            raise place.error("the recovery_fabric is missing, expected the name of a fabric of this vault")
        recovery = self._found_fabric(entry.recovery_fabric, place, "recovery_fabric")
        if (recovery.kind == "azure") != (kind == "azure_to_azure"):
            raise place.error(f"the fabric '{recovery.name}' is of another kind than the networks", "recovery_fabric")
        return recovery

    def _item(self, entry: file.ItemEntry, place: Place) -> ProtectedItem:
        fabric = self._found_fabric(entry.fabric, place, "fabric")
        name = entry.container or f"{fabric.name}-container"
        known = self._clouds.get((fabric.id, name.lower()))
        container_id = known.id if known else place.child(fabric.id, "replicationProtectionContainers", name)
        recovery = None
        if entry.recovery_fabric not in {None, MICROSOFT_AZURE}:
            recovery = self._found_fabric(entry.recovery_fabric or "", place, "recovery_fabric")
        return ProtectedItem(
            id=place.child(container_id, "replicationProtectedItems", entry.name),
            friendly_name=entry.friendly_name or entry.name,
            state=entry.state,
            active_location=entry.active_location,
            test_failover_state=entry.test_failover_state,
            provider=entry.provider,
            scenario=entry.scenario,
            recovery_fabric_id=recovery.id if recovery else None,
            nics=tuple(nic_of(nic, place.at("nics", index)) for index, nic in enumerate(entry.nics)),
        )

    def _job(self, entry: file.JobEntry, place: Place) -> Job:
        for key, time in (("start_time", entry.start_time), ("end_time", entry.end_time)):
            check_time(time, place, key)
        return Job(
            id=place.child(self._said.id, "replicationJobs", entry.name),
            scenario=entry.scenario,
            state=entry.state,
            start_time=entry.start_time,
            end_time=entry.end_time,
            target=entry.target,
            errors=entry.errors,
        )

    def _found_fabric(self, name: str, place: Place, key: str) -> Fabric:
        fabric = self._fabrics.get(name.lower())
        if fabric is None:
            known = [one.name for one in self._fabrics.values()]
            raise place.error(f"the vault has no fabric '{name}'{did_you_mean(name, known)}", key)
        return fabric

    def _found_cloud(self, fabric: Fabric, name: str, place: Place, key: str) -> Cloud:
        cloud = self._clouds.get((fabric.id, name.lower()))
        if cloud is None:
            known = [one.friendly_name for (fabric_id, _), one in self._clouds.items() if fabric_id == fabric.id]
            raise place.error(f"the fabric '{fabric.name}' has no cloud '{name}'{did_you_mean(name, known)}", key)
        return cloud


def _vm_network(entry: file.VmNetworkEntry, fabric: Fabric, place: Place) -> VmNetworkRecord:
    network = VmNetwork(
        id=place.child(fabric.id, "replicationNetworks", entry.name),
        friendly_name=entry.friendly_name,
        subnets=subnets_of(entry.subnets, place.at("subnets")),
    )
    return VmNetworkRecord(network=network, logical_network=entry.logical_network)


def _friendly_name(entry: file.FabricEntry, place: Place) -> str:
    if entry.kind == "azure":
        if not entry.location or not normal_location(entry.location):
            raise place.error("the location is missing, expected the region of the Azure fabric")
        return region_name(entry.location)
    if entry.kind == "vmm" and not entry.server:
        raise place.error("the server is missing, expected the name of the VMM server")
    return entry.server or entry.name


def _unreadable(entry: file.MappingEntry, fabric: Fabric, place: Place) -> UnreadableMapping:
    if entry.primary_network_id is None and fabric.kind != "azure":
        raise place.error("the primary_network_id is missing: a mapping of a VMM server lies under its network")
    network_id = fabric.id.child("replicationNetworks", _segment(entry))
    return UnreadableMapping(
        id=place.child(network_id, "replicationNetworkMappings", entry.name),
        primary_network_id=entry.primary_network_id,
    )


def _kind(fabric: Fabric, types: tuple[str, str], place: Place) -> MappingKind:
    kinds: Mapping[tuple[bool, str, str], MappingKind] = {
        (True, VNET, VNET): "azure_to_azure",
        (False, ASR_NETWORK, VNET): "vmm_to_azure",
        (False, ASR_NETWORK, ASR_NETWORK): "vmm_to_vmm",
    }
    kind = kinds.get((fabric.kind == "azure", *types))
    if kind is None:
        raise place.error(f"no network of the fabric '{fabric.name}' has this id", "primary_network_id")
    return kind


def _segment(entry: file.MappingEntry) -> str:
    primary = entry.primary_network_id
    return primary.name if primary and primary.type == ASR_NETWORK else AZURE_NETWORK

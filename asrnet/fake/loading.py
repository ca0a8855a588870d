"""World files -> World: every reference is checked, and what is wrong is said with file and line."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Final

import msgspec

from asrnet.complaints import did_you_mean
from asrnet.documents import Document
from asrnet.errors import DocumentError, InputError
from asrnet.fake import document as file
from asrnet.fake.behaviour import Behaviour, checked
from asrnet.fake.mappings import PSEUDO_FABRIC
from asrnet.fake.records import (
    CloudRecord,
    Host,
    ResourceGroup,
    Subscription,
    VaultResource,
    VirtualMachine,
    VmNetworkRecord,
)
from asrnet.fake.regions import region_name
from asrnet.fake.seeding import Seed, seed
from asrnet.fake.state import TENANT
from asrnet.fake.times import seconds_of
from asrnet.fake.world import World
from asrnet.ids import ASR_NETWORK, AZURE_NETWORK, VAULT, VNET, ArmId, normal_location
from asrnet.models import (
    MICROSOFT_AZURE,
    Cloud,
    CloudMapping,
    Fabric,
    IpConfiguration,
    Job,
    LogicalNetwork,
    MappingKind,
    NetworkMapping,
    Nic,
    ProtectedItem,
    Subnet,
    VirtualNetwork,
    VmNetwork,
)
from asrnet.ports import Clock

_MACHINE: Final = "microsoft.compute/virtualmachines"
_GROUP: Final = "a resource group"
Step = str | int


def world_from(document: Document[file.WorldDocument], *, clock: Clock, behaviour: Behaviour | None = None) -> World:
    """The world that a document describes. Raises DocumentError where its parts contradict each other."""
    said = document.value
    try:
        behaviour = checked(behaviour or _behaviour(said))
    except InputError as error:
        raise document.error(error.message, "behaviour", hint=error.hint) from error
    world = World(clock=clock, behaviour=behaviour, tenant=said.tenant or TENANT)
    _Loader(document, world).load()
    return world


def _behaviour(said: file.WorldDocument) -> Behaviour:
    behaviour = said.behaviour or Behaviour()
    if said.strict_mapping is None:
        return behaviour
    return msgspec.structs.replace(behaviour, strict_mapping=said.strict_mapping)


class _Place:
    """A part of the document, to complain about."""

    def __init__(self, document: Document[file.WorldDocument], *path: Step) -> None:
        self._document = document
        self._path = path

    def at(self, *steps: Step) -> _Place:
        """The part below."""
        return _Place(self._document, *self._path, *steps)

    def error(self, problem: str, *steps: Step, hint: str = "") -> DocumentError:
        """The error to raise about this part, or one below it."""
        return self._document.error(problem, *self._path, *steps, hint=hint)

    def child(self, parent: ArmId, *segments: str) -> ArmId:
        """An id below ``parent``. Raises DocumentError where the name cannot be part of an id."""
        try:
            return parent.child(*segments)
        except InputError as error:
            raise self.error(f"'{segments[-1]}' cannot be a name in Azure", "name") from error


class _Loader:
    """Loads the parts of a document in the order in which they need each other."""

    def __init__(self, document: Document[file.WorldDocument], world: World) -> None:
        self._said = document.value
        self._root = _Place(document)
        self._world = world

    def load(self) -> None:
        for index, entry in enumerate(self._said.subscriptions):
            self._seed(_subscription(entry, self._root.at("subscriptions", index), self._world.tenant))
        self._load_groups()
        self._load_networks()
        self._load_machines()
        _refuse_twice(((vault.id.key, "id") for vault in self._said.vaults), self._root.at("vaults"), "vault")
        for index, vault in enumerate(self._said.vaults):
            self._seed(*_VaultLoader(vault, self._root.at("vaults", index)).resources())

    def _seed(self, *resources: Seed) -> None:
        seed(self._world, *resources)

    def _load_groups(self) -> None:
        place = self._root.at("resource_groups")
        for index, entry in enumerate(self._said.resource_groups):
            if entry.id.type or not entry.id.resource_group:
                raise place.error(f"'{entry.id}' is not the id of {_GROUP}", index, "id")
            self._seed(ResourceGroup(id=entry.id, location=entry.location, tags=entry.tags))

    def _load_networks(self) -> None:
        place = self._root.at("virtual_networks")
        _refuse_twice(((entry.id.key, "id") for entry in self._said.virtual_networks), place, "network")
        for index, entry in enumerate(self._said.virtual_networks):
            self._seed(_network(entry, place.at(index)))

    def _load_machines(self) -> None:
        place = self._root.at("virtual_machines")
        for index, entry in enumerate(self._said.virtual_machines):
            _expect(entry.id, _MACHINE, "a virtual machine", place.at(index), "id")
            nics = tuple(_nic(nic, place.at(index, "nics", number)) for number, nic in enumerate(entry.nics))
            self._seed(VirtualMachine(id=entry.id, location=entry.location, nics=nics))


class _VaultLoader:
    """Loads one vault."""

    def __init__(self, said: file.VaultEntry, place: _Place) -> None:
        self._said = said
        self._place = place
        self._fabrics: dict[str, Fabric] = {}
        self._clouds: dict[tuple[ArmId, str], Cloud] = {}

    def resources(self) -> list[Seed]:
        """The vault and all that is in it, in an order in which it can be seeded."""
        said = self._said
        _expect(said.id, VAULT, "a vault", self._place, "id")
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
            resources += self._item(item, self._place.at("protected_items", index))
        for index, job in enumerate(said.jobs):
            resources.append(self._job(job, self._place.at("jobs", index)))
        return resources

    def _refuse_repetitions(self) -> None:
        said, place = self._said, self._place
        _refuse_twice(((entry.name.lower(), "name") for entry in said.fabrics), place.at("fabrics"), "fabric")
        regions = (
            (normal_location(entry.location) if entry.kind == "azure" and entry.location else f"#{index}", "location")
            for index, entry in enumerate(said.fabrics)
        )
        _refuse_twice(regions, place.at("fabrics"), "region")
        names = ((f"{entry.fabric}/{_segment(entry)}/{entry.name}".lower(), "name") for entry in said.mappings)
        _refuse_twice(names, place.at("mappings"), "mapping")
        names = ((f"{entry.fabric}/{entry.name}".lower(), "name") for entry in said.protected_items)
        _refuse_twice(names, place.at("protected_items"), "protected item")

    def _fabric(self, entry: file.FabricEntry, place: _Place) -> Iterable[Seed]:
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

    def _cloud(self, entry: file.CloudEntry, fabric: Fabric, place: _Place) -> CloudRecord:
        cloud_id = place.child(fabric.id, "replicationProtectionContainers", entry.name)
        cloud = Cloud(id=cloud_id, friendly_name=entry.friendly_name)
        self._clouds[fabric.id, entry.friendly_name.lower()] = cloud
        self._clouds[fabric.id, entry.name.lower()] = cloud
        return CloudRecord(cloud=cloud, logical_networks=entry.logical_networks)

    def _cloud_mappings(self, entry: file.FabricEntry, place: _Place) -> Iterable[Seed]:
        fabric = self._fabrics[entry.name.lower()]
        for index, mapping in enumerate(entry.cloud_mappings):
            yield self._cloud_mapping(mapping, fabric, place.at("cloud_mappings", index))

    def _cloud_mapping(self, entry: file.CloudMappingEntry, fabric: Fabric, place: _Place) -> CloudMapping:
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

    def _mapping(self, entry: file.MappingEntry, place: _Place) -> NetworkMapping:
        fabric = self._found_fabric(entry.fabric, place, "fabric")
        kind = _kind(fabric, entry, place)
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

    def _recovery_fabric(self, entry: file.MappingEntry, kind: MappingKind, place: _Place) -> Fabric | None:
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

    def _item(self, entry: file.ItemEntry, place: _Place) -> Iterable[Seed]:
        fabric = self._found_fabric(entry.fabric, place, "fabric")
        name = entry.container or f"{fabric.name}-container"
        cloud = self._clouds.get((fabric.id, name.lower()))
        if cloud is None:
            cloud_id = place.child(fabric.id, "replicationProtectionContainers", name)
            cloud = self._clouds[fabric.id, name.lower()] = Cloud(id=cloud_id, friendly_name=name)
            yield CloudRecord(cloud=cloud)
        recovery = None
        if entry.recovery_fabric not in {None, MICROSOFT_AZURE}:
            recovery = self._found_fabric(entry.recovery_fabric or "", place, "recovery_fabric")
        yield ProtectedItem(
            id=place.child(cloud.id, "replicationProtectedItems", entry.name),
            friendly_name=entry.friendly_name or entry.name,
            state=entry.state,
            active_location=entry.active_location,
            test_failover_state=entry.test_failover_state,
            provider=entry.provider,
            scenario=entry.scenario,
            recovery_fabric_id=recovery.id if recovery else None,
            nics=tuple(_nic(nic, place.at("nics", index)) for index, nic in enumerate(entry.nics)),
        )

    def _job(self, entry: file.JobEntry, place: _Place) -> Job:
        for key, time in (("start_time", entry.start_time), ("end_time", entry.end_time)):
            _check_time(time, place, key)
        return Job(
            id=place.child(self._said.id, "replicationJobs", entry.name),
            scenario=entry.scenario,
            state=entry.state,
            start_time=entry.start_time,
            end_time=entry.end_time,
            target=entry.target,
            errors=entry.errors,
        )

    def _found_fabric(self, name: str, place: _Place, key: str) -> Fabric:
        fabric = self._fabrics.get(name.lower())
        if fabric is None:
            known = [one.name for one in self._fabrics.values()]
            raise place.error(f"the vault has no fabric '{name}'{did_you_mean(name, known)}", key)
        return fabric

    def _found_cloud(self, fabric: Fabric, name: str, place: _Place, key: str) -> Cloud:
        cloud = self._clouds.get((fabric.id, name.lower()))
        if cloud is None:
            known = [one.friendly_name for (fabric_id, _), one in self._clouds.items() if fabric_id == fabric.id]
            raise place.error(f"the fabric '{fabric.name}' has no cloud '{name}'{did_you_mean(name, known)}", key)
        return cloud


def _refuse_twice(keyed: Iterable[tuple[str, str]], place: _Place, what: str) -> None:
    """``keyed`` gives for each entry what must be its own, and the key under which it stands."""
    first: dict[str, int] = {}
    for index, (value, key) in enumerate(keyed):
        if value in first:
            raise place.error(f"the {what} is already there as number {first[value] + 1}", index, key)
        first[value] = index


def _expect(identifier: ArmId, kind: str, what: str, place: _Place, key: str) -> None:
    if identifier.type != kind:
        raise place.error(f"'{identifier}' is not the id of {what}", key)


def _subscription(entry: file.SubscriptionEntry, place: _Place, tenant: str) -> Subscription:
    try:
        guid = ArmId(f"/subscriptions/{entry.id}").subscription
    except InputError as error:
        raise place.error(f"'{entry.id}' is not a subscription's GUID", "id") from error
    return Subscription(id=guid, name=entry.name or guid, tenant=entry.tenant or tenant)


def _network(entry: file.NetworkEntry, place: _Place) -> VirtualNetwork:
    _expect(entry.id, VNET, "a virtual network", place, "id")
    for index, prefix in enumerate(entry.address_space):
        _check_prefix(prefix, place, "address_space", index)
    return VirtualNetwork(
        id=entry.id,
        location=entry.location,
        address_space=entry.address_space,
        subnets=_subnets(entry.subnets, place.at("subnets")),
        tags=entry.tags,
        dns_servers=entry.dns_servers,
        gateway=entry.gateway,
        extended_location=entry.extended_location,
        attachments=entry.attachments,
    )


def _subnets(entries: tuple[file.SubnetEntry, ...], place: _Place) -> tuple[Subnet, ...]:
    _refuse_twice(((entry.name.lower(), "name") for entry in entries), place, "subnet")
    return tuple(_subnet(entry, place.at(index)) for index, entry in enumerate(entries))


def _subnet(entry: file.SubnetEntry, place: _Place) -> Subnet:
    for index, prefix in enumerate(entry.prefixes):
        _check_prefix(prefix, place, "prefixes", index)
    for index, address in enumerate(entry.used_ips):
        _check_address(address, place, "used_ips", index)
    said = msgspec.structs.asdict(entry)
    said["used"] = len(entry.used_ips) if entry.used is None else entry.used
    return Subnet(**said)


def _nic(entry: file.NicEntry, place: _Place) -> Nic:
    for key, address in (("ip", entry.ip), ("recovery_ip", entry.recovery_ip)):
        if address is not None:
            _check_address(address, place, key)
    primary = IpConfiguration(
        name=entry.ip_configuration,
        subnet=entry.primary_subnet,
        ip=entry.ip,
        ip_type=entry.ip_type,
        recovery_subnet=entry.recovery_subnet,
        recovery_ip=entry.recovery_ip,
        selected_for_failover=entry.selected_for_failover,
    )
    secondary = (IpConfiguration(primary=False, **msgspec.structs.asdict(one)) for one in entry.secondary)
    return Nic(
        name=entry.name,
        primary_network_id=entry.primary_network_id,
        recovery_network_id=entry.recovery_network_id,
        test_network_id=entry.test_network_id,
        ip_configurations=(primary, *secondary),
    )


def _vm_network(entry: file.VmNetworkEntry, fabric: Fabric, place: _Place) -> VmNetworkRecord:
    network = VmNetwork(
        id=place.child(fabric.id, "replicationNetworks", entry.name),
        friendly_name=entry.friendly_name,
        subnets=_subnets(entry.subnets, place.at("subnets")),
    )
    return VmNetworkRecord(network=network, logical_network=entry.logical_network)


def _friendly_name(entry: file.FabricEntry, place: _Place) -> str:
    if entry.kind == "azure":
        if not entry.location:
            raise place.error("the location is missing, expected the region of the Azure fabric")
        return region_name(entry.location)
    if entry.kind == "vmm" and not entry.server:
        raise place.error("the server is missing, expected the name of the VMM server")
    return entry.server or entry.name


def _kind(fabric: Fabric, entry: file.MappingEntry, place: _Place) -> MappingKind:
    kinds: Mapping[tuple[bool, str, str], MappingKind] = {
        (True, VNET, VNET): "azure_to_azure",
        (False, ASR_NETWORK, VNET): "vmm_to_azure",
        (False, ASR_NETWORK, ASR_NETWORK): "vmm_to_vmm",
    }
    kind = kinds.get((fabric.kind == "azure", entry.primary_network_id.type, entry.recovery_network_id.type))
    if kind is None:
        raise place.error(f"no network of the fabric '{fabric.name}' has this id", "primary_network_id")
    return kind


def _segment(entry: file.MappingEntry) -> str:
    return entry.primary_network_id.name if entry.primary_network_id.type == ASR_NETWORK else AZURE_NETWORK


def _check_prefix(text: str, place: _Place, *steps: Step) -> None:
    with suppress(ValueError):
        ipaddress.ip_network(text)
        return
    raise place.error(f"'{text}' is not an address prefix, expected one such as 10.0.0.0/16", *steps)


def _check_address(text: str, place: _Place, *steps: Step) -> None:
    with suppress(ValueError):
        ipaddress.ip_address(text)
        return
    raise place.error(f"'{text}' is not an address, expected one such as 10.0.0.4", *steps)


def _check_time(text: str, place: _Place, key: str) -> None:
    with suppress(ValueError):
        if not text or seconds_of(text):
            return
    raise place.error(f"'{text}' is not a time, expected one such as 2026-01-01T00:00:00Z", key)

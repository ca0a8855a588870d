"""World files: reads a file into a World, and writes a World to an equivalent file.

Every reference inside a file is checked, and mistakes are reported with file and line. ``asrnet.fake.world_format``
defines how entries are written.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from asrnet.errors import DocumentError, InputError, did_you_mean
from asrnet.fake import world_format as entries
from asrnet.fake.behaviour import Behaviour, checked
from asrnet.fake.jobs import seconds_of
from asrnet.fake.machines import CLEANING_UP, TEST_MACHINE_EXISTS
from asrnet.fake.mappings import PSEUDO_FABRIC
from asrnet.fake.records import (
    CloudRecord,
    Host,
    RecoveryPlan,
    ReplicationPolicy,
    Site,
    SourceMachine,
    Subscription,
    VaultResource,
    VirtualMachine,
    VmNetworkRecord,
)
from asrnet.fake.seeding import Seed, seed
from asrnet.fake.state import TENANT, State
from asrnet.fake.world import World
from asrnet.fake.world_format import PRIMARY_ADDRESS, WorldDocument
from asrnet.files import atomic
from asrnet.files import yaml as documents
from asrnet.files.problems import NO_FILE, collecting, combined, raise_any
from asrnet.files.yaml import Document, Place
from asrnet.model.arm import ASR_NETWORK, AZURE_NETWORK, VAULT, VNET, ArmId, normal_location
from asrnet.model.azure import (
    MICROSOFT_AZURE,
    Cloud,
    CloudMapping,
    Fabric,
    InterfaceAddress,
    IpConfiguration,
    Job,
    LiveMapping,
    LogicalNetwork,
    MappingKind,
    NetworkInterface,
    NetworkMapping,
    NetworkSecurityGroup,
    Nic,
    Peering,
    ProtectedItem,
    ResourceGroup,
    RouteTable,
    Setting,
    Subnet,
    UnreadableMapping,
    VirtualNetwork,
    VmmHost,
    VmNetwork,
)
from asrnet.model.machine_update import SETTING_KINDS
from asrnet.model.regions import region_name
from asrnet.ports import Clock

M = TypeVar("M", bound=Struct)

_TENANT: Final = re.compile(r"[0-9A-Za-z.-]+")
_KINDS: Final[Mapping[tuple[bool, str, str], MappingKind]] = {
    (True, VNET, VNET): "azure_to_azure",
    (False, ASR_NETWORK, VNET): "vmm_to_azure",
    (False, ASR_NETWORK, ASR_NETWORK): "vmm_to_vmm",
}
_SECURITY_GROUP: Final = "microsoft.network/networksecuritygroups"
_ROUTE_TABLE: Final = "microsoft.network/routetables"
_NETWORK_INTERFACE: Final = "microsoft.network/networkinterfaces"
_MACHINE: Final = "microsoft.compute/virtualmachines"
_ONLY_IN_DESIRED_STATES: Final = frozenset({"regions", "pairs", "rules", "vmm_pairs", "ignore", "limits"})
_ONLY_IN_PLANS: Final = frozenset({"checksum", "format_version", "changes"})
_WIDTH: Final = 160


class _Form(Struct, frozen=True):
    """The required form of a text in an entry; ``parse`` raises ValueError for any other text."""

    name: str
    example: str
    parse: Callable[[str], object]

    def check(self, text: str | None, mistakes: list[DocumentError], place: Place, *steps: str | int) -> None:
        """Add a mistake if ``text`` is given and does not have this form."""
        if text is None:
            return
        with suppress(ValueError):
            self.parse(text)
            return
        mistakes.append(place.error(f"'{text}' is not {self.name}, expected one such as {self.example}", *steps))


def _parse_region(text: str) -> None:
    # As in a desired state: with any other region no pair can be declared.
    if not re.fullmatch(r"[a-z0-9]{2,64}", normal_location(text)):
        raise ValueError(text)


_REGION: Final = _Form("a region", "eastasia", _parse_region)
_PREFIX: Final = _Form("an address prefix", "10.0.0.0/16", ipaddress.ip_network)
_ADDRESS: Final = _Form("an address", "10.0.0.4", ipaddress.ip_address)
_TIME: Final = _Form("a time", "2026-01-01T00:00:00Z", seconds_of)


def load(path: str | Path, *, clock: Clock, behaviour: Behaviour | None = None) -> World:
    """Load the world in a file; ``behaviour`` replaces the file's own. Raises DocumentError, with file and line."""
    reading = documents.examine(path, WorldDocument, limit=documents.WORLD_LIMIT)
    # One sentence is clearer than a list of all the keys that a world does not have.
    paths = {mistake.path for mistake in reading.mistakes}
    for mistake in reading.mistakes:
        if mistake.problem == documents.CSV:
            mistake.hint = documents.CSV_HINT
        elif mistake.problem == documents.EMPTY or mistake.problem.startswith(NO_FILE):
            mistake.hint = "asrnet demo --out FOLDER writes a world, and a desired state beside it"
    if paths >= _ONLY_IN_PLANS:
        hint = "apply a saved plan with: asrnet apply PLANFILE"
        raise DocumentError("this is a saved plan, expected a world", file=path, hint=hint)
    if paths & _ONLY_IN_DESIRED_STATES:
        raise DocumentError(
            "this is a desired state, expected a world",
            file=path,
            hint="asrnet validate without --world checks it; asrnet demo --out FOLDER writes a world beside one",
        )
    if reading.document is None:
        raise combined(reading.mistakes)
    return world_from(reading.document, clock=clock, behaviour=behaviour, mistakes=reading.mistakes)


def world_from(
    document: Document[WorldDocument],
    *,
    clock: Clock,
    behaviour: Behaviour | None = None,
    mistakes: Iterable[DocumentError] = (),
) -> World:
    """The world that a document describes; ``behaviour`` replaces the document's own.

    Raises DocumentError, with all mistakes, if the document contradicts itself, or if there were ``mistakes`` when it
    was read: its faulty entries are then None.
    """
    mistakes = list(mistakes)
    content = document.value
    if behaviour is None:
        behaviour = content.behaviour or Behaviour()
        if content.strict_mapping is not None:
            behaviour = replace(behaviour, strict_mapping=content.strict_mapping)
    try:
        checked(behaviour)
    except InputError as error:
        mistakes.append(document.error(error.message, "behaviour", hint=error.hint))
    if content.tenant is not None and not _TENANT.fullmatch(content.tenant):
        mistakes.append(document.error("a tenant must be a GUID or a domain", "tenant"))
    resources = list(_resources(document, mistakes))
    raise_any(mistakes)
    world = World(clock=clock, behaviour=behaviour, tenant=content.tenant or TENANT)
    seed(world, *resources)
    world.protected_items.continue_replicating()
    for resource_id, text in content.extras.items():
        try:
            world.extras[ArmId(resource_id).key] = msgspec.json.decode(text, type=dict[str, object])
        except (InputError, msgspec.DecodeError, RecursionError) as error:
            raise document.error(f"not a JSON object by resource id: {error}", "extras", resource_id) from error
    return world


def dump(world: World) -> WorldDocument:
    """The document of the current world. It does not contain jobs of the world's own operations."""
    state = world.state
    with state.lock:
        state.operations.settle()
        return _document(state)


def dumps(world: World) -> str:
    """The YAML of a world, with short entries on one line and without defaults."""
    return documents.write(msgspec.to_builtins(dump(world), enc_hook=str), width=_WIDTH)


def save(world: World, path: str | Path) -> None:
    """Write a world to a file atomically, as JSON if the name ends in ``.json``, otherwise as YAML.

    Raises InputError if it cannot be written; an old file is then unchanged.
    """
    if Path(path).suffix.lower() == ".json":
        import json  # the import takes 1.5 ms, and most worlds are YAML

        text = json.dumps(msgspec.to_builtins(dump(world), enc_hook=str), indent=1) + "\n"
    else:
        text = dumps(world)
    atomic.replace(path, text)


# File -> world


def _resources(document: Document[WorldDocument], mistakes: list[DocumentError]) -> Iterator[Seed]:
    """Everything in a document, in an order in which it can be seeded, except entries with ``mistakes``."""
    content = document.value
    for index, entry in _faultless(content.subscriptions):
        try:
            guid = ArmId(f"/subscriptions/{entry.id}").subscription
        except InputError as error:
            problem = f"'{entry.id}' is not a subscription's GUID"
            mistakes.append(document.error(problem, "subscriptions", index, "id"))
            mistakes[-1].__cause__ = error
            continue
        yield _model(Subscription, entry, id=guid)
    for index, entry in _faultless(content.resource_groups):
        if entry.id.type or not entry.id.resource_group:
            problem = f"'{entry.id}' is not the id of a resource group"
            mistakes.append(document.error(problem, "resource_groups", index, "id"))
            continue
        yield _model(ResourceGroup, entry)
    yield from _networking(document, mistakes)
    for entry, place in _regional(document, "virtual_machines", _MACHINE, "virtual machine", mistakes):
        yield _model(VirtualMachine, entry, nics=_nics(entry, place, mistakes))
    for entry, place in _regional(document, "vaults", VAULT, "vault", mistakes):
        with collecting(mistakes):
            yield from _Vault(entry, place, mistakes).resources()


def _networking(document: Document[WorldDocument], mistakes: list[DocumentError]) -> Iterator[Seed]:
    """The Microsoft.Network resources of a document."""
    for entry, place in _regional(document, "virtual_networks", VNET, "network", mistakes):
        for index, prefix in enumerate(entry.address_space):
            _PREFIX.check(prefix, mistakes, place, "address_space", index)
        for index, subnet in enumerate(entry.subnets):
            with collecting(mistakes):
                _child(place.at("subnets", index), entry.id, "subnets", subnet.name)
        subnets = _subnets(entry.subnets, place.at("subnets"), mistakes)
        yield _model(VirtualNetwork, entry, subnets=subnets, peerings=_peerings(entry.peerings, place, mistakes))
    security_groups = "network_security_groups"
    for entry, _ in _regional(document, security_groups, _SECURITY_GROUP, "network security group", mistakes):
        yield _model(NetworkSecurityGroup, entry)
    for entry, _ in _regional(document, "route_tables", _ROUTE_TABLE, "route table", mistakes):
        yield _model(RouteTable, entry)
    for entry, place in _regional(document, "network_interfaces", _NETWORK_INTERFACE, "network interface", mistakes):
        for index, address in enumerate(entry.ip_configurations):
            _ADDRESS.check(address.ip, mistakes, place, "ip_configurations", index, "ip")
        addresses = tuple(_model(InterfaceAddress, address) for address in entry.ip_configurations)
        yield _model(NetworkInterface, entry, ip_configurations=addresses)


def _faultless(listed: Iterable[Any]) -> Iterator[tuple[int, Any]]:
    """The entries of a list that are not faulty, with their numbers."""
    return ((index, entry) for index, entry in enumerate(listed) if entry is not None)


def _peerings(listed: Iterable[Any], place: Place, mistakes: list[DocumentError]) -> tuple[Peering, ...]:
    peerings = []
    for index, entry in enumerate(listed):
        if not isinstance(entry, str):
            peerings.append(_model(Peering, entry))
            continue
        try:
            peerings.append(Peering(network_id=ArmId(entry)))
        except InputError as error:
            mistakes.append(place.error(f"'{entry}' is not the id of a network", "peerings", index))
            mistakes[-1].__cause__ = error
    return tuple(peerings)


def _model(model: type[M], entry: Any, **computed: object) -> M:
    """Build a ``model`` from the members that it shares with the entry and those that are ``computed``."""
    return model(**({name: getattr(entry, name) for name in _shared(model, entry.__class__)} | computed))


@cache
def _shared(target: Any, source: Any) -> tuple[str, ...]:
    """The fields that ``target`` and ``source`` share. Cached, because worlds have thousands of entries."""
    return tuple(name for name in target.__struct_fields__ if hasattr(source, name))


def _regional(
    document: Document[WorldDocument], key: str, kind: str, what: str, mistakes: list[DocumentError]
) -> Iterator[tuple[Any, Place]]:
    """The entries of a list of resources with a region. Their ids must be unique and of type ``kind``."""
    listed, place = getattr(document.value, key), document.place(key)
    _refuse_repeated((entry and (entry.id.key, "id") for entry in listed), place, what, mistakes)
    for index, entry in _faultless(listed):
        if entry.id.type != kind:
            mistakes.append(place.error(f"'{entry.id}' is not the id of a {what}", index, "id"))
            continue
        _REGION.check(entry.location, mistakes, place, index, "location")
        yield entry, place.at(index)


def _refuse_repeated(
    keyed: Iterable[tuple[str, str] | None], place: Place, what: str, mistakes: list[DocumentError]
) -> None:
    """Add a mistake for each entry with the identity of an earlier one.

    ``keyed`` has the identity of each entry and its key in the file; None for a faulty entry.
    """
    first: dict[str, int] = {}
    for index, (identity, key) in _faultless(keyed):
        if identity in first:
            mistakes.append(place.error(f"the {what} duplicates number {first[identity] + 1}", index, key))
        else:
            first[identity] = index


def _child(place: Place, parent: ArmId, *segments: str) -> ArmId:
    """The id of a child of ``parent``. Raises DocumentError if its name cannot be part of an id."""
    problem = f"'{segments[-1]}' cannot be a name in Azure"
    if "/" in segments[-1]:
        raise place.error(problem, "name")
    try:
        return parent.child(*segments)
    except InputError as error:
        raise place.error(problem, "name") from error


def _subnets(listed: Iterable[Any], place: Place, mistakes: list[DocumentError]) -> tuple[Subnet, ...]:
    listed = tuple(listed)
    _refuse_repeated(((entry.name.lower(), "name") for entry in listed), place, "subnet", mistakes)
    subnets = []
    for index, entry in enumerate(listed):
        for number, prefix in enumerate(entry.prefixes):
            _PREFIX.check(prefix, mistakes, place, index, "prefixes", number)
        for number, address in enumerate(entry.used_ips):
            _ADDRESS.check(address, mistakes, place, index, "used_ips", number)
        subnets.append(_model(Subnet, entry, used=len(entry.used_ips) if entry.used is None else entry.used))
    return tuple(subnets)


def _nics(machine: Any, place: Place, mistakes: list[DocumentError]) -> tuple[Nic, ...]:
    nics = []
    for index, entry in enumerate(machine.nics):
        for key in ("ip", "recovery_ip", "test_ip"):
            _ADDRESS.check(getattr(entry, key), mistakes, place, "nics", index, key)
        addresses = [
            _model(IpConfiguration, address, primary=False, settings=_settings(address.settings))
            for address in entry.secondary
        ]
        if entry.ip_configuration is not None:
            primary = {member: getattr(entry, key) for member, key in PRIMARY_ADDRESS.items()}
            addresses.insert(0, IpConfiguration(**(primary | {"settings": _settings(primary["settings"])})))
        selection = "NotSelected" if entry.selected is False else entry.selection
        settings = _settings(entry.settings)
        nics.append(_model(Nic, entry, selection=selection, ip_configurations=tuple(addresses), settings=settings))
    return tuple(nics)


def _settings(texts: Mapping[str, Setting]) -> dict[str, Setting]:
    """The settings of a machine with flags and numbers in their own types, as a world file may give them as text."""
    settings: dict[str, Setting] = {}
    for name, value in texts.items():
        kind = SETTING_KINDS.get(name)
        if kind == "flag" and value in {"true", "false"}:
            settings[name] = value == "true"
        elif kind == "number" and isinstance(value, str) and value.isdecimal():
            settings[name] = int(value)
        else:
            settings[name] = value
    return settings


class _Vault:
    """One vault of a world file."""

    def __init__(self, entry: Any, place: Place, mistakes: list[DocumentError]) -> None:
        self._entry = entry
        self._place = place
        self._mistakes = mistakes
        self._fabrics: dict[str, Fabric] = {}
        self._clouds: dict[tuple[ArmId, str], Cloud] = {}

    def resources(self) -> Iterator[Seed]:
        """The vault and everything in it, in an order in which it can be seeded."""
        entry, place, mistakes = self._entry, self._place, self._mistakes
        used = bool(entry.fabrics) if entry.used is None else entry.used
        if entry.fabrics and not used:
            mistakes.append(place.error("a vault with fabrics has been used", "used"))
        self._refuse_repetitions()
        yield _model(VaultResource, entry, used=used)
        for index, policy in enumerate(entry.replication_policies):
            policy_place = place.at("replication_policies", index)
            with collecting(mistakes):
                policy_id = _child(policy_place, entry.id, "replicationPolicies", policy.name)
                yield _model(ReplicationPolicy, policy, id=policy_id)
        before = len(mistakes)
        for index, fabric in enumerate(entry.fabrics):
            with collecting(mistakes):
                yield from self._fabric(fabric, place.at("fabrics", index))
        if len(mistakes) > before:
            return  # everything below refers to the fabrics
        for index, fabric in enumerate(entry.fabrics):
            for number, mapping in enumerate(fabric.cloud_mappings):
                with collecting(mistakes):
                    yield self._cloud_mapping(mapping, fabric, place.at("fabrics", index, "cloud_mappings", number))
        for index, mapping in enumerate(entry.mappings):
            with collecting(mistakes):
                yield self._mapping(mapping, place.at("mappings", index))
        for index, item in enumerate(entry.protected_items):
            with collecting(mistakes):
                yield self._item(item, place.at("protected_items", index))
        for index, plan in enumerate(entry.recovery_plans):
            with collecting(mistakes):
                plan_id = _child(place.at("recovery_plans", index), entry.id, "replicationRecoveryPlans", plan.name)
                yield _model(RecoveryPlan, plan, id=plan_id)
        for index, job in enumerate(entry.jobs):
            for key, time in (("start_time", job.start_time), ("end_time", job.end_time)):
                _TIME.check(time or None, mistakes, place, "jobs", index, key)
            with collecting(mistakes):
                yield _model(Job, job, id=_child(place.at("jobs", index), entry.id, "replicationJobs", job.name))

    def _refuse_repetitions(self) -> None:
        entry, place = self._entry, self._place
        _refuse_repeated(
            ((fabric.name.lower(), "name") for fabric in entry.fabrics), place.at("fabrics"), "fabric", self._mistakes
        )
        regions = (
            ((fabric.kind == "azure" and normal_location(fabric.location or "")) or f"#{fabric.name}", "location")
            for fabric in entry.fabrics
        )
        _refuse_repeated(regions, place.at("fabrics"), "region", self._mistakes)
        names = ((f"{mapping.fabric}/{_segment(mapping)}/{mapping.name}".lower(), "name") for mapping in entry.mappings)
        _refuse_repeated(names, place.at("mappings"), "mapping", self._mistakes)
        names = ((f"{item.fabric}/{item.name}".lower(), "name") for item in entry.protected_items)
        _refuse_repeated(names, place.at("protected_items"), "protected item", self._mistakes)

    def _fabric(self, entry: Any, place: Place) -> Iterator[Seed]:
        if entry.kind == "azure" and not normal_location(entry.location or ""):
            raise place.error("the location is missing, expected the region of the Azure fabric")
        if entry.kind == "azure":
            _REGION.check(entry.location, self._mistakes, place, "location")
        if entry.kind == "vmm" and not entry.server:
            raise place.error("the server is missing, expected the name of the VMM server")
        region = region_name(entry.location) if entry.kind == "azure" else ""
        fabric = _model(
            Fabric,
            entry,
            id=_child(place, self._entry.id, "replicationFabrics", entry.name),
            location=normal_location(entry.location) if entry.location else None,
            friendly_name=region or entry.server or entry.name,
        )
        self._fabrics[entry.name.lower()] = fabric
        yield fabric
        if entry.site is not None:
            if entry.kind != "other":
                raise place.error("a site is a fabric of the kind 'other'", "site")
            yield Site(fabric_id=fabric.id, kind=entry.site)
        for index, network in enumerate(entry.networks):
            network_place = place.at("networks", index)
            network_id = _child(network_place, fabric.id, "replicationNetworks", network.name)
            subnets = _subnets(network.subnets, network_place.at("subnets"), self._mistakes)
            yield VmNetworkRecord(
                network=_model(VmNetwork, network, id=network_id, subnets=subnets),
                logical_network=network.logical_network,
            )
        for index, logical in enumerate(entry.logical_networks):
            logical_place = place.at("logical_networks", index)
            network_id = _child(logical_place, fabric.id, "replicationLogicalNetworks", logical.name)
            yield _model(LogicalNetwork, logical, id=network_id)
        for index, container in enumerate(entry.clouds):
            container_place = place.at("clouds", index)
            cloud_id = _child(container_place, fabric.id, "replicationProtectionContainers", container.name)
            cloud = _model(Cloud, container, id=cloud_id)
            # A file may refer to a cloud by its name or by its friendly name.
            self._clouds[fabric.id, container.friendly_name.lower()] = cloud
            self._clouds[fabric.id, container.name.lower()] = cloud
            yield CloudRecord(cloud=cloud, logical_networks=container.logical_networks)
            names = ((machine.name.lower(), "name") for machine in container.machines)
            _refuse_repeated(names, container_place.at("machines"), "machine", self._mistakes)
            for number, machine in enumerate(container.machines):
                machine_place = container_place.at("machines", number)
                yield _model(
                    SourceMachine,
                    machine,
                    id=_child(machine_place, cloud_id, "replicationProtectableItems", machine.name),
                    friendly_name=machine.friendly_name or machine.name,
                    nics=_nics(machine, machine_place, self._mistakes),
                )
        for host in entry.hosts:
            yield Host(fabric_id=fabric.id, host=_model(VmmHost, host))

    def _cloud_mapping(self, entry: Any, fabric_entry: Any, place: Place) -> CloudMapping:
        fabric = self._fabrics[fabric_entry.name.lower()]
        primary = self._find_cloud(fabric, entry.primary, place, "primary")
        recovery = None
        if entry.recovery is not None and entry.recovery != MICROSOFT_AZURE:
            other = fabric
            if entry.recovery_fabric is not None:
                other = self._find_fabric(entry.recovery_fabric, place, "recovery_fabric")
            recovery = self._find_cloud(other, entry.recovery, place, "recovery")
        name = entry.name or f"{entry.primary}-{entry.recovery or MICROSOFT_AZURE}"
        return CloudMapping(
            id=_child(place, primary.id, "replicationProtectionContainerMappings", name),
            primary_cloud_id=primary.id,
            recovery_cloud_id=recovery.id if recovery else None,
            recovery_cloud_name=recovery.friendly_name if recovery else MICROSOFT_AZURE,
            policy_id=self._policy_id(entry, place),
        )

    def _mapping(self, entry: Any, place: Place) -> LiveMapping:
        fabric = self._find_fabric(entry.fabric, place, "fabric")
        primary_id, recovery_id = entry.primary_network_id, entry.recovery_network_id
        if primary_id is None and fabric.kind != "azure":
            raise place.error("the primary_network_id is missing: a mapping of a VMM server lies under its network")
        if primary_id is None or recovery_id is None:
            network_id = fabric.id.child("replicationNetworks", _segment(entry))
            mapping_id = _child(place, network_id, "replicationNetworkMappings", entry.name)
            return UnreadableMapping(id=mapping_id, primary_network_id=primary_id)
        # Between Azure regions both ids are virtual networks; the path of a VMM mapping is below its VM network.
        kind = _KINDS.get((fabric.kind == "azure", primary_id.type, recovery_id.type))
        if kind is None:
            raise place.error(f"no network of the fabric '{fabric.name}' has this id", "primary_network_id")
        recovery = self._recovery_fabric(entry, kind, place)
        network_id = fabric.id.child(
            "replicationNetworks", AZURE_NETWORK if kind == "azure_to_azure" else _segment(entry)
        )
        return _model(
            NetworkMapping,
            entry,
            id=_child(place, network_id, "replicationNetworkMappings", entry.name),
            kind=kind,
            recovery_fabric_id=recovery.id if recovery else self._entry.id.child("replicationFabrics", PSEUDO_FABRIC),
            primary_location=fabric.location,
            recovery_location=recovery.location if recovery else None,
        )

    def _recovery_fabric(self, entry: Any, kind: MappingKind, place: Place) -> Fabric | None:
        if kind == "vmm_to_azure":
            if entry.recovery_fabric in {None, MICROSOFT_AZURE, PSEUDO_FABRIC}:
                return None
            raise place.error("a mapping to Azure has no recovery fabric", "recovery_fabric", hint="leave it out")
        if entry.recovery_fabric is None:
            raise place.error("the recovery_fabric is missing, expected the name of a fabric of this vault")
        recovery = self._find_fabric(entry.recovery_fabric, place, "recovery_fabric")
        if (recovery.kind == "azure") != (kind == "azure_to_azure"):
            raise place.error(f"the fabric '{recovery.name}' is of another kind than the networks", "recovery_fabric")
        return recovery

    def _item(self, entry: Any, place: Place) -> ProtectedItem:
        fabric = self._find_fabric(entry.fabric, place, "fabric")
        recovery = None
        if entry.recovery_fabric not in {None, MICROSOFT_AZURE, PSEUDO_FABRIC}:
            recovery = self._find_fabric(entry.recovery_fabric, place, "recovery_fabric")
        initial = fabric
        if entry.initial_fabric is not None:
            initial = self._find_fabric(entry.initial_fabric, place, "initial_fabric")
        container_id = self._container_id(fabric, entry.container, place)
        recovery_container_id = None
        if entry.recovery_container is not None and recovery is not None:
            recovery_container_id = self._container_id(recovery, entry.recovery_container, place)
        return _model(
            ProtectedItem,
            entry,
            id=_child(place, container_id, "replicationProtectedItems", entry.name),
            friendly_name=entry.friendly_name or entry.name,
            recovery_fabric_id=recovery.id if recovery else None,
            recovery_container_id=recovery_container_id,
            policy_id=self._policy_id(entry, place),
            primary_location=fabric.location,
            recovery_location=recovery.location if recovery else None,
            initial_location=initial.location,
            nics=_nics(entry, place, self._mistakes),
            settings=_settings(entry.settings),
        )

    def _container_id(self, fabric: Fabric, name: str | None, place: Place) -> ArmId:
        name = name or f"{fabric.name}-container"
        cloud = self._clouds.get((fabric.id, name.lower()))
        return cloud.id if cloud else _child(place, fabric.id, "replicationProtectionContainers", name)

    def _policy_id(self, entry: Any, place: Place) -> ArmId | None:
        if entry.policy is None:
            return None
        names = [policy.name for policy in self._entry.replication_policies]
        if entry.policy.lower() not in {name.lower() for name in names}:
            problem = f"the vault has no replication policy '{entry.policy}'{did_you_mean(entry.policy, names)}"
            raise place.error(problem, "policy")
        policy_id: ArmId = self._entry.id.child("replicationPolicies", entry.policy)
        return policy_id

    def _find_fabric(self, name: str, place: Place, key: str) -> Fabric:
        fabric = self._fabrics.get(name.lower())
        if fabric is None:
            names = [fabric.name for fabric in self._fabrics.values()]
            raise place.error(f"the vault has no fabric '{name}'{did_you_mean(name, names)}", key)
        return fabric

    def _find_cloud(self, fabric: Fabric, name: str, place: Place, key: str) -> Cloud:
        cloud = self._clouds.get((fabric.id, name.lower()))
        if cloud is None:
            names = [cloud.friendly_name for (fabric_id, _), cloud in self._clouds.items() if fabric_id == fabric.id]
            raise place.error(f"the fabric '{fabric.name}' has no cloud '{name}'{did_you_mean(name, names)}", key)
        return cloud


def _segment(mapping: Any) -> str:
    """The network segment of a mapping's id: the name of a VM network, or a constant for a virtual network."""
    primary = mapping.primary_network_id
    return primary.name if primary and primary.type == ASR_NETWORK else AZURE_NETWORK


# World -> file


def _entry(kind: Any, value: Struct, **computed: object) -> Any:
    """Build an entry from the members that it shares with the value and those that are ``computed``."""
    return kind(**({name: getattr(value, name) for name in _shared(kind, value.__class__)} | computed))


def _document(state: State) -> WorldDocument:
    networks = tuple(
        _entry(
            entries.VIRTUAL_NETWORK,
            network,
            subnets=_subnet_entries(network.subnets),
            peerings=tuple(map(_peering_entry, network.peerings)),
        )
        for network in state.virtual_networks
    )
    return WorldDocument(
        version=1,
        tenant=None if state.tenant == TENANT else state.tenant,
        behaviour=None if state.behaviour == Behaviour() else state.behaviour,
        subscriptions=tuple(
            _entry(
                entries.SUBSCRIPTION,
                subscription,
                name="" if subscription.name == subscription.id else subscription.name,
                tenant="" if subscription.tenant == state.tenant else subscription.tenant,
            )
            for subscription in state.subscriptions.values()
        ),
        resource_groups=tuple(_entry(entries.RESOURCE_GROUP, group) for group in state.groups),
        virtual_networks=networks,
        network_security_groups=tuple(_entry(entries.SECURITY_GROUP, group) for group in state.security_groups),
        route_tables=tuple(_entry(entries.ROUTE_TABLE, table) for table in state.route_tables),
        network_interfaces=tuple(
            _entry(
                entries.NETWORK_INTERFACE,
                interface,
                ip_configurations=tuple(
                    _entry(entries.INTERFACE_ADDRESS, address) for address in interface.ip_configurations
                ),
            )
            for interface in state.network_interfaces
        ),
        virtual_machines=tuple(
            _entry(entries.VIRTUAL_MACHINE, machine, nics=_nic_entries(machine.nics))
            for machine in state.virtual_machines
        ),
        vaults=tuple(_vault_entry(vault, state) for vault in state.vaults),
        extras=_extras(state),
    )


def _extras(state: State) -> dict[str, str]:
    """The extras of resources that still exist."""
    resources = (
        *state.virtual_networks,
        *state.vaults,
        *state.fabrics,
        *state.policies,
        *state.cloud_mappings,
        *state.protected_items,
        *state.plans,
    )
    # Deleted resources leave their extras behind, and a file must not bring them back.
    keys = {resource.id.key for resource in resources}
    keys |= {
        network.id.child("subnets", subnet.name).key for network in state.virtual_networks for subnet in network.subnets
    }
    return {
        f"/{key}": msgspec.json.encode(members).decode()
        for key, members in state.extras.items()
        if members and key in keys
    }


def _peering_entry(peering: Peering) -> Any:
    remote = peering.network_id
    is_plain = replace(peering, name="") == Peering(network_id=remote) and peering.name in {"", remote.name}
    return str(remote) if is_plain else _entry(entries.PEERING, peering)


def _subnet_entries(subnets: Iterable[Subnet]) -> tuple[Any, ...]:
    return tuple(
        _entry(entries.SUBNET, subnet, used=None if subnet.used == len(subnet.used_ips) else subnet.used)
        for subnet in subnets
    )


def _nic_entries(nics: Iterable[Nic]) -> tuple[Any, ...]:
    listed = []
    for nic in nics:
        primary = next((address for address in nic.ip_configurations if address.primary), None)
        members = {key: getattr(primary, member) for member, key in PRIMARY_ADDRESS.items()} if primary else {}
        secondary = tuple(
            _entry(entries.IP_CONFIGURATION, address) for address in nic.ip_configurations if address is not primary
        )
        listed.append(_entry(entries.NIC, nic, **({"ip_configuration": None} | members), secondary=secondary))
    return tuple(listed)


def _vault_entry(vault: VaultResource, state: State) -> Any:
    scope = vault.id.key
    fabrics = state.fabrics.values(scope)
    unreadable = state.unreadable_mappings.values(scope)
    return _entry(
        entries.VAULT,
        vault,
        used=None if vault.used == bool(fabrics) else vault.used,
        replication_policies=tuple(
            _entry(entries.POLICY, policy, name=policy.id.name) for policy in state.policies.values(scope)
        ),
        fabrics=tuple(_fabric_entry(fabric, state) for fabric in fabrics),
        mappings=(
            *(_mapping_entry(mapping) for mapping in state.mappings.values(scope)),
            *(_entry(entries.MAPPING, mapping, fabric=mapping.fabric_id.name) for mapping in unreadable),
        ),
        protected_items=tuple(_item_entry(item, state) for item in state.protected_items.values(scope)),
        recovery_plans=tuple(
            _entry(entries.RECOVERY_PLAN, plan, name=plan.id.name) for plan in state.plans.values(scope)
        ),
        jobs=tuple(_entry(entries.JOB, job) for job in state.jobs.values(scope)),
    )


def _fabric_entry(fabric: Fabric, state: State) -> Any:
    scope = fabric.id.key
    site = state.sites.get(fabric.id.parent.key, scope)
    machines = state.source_machines.values(scope)
    return _entry(
        entries.FABRIC,
        fabric,
        server=None if fabric.kind == "azure" else fabric.friendly_name,
        site=site.kind if site else None,
        networks=tuple(
            _entry(
                entries.VM_NETWORK,
                record.network,
                name=record.network.id.name,
                logical_network=record.logical_network,
                subnets=_subnet_entries(record.network.subnets),
            )
            for record in state.vm_networks.values(scope)
        ),
        logical_networks=tuple(
            _entry(entries.LOGICAL_NETWORK, network, name=network.id.name)
            for network in state.logical_networks.values(scope)
        ),
        clouds=tuple(
            _entry(
                entries.CLOUD,
                record.cloud,
                name=record.cloud.id.name,
                logical_networks=record.logical_networks,
                machines=tuple(
                    _entry(entries.SOURCE_MACHINE, machine, name=machine.id.name, nics=_nic_entries(machine.nics))
                    for machine in machines
                    if machine.id.parent == record.cloud.id
                ),
            )
            for record in state.clouds.values(scope)
        ),
        cloud_mappings=tuple(
            _cloud_mapping_entry(mapping, fabric.id)
            for mapping in state.cloud_mappings.values(fabric.id.parent.key)
            if mapping.primary_cloud_id.parent == fabric.id
        ),
        hosts=tuple(_entry(entries.HOST, host.host) for host in state.hosts.values(scope)),
    )


def _cloud_mapping_entry(mapping: CloudMapping, fabric_id: ArmId) -> Any:
    recovery = mapping.recovery_cloud_id
    return _entry(
        entries.CLOUD_MAPPING,
        mapping,
        name=mapping.id.name,
        primary=mapping.primary_cloud_id.name,
        recovery_fabric=None if recovery is None or recovery.parent == fabric_id else recovery.parent.name,
        recovery=recovery.name if recovery else None,
        policy=mapping.policy_id.name if mapping.policy_id else None,
    )


def _mapping_entry(mapping: NetworkMapping) -> Any:
    recovery = mapping.recovery_fabric_id
    return _entry(
        entries.MAPPING,
        mapping,
        fabric=mapping.fabric_id.name,
        recovery_fabric=recovery.name if recovery and mapping.kind != "vmm_to_azure" else None,
    )


def _item_entry(item: ProtectedItem, state: State) -> Any:
    container = item.id.parent
    initial_fabric = None
    if item.initial_location != item.primary_location:
        fabrics = state.fabrics.values(item.vault_id.key)
        initial_fabric = next((fabric.name for fabric in fabrics if fabric.location == item.initial_location), None)
    if item.id.key in state.working:
        # Operations are not part of a file, so a machine must not wait for the end of one.
        cleaning_up = item.test_failover_state == CLEANING_UP
        test_state = TEST_MACHINE_EXISTS if cleaning_up else item.test_failover_state
        item = replace(item, scenario="", test_failover_state=test_state)
    return _entry(
        entries.ITEM,
        item,
        name=item.id.name,
        friendly_name=None if item.friendly_name == item.id.name else item.friendly_name,
        fabric=item.fabric_id.name,
        container=None if container.name == f"{item.fabric_id.name}-container" else container.name,
        recovery_fabric=item.recovery_fabric_id.name if item.recovery_fabric_id else None,
        recovery_container=item.recovery_container_id.name if item.recovery_container_id else None,
        initial_fabric=initial_fabric,
        policy=item.policy_id.name if item.policy_id else None,
        nics=_nic_entries(state.replicating.get(item.id.key, item).nics),
    )

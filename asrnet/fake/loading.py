"""World files -> World: every reference is checked, and what is wrong is said with file and line."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from asrnet.errors import InputError
from asrnet.fake import document as file
from asrnet.fake.behaviour import Behaviour, checked
from asrnet.fake.loading_networks import network_of, nic_of
from asrnet.fake.loading_vaults import VaultLoader
from asrnet.fake.places import Place, check_region, expect, refuse_twice
from asrnet.fake.records import ResourceGroup, Subscription, VirtualMachine
from asrnet.fake.seeding import Seed, seed
from asrnet.fake.state import TENANT
from asrnet.fake.world import World
from asrnet.files.yaml import Document
from asrnet.model.arm import ArmId
from asrnet.ports import Clock

_TENANT: Final = re.compile(r"[0-9A-Za-z.-]+")
_MACHINE: Final = "microsoft.compute/virtualmachines"


def world_from(document: Document[file.WorldDocument], *, clock: Clock, behaviour: Behaviour | None = None) -> World:
    """The world that a document describes. Raises DocumentError where its parts contradict each other."""
    said = document.value
    try:
        behaviour = checked(behaviour or _behaviour(said))
    except InputError as error:
        raise document.error(error.message, "behaviour", hint=error.hint) from error
    if said.tenant is not None and not _TENANT.fullmatch(said.tenant):
        raise document.error("a tenant is a GUID or a domain", "tenant")
    world = World(clock=clock, behaviour=behaviour, tenant=said.tenant or TENANT)
    _Loader(document, world).load()
    return world


def _behaviour(said: file.WorldDocument) -> Behaviour:
    behaviour = said.behaviour or Behaviour()
    if said.strict_mapping is None:
        return behaviour
    return msgspec.structs.replace(behaviour, strict_mapping=said.strict_mapping)


class _Loader:
    """Loads the parts of a document in the order in which they need each other."""

    def __init__(self, document: Document[file.WorldDocument], world: World) -> None:
        self._said = document.value
        self._root = Place(document)
        self._world = world

    def load(self) -> None:
        for index, entry in enumerate(self._said.subscriptions):
            self._seed(_subscription(entry, self._root.at("subscriptions", index), self._world.tenant))
        self._load_groups()
        self._load_networks()
        self._load_machines()
        refuse_twice(((vault.id.key, "id") for vault in self._said.vaults), self._root.at("vaults"), "vault")
        for index, vault in enumerate(self._said.vaults):
            self._seed(*VaultLoader(vault, self._root.at("vaults", index)).resources())
        self._load_extras()

    def _seed(self, *resources: Seed) -> None:
        seed(self._world, *resources)

    def _load_groups(self) -> None:
        place = self._root.at("resource_groups")
        for index, entry in enumerate(self._said.resource_groups):
            if entry.id.type or not entry.id.resource_group:
                raise place.error(f"'{entry.id}' is not the id of a resource group", index, "id")
            self._seed(ResourceGroup(id=entry.id, location=entry.location, tags=entry.tags))

    def _load_networks(self) -> None:
        place = self._root.at("virtual_networks")
        refuse_twice(((entry.id.key, "id") for entry in self._said.virtual_networks), place, "network")
        for index, entry in enumerate(self._said.virtual_networks):
            self._seed(network_of(entry, place.at(index)))

    def _load_extras(self) -> None:
        place = self._root.at("extras")
        for resource_id, text in self._said.extras.items():
            try:
                said = msgspec.json.decode(text, type=dict[str, object])
                self._world.extras[ArmId(resource_id).key] = said
            except (InputError, msgspec.DecodeError, RecursionError) as error:
                raise place.error(f"not a JSON object by a resource's id: {error}", resource_id) from error

    def _load_machines(self) -> None:
        place = self._root.at("virtual_machines")
        for index, entry in enumerate(self._said.virtual_machines):
            expect(entry.id, _MACHINE, "a virtual machine", place.at(index), "id")
            check_region(entry.location, place.at(index))
            nics = tuple(nic_of(nic, place.at(index, "nics", number)) for number, nic in enumerate(entry.nics))
            self._seed(VirtualMachine(id=entry.id, location=entry.location, nics=nics))


def _subscription(entry: file.SubscriptionEntry, place: Place, tenant: str) -> Subscription:
    try:
        guid = ArmId(f"/subscriptions/{entry.id}").subscription
    except InputError as error:
        raise place.error(f"'{entry.id}' is not a subscription's GUID", "id") from error
    return Subscription(id=guid, name=entry.name or guid, tenant=entry.tenant or tenant)

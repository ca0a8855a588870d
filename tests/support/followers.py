"""A small world in which machines of a pair still use an older network, and follow when a plan is applied."""

from __future__ import annotations

from typing import Any, cast

from msgspec import Struct, structs
from states import EA, SEA, TwoRegions, row

from asrnet.desired import DesiredState
from asrnet.fake.behaviour import Behaviour
from asrnet.model.arm import ArmId
from asrnet.model.azure import IpConfiguration, Nic, ProtectedItem, Setting
from asrnet.model.machine_networks import networks_of
from asrnet.model.plan import Plan
from asrnet.ports import Clock, MappingReader, MappingWriter


class Call(Struct, frozen=True):
    """A call of a port: time, method, and the name of its resource."""

    time: float
    method: str
    name: str


class Recorded:
    """A port whose calls are recorded."""

    def __init__(self, port: Any, clock: Clock, calls: list[Call]) -> None:
        self._port = port
        self._clock = clock
        self._calls = calls

    def __getattr__(self, method: str) -> Any:
        def call(resource: Any, *arguments: Any, **options: Any) -> Any:
            name = getattr(resource, "name", "") or getattr(resource, "friendly_name", "")
            self._calls.append(Call(self._clock.now(), method, name))
            return getattr(self._port, method)(resource, *arguments, **options)

        return call


class Followers(TwoRegions):
    """hub is mapped to new, or to ``mapped_to``; ``machines`` of hub fail over to old and are to follow."""

    def __init__(self, machines: int = 1, *, mapped_to: str = "new", **behaviour: Any) -> None:
        super().__init__(behaviour=Behaviour(**behaviour))
        self.hub = self.network("hub")
        self.old, self.new, self.bubble = (self.network(name, SEA) for name in ("old", "new", "bubble"))
        if mapped_to:
            self.map_both(self.hub, {"old": self.old, "new": self.new}[mapped_to])
        self.calls: list[Call] = []
        reader, writer = self.backend.mappings, self.backend.mapping_writer
        self.backend = structs.replace(
            self.backend,
            mappings=cast("MappingReader", Recorded(reader, self.clock, self.calls)),
            mapping_writer=cast("MappingWriter", Recorded(writer, self.clock, self.calls)),
        )
        for number in range(1, machines + 1):
            self.machine(f"vm{number:03}")

    def machine(self, name: str, **more: Any) -> ProtectedItem:
        """A machine of hub that fails over to old, with settings that somebody has chosen."""
        # Static addresses are unique and within the subnet.
        last = 77 + len(self.world.state.protected_items.values(self.vault.id.key))
        first = IpConfiguration(
            subnet="web",
            recovery_subnet="web",
            recovery_ip=f"10.0.1.{last}" if last < 255 else "",
            settings={"tfoPublicIPAddressId": "/ip"},
        )
        second = IpConfiguration(name="second", primary=False, subnet="web", recovery_subnet="web")
        settings: dict[str, Setting] = {"enableAcceleratedNetworkingOnRecovery": True, "tfoNicName": "nic-in-test"}
        nic = Nic(
            name="nic0",
            primary_network_id=self.hub.id,
            recovery_network_id=self.old.id,
            ip_configurations=(first, second),
            settings=settings,
        )
        members = {
            "recovery_network_id": self.old.id,
            "settings": {"recoveryAvailabilityZone": "2", "tfoAzureVMName": f"{name}-in-test"},
            **more,
        }
        return self.build.protected_item(name, self.fabrics[EA], self.fabrics[SEA], nic, **members)

    def desired(self, **more: Any) -> DesiredState:
        """hub goes to new, and its machines follow."""
        return self.state(row(self.hub, self.new, **more), machines="follow")

    def planned(self, **more: Any) -> Plan:
        """The plan of this desired state."""
        return self.plan(self.desired(**more))

    def called(self, *methods: str) -> list[Call]:
        """The calls of these methods, in order."""
        return [call for call in self.calls if call.method in methods]

    def items(self) -> dict[str, ProtectedItem]:
        """The machines as the service shows them, by name."""
        return {item.friendly_name: item for item in self.world.protected_items.list(self.vault.id)}

    def destinations(self) -> dict[str, str]:
        """The network that each machine fails over to."""
        networks = {name: networks_of(item).recovery_network_id for name, item in self.items().items()}
        return {name: network_id.name if network_id else "" for name, network_id in networks.items()}

    def change(self, name: str, **members: Any) -> None:
        """Somebody changes a machine."""
        item_id = self.items()[name].id
        item = self.world.state.protected_items.get(self.vault.id.key, item_id.key)
        assert item is not None
        self.world.state.put_item(structs.replace(item, **members))

    def item_id(self, name: str) -> ArmId:
        """The id of a machine."""
        return self.items()[name].id

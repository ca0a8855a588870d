"""A machine's lifecycle in a fake world: protected, failed over, re-protected, failed back."""

from __future__ import annotations

from msgspec import structs

from asrnet.clocks import SimulatedClock
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.builder import Builder
from asrnet.fake.operations import Started
from asrnet.fake.records import EnableRequest, SwitchRequest
from asrnet.model.arm import ArmId
from asrnet.model.azure import Job, ProtectedItem, Subnet, VirtualNetwork

SECONDS = 300
"""How long operations and each stage of an initial replication take."""


class Life:
    """A machine in eastasia that is protected in southeastasia, with both networks mapped."""

    def __init__(self, *, seconds: int = 0) -> None:
        timing = f"time:{seconds}" if seconds else "immediate"
        self.clock = SimulatedClock()
        self.azure = Builder(clock=self.clock, behaviour=Behaviour(operations=timing, replication=timing))
        self.world = self.azure.world
        self.vault = self.azure.vault()
        fabrics = [self.azure.azure_fabric(self.vault, place) for place in ("eastasia", "southeastasia")]
        self.east, self.west = (self.azure.container(fabric) for fabric in fabrics)
        self.policy = self.azure.replication_policy(self.vault)
        self.azure.cloud_mapping(self.east, self.west, policy=self.policy)
        self.azure.cloud_mapping(self.west, self.east, policy=self.policy)
        self.home = self.network("home", "eastasia", "10.0", "10.0.1.4")
        self.away = self.network("away", "southeastasia", "10.0")
        self.test = self.network("test", "southeastasia", "10.9")
        self.azure.pair(fabrics[0], self.home, fabrics[1], self.away)
        self.machine = self.azure.virtual_machine("vm1", self.home, subnet="web", ip="10.0.1.4")
        self.items = self.world.protected_items

    def network(self, name: str, place: str, space: str, *used: str) -> VirtualNetwork:
        subnets = (
            Subnet(name="app", prefixes=(f"{space}.2.0/24",)),
            Subnet(name="web", prefixes=(f"{space}.1.0/24",), used_ips=used, used=len(used)),
        )
        return self.azure.virtual_network(name, place, address_space=(f"{space}.0.0/16",), subnets=subnets)

    @property
    def east_id(self) -> ArmId:
        """The machine's id while it runs in eastasia."""
        return self.east.id.child("replicationProtectedItems", "item1")

    @property
    def west_id(self) -> ArmId:
        """The machine's id once it is re-protected in southeastasia."""
        return self.west.id.child("replicationProtectedItems", "item1")

    def enable(self, **choices: object) -> Started:
        request = EnableRequest(
            machine_id=self.machine.id, recovery_container_id=self.west.id, policy_id=self.policy.id
        )
        return self.items.enable(self.east_id, structs.replace(request, **choices))

    def switch(self, container: ArmId, target: ArmId) -> Started:
        return self.items.switch_protection(container, SwitchRequest(item_name="item1", recovery_container_id=target))

    def fail_over(self, item_id: ArmId) -> None:
        """Fail over and commit."""
        self.end(self.items.unplanned_failover(item_id))
        self.end(self.items.commit(item_id))

    def end(self, started: Started) -> Job:
        """The job of an operation after its duration; it must have succeeded."""
        self.clock.sleep(SECONDS)
        job = self.world.jobs.get(self.vault.id.child("replicationJobs", started.id))
        assert job.state == "Succeeded", job.errors
        return job

    def replicated(self) -> None:
        """Let the initial replication end."""
        self.clock.sleep(2 * SECONDS)

    def item(self, item_id: ArmId) -> ProtectedItem:
        return self.items.get(item_id)

    def address(self, item_id: ArmId) -> tuple[str, str | None, str | None]:
        """Where the machine lands: network, subnet and address of its NIC."""
        machine_id = self.azure.world.protected_items.recovery_machine_id(self.item(item_id))
        machine = self.world.virtual_machines.get(machine_id)
        assert machine is not None
        (nic,) = machine.nics
        (configuration,) = nic.ip_configurations
        assert nic.primary_network_id is not None
        return nic.primary_network_id.name, configuration.subnet, configuration.ip

    def used(self, network: VirtualNetwork, subnet: str = "web") -> tuple[str, ...]:
        subnets = self.world.virtual_networks.get(network.id).subnets
        return next(known.used_ips for known in subnets if known.name == subnet)

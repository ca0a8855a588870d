"""An in-memory Azure with the rules of Site Recovery, which asrnet's ports and the emulator share.

A ``World`` consists of collections, one per kind of resource, whose methods are the verbs of the service::

    world.subscriptions        list, get, register, is_registered, rights, resource_groups, resource_group, put_ and
                               delete_resource_group
    world.virtual_networks     list, get, provisioning_state, put, delete, put_subnet, delete_subnet
    world.virtual_machines     list, get, put
    world.security_groups      list, get              (and world.route_tables, world.network_interfaces)
    world.vaults               list, get, put, delete
    world.fabrics              list, get, put, remove, purge
    world.networks             list, list_vault, get                       (replicationNetworks: VM networks)
    world.logical_networks     list, get
    world.containers           list, list_vault, get, put, remove   (clouds)
    world.container_mappings   list, list_container, get, put, patch, remove
    world.policies             list, get, put, patch, delete
    world.mappings             list, list_network, get, put, patch, delete
    world.protected_items      list, list_container, get, enable, update, delete, test_failover, test_failover_cleanup,
                               planned_failover, unplanned_failover, commit, cancel, reprotect, switch_protection
    world.recovery_plans       list, get, put, delete, test_failover, test_failover_cleanup, planned_failover,
                               unplanned_failover, commit, cancel
    world.intents              list, get, put
    world.jobs                 list, get, restart, resume, cancel
    world.operations           get
    world.faults               add, waiting, clear                         (the script of service faults)
    world.journal              count, counts, methods, clear

Methods return values and raise the errors of ``asrnet.errors``, as the service would answer. Writes return a
``Started`` operation, or None if there was nothing to delete. The world does not count requests; the ports and the
emulator call ``count`` for each request they serve. All methods may be called from several threads.
"""

from __future__ import annotations

from asrnet.fake.behaviour import Behaviour, checked
from asrnet.fake.faults import Faults
from asrnet.fake.intents import Intents
from asrnet.fake.jobs import Jobs, OperationStatuses
from asrnet.fake.journal import Journal
from asrnet.fake.machines import ProtectedItems, VirtualMachines
from asrnet.fake.mappings import Mappings
from asrnet.fake.networks import NetworkResources, VirtualNetworks
from asrnet.fake.plans import RecoveryPlans
from asrnet.fake.policies import Policies
from asrnet.fake.recovery_points import RecoveryPoints
from asrnet.fake.state import TENANT, State
from asrnet.fake.subscriptions import Subscriptions
from asrnet.fake.vaults import Fabrics, Vaults
from asrnet.fake.vmm import AsrNetworks, ContainerMappings, Containers, LogicalNetworks
from asrnet.model.azure import NetworkInterface, NetworkSecurityGroup, RouteTable
from asrnet.ports import Clock


class World:
    """An Azure in memory. ``tenant`` is the credential's; subscriptions of other tenants answer 401."""

    def __init__(self, *, clock: Clock, behaviour: Behaviour | None = None, tenant: str = TENANT) -> None:
        self._state = State(clock, checked(behaviour or Behaviour()), tenant)
        self.subscriptions = Subscriptions(self._state)
        self.virtual_networks = VirtualNetworks(self._state)
        self.security_groups: NetworkResources[NetworkSecurityGroup] = NetworkResources(self._state, "security_groups")
        self.route_tables: NetworkResources[RouteTable] = NetworkResources(self._state, "route_tables")
        self.network_interfaces: NetworkResources[NetworkInterface] = NetworkResources(
            self._state, "network_interfaces"
        )
        self.virtual_machines = VirtualMachines(self._state)
        self.vaults = Vaults(self._state)
        self.fabrics = Fabrics(self._state)
        self.networks = AsrNetworks(self._state)
        self.logical_networks = LogicalNetworks(self._state)
        self.containers = Containers(self._state)
        self.container_mappings = ContainerMappings(self._state)
        self.policies = Policies(self._state)
        self.mappings = Mappings(self._state)
        self.protected_items = ProtectedItems(self._state)
        self.recovery_points = RecoveryPoints(self._state)
        self.recovery_plans = RecoveryPlans(self._state)
        self.intents = Intents(self._state)
        self.jobs = Jobs(self._state)
        self.operations = OperationStatuses(self._state)

    @property
    def state(self) -> State:
        """The resources themselves, without any rules, for builders and world files."""
        return self._state

    @property
    def clock(self) -> Clock:
        """The clock that decides when operations end."""
        return self._state.clock

    @property
    def tenant(self) -> str:
        """The credential's tenant."""
        return self._state.tenant

    @property
    def behaviour(self) -> Behaviour:
        """How the world behaves. It can be replaced at any time, with effect on later requests."""
        return self._state.behaviour

    @behaviour.setter
    def behaviour(self, behaviour: Behaviour) -> None:
        with self._state.lock:
            self._state.behaviour = checked(behaviour)

    @property
    def faults(self) -> Faults:
        """The script of service faults."""
        return self._state.faults

    @property
    def journal(self) -> Journal:
        """The counts of requests."""
        return self._state.journal

    @property
    def extras(self) -> dict[str, dict[str, object]]:
        """Properties that clients sent and no model has, by the resource's key. They are returned unchanged."""
        return self._state.extras

    def count(self, method: str, path: str) -> None:
        """Count one request; for a list, each page is a request."""
        self._state.journal.count(method, path)

    def take_over(self, other: World) -> None:
        """Take over the contents of ``other``, which must have the same clock. An emulator then serves that world."""
        self._state.take_over(other.state)

"""Where each NIC of a machine lands after failover, in a test failover and after failback, and by which rule.

Pure: ``simulate`` takes machines, networks and mappings, and returns a ``Prediction``. For each address, ``networks``
chooses the network, ``subnets`` the subnet and ``assignment`` the address. The rules and their sources are in
``RULES``; docs/failover-rules.md explains them one by one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from asrnet.failover.addresses import AddressSpace, capacity, compare_address_spaces, usable
    from asrnet.failover.interfaces import KnownInterfaces, compare_interfaces, subscription_of
    from asrnet.failover.landing import (
        InterfaceComparison,
        InterfaceState,
        Landing,
        Operation,
        Outcome,
        PlannedCounts,
        Prediction,
        PresentLanding,
        Summary,
    )
    from asrnet.failover.machine_list import (
        COLUMNS,
        Entry,
        MachineRow,
        machines_of_entries,
        parse_machines,
        read_entries,
    )
    from asrnet.failover.machines import Machine, Replica, machines_of_items, machines_of_subnets
    from asrnet.failover.mappings import Gaps, Mappings
    from asrnet.failover.network_names import Network, NetworkNames
    from asrnet.failover.networks import NetworkChoice, failback_between_regions, failback_on_premises
    from asrnet.failover.rules import NOTICES, RULES, Notice, ReplicationKind, Rule
    from asrnet.failover.simulation import EligibleHosts, simulate
    from asrnet.failover.subnets import (
        RESERVED_SUBNETS,
        SubnetChoice,
        SubnetFit,
        choose_subnet,
        is_reserved,
        subnet_fits,
        subnet_notices,
    )

__all__ = [
    "COLUMNS",
    "NOTICES",
    "RESERVED_SUBNETS",
    "RULES",
    "AddressSpace",
    "EligibleHosts",
    "Entry",
    "Gaps",
    "InterfaceComparison",
    "InterfaceState",
    "KnownInterfaces",
    "Landing",
    "Machine",
    "MachineRow",
    "Mappings",
    "Network",
    "NetworkChoice",
    "NetworkNames",
    "Notice",
    "Operation",
    "Outcome",
    "PlannedCounts",
    "Prediction",
    "PresentLanding",
    "Replica",
    "ReplicationKind",
    "Rule",
    "SubnetChoice",
    "SubnetFit",
    "Summary",
    "capacity",
    "choose_subnet",
    "compare_address_spaces",
    "compare_interfaces",
    "failback_between_regions",
    "failback_on_premises",
    "is_reserved",
    "machines_of_entries",
    "machines_of_items",
    "machines_of_subnets",
    "parse_machines",
    "read_entries",
    "simulate",
    "subnet_fits",
    "subnet_notices",
    "subscription_of",
    "usable",
]

_MODULES: Final = {
    "addresses": ("AddressSpace", "capacity", "compare_address_spaces", "usable"),
    "interfaces": ("KnownInterfaces", "compare_interfaces", "subscription_of"),
    "landing": (
        *("InterfaceComparison", "InterfaceState", "Landing", "Operation", "Outcome", "PlannedCounts"),
        *("Prediction", "PresentLanding", "Summary"),
    ),
    "machine_list": ("COLUMNS", "Entry", "MachineRow", "machines_of_entries", "parse_machines", "read_entries"),
    "machines": ("Machine", "Replica", "machines_of_items", "machines_of_subnets"),
    "mappings": ("Gaps", "Mappings"),
    "network_names": ("Network", "NetworkNames"),
    "networks": ("NetworkChoice", "failback_between_regions", "failback_on_premises"),
    "rules": ("NOTICES", "Notice", "RULES", "ReplicationKind", "Rule"),
    "simulation": ("EligibleHosts", "simulate"),
    "subnets": (
        *("RESERVED_SUBNETS", "SubnetChoice", "SubnetFit"),
        *("choose_subnet", "is_reserved", "subnet_fits", "subnet_notices"),
    ),
}
_MODULE_OF: Final = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    # Planning needs only the choice of subnets. Importing a list of machines would load YAML.
    if name not in _MODULE_OF:
        raise AttributeError(f"module 'asrnet.failover' has no attribute '{name}'")
    value = getattr(import_module(f"asrnet.failover.{_MODULE_OF[name]}"), name)
    globals()[name] = value
    return value

"""Where each NIC of a machine lands after failover, in a test failover and after failback, and by which rule.

Pure: machines, networks and mappings in, a ``Prediction`` out. The rules and their sources are in ``RULES``;
docs/failover-rules.md explains them one by one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from asrnet.failover.addresses import AddressSpace, capacity, compare_address_spaces, usable
    from asrnet.failover.failback import Return, failback_between_regions, failback_on_premises
    from asrnet.failover.landing import Landing, Operation, Outcome, Prediction, Summary
    from asrnet.failover.machine_list import COLUMNS, parse_machines, read_entries
    from asrnet.failover.machine_rows import Entry, MachineRow, machines_of_entries
    from asrnet.failover.machines import Machine, Network, Replica, machines_of_items, machines_of_subnets
    from asrnet.failover.names import NetworkNames
    from asrnet.failover.networks import Gaps, Mappings
    from asrnet.failover.prediction import EligibleHosts, predict
    from asrnet.failover.rules import NOTICES, RULES, Notice, Rule
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
    "Landing",
    "Machine",
    "MachineRow",
    "Mappings",
    "Network",
    "NetworkNames",
    "Notice",
    "Operation",
    "Outcome",
    "Prediction",
    "Replica",
    "Return",
    "Rule",
    "SubnetChoice",
    "SubnetFit",
    "Summary",
    "capacity",
    "choose_subnet",
    "compare_address_spaces",
    "failback_between_regions",
    "failback_on_premises",
    "is_reserved",
    "machines_of_entries",
    "machines_of_items",
    "machines_of_subnets",
    "parse_machines",
    "predict",
    "read_entries",
    "subnet_fits",
    "subnet_notices",
    "usable",
]

_HOMES: Final = {
    "addresses": ("AddressSpace", "capacity", "compare_address_spaces", "usable"),
    "failback": ("Return", "failback_between_regions", "failback_on_premises"),
    "landing": ("Landing", "Operation", "Outcome", "Prediction", "Summary"),
    "machine_list": ("COLUMNS", "parse_machines", "read_entries"),
    "machine_rows": ("Entry", "MachineRow", "machines_of_entries"),
    "machines": ("Machine", "Network", "Replica", "machines_of_items", "machines_of_subnets"),
    "names": ("NetworkNames",),
    "networks": ("Gaps", "Mappings"),
    "prediction": ("EligibleHosts", "predict"),
    "rules": ("NOTICES", "Notice", "RULES", "Rule"),
    "subnets": (
        *("RESERVED_SUBNETS", "SubnetChoice", "SubnetFit"),
        *("choose_subnet", "is_reserved", "subnet_fits", "subnet_notices"),
    ),
}
_MODULES: Final = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    # Planning needs the choice of subnets only, and a list of machines needs YAML.
    if name not in _MODULES:
        raise AttributeError(f"module 'asrnet.failover' has no attribute '{name}'")
    found = getattr(import_module(f"asrnet.failover.{_MODULES[name]}"), name)
    globals()[name] = found
    return found

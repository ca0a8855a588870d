"""Where each NIC of a machine lands after failover, in a test failover and after failback, and by which rule.

Pure: machines, networks and mappings in, a ``Prediction`` out. The rules and their sources are in ``RULES``;
docs/failover-rules.md explains them one by one.
"""

from asrnet.failover.addresses import capacity, usable
from asrnet.failover.failback import Return, failback_between_regions, failback_on_premises
from asrnet.failover.landing import Landing, Operation, Outcome, Prediction, Summary
from asrnet.failover.machine_list import COLUMNS, parse_machines, read_machines
from asrnet.failover.machine_rows import MachineRow
from asrnet.failover.machines import Machine, Network, Replica, machines_of_items, machines_of_subnets
from asrnet.failover.names import NetworkNames
from asrnet.failover.networks import Mappings
from asrnet.failover.prediction import EligibleHosts, predict
from asrnet.failover.rules import NOTICES, RULES, Notice, Rule
from asrnet.failover.subnets import RESERVED_SUBNETS, SubnetChoice, choose_subnet, is_reserved, subnet_notices

__all__ = [
    "COLUMNS",
    "NOTICES",
    "RESERVED_SUBNETS",
    "RULES",
    "EligibleHosts",
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
    "Summary",
    "capacity",
    "choose_subnet",
    "failback_between_regions",
    "failback_on_premises",
    "is_reserved",
    "machines_of_items",
    "machines_of_subnets",
    "parse_machines",
    "predict",
    "read_machines",
    "subnet_notices",
    "usable",
]

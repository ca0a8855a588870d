"""The topology of System Center VMM servers, and the target networks that it makes available.

Pure, except for ``read_topology`` and ``read_topology_of_vault``: values in, answers out.
"""

from asrnet.vmm.availability import (
    REASONS,
    ReasonCode,
    Target,
    check_machines,
    check_row,
    check_topology,
    eligible_hosts,
    failback_hosts,
    targets,
)
from asrnet.vmm.document import TopologyFile, parse_topology, read_topology, topology_of
from asrnet.vmm.topology import (
    Cloud,
    CloudPair,
    Host,
    LogicalNetwork,
    Network,
    Protection,
    Server,
    ServerNetwork,
    Topology,
    cloud_of,
    name_error,
)
from asrnet.vmm.vault import (
    checked,
    merge,
    merge_all,
    read_topology_of_vault,
    topology_of_vault,
    vm_networks,
    with_networks,
)

__all__ = [
    "REASONS",
    "Cloud",
    "CloudPair",
    "Host",
    "LogicalNetwork",
    "Network",
    "Protection",
    "ReasonCode",
    "Server",
    "ServerNetwork",
    "Target",
    "Topology",
    "TopologyFile",
    "check_machines",
    "check_row",
    "check_topology",
    "checked",
    "cloud_of",
    "eligible_hosts",
    "failback_hosts",
    "merge",
    "merge_all",
    "name_error",
    "parse_topology",
    "read_topology",
    "read_topology_of_vault",
    "targets",
    "topology_of",
    "topology_of_vault",
    "vm_networks",
    "with_networks",
]

"""The rules by which Site Recovery places a machine: a table of codes, sentences and source documents.

A prediction names the rule behind each answer. docs/failover-rules.md lists all rules and is checked against this
table.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

from msgspec import Struct

from asrnet.model.azure import MappingKind

ReplicationKind = MappingKind | Literal["on_premises_to_azure"]
"""How a machine is replicated: a kind of mapping, or from a site to which network mappings do not apply."""

Severity = Literal["warning", "info"]

A2A_MAPPING: Final = "Set up network mapping and IP addressing for VNets"
CUSTOMIZE: Final = "Customize networking configurations of the target Azure VM"
VMM_MAPPING: Final = "Prepare network mapping for Hyper-V VM disaster recovery to Azure"
VMM_ADDRESSES: Final = "Set up IP addressing to connect to a secondary on-premises site after failover"
ON_PREMISES: Final = "Connect to Azure VMs after failover from on-premises"
VNET_FAQ: Final = "Azure Virtual Network frequently asked questions"
A2A_SUPPORT: Final = "Support matrix for Azure VM disaster recovery between Azure regions"
REPROTECT: Final = "Reprotect failed over Azure VMs to the primary region"
ZONES: Final = "Enable Azure VM disaster recovery between availability zones"
INTERFACES: Final = "Manage VM network interfaces for on-premises disaster recovery to Azure"
SERVICE_ERROR: Final = "Site Recovery's own error: target network settings are not configured"
NO_DOCUMENT: Final = "no document says; asrnet does not guess"


class Rule(Struct, frozen=True, kw_only=True):
    """A rule of Site Recovery: a short code, a sentence, and the title of the document that states it."""

    code: str
    sentence: str
    source: str


class NoticeKind(Struct, frozen=True, kw_only=True):
    """A kind of notice: its sentence and its severity."""

    code: str
    severity: Severity
    sentence: str


def _rule(code: str, source: str, sentence: str) -> Rule:
    return Rule(code=code, sentence=sentence, source=source)


OWN_NETWORK: Final = _rule(
    "own_network",
    A2A_MAPPING,
    "The machine's own recovery network wins: a mapping is the default when replication is enabled, "
    "and changing it does not move machines that are already protected.",
)
VMM_OWN_NETWORK: Final = _rule(
    "vmm_own_network",
    ON_PREMISES,
    "The network that is set on the machine for its recovery side wins over the mapping's.",
)
A2A_MAPPED: Final = _rule(
    "a2a_mapped", A2A_MAPPING, "The machine lands on the network its primary network is mapped to."
)
A2A_UNMAPPED: Final = _rule(
    "a2a_unmapped", SERVICE_ERROR, "Without a mapping or a network of its own, replication cannot be enabled."
)
VMM_MAPPED: Final = _rule(
    "vmm_mapped", VMM_MAPPING, "The replica is connected to the VM network its primary network is mapped to."
)
VMM_UNMAPPED: Final = _rule(
    "vmm_unmapped", VMM_MAPPING, "Without a mapping the replica is connected to no network after failover."
)
VMM_AZURE_MAPPED: Final = _rule(
    "vmm_azure_mapped",
    VMM_MAPPING,
    "All machines of the primary network land on the mapped virtual network and reach each other, "
    "whatever their recovery plan.",
)
VMM_AZURE_GATEWAY: Final = _rule(
    "vmm_azure_gateway",
    VMM_MAPPING,
    "All machines of the primary network land on the mapped virtual network and reach each other, whatever their "
    "recovery plan, and through its gateway the other on-premises machines.",
)
VMM_AZURE_UNMAPPED: Final = _rule(
    "vmm_azure_unmapped",
    VMM_MAPPING,
    "Without a mapping only machines of the same recovery plan reach each other after failover.",
)
ZONE_SAME_NETWORK: Final = _rule(
    "zone_same_network",
    ZONES,
    "Between zones of one region a machine with no network of its own stays in the network it is in.",
)
ON_PREMISES_NETWORK: Final = _rule(
    "on_premises_network",
    INTERFACES,
    "Mappings do not apply to VMware and physical machines: each lands on the network that is set on it.",
)
ON_PREMISES_NO_NETWORK: Final = _rule(
    "on_premises_no_network",
    NO_DOCUMENT,
    "No network is set on a VMware or physical machine, and no mapping sets one.",
)
AMBIGUOUS_MAPPING: Final = _rule(
    "ambiguous_mapping", NO_DOCUMENT, "Several mappings of the primary network lead to different recovery networks."
)
MAPPING_UNKNOWN: Final = _rule(
    "mapping_unknown",
    NO_DOCUMENT,
    "Something could not be read, so it is not known whether the primary network is mapped.",
)
OWN_NETWORK_UNKNOWN: Final = _rule(
    "own_network_unknown",
    NO_DOCUMENT,
    "A network is set on the machine, but what Site Recovery returns does not identify it.",
)
FAILBACK_NOT_PREDICTED: Final = _rule(
    "failback_not_predicted",
    NO_DOCUMENT,
    "Failback to VMware and physical sites follows settings at the site, which Site Recovery does not show.",
)
UNCLEAR: Final = (
    *(AMBIGUOUS_MAPPING, MAPPING_UNKNOWN, OWN_NETWORK_UNKNOWN),
    *(ON_PREMISES_NO_NETWORK, FAILBACK_NOT_PREDICTED),
)
"""The rules by which the network is unknown. Under any other rule without a network, the machine is cut off."""
NETWORK_MISSING: Final = _rule(
    "network_missing", SERVICE_ERROR, "The recovery network does not exist, so no machine can land there."
)
TEST_OWN_NETWORK: Final = _rule(
    "test_own_network",
    CUSTOMIZE,
    "The machine's own test network wins: the network a test asks for is only for machines without one.",
)
TEST_NAMED_NETWORK: Final = _rule(
    "test_named_network", A2A_MAPPING, "The test failover goes to the network that was named for it."
)
TEST_FAILOVER_NETWORK: Final = _rule(
    "test_failover_network", A2A_MAPPING, "The test failover goes to the network the machine would fail over to."
)

FAILBACK_UNCHANGED: Final = _rule(
    "failback_unchanged",
    VMM_MAPPING,
    "The network of the replica was not changed after failover: the machine is on its original network again.",
)
FAILBACK_DISCONNECTED: Final = _rule(
    "failback_disconnected",
    VMM_MAPPING,
    "The replica was disconnected after failover: the machine is disconnected too.",
)
FAILBACK_UNMAPPED: Final = _rule(
    "failback_unmapped",
    VMM_MAPPING,
    "The replica was moved to a network that is not mapped: the machine is disconnected.",
)
FAILBACK_MOVED: Final = _rule(
    "failback_moved",
    VMM_MAPPING,
    "The replica was moved to another network: the machine joins the network to which this one is mapped.",
)
FAILBACK_REMAPPED: Final = _rule(
    "failback_remapped",
    VMM_MAPPING,
    "The mapping of the replica's network was changed: the machine joins the new target of the mapping.",
)
A2A_FAILBACK_MAPPED: Final = _rule(
    "a2a_failback_mapped",
    REPROTECT,
    "Until it is re-protected the reverse mapping decides: re-protection takes the network that the replica's network "
    "is mapped to, unless somebody chooses another one.",
)
A2A_FAILBACK_UNMAPPED: Final = _rule(
    "a2a_failback_unmapped",
    SERVICE_ERROR,
    "The replica's network is not mapped back: re-protection has no target network unless somebody chooses one.",
)
A2A_FAILBACK_OWN: Final = _rule(
    "a2a_failback_own",
    A2A_MAPPING,
    "The machine is re-protected: its failover is the failback, by its own settings, and mappings no longer decide.",
)

OWN_SUBNET: Final = _rule("own_subnet", A2A_MAPPING, "The machine's own recovery subnet wins over the choice by name.")
TEST_OWN_SUBNET: Final = _rule(
    "test_own_subnet", CUSTOMIZE, "The machine's own test subnet wins over the choice by name."
)
ONLY_SUBNET: Final = _rule(
    "only_subnet", VNET_FAQ, "No subnet is set on the machine, and its network has only this one."
)
SUBNET_SAME_NAME: Final = _rule(
    "subnet_same_name", A2A_MAPPING, "The recovery network has a subnet of the same name as the primary subnet."
)
SUBNET_FIRST_ALPHABETICAL: Final = _rule(
    "subnet_first_alphabetical",
    A2A_MAPPING,
    "No subnet has the name of the primary subnet: the first in alphabetical order is taken.",
)
VMM_SUBNET_SAME_NAME: Final = _rule(
    "vmm_subnet_same_name", VMM_MAPPING, "The recovery network has a subnet of the same name as the primary subnet."
)
VMM_SUBNET_FIRST: Final = _rule(
    "vmm_subnet_first",
    VMM_MAPPING,
    "No subnet has the name of the primary subnet: the first of the network is taken.",
)
NO_SUBNET: Final = _rule(
    "no_subnet", VNET_FAQ, "The recovery network has no subnet, and machines land in subnets only."
)

ADDRESS_KEPT: Final = _rule(
    "address_kept", A2A_MAPPING, "The recovery subnet has the same address space and the address is free: it is kept."
)
ADDRESS_TAKEN: Final = _rule(
    "address_taken", A2A_MAPPING, "Same address space, but the address is taken: the next available one is assigned."
)
ADDRESS_RESERVED: Final = _rule(
    "address_reserved",
    VNET_FAQ,
    "Azure reserves the first four addresses and the last one of every range of a subnet: the next available one is "
    "assigned.",
)
ADDRESS_OTHER_SPACE: Final = _rule(
    "address_other_space",
    A2A_MAPPING,
    "The recovery subnet has another address space: its next available address is assigned.",
)
SPACE_SAME: Final = _rule(
    "space_same", A2A_MAPPING, "Same address space: an address is kept if it is free on the recovery side."
)
SPACE_DIFFERS: Final = _rule(
    "space_differs", A2A_MAPPING, "Another address space: every machine gets the next available address."
)
SPACE_UNCLEAR: Final = _rule(
    "space_unclear",
    A2A_MAPPING,
    "An address that is free in the recovery subnet is kept, any other is replaced by the next available one; "
    "the primary address is not known here.",
)
ADDRESS_OWN: Final = _rule(
    "address_own", CUSTOMIZE, "The address set on the machine for its recovery side is assigned: it is free there."
)
ADDRESS_OWN_UNAVAILABLE: Final = _rule(
    "address_own_unavailable",
    CUSTOMIZE,
    "The address set on the machine for its recovery side is not available there: the next available one is assigned.",
)
ADDRESS_UNSPECIFIED: Final = _rule(
    "address_unspecified",
    INTERFACES,
    "No address is set for the machine in Azure: the next available one of the subnet is assigned.",
)
TEST_ADDRESS_OWN: Final = _rule(
    "test_address_own", CUSTOMIZE, "The address set on the machine for tests is assigned: it is free there."
)
TEST_ADDRESS_KEPT: Final = _rule(
    "test_address_kept", A2A_MAPPING, "In a test failover the address stays the same if it is free."
)
TEST_ADDRESS_END: Final = _rule(
    "test_address_end",
    A2A_MAPPING,
    "In a test failover an address that is not free is replaced by the last available one of the range.",
)
SUBNET_FULL: Final = _rule("subnet_full", VNET_FAQ, "No address of the recovery subnet is left for the machine.")
VMM_POOL_KEPT: Final = _rule(
    "vmm_pool_kept", VMM_ADDRESSES, "The pool of the recovery network is the same and the address is free: it is kept."
)
VMM_POOL_OTHER: Final = _rule(
    "vmm_pool_other",
    VMM_ADDRESSES,
    "The address is not available in the pool of the recovery network: VMM assigns another one from the pool.",
)
VMM_POOL_UNKNOWN: Final = _rule(
    "vmm_pool_unknown",
    VMM_ADDRESSES,
    "The address comes from the static pool of the recovery network, and is kept if it is free there; "
    "the pool or the primary address is not known here.",
)
VMM_POOL_FULL: Final = _rule(
    "vmm_pool_full", VMM_ADDRESSES, "The address comes from the pool of the recovery network, and none is left in it."
)
VMM_DHCP: Final = _rule(
    "vmm_dhcp", VMM_ADDRESSES, "The machine uses DHCP, which Site Recovery does not manage on a secondary site."
)
SECONDARY_LEFT_OUT: Final = _rule(
    "secondary_left_out", CUSTOMIZE, "A secondary IP configuration fails over only when it is configured to."
)
NIC_NOT_SELECTED: Final = _rule(
    "nic_not_selected",
    INTERFACES,
    "An interface that is not selected is not created at failover; documented for on-premises machines, assumed for "
    "others.",
)
IPV6_LEFT_OUT: Final = _rule("ipv6_left_out", A2A_SUPPORT, "IPv6 addresses are not supported: they do not fail over.")

TYPE_FOLLOWS: Final = _rule(
    "type_follows_primary", A2A_MAPPING, "A static address stays static, a dynamic one dynamic."
)
TYPE_TEST_STATIC: Final = _rule("type_test_static", A2A_MAPPING, "In a test failover addresses are always static.")
TYPE_AS_SET: Final = _rule(
    "type_as_set", ON_PREMISES, "In Azure an address that is set is static, one that is not set is dynamic."
)

RULES: Final[Mapping[str, Rule]] = {rule.code: rule for rule in tuple(globals().values()) if isinstance(rule, Rule)}
"""Every rule, by code."""

_KINDS_OF_NOTICE: Final[Mapping[str, tuple[Severity, str]]] = {
    "differs_from_mapping": ("warning", "The machine's own recovery network is not the mapping's."),
    "subnet_differs": ("info", "The machine's own recovery subnet is not the one that would be chosen by name."),
    "ambiguous_mapping": ("warning", "Several mappings lead to different networks, so nothing is predicted."),
    "mapping_not_read": ("warning", "Not all mappings could be read, so nothing is predicted."),
    "primary_network_unknown": ("warning", "The primary network is not known, so nothing is predicted."),
    "own_network_unknown": ("warning", "The machine's own recovery network is not known, so nothing is predicted."),
    "direction_unclear": (
        "warning",
        "It is not known whether the machine was re-protected; it is predicted as if it was not.",
    ),
    "mapping_not_paired": ("warning", "The mapping is not in the state Paired."),
    "network_not_read": ("warning", "The recovery network could not be read, so subnet and address are unknown."),
    "network_missing": ("warning", "The recovery network does not exist."),
    "network_elsewhere": ("warning", "The network is not in the region to which the machine fails over."),
    "prefix_unreadable": ("warning", "A prefix of the subnet is not an address range, so no address is predicted."),
    "network_empty": ("warning", "The recovery network has no subnets."),
    "primary_subnet_unknown": ("warning", "The primary subnet is not known, and the recovery network has several."),
    "own_subnet_missing": ("warning", "The machine's own recovery subnet is not in its recovery network."),
    "own_address_unavailable": ("warning", "The machine's own recovery address is not available."),
    "fallback_subnet_reserved": ("warning", "The fallback subnet is reserved for an Azure service."),
    "fallback_subnet_delegated": ("warning", "The fallback subnet is delegated to a service."),
    "subnet_full": ("warning", "No address is left in the recovery subnet."),
    "used_addresses_unknown": ("info", "Azure counts addresses in use without saying which: another may be assigned."),
    "ipv6_not_supported": ("warning", "Site Recovery does not support IPv6."),
    "secondary_not_selected": ("info", "A secondary IP configuration is not configured to fail over."),
    "nic_not_selected": ("warning", "The NIC is not selected, which is documented for on-premises machines only."),
    "selection_unclear": ("warning", "It is not known whether the NIC fails over; it is predicted as if it does."),
    "no_network_set": ("warning", "No network is set on the machine, so nothing is predicted."),
    "test_network_differs": ("info", "The machine's own test network is not the one named for the test."),
    "test_in_failover_network": ("info", "The test uses the failover network; a separate network is recommended."),
    "already_failed_over": ("info", "The machine runs on the recovery side already."),
    "runs_in_recovery_region": (
        "info",
        "The machine was re-protected and runs on the recovery side: its failover takes it home.",
    ),
    "not_protected": ("warning", "The machine is not in the state Protected: it cannot fail over now."),
    "location_unclear": (
        "warning",
        "It is not known where the machine runs; it is predicted as if it has not failed over.",
    ),
    "not_home": ("warning", "The machine does not come back to its original network or subnet."),
    "failback_not_predicted": ("warning", "The failback of VMware and physical machines is not predicted."),
    "no_eligible_host": ("warning", "No host of the recovery cloud reaches the recovery network."),
}

NOTICES: Final[Mapping[str, NoticeKind]] = {
    code: NoticeKind(code=code, severity=severity, sentence=sentence)
    for code, (severity, sentence) in _KINDS_OF_NOTICE.items()
}
"""Every kind of notice, by code."""


class Notice(Struct, frozen=True, kw_only=True):
    """A remark on one answer of a prediction."""

    code: str
    severity: Severity
    message: str


def notice(code: str, message: str = "") -> Notice:
    """A notice of a kind in ``NOTICES``. Without a message, it has the sentence of its kind."""
    kind = NOTICES[code]
    return Notice(code=code, severity=kind.severity, message=message or kind.sentence)

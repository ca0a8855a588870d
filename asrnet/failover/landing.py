"""The answers of a prediction, as every output prints them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal

from msgspec import Struct

from asrnet.failover.rules import Notice, ReplicationKind, Rule
from asrnet.model.arm import ArmId
from asrnet.model.explanation import Meaning
from asrnet.model.findings import Finding

FORMAT_VERSION: Final = "1.2"

Operation = Literal["failover", "test-failover", "failback"]
Outcome = Literal["keeps_address", "changes_address", "loses_connectivity", "unknown", "not_failed_over"]


class PresentLanding(Struct, frozen=True, kw_only=True, gc=False):
    """Where an address lands today, for comparison with where it lands once a plan is applied."""

    outcome: Outcome
    rule: Rule
    network_id: ArmId | None
    network: str | None
    subnet: str | None
    ip: str | None


OUTCOMES: Final[Mapping[Outcome, Meaning]] = {
    "keeps_address": Meaning("The machine has the same address after the operation.", "Nothing."),
    "changes_address": Meaning(
        "The machine gets another address.", "Make sure that DNS and clients follow, or give the subnet the same range."
    ),
    "loses_connectivity": Meaning(
        "The address is cut off, because it has no network, no subnet or no address.",
        "The rule gives the reason. Map the network, or set the machine's own network settings.",
    ),
    "unknown": Meaning(
        "The answer depends on something that is not known, and asrnet does not guess.",
        "The notices name what is missing.",
    ),
    "not_failed_over": Meaning(
        "The address, or its machine, does not take part in the operation.", "Nothing, if that is intended."
    ),
}
"""Every outcome of an address."""

UNPREDICTED: Final[Mapping[str, Meaning]] = {
    "without_nics": Meaning(
        "Site Recovery does not show the machine's network interfaces, so nothing is predicted.",
        "Predict again when its initial replication has ended.",
    ),
    "out_of_scope": Meaning(
        "The machine is replicated by a provider whose machines are not predicted.",
        "See the documentation of that provider.",
    ),
}
"""Why a machine has no prediction at all. The keys are the members of a prediction that list such machines."""


# gc=False, here and in the values that it contains, because the garbage collector would scan 100,000 of them again and
# again.
class Landing(Struct, frozen=True, kw_only=True, gc=False):
    """Where one address of a NIC lands, and by which rules.

    ``network``, ``subnet`` and ``ip`` are where it lands, None for none or unknown; the ``primary_`` fields are where
    the machine is now. ``rule`` is the deciding rule: that of the address, else of the subnet, else of the network.
    ``via_network`` and ``via_ip`` are where a failback starts from. The ``own_`` fields are set on the machine;
    ``mapped_network_id`` is the mapping's and ``named_subnet`` the subnet chosen by name. If they differ, the
    machine's own settings apply. With ``whole_subnet``, it stands for all machines of its subnet. ``item_id``
    distinguishes protected machines of the same name. ``hosts`` are those that can take the machine, None if they are
    unknown. ``now`` is where it lands today, in a prediction for after a plan.
    """

    machine: str
    nic: str
    ip_configuration: str
    kind: ReplicationKind
    outcome: Outcome
    rule: Rule
    primary_network_id: ArmId | None
    primary_network: str | None
    primary_subnet: str | None
    primary_ip: str | None
    primary_ip_type: str | None
    network_id: ArmId | None
    network: str | None
    network_rule: Rule
    subnet: str | None = None
    subnet_rule: Rule | None = None
    ip: str | None = None
    address_rule: Rule | None = None
    ip_type: str | None = None
    type_rule: Rule | None = None
    detail: str = ""
    via_network: str | None = None
    via_ip: str | None = None
    own_network_id: ArmId | None = None
    mapped_network_id: ArmId | None = None
    own_subnet: str | None = None
    named_subnet: str | None = None
    recovery_plan: str = ""
    whole_subnet: bool = False
    item_id: ArmId | None = None
    hosts: tuple[str, ...] | None = None
    notices: tuple[Notice, ...] = ()
    now: PresentLanding | None = None

    @property
    def has_moved(self) -> bool:
        """Whether the plan changes the network, subnet or address on which it lands."""
        if self.now is None:
            return False
        return (self.network_id, self.subnet, self.ip) != (self.now.network_id, self.now.subnet, self.now.ip)

    @property
    def has_warning(self) -> bool:
        """Whether at least one notice is a warning."""
        return any(notice.severity == "warning" for notice in self.notices)


class Summary(Struct, frozen=True, kw_only=True):
    """The number of machines, of addresses, of addresses by outcome, and of those with warnings."""

    machines: int = 0
    addresses: int = 0
    keeps_address: int = 0
    changes_address: int = 0
    loses_connectivity: int = 0
    unknown: int = 0
    not_failed_over: int = 0
    warnings: int = 0


class InterfaceState(Struct, frozen=True, kw_only=True):
    """The state of a NIC, today or after a failover. Lists are in the order of its IP configurations.

    ``subnet_security_group`` is that of the NIC's subnet, and is valid only if ``subnet_is_known``. None for a flag, an
    address or the DNS servers means unknown; an empty list of DNS servers means Azure's resolver.
    """

    network_security_group: ArmId | None = None
    subnet_security_group: ArmId | None = None
    subnet_is_known: bool = True
    public_ips: tuple[ArmId, ...] = ()
    load_balancer_pools: tuple[ArmId, ...] = ()
    inbound_nat_rules: tuple[ArmId, ...] = ()
    application_gateway_pools: tuple[ArmId, ...] = ()
    application_security_groups: tuple[ArmId, ...] = ()
    accelerated_networking: bool | None = None
    primary_ip: str | None = None
    primary_ip_type: str | None = None
    dns_servers: tuple[str, ...] | None = None


class InterfaceComparison(Struct, frozen=True, kw_only=True):
    """A protected NIC as it is ``today`` and as it will be ``there``, on the replica; None if that is unknown.

    ``left_behind`` names what protects or publishes it today and is missing on the replica, ``differs`` what else
    changes, and ``unknown`` what could not be determined.
    """

    machine: str
    nic: str
    item_id: ArmId | None = None
    interface_id: ArmId | None = None
    today: InterfaceState | None = None
    there: InterfaceState | None = None
    left_behind: tuple[str, ...] = ()
    differs: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


class PlannedCounts(Struct, frozen=True, kw_only=True):
    """Counts of a prediction for after a plan: changes, mappings that stay blocked, and addresses that move.

    ``left_alone`` counts the machines that do not follow their pair, because they are held or wait for something.
    ``refused`` has a line for each limit that the plan is over: apply would refuse it.
    """

    changes: int
    blocked: int
    moved: int
    left_alone: int = 0
    refused: tuple[str, ...] = ()


class Prediction(Struct, frozen=True, kw_only=True):
    """What an operation does to every address, in the order of the machines, preceded by the counts.

    ``without_nics`` are machines whose NICs Site Recovery does not show, for example during initial replication.
    ``out_of_scope`` are machines of unsupported providers, with the provider in parentheses. ``planned`` is set in a
    prediction for after a plan. ``interfaces`` compares NICs with their replicas, if requested, and ``findings`` are
    the problems found by that.
    """

    format_version: str = FORMAT_VERSION
    operation: Operation
    test_network_id: ArmId | None = None
    summary: Summary
    without_nics: tuple[str, ...] = ()
    out_of_scope: tuple[str, ...] = ()
    landings: tuple[Landing, ...]
    planned: PlannedCounts | None = None
    interfaces: tuple[InterfaceComparison, ...] = ()
    findings: tuple[Finding, ...] = ()

    def fails_on(self, level: Literal["warning", "lost"]) -> bool:
        """Whether any address is lost or, for ``warning``, also whether anything has a warning or no prediction."""
        if self.summary.loses_connectivity:
            return True
        is_unclear = self.summary.warnings or self.out_of_scope or self.without_nics or self.findings
        return level == "warning" and bool(is_unclear)


def summarize(landings: Iterable[Landing], machines: int) -> Summary:
    """Count the landings of a prediction for this many machines."""
    counts = dict.fromkeys(Summary.__struct_fields__, 0)
    for landing in landings:
        counts["addresses"] += 1
        counts[landing.outcome] += 1
        counts["warnings"] += landing.has_warning
    return Summary(**counts | {"machines": machines})

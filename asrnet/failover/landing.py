"""The answers of a prediction, as every output prints them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

from msgspec import Struct

from asrnet.failover.rules import Notice, ReplicationKind, Rule
from asrnet.model.arm import ArmId

FORMAT_VERSION: Final = "1.1"

Operation = Literal["failover", "test-failover", "failback"]
Outcome = Literal["keeps_address", "changes_address", "loses_connectivity", "unknown", "not_failed_over"]


# gc=False, here and in the values it is made of: 100,000 of them would be searched for cycles again and again.
class Landing(Struct, frozen=True, kw_only=True, gc=False):
    """Where one address of one NIC goes, and by which rules.

    ``network``, ``subnet`` and ``ip`` are where it ends, None for none or not known; the ``primary_`` fields are where
    the machine is now. ``rule`` is the one that decided: the address's, else the subnet's, else the network's.
    ``via_network`` and ``via_ip`` are where it comes back from, for failback. The ``own_`` fields are what is set on
    the machine, ``mapped_network_id`` and ``named_subnet`` what mapping and rule of names give: where they differ the
    machine's own settings win. ``whole_subnet``: it stands for all machines there. ``item_id`` distinguishes protected
    machines of one name. ``hosts`` are those that can take the machine, None where that is not known.
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

    @property
    def has_warning(self) -> bool:
        """Whether a notice is a warning."""
        return any(notice.severity == "warning" for notice in self.notices)


class Summary(Struct, frozen=True, kw_only=True):
    """How many addresses are kept, changed, lose their connectivity, are unknown or stay behind; and of how many."""

    machines: int = 0
    addresses: int = 0
    keeps_address: int = 0
    changes_address: int = 0
    loses_connectivity: int = 0
    unknown: int = 0
    not_failed_over: int = 0
    warnings: int = 0


class Prediction(Struct, frozen=True, kw_only=True):
    """What an operation does to every address, in the order of the machines; first the counts.

    ``without_nics`` are machines whose NICs Site Recovery does not show, for example during initial replication.
    ``out_of_scope`` are those of providers that no rule here is about, with the provider in parentheses.
    """

    format_version: str = FORMAT_VERSION
    operation: Operation
    test_network_id: ArmId | None = None
    summary: Summary
    without_nics: tuple[str, ...] = ()
    out_of_scope: tuple[str, ...] = ()
    landings: tuple[Landing, ...]

    def fails_on(self, level: Literal["warning", "lost"]) -> bool:
        """Whether anything is lost or, for ``warning``, anything is lost, warned about or not predicted at all."""
        if self.summary.loses_connectivity:
            return True
        return level == "warning" and bool(self.summary.warnings or self.out_of_scope or self.without_nics)


def summarize(landings: Iterable[Landing], machines: int) -> Summary:
    """The counts of a prediction for this many machines."""
    counts = dict.fromkeys(Summary.__struct_fields__, 0)
    for landing in landings:
        counts["addresses"] += 1
        counts[landing.outcome] += 1
        counts["warnings"] += landing.has_warning
    return Summary(**counts | {"machines": machines})

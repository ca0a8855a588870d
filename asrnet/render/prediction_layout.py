"""The sections of a prediction: the summary, a row for each address, notes that many addresses share, and the rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from asrnet.failover import InterfaceComparison, InterfaceState, Landing, Operation, Outcome, Prediction, Rule
from asrnet.failover.interfaces import dns_label, resource_label
from asrnet.model.arm import ArmId
from asrnet.model.findings import FindingKind
from asrnet.render import wording
from asrnet.render.sections import Row, Section, Tone, sentences

if TYPE_CHECKING:
    from asrnet.render import View

_HEADER: Final = ("", "Machine", "From", "To", "Rule")
_PLANNED_HEADER: Final = ("", "Machine", "From", "Lands now", "Lands after apply", "Rule")
_OPERATIONS: Final[Mapping[Operation, str]] = {
    "failover": "Failover",
    "test-failover": "Test failover",
    "failback": "Failback",
}
_OUTCOMES: Final[Mapping[Outcome, tuple[str, str, str, Tone]]] = {
    "keeps_address": ("=", "keeps its address", "keep their address", "plain"),
    "changes_address": ("~", "changes it", "change it", "update"),
    "loses_connectivity": ("!", "loses connectivity", "lose connectivity", "error"),
    "unknown": ("?", "cannot be predicted", "cannot be predicted", "warning"),
    "not_failed_over": ("-", "stays behind", "stay behind", "quiet"),
}
"""For each outcome its sign, its verb in the singular and the plural, and its tone."""
_EXPECTED_RULES: Final = frozenset(
    {"a2a_mapped", "a2a_failback_mapped", "subnet_same_name", "vmm_subnet_same_name", "test_named_network"}
)
"""The codes of the usual rules, which are not listed below each address."""
_ALWAYS_COUNTED: Final = frozenset({"keeps_address", "changes_address", "loses_connectivity"})
_SHARED_ABOVE: Final = 3
"""A note that more addresses than this have is shown once, below the table."""


def sections(prediction: Prediction, view: View) -> Iterator[Section]:
    """A prediction as sections, its summary first; with ``view.verbose`` ids and every rule of every address."""
    yield sentences("", [prediction_summary(prediction)])
    note_counts = Counter(
        notice.message for landing in prediction.landings for notice in landing.notices if notice.severity == "info"
    )
    shared_notes = {message: number for message, number in note_counts.items() if number > _SHARED_ABOVE}
    addresses_of_machine = Counter((landing.machine, landing.item_id) for landing in prediction.landings)
    names = machine_names((landing.machine, landing.item_id) for landing in prediction.landings)
    rows = []
    for landing in prediction.landings:
        tone = _OUTCOMES[landing.outcome][-1]
        rows.append(
            Row(
                _cells(
                    landing,
                    names[landing.machine, landing.item_id],
                    is_one_of_several=addresses_of_machine[landing.machine, landing.item_id] > 1,
                ),
                "warning" if tone in {"plain", "update"} and landing.has_warning else tone,
                tuple(_details(landing, shared_notes, verbose=view.verbose)),
            )
        )
    title = "Subnets" if _is_about_subnets(prediction) else "Machines"
    yield Section(title, _PLANNED_HEADER if prediction.planned else _HEADER, tuple(rows))
    if prediction.planned:
        yield sentences("Apply would refuse this plan", prediction.planned.refused, "error")
        if left_alone := prediction.planned.left_alone:
            stay = f"{wording.count(left_alone, 'machine stays as it is', 'machines stay as they are')}"
            yield sentences("Left alone by the plan", [f"{stay}; asrnet plan says why"], "warning")
    yield from _interface_sections(prediction)
    yield sentences("Machines without known NICs, as during initial replication", prediction.without_nics, "quiet")
    yield sentences("Machines of providers that are not predicted", prediction.out_of_scope, "warning")
    yield sentences(
        "Notes", (f"{wording.count(number, 'address', 'addresses')}: {note}" for note, number in shared_notes.items())
    )
    rules = {rule.code: rule for landing in prediction.landings for rule in _rules(landing)}
    yield sentences("Rules", (f"{rule.code}: {rule.sentence} ({rule.source})" for rule in rules.values()), "quiet")


def prediction_summary(prediction: Prediction) -> str:
    """The summary line: the counts of addresses by outcome, and of warnings."""
    counts = prediction.summary
    subject = "subnet" if _is_about_subnets(prediction) else "machine"
    outcomes = [
        f"{number} {singular if number == 1 else plural} ({sign})"
        for outcome, (sign, singular, plural, _) in _OUTCOMES.items()
        if (number := getattr(counts, outcome)) or outcome in _ALWAYS_COUNTED
    ]
    addresses = wording.count(counts.addresses, "address", "addresses")
    addresses_text = "" if counts.addresses == counts.machines else f", {addresses}"
    warnings = f"; {wording.count(counts.warnings, 'warning')}" if counts.warnings else ""
    name = _OPERATIONS[prediction.operation]
    into = f" into {prediction.test_network_id.name}" if prediction.test_network_id else ""
    machines = wording.count(counts.machines, subject)
    text = f"{name} of {machines}{addresses_text}{into}: {', '.join(outcomes)}{warnings}."
    planned = prediction.planned
    if planned is None:
        return text
    blocked = f", and {wording.count(planned.blocked, 'mapping')} that it leaves blocked" if planned.blocked else ""
    changes = wording.count(planned.changes, "change")
    moved = wording.count(planned.moved, "address moves", "addresses move")
    return f"After apply ({changes}{blocked}; {moved}), {text[0].lower()}{text[1:]}"


def _is_about_subnets(prediction: Prediction) -> bool:
    return bool(prediction.landings) and all(landing.whole_subnet for landing in prediction.landings)


def machine_names(machines: Iterable[tuple[str, ArmId | None]]) -> dict[tuple[str, ArmId | None], str]:
    """The label of each machine: its name and, if several have that name, the part of their ids that tells them apart.

    Two vaults may protect machines of one name, and one vault the same machine towards two regions.
    """
    items_by_name: dict[str, dict[ArmId | None, None]] = {}
    for name, item_id in machines:
        items_by_name.setdefault(name, {})[item_id] = None
    names: dict[tuple[str, ArmId | None], str] = {}
    for name, item_ids in items_by_name.items():
        if len(item_ids) == 1:
            names |= {(name, item_id): name for item_id in item_ids}
            continue
        # The vault, the fabric, the group, the item, the container or the subscription: the first that tells all apart.
        paths = {item_id: tuple(str(item_id).split("/")[2::2]) for item_id in item_ids}
        orders = [(index,) for index in (3, 4, 1, 6, 5, 0)] + [range(7)]
        for order in orders:
            labels = {
                item_id: "/".join(path[index] for index in order if index < len(path))
                for item_id, path in paths.items()
            }
            if len(set(labels.values())) == len(labels):
                break
        names |= {(name, item_id): f"{name} ({label})" if label else name for item_id, label in labels.items()}
    return names


def _cells(landing: Landing, name: str, *, is_one_of_several: bool) -> tuple[str, ...]:
    destination = "not known"
    if landing.network is not None or landing.outcome != "unknown":
        changed_type = landing.ip_type if landing.ip_type != landing.primary_ip_type else None
        destination = _place(landing.network, landing.subnet, landing.ip, changed_type)
    present: tuple[str, ...] = ()
    if landing.now is not None:
        place = _place(landing.now.network, landing.now.subnet, landing.now.ip)
        present = (place if landing.has_moved else "the same",)
    return (
        _OUTCOMES[landing.outcome][0],
        _machine(landing, name, is_one_of_several=is_one_of_several),
        _place(landing.primary_network, landing.primary_subnet, landing.primary_ip),
        *present,
        destination,
        landing.rule.code,
    )


def _interface_sections(prediction: Prediction) -> Iterator[Section]:
    """What NICs have today beside what their replicas will have, and what of it is left behind or not known."""
    rows, left_behind = [], []
    unknown: dict[str, list[str]] = {}
    names = machine_names((comparison.machine, comparison.item_id) for comparison in prediction.interfaces)
    for comparison in prediction.interfaces:
        name = names[comparison.machine, comparison.item_id]
        label = f"{name} ({comparison.nic})" if comparison.nic else name
        for setting, today, replica in _compared_settings(comparison):
            rows.append(Row((name, comparison.nic, setting, today, replica)))
        if comparison.left_behind:
            left_behind.append(f"{label}: {', '.join(comparison.left_behind)}")
        for reason in comparison.unknown:
            unknown.setdefault(reason, []).append(label)
    if rows:
        yield Section("Network interfaces", ("Machine", "NIC", "Setting", "Today", "Replica"), tuple(rows))
    yield sentences(f"Left behind ({FindingKind.NETWORK_RULES_LEFT_BEHIND})", left_behind, "warning")
    reasons = (f"{', '.join(labels)}: {reason}" for reason, labels in unknown.items())
    yield sentences(f"Network interfaces not fully known ({FindingKind.UNKNOWN})", reasons, "warning")


def _compared_settings(comparison: InterfaceComparison) -> Iterator[tuple[str, str, str]]:
    """The settings that a NIC has on either side, in words: the name, the value today and that of the replica."""
    settings = zip(settings_in_words(comparison.today), settings_in_words(comparison.there), strict=True)
    for (setting, of_source), (_, of_replica) in settings:
        # A row in which a NIC has nothing on either side would only make the table longer.
        if {of_source, of_replica} - _NOTHING:
            yield (
                setting,
                "not known" if comparison.today is None else of_source or "none",
                "not known" if comparison.there is None else of_replica or "none",
            )


_NOTHING: Final = frozenset({"", "off", "not reported"})


def settings_in_words(state: InterfaceState | None) -> Iterator[tuple[str, str]]:
    """The name and the value of each setting. The value is empty if there is none, or if there is no ``state``."""
    accelerated = (
        "" if state is None else {True: "on", False: "off", None: "not reported"}[state.accelerated_networking]
    )
    state = state or InterfaceState()
    subnet_group = state.subnet_security_group
    yield "network security group", state.network_security_group.name if state.network_security_group else ""
    yield "group of its subnet", (subnet_group.name if subnet_group else "") if state.subnet_is_known else "not known"
    for name, resources in (
        ("public address", state.public_ips),
        ("load balancer pool", state.load_balancer_pools),
        ("inbound NAT rule", state.inbound_nat_rules),
        ("application gateway pool", state.application_gateway_pools),
        ("application security group", state.application_security_groups),
    ):
        yield name, ", ".join(map(resource_label, resources))
    yield "accelerated networking", accelerated
    yield "primary address", " ".join(filter(None, (state.primary_ip, (state.primary_ip_type or "").lower())))
    yield "DNS servers", "" if state.dns_servers is None else dns_label(state.dns_servers)


def _machine(landing: Landing, name: str, *, is_one_of_several: bool) -> str:
    if landing.whole_subnet:
        return "any"
    if not is_one_of_several:
        return name
    return f"{name} {landing.nic} {landing.ip_configuration}".rstrip()


def _place(network: str | None, subnet: str | None, ip: str | None, ip_type: str | None = None) -> str:
    if network is None:
        return "no network"
    place = f"{network}/{subnet}" if subnet else network
    return " ".join(filter(None, (place, ip, ip_type and ip_type.lower())))


def _rules(landing: Landing) -> Iterator[Rule]:
    """The rules that were applied to an address, in order."""
    return filter(None, (landing.network_rule, landing.subnet_rule, landing.address_rule, landing.type_rule))


def _details(landing: Landing, shared_notes: Mapping[str, int], *, verbose: bool) -> Iterator[str]:
    for notice in landing.notices:
        if notice.severity == "warning":
            yield f"warning: {notice.message}"
        elif notice.message not in shared_notes:
            yield f"note: {notice.message}"
    if landing.detail:
        yield landing.detail
    # The row names the deciding rule. Earlier rules are worth a line only if they are unusual.
    earlier = [rule for rule in (landing.network_rule, landing.subnet_rule) if rule and rule is not landing.rule]
    if unusual := [rule.code for rule in earlier if rule.code not in _EXPECTED_RULES]:
        yield f"by {' and '.join(unusual)}"
    if landing.via_network:
        yield f"back from {_place(landing.via_network, None, landing.via_ip)}"
    if landing.recovery_plan and landing.kind == "vmm_to_azure":
        only = "" if landing.network or landing.outcome == "unknown" else ": it reaches the machines of this plan only"
        yield f"recovery plan {landing.recovery_plan}{only}"
    if landing.hosts:
        yield f"hosts that can take the machine: {', '.join(landing.hosts)}"
    if verbose:
        if landing.item_id:
            yield str(landing.item_id)
        yield f"from {landing.primary_network_id}"
        if landing.now is not None:
            yield f"to {landing.now.network_id} now"
        yield f"to {landing.network_id}"
        yield from (f"{rule.code}: {rule.sentence}" for rule in _rules(landing))

"""How a prediction is shown: the counts, a line for each address, the notes that many share, the rules that decided."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Final

from asrnet.failover import Landing, Operation, Outcome, Prediction, Rule
from asrnet.render import wording
from asrnet.render.sections import Row, Section, Tone, sentences

if TYPE_CHECKING:
    from asrnet.render import View

_HEADER: Final = ("", "Machine", "From", "To", "Rule")
_OPERATIONS: Final[Mapping[Operation, str]] = {
    "failover": "Failover",
    "test-failover": "Test failover",
    "failback": "Failback",
}
_OUTCOMES: Final[Mapping[Outcome, tuple[str, str, str, Tone]]] = {
    "keeps_address": ("=", "keeps its address", "keep their address", "plain"),
    "changes_address": ("~", "changes it", "change it", "update"),
    "loses_connectivity": ("!", "loses connectivity", "lose connectivity", "error"),
    "unknown": ("?", "cannot be told", "cannot be told", "warning"),
    "not_failed_over": ("-", "stays behind", "stay behind", "quiet"),
}
"""For each outcome its sign, what one and what many do, and how loud it is."""
_NO_NEWS: Final = frozenset(
    {"a2a_mapped", "a2a_failback_mapped", "subnet_same_name", "vmm_subnet_same_name", "test_named_network"}
)
"""What is as everybody expects."""
_ALWAYS_SAID: Final = frozenset({"keeps_address", "changes_address", "loses_connectivity"})
_SAID_SINGLY: Final = 3
"""A note that more addresses than these share is said once, below the table."""


def sections(prediction: Prediction, view: View) -> Iterator[Section]:
    """A prediction as sections, its summary first; with ``view.verbose`` ids and every rule of every address."""
    yield sentences("", [prediction_summary(prediction)])
    shared = _shared_notes(prediction)
    several = Counter(landing.machine for landing in prediction.landings)
    rows = tuple(
        Row(
            _cells(landing, is_one_of_several=several[landing.machine] > 1),
            _tone(landing),
            tuple(_details(landing, shared, verbose=view.verbose)),
        )
        for landing in prediction.landings
    )
    yield Section("Subnets" if _is_about_subnets(prediction) else "Machines", _HEADER, rows)
    yield sentences("Machines that show no NICs, as during initial replication", prediction.without_nics, "quiet")
    yield sentences("Machines of providers that are not predicted", prediction.out_of_scope, "warning")
    yield sentences("Notes", (f"{wording.count(number, 'address', 'addresses')}: {text}" for text, number in shared))
    yield sentences("Rules", (f"{rule.code}: {rule.sentence} ({rule.source})" for rule in _rules(prediction)), "quiet")


def prediction_summary(prediction: Prediction) -> str:
    """How many addresses are kept, changed, lost, not known and left behind; and how many warnings there are."""
    counts = prediction.summary
    subject = "subnet" if _is_about_subnets(prediction) else "machine"
    said = [
        f"{number} {one if number == 1 else many} ({sign})"
        for outcome, (sign, one, many, _) in _OUTCOMES.items()
        if (number := getattr(counts, outcome)) or outcome in _ALWAYS_SAID
    ]
    of = "" if counts.addresses == counts.machines else f", {wording.count(counts.addresses, 'address', 'addresses')}"
    warned = f"; {wording.count(counts.warnings, 'warning')}" if counts.warnings else ""
    name = _OPERATIONS[prediction.operation]
    into = f" into {prediction.test_network_id.name}" if prediction.test_network_id else ""
    return f"{name} of {wording.count(counts.machines, subject)}{of}{into}: {', '.join(said)}{warned}."


def _is_about_subnets(prediction: Prediction) -> bool:
    return bool(prediction.landings) and all(landing.whole_subnet for landing in prediction.landings)


def _tone(landing: Landing) -> Tone:
    tone = _OUTCOMES[landing.outcome][-1]
    return "warning" if tone in {"plain", "update"} and landing.has_warning else tone


def _cells(landing: Landing, *, is_one_of_several: bool) -> tuple[str, ...]:
    is_static_now = landing.ip_type != landing.primary_ip_type and landing.ip_type is not None
    return (
        _OUTCOMES[landing.outcome][0],
        _machine(landing, is_one_of_several=is_one_of_several),
        _place(landing.primary_network, landing.primary_subnet, landing.primary_ip),
        _destination(landing, landing.ip_type if is_static_now else None),
        landing.rule.code,
    )


def _machine(landing: Landing, *, is_one_of_several: bool) -> str:
    if landing.whole_subnet:
        return "any"
    if not is_one_of_several:
        return landing.machine
    return f"{landing.machine} {landing.nic} {landing.ip_configuration}".rstrip()


def _place(network: str | None, subnet: str | None, ip: str | None, ip_type: str | None = None) -> str:
    if network is None:
        return "no network"
    place = f"{network}/{subnet}" if subnet else network
    return " ".join(filter(None, (place, ip, ip_type and ip_type.lower())))


def _destination(landing: Landing, ip_type: str | None) -> str:
    if landing.network is None and landing.outcome == "unknown":
        return "not known"
    return _place(landing.network, landing.subnet, landing.ip, ip_type)


def _also(landing: Landing) -> list[str]:
    """The rules that had a say before the one that decided, but for what everybody expects."""
    before = [rule for rule in (landing.network_rule, landing.subnet_rule) if rule and rule is not landing.rule]
    return [rule.code for rule in before if rule.code not in _NO_NEWS]


def _details(landing: Landing, shared: list[tuple[str, int]], *, verbose: bool) -> Iterator[str]:
    once = {text for text, _ in shared}
    for notice in landing.notices:
        if notice.severity == "warning":
            yield f"warning: {notice.message}"
        elif notice.message not in once:
            yield f"note: {notice.message}"
    if landing.detail:
        yield landing.detail
    if also := _also(landing):
        yield f"by {' and '.join(also)}"
    if landing.via_network:
        yield f"back from {_place(landing.via_network, None, landing.via_ip)}"
    if landing.recovery_plan and landing.kind == "vmm_to_azure":
        only = "" if landing.network or landing.outcome == "unknown" else ": it reaches the machines of this plan only"
        yield f"recovery plan {landing.recovery_plan}{only}"
    if landing.hosts:
        yield f"hosts that can take the machine: {', '.join(landing.hosts)}"
    if verbose:
        yield from _everything(landing)


def _everything(landing: Landing) -> Iterator[str]:
    if landing.item_id:
        yield str(landing.item_id)
    yield f"from {landing.primary_network_id}"
    yield f"to {landing.network_id}"
    for rule in (landing.network_rule, landing.subnet_rule, landing.address_rule, landing.type_rule):
        if rule:
            yield f"{rule.code}: {rule.sentence}"


def _shared_notes(prediction: Prediction) -> list[tuple[str, int]]:
    """The notes that many addresses have in common, and how many."""
    counts = Counter(
        notice.message for landing in prediction.landings for notice in landing.notices if notice.severity == "info"
    )
    return [(message, number) for message, number in counts.items() if number > _SAID_SINGLY]


def _rules(prediction: Prediction) -> list[Rule]:
    """The rules of all addresses, each once, in the order in which they come up."""
    seen: dict[str, Rule] = {}
    for landing in prediction.landings:
        for rule in (landing.network_rule, landing.subnet_rule, landing.address_rule, landing.type_rule):
            if rule:
                seen.setdefault(rule.code, rule)
    return list(seen.values())

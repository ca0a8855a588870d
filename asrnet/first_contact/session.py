"""The tools of an experiment: the vault with its networks and fabrics, and a wire for requests.

An experiment returns *facts*: statuses, codes, names of members, true or false. No value that could identify the vault
becomes a fact: texts pass through ``Session.word``, ids through ``Session.label``.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final, Literal

from msgspec import Struct

from asrnet.azure.wire import Answer, Wire
from asrnet.model.arm import AZURE_NETWORK, ArmId
from asrnet.model.azure import END_STATES

PREFIX: Final = "asrnet-first-contact"
"""The prefix of all resource names that first contact creates. Resources with other names are never deleted."""

TAG: Final = "asrnet-first-contact"
"""The tag of the virtual networks that first contact creates."""

Fact = bool | int | str | None | tuple[str, ...]
Facts = dict[str, Fact]
Label = Literal["A1", "A2", "B1", "B2"]
"""The four networks: two in the primary region (A) and two in the recovery region (B)."""

LABELS: Final[Mapping[Label, str]] = {
    "A1": "10.254.0.0/24",
    "A2": "10.254.1.0/24",
    "B1": "10.254.2.0/24",
    "B2": "10.254.3.0/24",
}
WITHHELD: Final = "(withheld)"

_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_ ]{0,59}|\d{1,6}|")
_MEMBER: Final = re.compile(r"[A-Za-z@$][\w@$.]{0,59}")
_ID_LIKE: Final = re.compile(r"[0-9a-f]{16,}", re.IGNORECASE)
_OF_USERS: Final = frozenset({"tags"})
"""Members whose own members have names chosen by users."""

_UNANSWERED: Final = frozenset({401, 403, 429, 502, 503, 504})
_UNUSED: Final = "SubscriptionIdNotRegisteredWithSrs"
"""Reported for vaults that Site Recovery does not know: their lists count as empty."""
# Seconds: for an operation, which takes minutes for a fabric, and for a list to show a change.
_PATIENCE: Final = 900.0
_LAG: Final = 60.0
_ACCEPTED: Final = 202
_OK: Final = 200
_NOT_FOUND: Final = 404
_ERROR: Final = 400


class NotTried(Exception):  # noqa: N818 - nothing is wrong
    """The experiment could not be performed. The message says why, and contains no names from the vault."""


class Place(Struct, frozen=True, kw_only=True):
    """Where the experiments take place.

    ``fabrics`` are those of the primary and the recovery region: the vault's own ones, or else ones to create.
    ``machine`` is a throwaway protected item, if one may be changed.
    """

    vault: ArmId
    group: ArmId
    vault_location: str
    regions: tuple[str, str]
    fabrics: tuple[ArmId, ArmId]
    machine: ArmId | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All names that could identify the vault."""
        names = (self.vault.subscription, self.group.subscription, self.vault.resource_group, self.group.name)
        machine = self.machine
        return (*names, self.vault.name, *((machine.name, machine.parent.name) if machine else ()))

    @property
    def may_create_fabrics(self) -> bool:
        """Whether the vault had no fabrics for the two regions."""
        return all(fabric.name.startswith(PREFIX) for fabric in self.fabrics)

    def network(self, label: Label) -> ArmId:
        """One of the four virtual networks."""
        return self.group.child("providers", "Microsoft.Network", "virtualNetworks", f"{PREFIX}-{label}")

    def fabric(self, label: Label) -> ArmId:
        """The fabric of a network's region."""
        return self.fabrics[0 if label.startswith("A") else 1]

    def mapping(self, name: str, side: Label = "A1", segment: str = AZURE_NETWORK) -> str:
        """The path of a mapping under the fabric of ``side``."""
        fabric = self.fabric(side)
        return f"{fabric}/replicationNetworks/{segment}/replicationNetworkMappings/{PREFIX}-{name}"


class Write(Struct, frozen=True, kw_only=True):
    """A write with its first answer and the end of its operation. ``state`` is empty if it was not accepted."""

    answer: Answer
    facts: Facts
    state: str
    operation: str = ""


class Session:
    """Sends requests and waits for operations. ``remarks`` are reported but not compared."""

    def __init__(self, wire: Wire, place: Place) -> None:
        self._wire = wire
        self.place = place
        self.remarks: Facts = {}
        self.is_set_up = False
        self._obstacle = ""
        self.kept: dict[Label, str] = {}
        """Networks that must not be deleted, and why."""
        self._running: dict[str, Answer] = {}

    def send(
        self,
        method: str,
        path: object,
        body: object = None,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send a request. Raises NotTried if the answer only shows missing permissions or an unavailable service."""
        answer = self._wire.send(method, str(path), body, query=query, headers=headers)
        if method != "GET" and (url := operation_url(answer)):
            self._running[url] = answer
        if answer.status in _UNANSWERED:
            codes = self.status_facts(answer)
            raise NotTried(f"{method} was answered {answer.status} {codes['code'] or ''}".rstrip())
        return answer

    def get(self, path: object, **query: str) -> Answer:
        """Send a GET request."""
        return self.send("GET", path, query={f"${name}": value for name, value in query.items()})

    def status_facts(self, answer: Answer) -> Facts:
        """The status of an answer and, for an error, its outer code and Site Recovery's own code in the detail."""
        if answer.status < _ERROR:
            return {"status": answer.status}
        error = at(answer.document, "error")
        details = elements(error, "details")
        return {
            "status": answer.status,
            "code": self.word(at(error, "code")),
            "detail code": self.word(at(details[0], "code") if details else None),
        }

    def write(self, method: str, path: object, body: object = None, *, wait: bool = True) -> Write:
        """Send a write and wait for its operation. The facts describe the first answer and the end of the operation."""
        started = self._wire.clock.now()
        answer = self.send(method, path, body)
        facts = self.status_facts(answer)
        operation = operation_url(answer).partition("?")[0].rpartition("/")[2]
        if answer.status >= _ERROR or not wait:
            return Write(answer=answer, facts=facts, state="", operation=operation)
        state, code = self.finish(answer)
        seconds = round(self._wire.clock.now() - started)
        # The duration may vary, so it is a remark.
        self.remarks[f"seconds of {method}"] = seconds
        facts |= {"ended": state, "ended with code": code}
        return Write(answer=answer, facts=facts, state=state, operation=operation)

    def finish(self, answer: Answer) -> tuple[str, Fact]:
        """Wait for the operation of an accepted write; return its last state and the code of its error.

        Raises NotTried if it takes too long.
        """
        if answer.status >= _ERROR:
            return "refused", None
        url = operation_url(answer)
        until = self._wire.clock.now() + _PATIENCE
        waits = itertools.chain((1.0, 1.0, 1.0, 2.0, 2.0), itertools.repeat(5.0))
        while url:
            status = self.send("GET", url)
            state = at(status.document, "status") or at(status.document, "properties", "provisioningState")
            # The first status depends on timing, so it is a remark and is not compared.
            self.remarks.setdefault("first status", self.word(state))
            self.remarks.setdefault("first status: Retry-After", self.word(status.headers.get("retry-after")))
            if str(state).lower() in END_STATES or (state is None and status.status != _ACCEPTED):
                self._running.pop(url, None)
            if state is None and status.status != _ACCEPTED:
                return ("Succeeded" if status.status < _ERROR else "Failed"), self.status_facts(status).get("code")
            if str(state).lower() in END_STATES:
                return str(self.word(state)), self.word(at(status.document, "error", "code"))
            if self._wire.clock.now() > until:
                raise NotTried(f"an operation took longer than {_PATIENCE / 60:.0f} minutes")
            self.pause(next(waits))
        return "Succeeded", None

    def settle(self) -> None:
        """Wait for all operations that are still running, because lists may lack what they create."""
        for answer in list(self._running.values()):
            with suppress(NotTried):
                self.finish(answer)

    def pause(self, seconds: float) -> None:
        """Sleep on the clock of the wire."""
        self._wire.clock.sleep(seconds)

    def now(self) -> float:
        """The current time of the clock of the wire."""
        return self._wire.clock.now()

    def ended_job(self, operation: str) -> Answer:
        """The job of an operation that has ended. It is read repeatedly, for a while, until it has ended too."""
        until = self.now() + _LAG
        while True:
            answer = self.get(f"{self.place.vault}/replicationJobs/{operation}")
            if at(answer.document, "properties", "state") not in {"NotStarted", "InProgress"} or self.now() > until:
                return answer
            self.pause(2.0)

    def rows(self, path: object) -> list[Any]:
        """All elements of a list, page by page. Raises NotTried if it cannot be read."""
        rows: list[Any] = []
        asked = set()
        url = str(path)
        while url:
            if url in asked:
                raise NotTried("the pages of a list form a loop")
            asked.add(url)
            answer = self.get(url)
            if answer.status != _OK:
                codes = self.status_facts(answer)
                if codes["detail code"] == _UNUSED:
                    return []
                raise NotTried(f"a list was answered {answer.status} {codes['detail code'] or codes['code'] or ''}")
            rows += elements(answer.document, "value")
            url = at(answer.document, "nextLink") or ""
        return rows

    def word(self, value: object) -> Fact:
        """A code, state or name of Azure's as a fact. A text that could be a user's name is withheld."""
        if value is None or isinstance(value, bool | int):
            return value
        text = str(value)
        is_name = any(text.lower() == name.lower() for name in self.place.names)
        # Codes and states are short words or small numbers; a run of 16 hex digits may be part of an id.
        is_word = _WORD.fullmatch(text) and not _ID_LIKE.search(text)
        return text if is_word and not is_name else WITHHELD

    def members(self, document: object, depth: int = 4) -> tuple[str, ...]:
        """The names of the members of a document, as paths. For a list, those of its first element."""
        return tuple(sorted(set(_members(document, "", depth))))

    def label(self, network_id: object) -> Fact:
        """The label of the network with this id, ignoring case."""
        if network_id is None:
            return None
        for label in LABELS:
            if str(network_id).strip("/").lower() == self.place.network(label).key:
                return label
        return "another"

    # The networks, fabrics and mappings with which experiments begin.

    def put_network(self, label: Label, headers: Mapping[str, str] | None = None) -> Answer:
        """Put a network, which is small, empty, tagged and connected to nothing."""
        prefix = LABELS[label]
        body = {
            "location": self.place.regions[0 if label.startswith("A") else 1],
            "tags": {TAG: "throwaway"},
            "properties": {
                "addressSpace": {"addressPrefixes": [prefix]},
                "subnets": [{"name": "default", "properties": {"addressPrefix": prefix}}],
            },
        }
        return self.send("PUT", self.place.network(label), body, headers=headers)

    def fabric_body(self, region: str) -> object:
        """The body for creating the fabric of a region."""
        return {"properties": {"customDetails": {"instanceType": "Azure", "location": region}}}

    def mapping_body(self, primary: Label, recovery: Label, **others: object) -> dict[str, Any]:
        """The body of a mapping between two networks. A member of ``others`` that is None is left out."""
        members: dict[str, object] = {
            "primaryNetworkId": str(self.place.network(primary)),
            "recoveryNetworkId": str(self.place.network(recovery)),
            "recoveryFabricName": self.place.fabric(recovery).name,
            "instanceType": "AzureToAzure",
            **others,
        }
        given = {name: value for name, value in members.items() if value is not None}
        details = {name: given.pop(name) for name in ("instanceType", "primaryNetworkId") if name in given}
        return {"properties": {**given, **({"fabricSpecificDetails": details} if details else {})}}

    def set_up(self) -> None:
        """Create the missing networks and fabrics.

        Raises NotTried if one cannot be created. Further calls then raise it at once, because an attempt may take
        minutes.
        """
        if self.is_set_up:
            return
        if self._obstacle:
            raise NotTried(self._obstacle)
        try:
            self._create_missing()
        except NotTried as reason:
            self._obstacle = str(reason)
            raise
        self.is_set_up = True

    def _create_missing(self) -> None:
        for label in LABELS:
            if self.get(self.place.network(label)).status == _NOT_FOUND:
                state, code = self.finish(self.put_network(label))
                if state != "Succeeded":
                    raise NotTried(f"a network could not be created: {state} {code or ''}".rstrip())
        for fabric, region in zip(self.place.fabrics, self.place.regions, strict=True):
            if self.get(fabric).status != _OK:
                write = self.write("PUT", fabric, self.fabric_body(region))
                if write.state != "Succeeded":
                    code = (
                        write.facts.get("detail code") or write.facts.get("code") or write.facts.get("ended with code")
                    )
                    raise NotTried(f"a fabric could not be created: {write.answer.status} {code or ''}".rstrip())

    def own_mappings(self) -> list[Any]:
        """The mappings in the vault that first contact made."""
        return [row for row in self.rows(f"{self.place.vault}/replicationNetworkMappings") if is_own(row)]

    def start_with(self, **mappings: tuple[Label, Label]) -> None:
        """Make exactly these mappings exist: name, primary and recovery network. Raises NotTried on failure."""
        for row in self.own_mappings():
            name = str(at(row, "name")).removeprefix(f"{PREFIX}-")
            networks = tuple(self.label(at(row, "properties", f"{end}NetworkId")) for end in ("primary", "recovery"))
            if mappings.get(name) == networks:
                del mappings[name]
            elif self.write("DELETE", at(row, "id")).state != "Succeeded":
                raise NotTried("a mapping of an earlier experiment could not be deleted")
        for name, (primary, recovery) in mappings.items():
            write = self.write("PUT", self.place.mapping(name, primary), self.mapping_body(primary, recovery))
            if write.state != "Succeeded":
                raise NotTried("the initial mapping could not be created")
        self.remarks.clear()  # these writes are not part of the experiment

    def mapped(self) -> Facts:
        """The existing mappings that first contact created, each with the labels of its two networks."""
        facts: Facts = {}
        for row in self.own_mappings():
            name = str(at(row, "name")).removeprefix(f"{PREFIX}-")
            primary, recovery = (
                self.label(at(row, "properties", f"{end}NetworkId")) for end in ("primary", "recovery")
            )
            facts[f"mapping {name}"] = f"{primary} to {recovery}"
        return facts or {"mappings": 0}


def operation_url(answer: Answer) -> str:
    """The URL at which an accepted write can be followed; empty if there is none."""
    return answer.headers.get("azure-asyncoperation") or (
        answer.headers.get("location", "") if answer.status == _ACCEPTED else ""
    )


def at(document: object, *names: str) -> Any:
    """The value at a path of members; None if any of them is missing, whatever the document is."""
    for name in names:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document


def elements(document: object, *names: str) -> list[Any]:
    """The list at a path of members; empty if there is none."""
    value = at(document, *names)
    return value if isinstance(value, list) else []


def is_own(row: object) -> bool:
    """Whether the name of a resource shows that first contact created it."""
    return str(at(row, "name")).lower().startswith(PREFIX)


def with_names(prefix: str, facts: Facts) -> Facts:
    """Facts with a prefix to their names, for experiments with several answers."""
    return {f"{prefix}: {name}": fact for name, fact in facts.items()}


def list_facts(session: Session, path: object, *, counted: bool = True) -> Facts:
    """The form of a list: its status, its last link and, if ``counted``, whether it is empty."""
    answer = session.get(path)
    facts = session.status_facts(answer)
    if answer.status == _OK:
        if counted:
            facts["is empty"] = at(answer.document, "value") == []
        # The lists of a throwaway vault are too short for a second page.
        has_link = isinstance(answer.document, dict) and "nextLink" in answer.document
        facts["nextLink"] = ("null" if answer.document["nextLink"] is None else "address") if has_link else "absent"
    return facts


def changed_members(before: object, after: object) -> tuple[str, ...]:
    """The paths of all members whose values differ between two documents."""
    return tuple(sorted(set(_changed(before, after, ""))))


def _members(document: object, path: str, depth: int) -> Iterator[str]:
    if isinstance(document, list):
        yield from _members(document[0] if document else None, f"{path}[]", depth)
    if not isinstance(document, Mapping) or depth == 0:
        return
    for name, value in document.items():
        below = f"{path}.{name}".lstrip(".") if _MEMBER.fullmatch(name) else f"{path}.{WITHHELD}".lstrip(".")
        yield below
        if name not in _OF_USERS:
            yield from _members(value, below, depth - 1)


def _changed(before: object, after: object, path: str) -> Iterator[str]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in before.keys() | after.keys():
            shown = name if _MEMBER.fullmatch(str(name)) else WITHHELD
            yield from _changed(before.get(name), after.get(name), f"{path}.{shown}".lstrip("."))
    elif isinstance(before, Sequence) and isinstance(after, Sequence) and not isinstance(before, str):
        for first, second in itertools.zip_longest(before, after):
            yield from _changed(first, second, f"{path}[]")
    elif before != after:
        yield path

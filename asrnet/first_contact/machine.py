"""The experiments on a throwaway machine: what a PATCH with a single member does to all others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from asrnet.first_contact.session import Facts, NotTried, Session, at, changed_members, elements
from asrnet.model.machine_update import body_of_answer

_PASSING: Final = re.compile(
    r"time|rpo|health|heartbeat|percentage|job|scenario|allowedoperations|agent|monitoring|churn", re.IGNORECASE
)
"""Members that change by themselves while a machine replicates."""

_PATIENCE: Final = 90.0
"""Seconds. An update may be reported as done before the machine shows it; up to 80 s have been reported."""


def machine_read(session: Session) -> Facts:
    """Read a protected machine."""
    details = at(_item(session), "providerSpecificDetails") or {}
    nics = elements(details, "vmNics")
    configurations = elements(nics[0], "ipConfigs") if nics else []
    return {
        "provider": session.word(at(details, "instanceType")),
        "members of a NIC": session.members(nics[:1], depth=1),
        "members of an IP configuration": session.members(configurations[:1], depth=1),
        "shows its own networks": {"selectedRecoveryAzureNetworkId", "selectedTfoAzureNetworkId"} <= set(details),
    }


def test_network_patched(session: Session) -> Facts:
    """Change the test network of a machine with a body that contains nothing else, and restore it."""
    before = _item(session)
    if before.get("protectionState") != "Protected":
        raise NotTried("the machine is not in the state Protected")
    if at(before, "providerSpecificDetails", "instanceType") != "A2A":
        raise NotTried("the machine is not replicated Azure to Azure")
    if not at(before, "providerSpecificDetails", "selectedTfoAzureNetworkId"):
        # It is unknown how a test network is removed again, so there must be one to restore.
        raise NotTried("the machine has no test network to restore; set one first")
    instance: Mapping[str, object] = {"instanceType": "A2A"}
    body = {"selectedTfoAzureNetworkId": str(session.place.network("B1")), "providerSpecificDetails": instance}
    # From here on the machine may have changed. The finally block restores it after Ctrl-C as well.
    session.kept["B1"] = "it may still be the machine's test network"
    facts: Facts = {}
    try:
        facts |= session.write("PATCH", session.place.machine, {"properties": body}).facts
        facts["changed members"] = _changed_since(session, before)
    finally:
        left = _put_back(session, before)
        if not left:
            session.kept.clear()
    return facts | {"members that could not be put back": left}


def _item(session: Session) -> dict[str, Any]:
    answer = session.get(session.place.machine)
    properties = at(answer.document, "properties")
    if not isinstance(properties, dict):
        raise NotTried(f"reading the machine was answered {answer.status}")
    return properties


def _changed_since(session: Session, before: Mapping[str, Any]) -> tuple[str, ...]:
    """Wait until members differ from ``before`` and return them; return none if nothing changes for a while."""
    until = session.now() + _PATIENCE
    while True:
        changed = tuple(path for path in changed_members(before, _item(session)) if not _PASSING.search(path))
        if changed or session.now() > until:
            return changed
        session.pause(10.0)


def _put_back(session: Session, before: Mapping[str, Any]) -> tuple[str, ...]:
    """Send the original network settings, and return the members that still differ afterwards."""
    with suppress(NotTried):  # the machine itself shows whether it worked
        session.write("PATCH", session.place.machine, body_of_answer(before))
    until = session.now() + _PATIENCE
    while True:
        left = tuple(path for path in changed_members(before, _item(session)) if not _PASSING.search(path))
        if not left or session.now() > until:
            return left
        session.pause(10.0)

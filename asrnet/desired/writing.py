"""Writes a DesiredState as YAML: a line for a plain row, ids by alias if there is one, without defaults."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from asrnet.desired.references import COPY
from asrnet.desired.state import DesiredState, Region, Row, Rule, Vault, VmmRow
from asrnet.files import yaml as documents
from asrnet.model.arm import ArmId

_ID = re.compile(
    r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/"
    r"(?:Microsoft\.Network/(?:virtualNetworks|networkSecurityGroups|routeTables)|Microsoft\.RecoveryServices/vaults)"
    r"/([^/]+)"
)
_WIDTH: Final = 120


def dumps(state: DesiredState) -> str:
    """The YAML of ``state``; ``load`` reads it back as an equal state, apart from the sources."""
    # In reverse order, so that the first of two aliases of one subscription is written.
    aliases = {guid: alias for alias, guid in reversed(list(state.subscriptions.items()))}
    content = {
        "version": 1,
        "cloud": state.cloud,
        "subscriptions": dict(state.subscriptions),
        "vaults": {vault.name: _vault(vault, aliases) for vault in state.vaults},
        "regions": [_region(region, aliases) for region in state.regions],
        "pairs": [_row(row, aliases) for row in state.pairs],
        "rules": [_rule(rule, aliases) for rule in state.rules],
        "ignore": [_changed_fields(entry) for entry in state.ignore],
        "vmm_pairs": [_vmm_row(row, aliases) for row in state.vmm_pairs],
        "topology": state.topology,
        "freeze": [_changed_fields(entry) for entry in state.freeze],
        "limits": _changed_fields(state.limits),
        "machines": state.machines if state.machines != "report" else None,
        "release_addresses": state.release_addresses,
    }
    return documents.write({key: value for key, value in content.items() if value}, width=_WIDTH)


def _changed_fields(entry: Struct) -> dict[str, Any]:
    """The fields that are not at their defaults, without the place in the file."""
    defaults = dict(zip(reversed(entry.__struct_fields__), reversed(entry.__struct_defaults__), strict=False))
    values = {name: getattr(entry, name) for name in entry.__struct_fields__ if name != "source"}
    return {name: value for name, value in values.items() if name not in defaults or value != defaults[name]}


def _vault(vault: Vault, aliases: Mapping[str, str]) -> str | dict[str, Any]:
    fields = _changed_fields(vault)
    del fields["name"]
    fields["id"] = _reference(vault.id, aliases)
    return fields if len(fields) > 1 else str(fields["id"])


def _region(region: Region, aliases: Mapping[str, str]) -> dict[str, Any]:
    fields = _changed_fields(region)
    if "copy" in fields:
        copy = _changed_fields(region.copy)
        if region.copy.subscription:
            copy["subscription"] = aliases.get(region.copy.subscription, region.copy.subscription)
        for key in ("network_security_group", "route_table"):
            if key in copy:
                copy[key] = _reference(copy[key], aliases)
        fields["copy"] = {key: list(value) if isinstance(value, tuple) else value for key, value in copy.items()}
    return _with_test(fields, aliases)


def _row(row: Row, aliases: Mapping[str, str]) -> dict[str, Any]:
    recovery = COPY if row.recovery is None else _reference(row.recovery, aliases)
    fields = {**_with_failback(row), "primary": _reference(row.primary, aliases), "recovery": recovery}
    fields = _with_test(fields, aliases)
    order = ("name", "vault", "primary", "recovery")
    return {key: fields[key] for key in (*order, *(key for key in fields if key not in order))}


def _rule(rule: Rule, aliases: Mapping[str, str]) -> dict[str, Any]:
    recovery = COPY if rule.recovery is None else _reference(rule.recovery, aliases)
    fields = _with_test({**_with_failback(rule), "recovery": recovery}, aliases)
    match = _changed_fields(rule.match)
    if rule.match.subscription:
        match["subscription"] = aliases.get(rule.match.subscription, rule.match.subscription)
    match["tags"] = dict(rule.match.tags)
    fields["match"] = {key: value for key, value in match.items() if value}
    order = ("name", "vault", *(("match",) if fields["match"] else ()), "recovery")
    return {key: fields[key] for key in (*order, *(key for key in fields if key not in {*order, "match"}))}


def _with_test(fields: dict[str, Any], aliases: Mapping[str, str]) -> dict[str, Any]:
    """``fields`` with the test network, if there is one, as a person would write it."""
    return {**fields, "test": _reference(fields["test"], aliases)} if fields.get("test") else fields


def _with_failback(row: Row | Rule) -> dict[str, Any]:
    fields = _changed_fields(row)
    if not fields.pop("failback", True):
        fields["failback"] = "none"
    return fields


def _vmm_row(row: VmmRow, aliases: Mapping[str, str]) -> dict[str, Any]:
    recovery = _reference(row.recovery, aliases) if isinstance(row.recovery, ArmId) else str(row.recovery)
    fields = {**_changed_fields(row), "primary": str(row.primary), "recovery": recovery}
    order = ("name", "vault", "primary", "recovery")
    return {key: fields[key] for key in (*order, *(key for key in fields if key not in order))}


def _reference(identifier: ArmId | str, aliases: Mapping[str, str]) -> str:
    """``alias/resource group/name`` if the subscription has an alias; a template's text may be one as well."""
    parts = _ID.fullmatch(str(identifier))
    alias = aliases.get(parts[1].lower()) if parts else None
    return f"{alias}/{parts[2]}/{parts[3]}" if parts and alias else str(identifier)

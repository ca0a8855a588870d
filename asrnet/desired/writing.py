"""DesiredState -> YAML, one line for a plain row, ids by alias where there is one, defaults left out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import yaml
from msgspec import Struct

from asrnet.desired.references import COPY
from asrnet.desired.state import DesiredState, Region, Row, Rule, Vault, VmmRow
from asrnet.model.arm import ArmId

_ID = re.compile(
    r"/subscriptions/([^/]+)/resourceGroups/([^/]+)/providers/"
    r"(?:Microsoft\.Network/virtualNetworks|Microsoft\.RecoveryServices/vaults)/([^/]+)"
)
_WIDTH: Final = 120


def dumps(state: DesiredState) -> str:
    """The YAML of ``state``; ``load`` reads it back as an equal state, apart from the sources."""
    aliases = {guid: alias for alias, guid in reversed(list(state.subscriptions.items()))}
    content = {
        "version": 1,
        "cloud": state.cloud,
        "subscriptions": dict(state.subscriptions),
        "vaults": {vault.name: _vault(vault, aliases) for vault in state.vaults},
        "regions": [_region(region, aliases) for region in state.regions],
        "pairs": [_row(row, aliases) for row in state.pairs],
        "rules": [_rule(rule, aliases) for rule in state.rules],
        "ignore": [_said(entry) for entry in state.ignore],
        "vmm_pairs": [_vmm_row(row, aliases) for row in state.vmm_pairs],
        "topology": state.topology,
        "freeze": [_said(entry) for entry in state.freeze],
        "limits": _said(state.limits),
    }
    return _yaml({key: value for key, value in content.items() if value})


_SafeDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_SafeDumper):  # type: ignore[misc]  # the base is chosen at run time
    """Writes every value out: a strict document has no aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def _yaml(content: dict[str, Any]) -> str:
    text: str = yaml.dump(
        content, Dumper=_Dumper, default_flow_style=None, sort_keys=False, allow_unicode=True, width=_WIDTH
    )
    return text


def _said(entry: Struct) -> dict[str, Any]:
    """The fields that are not at their defaults; where the entry once stood is not said."""
    defaults = dict(zip(reversed(entry.__struct_fields__), reversed(entry.__struct_defaults__), strict=False))
    values = {name: getattr(entry, name) for name in entry.__struct_fields__ if name != "source"}
    return {name: value for name, value in values.items() if name not in defaults or value != defaults[name]}


def _vault(vault: Vault, aliases: Mapping[str, str]) -> str | dict[str, Any]:
    said = _said(vault)
    del said["name"]
    said["id"] = _reference(vault.id, aliases)
    return said if len(said) > 1 else str(said["id"])


def _region(region: Region, aliases: Mapping[str, str]) -> dict[str, Any]:
    said = _said(region)
    if "copy" in said:
        copy = _said(region.copy)
        if region.copy.subscription:
            copy["subscription"] = aliases.get(region.copy.subscription, region.copy.subscription)
        if not isinstance(region.copy.dns, str):
            copy["dns"] = list(region.copy.dns)
        said["copy"] = copy
    return said


def _row(row: Row, aliases: Mapping[str, str]) -> dict[str, Any]:
    recovery = COPY if row.recovery is None else _reference(row.recovery, aliases)
    return {**_with_failback(row), "primary": _reference(row.primary, aliases), "recovery": recovery}


def _rule(rule: Rule, aliases: Mapping[str, str]) -> dict[str, Any]:
    said = {**_with_failback(rule), "recovery": COPY if rule.recovery is None else _reference(rule.recovery, aliases)}
    match = _said(rule.match)
    if rule.match.subscription:
        match["subscription"] = aliases.get(rule.match.subscription, rule.match.subscription)
    match["tags"] = dict(rule.match.tags)
    said["match"] = {key: value for key, value in match.items() if value}
    if not said["match"]:
        del said["match"]
    return {key: said[key] for key in rule.__struct_fields__ if key in said}


def _with_failback(row: Row | Rule) -> dict[str, Any]:
    said = _said(row)
    if not said.pop("failback", True):
        said["failback"] = "none"
    return said


def _vmm_row(row: VmmRow, aliases: Mapping[str, str]) -> dict[str, Any]:
    recovery = _reference(row.recovery, aliases) if isinstance(row.recovery, ArmId) else str(row.recovery)
    return {**_said(row), "primary": str(row.primary), "recovery": recovery}


def _reference(identifier: ArmId | str, aliases: Mapping[str, str]) -> str:
    """``alias/resource group/name`` where the subscription has an alias; a template's text may be one as well."""
    parts = _ID.fullmatch(str(identifier))
    alias = aliases.get(parts[1].lower()) if parts else None
    return f"{alias}/{parts[2]}/{parts[3]}" if parts and alias else str(identifier)

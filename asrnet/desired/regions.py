"""Directions between regions, and how copies of networks are made there."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

from asrnet.desired import references
from asrnet.desired.entries import Entry
from asrnet.desired.file import CopyFile, RegionFile
from asrnet.desired.state import CopySettings, Region
from asrnet.model import arm as ids


def region(entry: Entry[RegionFile], aliases: Mapping[str, str]) -> Region:
    """The direction that ``entry`` declares; DocumentError where it cannot be one."""
    with entry.at("primary"):
        primary = references.region(entry.raw.primary)
    with entry.at("recovery"):
        recovery = references.region(entry.raw.recovery)
    if primary == recovery:
        raise entry.error(
            f"{primary} is paired with itself, expected another region",
            "recovery",
            hint="zones of one region need no network mapping",
        )
    return Region(primary=primary, recovery=recovery, copy=_copy(entry, aliases), source=entry.source)


def _copy(entry: Entry[RegionFile], aliases: Mapping[str, str]) -> CopySettings:
    raw = entry.raw.copy
    subscription = None
    if raw.subscription is not None:
        with entry.at("copy", "subscription"):
            subscription = references.subscription(raw.subscription, aliases)
    with entry.at("copy", "resource_group"):
        references.check_template(raw.resource_group, references.GROUP)
    with entry.at("copy", "name"):
        references.check_template(raw.name, ids.VNET)
    _check_distinct(entry, raw)
    _check_servers(entry, raw)
    return CopySettings(subscription=subscription, resource_group=raw.resource_group, name=raw.name, dns=raw.dns)


def _check_distinct(entry: Entry[RegionFile], raw: CopyFile) -> None:
    if "{name}" not in raw.name + raw.resource_group:
        raise entry.error("all copies would be one network, expected {name} in it", "copy", "name")
    if raw.subscription is None and (raw.resource_group, raw.name) == ("{resource_group}", "{name}"):
        raise entry.error("the copy would be the network itself, expected another name", "copy", "name")


def _check_servers(entry: Entry[RegionFile], raw: CopyFile) -> None:
    if isinstance(raw.dns, str):
        return
    if not raw.dns:
        raise entry.error("found no servers, expected their addresses, copy or azure", "copy", "dns")
    for index, server in enumerate(raw.dns):
        try:
            ipaddress.ip_address(server)
        except ValueError as error:
            raise entry.error(f"found '{server[:60]}', expected an ip address", "copy", "dns", index) from error

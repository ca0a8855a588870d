"""Copies of networks: what prevents a copy, the changes that make it, and what it does not take over."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from msgspec import Struct, structs

from asrnet.desired import Region
from asrnet.desired.copies import (
    MOST_TAGS,
    attached_to,
    copied_subnets,
    copy_of,
    is_copy,
    subnets_that_must_not_share,
    tag_value,
)
from asrnet.desired.pairs import Pair
from asrnet.errors import InputError
from asrnet.failover.addresses import compare_address_spaces
from asrnet.inventory.read import Absent, Inventory, Unknown
from asrnet.model.arm import ArmId
from asrnet.model.azure import COPY_TAG, NetworkSubnet, ResourceGroup, Subnet, VirtualNetwork
from asrnet.model.findings import Finding, FindingKind
from asrnet.model.plan import Change, Step
from asrnet.planning.view import WantedPair


def copy_problems(pair: Pair, primary: VirtualNetwork, copy_state: Absent, inventory: Inventory) -> Iterator[Finding]:
    """The findings that prevent the copy of ``primary`` that the pair asks for."""
    region, copy_id = pair.copy, pair.recovery
    if region is None or copy_id is None:
        return
    if copy_state.no_group and not region.copy.create_resource_group:
        group = ["--subscription", copy_id.subscription, "--name", copy_id.resource_group]
        yield pair.finding(
            FindingKind.MISSING_RESOURCE_GROUP,
            f"{copy_id.name} is to be made in resource group {copy_id.resource_group}, which does not exist",
            subject=copy_id.parent,
            hint=shlex.join(["az", "group", "create", *group, "--location", region.recovery]),
        )
    if pair.managed_by:  # another tool makes the copy, perhaps from another primary
        return
    attachments = [*primary.attachments, *(name for subnet in primary.subnets for name in subnet.attachments)]
    if any(attachment.startswith("IPAM") for attachment in attachments):
        yield _cannot_be_copied(
            pair,
            f"{primary.name} gets its addresses from an IPAM pool, which never gives out the same ones twice",
            f"create the recovery network from a pool, and name it: recovery: alias/group/{primary.name}-dr "
            "(in a rule alias/group/{name}-dr)",
        )
    elif not primary.address_space:
        yield _cannot_be_copied(pair, f"{primary.name} has no addresses yet", "give it an address space first")
    network = copy_of(primary, region)
    if len(network.tags) > MOST_TAGS:
        yield _cannot_be_copied(
            pair,
            f"the copy of {primary.name} would have {len(network.tags)} tags, and Azure allows {MOST_TAGS}: "
            "those of the primary and the one that marks a copy",
            "remove a tag from the primary network, or create the recovery network and name it under recovery",
        )
    for subnet, key in subnets_that_must_not_share(primary, region.copy):
        yield _cannot_be_copied(
            pair,
            f"{subnet} of {primary.name} needs rules of its own, but {key} is the same for all subnets",
            f"write {{subnet}} into its name, or leave the subnet out: skip_subnets: [{subnet}]",
        )
    for attached_id in attached_to(network):
        yield from _attachment_problems(pair, attached_id, network, inventory)


def _cannot_be_copied(pair: Pair, message: str, hint: str) -> Finding:
    return pair.finding(FindingKind.NOT_COPIED, message, subject=pair.primary, hint=hint, severity="error")


def _attachment_problems(
    pair: Pair, attached_id: ArmId, network: VirtualNetwork, inventory: Inventory
) -> Iterator[Finding]:
    label = "network security group" if attached_id.type.endswith("networksecuritygroups") else "route table"
    attached = inventory.attachments.get(attached_id)
    if attached_id.subscription != network.id.subscription:
        yield _cannot_be_copied(
            pair,
            f"the {label} {attached_id.name} is in another subscription than the copy {network.name}",
            "what is attached to a subnet must be in the subnet's subscription and region",
        )
    elif isinstance(attached, Unknown):
        message = f"the {label} {attached_id.name} could not be read: {attached.error}"
        yield pair.finding(FindingKind.UNKNOWN, message, subject=attached_id, hint=attached.error.hint)
    elif attached is None or isinstance(attached, Absent):
        yield pair.finding(
            FindingKind.MISSING_NETWORK,
            f"the {label} {attached_id} for the copy {network.name} does not exist",
            subject=attached_id,
            hint=f"create it in {network.location}, or correct its name under copy in regions",
        )
    elif attached.location != network.location:
        yield pair.finding(
            FindingKind.REGION_MISMATCH,
            f"the {label} {attached_id.name} is in {attached.location}, and the copy {network.name} in "
            f"{network.location}",
            subject=attached_id,
            hint=f"name one in {network.location} under copy in regions",
        )


def addition_problems(
    pair: Pair, primary: VirtualNetwork, recovery: VirtualNetwork, inventory: Inventory
) -> Iterator[Finding]:
    """The findings that prevent subnets from being added to an existing copy, if the pair asks for that."""
    if pair.copy and pair.copy.copy.add_subnets and not pair.managed_by:
        added = structs.replace(recovery, subnets=missing_subnets(primary, recovery, pair.copy))
        for attached_id in attached_to(added):
            yield from _attachment_problems(pair, attached_id, added, inventory)


class CopyChanges(Struct, frozen=True, kw_only=True):
    """The changes that create copies (by the network's key), create their resource groups and add subnets to copies."""

    by_network: Mapping[str, Change] = {}
    resource_groups: tuple[Change, ...] = ()
    subnets: tuple[Change, ...] = ()


def copy_changes(wanted_pairs: Sequence[WantedPair], inventory: Inventory) -> CopyChanges:
    """The changes that make the copies that pairs need and that do not exist, or complete those that do."""
    by_network: dict[str, Change] = {}
    resource_groups: dict[ArmId, Change] = {}
    subnets: dict[ArmId, Change] = {}
    for wanted_pair in wanted_pairs:
        pair = wanted_pair.pair
        if pair.copy is None or pair.recovery is None or pair.managed_by:
            continue
        primary, recovery = inventory.networks[pair.primary], inventory.network(pair.recovery)
        if isinstance(recovery, VirtualNetwork):
            if added := added_subnets(pair, primary, recovery):
                subnets[recovery.id] = _subnets_change(pair, recovery, added)
            continue
        if not isinstance(recovery, Absent):  # a network that could not be read may exist
            continue
        network = copy_of(primary, pair.copy)
        group_id = network.id.parent
        if recovery.no_group and group_id not in resource_groups:
            group = ResourceGroup(
                id=group_id, location=pair.copy.recovery, tags={COPY_TAG: tag_value(pair.primary.parent)}
            )
            resource_groups[group_id] = Change.create(
                group,
                id=f"group:{group_id.key}",
                vault=pair.vault,
                reason=f"the resource group of {network.name}, a copy of {pair.primary.name}",
                pair=pair.name,
                owner=pair.owner,
            )
        by_network[network.id.key] = Change.create(
            network,
            id=f"network:{network.id.key}",
            vault=pair.vault,
            reason=f"a copy of {pair.primary.name}, which has no recovery network yet",
            pair=pair.name,
            primary_network_id=pair.primary,
            recovery_network_id=network.id,
            depends_on=(resource_groups[group_id].id,) if recovery.no_group else (),
            owner=pair.owner,
        )
    return CopyChanges(
        by_network=by_network,
        resource_groups=tuple(resource_groups.values()),
        subnets=tuple(subnets.values()),
    )


def added_subnets(pair: Pair, primary: VirtualNetwork, recovery: VirtualNetwork) -> tuple[Subnet, ...]:
    """The subnets to add to an existing copy because the pair asks for that."""
    is_asked_for = pair.copy and pair.copy.copy.add_subnets and not pair.managed_by
    return missing_subnets(primary, recovery, pair.copy) if pair.copy and is_asked_for else ()


def missing_subnets(primary: VirtualNetwork, recovery: VirtualNetwork, region: Region) -> tuple[Subnet, ...]:
    """The subnets that an existing copy lacks and has room for, as they would be made with the copy today."""
    if not is_copy(recovery):
        return ()
    names = {subnet.name.lower() for subnet in recovery.subnets}
    used = tuple(prefix for subnet in recovery.subnets for prefix in subnet.prefixes)
    missing = []
    for subnet in copy_of(primary, region).subnets:
        if subnet.name.lower() in names:
            continue
        with suppress(InputError):  # a prefix that is not a valid range does not fit anywhere
            is_inside = compare_address_spaces(subnet.prefixes, recovery.address_space) == "same"
            if is_inside and compare_address_spaces(subnet.prefixes, used) in {"differs", "unknown"}:
                missing.append(subnet)
    return tuple(missing)


def _subnets_change(pair: Pair, recovery: VirtualNetwork, added: Sequence[Subnet]) -> Change:
    """The change that adds subnets, one by one: a PUT of the whole network would delete every subnet that it omits."""
    names = ", ".join(subnet.name for subnet in added)
    new = [NetworkSubnet(id=recovery.id.child("subnets", subnet.name), subnet=subnet) for subnet in added]
    return Change.update(
        recovery,
        structs.replace(recovery, subnets=(*recovery.subnets, *added)),
        id=f"subnets:{recovery.id.key}",
        vault=pair.vault,
        reason=f"subnets {names} of {pair.primary.name} are missing in its copy",
        steps=tuple(Step(action="create", resource_id=subnet.id, after=subnet) for subnet in new),
        pair=pair.name,
        primary_network_id=pair.primary,
        recovery_network_id=recovery.id,
        owner=pair.owner,
    )


def left_behind(pair: Pair, primary: VirtualNetwork) -> Iterator[Finding]:
    """What a copy that is about to be made does not take over from its primary network."""
    if pair.copy is None:
        return
    settings = pair.copy.copy
    new = {subnet.name: subnet for subnet in copy_of(primary, pair.copy).subnets}
    copied = {subnet.name for subnet in copied_subnets(primary, settings)}
    missing = [*primary.attachments]
    for subnet in primary.subnets:
        if subnet.name not in copied:
            reason = "" if subnet.prefixes else ", which has no prefix"
            missing.append(f"subnet {subnet.name}{reason}")
            continue
        for attachment in subnet.attachments:
            is_replaced = (
                attachment.startswith("network security group") and new[subnet.name].network_security_group
            ) or (attachment.startswith("route table") and new[subnet.name].route_table)
            if not is_replaced:
                missing.append(f"{attachment} of subnet {subnet.name}")
        if subnet.delegation:
            missing.append(f"delegation of subnet {subnet.name} to {subnet.delegation}")
    if missing:
        message = f"the copy of {primary.name} is made without: {', '.join(missing)}"
        yield pair.finding(FindingKind.NOT_COPIED, message, subject=primary.id)
    if primary.dns_servers and settings.dns == "copy":
        yield pair.finding(
            FindingKind.COPIED_DNS,
            f"the copy of {primary.name} gets the primary's DNS servers {', '.join(primary.dns_servers)}: "
            "they must answer from the recovery region",
            subject=primary.id,
        )

"""The machines of a prediction: those that a vault protects, those of a list, or one for a whole subnet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from msgspec import Struct, structs

from asrnet.failover.network_names import Network, network_name
from asrnet.failover.rules import Notice, ReplicationKind, notice
from asrnet.failover.subnets import is_reserved
from asrnet.model.arm import VNET, ArmId, normal_location
from asrnet.model.azure import IpConfiguration, Nic, ProtectedItem, VmNetwork

_KINDS: Final[Mapping[str, ReplicationKind]] = {
    "a2a": "azure_to_azure",
    "hypervreplicaazure": "vmm_to_azure",
    "hypervreplica": "vmm_to_vmm",
    "hypervreplica2012": "vmm_to_vmm",
    "hypervreplica2012r2": "vmm_to_vmm",
    "inmageazurev2": "on_premises_to_azure",
    "inmagercm": "on_premises_to_azure",
}
"""The kind of replication by lower-case instance type. Machines of any other type are out of scope."""


class Replica(Struct, frozen=True, gc=False, kw_only=True):
    """What was done to a replica after failover: moved to ``network_id``, or disconnected if that is None."""

    network_id: ArmId | None = None


class Machine(Struct, frozen=True, gc=False, kw_only=True):
    """A machine to predict for.

    ``kind`` is how it is replicated; if it is None, its network's mapping decides. ``item_id`` and ``vault_id`` are its
    protected item and vault, None for a machine that is not protected yet. The fabrics and locations are where it runs
    now (``home``) and where it fails over to; they distinguish mappings of one network to several places.
    ``is_reversed``: it was re-protected after a failover, so its failover is the failback; with ``direction_unclear``
    that is unknown. ``replicas`` is what was done to each NIC's replica after failover. ``whole_subnet``: it stands for
    every machine of its subnet. ``notices`` apply to every prediction for the machine. ``unsupported_provider`` names a
    provider whose machines are not predicted.
    """

    name: str
    nics: tuple[Nic, ...]
    kind: ReplicationKind | None = None
    item_id: ArmId | None = None
    vault_id: ArmId | None = None
    home_fabric_id: ArmId | None = None
    recovery_fabric_id: ArmId | None = None
    home_location: str | None = None
    recovery_location: str | None = None
    recovery_plan: str = ""
    is_protected: bool = True
    failed_over: bool = False
    is_reversed: bool = False
    direction_unclear: bool = False
    between_zones: bool = False
    replicas: Mapping[str, Replica] = {}
    whole_subnet: bool = False
    notices: tuple[Notice, ...] = ()
    unsupported_provider: str = ""


def machines_of_items(items: Iterable[ProtectedItem]) -> tuple[Machine, ...]:
    """The machines that a vault protects. Networks that are set for a whole item are set on each of its NICs."""
    return tuple(map(_machine_of_item, items))


def machines_of_subnets(networks: Iterable[Network]) -> tuple[Machine, ...]:
    """One machine for every subnet that can contain machines, and for every VM network without subnets."""
    machines = []
    for network in networks:
        names: list[str | None] = [subnet.name for subnet in network.subnets if not is_reserved(subnet.name)]
        if isinstance(network, VmNetwork) and not network.subnets:
            names = [None]  # VM networks need no subnets, and have machines all the same.
        for name in names:
            configuration = IpConfiguration(name="", subnet=name)
            nic = Nic(name=name or "", primary_network_id=network.id, ip_configurations=(configuration,))
            machines.append(Machine(name=network_name(network), nics=(nic,), whole_subnet=True))
    return tuple(machines)


def _machine_of_item(item: ProtectedItem) -> Machine:
    network_id = next((nic.primary_network_id for nic in item.nics if nic.primary_network_id), None)
    kind = _KINDS.get(item.provider.lower())
    is_supported = kind is not None or not item.provider
    if kind == "azure_to_azure" and network_id is not None and network_id.type != VNET:
        kind = None  # an Azure machine is never on a VM network, so its mapping must decide
    elif kind is None and is_supported and network_id is not None and network_id.type == VNET:
        kind = "azure_to_azure"
    home = normal_location(item.primary_location or "") or None
    recovery = normal_location(item.recovery_location or "") or None
    is_protected = item.state.lower() == "protected"
    # Recorded: between regions a re-protected machine is Protected and Primary again, so that only its initial location
    # shows the re-protection. There is no recording of an on-premises machine; a Protected one on the recovery side is
    # assumed to be re-protected.
    is_reversed = item.is_reversed or (kind != "azure_to_azure" and item.has_failed_over and is_protected)
    return Machine(
        name=item.friendly_name or item.id.name,
        item_id=item.id,
        # The settings of the item apply to NICs that have none of their own. Source: Customize networking
        # configurations of the target Azure VM.
        nics=tuple(
            structs.replace(
                nic,
                recovery_network_id=nic.recovery_network_id or item.recovery_network_id,
                test_network_id=nic.test_network_id or item.test_network_id,
            )
            for nic in item.nics
        ),
        kind=kind,
        vault_id=item.vault_id,
        home_fabric_id=item.fabric_id,
        recovery_fabric_id=item.recovery_fabric_id,
        home_location=home,
        recovery_location=recovery,
        is_protected=is_protected,
        failed_over=item.has_failed_over,
        is_reversed=is_reversed,
        direction_unclear=kind == "azure_to_azure" and item.direction_unclear,
        # Vaults set up in the portal have one fabric for both zones of a region.
        between_zones=kind == "azure_to_azure"
        and (home == recovery if home and recovery else item.recovery_fabric_id == item.fabric_id),
        notices=_notices_of_item(item, is_protected=is_protected),
        unsupported_provider="" if is_supported else item.provider,
    )


def _notices_of_item(item: ProtectedItem, *, is_protected: bool) -> tuple[Notice, ...]:
    notices = []
    if item.active_location.lower() not in {"primary", "recovery"}:
        word = f"'{item.active_location}'" if item.active_location else "not known"
        message = f"the location of the machine is {word}: it is predicted as one that has not failed over"
        notices.append(notice("location_unclear", message))
    # A machine that has failed over stays in a state other than Protected until it is re-protected.
    if not is_protected and not item.has_failed_over:
        state = f"in the state {item.state}" if item.state else "in an unknown state"
        notices.append(notice("not_protected", f"the machine is {state}, not Protected: it cannot fail over now"))
    return tuple(notices)

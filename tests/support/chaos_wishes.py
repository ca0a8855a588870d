"""The mappings that a chaos scene declares, computed without asrnet's planner."""

from __future__ import annotations

from collections.abc import Iterator

from chaos import COPIES, Scene, Site
from msgspec import Struct

from asrnet.desired import VmNetworkName
from asrnet.model.arm import ArmId

Way = tuple[ArmId, ArmId]


class Wish(Struct, frozen=True, kw_only=True):
    """A declared mapping. ``copied``: asrnet creates its recovery network if needed."""

    way: Way
    pair: str
    is_reverse: bool = False
    of_rule: bool = False
    copied: bool = False
    external: bool = False


def wishes_of(scene: Scene, site: Site) -> Iterator[Wish]:
    """The mappings declared for a vault."""
    for row in scene.desired.pairs:
        if row.vault == site.name:
            ends = (row.primary, row.recovery or copy_of(row.primary))
            yield from _both(ends, row.name, row.failback, copied=row.recovery is None, external=bool(row.managed_by))
    for vmm_row in scene.desired.vmm_pairs:
        if vmm_row.vault == site.name:
            called = {network.friendly_name: network.id for network in (*site.near, *site.far)}
            to_azure = not isinstance(vmm_row.recovery, VmNetworkName)
            recovery = (
                called[vmm_row.recovery.network] if isinstance(vmm_row.recovery, VmNetworkName) else vmm_row.recovery
            )
            ends = (called[vmm_row.primary.network], recovery)
            yield from _both(ends, vmm_row.name, not to_azure, external=bool(vmm_row.managed_by))
    for network in scene.auto if scene.desired.rules and site is scene.sites[0] else ():
        yield from _both(
            (network.id, copy_of(network.id)), f"auto/{network.name}", failback=True, copied=True, of_rule=True
        )


def _both(
    ends: Way, pair: str, failback: bool, *, copied: bool = False, of_rule: bool = False, external: bool = False
) -> Iterator[Wish]:
    yield Wish(way=ends, pair=pair, copied=copied, of_rule=of_rule, external=external)
    if failback:
        back = (ends[1], ends[0])
        yield Wish(way=back, pair=pair, is_reverse=True, copied=copied, of_rule=of_rule, external=external)


def copy_of(network: ArmId) -> ArmId:
    """The id of a network's copy."""
    return ArmId(
        f"/subscriptions/{network.subscription}/resourceGroups/{COPIES}"
        f"/providers/Microsoft.Network/virtualNetworks/{network.name}-asr"
    )

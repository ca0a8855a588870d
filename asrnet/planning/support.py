"""The fabrics and networks that a plan creates so that its mappings have something to map."""

from __future__ import annotations

from collections.abc import Sequence

from asrnet.desired import Vault
from asrnet.desired.pairs import copy_of
from asrnet.inventory.read import Absent, Inventory
from asrnet.model.azure import Fabric, VirtualNetwork
from asrnet.model.plan import Change, Step
from asrnet.planning.view import VaultView
from asrnet.planning.wants import PairWants


def new_fabrics(wants: Sequence[PairWants], view: VaultView) -> tuple[Fabric, ...]:
    """The fabrics that ``wants`` need and the vault lacks, named the way the portal names them."""
    regional = [known.forward for known in wants if known.pair.kind == "azure_to_azure" and not known.pair.managed_by]
    places = {side.place for forward in regional for side in (forward.primary, forward.recovery)}
    taken = {fabric.name.lower() for fabric in view.inventory.fabrics}
    fabrics = []
    for place in sorted(places - view.fabrics.keys()):
        name = f"asr-a2a-default-{place}"
        while name in taken:
            name += "-1"
        fabrics.append(Fabric(id=view.vault.id.child("replicationFabrics", name), kind="azure", location=place))
    return tuple(fabrics)


def new_networks(wants: Sequence[PairWants], inventory: Inventory) -> list[tuple[VirtualNetwork, PairWants]]:
    """The copies that ``wants`` need and that do not exist, with the pair that asks for each."""
    copies = {}
    for known in wants:
        pair = known.pair
        if pair.copy and pair.recovery and not pair.managed_by and isinstance(inventory.network(pair.recovery), Absent):
            copies[pair.recovery] = (copy_of(inventory.networks[pair.primary], pair.copy), known)
    return list(copies.values())


def fabric_change(vault: Vault, fabric: Fabric) -> Change:
    """The change that creates a fabric."""
    return Change(
        id=f"{vault.name}:fabric:{fabric.location}",
        action="create",
        kind="fabric",
        vault=vault.name,
        pair=None,
        direction=None,
        name=fabric.name,
        resource_id=fabric.id,
        primary_network_id=None,
        recovery_network_id=None,
        before=None,
        after=fabric,
        reason=f"the vault has no fabric for {fabric.location}",
        steps=(Step(action="create", resource_id=fabric.id, after=fabric),),
    )


def network_change(vault: Vault, network: VirtualNetwork, wants: PairWants) -> Change:
    """The change that creates a copy."""
    return Change(
        id=f"network:{network.id.key}",
        action="create",
        kind="virtual_network",
        vault=vault.name,
        pair=wants.pair.name,
        direction=None,
        name=network.name,
        resource_id=network.id,
        primary_network_id=wants.pair.primary,
        recovery_network_id=network.id,
        before=None,
        after=network,
        reason=f"a copy of {wants.pair.primary.name}, as the pair asks for",
        steps=(Step(action="create", resource_id=network.id, after=network),),
        owner=wants.pair.owner,
    )

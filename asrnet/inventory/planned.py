"""The inventory as it will be once a plan is applied, without asking Azure: each change of the plan laid over it."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import structs

from asrnet.inventory.read import Inventory, Unknown, VaultInventory
from asrnet.model.azure import Fabric, NetworkMapping, NetworkSubnet, VirtualNetwork
from asrnet.model.machine_networks import MachineNetworks, updated
from asrnet.model.plan import Change, Step


def inventory_after(inventory: Inventory, changes: Iterable[Change]) -> Inventory:
    """``inventory`` with all ``changes`` made, as if none failed. What could not be read stays unknown."""
    networks, missing = dict(inventory.networks), dict(inventory.missing)
    steps: dict[str, list[Step]] = {}
    for change in changes:
        for step in change.steps:
            if isinstance(step.after, VirtualNetwork):
                networks[step.after.id] = step.after
                missing.pop(step.after.id, None)
            elif isinstance(step.after, NetworkSubnet):
                # Read from ``networks``, not from the inventory: an earlier step may have added a subnet already.
                network = networks[step.after.network_id]
                networks[network.id] = structs.replace(network, subnets=(*network.subnets, step.after.subnet))
            else:
                steps.setdefault(change.vault, []).append(step)
    vaults = {name: _vault_after(vault, steps.get(name, ())) for name, vault in inventory.vaults.items()}
    return structs.replace(inventory, networks=networks, missing=missing, vaults=vaults)


def _vault_after(vault: VaultInventory, steps: Iterable[Step]) -> VaultInventory:
    fabrics = list(vault.fabrics)
    mappings = {mapping.id: mapping for mapping in vault.mappings}
    items = {item.id: item for item in (() if isinstance(vault.items, Unknown) else vault.items)}
    for step in steps:
        if isinstance(step.after, Fabric):
            fabrics.append(step.after)
        elif isinstance(step.after, NetworkMapping):
            mappings[step.resource_id] = step.after
        elif isinstance(step.after, MachineNetworks) and step.resource_id in items:
            items[step.resource_id] = updated(items[step.resource_id], step.after)
        elif step.action == "delete":
            mappings.pop(step.resource_id, None)
    return structs.replace(
        vault,
        fabrics=tuple(fabrics),
        mappings=tuple(mappings.values()),
        items=vault.items if isinstance(vault.items, Unknown) else tuple(items.values()),
    )

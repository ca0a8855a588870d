"""What was read of the real Azure, as a world: plan and predict with it when the region is down, or tomorrow."""

from __future__ import annotations

from collections.abc import Iterator

from asrnet.clocks import SystemClock
from asrnet.fake.records import ResourceGroup, VaultResource
from asrnet.fake.seeding import Seed, seed
from asrnet.fake.world import World
from asrnet.inventory import Absent, Inventory, Unknown, VaultInventory


def world_of(inventory: Inventory) -> World:
    """A world in which everything of ``inventory`` is as it was read; what could not be read is not there."""
    world = World(clock=SystemClock())
    seed(world, *inventory.networks.values(), *_empty_groups(inventory))
    for vault in inventory.vaults.values():
        if vault.error is None:
            seed(world, *_vault(vault))
    return world


def unread(inventory: Inventory) -> tuple[str, ...]:
    """What a snapshot lacks because it could not be read, and why."""
    problems = {
        **{f"vault {vault.name}": vault.error for vault in inventory.vaults.values() if vault.error},
        **{f"subscription {name}": error for name, error in inventory.subscriptions.items()},
        **{str(name): state.error for name, state in inventory.missing.items() if isinstance(state, Unknown)},
    }
    return tuple(f"{what}: {error}" for what, error in problems.items())


def _empty_groups(inventory: Inventory) -> Iterator[ResourceGroup]:
    """Groups that are known to exist because they lack a network that was asked for."""
    for network_id, state in inventory.missing.items():
        if isinstance(state, Absent) and not state.no_group:
            yield ResourceGroup(id=network_id.parent)


def _vault(vault: VaultInventory) -> Iterator[Seed]:
    yield VaultResource(id=vault.id, location=vault.location or "unknown")
    yield from vault.fabrics
    yield from vault.mappings
    yield from () if isinstance(vault.items, Unknown) else vault.items
    yield from () if isinstance(vault.running_jobs, Unknown) else vault.running_jobs

"""The work that is measured: some number of pairs in one vault, all mapped or none, and their desired state."""

from __future__ import annotations

from msgspec import Struct

from asrnet.clocks import SystemClock
from asrnet.desired import DesiredState, Region, Row, Vault, dump_desired
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.builder import SUBSCRIPTION, Builder
from asrnet.model.arm import ArmId
from asrnet.ports import Clock

HERE, THERE = "eastasia", "southeastasia"
VAULT_ID = ArmId(
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-dr/providers/Microsoft.RecoveryServices/vaults/vault-dr"
)
NETWORKS = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Network/virtualNetworks"
FABRICS = {place: f"asr-a2a-default-{place}" for place in (HERE, THERE)}


class Conditions(Struct, frozen=True, kw_only=True):
    """How the emulator answers: its latency and the time of an operation in seconds, and its Retry-After."""

    latency: float = 0.05
    operation: float = 3.0
    retry_after: int = 30

    def __str__(self) -> str:
        latency = f"{self.latency * 1000:g} ms latency"
        return f"{latency}, operations of {self.operation:g} s, Retry-After {self.retry_after}"


def network_id(number: int, place: str) -> ArmId:
    """The network of a pair in one of the two regions."""
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-network"
    return ArmId(f"{group}/providers/Microsoft.Network/virtualNetworks/App{number}{'' if place == HERE else '-asr'}")


def world(
    pairs: int, *, mapped: bool, conditions: Conditions, clock: Clock | None = None, machines: int = 0
) -> Builder:
    """A world with the networks of ``pairs`` pairs, with their mappings if they are ``mapped``, and with machines."""
    operations = f"time:{conditions.operation:g}" if conditions.operation else "immediate"
    behaviour = Behaviour(operations=operations, latency=conditions.latency, retry_after=conditions.retry_after)
    build = Builder(clock=clock or SystemClock(), behaviour=behaviour)
    vault = build.vault("vault-dr", "westus", group="rg-dr")
    fabrics = {place: build.azure_fabric(vault, place) for place in (HERE, THERE)}
    for number in range(pairs):
        near, far = (
            build.virtual_network(
                network_id(number, place).name,
                place,
                group="rg-network",
                address_space=("10.0.0.0/16",),
                subnets={"web": "10.0.1.0/24"},
            )
            for place in (HERE, THERE)
        )
        if mapped:
            build.pair(fabrics[HERE], near, fabrics[THERE], far)
    for number in range(machines):
        near, far = (build.world.virtual_networks.get(network_id(number % pairs, place)) for place in (HERE, THERE))
        nic = build.nic("nic0", near, subnet="web", ip=f"10.0.1.{4 + number % 250}", recovery=far)
        build.protected_item(f"vm{number}", fabrics[HERE], fabrics[THERE], nic)
    return build


def desired(pairs: int) -> DesiredState:
    """The desired state of that world: every pair is to be mapped both ways."""
    rows = (
        Row(name=f"app{number}", vault="dr", primary=network_id(number, HERE), recovery=network_id(number, THERE))
        for number in range(pairs)
    )
    return DesiredState(
        subscriptions={"prod": SUBSCRIPTION},
        vaults=(Vault(name="dr", id=VAULT_ID),),
        regions=(Region(primary=HERE, recovery=THERE),),
        pairs=tuple(rows),
    )


def desired_file(pairs: int) -> str:
    """The same as a file."""
    return dump_desired(desired(pairs))

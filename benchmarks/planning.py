"""How planning grows: from 1,000 to 100,000 mappings, its time on one core, its memory, and the exponent between sizes.

    python benchmarks/planning.py [--repeats N]

Each figure comes from a process of its own. ``in sync``: everything is as declared. ``drifted``: of every ten pairs one
is missing, one lacks its reverse mapping and one points elsewhere. ``new``: nothing is mapped yet. An exponent of 1 is
linear; ``MB`` is the peak of the whole process, inventory and plan included.
"""

from __future__ import annotations

import argparse
import gc
import json
import math
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence

from asrnet.desired import DesiredState, Region, Row, Vault
from asrnet.inventory.read import Inventory, VaultInventory
from asrnet.model.arm import VAULT, ArmId, arm_id, expect
from asrnet.model.azure import Fabric, NetworkMapping, Subnet, VirtualNetwork
from asrnet.planning import plan

GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg"
VAULT_ID = expect(ArmId(f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/vault"), VAULT, "a vault")
HERE, THERE = "eastasia", "southeastasia"
SIZES = (1_000, 10_000, 100_000)
STATES = ("in sync", "drifted", "new")


def network_text(number: int, place: str) -> str:
    """The id of a network, spelled as Microsoft.Network spells it."""
    return f"{GROUP}/providers/Microsoft.Network/virtualNetworks/App-{number}-{place}"


def network(number: int, place: str) -> VirtualNetwork:
    """A network with one subnet."""
    return VirtualNetwork(
        id=ArmId(network_text(number, place)),
        location=place,
        address_space=("10.0.0.0/16",),
        subnets=(Subnet(name="web", prefixes=("10.0.1.0/24",)),),
    )


def mapping(number: int, place: str, target: str) -> NetworkMapping:
    """The mapping of a network in ``place`` to ``target``, its networks in lower case as Site Recovery has them."""
    other = THERE if place == HERE else HERE
    fabric = f"{VAULT_ID}/replicationFabrics/asr-a2a-default-"
    path = "replicationNetworks/azureNetwork/replicationNetworkMappings"
    return NetworkMapping(
        id=ArmId(f"{fabric}{place}/{path}/App-{number}-{place}-to-App-{number}-{other}"),
        kind="azure_to_azure",
        primary_network_id=arm_id(network_text(number, place).lower()),
        recovery_network_id=arm_id(target.lower()),
        recovery_fabric_id=arm_id(f"{fabric}{other}"),
        primary_location=place,
        recovery_location=other,
    )


def mappings(pairs: int, state: str) -> Iterator[NetworkMapping]:
    """The live mappings of a vault in which ``pairs`` are declared."""
    for number in range(0 if state == "new" else pairs):
        case = number % 10 if state == "drifted" else -1
        if case == 0:
            continue
        yield mapping(number, HERE, network_text(number - 1 if case == 2 else number, THERE))
        if case != 1:
            yield mapping(number, THERE, network_text(number, HERE))


def scene(pairs: int, state: str) -> tuple[DesiredState, Inventory]:
    """The desired state and the inventory."""
    vault = Vault(name="vault", id=VAULT_ID)
    rows = tuple(
        Row(
            name=f"app-{number}",
            vault="vault",
            primary=ArmId(network_text(number, HERE)),
            recovery=ArmId(network_text(number, THERE)),
        )
        for number in range(pairs)
    )
    fabrics = tuple(
        Fabric(id=VAULT_ID.child("replicationFabrics", f"asr-a2a-default-{place}"), kind="azure", location=place)
        for place in (HERE, THERE)
    )
    networks = [network(number, place) for number in range(pairs) for place in (HERE, THERE)]
    known = VaultInventory(
        name="vault", id=VAULT_ID, location="westus", fabrics=fabrics, mappings=tuple(mappings(pairs, state))
    )
    return (
        DesiredState(vaults=(vault,), regions=(Region(primary=HERE, recovery=THERE),), pairs=rows),
        Inventory(
            read_at=1_767_225_600.0,
            vaults={"vault": known},
            networks={each.id: each for each in networks},
            missing={},
            subscriptions={},
        ),
    )


def measure_here(size: int, state: str, repeats: int) -> dict[str, float]:
    """The best processor time of planning ``size`` mappings, in this process."""
    desired, inventory = scene(size // 2, state)
    best = math.inf
    changes = 0
    for _ in range(repeats):
        gc.collect()
        began = time.process_time()
        found = plan(desired, inventory)
        best = min(best, time.process_time() - began)
        changes = len(found.changes)
        del found
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": best, "megabytes": peak, "changes": changes}


def measured(size: int, state: str, repeats: int) -> dict[str, float]:
    """The same in a process of its own, whose memory nobody else has used."""
    words = [sys.executable, __file__, "--one", state, "--size", str(size), "--repeats", str(repeats)]
    found: dict[str, float] = json.loads(subprocess.run(words, check=True, capture_output=True).stdout)
    return found


def rows(repeats: int, sizes: Sequence[int] = SIZES) -> Iterator[tuple[str, int, dict[str, float], float]]:
    """State, size, figures and exponent of each measurement."""
    for state in STATES:
        before: tuple[int, float] | None = None
        for size in sizes:
            found = measured(size, state, repeats)
            seconds = found["seconds"]
            exponent = math.log(seconds / before[1], size / before[0]) if before else math.nan
            yield state, size, found, exponent
            before = size, seconds


def main() -> None:
    """Print a line for each state and size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--one", choices=STATES, help=argparse.SUPPRESS)
    parser.add_argument("--size", type=int, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(measure_here(given.size, given.one, given.repeats)))
        return
    print(f"{'state':<8} {'mappings':>9} {'changes':>8} {'CPU s':>7} {'us each':>8} {'MB':>5} {'exponent':>9}")
    for state, size, found, exponent in rows(given.repeats):
        seconds = found["seconds"]
        figures = f"{found['changes']:>8,.0f} {seconds:>7.3f} {seconds / size * 1e6:>8.1f} {found['megabytes']:>5.0f}"
        print(f"{state:<8} {size:>9,} {figures} {exponent:>9.2f}", flush=True)


if __name__ == "__main__":
    main()

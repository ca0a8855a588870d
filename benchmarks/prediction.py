"""How prediction grows: 1,000, 10,000 and 100,000 NICs, their time on one core, and the exponent between sizes.

    python benchmarks/prediction.py [--repeats N]

Three quarters of the machines fail over to subnets of the same address space, where every tenth address is taken; a
quarter changes its address space. An exponent of 1 is linear.
"""

from __future__ import annotations

import argparse
import gc
import math
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from ipaddress import IPv4Address

from asrnet.failover import Machine, NetworkNames, Operation, Prediction, parse_machines, simulate
from asrnet.model.arm import ArmId
from asrnet.model.azure import IpConfiguration, NetworkMapping, Nic, Subnet, VirtualNetwork

GROUP = "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg"
VAULT = ArmId(f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/vault")
OPERATIONS: tuple[Operation, ...] = ("failover", "test-failover", "failback")
SIZES = (1_000, 10_000, 100_000)
PER_SUBNET = 3_000
SUBNETS = 34
LOWEST = 504
FIRST = int(IPv4Address("10.0.0.0"))
MOVED = int(IPv4Address("172.16.0.0"))


def network(name: str, base: int, used: range = range(0)) -> VirtualNetwork:
    """A network of /20 subnets from ``base`` on, in each of which the addresses at ``used`` are in use."""
    starts = [base + index * 4096 for index in range(SUBNETS)]
    return VirtualNetwork(
        id=ArmId(f"{GROUP}/providers/Microsoft.Network/virtualNetworks/{name}"),
        location="eastus",
        address_space=(f"{IPv4Address(base)}/8",),
        subnets=tuple(
            Subnet(
                name=f"subnet{index}",
                prefixes=(f"{IPv4Address(start)}/20",),
                used=len(used),
                used_ips=tuple(str(IPv4Address(start + offset)) for offset in used),
            )
            for index, start in enumerate(starts)
        ),
    )


def mapping(primary: VirtualNetwork, recovery: VirtualNetwork) -> NetworkMapping:
    """The mapping from one network to the other."""
    fabric = VAULT.child("replicationFabrics", primary.name)
    return NetworkMapping(
        id=fabric.child("replicationNetworks", "azureNetwork", "replicationNetworkMappings", primary.name),
        kind="azure_to_azure",
        primary_network_id=primary.id,
        recovery_network_id=recovery.id,
    )


def machine(number: int, home: VirtualNetwork, base: int) -> Machine:
    """The machine with this number, at the address that belongs to it."""
    subnet, offset = divmod(number, PER_SUBNET)
    address = str(IPv4Address(base + subnet * 4096 + LOWEST + offset))
    configuration = IpConfiguration(subnet=f"subnet{subnet}", ip=address, ip_type="Static")
    nic = Nic(name="nic0", primary_network_id=home.id, ip_configurations=(configuration,))
    return Machine(name=f"vm{number}", nics=(nic,))


def timed(call: Callable[[], Prediction], repeats: int) -> tuple[float, Prediction]:
    """The best time of ``call`` in seconds, and its last answer."""
    best, answer = math.inf, None
    for _ in range(repeats):
        gc.collect()
        began = time.perf_counter()
        answer = call()
        best = min(best, time.perf_counter() - began)
    assert answer is not None
    return best, answer


def measured(
    operation: Operation, repeats: int, sizes: Sequence[int] = SIZES
) -> Iterator[tuple[int, float, float, Prediction]]:
    """Size, seconds, exponent and the answer of each measurement."""
    same = network("same", FIRST), network("same-asr", FIRST, range(LOWEST, LOWEST + PER_SUBNET, 10))
    moved = network("moved", FIRST), network("moved-asr", MOVED)
    networks = {each.id: each for each in (*same, *moved)}
    mappings = [mapping(*same), mapping(*same[::-1]), mapping(*moved), mapping(*moved[::-1])]
    before: tuple[int, float] | None = None
    for size in sizes:
        machines = [machine(n, moved[0] if n % 4 == 0 else same[0], FIRST) for n in range(size)]
        call = partial(simulate, machines, networks=networks, mappings=mappings, operation=operation)
        seconds, answer = timed(call, repeats)
        exponent = math.log(seconds / before[1], size / before[0]) if before else math.nan
        yield size, seconds, exponent, answer
        before = size, seconds


def measure(operation: Operation, repeats: int) -> None:
    """Print a line per size."""
    for size, seconds, exponent, answer in measured(operation, repeats):
        counts = answer.summary
        print(
            f"{operation:<14} {size:>8,} {seconds:>9.3f} {seconds / size * 1e6:>7.1f} {exponent:>9.2f}   "
            f"{counts.keeps_address:,} / {counts.changes_address:,} / {counts.loses_connectivity:,}"
        )


def measure_list(size: int) -> None:
    """Print how long a CSV list takes to read."""
    home = network("same", FIRST)
    configurations = [each.nics[0].ip_configurations[0] for each in (machine(n, home, FIRST) for n in range(size))]
    rows = "\n".join(f"vm{n},same,{one.subnet},{one.ip},static" for n, one in enumerate(configurations))
    text = f"name,primary_network,subnet,ip,ip_type\n{rows}\n"
    began = time.perf_counter()
    parse_machines(text, NetworkNames([home]), source="machines.csv", is_csv=True)
    print(f"reading a CSV list of {size:,} machines: {time.perf_counter() - began:.2f} s")


def main() -> None:
    """Measure every operation, and the reading of a list."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=3)
    repeats = parser.parse_args().repeats
    print(f"{'operation':<14} {'NICs':>8} {'seconds':>9} {'us/NIC':>7} {'exponent':>9}   kept / changed / lost")
    for operation in OPERATIONS:
        measure(operation, repeats)
    measure_list(SIZES[-1])


if __name__ == "__main__":
    main()

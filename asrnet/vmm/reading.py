"""The topology of a vault, read through the ports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from functools import partial
from typing import TypeVar

from asrnet.clocks import Bounded
from asrnet.model.arm import ArmId
from asrnet.model.azure import Fabric
from asrnet.ports import Backend
from asrnet.vmm.topology import Topology
from asrnet.vmm.vault import topology_of_vault

T = TypeVar("T")


def read_topology_of_vault(vault_id: ArmId, fabrics: Iterable[Fabric], backend: Backend, reads: Bounded) -> Topology:
    """What Site Recovery tells of the VMM servers among ``fabrics``. Raises the first error of the lists."""
    port = backend.vmm
    vmm = [fabric for fabric in fabrics if fabric.kind == "vmm"]
    networks = [reads.start(partial(_listed, port.vm_networks, fabric.id)) for fabric in vmm]
    logical = [reads.start(partial(_listed, port.logical_networks, fabric.id)) for fabric in vmm]
    clouds = [reads.start(partial(_listed, port.clouds, fabric.id)) for fabric in vmm]
    mappings = reads.start(partial(_listed, port.cloud_mappings, vault_id))
    return topology_of_vault(
        vmm,
        networks=_all(networks, reads),
        logical_networks=_all(logical, reads),
        clouds=_all(clouds, reads),
        cloud_mappings=_all([mappings], reads),
        links={fabric.id: backend.vmm_links(fabric.id) for fabric in vmm},
    )


def _listed(read_list: Callable[[ArmId], Iterable[T]], scope: ArmId) -> tuple[T, ...]:
    return tuple(read_list(scope))


def _all(futures: Sequence[Future[tuple[T, ...]]], reads: Bounded) -> list[T]:
    reads.settle(futures)
    return [element for future in futures for element in future.result()]

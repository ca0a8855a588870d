"""Two on-premises sites, Beijing and Shanghai, besides the two regions: for tests of VMM networks."""

from __future__ import annotations

from typing import Any

from msgspec import structs
from states import TwoRegions

from asrnet.desired import DesiredState, VmmRow, VmNetworkName
from asrnet.model.azure import Fabric, VmNetwork


class TwoSites(TwoRegions):
    """Beijing and Shanghai, a VMM server and two VM networks each."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.beijing, self.shanghai = (
            self.build.vmm_fabric(self.vault, f"VMM-{site}") for site in ("Beijing", "Shanghai")
        )
        self.nets: dict[str, VmNetwork] = {}
        for fabric, site in ((self.beijing, "Beijing"), (self.shanghai, "Shanghai")):
            for number in (1, 2):
                name = f"VMNetwork{number}-{site}"
                self.nets[name] = self.build.vm_network(fabric, name)

    def fabric_of(self, name: str) -> Fabric:
        """The VMM server of a network."""
        return self.beijing if name.endswith("Beijing") else self.shanghai

    def rows(self, *rows: VmmRow) -> DesiredState:
        """A desired state of VMM rows."""
        return structs.replace(self.state(), vmm_pairs=rows)


def vmm_row(primary: str, recovery: str, *, name: str = "vm1") -> VmmRow:
    near, far = primary.split("/"), recovery.split("/")
    return VmmRow(
        name=name,
        vault="sea",
        primary=VmNetworkName(server=near[0], network=near[1]),
        recovery=VmNetworkName(server=far[0], network=far[1]),
    )

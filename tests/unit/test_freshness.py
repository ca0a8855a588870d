"""What makes a saved plan stale, and what does not."""

from __future__ import annotations

from msgspec import structs
from states import EA, SEA, TwoRegions, row

from asrnet.desired import Vault
from asrnet.fake.faults import Fault
from asrnet.model.azure import Subnet, VirtualNetwork
from asrnet.model.plan import Observed, Plan
from asrnet.planning.staleness import changes_between, moved_since


def changed(azure: TwoRegions, network: VirtualNetwork) -> tuple[str, ...]:
    """What has changed for a plan made before ``network``."""
    dr = azure.network("dr", SEA)
    plan = azure.plan(azure.state(row(azure.network("hub"), dr)))
    azure.build.add(network)
    return tuple(moved_since(plan, azure.backend).get("sea", ()))


def test_addresses_that_come_and_go_make_no_plan_stale() -> None:
    azure = TwoRegions()
    hub = azure.network("hub")
    busier = tuple(structs.replace(subnet, used=7, used_ips=("10.0.1.9",)) for subnet in hub.subnets)
    assert changed(azure, structs.replace(hub, subnets=busier)) == ()


def test_a_new_subnet_makes_a_plan_stale_and_is_reported() -> None:
    azure = TwoRegions()
    hub = azure.network("hub")
    wider = structs.replace(hub, subnets=(*hub.subnets, Subnet(name="db", prefixes=("10.0.2.0/24",))))
    assert [line.split(":")[0] for line in changed(azure, wider)] == ["network hub (pair hub) has changed"]


def test_a_new_mapping_makes_a_plan_stale_and_is_named() -> None:
    azure = TwoRegions()
    plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
    azure.map(azure.network("else"), azure.network("where", SEA), name="by-hand")
    assert [line.split(":")[0] for line in moved_since(plan, azure.backend)["sea"]] == ["mapping by-hand has appeared"]


def test_a_moved_mapping_is_described_by_the_names_of_its_networks() -> None:
    azure = TwoRegions()
    hub, dr = azure.network("hub"), azure.network("dr", SEA)
    azure.map(hub, azure.network("old-dr", SEA), name="hub-out")
    back = azure.map(azure.network("old-dr", SEA), hub, name="hub-back")
    plan = azure.plan(azure.state(row(hub, dr)))
    azure.map(hub, dr, name="hub-out")
    azure.backend.mapping_writer.delete_mapping(back.id)
    assert moved_since(plan, azure.backend)["sea"] == (
        "mapping hub-out (pair hub) has changed: was hub -> old-dr (Paired), is hub -> dr (Paired)",
        "mapping hub-back (pair hub) is gone: was old-dr -> hub (Paired)",
    )


def test_a_vault_that_can_no_longer_be_read_counts_as_changed() -> None:
    azure = TwoRegions()
    beside = azure.build.vault("beside", "westus")
    for place in (EA, SEA):
        azure.build.azure_fabric(beside, place)
    desired = azure.state(row(azure.network("hub"), azure.network("dr", SEA)))
    other = structs.replace(desired.pairs[0], name="other", vault="beside")
    vaults = (*desired.vaults, Vault(name="beside", id=beside.id))
    plan = azure.plan(structs.replace(desired, vaults=vaults, pairs=(*desired.pairs, other)))
    azure.world.faults.add(Fault(effect="refused", method="GET", path=f"*{azure.vault.id.name}*", times=0, status=403))
    found = moved_since(plan, azure.backend)
    assert [line.partition(":")[0] for line in found["sea"]] == ["the vault cannot be read"]
    assert "beside" not in found


def test_a_new_fabric_makes_a_plan_stale() -> None:
    azure = TwoRegions()
    plan = azure.plan(azure.state(row(azure.network("hub"), azure.network("dr", SEA))))
    azure.build.azure_fabric(azure.vault, "westus")
    assert [line.partition(":")[0] for line in moved_since(plan, azure.backend)["sea"]] == [
        "fabric asr-a2a-default-westus has appeared"
    ]


def test_a_mapping_moved_to_a_network_of_the_same_name_is_described_by_full_ids() -> None:
    old, new = (f"subscriptions/1/resourcegroups/{group}/virtualnetworks/dr (Paired)" for group in ("a", "b"))
    before = Observed(vault="sea", vault_id=TwoRegions().vault.id, mappings={"x/hub-out": old}, networks={}, fabrics={})
    now = structs.replace(before, mappings={"x/hub-out": new})
    assert changes_between(before, now, Plan()) == (f"mapping hub-out has changed: was {old}, is {new}",)

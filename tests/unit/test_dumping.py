"""What a dump says about what it omits."""

from __future__ import annotations

from datetime import date

from msgspec import structs
from states import EA, SEA, TwoRegions, row

from asrnet.desired import DesiredState, Freeze, Ignore, Match, Rule
from asrnet.export import first_file
from asrnet.export.desired import Dump, export_desired
from asrnet.fake.builder import SUBSCRIPTION
from asrnet.inventory.read import extended, mapped_networks, read_inventory
from asrnet.model.arm import ArmId


def test_a_mapping_whose_networks_are_gone_is_left_out_with_both_named() -> None:
    azure = TwoRegions()
    x, y = azure.network("x"), azure.network("y", SEA)
    azure.map(x, y)
    azure.world.virtual_networks.delete(x.id)
    azure.world.virtual_networks.delete(y.id)
    desired = azure.state(row(azure.network("hub"), azure.network("dr", SEA)))
    left_out = export_desired(read_inventory(desired, azure.backend), desired).left_out
    assert [line.partition(": ")[2] for line in left_out] == ["x and y do not exist"]


def test_a_mapping_that_is_left_out_stays_a_comment_whatever_its_name() -> None:
    text = Dump(desired=DesiredState(), left_out=("mapping a\nvaults: {}",)).text()
    assert text.splitlines()[0] == "# left out: mapping a\\nvaults: {}"


def classic(name: str) -> ArmId:
    return ArmId(
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/old/providers/Microsoft.ClassicNetwork/virtualNetworks/{name}"
    )


def dumped(azure: TwoRegions, *, accept_halves: bool = False) -> Dump:
    nothing = azure.state()
    found = read_inventory(nothing, azure.backend)
    return export_desired(extended(found, azure.backend, mapped_networks(found)), nothing, accept_halves=accept_halves)


def test_a_half_pair_is_written_as_a_pair_and_its_reverse_is_in_the_next_plan() -> None:
    azure = TwoRegions()
    azure.map(azure.network("a"), azure.network("b", SEA))
    dump = dumped(azure)
    assert dump.text().startswith("# half: a has one mapping only; the next plan creates the other\n")
    assert [(change.action, change.direction) for change in azure.plan(dump.desired).changes] == [("create", "reverse")]


def test_an_accepted_half_pair_stays_half_with_a_comment() -> None:
    azure = TwoRegions()
    azure.map(azure.network("a"), azure.network("b", SEA))
    dump = dumped(azure, accept_halves=True)
    assert "half, and accepted as such: a has one mapping only, so machines cannot fail back" in dump.text()
    assert "failback: none" in dump.text()
    assert azure.plan(dump.desired).changes == ()


def test_of_half_pairs_that_share_a_recovery_network_one_gets_the_reverse() -> None:
    azure = TwoRegions()
    hub = azure.network("hub", SEA)
    azure.map(azure.network("a"), hub)
    azure.map(azure.network("c"), hub)
    dump = dumped(azure)
    assert [(row.name, row.failback) for row in dump.desired.pairs] == [("a", True), ("c", False)]
    assert "half: c has no way back: hub is to fail back to a" in dump.remarks


def test_a_half_pair_does_not_take_a_reverse_that_leads_elsewhere() -> None:
    azure = TwoRegions()
    a, b, c = azure.network("a"), azure.network("b", SEA), azure.network("c")
    azure.map(a, b)
    azure.map(b, c)
    rows = {row.name: row.failback for row in dumped(azure).desired.pairs}
    assert rows["a"] is False


def test_the_reverse_of_a_copy_alone_is_written_with_the_original_as_primary() -> None:
    azure = TwoRegions()
    original = azure.network("app")
    copy = azure.network("app-asr", SEA, tags={"ASRNET-copy-of": str(original.id)})
    azure.map(copy, original)
    dump = dumped(azure)
    assert [(row.primary.name, row.recovery and row.recovery.name) for row in dump.desired.pairs] == [
        ("app", "app-asr")
    ]
    assert [(region.primary, region.recovery) for region in dump.desired.regions] == [(EA, SEA)]
    assert [change.direction for change in azure.plan(dump.desired).changes] == ["forward"]


def test_pairs_that_share_a_primary_are_named_by_their_recovery_region() -> None:
    azure = TwoRegions()
    azure.fabrics["westus"] = azure.build.azure_fabric(azure.vault, "westus")
    app = azure.network("app")
    azure.map_both(app, azure.network("b", SEA))
    azure.map_both(app, azure.network("c", "westus"))
    names = {row.name: row.recovery and row.recovery.name for row in dumped(azure).desired.pairs}
    assert names == {"app": "b", "app-westus": "c"}


def test_a_classic_network_is_left_out_with_a_remark() -> None:
    azure = TwoRegions()
    app = azure.network("app")
    azure.map_both(app, azure.network("b", SEA))
    nothing = azure.state()
    found = read_inventory(nothing, azure.backend)
    mapping = structs.replace(
        found.vaults["sea"].mappings[0],
        id=azure.fabrics[EA].id.child("replicationNetworks", "azureNetwork", "replicationNetworkMappings", "old"),
        primary_network_id=classic("old"),
    )
    vault = structs.replace(found.vaults["sea"], mappings=(*found.vaults["sea"].mappings, mapping))
    dump_of_both = export_desired(structs.replace(found, vaults={"sea": vault}), nothing)
    assert [row.name for row in dump_of_both.desired.pairs] == ["app"]
    [line] = dump_of_both.left_out
    assert line.endswith(": old is no virtual network of Resource Manager (microsoft.classicnetwork/virtualnetworks)")


def dumped_as(azure: TwoRegions, desired: DesiredState) -> Dump:
    inventory = read_inventory(desired, azure.backend)
    return export_desired(extended(inventory, azure.backend, mapped_networks(inventory)), desired)


def test_a_pair_that_another_tool_manages_is_left_to_it_by_the_dump() -> None:
    azure = TwoRegions()
    erp, dr = azure.network("erp"), azure.network("dr", SEA)
    azure.map(erp, dr)
    dump = dumped_as(azure, azure.state(row(erp, dr, managed_by="terraform")))
    assert dump.remarks == ("half: erp has one mapping only; terraform manages the pair",)
    assert "managed_by: terraform" in dump.text()
    assert azure.plan(dump.desired).changes == ()


def test_a_pair_declared_without_failback_stays_so() -> None:
    azure = TwoRegions()
    app, dr = azure.network("app"), azure.network("dr", SEA)
    azure.map(app, dr)
    dump = dumped_as(azure, azure.state(row(app, dr, failback=False)))
    assert azure.plan(dump.desired).changes == ()
    assert dump.remarks == ("half, as declared: app has one mapping only, so machines cannot fail back",)


def test_what_a_row_says_of_machines_and_test_failovers_is_kept() -> None:
    azure = TwoRegions()
    app, dr, bubble = azure.network("app"), azure.network("dr", SEA), azure.network("bubble", SEA)
    azure.map_both(app, dr)
    declared = row(app, dr, machines="follow", release_addresses=True, test=bubble.id)
    ignore = (Ignore(machine="web*", reason="it has a network of its own"), Ignore(name="x-*", reason="playground"))
    freeze = (Freeze(vault="sea", until=date(2099, 1, 1), reason="audit"),)
    state = azure.state(declared, machines="report", ignore=ignore, freeze=freeze)
    dump = dumped_as(azure, state)
    assert [structs.replace(entry, source=declared.source) for entry in dump.desired.pairs] == [declared]
    assert (dump.desired.ignore, dump.desired.freeze) == (ignore[:1], freeze)
    assert dump.remarks == ("not in this file: the networks under ignore (x-*); mapped ones are rows here",)


def test_what_a_rule_says_of_its_pairs_is_kept_in_their_rows() -> None:
    azure = TwoRegions()
    app, dr = azure.network("app"), azure.network("app-dr", SEA)
    azure.network("app-test", SEA)
    azure.map(app, dr)
    template = str(dr.id).replace("app-dr", "{name}-")
    rule = Rule(
        name="all", vault="sea", match=Match(name="app"), recovery=f"{template}dr", test=f"{template}test",
        managed_by="bicep",
    )  # fmt: skip
    dump = dumped_as(azure, azure.state(rules=(rule,)))
    [written] = dump.desired.pairs
    assert (written.managed_by, written.name) == ("bicep", "all/app")
    assert str(written.test).endswith("/app-test")
    assert "not in this file: the rules all; the pairs they made are rows here" in dump.text()
    assert azure.plan(dump.desired).changes == ()


def test_the_first_file_uses_the_display_names_of_subscriptions() -> None:
    azure = TwoRegions()
    azure.map_both(azure.network("app"), azure.network("dr", SEA))
    text = first_file.from_dump(dumped(azure), names={SUBSCRIPTION: "Prod / Network"})
    assert f"prod-network: {SUBSCRIPTION}" in text
    assert "primary: prod-network/" in text

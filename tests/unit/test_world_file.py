"""World files: loading, round trips, and mistakes by line."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path

import pytest

from asrnet.clocks import SimulatedClock
from asrnet.errors import DocumentError, InputError
from asrnet.fake import world_file
from asrnet.fake.behaviour import Behaviour, Lock
from asrnet.fake.builder import SUBSCRIPTION, Builder
from asrnet.fake.mappings import PSEUDO_FABRIC
from asrnet.fake.records import Host, PlanAction
from asrnet.fake.store import Store
from asrnet.fake.world import World
from asrnet.fake.world_format import WorldDocument
from asrnet.files import yaml as documents
from asrnet.model.arm import ArmId
from asrnet.model.azure import IpConfiguration, Nic, Setting, Subnet, VmmHost

RG = f"/subscriptions/{SUBSCRIPTION}/resourceGroups"
VNETS = "providers/Microsoft.Network/virtualNetworks"
VAULT = ArmId(f"{RG}/rg-dr/providers/Microsoft.RecoveryServices/vaults/vault-dr")

TWO_REGIONS = f"""\
version: 1
subscriptions: [{{id: {SUBSCRIPTION}, name: prod}}]
virtual_networks:
- id: {RG}/rg-ea/{VNETS}/Hub-EA
  location: eastasia
  tags: {{dr: yes}}
  address_space: [10.0.0.0/16]
  subnets:
  - {{name: web, prefixes: [10.0.1.0/24], used_ips: [10.0.1.4], delegation: Microsoft.Sql/managedInstances}}
  gateway: true
- {{id: {RG}/rg-sea/{VNETS}/Hub-SEA, location: southeastasia, address_space: [10.1.0.0/16]}}
vaults:
- id: {VAULT}
  location: southeastasia
  fabrics:
  - {{name: asr-a2a-default-eastasia, kind: azure, location: East Asia}}
  - {{name: asr-a2a-default-southeastasia, kind: azure, location: southeastasia}}
  mappings:
  - fabric: asr-a2a-default-eastasia
    name: hub-ea-to-hub-sea
    primary_network_id: {RG}/rg-ea/{VNETS}/Hub-EA
    recovery_fabric: asr-a2a-default-southeastasia
    recovery_network_id: {RG}/rg-gone/{VNETS}/Hub-Gone
    state: NotPaired
  protected_items:
  - name: vm1
    fabric: asr-a2a-default-eastasia
    recovery_fabric: asr-a2a-default-southeastasia
    active_location: Recovery
    nics:
    - name: nic0
      primary_network_id: {RG}/rg-ea/{VNETS}/Hub-EA
      primary_subnet: web
      ip: 10.0.1.4
      ip_type: Dynamic
      recovery_network_id: {RG}/rg-sea/{VNETS}/Hub-SEA
      recovery_subnet: web
  jobs:
  - {{name: job1, scenario: UnplannedFailover, state: InProgress, start_time: "2026-01-01T00:00:00Z"}}
"""
SAME_NAME = (
    f"  - {{fabric: asr-a2a-default-eastasia, name: HUB-EA-to-hub-sea, primary_network_id: {RG}/a/{VNETS}/b, "
    f"recovery_fabric: asr-a2a-default-southeastasia, recovery_network_id: {RG}/a/{VNETS}/c}}\n"
)
RECOVERY_FABRIC = "    recovery_fabric: asr-a2a-default-southeastasia\n"


def parsed(text: str) -> World:
    document = documents.parse(text, WorldDocument, "world.yaml")
    return world_file.world_from(document, clock=SimulatedClock())


def again(world: World) -> World:
    return parsed(world_file.dumps(world))


def full() -> Builder:
    """A world with everything that a file can say."""
    behaviour = Behaviour(operations="time:3", denied=("*/write",), locks=(Lock(scope="/subscriptions"),))
    azure = Builder(behaviour=behaviour)
    azure.subscription("33333333-3333-3333-3333-333333333333", name="dr", tenant="99999999-9999-9999-9999-999999999999")
    azure.resource_group("rg-empty", location="westus")
    azure.vault("fresh")
    azure.vault("emptied", used=True)
    vault = azure.vault()
    ea, sea = azure.azure_fabric(vault, "eastasia"), azure.azure_fabric(vault, "southeastasia")
    subnet = Subnet(
        name="web", prefixes=("10.0.1.0/24",), used=3, used_ips=("10.0.1.4",), default_outbound_access=False
    )
    one = azure.virtual_network("One", "eastasia", address_space=("10.0.0.0/16",), subnets=(subnet,), gateway=True)
    two = azure.virtual_network("Two", "southeastasia", tags={"on": "yes"}, dns_servers=("10.0.0.4",))
    azure.virtual_network("Three", "eastasia", peerings=(one,))
    azure.network_security_group("nsg", "southeastasia")
    azure.route_table("routes", "southeastasia")
    azure.network_interface("vm0-nic", one, subnet="web", ip="10.0.1.9")
    azure.pair(ea, one, sea, two)
    azure.unreadable_mapping(ea, "blank")
    azure.unreadable_mapping(ea, "half-told", one)
    azure.virtual_machine("vm0", one, subnet="web", ip="10.0.1.9")
    primary = IpConfiguration(subnet="web", ip="10.0.1.4", ip_type="Static", recovery_subnet="web")
    second = IpConfiguration(name="ipconfig2", primary=False, subnet="web", selected_for_failover=False)
    nic = Nic(name="nic0", primary_network_id=one.id, test_network_id=two.id, ip_configurations=(primary, second))
    item = azure.protected_item("vm1", ea, sea, nic, state="UnplannedFailoverCommitted", active_location="Recovery")
    azure.recovery_plan(vault, "plan", item, actions=(PlanAction(name="look", description="at the machine"),))
    azure.cloud_mapping(azure.container(ea), azure.container(sea), policy=azure.replication_policy(vault))
    azure.job(vault, "EnableDr", target="vm1")
    beijing, shanghai = azure.vmm_fabric(vault, "VMM-Beijing"), azure.vmm_fabric(vault, "VMM-Shanghai")
    first = azure.vm_network(beijing, "VMNetwork1", logical_network="Logical1")
    azure.logical_network(beijing, "Logical1")
    gold1 = azure.cloud(beijing, "GoldCloud1", logical_networks=("Logical1",))
    silver1 = azure.cloud(beijing, "SilverCloud1", logical_networks=())
    gold2 = azure.cloud(shanghai, "GoldCloud2")
    azure.cloud_mapping(gold1, gold2)
    azure.cloud_mapping(silver1, None)
    azure.mapping(beijing, first, shanghai, azure.vm_network(shanghai, "VMNetwork2"), name="to-vmm")
    azure.mapping(beijing, first, None, two, name="to-azure")
    azure.add(Host(fabric_id=beijing.id, host=VmmHost(name="host1", cloud="GoldCloud1", networks=("VMNetwork1",))))
    azure.protected_item("vm2", beijing, None, cloud=gold1, provider="HyperVReplicaAzure")
    site = azure.site(vault, "plant", "InMageRcm")
    azure.cloud(site, "plant-container")
    azure.source_machine(gold1, "vm3", azure.nic("nic0", first, ip="192.168.1.9"))
    azure.world.extras[vault.id.key] = {"sku": {"name": "Standard"}, "properties": {"yes": True, "010": 10}}
    azure.world.extras[one.id.child("subnets", "web").key] = {"delegations": []}
    return azure


def test_a_file_becomes_the_world_it_describes() -> None:
    world = parsed(TWO_REGIONS)
    one, two = world.virtual_networks.list(SUBSCRIPTION)
    assert (one.name, one.location, one.tags, one.gateway) == ("Hub-EA", "eastasia", {"dr": "yes"}, True)
    assert one.subnets[0].used_ips == ("10.0.1.4",)
    assert (one.subnets[0].used, one.subnets[0].delegation) == (1, "Microsoft.Sql/managedInstances")
    assert two.address_space == ("10.1.0.0/16",)
    assert [fabric.friendly_name for fabric in world.fabrics.list(VAULT)] == ["East Asia", "Southeast Asia"]
    (mapping,) = world.mappings.list(VAULT)
    assert (mapping.kind, mapping.state) == ("azure_to_azure", "NotPaired")
    assert (mapping.primary_location, mapping.recovery_location) == ("eastasia", "southeastasia")
    assert mapping.primary_network_id.name == "hub-ea"
    (item,) = world.protected_items.list(VAULT)
    assert (item.active_location, item.nics[0].ip_configurations[0].ip) == ("Recovery", "10.0.1.4")
    assert [job.scenario for job in world.jobs.list(VAULT, state="InProgress")] == ["UnplannedFailover"]


def test_resource_groups_named_only_inside_ids_exist() -> None:
    world = parsed(TWO_REGIONS)
    names = {group.id.name for group in world.subscriptions.resource_groups(SUBSCRIPTION)}
    assert names == {"rg-ea", "rg-sea", "rg-dr", "rg-gone"}


def test_the_smallest_world_is_a_version() -> None:
    assert world_file.dump(parsed("version: 1\n")) == WorldDocument(version=1)


def test_a_vault_without_fabrics_is_fresh_unless_it_says_otherwise() -> None:
    text = f"version: 1\nvaults: [{{id: {VAULT}, location: eastus}}, {{id: {VAULT}-2, location: eastus, used: true}}]\n"
    world = parsed(text)
    assert [vault.used for vault in world.vaults.list(SUBSCRIPTION)] == [False, True]


def test_strict_mapping_can_be_set_with_one_word() -> None:
    assert parsed("version: 1\nstrict_mapping: true\n").behaviour.strict_mapping is True


def test_a_behaviour_of_the_caller_replaces_that_of_the_file() -> None:
    document = documents.parse("version: 1\nbehaviour: {operations: time:9}\n", WorldDocument)
    world = world_file.world_from(document, clock=SimulatedClock(), behaviour=Behaviour(operations="manual:2"))
    assert world.behaviour.operations == "manual:2"


@pytest.mark.parametrize("make", [lambda: parsed(TWO_REGIONS), lambda: full().world], ids=["file", "full"])
def test_a_world_survives_a_round_trip_through_its_file(make: object) -> None:
    world = make()  # type: ignore[operator]  # one of the two above
    assert world_file.dump(again(world)) == world_file.dump(world)


def test_every_resource_survives_the_file() -> None:
    before, after = full().world.state, again(full().world).state
    stores = [name for name, value in vars(before).items() if isinstance(value, Store)]
    assert {"mappings", "virtual_networks", "protected_items", "clouds", "hosts", "jobs"} <= set(stores)
    for name in stores:
        assert name == "intents" or list(getattr(before, name)), f"{name} has nothing to compare"
        assert list(getattr(after, name)) == list(getattr(before, name)), name
    assert after.behaviour == before.behaviour
    assert after.subscriptions == before.subscriptions


def test_vmm_mappings_survive_the_file_in_their_kinds() -> None:
    vault = VAULT
    kinds = {mapping.name: mapping for mapping in again(full().world).mappings.list(vault)}
    assert kinds["to-vmm"].kind == "vmm_to_vmm"
    assert kinds["to-azure"].kind == "vmm_to_azure"
    assert kinds["to-azure"].recovery_fabric_id == vault.child("replicationFabrics", PSEUDO_FABRIC)


@pytest.mark.parametrize(
    ("change", "line", "problem"),
    [
        (("location: eastasia", "locaton: eastasia"), 5, "locaton"),
        (("fabric: asr-a2a-default-eastasia", "fabric: asr-a2a-default-eastasa"), 19, "asr-a2a-default-eastasia"),
        ((RECOVERY_FABRIC, ""), 19, "recovery_fabric is missing"),
        (("10.0.0.0/16", "10.0.0.0/99"), 7, "10.0.0.0/99"),
        (("location: eastasia", "location: ' '"), 5, "' ' is not a region"),
        (("location: eastasia", "location: '!!'"), 5, "'!!' is not a region"),
        (("name: web", "name: 10.0.1.0/24"), 9, "'10.0.1.0/24' cannot be a name in Azure"),
        (("name: web", "name: web/subnets/db"), 9, "'web/subnets/db' cannot be a name in Azure"),
        (("name: hub-ea-to-hub-sea", "name: a/b/c"), 20, "'a/b/c' cannot be a name in Azure"),
        (("kind: azure, location: East Asia", "kind: azure, location: ' '"), 16, "location is missing"),
        (("kind: azure, location: East Asia", "kind: azure, location: '!!'"), 16, "'!!' is not a region"),
        (("10.0.1.0/24", "10.0.1.7/24"), 9, "10.0.1.7/24"),
        (("[10.0.1.4]", "[web]"), 9, "'web' is not an address"),
        (("ip: 10.0.1.4\n", "ip: 10.0.1\n"), 34, "'10.0.1' is not an address"),
        (("kind: azure, location: East Asia", "kind: azure"), 16, "location is missing"),
        (("location: East Asia", "location: Southeast Asia"), 17, "region duplicates number 1"),
        ((f"rg-sea/{VNETS}/Hub-SEA, loc", f"RG-EA/{VNETS}/hub-ea, loc"), 11, "network duplicates number 1"),
        (("vaults/vault-dr", "vaultz/vault-dr"), 13, "not the id of a vault"),
        (("2026-01-01T00:00:00Z", "yesterday"), 39, "'yesterday' is not a time"),
        (("active_location: Recovery", "active_location: Somewhere"), 29, "Somewhere"),
        (("  jobs:", "  - {name: VM1, fabric: asr-a2a-default-eastasia}\n  jobs:"), 38, "item duplicates"),
        (("  protected_items:", SAME_NAME + "  protected_items:"), 25, "mapping duplicates number 1"),
        (("  gateway", "  - {name: WEB}\n  gateway"), 10, "subnet duplicates number 1"),
        (("version: 1", f"version: 1\nresource_groups: [{{id: {VAULT}}}]"), 2, "not the id of a resource group"),
        (("version: 1", f"version: 1\nresource_groups: [{{id: {RG[:51]}}}]"), 2, "not the id of a resource group"),
        ((f"id: {SUBSCRIPTION}", "id: prod"), 2, "'prod' is not a subscription's GUID"),
        (("version: 1", "version: 2"), 1, "2"),
        (("version: 1", "version: 1\nbehaviour: {operations: sometimes}"), 2, "'sometimes' is not an operation timing"),
        (("name: job1", "name: a/b"), 39, "a/b"),
    ],
)  # fmt: skip
def test_a_mistake_is_shown_with_its_line(change: tuple[str, str], line: int, problem: str) -> None:
    text = TWO_REGIONS.replace(*change, 1)
    assert text != TWO_REGIONS
    with pytest.raises(DocumentError) as caught:
        parsed(text)
    assert caught.value.line == line, caught.value
    assert caught.value.message.startswith(f"world.yaml:{line}: ")
    assert problem in caught.value.message


VMM = f"""\
version: 1
vaults:
- id: {VAULT}
  location: southeastasia
  fabrics:
  - name: f1
    kind: vmm
    server: VMM-Beijing
    networks: [{{name: n1, friendly_name: VMNetwork1-Beijing}}]
    clouds: [{{name: c1, friendly_name: GoldCloud1}}]
    cloud_mappings: [{{primary: GoldCloud1, recovery_fabric: f2, recovery: GoldCloud2}}]
  - name: f2
    kind: vmm
    server: VMM-Shanghai
    networks: [{{name: n2, friendly_name: VMNetwork1-Shanghai}}]
    clouds: [{{name: c2, friendly_name: GoldCloud2}}]
  mappings:
  - fabric: f1
    name: one
    primary_network_id: {VAULT}/replicationFabrics/f1/replicationNetworks/n1
    recovery_fabric: f2
    recovery_network_id: {VAULT}/replicationFabrics/f2/replicationNetworks/n2
"""


def test_clouds_protect_clouds_of_other_servers_by_friendly_name() -> None:
    (mapping,) = parsed(VMM).container_mappings.list(VAULT)
    assert (mapping.primary_cloud_id.name, mapping.recovery_cloud_name) == ("c1", "GoldCloud2")
    assert mapping.recovery_cloud_id is not None
    assert mapping.recovery_cloud_id.parent.name == "f2"


def test_an_unknown_cloud_is_shown_with_its_line_and_the_nearest_name() -> None:
    with pytest.raises(DocumentError, match=r"world.yaml:11: .*GoldCloud3.*did you mean 'GoldCloud2'"):
        parsed(VMM.replace("recovery: GoldCloud2", "recovery: GoldCloud3"))


@pytest.mark.parametrize(
    ("change", "line", "problem"),
    [
        (("    server: VMM-Shanghai\n", ""), 12, "the server is missing"),
        (("    recovery_fabric: f2\n    recovery_network", "    recovery_network"), 18, "recovery_fabric is missing"),
        (("recovery_fabric: f2,", "recovery_fabric: f3,"), 11, "no fabric 'f3'"),
        (("primary: GoldCloud1", "primary: Gold"), 11, "no cloud 'Gold'"),
    ],
)
def test_a_mistake_about_vmm_is_shown_with_its_line(change: tuple[str, str], line: int, problem: str) -> None:
    with pytest.raises(DocumentError) as caught:
        parsed(VMM.replace(*change, 1))
    assert (caught.value.line, problem in caught.value.message) == (line, True), caught.value


@pytest.mark.parametrize(
    ("fabric", "problem"),
    [
        ("{name: hv, kind: azure, location: eastus, site: HyperVSite}", "a site is a fabric of the kind 'other'"),
        ("{name: hv, kind: other, site: Moon}", "site"),
        (
            "{name: hv, kind: other, clouds: [{name: c, friendly_name: c, machines: [{name: m}, {name: M}]}]}",
            "the machine duplicates number 1",
        ),
    ],
)
def test_a_mistake_about_a_site_is_shown(fabric: str, problem: str) -> None:
    with pytest.raises(DocumentError, match=re.escape(problem)):
        parsed(f"version: 1\nvaults: [{{id: {VAULT}, location: eastus, fabrics: [{fabric}]}}]\n")


def test_a_fabric_of_another_kind_needs_no_server() -> None:
    world = parsed(f"version: 1\nvaults: [{{id: {VAULT}, location: eastus, fabrics: [{{name: hv, kind: other}}]}}]\n")
    (fabric,) = world.fabrics.list(VAULT)
    assert (fabric.kind, fabric.friendly_name) == ("other", "hv")


def test_a_mapping_between_kinds_of_network_is_refused() -> None:
    wrong = VMM.replace(f"{VAULT}/replicationFabrics/f1/replicationNetworks/n1", f"{RG}/rg/{VNETS}/hub")
    with pytest.raises(DocumentError, match="primary_network_id: no network of the fabric 'f1'"):
        parsed(wrong)


def test_loading_and_saving_go_through_files(tmp_path: Path) -> None:
    for name in ("world.yaml", "world.json"):
        world_file.save(full().world, tmp_path / name)
        loaded = world_file.load(tmp_path / name, clock=SimulatedClock())
        assert world_file.dump(loaded) == world_file.dump(full().world)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["world.json", "world.yaml"]
    assert json.loads((tmp_path / "world.json").read_text())["version"] == 1
    assert (tmp_path / "world.yaml").read_text().startswith("version: 1\n")


def test_saving_keeps_the_rights_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "world.yaml"
    path.write_text("version: 1\n")
    path.chmod(0o640)
    world_file.save(full().world, path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_saving_follows_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    link = tmp_path / "world.yaml"
    link.symlink_to(tmp_path / "real" / "world.yaml")
    world_file.save(full().world, link)
    assert link.is_symlink()
    assert (tmp_path / "real" / "world.yaml").exists()


def test_a_file_that_cannot_be_written_stays_whole(tmp_path: Path) -> None:
    folder = tmp_path / "world.yaml"
    folder.mkdir()
    (folder / "inside").write_text("here")
    with pytest.raises(InputError, match=r"world.yaml: cannot be written: it is a folder"):
        world_file.save(full().world, folder)
    assert (folder / "inside").read_text() == "here"
    assert [path.name for path in tmp_path.iterdir()] == ["world.yaml"]


def test_a_missing_folder_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be written"):
        world_file.save(full().world, tmp_path / "nowhere" / "world.yaml")


MACHINE = "active_location: Recovery\n"


def test_a_machine_is_reversed_where_it_was_first_protected_in_another_fabric() -> None:
    (item,) = parsed(TWO_REGIONS).protected_items.list(VAULT)
    assert (item.is_reversed, item.primary_location, item.initial_location) == (False, "eastasia", "eastasia")
    text = TWO_REGIONS.replace(MACHINE, "initial_fabric: asr-a2a-default-southeastasia\n")
    (item,) = parsed(text).protected_items.list(VAULT)
    assert (item.is_reversed, item.initial_location) == (True, "southeastasia")
    assert again(parsed(text)).protected_items.list(VAULT) == (item,)


def test_a_nic_takes_no_part_where_the_file_deselects_it() -> None:
    text = TWO_REGIONS.replace("    - name: nic0\n", "    - name: nic0\n      selected: false\n")
    (item,) = parsed(text).protected_items.list(VAULT)
    assert item.nics[0].selection == "NotSelected"


def test_a_nic_may_have_no_ip_configuration_at_all_and_one_without_a_name() -> None:
    azure = Builder()
    vault = azure.vault()
    ea, sea = azure.azure_fabric(vault, "eastasia"), azure.azure_fabric(vault, "southeastasia")
    bare, nameless = Nic(name="bare"), Nic(name="nameless", ip_configurations=(IpConfiguration(name=""),))
    azure.protected_item("vm1", ea, sea, bare, nameless)
    assert again(azure.world).protected_items.list(vault.id) == azure.world.protected_items.list(vault.id)


def test_a_nics_test_failover_and_recovery_settings_survive_the_file() -> None:
    group = ArmId(f"{RG}/rg/providers/Microsoft.Network/networkSecurityGroups/nsg")
    public_ip = ArmId(f"{RG}/rg/providers/Microsoft.Network/publicIPAddresses/ip")
    azure = Builder()
    vault = azure.vault()
    ea, sea = azure.azure_fabric(vault, "eastasia"), azure.azure_fabric(vault, "southeastasia")
    address = IpConfiguration(test_subnet="web", test_ip="10.0.1.9", recovery_public_ip=public_ip)
    nic = Nic(name="nic0", recovery_network_security_group=group, selection="NotSelected", ip_configurations=(address,))
    azure.protected_item("vm1", ea, sea, nic, recovery_network_id=group, test_network_id=public_ip)
    assert again(azure.world).protected_items.list(vault.id) == azure.world.protected_items.list(vault.id)


def test_the_settings_of_a_machine_survive_the_file_with_unknown_members() -> None:
    azure = Builder()
    vault = azure.vault()
    ea, sea = azure.azure_fabric(vault, "eastasia"), azure.azure_fabric(vault, "southeastasia")
    first = IpConfiguration(settings={"tfoPublicIPAddressId": "/a"}, unknown_members={"newIp": "[1, null]"})
    second = IpConfiguration(name="second", primary=False, settings={"tfoLBBackendAddressPoolIds": ("/b", "/c")})
    nic = Nic(
        name="nic0",
        id="298f05e1",
        settings={"reuseExistingNic": True, "recoveryNicName": "true"},
        unknown_members={"newNic": '{"a": "no"}'},
        ip_configurations=(first, second),
    )
    settings: dict[str, Setting] = {"recoveryAvailabilityZone": "2", "platformFaultDomain": 2, "tfoAzureVMName": "no"}
    azure.protected_item("vm1", ea, sea, nic, settings=settings, is_cluster_member=True)
    (read,) = again(azure.world).protected_items.list(vault.id)
    assert (read,) == azure.world.protected_items.list(vault.id)
    assert read.settings["platformFaultDomain"] == 2
    assert read.nics[0].settings["reuseExistingNic"] is True


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("initial_fabric: asr-a2a-default-westasia", "no fabric 'asr-a2a-default-westasia'; did you mean"),
        ("policy: dayly", "no replication policy 'dayly'; did you mean 'daily'"),
        ("staet: Protected", "unknown key; did you mean 'state'"),
    ],
)
def test_a_mistake_about_a_machine_is_shown_with_its_line(line: str, problem: str) -> None:
    text = TWO_REGIONS.replace(MACHINE, f"{line}\n").replace(
        "  mappings:", "  replication_policies: [{name: daily}]\n  mappings:"
    )
    with pytest.raises(DocumentError) as caught:
        parsed(text)
    assert (caught.value.line, problem in caught.value.message) == (30, True), caught.value

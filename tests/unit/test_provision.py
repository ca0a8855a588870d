"""Mapping one network: what the portal does when replication is first enabled, and limits."""

from __future__ import annotations

from typing import Any

import pytest
from followers import Followers
from states import EA, SEA, TwoRegions

from asrnet.applying import Report
from asrnet.errors import InputError, NotFoundError, RefusedError
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.faults import Fault
from asrnet.model.arm import ArmId
from asrnet.model.azure import VirtualNetwork
from asrnet.provision import ensure_pair, plan_pair


def ensure(azure: TwoRegions, primary: VirtualNetwork, **more: Any) -> Report:
    """Map one network into Southeast Asia."""
    return ensure_pair(azure.backend, vault=azure.vault.id, primary=primary.id, to="Southeast Asia", **more)


def test_without_a_mapping_and_a_choice_the_copy_and_both_mappings_are_created() -> None:
    azure = TwoRegions(fabrics=False)
    azure.build.resource_group("rg-asr", location=SEA)
    report = ensure(azure, azure.network("app"))
    assert report.result == "succeeded"
    assert azure.mappings() == {"app": "app-asr", "app-asr": "app"}
    assert report.pairs[0].recovery_network_id is not None
    assert report.pairs[0].recovery_network_id.name == "app-asr"


def test_a_chosen_recovery_network_is_mapped_both_ways() -> None:
    azure = TwoRegions()
    ensure(azure, azure.network("app"), recovery=azure.network("dr", SEA).id)
    assert azure.mappings() == {"app": "dr", "dr": "app"}


def test_a_recovery_network_names_the_region_too() -> None:
    azure = TwoRegions()
    app, dr = azure.network("app"), azure.network("dr", SEA)
    report = ensure_pair(azure.backend, vault=azure.vault.id, primary=app.id, recovery=dr.id)
    assert (report.result, azure.mappings()) == ("succeeded", {"app": "dr", "dr": "app"})


def test_without_a_region_and_a_recovery_network_nothing_is_read() -> None:
    azure = TwoRegions()
    with pytest.raises(InputError, match="neither the recovery region nor the recovery network is given") as caught:
        plan_pair(azure.backend, vault=azure.vault.id, primary=azure.network("app").id)
    assert caught.value.hint == "give to, the region, or recovery, the id of a network in it"
    assert azure.backend.requests().get("GET", 0) == 0


def test_a_recovery_network_in_another_region_than_the_one_given_is_refused_with_both() -> None:
    azure = TwoRegions()
    app, far = azure.network("app"), azure.network("far", "japaneast")
    with pytest.raises(InputError, match="far is in japaneast, and the recovery region is southeastasia") as caught:
        ensure(azure, app, recovery=far.id)
    assert caught.value.hint == "give a network in southeastasia, or japaneast as the region"
    assert azure.mappings() == {}


def test_a_recovery_network_that_does_not_exist_names_no_region() -> None:
    azure = TwoRegions()
    app, gone = azure.network("app"), azure.network("gone", SEA)
    azure.world.virtual_networks.delete(gone.id)
    with pytest.raises(NotFoundError, match="gone does not exist"):
        ensure_pair(azure.backend, vault=azure.vault.id, primary=app.id, recovery=gone.id)


def test_a_recovery_network_of_the_primary_region_is_refused_without_a_region_too() -> None:
    azure = TwoRegions()
    with pytest.raises(InputError, match="app is in eastasia itself; mappings pair two regions"):
        ensure_pair(
            azure.backend, vault=azure.vault.id, primary=azure.network("app").id, recovery=azure.network("near").id
        )


def test_a_second_run_changes_nothing() -> None:
    azure = TwoRegions()
    app, dr = azure.network("app"), azure.network("dr", SEA)
    ensure(azure, app, recovery=dr.id)
    assert ensure(azure, app).result == "nothing_to_do"


def test_an_existing_mapping_is_the_answer() -> None:
    azure = TwoRegions()
    app, dr = azure.network("app"), azure.network("dr", SEA)
    azure.map_both(app, dr)
    report = ensure(azure, app)
    assert (report.result, report.pairs[0].recovery_network_id) == ("nothing_to_do", dr.id)


def test_a_different_choice_is_refused_with_the_remedy() -> None:
    azure = TwoRegions()
    app, dr, other = azure.network("app"), azure.network("dr", SEA), azure.network("other", SEA)
    azure.map_both(app, dr)
    with pytest.raises(RefusedError, match="mapped to") as caught:
        ensure(azure, app, recovery=other.id)
    assert "--retarget" in caught.value.hint
    assert azure.mappings() == {"app": "dr", "dr": "app"}


def test_a_retarget_changes_both_directions() -> None:
    azure = TwoRegions()
    app, dr, other = azure.network("app"), azure.network("dr", SEA), azure.network("other", SEA)
    azure.map_both(app, dr)
    ensure(azure, app, recovery=other.id, retarget=True)
    assert azure.mappings() == {"app": "other", "other": "app"}


@pytest.mark.parametrize("retarget", [False, True])
def test_the_reverse_of_another_pair_is_never_taken(retarget: bool) -> None:
    azure = TwoRegions()
    hub, dr, app = azure.network("hub"), azure.network("dr", SEA), azure.network("app")
    azure.map_both(hub, dr)
    ensure(azure, app, recovery=dr.id, retarget=retarget)
    assert azure.mappings() == {"hub": "dr", "dr": "hub", "app": "dr"}


@pytest.mark.parametrize("mapped_before", [False, True])
def test_a_network_without_a_reverse_has_a_warning(mapped_before: bool) -> None:
    azure = TwoRegions()
    hub, dr, app = azure.network("hub"), azure.network("dr", SEA), azure.network("app")
    azure.map_both(hub, dr)
    if mapped_before:
        azure.map_both(app, azure.network("app-dr", SEA))
    report = ensure(azure, app, recovery=dr.id, retarget=mapped_before)
    [warning] = [finding for finding in report.findings if finding.kind == "no_way_back"]
    assert (warning.severity, warning.pair) == ("warning", "app")
    assert warning.message == "dr already fails back to hub, so app gets no way back"


def test_a_refused_retarget_does_not_promise_a_reverse_that_another_pair_has() -> None:
    azure = TwoRegions()
    hub, dr, app = azure.network("hub"), azure.network("dr", SEA), azure.network("app")
    azure.map_both(hub, dr)
    azure.map_both(app, azure.network("app-dr", SEA))
    with pytest.raises(RefusedError) as caught:
        ensure(azure, app, recovery=dr.id)
    expected = "use --retarget to change the mapping; dr already fails back to hub, so app gets no way back"
    assert caught.value.hint == expected


def test_a_network_of_the_recovery_region_itself_is_refused() -> None:
    azure = TwoRegions()
    with pytest.raises(InputError, match="two regions"):
        ensure(azure, azure.network("dr", SEA))


def test_an_unknown_region_is_refused_with_the_nearest() -> None:
    azure = TwoRegions()
    with pytest.raises(InputError, match=r"no region 'japaneats'; did you mean 'japaneast'\?") as caught:
        ensure_pair(azure.backend, vault=azure.vault.id, primary=azure.network("app").id, to="Japan Eats")
    assert caught.value.hint.startswith("the vault has fabrics in eastasia and southeastasia; ")
    assert azure.backend.requests().keys() == {"GET", "retries"}


@pytest.mark.parametrize(("given", "meant"), [("seasia", SEA), ("eastasai", SEA), ("westeruope", "westeurope")])
def test_the_region_proposed_is_one_of_the_vault_if_it_can_be_and_never_that_of_the_network(
    given: str, meant: str
) -> None:
    azure = TwoRegions()
    with pytest.raises(InputError, match=rf"no region '{given}'; did you mean '{meant}'\?"):
        ensure_pair(azure.backend, vault=azure.vault.id, primary=azure.network("app").id, to=given)


def test_a_region_with_a_fabric_in_the_vault_is_not_looked_up() -> None:
    azure = TwoRegions(behaviour=Behaviour(operations="immediate", denied=("*/locations/read",)))
    azure.build.azure_fabric(azure.vault, "moonbase")
    app, dr = azure.network("app"), azure.network("dr", "moonbase")
    report = ensure_pair(azure.backend, vault=azure.vault.id, primary=app.id, to="Moon Base", recovery=dr.id)
    assert (report.result, azure.mappings()) == ("succeeded", {"app": "dr", "dr": "app"})


def test_a_new_region_is_not_refused_where_regions_may_not_be_read() -> None:
    azure = TwoRegions(behaviour=Behaviour(operations="immediate", denied=("*/locations/read",)))
    app, dr = azure.network("app"), azure.network("dr", "moonbase")
    report = ensure_pair(azure.backend, vault=azure.vault.id, primary=app.id, to="moonbase", recovery=dr.id)
    assert report.result == "succeeded"


def test_a_missing_network_is_named() -> None:
    azure = TwoRegions()
    app = azure.network("app")
    azure.world.virtual_networks.delete(app.id)
    with pytest.raises(NotFoundError, match="app does not exist"):
        ensure(azure, app)


@pytest.mark.parametrize(
    ("name", "suggestion"),
    [("app", "; did you mean {group}/app-ea?"), ("APP_EA", "; did you mean {group}/app-ea?"), ("zzz", "")],
)
def test_a_misspelt_network_is_answered_with_the_most_similar_one_of_its_subscription(
    name: str, suggestion: str
) -> None:
    azure = TwoRegions()
    app = azure.network("app-ea")
    azure.network("web-ea")
    misspelt = ArmId(str(app.id).replace("app-ea", name))
    with pytest.raises(NotFoundError) as caught:
        ensure_pair(azure.backend, vault=azure.vault.id, primary=misspelt, to=SEA)
    assert caught.value.message == f"{misspelt} does not exist{suggestion.format(group=app.id.resource_group)}"


def test_of_two_similar_networks_of_one_name_the_one_in_the_group_that_was_given_is_suggested() -> None:
    azure = TwoRegions()
    app = azure.network("app-ea", group="rg-given")
    azure.network("app-ea", group="rg-other")
    misspelt = ArmId(str(app.id).replace("app-ea", "app"))
    with pytest.raises(NotFoundError, match=r"app does not exist; did you mean rg-given/app-ea\?"):
        ensure_pair(azure.backend, vault=azure.vault.id, primary=misspelt, to=SEA)


def test_a_missing_network_is_named_where_the_networks_of_its_subscription_may_not_be_listed() -> None:
    """Then there is no suggestion, and the error is still about the network."""
    azure = TwoRegions()
    app = azure.network("app-ea")
    azure.world.faults.add(Fault(effect="refused", method="GET", kind="virtualnetworks", status=403, after=1, times=0))
    with pytest.raises(NotFoundError, match=r"app does not exist$"):
        ensure_pair(azure.backend, vault=azure.vault.id, primary=ArmId(str(app.id)[:-3]), to=SEA)


@pytest.mark.parametrize("field", ["vault", "primary"])
def test_ids_of_the_wrong_kind_are_refused(field: str) -> None:
    azure = TwoRegions()
    app = azure.network("app", EA)
    wrong = app.id if field == "vault" else azure.vault.id
    ids: dict[str, Any] = {"vault": azure.vault.id, "primary": app.id, field: wrong}
    with pytest.raises(InputError, match="is not the id of"):
        ensure_pair(azure.backend, to=SEA, **ids)


def test_a_retarget_takes_the_machines_along_on_request() -> None:
    followers = Followers(machines=2, mapped_to="old")
    hub, new = followers.hub, followers.new.id
    assert ensure(followers, hub, recovery=new, retarget=True).result == "succeeded"
    assert set(followers.destinations().values()) == {"old"}
    report = ensure(followers, hub, recovery=new, machines="follow")
    assert [change.kind for change in report.changes] == ["protected_item"] * 2
    assert set(followers.destinations().values()) == {"new"}

"""The doctor's checks: results and fixes, and that nothing is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from msgspec import structs
from states import EA, SEA, TwoRegions, row

from asrnet.desired import DesiredState, Region, Rule, Selection
from asrnet.diagnostics.checks import Check, Examination, doctor
from asrnet.errors import CredentialError, UnreachableError
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.builder import SUBSCRIPTION
from asrnet.fake.records import Subscription
from asrnet.model.access import CloudView, ProviderView, Rights, SubscriptionView
from asrnet.model.arm import ArmId
from asrnet.model.rights import Task
from asrnet.ports import Backend, Surroundings

MAPPINGS = "Microsoft.RecoveryServices/vaults/replicationFabrics/replicationNetworks/replicationNetworkMappings"


class Surgery(TwoRegions):
    """A vault with one declared pair."""

    def __init__(self, **behaviour: Any) -> None:
        super().__init__(behaviour=Behaviour(**behaviour))
        hub, dr = self.network("hub"), self.network("dr", SEA)
        self.map_both(hub, dr)
        self.desired = self.state(row(hub, dr))

    def examine(self, desired: DesiredState | None = None, **more: Any) -> Examination:
        found = doctor(desired or self.desired, self.backend, **more)
        assert self.backend.requests().keys() <= {"GET", "retries"}
        return found


def checks(found: Examination, name: str) -> list[Check]:
    return [check for check in found.checks if check.name == name]


def only(found: Examination, name: str) -> Check:
    (check,) = checks(found, name)
    return check


class Altered:
    """Surroundings with some answers replaced."""

    def __init__(self, real: Surroundings, **answers: Callable[..., Any]) -> None:
        self._real = real
        self._answers = answers

    @property
    def cloud(self) -> CloudView:
        return self._real.cloud

    @property
    def api_versions(self) -> dict[str, str]:
        return {"Microsoft.Network/virtualNetworks": "2024-05-01"}

    def subscription(self, subscription: str) -> SubscriptionView:
        answer: SubscriptionView = self._answers.get("subscription", self._real.subscription)(subscription)
        return answer

    def regions(self, subscription: str) -> tuple[str, ...]:
        return self._real.regions(subscription)

    def provider(self, subscription: str, namespace: str) -> ProviderView:
        answer: ProviderView = self._answers.get("provider", self._real.provider)(subscription, namespace)
        return answer

    def rights(self, scope: ArmId) -> tuple[Rights, ...]:
        answer: tuple[Rights, ...] = self._answers.get("rights", self._real.rights)(scope)
        return answer


def altered(azure: Surgery, **answers: Callable[..., Any]) -> Backend:
    return structs.replace(azure.backend, surroundings=Altered(azure.backend.surroundings, **answers))


def test_every_check_of_a_healthy_setup_is_ok() -> None:
    found = Surgery().examine()
    assert found.healthy
    assert {check.verdict for check in found.checks} == {"ok"}
    names = {check.name for check in found.checks}
    assert names >= {"identity", "cloud", "tenant", "reachable", "clock", "provider", "read mappings", "may apply"}


def test_without_a_credential_nothing_more_is_checked() -> None:
    azure = Surgery()

    def refuse() -> str:
        raise CredentialError("no credential", hint="az login")

    azure.backend = structs.replace(azure.backend, identity=refuse)
    found = azure.examine()
    assert not found.healthy
    assert (only(found, "identity").verdict, only(found, "identity").fix) == ("failed", "az login")
    assert {check.name for check in found.checks} == {"identity", "cloud"}


def test_a_subscription_that_is_not_there_fails_with_its_id() -> None:
    azure = Surgery()
    elsewhere = "99999999-9999-9999-9999-999999999999"
    rules = (Rule(name="all", vault="sea"),)
    found = azure.examine(structs.replace(azure.desired, subscriptions={"x": elsewhere}, rules=rules))
    assert [(check.verdict, check.subject) for check in checks(found, "subscription")] == [("failed", elsewhere)]


def test_a_subscription_of_another_tenant_says_where_to_sign_in() -> None:
    azure = Surgery()
    other = "44444444-4444-4444-4444-444444444444"
    azure.world.state.subscriptions[SUBSCRIPTION] = Subscription(id=SUBSCRIPTION, name="prod", tenant=other)
    found = azure.examine()
    assert not found.healthy
    assert other in only(found, "subscription").fix


def test_an_identity_of_another_tenant_fails_the_tenant_check() -> None:
    azure = Surgery()
    azure.backend = structs.replace(azure.backend, tenant=lambda: "44444444-4444-4444-4444-444444444444")
    check = only(azure.examine(), "tenant")
    assert (check.verdict, azure.world.tenant in check.fix) == ("failed", True)


@pytest.mark.parametrize("case", [str.lower, str.upper])
def test_a_subscription_delegated_by_lighthouse_is_as_good_as_one_of_the_tenant(case: Callable[[str], str]) -> None:
    azure = Surgery()
    mine, home = "aaaaaaaa-4444-4444-4444-444444444444", "55555555-5555-5555-5555-555555555555"
    view = SubscriptionView(id=SUBSCRIPTION, name="prod", tenant=home, managed_by=("other", case(mine)))
    azure.backend = structs.replace(altered(azure, subscription=lambda _: view), tenant=lambda: mine)
    found = azure.examine()
    check = only(found, "tenant")
    assert (check.verdict, found.healthy) == ("ok", True)
    assert home in check.message
    assert "Lighthouse" in check.message


def test_the_advice_for_another_tenant_works() -> None:
    azure = Surgery()
    azure.backend = structs.replace(azure.backend, tenant=lambda: "44444444-4444-4444-4444-444444444444")
    check = only(azure.examine(), "tenant")
    assert f"az login --tenant {azure.world.tenant}" in check.fix
    assert "AZURE_TENANT_ID" not in check.fix


def test_one_cause_of_unreachability_is_reported_once_and_does_not_suggest_doctor() -> None:
    azure = Surgery()

    def silence(*_: object) -> Any:
        raise UnreachableError("no answer from host: reset", hint="check the proxy, and run 'asrnet doctor'")

    azure.backend = altered(azure, subscription=silence, provider=silence, rights=silence)
    failed = [check for check in azure.examine().checks if check.verdict == "failed"]
    (check,) = failed
    assert (check.name, check.fix) == ("reachable", "check the proxy")
    assert check.message == "no answer from host: reset; 3 more checks failed for the same reason"


def test_two_causes_of_unreachability_are_reported_separately() -> None:
    azure = Surgery()

    def silent(hint: str) -> Callable[..., Any]:
        def answer(*_: object) -> Any:
            raise UnreachableError("no answer", hint=hint)

        return answer

    azure.backend = altered(azure, subscription=silent("DNS"), rights=silent("a proxy"))
    fixes = {check.fix for check in azure.examine().checks if check.verdict == "failed"}
    assert fixes == {"DNS", "a proxy"}


def test_a_disabled_subscription_fails() -> None:
    azure = Surgery()
    view = SubscriptionView(id=SUBSCRIPTION, name="prod", tenant="", state="Disabled")
    azure.backend = altered(azure, subscription=lambda _: view)
    assert only(azure.examine(), "subscription").verdict == "failed"


@pytest.mark.parametrize(
    ("seconds", "verdict", "words"),
    [
        (0.0, "ok", "is right"),
        (30.0, "ok", "is 30 s behind"),
        (-90.0, "warning", "is 90 s ahead"),
        (400.0, "failed", "is 400 s behind"),
    ],
)
def test_the_local_clock_is_compared_with_that_of_the_service(seconds: float, verdict: str, words: str) -> None:
    azure = Surgery()

    def view(_: str) -> SubscriptionView:
        return SubscriptionView(id=SUBSCRIPTION, name="prod", tenant="", answered_at=azure.clock.now() + seconds)

    azure.backend = altered(azure, subscription=view)
    check = only(azure.examine(), "clock")
    assert (check.verdict, words in check.message, bool(check.fix)) == (verdict, True, verdict != "ok")


def test_an_unregistered_provider_fails_with_the_command() -> None:
    found = Surgery(unregistered=(SUBSCRIPTION,)).examine()
    fixes = [check.fix for check in checks(found, "provider")]
    assert f"az provider register --namespace Microsoft.RecoveryServices --subscription {SUBSCRIPTION}" in fixes


@pytest.mark.parametrize(
    ("offered", "verdict"), [(("2025-01-01", "2024-05-01"), "ok"), (("2019-01-01", "2020-01-01"), "failed")]
)
def test_the_api_versions_in_use_are_compared_with_what_is_offered(offered: tuple[str, ...], verdict: str) -> None:
    azure = Surgery()

    def provider(_: str, namespace: str) -> ProviderView:
        return ProviderView(namespace=namespace, state="Registered", api_versions={"virtualnetworks": offered})

    azure.backend = altered(azure, provider=provider)
    check = only(azure.examine(), "api version")
    assert (check.verdict, max(offered) in check.message or verdict == "ok") == (verdict, True)


@pytest.mark.parametrize(
    ("denied", "name"),
    [
        ("Microsoft.RecoveryServices/vaults/read", "read vault"),
        ("Microsoft.RecoveryServices/vaults/replicationFabrics/read", "read fabrics"),
        ("Microsoft.RecoveryServices/vaults/replicationJobs/read", "read jobs"),
        ("Microsoft.Network/virtualNetworks/read", "read networks"),
    ],
)
def test_each_list_is_tried_and_a_missing_right_is_named(denied: str, name: str) -> None:
    found = Surgery(denied=(denied,)).examine()
    check = only(found, name)
    assert check.verdict == "failed"
    assert denied in check.message
    assert "asrnet permissions" in check.fix


def test_a_vault_that_was_never_used_is_a_warning() -> None:
    azure = TwoRegions(fabrics=False, behaviour=Behaviour(unused_vault="reject_400"))
    hub, dr = azure.network("hub"), azure.network("dr", SEA)
    found = doctor(azure.state(row(hub, dr)), azure.backend)
    assert found.healthy
    assert {check.verdict for check in checks(found, "read mappings")} == {"warning"}


def test_a_missing_right_to_write_is_a_warning_and_fails_where_it_is_required() -> None:
    azure = Surgery(denied=(f"{MAPPINGS}/delete",))
    check = only(azure.examine(), "may apply")
    assert (check.verdict, f"{MAPPINGS}/delete" in check.message) == ("warning", True)
    assert "asrnet permissions --for apply" in check.fix
    assert not azure.examine(required="apply").healthy


def test_roles_that_cannot_be_read_leave_the_check_unknown() -> None:
    found = Surgery(denied=("Microsoft.Authorization/permissions/read",)).examine(required="apply")
    assert only(found, "may apply").verdict == "unknown"
    assert found.healthy


def test_rights_to_create_copies_are_checked_where_copies_are_declared() -> None:
    azure = Surgery(denied=("Microsoft.Network/virtualNetworks/write",))
    azure.build.resource_group("rg-asr", location=SEA)
    desired = azure.state(row(azure.network("app"), None), regions=(Region(primary=EA, recovery=SEA),))
    check = only(azure.examine(desired), "may create-networks")
    assert (check.verdict, check.subject) == ("warning", "rg-asr")


def test_several_roles_add_up() -> None:
    azure = Surgery()
    parts = (Rights(actions=("*/read",)), Rights(actions=("Microsoft.RecoveryServices/*",), not_actions=("*/delete",)))
    azure.backend = altered(azure, rights=lambda _: parts)
    assert only(azure.examine(), "may apply").message.endswith("replicationNetworkMappings/delete")
    more: Task = "plan"
    assert checks(azure.examine(required=more), "may plan")[0].verdict == "ok"


def test_only_the_selected_vault_is_looked_at() -> None:
    found = Surgery().examine(selection=Selection(other_vaults=frozenset({"sea"})))
    assert checks(found, "read vault") == []

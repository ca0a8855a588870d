"""Refusals in the middle of a chain: deleted mappings are put back, and the next run finishes the job."""

from __future__ import annotations

from typing import Any

import pytest
from states import SEA, TwoRegions, outcomes, row, swapped

from asrnet.fake.faults import Fault


class TestRollBack:
    @pytest.mark.parametrize("which", ["a", "b"])
    @pytest.mark.parametrize("effect", ["refused", "operation_fails"])
    def test_an_update_refused_in_a_swap_puts_everything_back(self, which: str, effect: Any) -> None:
        azure = TwoRegions(operations="time:3")
        desired, before = swapped(azure)
        for method in ("PATCH", "PUT"):
            path = f"*/{which}-to-?"
            azure.world.faults.add(Fault(effect=effect, method=method, path=path, code="Refused", status=409))
        report = azure.apply(azure.plan(desired))
        assert azure.mappings() == before
        assert set(outcomes(report).values()) == {"rolled_back"}
        assert report.result == "failed"

    def test_the_reverse_comes_back_under_its_old_name(self) -> None:
        azure = TwoRegions()
        hub, old, new = azure.network("hub"), azure.network("old", SEA), azure.network("new", SEA)
        azure.map(hub, old)
        azure.map(old, hub, name="made-by-hand")
        azure.world.faults.add(Fault(effect="refused", method="PATCH", status=400, times=0, code="No"))
        azure.world.faults.add(
            Fault(effect="refused", method="PUT", path="*/hub-to-old", status=400, times=0, code="No")
        )
        azure.apply(azure.plan(azure.state(row(hub, new))))
        assert "made-by-hand" in {mapping.name for mapping in azure.world.mappings.list(azure.vault.id)}

    def test_a_delete_that_is_refused_leaves_everything_as_it_was(self) -> None:
        azure = TwoRegions()
        desired, before = swapped(azure)
        azure.world.faults.add(Fault(effect="scope_locked", method="DELETE", path="*x-to-a*"))
        report = azure.apply(azure.plan(desired))
        assert azure.mappings() == before
        assert sorted(outcomes(report).values()) == ["failed", "rolled_back"]

    def test_the_next_run_finishes_what_a_refusal_stopped(self) -> None:
        azure = TwoRegions()
        desired, _ = swapped(azure)
        for method in ("PATCH", "PUT"):
            azure.world.faults.add(Fault(effect="refused", method=method, path="*/a-to-x", status=409, code="Busy"))
        assert set(outcomes(azure.apply(azure.plan(desired))).values()) == {"rolled_back"}
        assert azure.apply(azure.plan(desired)).result == "succeeded"
        assert azure.plan(desired).changes == ()

    def test_a_network_that_cannot_be_created_keeps_every_pair_of_its_swap_from_starting(self) -> None:
        """a moves to y, which b leaves for a copy: without the copy y's reverse stays b's, and a must wait."""
        azure = TwoRegions(operations="time:3")
        azure.build.resource_group("rg-asr", location=SEA)
        a, b, x, y = azure.network("a"), azure.network("b"), azure.network("x", SEA), azure.network("y", SEA)
        azure.map_both(a, x)
        azure.map_both(b, y)
        before = azure.mappings()
        azure.world.faults.add(Fault(effect="policy_denied", method="PUT", kind="virtualnetworks"))
        desired = azure.state(row(a, y), row(b, None))
        report = azure.apply(azure.plan(desired))
        assert [change.outcome for change in report.changes] == ["failed", "skipped", "skipped"]
        assert azure.mappings() == before
        assert azure.apply(azure.plan(desired)).result == "succeeded"
        assert azure.mappings() == {"a": "y", "y": "a", "b": "b-asr", "b-asr": "b"}

    def test_a_patch_that_was_answered_with_500_is_followed_by_a_put(self) -> None:
        azure = TwoRegions()
        desired, _ = swapped(azure)
        azure.world.faults.add(Fault(effect="refused", method="PATCH", path="*/a-to-*", status=500, code="Oops"))
        assert azure.apply(azure.plan(desired)).result == "succeeded"
        assert azure.plan(desired).changes == ()

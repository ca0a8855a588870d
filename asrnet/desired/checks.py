"""Rules between the entries of a desired state. Every error names both entries with file and line."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable, Iterator
from itertools import chain
from typing import TypeVar

from asrnet.desired.state import DesiredState, Region, Row, Rule, Vault, VmmRow, VmNetworkName
from asrnet.errors import DocumentError, did_you_mean
from asrnet.model.arm import ArmId, normal_location


def no_vaults(*, file: str) -> DocumentError:
    """The mistake of a desired state without vaults."""
    return DocumentError(
        "no vaults are declared, expected at least one",
        file=file,
        hint="add, for instance: vaults: {sea: alias/resource group/vault}",
    )


def mistakes(state: DesiredState, *, file: str, faulty: Collection[str] = ()) -> Iterator[DocumentError]:
    """The rules that are broken, at most one for each entry; ``file`` is named if no line is at fault.

    ``faulty`` names the sections with entries that are missing from ``state``: no rule relies on their absence.
    """
    rules = [_names(state), _regions(state, faulty), _distinct_pairs(state)]
    # With several directions, these two rules depend on the regions of the networks, which only planning knows.
    if len(state.regions) == 1 and "regions" not in faulty:
        rules += [_one_recovery_per_primary(state), _one_owner_per_reverse(state)]
    rules += [_distinct_vmm_pairs(state), _test_networks(state)]
    reported: set[int] = set()
    for entry, error in chain.from_iterable(rules):
        # A copied row breaks several rules at once, and one mistake is enough to find it.
        if id(entry) not in reported:
            reported.add(id(entry))
            yield error
    if not (state.pairs or state.rules or state.vmm_pairs or {"pairs", "rules", "vmm_pairs"} & set(faulty)):
        yield DocumentError(
            "nothing is declared, expected pairs, rules or vmm_pairs",
            file=file,
            hint="add, for instance: pairs: [{name: hub, vault: sea, primary: alias/group/vnet, recovery: copy}]",
        )


def vmm_key(name: VmNetworkName) -> tuple[str, str]:
    """The key by which names of VM networks are compared, without case."""
    return name.server.casefold(), name.network.casefold()


_Entry = Vault | Region | Row | Rule | VmmRow
_Mistakes = Iterator[tuple[_Entry, DocumentError]]
E = TypeVar("E", bound=_Entry)


def _mistake(entry: _Entry, problem: str, hint: str = "") -> tuple[_Entry, DocumentError]:
    source = entry.source
    return entry, DocumentError(
        problem,
        file=source.file,
        line=source.line,
        column=source.column,
        path=source.path,
        names_entry=True,
        hint=hint,
    )


def _repeated(keyed: Iterable[tuple[Hashable, E]]) -> Iterator[tuple[E, E]]:
    """Each entry whose key an earlier entry has, as a pair: the earlier entry, then this one."""
    first: dict[Hashable, E] = {}
    for key, entry in keyed:
        other = first.setdefault(key, entry)
        if other is not entry:
            yield other, entry


def _names(state: DesiredState) -> _Mistakes:
    """Names of vaults, rows and rules must be unique."""
    for first, repeated in _repeated((vault.name, vault) for vault in state.vaults):
        yield _mistake(repeated, f"vaults.{repeated.name}: the vault is declared twice, first at {first.source}")
    for first, repeated in _repeated((vault.id, vault) for vault in state.vaults):
        names = " and ".join(f"'{vault.name}'" for vault in state.vaults if vault.id == repeated.id)
        problem = f"vaults: {names} are the same vault, first at {first.source}"
        yield _mistake(repeated, problem, "use one name in all rows")
    rows: list[Row | VmmRow] = [*state.pairs, *state.vmm_pairs]
    named: list[Row | VmmRow | Rule] = [*rows, *state.rules]
    for first_name, same_name in _repeated((entry.name, entry) for entry in named):
        problem = f"the name '{same_name.name}' is already taken at {first_name.source}"
        yield _mistake(same_name, problem, "names are used with --pair")
    rules = {rule.name: rule for rule in state.rules}
    for row in rows:
        # A pair that a rule makes is called RULE/NETWORK.
        rule = rules.get(row.name.partition("/")[0])
        if rule and "/" in row.name:
            problem = f"the name '{row.name}' could be that of a pair made by the rule at {rule.source}"
            yield _mistake(row, problem)


def _regions(state: DesiredState, faulty: Collection[str]) -> _Mistakes:
    """Directions must be declared once, and rules, copies and ``to`` need a declared direction."""
    for first, repeated in _repeated(((region.primary, region.recovery), region) for region in state.regions):
        yield _mistake(repeated, f"regions: this direction is declared twice, first at {first.source}")
    for rule in state.rules[:1]:
        if not state.subscriptions and "subscriptions" not in faulty:
            yield _mistake(rule, f"rule '{rule.name}' searches nothing: no subscriptions are declared")
        if not state.regions and "regions" not in faulty:
            yield _mistake(rule, f"rule '{rule.name}' matches nothing: no regions are declared")
    if "regions" in faulty:
        return
    for row in state.pairs:
        if row.recovery is None and not state.regions:
            yield _mistake(
                row,
                f"pair '{row.name}' asks for a copy, but no regions say where copies are made",
                "add, for instance: regions: [{primary: eastasia, recovery: southeastasia}]",
            )
    declared = {region.recovery for region in state.regions}
    entries: list[tuple[str, Row | Rule]] = [("pair", row) for row in state.pairs]
    entries += [("rule", rule) for rule in state.rules]
    for kind, entry in entries:
        if entry.to is not None and normal_location(entry.to) not in declared:
            yield _mistake(
                entry,
                f"{kind} '{entry.name}' says to: {entry.to}, but no entry under regions has this recovery region"
                f"{did_you_mean(normal_location(entry.to), declared)}",
                f"declared recovery regions: {', '.join(sorted(declared)) or 'none'}",
            )


def _distinct_pairs(state: DesiredState) -> _Mistakes:
    first: dict[tuple[str, ArmId, ArmId | str | None], Row] = {}
    for row in state.pairs:
        recovery = row.recovery or (normal_location(row.to) if row.to else None)
        other = first.setdefault((row.vault, row.primary, recovery), row)
        if other is not row:
            yield _mistake(
                row, f"pairs '{other.name}' and '{row.name}' map the same networks; the first is at {other.source}"
            )
        mirrored = first.get((row.vault, row.recovery, row.primary)) if row.recovery else None
        if mirrored and (row.failback or mirrored.failback):
            yield _mistake(
                row,
                f"pair '{row.name}' is the reverse of pair '{mirrored.name}' at {mirrored.source}",
                "a pair has both directions; declare it once",
            )


def _one_recovery_per_primary(state: DesiredState) -> _Mistakes:
    """With one direction of regions declared, a primary network can have one recovery network only."""
    first: dict[tuple[str, ArmId], Row] = {}
    for row in state.pairs:
        other = first.setdefault((row.vault, row.primary), row)
        if other is not row:
            yield _mistake(
                row,
                f"pairs '{other.name}' and '{row.name}' give one primary network two recovery networks; "
                f"the first is at {other.source}",
            )


def _one_owner_per_reverse(state: DesiredState) -> _Mistakes:
    """With one direction of regions declared, a recovery network's reverse mapping can have one owner only."""
    owners: dict[tuple[str, ArmId], Row] = {}
    for row in state.pairs:
        if row.recovery is None or not row.failback:
            continue
        owner = owners.setdefault((row.vault, row.recovery), row)
        if owner is not row:
            yield _mistake(
                row,
                f"pairs '{owner.name}' and '{row.name}' share a recovery network and both own its reverse mapping; "
                f"the first is at {owner.source}",
                "add failback: none to all but one of them",
            )


def _distinct_vmm_pairs(state: DesiredState) -> _Mistakes:
    """A VM network has one mapping to each server and one to Azure; a pair of VM networks has two mappings."""
    first: dict[tuple[str, tuple[str, str], str], VmmRow] = {}
    for row in state.vmm_pairs:
        # The primary of each mapping of the row, and the server it maps to; empty for Azure.
        if isinstance(row.recovery, ArmId):
            mappings = [(row.primary, "")]
        else:
            mappings = [
                (row.primary, row.recovery.server.casefold()),
                (row.recovery, row.primary.server.casefold()),
            ]
        for primary, server in mappings:
            other = first.setdefault((row.vault, vmm_key(primary), server), row)
            if other is not row:
                yield _mistake(
                    row,
                    f"pairs '{other.name}' and '{row.name}' both map {primary} forward or in reverse; "
                    f"the first is at {other.source}",
                )


def _test_networks(state: DesiredState) -> _Mistakes:
    """A test network must not be a network of any row: tests would run in production."""
    owners: dict[ArmId, Row | VmmRow] = {}
    rows: list[Row | VmmRow] = [*state.pairs, *state.vmm_pairs]
    for row in rows:
        for end in (row.primary, row.recovery):
            if isinstance(end, ArmId):
                owners.setdefault(end, row)
    tested: list[tuple[str, Region | Row]] = [
        (f"the regions {region.primary} -> {region.recovery} have", region) for region in state.regions
    ]
    tested += [(f"pair '{pair.name}' has", pair) for pair in state.pairs]
    for subject, entry in tested:
        if isinstance(entry.test, ArmId) and entry.test in owners:
            owner = owners[entry.test]
            yield _mistake(
                entry,
                f"{subject} the test network {entry.test.name}, a network of pair '{owner.name}' at {owner.source}: "
                "tests would run in production",
                "name a network that is for tests alone",
            )

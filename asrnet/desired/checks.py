"""Rules between the entries of a desired state. Every error names both entries with file and line."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence

from asrnet.desired.state import DesiredState, Row, Rule, Source, Vault, VmmRow, VmNetworkName
from asrnet.errors import DocumentError
from asrnet.files.problems import did_you_mean
from asrnet.model.arm import ArmId, normal_location


def need_vaults(vaults: Sequence[Vault], *, file: str) -> None:
    """Raise DocumentError if no vault is declared."""
    if not vaults:
        raise DocumentError(
            "no vaults are declared, expected at least one",
            file=file,
            hint="add, for instance: vaults: {sea: alias/resource group/vault}",
        )


def check(state: DesiredState, *, file: str) -> None:
    """Raise DocumentError for the first rule that is broken; it names ``file`` if no line is at fault."""
    _check_names(state)
    _check_regions(state)
    _distinct_pairs(state)
    if len(state.regions) == 1:
        _one_recovery_per_primary(state)
        _one_owner_per_reverse(state)
    _distinct_vmm_pairs(state)
    if not (state.pairs or state.rules or state.vmm_pairs):
        raise DocumentError(
            "nothing is declared, expected pairs, rules or vmm_pairs",
            file=file,
            hint="add, for instance: pairs: [{name: hub, vault: sea, primary: alias/group/vnet, recovery: copy}]",
        )


def vmm_key(name: VmNetworkName) -> tuple[str, str]:
    """The key by which names of VM networks are compared, without case."""
    return name.server.casefold(), name.network.casefold()


def _error(source: Source, problem: str, hint: str = "") -> DocumentError:
    return DocumentError(problem, file=source.file, line=source.line, hint=hint)


def _repeated(keyed: Iterable[tuple[Hashable, Source]]) -> Iterator[tuple[Hashable, Source, Source]]:
    """Each repeated key, with the source of its first use and of the repeat."""
    first: dict[Hashable, Source] = {}
    for key, source in keyed:
        if key in first:
            yield key, first[key], source
        first.setdefault(key, source)


def _check_names(state: DesiredState) -> None:
    """Names of vaults, rows and rules must be unique."""
    for name, first, again in _repeated((vault.name, vault.source) for vault in state.vaults):
        raise _error(again, f"vaults.{name}: the vault is declared twice, first at {first}")
    for key, first, again in _repeated((vault.id, vault.source) for vault in state.vaults):
        names = " and ".join(f"'{vault.name}'" for vault in state.vaults if vault.id == key)
        raise _error(again, f"vaults: {names} are the same vault, first at {first}", "use one name in all rows")
    rows = [(row.name, row.source) for row in state.pairs] + [(row.name, row.source) for row in state.vmm_pairs]
    for name, first, again in _repeated([*rows, *((rule.name, rule.source) for rule in state.rules)]):
        raise _error(again, f"the name '{name}' is already taken at {first}", "names are used with --pair")
    rules = {rule.name: rule for rule in state.rules}
    for name, source in rows:
        rule = rules.get(name.partition("/")[0])
        if rule and "/" in name:
            raise _error(source, f"the name '{name}' could be that of a pair made by the rule at {rule.source}")


def _check_regions(state: DesiredState) -> None:
    """Directions must be declared once, and rules, copies and ``to`` need a declared direction."""
    directions = (((region.primary, region.recovery), region.source) for region in state.regions)
    for _, first, again in _repeated(directions):
        raise _error(again, f"regions: this direction is declared twice, first at {first}")
    for rule in state.rules[:1]:
        if not state.subscriptions:
            raise _error(rule.source, f"rule '{rule.name}' searches nothing: no subscriptions are declared")
        if not state.regions:
            raise _error(rule.source, f"rule '{rule.name}' matches nothing: no regions are declared")
    for row in state.pairs:
        if row.recovery is None and not state.regions:
            raise _error(
                row.source,
                f"pair '{row.name}' asks for a copy, but no regions say where copies are made",
                "add, for instance: regions: [{primary: eastasia, recovery: southeastasia}]",
            )
    declared = {region.recovery for region in state.regions}
    entries: list[tuple[str, Row | Rule]] = [("pair", row) for row in state.pairs]
    entries += [("rule", rule) for rule in state.rules]
    for kind, entry in entries:
        if entry.to is not None and normal_location(entry.to) not in declared:
            raise _error(
                entry.source,
                f"{kind} '{entry.name}' says to: {entry.to}, which is the recovery region of no entry under regions"
                f"{did_you_mean(normal_location(entry.to), declared)}",
                f"declared recovery regions: {', '.join(sorted(declared)) or 'none'}",
            )


def _distinct_pairs(state: DesiredState) -> None:
    first: dict[tuple[str, ArmId, ArmId | str | None], Row] = {}
    for row in state.pairs:
        recovery = row.recovery or (normal_location(row.to) if row.to else None)
        other = first.setdefault((row.vault, row.primary, recovery), row)
        if other is not row:
            raise _error(row.source, f"pair '{row.name}' is declared twice, first as '{other.name}' at {other.source}")
        mirrored = first.get((row.vault, row.recovery, row.primary)) if row.recovery else None
        if mirrored and (row.failback or mirrored.failback):
            raise _error(
                row.source,
                f"pair '{row.name}' is the reverse of pair '{mirrored.name}' at {mirrored.source}",
                "a pair has both directions; declare it once",
            )


def _one_recovery_per_primary(state: DesiredState) -> None:
    """With one direction of regions declared, a primary network can have one recovery network only."""
    first: dict[tuple[str, ArmId], Row] = {}
    for row in state.pairs:
        other = first.setdefault((row.vault, row.primary), row)
        if other is not row:
            raise _error(
                row.source,
                f"pairs '{other.name}' and '{row.name}' give one primary network two recovery networks; "
                f"the first is at {other.source}",
            )


def _one_owner_per_reverse(state: DesiredState) -> None:
    """With one direction of regions declared, a recovery network's reverse mapping can have one owner only."""
    owners: dict[tuple[str, ArmId], Row] = {}
    for row in state.pairs:
        if row.recovery is None or not row.failback:
            continue
        owner = owners.setdefault((row.vault, row.recovery), row)
        if owner is not row:
            raise _error(
                row.source,
                f"pairs '{owner.name}' and '{row.name}' share a recovery network and both own its reverse mapping; "
                f"the first is at {owner.source}",
                "add failback: none to all but one of them",
            )


def _distinct_vmm_pairs(state: DesiredState) -> None:
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
                raise _error(
                    row.source,
                    f"pairs '{other.name}' and '{row.name}' both map {primary} forward or in reverse; "
                    f"the first is at {other.source}",
                )

"""The desired state and the part of it that a run is about."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from asrnet import desired as files
from asrnet.cli import logs
from asrnet.desired import DesiredState, Selection, Vault
from asrnet.desired.state import shard
from asrnet.errors import InputError
from asrnet.files.problems import did_you_mean, there_are
from asrnet.model import arm as ids
from asrnet.model.arm import ArmId
from asrnet.model.findings import UNREAD
from asrnet.settings import Settings

if TYPE_CHECKING:
    from asrnet.model.plan import Plan

TOPOLOGY_HELP = "a VMM topology: logical networks, clouds, hosts; instead of the one the desired state names"


def desired_state(settings: Settings) -> DesiredState:
    """The desired state of ``--file``."""
    return files.load_desired(settings.file)


def desired_or_vaults(settings: Settings) -> DesiredState:
    """The desired state; or, where there is no file and ``--vault`` has full ids, one of nothing but these vaults."""
    if Path(settings.file).exists() or not any(_is_id(name) for name in settings.vault):
        return _with_vaults(desired_state(settings), settings)
    return _with_vaults(DesiredState(), settings)


def with_topology(desired: DesiredState, path: str | None) -> DesiredState:
    """``desired`` with another VMM topology, where one is given."""
    return structs.replace(desired, topology=path) if path else desired


def selection(settings: Settings, desired: DesiredState) -> Selection:
    """What ``--vault``, ``--pair`` and ``--shard`` select. Raises InputError for names that ``desired`` does not have.

    A shard without vaults is told, and no error: another run may have more of them tomorrow.
    """
    mine = shard(desired.vaults, settings.shard.index, settings.shard.count) if settings.shard else desired.vaults
    selected = Selection(
        vaults=frozenset(_vault_name(name, desired) for name in settings.vault),
        pairs=frozenset(_pair_name(name, desired) for name in settings.pair),
        elsewhere=frozenset(vault.name for vault in desired.vaults if vault not in mine),
    )
    _check_together(selected, desired)
    if settings.shard and not any(selected.has_vault(vault.name) for vault in desired.vaults):
        logs.remark(f"no vault is in shard {settings.shard.index}/{settings.shard.count}: there is nothing to do")
    return selected


def check_pairs(selected: Selection, plan: Plan, desired: DesiredState) -> None:
    """Raise InputError where no rule makes a pair of ``--pair``: a wrong name must not look like nothing to do.

    What rules make is not known where something could not be read, nor of vaults that the run leaves to others.
    """
    if selected.elsewhere or any(found.kind in UNREAD for found in plan.findings):
        return
    rows = {row.name for row in desired.pairs} | {row.name for row in desired.vmm_pairs}
    made = {f"{rule.name}/{network.name}" for rule in plan.rules for network in rule.matched}
    made |= {pair.name for pair in plan.pairs if pair.name not in rows}
    for name in sorted(selected.pairs - rows - made):
        problem = f"--pair: no rule makes a pair '{name}'{did_you_mean(name, made)}"
        raise InputError(problem, hint=there_are(name, sorted(made)))


def _check_together(selected: Selection, desired: DesiredState) -> None:
    """Raise InputError where ``--vault`` leaves out a pair of ``--pair``, which would look like nothing to do."""
    if not selected.vaults:
        return
    vaults = {rule.name: rule.vault for rule in desired.rules}
    vaults |= {row.name: row.vault for rows in (desired.pairs, desired.vmm_pairs) for row in rows}
    for name in sorted(selected.pairs):
        vault = vaults.get(name) or vaults[name.partition("/")[0]]
        if vault not in selected.vaults:
            raise InputError(
                f"--pair: '{name}' belongs to vault '{vault}', which --vault leaves out",
                hint="leave --vault out, or choose a pair of that vault",
            )


def _with_vaults(desired: DesiredState, settings: Settings) -> DesiredState:
    """``desired`` with the vaults that ``--vault`` gives by id and that it does not have, under their own names."""
    known = {vault.id for vault in desired.vaults}
    wanted = [_vault_id(text) for text in settings.vault if _is_id(text)]
    new = tuple(Vault(name=vault.name, id=vault) for vault in dict.fromkeys(wanted) if vault not in known)
    return structs.replace(desired, vaults=desired.vaults + new)


def _is_id(text: str) -> bool:
    return text.startswith("/")


def _vault_id(text: str) -> ArmId:
    return ids.expect(ArmId(text), ids.VAULT, "a Recovery Services vault")


def _vault_name(text: str, desired: DesiredState) -> str:
    vault_id = _vault_id(text) if _is_id(text) else None
    found = next((vault.name for vault in desired.vaults if text == vault.name or vault_id == vault.id), None)
    if found is None:
        raise no_vault(text, desired)
    return found


def no_vault(text: str, desired: DesiredState) -> InputError:
    """The error of a vault that ``desired`` does not have."""
    known = [vault.name for vault in desired.vaults]
    return InputError(f"--vault: there is no vault '{text}'{did_you_mean(text, known)}", hint=there_are(text, known))


def _pair_name(text: str, desired: DesiredState) -> str:
    rows = [row.name for row in desired.pairs] + [row.name for row in desired.vmm_pairs]
    rules = [rule.name for rule in desired.rules]
    if text not in rows and text.partition("/")[0] not in rules:
        known = rows + [f"{rule}/NETWORK" for rule in rules]
        by_rule = "; for NETWORK write a network that the rule matches, as plan shows it" if rules else ""
        problem = f"--pair: there is no pair '{text}'{did_you_mean(text, rows)}"
        raise InputError(problem, hint=f"{there_are(text, known)}{by_rule}")
    return text

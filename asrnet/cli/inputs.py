"""Loading the desired state and selecting the part of it that a run works on."""

from __future__ import annotations

import os
import shlex
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from msgspec import structs

from asrnet.cli import logs
from asrnet.cli.overwrite_check import check_overwrites
from asrnet.cli.session import Session
from asrnet.desired import DesiredState, Selection, Vault, examine_desired
from asrnet.desired.state import shard
from asrnet.errors import DocumentError, InputError, did_you_mean, known_names
from asrnet.model import arm as ids
from asrnet.model.arm import ArmId
from asrnet.settings import Settings

if TYPE_CHECKING:
    from asrnet.inventory.read import Inventory
    from asrnet.model.plan import Plan

_OF_DECLARED_VAULTS: Final = ("plan", "apply", "drift", "map")
"""The commands that work on vaults of the desired state only."""


def desired_state(session: Session[Settings]) -> DesiredState:
    """The desired state that a run works on, as ``read_desired`` reads it. Says where it was found."""
    say_where_it_was_found(session.settings)
    return read_desired(session)


def read_desired(session: Session[Settings]) -> DesiredState:
    """Load the desired state of ``--file`` and add the vaults that ``--vault`` gives by id, if the command allows that.

    With such vaults no file is needed, and ``map`` needs none. ``--machines`` overrides whether machines follow. Raises
    DocumentError about all mistakes in the file and in the topology that it names, and InputError about vaults and if
    an output would overwrite the topology.
    """
    settings = session.settings
    mistakes: list[InputError] = []
    vaults: list[ArmId] = []
    texts = [] if session.command in _OF_DECLARED_VAULTS else [text for text in settings.vault if _is_id(text)]
    for text in texts:
        with collected(mistakes):
            vaults.append(vault_id(text, settings))
    desired: DesiredState | None = DesiredState()
    is_needed = not texts and session.command != "map"
    if is_needed or "file" in settings.sources or os.path.exists(settings.file):  # noqa: PTH110 - Path.exists raises for a long name
        from asrnet.desired.loading import MISSING

        examined = examine_desired(settings.file)
        desired = examined.desired
        for mistake in examined.mistakes:
            if mistake.hint == MISSING:
                mistake.hint = f"{MISSING} with --file (-f)"
        mistakes += examined.mistakes
        topology = desired.topology if desired else None
        with collected(mistakes):
            check_overwrites(settings, command=session.command, topology=topology)
        # If the desired state is correct, the run reads its topology later and reports mistakes in it then.
        if mistakes and not settings.topology:
            mistakes += topology_mistakes(topology)
    if mistakes or desired is None:
        from asrnet.files.problems import combined

        raise combined(mistakes)
    declared = {vault.id for vault in desired.vaults}
    new = [Vault(name=vault.name, id=vault) for vault in dict.fromkeys(vaults) if vault not in declared]
    desired = structs.replace(desired, vaults=(*desired.vaults, *new), topology=settings.topology or desired.topology)
    # In asrnet predict, --machines is the path of a list.
    if session.command == "predict" or settings.machines is None:
        return desired
    return desired.with_machines("follow" if settings.machines == "follow" else "report")


def say_where_it_was_found(settings: Settings) -> None:
    """Say which desired state is used, if it was found in a folder above the working directory."""
    if settings.is_file_from_above:
        logs.remark(f"using {settings.file}, the nearest desired state above this folder")


def topology_mistakes(path: str | None) -> tuple[DocumentError, ...]:
    """The mistakes in the topology at ``path``, if there is one."""
    if path is not None:
        from asrnet.vmm import read_topology

        try:
            read_topology(path)
        except DocumentError as error:
            return (error,)
    return ()


@contextmanager
def collected(mistakes: list[InputError]) -> Iterator[None]:
    """Add an InputError that is raised inside to ``mistakes``, and go on after the block."""
    try:
        yield
    except InputError as error:
        mistakes.append(error)


def selection(settings: Settings, desired: DesiredState) -> Selection:
    """The selection of ``--vault``, ``--pair``, ``--machine`` and ``--shard``.

    Raises InputError about all vaults and pairs that are not in ``desired``. A shard without vaults is reported but is
    no error, because vaults may be added to the file later.
    """
    part = shard(desired.vaults, settings.shard.index, settings.shard.count) if settings.shard else desired.vaults
    mistakes: list[InputError] = []
    vaults: set[str] = set()
    for text in settings.vault:
        with collected(mistakes):
            vaults.add(_declared_vault(text, settings, desired))
    selected = Selection(
        vaults=frozenset(vaults),
        pairs=frozenset(settings.pair),
        machines=frozenset(settings.machine),
        other_vaults=frozenset(vault.name for vault in desired.vaults if vault not in part),
    )
    for name in settings.pair:
        with collected(mistakes):
            _check_pair_is_declared(name, settings, desired)
            # A misspelled vault leaves no pair out.
            if len(vaults) == len(set(settings.vault)) > 0:
                _check_vault_of_pair(name, vaults, settings, desired)
    if mistakes:
        from asrnet.files.problems import combined

        raise combined(mistakes)
    if settings.shard and not any(selected.has_vault(vault.name) for vault in desired.vaults):
        logs.remark(f"no vault is in shard {settings.shard.index}/{settings.shard.count}: there is nothing to do")
    return selected


def check_pairs(selected: Selection, plan: Plan, settings: Settings, desired: DesiredState) -> None:
    """Raise InputError if a pair of ``--pair`` does not exist, because a typo must not look like "nothing to do".

    Pairs made by rules are not all known if something could not be read or other shards have some of the vaults; then
    nothing is checked.
    """
    from asrnet.model.findings import UNREAD  # 1 ms, and asrnet validate has no findings

    if selected.other_vaults or any(finding.kind in UNREAD for finding in plan.findings):
        return
    rows = {row.name for row in desired.pairs} | {row.name for row in desired.vmm_pairs}
    made = {f"{rule.name}/{network.name}" for rule in plan.rules for network in rule.matched}
    made |= {pair.name for pair in plan.pairs if pair.name not in rows}
    for name in sorted(selected.pairs - rows - made):
        problem = f"{settings.source('pair')}: no rule makes a pair '{name}'{did_you_mean(name, made)}"
        raise InputError(problem, hint=known_names(name, sorted(made), "pairs"))


def check_machines(selected: Selection, plan: Plan, inventory: Inventory, settings: Settings) -> None:
    """Raise InputError if a machine of ``--machine`` is replicated in none of the vaults that were read, or in no pair.

    Nothing is checked if the machines of a vault could not be read, or other shards have some of the vaults.
    """
    if selected.other_vaults or inventory.unread("vault", "machines"):
        return
    names = {
        item.friendly_name
        for vault in inventory.vaults.values()
        if isinstance(vault.items, tuple)
        for item in vault.items
    }
    replicated = {name.lower() for name in names}
    for name in sorted(selected.machines):
        if name.lower() not in replicated:
            problem = f"{settings.source('machine')}: no machine '{name}' is replicated{did_you_mean(name, names)}"
            hint = known_names(name, sorted(names), "machines")
            if set("*?[") & set(name):
                hint = "--machine takes one full name and may be repeated; patterns go into the file, under ignore"
            raise InputError(problem, hint=hint)
    if selected.machines and not plan.pairs:
        listed = ", ".join(sorted(selected.machines))
        raise InputError(
            f"{settings.source('machine')}: no pair of the desired state has {listed}",
            hint="a machine belongs to a pair if it is on the pair's primary network and replicated to its recovery "
            "region; ignored machines and those in the recovery region are left out",
        )


def no_vault(text: str, settings: Settings, desired: DesiredState) -> InputError:
    """The error for a vault that is not in ``desired``."""
    names = [vault.name for vault in desired.vaults]
    problem = f"{settings.source('vault')}: there is no vault '{text}'{did_you_mean(text, names)}"
    return InputError(problem, hint=known_names(text, names, "vaults"))


def _check_pair_is_declared(name: str, settings: Settings, desired: DesiredState) -> None:
    """Raise InputError unless ``name`` is the name of a row, or RULE/NETWORK with the name of a rule."""
    rows = [row.name for row in desired.pairs] + [row.name for row in desired.vmm_pairs]
    rules = [rule.name for rule in desired.rules]
    if name in rows or name.partition("/")[0] in rules:
        return
    by_rule = "; for NETWORK write a network that the rule matches, as plan shows it" if rules else ""
    problem = f"{settings.source('pair')}: there is no pair '{name}'{did_you_mean(name, rows)}"
    raise InputError(
        problem, hint=f"{known_names(name, rows + [f'{rule}/NETWORK' for rule in rules], 'pairs')}{by_rule}"
    )


def _check_vault_of_pair(name: str, vaults: Collection[str], settings: Settings, desired: DesiredState) -> None:
    """Raise InputError if the pair ``name`` is in none of the selected ``vaults``, instead of doing nothing."""
    vault_of = {rule.name: rule.vault for rule in desired.rules}
    vault_of |= {row.name: row.vault for rows in (desired.pairs, desired.vmm_pairs) for row in rows}
    vault = vault_of.get(name) or vault_of[name.partition("/")[0]]
    if vault not in vaults:
        raise InputError(
            f"{settings.source('pair')}: '{name}' belongs to vault '{vault}', "
            f"which {settings.source('vault')} leaves out",
            hint="select no vault, or a pair of the vault that is selected",
        )


def _declared_vault(text: str, settings: Settings, desired: DesiredState) -> str:
    """The name of the declared vault that ``text`` gives by name or id. Raises InputError if there is none."""
    given_id = vault_id(text, settings) if _is_id(text) else None
    for vault in desired.vaults:
        if text == vault.name or given_id == vault.id:
            return vault.name
    raise no_vault(text, settings, desired)


def _is_id(text: str) -> bool:
    return text.startswith("/")


def vault_id(text: str, settings: Settings) -> ArmId:
    """The id of a vault in ``text``, a value of ``--vault``. Raises InputError if it is none."""
    if "/" not in text:
        kind = shlex.join(["--resource-type", "Microsoft.RecoveryServices/vaults", "--name", text])
        raise InputError(
            f"{settings.source('vault')}: '{text}' is a name, expected the full id of a vault",
            hint=f"this prints its id: az resource list {kind} --query '[].id' -o tsv",
        )
    try:
        return ids.expect(ArmId(text), ids.VAULT, "a Recovery Services vault")
    except InputError as error:
        raise InputError(f"{settings.source('vault')}: {error.message}", hint=error.hint) from error

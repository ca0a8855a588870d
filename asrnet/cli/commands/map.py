"""Map one network now, the portal's way, in both directions.

A network that is mapped already keeps its recovery network, unless --retarget says otherwise. Without a mapping and
without --recovery, a copy named NAME-asr is made in the recovery region.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Final

from asrnet.cli import apply_flow as carrying_out
from asrnet.cli import inputs, outputs
from asrnet.cli.session import Session
from asrnet.cli.stopwatch import WATCH
from asrnet.desired import CopySettings, DesiredState
from asrnet.errors import InputError
from asrnet.model import arm as ids
from asrnet.model.arm import ArmId

FORMATS: Final = outputs.PLAN_FORMATS
WORDS: Final = {"vault": "the vault, given once: its name in the desired state, or its full id"}
EXAMPLES: Final = (
    ("asrnet map prod/rg-app/app-ea --vault sea --to southeastasia", "map to a copy, app-ea-asr, made if need be"),
    ("asrnet map prod/rg/hub-ea --vault sea --to southeastasia --recovery dr/rg/hub", "map to a network that is there"),
)
EXITS: Final = {
    0: "mapped, or it was already",
    1: "an error, some changes failed, or the answer was not yes",
    2: "blocked: the report says by what",
    3: "refused: mapped elsewhere and no --retarget, a failover under way",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.add_argument("primary", metavar="PRIMARY", help="the network: a full id, or alias/resource group/name")
    parser.add_argument("--to", metavar="REGION", required=True, help="the recovery region")
    parser.add_argument("--recovery", metavar="NETWORK", help="the recovery network, in the recovery region")
    parser.add_argument("--retarget", action="store_true", help="change a mapping that leads to another network")


def run(session: Session) -> int:
    """Plan the pair, ask, apply."""
    from asrnet.provision import plan_pair

    settings = session.settings
    desired = inputs.desired_state(settings) if Path(settings.file).exists() else DesiredState()
    vault = _vault(session, desired)
    primary = _network(session.argument("primary"), desired)
    recovery = session.argument("recovery")
    with (
        outputs.opened(settings.output, FORMATS, settings.variables) as opened,
        carrying_out.audit(session, opened) as on_write,
    ):
        with session.backend(desired) as backend:
            plan = plan_pair(
                backend,
                vault=vault,
                primary=primary,
                to=session.argument("to"),
                recovery=_network(recovery, desired) if recovery else None,
                copy=_copy_settings(session.argument("to"), desired),
                retarget=session.argument("retarget", default=False),
                cloud=desired.cloud,
                forced=frozenset(settings.force),
                told=WATCH.mark,
            )
            report = carrying_out.carry_out(session, plan, backend, opened, on_write)
        return carrying_out.concluded(session, report, opened, all_pairs=True)


def _vault(session: Session, desired: DesiredState) -> ArmId:
    given = session.settings.vault
    if len(given) != 1:
        names = f", one of {', '.join(vault.name for vault in desired.vaults)}" if desired.vaults else ""
        problem = f"map needs exactly one --vault, found {len(given) or 'none'}"
        raise InputError(problem, hint=f"--vault takes the full id of a vault, or its name in the desired state{names}")
    known = {vault.name: vault.id for vault in desired.vaults}
    if known and "/" not in given[0] and given[0] not in known:
        raise inputs.no_vault(given[0], desired)
    return known.get(given[0]) or _resource(given[0], ids.VAULT, desired)


def _network(text: str, desired: DesiredState) -> ArmId:
    return _resource(text, ids.VNET, desired)


def _resource(text: str, kind: str, desired: DesiredState) -> ArmId:
    from asrnet.desired import references

    return references.resource(text, kind, desired.subscriptions)


def _copy_settings(to: str, desired: DesiredState) -> CopySettings:
    """How the desired state makes copies in the recovery region, if it says so in one way."""
    said = {region.copy for region in desired.regions if region.recovery == ids.normal_location(to)}
    return said.pop() if len(said) == 1 else CopySettings()

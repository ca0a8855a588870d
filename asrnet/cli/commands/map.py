"""Map one network now, as the portal does, in both directions.

A network that is already mapped keeps its recovery network, unless --retarget says otherwise. Without a mapping and
without --recovery, a copy named NAME-asr is made in the recovery region.
"""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from asrnet.cli import apply_flow, inputs, outputs
from asrnet.cli.session import Session
from asrnet.cli.stopwatch import WATCH
from asrnet.desired import CopySettings, DesiredState
from asrnet.errors import InputError
from asrnet.model import arm as ids
from asrnet.model.arm import ArmId
from asrnet.model.regions import region_meant
from asrnet.render import DocumentKind
from asrnet.settings.changes import MapSettings

DOCUMENT: Final[DocumentKind] = "plan"
HELP: Final = {"vault": "the vault, given once: its name in the desired state, or its full id"}
EXAMPLES: Final = (
    (
        "asrnet map prod/rg-app/app-ea --vault sea --to southeastasia",
        "map to the copy app-ea-asr, made if needed",
    ),
    ("asrnet map prod/rg/hub-ea --vault sea --to southeastasia --recovery dr/rg/hub", "map to an existing network"),
)
EXITS: Final = {
    0: "mapped, now or before",
    1: "an error, some changes failed, or the answer was not yes",
    2: "blocked; the report gives the reason",
    3: "refused: mapped elsewhere without --retarget, or a failover in progress",
}


class Named(Struct, frozen=True, kw_only=True):
    """The resources that the options name."""

    vault: ArmId
    primary: ArmId
    recovery: ArmId | None


def run(session: Session[MapSettings]) -> int:
    """Plan the pair, ask, apply."""
    from asrnet.provision import request_pair

    settings = session.settings
    desired = inputs.desired_state(session)
    named = named_resources(settings, desired)
    # Copies in the recovery region follow the settings of the desired state, if it has exactly one set of them.
    copies = {region.copy for region in desired.regions if region.recovery == ids.normal_location(settings.to)}
    with (
        outputs.opened(settings, DOCUMENT) as opened,
        apply_flow.audit(session, opened) as on_write,
    ):
        with session.backend(desired) as backend:
            request = request_pair(
                backend,
                vault=named.vault,
                primary=named.primary,
                to=settings.to,
                recovery=named.recovery,
                copy=copies.pop() if len(copies) == 1 else CopySettings(),
                retarget=settings.retarget,
                machines="follow" if settings.machines == "follow" else "report",
                cloud=desired.cloud,
                vault_name=next((declared.name for declared in desired.vaults if declared.id == named.vault), ""),
            )
            WATCH.mark("reads")
            plan = request.plan(settings.force)
            WATCH.mark("planning")
            report = apply_flow.confirm_and_apply(session, plan, backend, opened, on_write)
        return apply_flow.finish(session, report, opened, all_pairs=True)


def named_resources(settings: MapSettings, desired: DesiredState) -> Named:
    """The vault and the networks, by the aliases of ``desired``. Raises InputError about all that do not name one."""
    from asrnet.desired import references

    mistakes: list[InputError] = []
    named: dict[str, ArmId] = {}
    with inputs.collected(mistakes):
        named["vault"] = _vault(settings, desired)
    with inputs.collected(mistakes):
        named["primary"] = references.resource(settings.primary, ids.VNET, desired.subscriptions)
    with inputs.collected(mistakes):
        if settings.recovery:
            named["recovery"] = references.resource(settings.recovery, ids.VNET, desired.subscriptions)
    if mistakes:
        from asrnet.files.problems import combined

        # Only Azure knows all regions, so a run without mistakes asks it. Here a likely typo is named at once.
        if settings.to and (meant := region_meant(settings.to)):
            problem = f"{settings.source('to')}: asrnet knows no region '{settings.to}'; did you mean '{meant}'?"
            mistakes.append(InputError(problem, hint="'az account list-locations' prints all regions"))
        raise combined(mistakes)
    return Named(vault=named["vault"], primary=named["primary"], recovery=named.get("recovery"))


def _vault(settings: MapSettings, desired: DesiredState) -> ArmId:
    """The id of the vault in ``--vault``. Raises InputError unless exactly one is given."""
    from asrnet.desired import references

    if len(settings.vault) != 1:
        names = f", one of {', '.join(vault.name for vault in desired.vaults)}" if desired.vaults else ""
        number = f"{settings.source('vault')} names {len(settings.vault)}" if settings.vault else "none is named"
        problem = f"map needs exactly one vault, but {number}"
        raise InputError(problem, hint=f"--vault takes the full id of a vault, or its name in the desired state{names}")
    (text,) = settings.vault
    vaults = {vault.name: vault.id for vault in desired.vaults}
    if vaults and "/" not in text and text not in vaults:
        raise inputs.no_vault(text, settings, desired)
    if text in vaults:
        return vaults[text]
    try:
        return references.resource(text, ids.VAULT, desired.subscriptions)
    except InputError as error:
        hint = (
            error.hint if vaults else "without a desired-state file, give the vault and the networks by their full ids"
        )
        raise InputError(f"{settings.source('vault')}: {error.message}", hint=hint) from error

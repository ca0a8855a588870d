"""Print a custom role with only the rights that a task needs, in the format of az role definition create.

The role's scopes are the resources that the desired state names, or those of the vaults of --vault. Use one role per
task, so that no task has rights in the scopes of another. create-networks is for creating copies of networks;
landing-zones also covers their network security groups, route tables and resource groups, and added subnets; machines
is for machines that follow, nics for predict --nics.
"""

from __future__ import annotations

import shlex
from typing import Final

from asrnet import exit_codes
from asrnet.cli import inputs, logs, outputs
from asrnet.cli.session import Session
from asrnet.diagnostics.roles import actions, role, tasks_of
from asrnet.errors import InputError
from asrnet.model.rights import optional_rights
from asrnet.render.json import as_json
from asrnet.settings.tools import PermissionsSettings

EXAMPLES: Final = (
    ("asrnet permissions --for plan", "the role for runs that only read"),
    ("asrnet permissions --for apply --out role.json", "the role for runs that write, as a file for az"),
)


def run(session: Session[PermissionsSettings]) -> int:
    """Print the role, and remarks about it on standard error."""
    settings = session.settings
    task = settings.task
    declared = inputs.desired_state(session)
    selection = inputs.selection(settings, declared)
    desired = declared.within([vault.name for vault in declared.vaults if selection.has_vault(vault.name)])
    with outputs.destination(settings.out) as write:
        definition = role(task, desired, name=settings.name or "", minimal=settings.minimal)
        if not definition.assignable_scopes:
            if task == "nics":
                hint = "declare the pairs: NICs are read in the subscriptions of their primary networks"
                raise InputError("no pair says in which subscriptions the machines are", hint=hint)
            raise InputError(f"{task} needs no rights for this desired state")
        write(as_json(definition))
    if task == "apply":
        logs.remark("delete is needed for retargets: the old reverse mapping is deleted before the new one is made")
        for other in tasks_of(desired):
            if not {*actions(other, desired)} <= {*actions(task, desired)}:
                logs.remark(f"hint: this desired state also needs the role of: asrnet permissions --for {other}")
    if time_savers := optional_rights(definition.actions):
        logs.remark(f"optional rights that only save time (--minimal leaves them out): {', '.join(time_savers)}")
    create = ["az", "role", "definition", "create", "--role-definition", settings.out or "role.json"]
    save = "" if settings.out else "save it with --out role.json, and "
    logs.remark(f"hint: {save}create it with: {shlex.join(create)}")
    assign = ["az", "role", "assignment", "create", "--assignee", "OBJECT_ID", "--role", definition.name, "--scope"]
    for scope in definition.assignable_scopes:
        logs.remark(f"hint: assign it with: {shlex.join([*assign, scope])}")
    return exit_codes.DONE

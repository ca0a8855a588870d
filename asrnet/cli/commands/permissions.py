"""Print the custom role with the least rights that a task needs, as az role definition create reads it.

Its scopes are what the desired state names, limited to the vaults of --vault where any are given. With a role for each
task, no task has rights in the scopes of another. create-networks makes copies of networks; landing-zones makes them
with network security groups, route tables and resource groups, and adds subnets.
"""

from __future__ import annotations

import shlex
from typing import Final

from asrnet import exit_codes
from asrnet.cli import inputs, logs, outputs
from asrnet.cli.session import Session
from asrnet.diagnostics.roles import actions, optional, role, tasks_of
from asrnet.errors import InputError
from asrnet.render.json import as_json
from asrnet.settings import PermissionsSettings

EXAMPLES: Final = (
    ("asrnet permissions --for plan", "the role of a run that only looks"),
    ("asrnet permissions --for apply --out role.json", "the role of a run that writes, as a file for az"),
)


def run(session: Session[PermissionsSettings]) -> int:
    """Print the role; what to know about it goes to standard error."""
    settings = session.settings
    task = settings.task
    declared = inputs.desired_or_vaults(session)
    selection = inputs.selection(settings, declared)
    desired = declared.within([vault.name for vault in declared.vaults if selection.has_vault(vault.name)])
    with outputs.destination(settings.out) as write:
        definition = role(task, desired, name=settings.name or "", minimal=settings.minimal)
        if not definition.assignable_scopes:
            raise InputError(f"there is nothing in the desired state that {task} would need rights for")
        write(as_json(definition))
    if task == "apply":
        logs.remark("delete is there for retargets: the old reverse mapping is deleted before the new one is made")
        for other in tasks_of(desired):
            if not {*actions(other, desired)} <= {*actions(task, desired)}:
                logs.remark(f"this desired state needs another role, too: asrnet permissions --for {other}")
    if time_savers := optional(definition.actions):
        logs.remark(f"these only save time, and --minimal leaves them out: {', '.join(time_savers)}")
    create = ["az", "role", "definition", "create", "--role-definition", settings.out or "role.json"]
    logs.remark(f"create it with: {shlex.join(create)}")
    assign = ["az", "role", "assignment", "create", "--assignee", "OBJECT_ID", "--role", definition.name, "--scope"]
    for scope in definition.assignable_scopes:
        logs.remark(f"assign it with: {shlex.join([*assign, scope])}")
    return exit_codes.DONE

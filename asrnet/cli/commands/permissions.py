"""Print the custom role with the least rights that a task needs, as az role definition create reads it.

Its scopes are what the desired state names, for the vaults of --vault where they are given. A role for each task keeps
the rights of one out of the scopes of another.
"""

from __future__ import annotations

import argparse
from typing import Final

from asrnet.cli import exits, inputs, logs, outputs
from asrnet.cli.session import Session
from asrnet.diagnostics.roles import TASKS, Role, Task, actions, optional, role, tasks_of
from asrnet.errors import InputError
from asrnet.files.problems import did_you_mean
from asrnet.render.json import as_json

EXAMPLES: Final = (
    ("asrnet permissions --for plan", "the role of a run that only looks"),
    ("asrnet permissions --for apply --out role.json", "the role of a run that writes, as a file for az"),
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of this command."""
    parser.add_argument("--for", dest="task", metavar="TASK", help=f"{', '.join(TASKS)}; apply without it")
    parser.add_argument("--minimal", action="store_true", help="leave out the rights that only make it quicker")
    parser.add_argument("--name", metavar="NAME", help="what the role is called; asrnet and the tasks without it")
    parser.add_argument("--out", metavar="PATH", help="the file to write; standard output without it")


def run(session: Session) -> int:
    """Print the role; what to know about it goes to standard error."""
    task = _task(session.argument("task", "apply"))
    everything = inputs.desired_or_vaults(session.settings)
    selection = inputs.selection(session.settings, everything)
    desired = everything.within([vault.name for vault in everything.vaults if selection.has_vault(vault.name)])
    path, minimal = session.argument("out"), session.argument("minimal", default=False)
    with outputs.destination(path) as write:
        made = role(task, desired, name=session.argument("name", ""), minimal=minimal)
        if not made.assignable_scopes:
            raise InputError(f"there is nothing in the desired state that {task} would need rights for")
        write(as_json(made))
    others = [other for other in tasks_of(desired) if not {*actions(other, desired)} <= {*actions(task, desired)}]
    _explain(made, task, others, path or "role.json")
    return exits.DONE


def _task(text: str) -> Task:
    for task in TASKS:
        if text == task:
            return task
    problem = f"--for: there is no task '{text}'{did_you_mean(text, TASKS)}"
    raise InputError(problem, hint=f"there are {', '.join(TASKS)}")


def _explain(made: Role, task: Task, others: list[Task], path: str) -> None:
    if task == "apply":
        logs.remark("delete is there for retargets: the old reverse mapping is deleted before the new one is made")
        for other in others:
            logs.remark(f"this desired state needs another role, too: asrnet permissions --for {other}")
    if quicker := optional(made.actions):
        logs.remark(f"only for speed, and left out by --minimal: {', '.join(quicker)}")
    logs.remark(f"create it with: az role definition create --role-definition {path}")
    assign = f"az role assignment create --assignee OBJECT_ID --role '{made.name}' --scope"
    for scope in made.assignable_scopes:
        logs.remark(f"assign it with: {assign} {scope}")

"""Make the pairs that a desired-state file asks for: ``python provision.py [asrnet.yaml]``.

Azure is found as the command line finds it: AZURE_* variables, or whoever is signed in to the Azure CLI. To try it
without a subscription: ``ASRNET_BACKEND=fake:world.yaml python provision.py``.
"""

from __future__ import annotations

import sys
from contextlib import closing

import asrnet
from asrnet.render import render


def main(path: str = "asrnet.yaml") -> int:
    """Plan, show, apply, show."""
    desired = asrnet.load(path)
    with closing(asrnet.connect(cloud=desired.cloud)) as backend:
        plan = asrnet.plan(desired, asrnet.read(desired, backend))
        print(render(plan, "text"))
        report = asrnet.apply(plan, backend, on_progress=lambda step: print(step.state, step.action, step.name))
    print(render(report, "text"))
    return 0 if report.result in {"succeeded", "nothing_to_do"} else 1


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except asrnet.AsrError as error:
        sys.exit(f"{error.message}\n{error.hint}".rstrip())

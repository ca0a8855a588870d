"""Azure Site Recovery network mappings, as pairs.

The names a program needs, each imported when it is first used, so that ``import asrnet`` costs next to nothing::

    desired = asrnet.load_desired("asrnet.yaml")
    backend = asrnet.connect(cloud=desired.cloud)
    plan = asrnet.plan(desired, asrnet.read_inventory(desired, backend))
    report = asrnet.apply(plan, backend)
"""

from __future__ import annotations

# This module imports nothing by itself, not even typing: an interrupt before the command line guards itself against
# one would end in a traceback.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any, Final

    from asrnet.applying import Options, Progress, Report, apply
    from asrnet.backends import connect
    from asrnet.desired import CopySettings, DesiredState, Selection, dump_desired, load_desired
    from asrnet.errors import AsrError, InputError, RefusedError, ServiceError
    from asrnet.inventory.live_pairs import LivePairs, live_pairs
    from asrnet.inventory.read import Inventory, read_inventory
    from asrnet.model.arm import ArmId
    from asrnet.model.findings import Finding
    from asrnet.model.plan import Change, Plan, load_plan, to_json
    from asrnet.planning import plan
    from asrnet.planning.staleness import moved_since
    from asrnet.ports import Backend
    from asrnet.provision import ensure_pair, plan_pair
    from asrnet.settings import Settings, from_process

__all__ = [
    "ArmId",
    "AsrError",
    "Backend",
    "Change",
    "CopySettings",
    "DesiredState",
    "Finding",
    "InputError",
    "Inventory",
    "LivePairs",
    "Options",
    "Plan",
    "Progress",
    "RefusedError",
    "Report",
    "Selection",
    "ServiceError",
    "Settings",
    "apply",
    "connect",
    "dump_desired",
    "ensure_pair",
    "from_process",
    "live_pairs",
    "load_desired",
    "load_plan",
    "moved_since",
    "plan",
    "plan_pair",
    "read_inventory",
    "to_json",
]

_HOMES: Final = {
    "applying": ("Options", "Progress", "apply"),
    "backends": ("connect",),
    "desired": ("CopySettings", "DesiredState", "Selection", "dump_desired", "load_desired"),
    "errors": ("AsrError", "InputError", "RefusedError", "ServiceError"),
    "inventory.live_pairs": ("LivePairs", "live_pairs"),
    "inventory.read": ("Inventory", "read_inventory"),
    "model.arm": ("ArmId",),
    "model.findings": ("Finding",),
    "model.plan": ("Change", "Plan", "load_plan", "to_json"),
    "model.report": ("Report",),
    "planning": ("plan",),
    "planning.staleness": ("moved_since",),
    "ports": ("Backend",),
    "provision": ("ensure_pair", "plan_pair"),
    "settings": ("Settings", "from_process"),
}
_MODULES: Final = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("asrnet")
    if name not in _MODULES:
        raise AttributeError(f"module 'asrnet' has no attribute '{name}'")
    from importlib import import_module

    found = getattr(import_module(f"asrnet.{_MODULES[name]}"), name)
    globals()[name] = found
    return found

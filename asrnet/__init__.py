"""Azure Site Recovery network mappings, as pairs.

The names a program needs, each imported when it is first used, so that ``import asrnet`` costs next to nothing::

    desired = asrnet.load("asrnet.yaml")
    backend = asrnet.connect(cloud=desired.cloud)
    plan = asrnet.plan(desired, asrnet.read(desired, backend))
    report = asrnet.apply(plan, backend)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from asrnet.applying import Options, Progress, Report, apply
    from asrnet.backends import connect
    from asrnet.changes import Change, Finding, Plan, load_plan, to_json
    from asrnet.desired import CopySettings, DesiredState, Selection, dumps, load
    from asrnet.errors import AsrError, InputError, RefusedError, ServiceError
    from asrnet.ids import ArmId
    from asrnet.inventory import Inventory, read
    from asrnet.live import LivePairs, live_pairs
    from asrnet.planning import plan
    from asrnet.ports import Backend
    from asrnet.provision import ensure_pair, plan_pair
    from asrnet.saved import moved_since
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
    "dumps",
    "ensure_pair",
    "from_process",
    "live_pairs",
    "load",
    "load_plan",
    "moved_since",
    "plan",
    "plan_pair",
    "read",
    "to_json",
]

_HOMES: Final = {
    "applying": ("Options", "Progress", "Report", "apply"),
    "backends": ("connect",),
    "changes": ("Change", "Finding", "Plan", "load_plan", "to_json"),
    "desired": ("CopySettings", "DesiredState", "Selection", "dumps", "load"),
    "errors": ("AsrError", "InputError", "RefusedError", "ServiceError"),
    "ids": ("ArmId",),
    "inventory": ("Inventory", "read"),
    "live": ("LivePairs", "live_pairs"),
    "planning": ("plan",),
    "ports": ("Backend",),
    "provision": ("ensure_pair", "plan_pair"),
    "saved": ("moved_since",),
    "settings": ("Settings", "from_process"),
}
_MODULES: Final = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version

        return version("asrnet")
    if name not in _MODULES:
        raise AttributeError(f"module 'asrnet' has no attribute '{name}'")
    found = getattr(import_module(f"asrnet.{_MODULES[name]}"), name)
    globals()[name] = found
    return found

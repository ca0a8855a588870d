"""Azure Site Recovery network mappings, as pairs.

The public names, each imported when it is first used, so that ``import asrnet`` costs next to nothing::

    desired = asrnet.load_desired("asrnet.yaml")
    backend = asrnet.connect(cloud=desired.cloud)
    plan = asrnet.plan(desired, asrnet.read_inventory(desired, backend))
    report = asrnet.apply(plan, backend)

``docs/library.md`` has an example of each.
"""

from __future__ import annotations

# This module imports nothing at load time, not even typing: Ctrl-C before the command line has installed its handler
# would end in a traceback.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import Any, Final

    from asrnet.applying import AuditEntry, Options, Progress, apply
    from asrnet.backends import connect
    from asrnet.desired import CopySettings, DesiredState, Selection, dump_desired, load_desired
    from asrnet.diagnostics.checks import Examination, doctor
    from asrnet.drift import Correction, Detected, Kinds, correct_drift, detect_drift
    from asrnet.errors import (
        AsrError,
        ConflictError,
        CredentialError,
        CrossTenantError,
        DocumentError,
        ForbiddenError,
        InputError,
        NotFoundError,
        OperationFailedError,
        RefusedError,
        ResourceGroupNotFoundError,
        ServiceError,
        UnreachableError,
        VaultUnusedError,
    )
    from asrnet.exit_codes import exit_code
    from asrnet.export.az_script import export_az
    from asrnet.export.bicep import export_bicep
    from asrnet.export.desired import Dump, export_desired
    from asrnet.export.terraform import export_terraform
    from asrnet.failover import Prediction
    from asrnet.inventory.live_pairs import LivePairs, live_pairs
    from asrnet.inventory.read import Inventory, read_inventory
    from asrnet.inventory.targets import Targets, targets
    from asrnet.model.arm import ArmId
    from asrnet.model.findings import Finding, FindingKind
    from asrnet.model.plan import Change, Plan, load_plan, to_json
    from asrnet.model.report import Report
    from asrnet.planning import plan
    from asrnet.planning.staleness import moved_since
    from asrnet.ports import Backend
    from asrnet.prediction import PredictionInputs, Question, predict, read_machines
    from asrnet.provision import ensure_pair, plan_pair
    from asrnet.settings import Settings, from_process

__all__ = [
    "ArmId",
    "AsrError",
    "AuditEntry",
    "Backend",
    "Change",
    "ConflictError",
    "CopySettings",
    "Correction",
    "CredentialError",
    "CrossTenantError",
    "DesiredState",
    "Detected",
    "DocumentError",
    "Dump",
    "Examination",
    "Finding",
    "FindingKind",
    "ForbiddenError",
    "InputError",
    "Inventory",
    "Kinds",
    "LivePairs",
    "NotFoundError",
    "OperationFailedError",
    "Options",
    "Plan",
    "Prediction",
    "PredictionInputs",
    "Progress",
    "Question",
    "RefusedError",
    "Report",
    "ResourceGroupNotFoundError",
    "Selection",
    "ServiceError",
    "Settings",
    "Targets",
    "UnreachableError",
    "VaultUnusedError",
    "apply",
    "connect",
    "correct_drift",
    "detect_drift",
    "doctor",
    "dump_desired",
    "ensure_pair",
    "exit_code",
    "export_az",
    "export_bicep",
    "export_desired",
    "export_terraform",
    "from_process",
    "live_pairs",
    "load_desired",
    "load_plan",
    "moved_since",
    "plan",
    "plan_pair",
    "predict",
    "read_inventory",
    "read_machines",
    "targets",
    "to_json",
]

_HOMES: Final = {
    "applying": ("AuditEntry", "Options", "Progress", "apply"),
    "backends": ("connect",),
    "desired": ("CopySettings", "DesiredState", "Selection", "dump_desired", "load_desired"),
    "diagnostics.checks": ("Examination", "doctor"),
    "drift": ("Correction", "Detected", "Kinds", "correct_drift", "detect_drift"),
    "errors": (
        "AsrError",
        "ConflictError",
        "CredentialError",
        "CrossTenantError",
        "DocumentError",
        "ForbiddenError",
        "InputError",
        "NotFoundError",
        "OperationFailedError",
        "RefusedError",
        "ResourceGroupNotFoundError",
        "ServiceError",
        "UnreachableError",
        "VaultUnusedError",
    ),
    "exit_codes": ("exit_code",),
    "export.az_script": ("export_az",),
    "export.bicep": ("export_bicep",),
    "export.desired": ("Dump", "export_desired"),
    "export.terraform": ("export_terraform",),
    "failover": ("Prediction",),
    "inventory.live_pairs": ("LivePairs", "live_pairs"),
    "inventory.read": ("Inventory", "read_inventory"),
    "inventory.targets": ("Targets", "targets"),
    "model.arm": ("ArmId",),
    "model.findings": ("Finding", "FindingKind"),
    "model.plan": ("Change", "Plan", "load_plan", "to_json"),
    "model.report": ("Report",),
    "planning": ("plan",),
    "planning.staleness": ("moved_since",),
    "ports": ("Backend",),
    "prediction": ("PredictionInputs", "Question", "predict", "read_machines"),
    "provision": ("ensure_pair", "plan_pair"),
    "settings": ("Settings", "from_process"),
}
_MODULES: Final = {name: module for module, names in _HOMES.items() for name in names}
_RENAMED: Final = {"dumps": "dump_desired", "load": "load_desired", "read": "read_inventory"}
"""The names of version 0.1 that still work, with a warning."""


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name == "__version__":
        from importlib.metadata import version

        return version("asrnet")
    if name in _RENAMED:
        import warnings

        warnings.warn(f"asrnet.{name} is now asrnet.{_RENAMED[name]}", DeprecationWarning, stacklevel=2)
        return __getattr__(_RENAMED[name])
    if name not in _MODULES:
        raise AttributeError(f"module 'asrnet' has no attribute '{name}'")
    value = getattr(import_module(f"asrnet.{_MODULES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"} - {"TYPE_CHECKING", "annotations"})

"""The rights that each task needs, and what to do if one is missing.

The names of actions are those of Microsoft's *Azure permissions for Management and governance* and *for Networking*;
that they suffice is tested against what asrnet sends.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, Literal, get_args

Task = Literal["plan", "apply", "machines", "create-networks", "landing-zones", "prune", "nics"]
"""The tasks that a custom role can be made for."""

TASKS: Final[tuple[Task, ...]] = get_args(Task)

_VAULT: Final = "Microsoft.RecoveryServices/vaults"
_FABRIC: Final = f"{_VAULT}/replicationFabrics"
_CONTAINER: Final = f"{_FABRIC}/replicationProtectionContainers"
_MAPPING: Final = f"{_FABRIC}/replicationNetworks/replicationNetworkMappings"
_NETWORK: Final = "Microsoft.Network/virtualNetworks"
_RIGHTS: Final = "Microsoft.Authorization/permissions/read"
"""For doctor, and for apply, which checks its rights before it deletes a mapping that it must recreate."""

_PLAN: Final = (
    f"{_NETWORK}/read",
    f"{_VAULT}/read",
    f"{_FABRIC}/read",
    f"{_MAPPING}/read",
    f"{_CONTAINER}/read",
    f"{_CONTAINER}/replicationProtectedItems/read",
    f"{_VAULT}/replicationJobs/read",
    _RIGHTS,
)
_WAIT: Final = (
    f"{_VAULT}/replicationOperationStatus/read",
    f"{_FABRIC}/operationresults/read",
    f"{_VAULT}/replicationJobs/operationresults/read",
)
_CREATE_NETWORKS: Final = (
    f"{_NETWORK}/read",
    f"{_NETWORK}/write",
    f"{_NETWORK}/subnets/write",
    "Microsoft.Network/locations/operations/read",
    _RIGHTS,
)
CREATE_FABRICS: Final = f"{_FABRIC}/write"
WRITE_MAPPINGS: Final = f"{_MAPPING}/write"
DELETE_MAPPINGS: Final = f"{_MAPPING}/delete"
UPDATE_MACHINES: Final = f"{_CONTAINER}/replicationProtectedItems/write"

ACTIONS: Final[Mapping[Task, tuple[str, ...]]] = {
    "plan": _PLAN,
    "apply": (*_PLAN, *_WAIT, WRITE_MAPPINGS, DELETE_MAPPINGS),
    # Assumed, not recorded: Azure names a right that is missing in its LinkedAuthorizationFailed.
    "machines": (
        *_PLAN,
        *_WAIT,
        UPDATE_MACHINES,
        f"{_NETWORK}/subnets/read",
        f"{_NETWORK}/subnets/join/action",
        "Microsoft.Network/networkSecurityGroups/join/action",
        "Microsoft.Network/publicIPAddresses/join/action",
        "Microsoft.Network/loadBalancers/backendAddressPools/join/action",
    ),
    "create-networks": _CREATE_NETWORKS,
    # A network that refers to a group, a table or a plan needs the right to join it, besides its own write:
    # "Azure permissions for Networking", and the LinkedAuthorizationFailed that Azure answers otherwise.
    "landing-zones": (
        *_CREATE_NETWORKS,
        "Microsoft.Network/networkSecurityGroups/read",
        "Microsoft.Network/networkSecurityGroups/join/action",
        "Microsoft.Network/routeTables/read",
        "Microsoft.Network/routeTables/join/action",
        "Microsoft.Network/ddosProtectionPlans/join/action",
        "Microsoft.Resources/subscriptions/resourceGroups/read",
        "Microsoft.Resources/subscriptions/resourceGroups/write",
    ),
    "prune": (*_PLAN, *_WAIT, DELETE_MAPPINGS),
    "nics": ("Microsoft.Network/networkInterfaces/read", _RIGHTS),
}
"""The rights that a task needs for any desired state. Further rights depend on what the desired state declares."""

ON_PREMISES: Final = (
    f"{_FABRIC}/replicationNetworks/read",
    f"{_FABRIC}/replicationLogicalNetworks/read",
    f"{_CONTAINER}/replicationProtectionContainerMappings/read",
)
"""The further rights for vaults with VMM servers."""

VAULT_LISTS: Final = (f"{_VAULT}/replicationNetworkMappings/read", f"{_VAULT}/replicationProtectedItems/read")
VAULT_LISTS_ON_PREMISES: Final = (f"{_VAULT}/replicationProtectionContainerMappings/read",)
"""Lists of a whole vault. Without these rights the same is read fabric by fabric, container by container."""

WITHOUT_VAULTS: Final[frozenset[Task]] = frozenset({"create-networks", "landing-zones", "nics"})
"""The tasks that read nothing of Site Recovery."""

_ANY_TASK: Final[Mapping[Task, tuple[str, ...]]] = {
    **ACTIONS,
    "plan": (*_PLAN, *ON_PREMISES, *VAULT_LISTS, *VAULT_LISTS_ON_PREMISES),
    "apply": (*ACTIONS["apply"], CREATE_FABRICS),
}
"""All rights that the role of a task may have, whatever the desired state declares."""


def grant_hint(action: str) -> str:
    """What to do if the right to ``action`` is missing, with the command that prints a role which has it."""
    for task, actions_of_task in _ANY_TASK.items():
        if action.lower() in map(str.lower, actions_of_task):
            return f"grant '{action}'; 'asrnet permissions --for {task}' prints a role that has it"
    return f"grant '{action}'"


def optional_rights(needed: Iterable[str]) -> tuple[str, ...]:
    """The actions among ``needed`` without which a run is slower but complete."""
    return tuple(action for action in needed if action in {*VAULT_LISTS, *VAULT_LISTS_ON_PREMISES})

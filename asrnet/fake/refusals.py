"""The errors that the service answers with, word for word if they have been observed.

Errors of Site Recovery have ``possible_causes``; on the wire, their code is in the first detail and the outer code
names the HTTP status. Errors of Azure Resource Manager and Microsoft.Network have none, and their code is the outer
one.
"""

from __future__ import annotations

import re
import shlex
import zlib
from collections.abc import Mapping
from typing import Final

from asrnet.errors import (
    ConflictError,
    CrossTenantError,
    ForbiddenError,
    NotFoundError,
    OperationFailedError,
    ResourceGroupNotFoundError,
    ServiceError,
    VaultUnusedError,
)
from asrnet.fake.behaviour import Answer, Assumption, Behaviour
from asrnet.fake.faults import Fault
from asrnet.model.arm import ArmId
from asrnet.model.rights import grant_hint

_PLACE: Final = re.compile(r"{(\d)}")
_CLASSES: Final = {403: ForbiddenError, 404: NotFoundError, 409: ConflictError}

_ASSUMED: Final[dict[Assumption, tuple[int, str, str]]] = {
    # One mapping per network and region follows from the documents' "the mapped target network"; no code is published.
    "duplicate_mapping": (409, "NetworkMappingAlreadyExists", "The primary network is already mapped by '{0}'."),
    "network_missing": (400, "NetworkNotFound", "The virtual network '{0}' could not be found."),
    "region_mismatch": (400, "NetworkLocationMismatch", "The network '{0}' is in {1}; its fabric is in {2}."),
    # The code was reported when reading a fabric; it is probably the same for a fabric that a body names.
    "recovery_fabric_unknown": (404, "FabricArmEntityMissing", "Fabric with name {0} could not be located."),
    "kind_mismatch": (400, "InvalidParameter", "The instance type does not fit the fabric '{0}'."),
    "duplicate_fabric": (409, "FabricAlreadyExists", "The fabric '{0}' already stands for the region {1}."),
    "fabric_in_use": (409, "FabricInUse", "The fabric '{0}' protects machines and cannot be removed."),
    # Code and message reported: MicrosoftDocs/azure-docs issue 42016. The remaining resources there were containers of
    # Backup.
    "vault_in_use": (
        400,
        "ServiceResourceNotEmptyWithContainerDetails",
        (
            "Vault cannot be deleted as there are existing resources within the vault. : {1}\n"
            "Unregister all containers from the vault and then retry to delete vault. "
            "For instructions, see https://aka.ms/AB-AA4ecq5"
        ),
    ),
    "group_in_use": (
        409,
        "ResourceGroupDeletionBlocked",
        "Deletion of resource group '{0}' failed as resources with identifiers '{1}' could not be deleted.",
    ),
    "policy_in_use": (409, "PolicyInUse", "The policy '{0}' is associated with '{1}'."),
    "policy_missing": (400, "PolicyNotFound", "The replication policy '{0}' could not be found."),
    "policy_mismatch": (400, "InvalidParameter", "The policy '{0}' is for machines of '{1}', not of '{2}'."),
    "container_in_use": (409, "ProtectionContainerInUse", "The container '{0}' protects '{1}' and cannot be removed."),
    "container_mapping_in_use": (
        409,
        "ProtectionContainerMappingInUse",
        "The container mapping '{0}' is used by '{1}' and cannot be removed.",
    ),
    "machine_elsewhere": (400, "InvalidParameter", "The machine '{0}' is in {1}; its fabric is in {2}."),
    "patch_refused": (400, "InvalidParameter", "The network mapping '{0}' cannot be updated."),
    "target_not_mapped": (400, "NetworkMappingConflict", "The source network is mapped to '{0}'; modify the mapping."),
    "machine_protected": (409, "VirtualMachineAlreadyProtected", "The machine '{0}' is protected by '{1}' already."),
    # No recording shows a failover, commit or re-protection that the machine's state does not allow.
    "operation_not_allowed": (
        400,
        "OperationNotAllowed",
        "The operation '{0}' is not allowed for '{1}' while its protection state is {2}.",
    ),
    "machine_busy": (409, "OperationInProgress", "Another operation, '{1}', is in progress for '{0}'."),
    "recovery_point_missing": (400, "RecoveryPointNotFound", "The machine has no recovery point '{0}'."),
    "job_not_allowed": (400, "JobOperationNotAllowed", "The job '{1}' cannot be {0} in the state that it is in."),
    # Code and text reported in the status of an accepted operation, for replications without a target network.
    "network_not_configured": (400, "28020", "Target network settings are not configured for virtual machine {0}."),
    # Text reported for machines that were not protected yet (terraform-provider-azurerm issue 7039), without a code.
    "machine_not_configurable": (
        400,
        "VirtualMachineNotConfigurable",
        (
            "The properties of the virtual machine can't be configured. "
            "Ensure that the virtual machine is configured for protection successfully."
        ),
    ),
    # Reported for a test address without a subnet, in the status of the operation: terraform-provider-azurerm #22193.
    "test_subnet_missing": (400, "28020", "The requested operation failed."),
}


def assumptions() -> Mapping[Assumption, tuple[int, str, str]]:
    """The default status, code and message of every refusal that no public source shows."""
    return _ASSUMED


def error_of(status: int) -> type[ServiceError]:
    """The class of error for an HTTP status."""
    return _CLASSES.get(status, ServiceError)


def assumed(which: Assumption, behaviour: Behaviour, *parts: object, resource_id: ArmId) -> ServiceError:
    """A refusal that no public source shows, with the world's status, code and message if it sets them."""
    status, code, message = _ASSUMED[which]
    answer = behaviour.answers.get(which, Answer())
    status, text = answer.status or status, answer.message or message
    return error_of(status)(
        _PLACE.sub(lambda place: str(parts[int(place[1])]) if int(place[1]) < len(parts) else place[0], text),
        resource_id=resource_id,
        status=status,
        code=answer.code or code,
        possible_causes="The request does not fit the state of the vault.",
        recommended_action="Correct the request and try again.",
    )


def fabric_missing(fabric_id: ArmId) -> NotFoundError:
    """The vault has no fabric of that name."""
    return NotFoundError(
        f"Fabric with name {fabric_id.name} could not be located.",
        resource_id=fabric_id,
        status=404,
        code="FabricArmEntityMissing",
        possible_causes="The fabric might have been unregistered from the Microsoft Azure Site Recovery vault.",
        recommended_action="Retry the operation with a valid site.",
    )


def missing(resource_id: ArmId, *, status: int = 404) -> ServiceError:
    """The resource below a fabric does not exist. For mappings, 400 has been reported as well."""
    return error_of(status)(
        f"Specified resource with name '{resource_id.name}' does not exist.",
        resource_id=resource_id,
        status=status,
        code="ArmResourceDoesNotExist",
        possible_causes="Ensure correct resource name was specified.",
        recommended_action="Verify ARM resource name details.",
    )


def vault_unused(vault: ArmId) -> VaultUnusedError:
    """Site Recovery does not know the vault."""
    number = 2 * 10**18 + zlib.crc32(vault.key.encode()) * 10**8
    return VaultUnusedError(
        f"The resource with ID {number} isn't registered with the service.",
        resource_id=vault,
        status=400,
        code="SubscriptionIdNotRegisteredWithSrs",
        possible_causes="The operation failed due to an internal error.",
        recommended_action="Retry the last action. If the issue persists, contact Support.",
        hint="the vault has no fabrics yet: let asrnet create them with create_fabrics: true",
    )


def no_recovery_fabric(mapping_id: ArmId) -> ServiceError:
    """An Azure to Azure mapping without ``recoveryFabricName``, which the specification calls optional."""
    return ServiceError(
        "Primary key property ArmResourceName is null in entity LookupByArmResourceNameInVault.",
        resource_id=mapping_id,
        status=400,
        code="UnhandledException",
        possible_causes="The operation failed due to an internal error.",
        recommended_action="Retry the last action. If the issue persists, contact Support.",
    )


def invalid(message: str, resource_id: ArmId) -> ServiceError:
    """The body lacks something that the specification requires."""
    return ServiceError(
        message,
        resource_id=resource_id,
        status=400,
        code="InvalidParameter",
        possible_causes="A required property is missing or has the wrong form.",
        recommended_action="Correct the request and try again.",
    )


def resource_not_found(resource_id: ArmId) -> NotFoundError:
    """The gateway's answer for a resource that does not exist in an existing resource group."""
    provider, _, path = str(resource_id).rpartition("/providers/")[2].partition("/")
    segments = path.split("/")
    kind = "/".join([provider, *segments[0::2]])
    return NotFoundError(
        f"The Resource '{kind}/{'/'.join(segments[1::2])}' under resource group '{resource_id.resource_group}' was not "
        "found. For more details please go to https://aka.ms/ARMResourceNotFoundFix",
        resource_id=resource_id,
        status=404,
        code="ResourceNotFound",
    )


def resource_group_not_found(group_id: ArmId) -> ResourceGroupNotFoundError:
    """The resource group does not exist."""
    return ResourceGroupNotFoundError(
        f"Resource group '{group_id.name}' could not be found.",
        resource_id=group_id,
        status=404,
        code="ResourceGroupNotFound",
    )


def subscription_not_found(subscription: str) -> NotFoundError:
    """The subscription does not exist, or the identity cannot see it."""
    return NotFoundError(
        f"The subscription '{subscription}' could not be found.",
        status=404,
        code="SubscriptionNotFound",
        hint="check the subscription id, and that the identity has access to it",
    )


def wrong_tenant(subscription: str, tenant: str, expected: str) -> CrossTenantError:
    """The token was issued by another tenant than the subscription's."""
    return CrossTenantError(
        f"The access token is from the wrong issuer 'https://sts.windows.net/{tenant}/'. It must match the tenant "
        f"'https://sts.windows.net/{expected}/' associated with this subscription.",
        resource_id=ArmId(f"/subscriptions/{subscription}"),
        status=401,
        code="InvalidAuthenticationTokenTenant",
        hint=f"sign in to the tenant {expected}",
    )


def not_registered(subscription: str, namespace: str) -> ConflictError:
    """The subscription's resource provider is not registered."""
    return ConflictError(
        f"The subscription is not registered to use namespace '{namespace}'. See https://aka.ms/rps-not-found for how "
        "to register subscriptions.",
        resource_id=ArmId(f"/subscriptions/{subscription}"),
        status=409,
        code="MissingSubscriptionRegistration",
        hint=shlex.join(["az", "provider", "register", "--namespace", namespace]),
    )


def forbidden(action: str, path: str) -> ForbiddenError:
    """No role assignment allows the action."""
    return ForbiddenError(
        f"The client 'asrnet' with object id '00000000-0000-0000-0000-00000000f00d' does not have authorization to "
        f"perform action '{action}' over scope '{path}' or the scope is invalid. If access was recently granted, "
        "please refresh your credentials.",
        action=action,
        status=403,
        code="AuthorizationFailed",
        hint=grant_hint(action),
    )


def scope_locked(method: str, path: str, lock: str) -> ConflictError:
    """There is a management lock on the resource or above it."""
    verb = "delete" if method == "DELETE" else "write"
    return ConflictError(
        f"The scope '{path}' cannot perform {verb} operation because following scope(s) are locked: '{lock}'. Please "
        "remove the lock and try again.",
        status=409,
        code="ScopeLocked",
        hint=f"remove the lock on '{lock}', or leave this to its owner",
    )


def policy_denied(path: str) -> ForbiddenError:
    """An Azure Policy assignment denies the write."""
    return ForbiddenError(
        f"Resource '{path.rpartition('/')[2]}' was disallowed by policy. Policy identifiers: "
        '\'[{"policyAssignment":{"name":"deny-by-asrnet"}}]\'.',
        status=403,
        code="RequestDisallowedByPolicy",
        hint="the policy assignment 'deny-by-asrnet' denies this; ask for an exemption, or change the desired state",
    )


def refused(fault: Fault, resource_id: ArmId) -> ServiceError:
    """A scripted refusal."""
    return error_of(fault.status)(
        fault.message or "The request was refused.",
        resource_id=resource_id,
        status=fault.status,
        code=fault.code or "InvalidParameter",
        possible_causes="The fault script of the world says so.",
        recommended_action="Try again without the fault.",
    )


def method_not_allowed(method: str, resource_id: ArmId) -> ServiceError:
    """The resource does not support the method."""
    return ServiceError(
        f"The requested resource does not support http method '{method}'.",
        resource_id=resource_id,
        status=405,
        code="MethodNotAllowed",
    )


def in_other_location(resource_id: ArmId, location: str, wanted: str) -> ServiceError:
    """The PUT of a resource that exists in another location; a PUT never moves a resource."""
    return ConflictError(
        f"The resource '{resource_id.name}' already exists in location '{location}' in resource group "
        f"'{resource_id.resource_group}'. A resource with the same name cannot be created in location "
        f"'{wanted}'. Please select a new resource name.",
        resource_id=resource_id,
        status=409,
        code="InvalidResourceLocation",
    )


def group_in_other_location(group_id: ArmId, location: str, wanted: str) -> ServiceError:
    """The PUT of a resource group that exists in another location."""
    return ConflictError(
        f"Invalid resource group location '{wanted}'. The Resource group already exists in location '{location}'.",
        resource_id=group_id,
        status=409,
        code="InvalidResourceGroupLocation",
    )


def network_refusal(code: str, message: str, resource_id: ArmId, *, status: int = 400) -> ServiceError:
    """A refusal of Microsoft.Network."""
    return error_of(status)(message, resource_id=resource_id, status=status, code=code)


def operation_failed(code: str, message: str, resource_id: ArmId) -> OperationFailedError:
    """The error with which an accepted operation fails; its code is a number."""
    return OperationFailedError(message, resource_id=resource_id, status=200, code=code)

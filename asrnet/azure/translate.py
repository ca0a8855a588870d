"""Translates Azure's errors into asrnet's. This is the only module that does so.

The policy: a status is only trusted together with a code. 404 proves absence if it comes from Resource Manager or Site
Recovery, but not if it comes from a proxy. A 403 names the obstacle: the missing action, the lock, the policy
assignment or the deny assignment. 401 is about the credential, or about a subscription of another tenant.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError, DecodeError, HttpResponseError

from asrnet.azure.answers import (
    ErrorBody,
    causes,
    certificate_failure,
    is_name_failure,
    read_error,
    request_id,
    scrub,
)
from asrnet.azure.retry import attempts_of
from asrnet.errors import (
    AsrError,
    ConflictError,
    CredentialError,
    CrossTenantError,
    ForbiddenError,
    NotFoundError,
    OperationFailedError,
    ResourceGroupNotFoundError,
    ServiceError,
    UnreachableError,
    VaultUnusedError,
)
from asrnet.model.arm import ArmId
from asrnet.model.bodies import member
from asrnet.model.rights import grant_hint
from asrnet.redaction import without_secrets
from asrnet.settings.roots import certificate_hint
from asrnet.settings.values import is_loopback

_NO_SUCH_API: Final = frozenset({"InvalidResourceType", "NoRegisteredProviderFound", "InvalidResourceNamespace"})
_BAD_REQUEST: Final = 400
_UNAUTHORIZED: Final = 401
_NOT_FOUND: Final = 404
_SERVER_ERROR: Final = 500
_REDIRECTS: Final = range(300, 400)

_LINKED_ACTION: Final = re.compile(r"perform action(?:\(s\))? '([^']+)' on the linked scope")
_ACTION: Final = re.compile(r"perform action(?:\(s\))? '([^']+)'")
_DENIED: Final = re.compile(
    r"\bdeny assignment\b(?:\s+with name '(?P<name>[^']*)')?(?:\s+(?:and|with) id '(?P<id>[^']*)')?"
    r"(?:\s+at scope '(?P<scope>[^']*)')?",
    re.IGNORECASE,
)
_LOCKS: Final = re.compile(r"locked: '([^']+)'")
_NAMESPACE: Final = re.compile(r"namespace '([^']+)'")
_TENANTS: Final = re.compile(r"issuer 'https://[^/']+/([^/']+)/?'.*?tenant 'https://[^/']+/([^/']+)/?'", re.DOTALL)
_ASSIGNMENT: Final = re.compile(r'"policyAssignment"\s*:\s*\{\s*"name"\s*:\s*"([^"]+)"')

_UNREACHABLE: Final = "check the network, the proxy (HTTPS_PROXY) and the firewall, and run 'asrnet doctor'"
_UNRESOLVED: Final = "the host's name does not resolve: check DNS, the desired state's cloud and --endpoint"
_EMULATOR_ROOTS: Final = (
    "set REQUESTS_CA_BUNDLE to the file of the emulator's authority, which it prints when it starts"
)
_UNAVAILABLE: Final = (
    "run again later to finish what is left; --retry-attempts and --retry-deadline make a run more patient"
)


@contextmanager
def translated(resource_id: ArmId | None = None) -> Iterator[None]:
    """Convert the exceptions of the SDK into asrnet's errors; ``resource_id`` is the resource of the request."""
    try:
        yield
    except HttpResponseError as error:
        response = error.response
        certificate = certificate_failure(error)
        scrub(error)
        if response is None:
            raise _unreachable(error, certificate) from error
        if isinstance(error, DecodeError) and int(response.status_code or 0) < _BAD_REQUEST:
            raise ServiceError(
                f"the answer for '{resource_id}' cannot be read: {error.message}",
                resource_id=resource_id,
                status=response.status_code,
                hint="something between here and Azure may be altering answers",
            ) from error
        raise error_of(response, resource_id) from error
    except AzureError as error:
        certificate = certificate_failure(error)
        scrub(error)
        raise _unreachable(error, certificate) from error


def error_of(response: Any, resource_id: ArmId | None = None) -> AsrError:
    """The error for an HTTP response, whose body has been read."""
    content = getattr(response, "content", None)  # azure.core has two kinds of response
    body = read_error(content if isinstance(content, bytes) else bytes(response.body()))
    status = int(response.status_code)
    message = body.message or f"Azure answered with HTTP status {status}"
    attempts = attempts_of(response)
    # For a repeated request, or a failure of Azure's own, the message includes the request and the number of attempts.
    if attempts and (attempts.number > 1 or status >= _SERVER_ERROR):
        message = f"{message.rstrip('.')} (HTTP {status}: {attempts})"
    fields: dict[str, Any] = {
        "resource_id": resource_id,
        "status": status,
        "code": body.code,
        "possible_causes": body.possible_causes,
        "recommended_action": body.recommended_action,
        "request_id": request_id(response.headers),
    }
    # A known code decides, otherwise the status does.
    code = next((code for code in sorted(body.codes) if code in _BY_CODE), None)
    kind, advice = _BY_CODE[code] if code else _BY_STATUS.get(status, (ServiceError, ""))
    hint = advice if isinstance(advice, str) else advice(message, body)
    if code is None and status == _UNAUTHORIZED:
        return CredentialError(f"Azure did not accept the credential: {message}", hint=hint)
    if code is None and status == _NOT_FOUND and (not body.codes or body.codes & _NO_SUCH_API):
        # A proxy's page, or an API that this cloud lacks, proves no absence.
        return ServiceError(message, **fields, hint="the API is missing here, not the resource: check the endpoint")
    if kind is ForbiddenError:
        denied, missing = _DENIED.search(message), _LINKED_ACTION.search(message) or _ACTION.search(message)
        # Under a deny assignment a role allows the action, so the action in the message is not missing.
        action = missing[1] if missing and not denied else ""
        return ForbiddenError(message, action=action, **fields, hint=hint)
    if kind is ServiceError and status in _REDIRECTS:
        message = f"Azure answered with a redirect (HTTP status {status}), which asrnet does not follow"
        return ServiceError(message, **fields, hint="a proxy is in between, or the endpoint is not Azure's")
    if kind is ServiceError and status >= _SERVER_ERROR and not body.recommended_action:
        return ServiceError(message, **fields, hint=_UNAVAILABLE)
    return kind(message, **fields, hint=hint)


def operation_failed(error: ErrorBody, state: str, resource_id: ArmId, headers: Mapping[str, str]) -> AsrError:
    """The error of an accepted operation that ended in ``state``."""
    return OperationFailedError(
        error.message or f"the operation ended in {state}",
        resource_id=resource_id,
        status=200,
        code=error.code or state,
        possible_causes=error.possible_causes,
        recommended_action=error.recommended_action,
        request_id=request_id(headers),
    )


def _unreachable(error: AzureError, certificate: str) -> UnreachableError:
    """The error of a request without an answer. The system's message is wrapped by several libraries."""
    attempts = attempts_of(error)
    host = attempts.host if attempts else "Azure"
    if certificate:
        is_emulator = is_loopback((urlsplit(f"//{host}").hostname) or "")
        hint = _EMULATOR_ROOTS if is_emulator else certificate_hint()
        return UnreachableError(f"the certificate of {host} is not trusted: {certificate}", hint=hint)
    system = next((cause.strerror for cause in causes(error) if isinstance(cause, OSError) and cause.strerror), "")
    reason = without_secrets(system or str(error.message or error)).strip()
    return UnreachableError(
        f"no answer from {host}: {reason}" + (f" ({attempts})" if attempts else ""),
        hint=_UNRESOLVED if is_name_failure(error) else _UNREACHABLE,
    )


def _forbidden_hint(message: str, body: ErrorBody) -> str:
    denied = _DENIED.search(message)
    if denied or "DenyAssignmentAuthorizationFailed" in body.codes:
        name = (denied["name"] or denied["id"]) if denied else ""
        assignment = f"the deny assignment '{name}'" if name else "a deny assignment"
        scope = f" at {denied['scope']}" if denied and denied["scope"] else ""
        return (
            f"{assignment}{scope} forbids this, and no role helps: its owner (a deployment stack, a managed "
            "application or a blueprint) has to lift it"
        )
    if "RequestDisallowedByPolicy" in body.codes:
        names = [
            name
            for part in body.information
            if isinstance(info := member(part, "info"), dict)
            and (name := member(info, "policyAssignmentDisplayName") or member(info, "policyAssignmentName"))
        ] or _ASSIGNMENT.findall(message)
        assignment = f"the policy assignment '{names[0]}'" if names else "a policy assignment"
        return f"{assignment} denies this; ask for an exemption, or change the desired state"
    missing = _LINKED_ACTION.search(message) or _ACTION.search(message)
    return grant_hint(missing[1]) if missing else "grant the missing right; 'asrnet doctor' tells which one it is"


def _lock_hint(message: str, _body: ErrorBody) -> str:
    lock = _LOCKS.search(message)
    return f"remove the lock {repr(lock[1]) if lock else 'that the message names'}, or leave this to its owner"


def _registration_hint(message: str, _body: ErrorBody) -> str:
    namespace = _NAMESPACE.search(message)
    return shlex.join(
        ["az", "provider", "register", "--namespace", namespace[1] if namespace else "Microsoft.RecoveryServices"]
    )


def _tenant_hint(message: str, _body: ErrorBody) -> str:
    tenants = _TENANTS.search(message)
    if not tenants:
        return "sign in to the subscription's tenant"
    return f"the credential is of tenant {tenants[1]}, the subscription of tenant {tenants[2]}; sign in to the latter"


Hint = str | Callable[[str, ErrorBody], str]
"""A hint, or a function that makes one from an error's message and body."""

_BY_CODE: Final[Mapping[str, tuple[type[ServiceError], Hint]]] = {
    "AuthorizationFailed": (ForbiddenError, _forbidden_hint),
    "DenyAssignmentAuthorizationFailed": (ForbiddenError, _forbidden_hint),
    "InvalidAuthenticationTokenTenant": (CrossTenantError, _tenant_hint),
    "LinkedAuthorizationFailed": (ForbiddenError, _forbidden_hint),
    "MissingSubscriptionRegistration": (ConflictError, _registration_hint),
    "RequestDisallowedByPolicy": (ForbiddenError, _forbidden_hint),
    "ResourceGroupNotFound": (ResourceGroupNotFoundError, ""),
    "ScopeLocked": (ConflictError, _lock_hint),
    # Reported in 2021 for a vault that Site Recovery had never used; later such vaults answered with empty lists.
    "SubscriptionIdNotRegisteredWithSrs": (
        VaultUnusedError,
        "the vault has no fabrics yet: let asrnet create them with create_fabrics: true",
    ),
    "SubscriptionNotFound": (
        NotFoundError,
        "check the subscription id, and that the identity has access to it",
    ),
    "SubscriptionNotRegistered": (ConflictError, _registration_hint),
}
_BY_STATUS: Final[Mapping[int, tuple[type[ServiceError], Hint]]] = {
    401: (
        ServiceError,
        "sign in again ('az login', or a fresh token of the pipeline), and run 'asrnet doctor'",
    ),
    403: (ForbiddenError, _forbidden_hint),
    404: (NotFoundError, ""),
    409: (ConflictError, ""),
    429: (
        ServiceError,
        "Azure is throttling: run again later, with less parallelism, or with fewer tools at once",
    ),
}

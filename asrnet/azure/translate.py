"""Azure's errors as asrnet's: the only place where the one becomes the other.

The policy: a status is only trusted together with a code. 404 proves absence when Resource Manager or Site Recovery
says so, not when a proxy does. 403 names the missing action, a lock the lock, a policy its assignment. 401 is about
the credential, or about a subscription of another tenant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, NoReturn

from azure.core.exceptions import AzureError, HttpResponseError
from azure.core.rest import HttpResponse

from asrnet.azure.answers import Answer, read_answer
from asrnet.azure.attempts import Attempts, noted
from asrnet.azure.causes import chain, is_name_failure
from asrnet.azure.redaction import scrub
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
from asrnet.redaction import without_secrets

_NO_SUCH_API: Final = frozenset({"InvalidResourceType", "NoRegisteredProviderFound", "InvalidResourceNamespace"})
_SERVER_ERROR: Final = 500
_REDIRECTS: Final = range(300, 400)

Fields = dict[str, Any]
"""The keyword arguments of a ServiceError, but for its hint."""

_LINKED_ACTION: Final = re.compile(r"perform action(?:\(s\))? '([^']+)' on the linked scope")
_ACTION: Final = re.compile(r"perform action(?:\(s\))? '([^']+)'")
_LOCKS: Final = re.compile(r"locked: '([^']+)'")
_NAMESPACE: Final = re.compile(r"namespace '([^']+)'")
_TENANTS: Final = re.compile(r"issuer 'https://[^/']+/([^/']+)/?'.*?tenant 'https://[^/']+/([^/']+)/?'", re.DOTALL)
_ASSIGNMENT: Final = re.compile(r'"policyAssignment"\s*:\s*\{\s*"name"\s*:\s*"([^"]+)"')


@contextmanager
def translated(resource_id: ArmId | None = None) -> Iterator[None]:
    """Turn what the SDK raises inside into asrnet's errors; ``resource_id`` is what the request was about."""
    try:
        yield
    except HttpResponseError as error:
        response = error.response
        scrub(error)
        if response is None:
            raise UnreachableError(_reason(error), hint=_ADVICE_UNREACHABLE) from error
        raise error_of(response, resource_id) from error
    except AzureError as error:
        scrub(error)
        raise UnreachableError(_reason(error), hint=_unreachable_hint(error)) from error


def refuse(response: HttpResponse, resource_id: ArmId | None = None) -> NoReturn:
    """Raise the error that ``response`` is."""
    raise error_of(response, resource_id)


def error_of(response: Any, resource_id: ArmId | None = None) -> AsrError:
    """The error that an HTTP answer is. The answer's body has been read."""
    answer = read_answer(_body(response))
    status = int(response.status_code)
    fields: Fields = {
        "resource_id": resource_id,
        "status": status,
        "code": answer.code,
        "possible_causes": answer.possible_causes,
        "recommended_action": answer.recommended_action,
        "request_id": request_id(response.headers),
    }
    return _classified(status, answer, fields, noted(response))


def operation_failed(answer: Answer, state: str, resource_id: ArmId, headers: Mapping[str, str]) -> AsrError:
    """The error of an accepted operation that ended in ``state``."""
    return OperationFailedError(
        answer.message or f"the operation ended in {state}",
        resource_id=resource_id,
        status=200,
        code=answer.code or state,
        possible_causes=answer.possible_causes,
        recommended_action=answer.recommended_action,
        request_id=request_id(headers),
    )


def request_id(headers: Mapping[str, str]) -> str:
    """What Microsoft's support asks for: the correlation id, which covers every hop, or the request's own id."""
    return headers.get("x-ms-correlation-request-id") or headers.get("x-ms-request-id") or ""


def _classified(status: int, answer: Answer, fields: Fields, attempts: Attempts | None) -> AsrError:
    """The code decides where it is a known one, else the status. What was repeated says what it was, and how often."""
    message = answer.message or f"Azure answered with HTTP status {status}"
    if attempts and (attempts.number > 1 or status >= _SERVER_ERROR):
        message = f"{message.rstrip('.')} (HTTP {status}: {attempts})"
    known = next((_BY_CODE[code] for code in sorted(answer.codes) if code in _BY_CODE), None)
    builder = known or _BY_STATUS.get(status, _other)
    return builder(message, answer, fields)


def _vault_unused(message: str, _answer: Answer, fields: Fields) -> AsrError:
    return VaultUnusedError(message, **fields, hint=_ADVICE_UNUSED)


def _cross_tenant(message: str, _answer: Answer, fields: Fields) -> AsrError:
    return CrossTenantError(message, **fields, hint=_tenant_hint(message))


def _locked(message: str, _answer: Answer, fields: Fields) -> AsrError:
    found = _LOCKS.search(message)
    lock = f"'{found[1]}'" if found else "that the message names"
    return ConflictError(message, **fields, hint=f"remove the lock {lock}, or leave this to its owner")


def _forbidden_by_policy(message: str, answer: Answer, fields: Fields) -> AsrError:
    return ForbiddenError(message, **fields, hint=_policy_hint(answer))


def _not_registered(message: str, _answer: Answer, fields: Fields) -> AsrError:
    found = _NAMESPACE.search(message)
    namespace = found[1] if found else "Microsoft.RecoveryServices"
    return ConflictError(message, **fields, hint=f"az provider register --namespace {namespace}")


def _unauthorized(message: str, _answer: Answer, _fields: Fields) -> AsrError:
    return CredentialError(f"Azure did not accept the credential: {message}", hint=_ADVICE_UNAUTHORIZED)


def _forbidden(message: str, _answer: Answer, fields: Fields) -> AsrError:
    found = _LINKED_ACTION.search(message) or _ACTION.search(message)
    action = found[1] if found else ""
    wanted = f"'{action}'" if action else "the missing right"
    hint = f"grant {wanted}; 'asrnet permissions' prints a role that has it"
    return ForbiddenError(message, action=action, **fields, hint=hint)


def _not_found(message: str, answer: Answer, fields: Fields) -> AsrError:
    if not answer.codes or answer.codes & _NO_SUCH_API:
        return ServiceError(message, **fields, hint="not the resource is missing, but the API: check the endpoint")
    return NotFoundError(message, **fields)


def _group_not_found(message: str, _answer: Answer, fields: Fields) -> AsrError:
    return ResourceGroupNotFoundError(message, **fields)


def _subscription_not_found(message: str, _answer: Answer, fields: Fields) -> AsrError:
    return NotFoundError(message, **fields, hint="check the subscription's id, and that the identity may see it")


def _conflict(message: str, _answer: Answer, fields: Fields) -> AsrError:
    return ConflictError(message, **fields)


def _throttled(message: str, _answer: Answer, fields: Fields) -> AsrError:
    return ServiceError(message, **fields, hint=_ADVICE_THROTTLED)


def _other(message: str, _answer: Answer, fields: Fields) -> AsrError:
    if fields["status"] in _REDIRECTS:
        message = f"Azure answered with a redirect (HTTP status {fields['status']}), which asrnet does not follow"
        return ServiceError(message, **fields, hint="a proxy is in between, or the endpoint is not Azure's")
    return ServiceError(message, **fields, hint=_advice(fields))


def _advice(fields: Fields) -> str:
    """Azure's own advice comes first."""
    return _ADVICE_UNAVAILABLE if fields["status"] >= _SERVER_ERROR and not fields["recommended_action"] else ""


_BY_CODE: Final[Mapping[str, Callable[[str, Answer, Fields], AsrError]]] = {
    "AuthorizationFailed": _forbidden,
    "InvalidAuthenticationTokenTenant": _cross_tenant,
    "LinkedAuthorizationFailed": _forbidden,
    "MissingSubscriptionRegistration": _not_registered,
    "RequestDisallowedByPolicy": _forbidden_by_policy,
    "ResourceGroupNotFound": _group_not_found,
    "ScopeLocked": _locked,
    "SubscriptionIdNotRegisteredWithSrs": _vault_unused,
    "SubscriptionNotFound": _subscription_not_found,
    "SubscriptionNotRegistered": _not_registered,
}
_BY_STATUS: Final[Mapping[int, Callable[[str, Answer, Fields], AsrError]]] = {
    401: _unauthorized,
    403: _forbidden,
    404: _not_found,
    409: _conflict,
    429: _throttled,
}


def _body(response: Any) -> bytes:
    """The body, whichever of azure.core's two kinds of response it is."""
    content = getattr(response, "content", None)
    return content if isinstance(content, bytes) else bytes(response.body())


def _policy_hint(answer: Answer) -> str:
    names = [
        name
        for each in answer.information
        if isinstance(info := each.get("info"), dict)
        and (name := info.get("policyAssignmentDisplayName") or info.get("policyAssignmentName"))
    ] or _ASSIGNMENT.findall(answer.message)
    named = f"the policy assignment '{names[0]}' forbids this" if names else "a policy assignment forbids this"
    return f"{named}; ask for an exemption, or change what is declared"


def _tenant_hint(message: str) -> str:
    found = _TENANTS.search(message)
    if not found:
        return "sign in to the subscription's tenant"
    return f"the credential is of tenant {found[1]}, the subscription of tenant {found[2]}; sign in to the latter"


def _reason(error: AzureError) -> str:
    """What the system says, where it says something, for the libraries wrap it several times over."""
    plain = next((each.strerror for each in chain(error) if isinstance(each, OSError) and each.strerror), "")
    said = without_secrets(plain or str(error.message or error)).strip()
    attempts = noted(error)
    return f"no answer from {attempts.host}: {said} ({attempts})" if attempts else f"no answer from Azure: {said}"


def _unreachable_hint(error: BaseException) -> str:
    return _ADVICE_NAME if is_name_failure(error) else _ADVICE_UNREACHABLE


_ADVICE_UNREACHABLE: Final = "check the network, the proxy (HTTPS_PROXY) and the firewall, and run 'asrnet doctor'"
_ADVICE_NAME: Final = "the host's name does not resolve: check DNS, the desired state's cloud and --endpoint"
_ADVICE_UNAUTHORIZED: Final = "sign in again ('az login', or a fresh token of the pipeline), and run 'asrnet doctor'"
_ADVICE_UNUSED: Final = "the vault has no fabrics yet: let asrnet create them with create_fabrics: true"
_ADVICE_UNAVAILABLE: Final = (
    "run again later, which finishes what is left; --retry-attempts and --retry-deadline make a run more patient"
)
_ADVICE_THROTTLED: Final = "Azure is throttling: run again later, with less parallelism, or with fewer tools at once"

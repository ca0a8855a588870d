"""The checks of `asrnet doctor`: what has to be right before a run can work, and what to do about it. Only reads."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Final, Literal

from msgspec import Struct
from msgspec.structs import replace

from asrnet.clocks import Bounded
from asrnet.desired import EVERYTHING, DesiredState, Selection
from asrnet.diagnostics.roles import actions, scopes, tasks_of
from asrnet.errors import AsrError, CredentialError, ForbiddenError, UnreachableError, VaultUnusedError
from asrnet.model.arm import ArmId
from asrnet.model.plan import FORMAT_VERSION
from asrnet.model.rights import Task
from asrnet.ports import Backend

Verdict = Literal["ok", "warning", "failed", "unknown"]
Read = Callable[[], Iterable[object]]

_AT_ONCE: Final = 8
# Less than Azure's five minutes, so that a clock that drifts is seen before tokens are refused.
_SKEW_WORTH_A_WARNING: Final = 60.0
_SKEW_TOO_LARGE: Final = 300.0
"""Seconds. Beyond five minutes tokens count as expired or not yet valid."""

_NETWORK: Final = "Microsoft.Network"
_RECOVERY: Final = "Microsoft.RecoveryServices"
_UNREACHABLE: Final = "reachable"
_SEE_DOCTOR: Final = re.compile(r"(, and |; )?run 'asrnet doctor'( for the details)?")
"""The advice of many errors to run doctor, which is useless in doctor itself."""


class Check(Struct, frozen=True, kw_only=True):
    """One thing that was looked at. ``subject`` is what it is about, ``fix`` what to do if it is not ok."""

    name: str
    verdict: Verdict
    message: str
    subject: str = ""
    fix: str = ""


class Examination(Struct, frozen=True, kw_only=True):
    """All checks. ``healthy``: none has failed."""

    format_version: str = FORMAT_VERSION
    healthy: bool
    checks: tuple[Check, ...]


def doctor(
    desired: DesiredState, backend: Backend, *, selection: Selection = EVERYTHING, required: Task | None = None
) -> Examination:
    """Look at everything that a run on ``desired`` depends on. Raises nothing: every failure is a failed check.

    A missing right is a warning; for the ``required`` task, it is a failure.
    """
    try:
        identity = Check(name="identity", verdict="ok", message=backend.identity())
    except AsrError as error:
        identity = _failed("identity", error)
    cloud = backend.surroundings.cloud
    endpoint = f" at {cloud.endpoint}" if cloud.endpoint else ""
    authority = f", signing in at {cloud.authority}" if cloud.authority else ""
    checks = [identity, Check(name="cloud", verdict="ok", message=f"{cloud.name}{endpoint}{authority}")]
    if identity.verdict == "ok":  # without a token every other check would fail for the same reason
        reads = Bounded(backend.clock, _AT_ONCE)
        parts = [reads.start(partial(tuple, part)) for part in _parts(desired, backend, selection, required)]
        reads.settle(parts)
        checks += _merged_by_cause([check for part in parts for check in part.result()])
    return Examination(healthy=all(check.verdict != "failed" for check in checks), checks=tuple(checks))


def _parts(
    desired: DesiredState, backend: Backend, selection: Selection, required: Task | None
) -> Iterator[Iterator[Check]]:
    """The checks that need a token, in groups that may run at the same time."""
    vaults = [vault for vault in desired.vaults if selection.has_vault(vault.name)]
    rows = {network.subscription for row in desired.pairs for network in (row.primary, row.recovery) if network}
    copies = {region.copy.subscription for region in desired.regions if region.copy.subscription}
    networks = sorted(rows | copies | (set(desired.subscriptions.values()) if desired.rules else set()))
    for subscription in sorted({*networks, *(vault.id.subscription for vault in vaults)}):
        yield _subscription(subscription, backend)
        needed = [_NETWORK] if subscription in networks else []
        needed += [_RECOVERY] if any(vault.id.subscription == subscription for vault in vaults) else []
        yield from (_provider(subscription, namespace, backend) for namespace in needed)
    port = backend.mappings
    for vault in vaults:  # each list that a plan reads from a vault is tried
        lists: tuple[tuple[str, Read], ...] = (
            ("vault", partial(map, port.vault_location, (vault.id,))),
            ("fabrics", partial(port.fabrics, vault.id)),
            ("mappings", partial(port.mappings, vault.id)),
            ("protected items", partial(port.protected_items, vault.id)),
            ("jobs", partial(port.jobs, vault.id, state="InProgress")),
        )
        yield _lists(vault.name, lists)
    for subscription in networks:
        yield _lists(subscription, (("networks", partial(backend.networks.virtual_networks, subscription)),))
    for task in dict.fromkeys((*tasks_of(desired), *([required] if required else []))):
        if task == "nics":  # they are listed by subscription, so the list itself tells whether it may be read
            for subscription in sorted(ArmId(scope).subscription for scope in scopes(task, desired)):
                read = partial(backend.networks.network_interfaces, subscription)
                yield _lists(subscription, (("network interfaces", read),))
            continue
        if task in {"create-networks", "landing-zones"}:  # copies are made in resource groups, all else in vaults
            places = tuple(ArmId(scope) for scope in scopes(task, desired) if "/resourceGroups/" in scope)
        else:
            places = tuple(vault.id for vault in vaults)
        needed_actions = actions(task, desired, minimal=True)
        yield from (_rights(task, scope, needed_actions, backend, required=task == required) for scope in places)


def _merged_by_cause(checks: Sequence[Check]) -> list[Check]:
    """``checks`` with those that failed for one and the same connection problem merged into one."""
    by_fix: dict[str, list[Check]] = {}
    for check in checks:
        if check.name == _UNREACHABLE and check.verdict == "failed":
            by_fix.setdefault(check.fix, []).append(check)
    merged: list[Check] = []
    for check in checks:
        same_cause = by_fix.get(check.fix, []) if check.name == _UNREACHABLE else []
        if len(same_cause) <= 1 or check not in same_cause:
            merged.append(check)
        elif check is same_cause[0]:
            message = f"{check.message}; {len(same_cause) - 1} more checks failed for the same reason"
            merged.append(replace(check, message=message, subject=""))
    return merged


def _subscription(subscription: str, backend: Backend) -> Iterator[Check]:
    """Whether a subscription answers, belongs to this tenant and is enabled, and what the service's clock says."""
    before = backend.clock.now()
    try:
        view = backend.surroundings.subscription(subscription)
    except AsrError as error:
        yield _failed("subscription", error, subscription)
        return
    took = backend.clock.now() - before
    label = f"{view.name or subscription} answers in {took:.1f} s"
    yield Check(name=_UNREACHABLE, verdict="ok", message=label, subject=subscription)
    yield _tenant(subscription, view.tenant, view.managed_by, backend)
    if view.state.lower() != "enabled":
        yield Check(
            name="subscription",
            verdict="failed",
            message=f"{view.name} is {view.state}: Azure refuses writes",
            subject=subscription,
            fix="enable the subscription again in the portal",
        )
    if view.answered_at is not None:
        skew = view.answered_at - (before + took / 2)
        # The service's time has whole seconds, and the request took a while, so a second or two mean nothing.
        off = max(0.0, abs(skew) - took / 2 - 1.0)
        verdict: Verdict = "failed" if off > _SKEW_TOO_LARGE else "warning" if off > _SKEW_WORTH_A_WARNING else "ok"
        state = "is right" if not off else f"is {abs(skew):.0f} s {'behind' if skew > 0 else 'ahead'}"
        fix = "" if verdict == "ok" else "set this machine's clock, with NTP: timedatectl set-ntp true"
        message = f"this machine's clock {state}"
        yield Check(name="clock", verdict=verdict, message=message, subject=subscription, fix=fix)


def _tenant(subscription: str, tenant: str, managed_by: Sequence[str], backend: Backend) -> Check:
    """Whether the identity's tenant is the subscription's own, or one that Azure Lighthouse delegates it to."""
    identity_tenant = backend.tenant()
    if not identity_tenant or not tenant or identity_tenant.lower() == tenant.lower():
        return Check(
            name="tenant", verdict="ok", message=tenant or identity_tenant or "not reported", subject=subscription
        )
    if identity_tenant.lower() in {managing.lower() for managing in managed_by}:
        message = f"{tenant}, delegated to the identity's tenant {identity_tenant} (Azure Lighthouse)"
        return Check(name="tenant", verdict="ok", message=message, subject=subscription)
    return Check(
        name="tenant",
        verdict="failed",
        message=f"the subscription belongs to tenant {tenant}, the identity to tenant {identity_tenant}",
        subject=subscription,
        fix=f"sign in to that tenant: {shlex.join(['az', 'login', '--tenant', tenant])}, or as an application of it",
    )


def _provider(subscription: str, namespace: str, backend: Backend) -> Iterator[Check]:
    """Whether a provider is registered, and offers the API versions in use."""
    try:
        view = backend.surroundings.provider(subscription, namespace)
    except AsrError as error:
        yield _failed("provider", error, subscription)
        return
    if view.state.lower() != "registered":
        command = ["az", "provider", "register", "--namespace", namespace, "--subscription", subscription]
        yield Check(
            name="provider",
            verdict="failed",
            message=f"{namespace} is {view.state or 'not registered'}",
            subject=subscription,
            fix=shlex.join(command),
        )
        return
    yield Check(name="provider", verdict="ok", message=f"{namespace} is registered", subject=subscription)
    for kind, version in backend.surroundings.api_versions.items():
        offered = view.api_versions.get(kind.removeprefix(f"{namespace}/").lower(), ())
        if not kind.startswith(f"{namespace}/") or not offered:
            continue  # a type may be missing here; reading its resources shows whether it has the version
        if version in offered:
            yield Check(name="api version", verdict="ok", message=f"{kind} {version}", subject=subscription)
            continue
        yield Check(
            name="api version",
            verdict="failed",
            message=f"{kind} {version} is not offered; the latest here is {max(offered)}",
            subject=subscription,
            fix=f"check cloud: and --endpoint, or ask for what is offered: --api-version {namespace}={max(offered)}",
        )


def _lists(subject: str, lists: Iterable[tuple[str, Read]]) -> Iterator[Check]:
    """Whether each of the named lists can be read."""
    for name, read in lists:
        try:
            count = sum(1 for _ in read())
        except VaultUnusedError:
            yield Check(
                name=f"read {name}",
                verdict="warning",
                message="Site Recovery has not been used in this vault",
                subject=subject,
                fix="set create_fabrics: true for the vault, or enable replication once in the portal",
            )
        except AsrError as error:
            yield _failed(f"read {name}", error, subject)
        else:
            yield Check(name=f"read {name}", verdict="ok", message=f"{count} read", subject=subject)


def _rights(task: Task, scope: ArmId, needed: Iterable[str], backend: Backend, *, required: bool) -> Iterator[Check]:
    """Whether the roles at ``scope`` allow a task. Writing cannot be tried without doing it, so the roles are read."""
    name, subject = f"may {task}", scope.name
    provider = f"{scope.type.partition('/')[0]}/".lower()
    # A resource group holds resources of any provider, a vault only its own.
    concerned = [action for action in needed if not scope.type or action.lower().startswith(provider)]
    try:
        granted = backend.surroundings.rights(scope)
    except ForbiddenError as error:
        yield Check(
            name=name,
            verdict="unknown",
            message=f"the roles cannot be read: {error.message}",
            subject=subject,
            fix="grant Microsoft.Authorization/permissions/read; apply also reads the roles before it deletes",
        )
        return
    except AsrError as error:
        yield _failed(name, error, subject)
        return
    lacking = [action for action in concerned if not any(rights.allow(action) for rights in granted)]
    if not lacking:
        message = "your roles allow it; locks, policies and deny assignments were not checked"
        yield Check(name=name, verdict="ok", message=message, subject=subject)
        return
    yield Check(
        name=name,
        verdict="failed" if required else "warning",
        message=f"no role allows {', '.join(lacking)}",
        subject=subject,
        fix=f"assign the role that asrnet permissions --for {task} prints, at {scope}",
    )


def _failed(name: str, error: AsrError, subject: str = "") -> Check:
    """A check that ended in ``error``. If Azure did not answer, it is a check of the connection and not of ``name``."""
    is_unreachable = isinstance(error, UnreachableError) or (isinstance(error, CredentialError) and name != "identity")
    fix = _SEE_DOCTOR.sub("", error.hint)
    return Check(
        name=_UNREACHABLE if is_unreachable else name, verdict="failed", message=error.message, subject=subject, fix=fix
    )

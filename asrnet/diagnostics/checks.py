"""What has to be right before a run can work, asked one by one; each answer with what to do about it. Only reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import Final, Literal

from msgspec import Struct

from asrnet.clocks import Bounded
from asrnet.desired import DesiredState, Selection, Vault
from asrnet.diagnostics.roles import Task, actions, scopes, tasks_of
from asrnet.errors import AsrError, CredentialError, ForbiddenError, UnreachableError, VaultUnusedError
from asrnet.model.arm import ArmId
from asrnet.model.plan import FORMAT_VERSION
from asrnet.ports import Backend

Verdict = Literal["ok", "warning", "failed", "unknown"]

_AT_ONCE: Final = 8
_SKEW_WORTH_A_WARNING: Final = 60.0
_SKEW_TOO_LARGE: Final = 300.0
"""Seconds. Beyond five minutes tokens count as expired or not yet valid."""

_NETWORK: Final = "Microsoft.Network"
_RECOVERY: Final = "Microsoft.RecoveryServices"


class Check(Struct, frozen=True, kw_only=True):
    """One thing that was looked at. ``subject`` is what it is about, ``fix`` what to do where it is not ok."""

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


def examine(
    desired: DesiredState, backend: Backend, selection: Selection, *, required: Task | None = None
) -> Examination:
    """Look at everything that a run on ``desired`` depends on. Raises nothing: what goes wrong is a check.

    Rights that are missing are a warning, but for those of the task that is ``required``.
    """
    checks = [_identity(backend), _cloud(backend)]
    if checks[0].verdict == "ok":
        reads = Bounded(backend.clock, _AT_ONCE)
        parts = [reads.start(partial(tuple, part)) for part in _parts(desired, backend, selection, required)]
        reads.settle(parts)
        checks += [check for part in parts for check in part.result()]
    return Examination(healthy=all(check.verdict != "failed" for check in checks), checks=tuple(checks))


def _parts(
    desired: DesiredState, backend: Backend, selection: Selection, required: Task | None
) -> Iterator[Iterator[Check]]:
    vaults = [vault for vault in desired.vaults if selection.has_vault(vault.name)]
    networks = sorted(_network_subscriptions(desired))
    for subscription in sorted({*networks, *(vault.id.subscription for vault in vaults)}):
        yield _subscription(subscription, backend)
        needed = [_NETWORK] if subscription in networks else []
        needed += [_RECOVERY] if any(vault.id.subscription == subscription for vault in vaults) else []
        yield from (_provider(subscription, namespace, backend) for namespace in needed)
    for vault in vaults:
        yield _vault(vault, backend)
    yield from (_networks(subscription, backend) for subscription in networks)
    for task in dict.fromkeys((*tasks_of(desired), *([required] if required else []))):
        wanted = actions(task, desired, minimal=True)
        scopes_asked = _asked(task, desired, vaults)
        yield from (_rights(task, scope, wanted, backend, required=task == required) for scope in scopes_asked)


def _network_subscriptions(desired: DesiredState) -> set[str]:
    named = {network.subscription for row in desired.pairs for network in (row.primary, row.recovery) if network}
    copied = {region.copy.subscription for region in desired.regions if region.copy.subscription}
    return named | copied | (set(desired.subscriptions.values()) if desired.rules else set())


def _identity(backend: Backend) -> Check:
    try:
        return Check(name="identity", verdict="ok", message=backend.identity())
    except AsrError as error:
        return _failed("identity", error)


def _cloud(backend: Backend) -> Check:
    cloud = backend.surroundings.cloud
    where = f" at {cloud.endpoint}" if cloud.endpoint else ""
    sign_in = f", signing in at {cloud.authority}" if cloud.authority else ""
    return Check(name="cloud", verdict="ok", message=f"{cloud.name}{where}{sign_in}")


def _subscription(subscription: str, backend: Backend) -> Iterator[Check]:
    """Whether a subscription answers, is of this tenant and in use, and what time it is there."""
    before = backend.clock.now()
    try:
        found = backend.surroundings.subscription(subscription)
    except AsrError as error:
        yield _failed(_missing_name(error, "subscription"), error, subscription)
        return
    took = backend.clock.now() - before
    label = f"{found.name or subscription} answers in {took:.1f} s"
    yield Check(name="reachable", verdict="ok", message=label, subject=subscription)
    yield _tenant(subscription, found.tenant, backend)
    if found.state.lower() != "enabled":
        yield Check(
            name="subscription",
            verdict="failed",
            message=f"{found.name} is {found.state}: Azure refuses writes",
            subject=subscription,
            fix="enable the subscription again in the portal",
        )
    if found.said_at is not None:
        yield _clock(found.said_at - (before + took / 2), took, subscription)


def _tenant(subscription: str, tenant: str, backend: Backend) -> Check:
    mine = backend.tenant()
    if mine and tenant and mine.lower() != tenant.lower():
        return Check(
            name="tenant",
            verdict="failed",
            message=f"the subscription is of tenant {tenant}, the identity of tenant {mine}",
            subject=subscription,
            fix=f"sign in to the tenant {tenant}: set AZURE_TENANT_ID, or az login --tenant {tenant}",
        )
    return Check(name="tenant", verdict="ok", message=tenant or mine or "not told", subject=subscription)


def _clock(skew: float, took: float, subscription: str) -> Check:
    """The service says whole seconds, and the answer took a while, so a second or two mean nothing."""
    off = max(0.0, abs(skew) - took / 2 - 1.0)
    words = "is right" if not off else f"is {abs(skew):.0f} s {'behind' if skew > 0 else 'ahead'}"
    verdict: Verdict = "failed" if off > _SKEW_TOO_LARGE else "warning" if off > _SKEW_WORTH_A_WARNING else "ok"
    fix = "" if verdict == "ok" else "set this machine's clock, with NTP: timedatectl set-ntp true"
    return Check(name="clock", verdict=verdict, message=f"this machine's clock {words}", subject=subscription, fix=fix)


def _provider(subscription: str, namespace: str, backend: Backend) -> Iterator[Check]:
    """Whether a provider is registered, and offers the API versions in use."""
    try:
        found = backend.surroundings.provider(subscription, namespace)
    except AsrError as error:
        yield _failed("provider", error, subscription)
        return
    if found.state.lower() != "registered":
        yield Check(
            name="provider",
            verdict="failed",
            message=f"{namespace} is {found.state or 'not registered'}",
            subject=subscription,
            fix=f"az provider register --namespace {namespace} --subscription {subscription}",
        )
        return
    yield Check(name="provider", verdict="ok", message=f"{namespace} is registered", subject=subscription)
    for kind, version in backend.surroundings.api_versions.items():
        offered = found.api_versions.get(kind.removeprefix(f"{namespace}/").lower(), ())
        if kind.startswith(f"{namespace}/") and offered:  # a type that is not listed shows its version when it is read
            yield _api_version(kind, version, offered, subscription)


def _api_version(kind: str, version: str, offered: Sequence[str], subscription: str) -> Check:
    if version in offered:
        return Check(name="api version", verdict="ok", message=f"{kind} {version}", subject=subscription)
    return Check(
        name="api version",
        verdict="failed",
        message=f"{kind} {version} is not offered; the latest here is {max(offered)}",
        subject=subscription,
        fix="check that cloud: and --endpoint are meant; this cloud is behind what asrnet was made for",
    )


def _vault(vault: Vault, backend: Backend) -> Iterator[Check]:
    """Every list that a plan reads of a vault, each by reading it."""
    port = backend.mappings
    reads: tuple[tuple[str, Callable[[], Iterable[object]]], ...] = (
        ("vault", lambda: (port.vault_location(vault.id),)),
        ("fabrics", lambda: port.fabrics(vault.id)),
        ("mappings", lambda: port.mappings(vault.id)),
        ("protected items", lambda: port.protected_items(vault.id)),
        ("jobs", lambda: port.jobs(vault.id, state="InProgress")),
    )
    for what, read in reads:
        yield _read(f"read {what}", read, vault.name)


def _networks(subscription: str, backend: Backend) -> Iterator[Check]:
    yield _read("read networks", lambda: backend.networks.virtual_networks(subscription), subscription)


def _read(name: str, read: Callable[[], Iterable[object]], subject: str) -> Check:
    try:
        count = sum(1 for _ in read())
    except VaultUnusedError:
        return Check(
            name=name,
            verdict="warning",
            message="Site Recovery has not been used in this vault",
            subject=subject,
            fix="set create_fabrics: true for the vault, or enable replication once in the portal",
        )
    except AsrError as error:
        return _failed(name, error, subject)
    return Check(name=name, verdict="ok", message=f"{count} read", subject=subject)


def _asked(task: Task, desired: DesiredState, vaults: Sequence[Vault]) -> tuple[ArmId, ...]:
    """Where to ask for the rights of a task: the vaults; for copies, the resource groups they are made in."""
    if task == "create-networks":
        return tuple(ArmId(scope) for scope in scopes(task, desired) if "/resourceGroups/" in scope)
    return tuple(vault.id for vault in vaults)


def _rights(task: Task, scope: ArmId, wanted: Iterable[str], backend: Backend, *, required: bool) -> Iterator[Check]:
    """Whether the roles at ``scope`` allow a task. Writing cannot be tried without doing it, so the roles are read."""
    name, subject = f"may {task}", scope.name
    kind = f"{scope.type.partition('/')[0]}/".lower()
    here = [action for action in wanted if action.lower().startswith(kind) or task == "create-networks"]
    try:
        granted = backend.surroundings.rights(scope)
    except ForbiddenError as error:
        yield Check(
            name=name,
            verdict="unknown",
            message=f"the roles cannot be read: {error.message}",
            subject=subject,
            fix="grant Microsoft.Authorization/permissions/read to have it checked; nothing else needs it",
        )
    except AsrError as error:
        yield _failed(name, error, subject)
    else:
        lacking = [action for action in here if not any(rights.allow(action) for rights in granted)]
        yield _judged(task, lacking, scope, required=required)


def _judged(task: Task, lacking: Sequence[str], scope: ArmId, *, required: bool) -> Check:
    if not lacking:
        words = "the roles allow it; locks and policies may not"
        return Check(name=f"may {task}", verdict="ok", message=words, subject=scope.name)
    return Check(
        name=f"may {task}",
        verdict="failed" if required else "warning",
        message=f"no role allows {', '.join(lacking)}",
        subject=scope.name,
        fix=f"assign the role that asrnet permissions --for {task} prints, at {scope}",
    )


def _missing_name(error: AsrError, otherwise: str) -> str:
    return "reachable" if isinstance(error, UnreachableError | CredentialError) else otherwise


def _failed(name: str, error: AsrError, subject: str = "") -> Check:
    return Check(name=name, verdict="failed", message=error.message, subject=subject, fix=error.hint)

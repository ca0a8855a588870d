"""Which address a NIC gets in the subnet it lands in."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from asrnet.failover import rules
from asrnet.failover.landing import Outcome
from asrnet.failover.pool import IN_USE, Pool, number, spelled
from asrnet.failover.rules import Notice, Rule, notice
from asrnet.model.azure import MappingKind

Space = Literal["same", "differs", "unclear"]


class Request(Struct, frozen=True, kw_only=True, gc=False):
    """Who asks for an address: with which one so far, and which one is set for the recovery side.

    ``spans`` is the address space of its subnet so far, for the case that its address is not known. ``anyone``: the
    request stands for all machines of the subnet, and no address is handed out.
    """

    holder: str
    ip: str | None
    own_ip: str | None = None
    is_dynamic: bool = False
    is_test: bool = False
    spans: Sequence[range] = ()
    anyone: bool = False


class Assigned(Struct, frozen=True, gc=False):
    """The address, None where none is assigned or it cannot be told which, and by which rule, if one came to that."""

    rule: Rule | None
    outcome: Outcome
    ip: str | None = None
    detail: str = ""
    notices: tuple[Notice, ...] = ()


def assign(request: Request, pool: Pool | None, kind: MappingKind) -> Assigned:
    """The address that the rules give, taken out of the pool.

    Between VMM sites it comes from a static pool that only VMM knows; in Azure it is predicted.
    Sources: Set up network mapping and IP addressing for VNets; Connect to Azure VMs after failover from on-premises;
    Set up IP addressing to connect to a secondary on-premises site after failover.
    """
    if kind == "vmm_to_vmm":
        return _from_static_pool(request, pool)
    if pool is None or pool.full:
        return Assigned(rules.SUBNET_FULL, "loses_connectivity", notices=(notice("subnet_full"),))
    own = number(request.own_ip)
    if own is not None and (not request.is_test or pool.covers(own)):
        return _own(request, own, pool)
    if kind == "azure_to_azure":
        return _from_primary(request, pool)
    if request.anyone:
        return Assigned(rules.ADDRESS_UNSPECIFIED, "changes_address")
    return _another(request, pool, rules.ADDRESS_UNSPECIFIED)


def _from_primary(request: Request, pool: Pool) -> Assigned:
    address = number(request.ip)
    if address is None:
        return _unknown_address(request, pool)
    if _is_free(address, pool):
        return _take(request, address, pool, rules.TEST_ADDRESS_KEPT if request.is_test else rules.ADDRESS_KEPT)
    return _another(request, pool, _why_not(address, pool), _holder_of(address, pool))


def compare(spans: Sequence[range], pool: Pool) -> Space:
    """Whether addresses of ``spans`` are all in the pool's address space, none, or it cannot be told."""
    if not spans:
        return "unclear"
    inside = [pool.covers(part[0]) and pool.covers(part[-1]) for part in spans]
    if all(inside):
        return "same"
    return "unclear" if any(map(pool.overlaps, spans)) else "differs"


def _own(request: Request, own: int, pool: Pool) -> Assigned:
    if _is_free(own, pool):
        return _take(request, own, pool, rules.TEST_ADDRESS_KEPT if request.is_test else rules.ADDRESS_OWN)
    answer = _another(request, pool, rules.ADDRESS_OWN_UNAVAILABLE, _holder_of(own, pool))
    words = f"the address {request.own_ip} that is set on the machine is not available"
    return Assigned(answer.rule, answer.outcome, answer.ip, answer.detail, (notice("own_address_unavailable", words),))


def _unknown_address(request: Request, pool: Pool) -> Assigned:
    space = compare(request.spans, pool)
    if space == "differs" and not request.anyone:
        return _another(request, pool, rules.ADDRESS_OTHER_SPACE)
    if not request.anyone:
        pool.take_any()
    if space == "same":
        return Assigned(rules.SPACE_SAME, "keeps_address")
    if space == "differs":
        return Assigned(rules.SPACE_DIFFERS, "changes_address")
    return Assigned(rules.SPACE_UNCLEAR, "unknown")


def _from_static_pool(request: Request, pool: Pool | None) -> Assigned:
    if request.is_dynamic:
        return Assigned(rules.VMM_DHCP, "unknown")
    if pool is None:
        return Assigned(rules.VMM_POOL_UNKNOWN, "unknown")
    if pool.full:
        return Assigned(rules.VMM_POOL_FULL, "loses_connectivity", notices=(notice("subnet_full"),))
    address = number(request.own_ip) or number(request.ip)
    if address is not None and _is_free(address, pool):
        return _take(request, address, pool, rules.VMM_POOL_KEPT)
    if not request.anyone:
        pool.take_any()
    if address is None:
        return Assigned(rules.VMM_POOL_UNKNOWN, "unknown")
    return Assigned(rules.VMM_POOL_OTHER, "changes_address", detail=_holder_of(address, pool))


def _is_free(address: int, pool: Pool) -> bool:
    return pool.holder(address) is None and pool.has(address)


def _why_not(address: int, pool: Pool) -> Rule:
    if not pool.covers(address):
        return rules.ADDRESS_OTHER_SPACE
    return rules.ADDRESS_TAKEN if pool.holder(address) else rules.ADDRESS_RESERVED


def _holder_of(address: int, pool: Pool) -> str:
    holder = pool.holder(address)
    if holder is None:
        return ""
    return f"{spelled(address)} is {'in use there' if holder is IN_USE else f'assigned to {holder}'}"


def _take(request: Request, address: int, pool: Pool, rule: Rule) -> Assigned:
    return _answer(request, pool.take(address, request.holder), rule, "")


def _another(request: Request, pool: Pool, rule: Rule, detail: str = "") -> Assigned:
    """The next available address; in a test between regions the one from the end of the range."""
    from_end = request.is_test and rule is not rules.ADDRESS_UNSPECIFIED
    address = pool.take_last(request.holder) if from_end else pool.take_next(request.holder)
    if address is None:
        return Assigned(rules.SUBNET_FULL, "loses_connectivity", notices=(notice("subnet_full"),))
    return _answer(request, address, rules.TEST_ADDRESS_END if from_end else rule, detail)


def _answer(request: Request, address: int, rule: Rule, detail: str) -> Assigned:
    ip = spelled(address)
    return Assigned(rule, "keeps_address" if ip == request.ip else "changes_address", ip, detail)

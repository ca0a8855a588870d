"""Step three of a prediction: the address that a NIC gets in its subnet."""

from __future__ import annotations

from typing import Final

from msgspec import Struct, structs

from asrnet.failover import rules
from asrnet.failover.addresses import IN_USE, Pool, compare_address_spaces, dotted, number
from asrnet.failover.landing import Outcome
from asrnet.failover.rules import Notice, ReplicationKind, Rule, notice


class AddressRequest(Struct, frozen=True, kw_only=True, gc=False):
    """A request for an address in a pool.

    ``ip`` is the current address; if it is unknown, ``prefixes`` are those of the current subnet. ``failover_ip`` is
    set on the machine for the recovery side, ``test_ip`` for tests. With ``whole_subnet``, the request stands for all
    machines of a subnet, and no address is assigned.
    """

    holder: str
    ip: str | None
    prefixes: tuple[str, ...] = ()
    failover_ip: str | None = None
    test_ip: str | None = None
    is_dynamic: bool = False
    is_test: bool = False
    whole_subnet: bool = False


class Assignment(Struct, frozen=True, gc=False):
    """The address that was assigned, and the rule that decided.

    ``ip`` is None if there is no address or it is unknown, ``rule`` if no rule was needed.
    """

    rule: Rule | None
    outcome: Outcome
    ip: str | None = None
    detail: str = ""
    notices: tuple[Notice, ...] = ()


_FULL: Final = Assignment(rules.SUBNET_FULL, "loses_connectivity", notices=(notice("subnet_full"),))


def assign(request: AddressRequest, pool: Pool | None, kind: ReplicationKind) -> Assignment:
    """Assign an address from the pool by the rules.

    Sources: Set up network mapping and IP addressing for VNets; Connect to Azure VMs after failover from on-premises;
    Set up IP addressing to connect to a secondary on-premises site after failover.
    """
    if kind == "vmm_to_vmm":
        return _from_static_pool(request, pool)
    if pool is None or pool.full:
        return _FULL

    # An address set on the machine comes first. In a test, the failover address is requested only if the test subnet
    # contains it. Source: Customize networking configurations of the target Azure VM.
    own_ip, rule = request.test_ip, rules.TEST_ADDRESS_OWN
    if not own_ip and not request.is_test:
        own_ip, rule = request.failover_ip, rules.ADDRESS_OWN
    elif not own_ip and pool.covers(number(request.failover_ip) or 0):
        own_ip, rule = request.failover_ip, rules.TEST_ADDRESS_KEPT
    if own_ip:
        return _own_address(request, own_ip, pool, rule)
    if kind == "azure_to_azure":
        return _from_primary_address(request, pool)
    # Without a configured address the machine gets the next available one, even in the same address space. Source:
    # Connect to Azure VMs after failover from on-premises.
    if request.whole_subnet:
        return Assignment(rules.ADDRESS_UNSPECIFIED, "changes_address")
    return _next_address(request, pool, rules.ADDRESS_UNSPECIFIED)


def _own_address(request: AddressRequest, own_ip: str, pool: Pool, rule: Rule) -> Assignment:
    """The address set on the machine, by ``rule``, or the next available one if it is not available."""
    address, detail = number(own_ip), ""
    if address is None:
        message = f"the address '{own_ip}' that is set on the machine is not an IPv4 address"
    elif _is_free(address, pool):
        return _take(request, address, pool, rule)
    else:
        message = f"the address {own_ip} that is set on the machine is not available"
        detail = _holder_of(address, pool)
    assignment = _next_address(request, pool, rules.ADDRESS_OWN_UNAVAILABLE, detail)
    unavailable = notice("own_address_unavailable", message)
    return structs.replace(assignment, notices=(unavailable, *assignment.notices))


def _from_primary_address(request: AddressRequest, pool: Pool) -> Assignment:
    """Between regions: the address is kept if it is free, whatever the settings of the NIC.

    Source: Set up network mapping and IP addressing for VNets.
    """
    address = number(request.ip)
    if address is None:
        return _unknown_address(request, pool)
    if _is_free(address, pool):
        return _take(request, address, pool, rules.TEST_ADDRESS_KEPT if request.is_test else rules.ADDRESS_KEPT)
    if not pool.covers(address):
        reason = rules.ADDRESS_OTHER_SPACE
    else:
        reason = rules.ADDRESS_TAKEN if pool.holder(address) else rules.ADDRESS_RESERVED
    return _next_address(request, pool, reason, _holder_of(address, pool))


def _unknown_address(request: AddressRequest, pool: Pool) -> Assignment:
    """What the address spaces of the two subnets imply for an unknown address."""
    space = compare_address_spaces(request.prefixes, pool.prefixes)
    if space == "differs" and not request.whole_subnet:
        return _next_address(request, pool, rules.ADDRESS_OTHER_SPACE)
    if not request.whole_subnet:
        # The machine takes an address that cannot be predicted, so one less is left for the next machine.
        pool.take_any()
    if space == "same":
        return Assignment(rules.SPACE_SAME, "keeps_address")
    if space == "differs":
        return Assignment(rules.SPACE_DIFFERS, "changes_address")
    return Assignment(rules.SPACE_UNCLEAR, "unknown")


def _from_static_pool(request: AddressRequest, pool: Pool | None) -> Assignment:
    """Between VMM sites: the address comes from a static pool that only VMM knows.

    Source: Set up IP addressing to connect to a secondary on-premises site after failover.
    """
    if request.is_dynamic:
        # Site Recovery does not manage DHCP on a secondary site.
        return Assignment(rules.VMM_DHCP, "unknown")
    if pool is None:
        return Assignment(rules.VMM_POOL_UNKNOWN, "unknown")
    if pool.full:
        return structs.replace(_FULL, rule=rules.VMM_POOL_FULL)
    address = number(request.failover_ip) or number(request.ip)
    if address is not None and _is_free(address, pool):
        return _take(request, address, pool, rules.VMM_POOL_KEPT)
    if not request.whole_subnet:
        pool.take_any()
    if address is None:
        return Assignment(rules.VMM_POOL_UNKNOWN, "unknown")
    return Assignment(rules.VMM_POOL_OTHER, "changes_address", detail=_holder_of(address, pool))


def _is_free(address: int, pool: Pool) -> bool:
    return pool.holder(address) is None and pool.has(address)


def _holder_of(address: int, pool: Pool) -> str:
    holder = pool.holder(address)
    if holder is None:
        return ""
    return f"{dotted(address)} is {'in use there' if holder is IN_USE else f'assigned to {holder}'}"


def _next_address(request: AddressRequest, pool: Pool, rule: Rule, detail: str = "") -> Assignment:
    # In a test between regions, the search goes backwards from the end of the range. Source: Set up network mapping and
    # IP addressing for VNets.
    from_end = request.is_test and rule is not rules.ADDRESS_UNSPECIFIED
    address = pool.take_last(request.holder) if from_end else pool.take_next(request.holder)
    if address is None:
        return _FULL
    return _assigned(request, address, rules.TEST_ADDRESS_END if from_end else rule, detail)


def _take(request: AddressRequest, address: int, pool: Pool, rule: Rule) -> Assignment:
    return _assigned(request, pool.take(address, request.holder), rule)


def _assigned(request: AddressRequest, address: int, rule: Rule, detail: str = "") -> Assignment:
    ip = dotted(address)
    return Assignment(rule, "keeps_address" if ip == request.ip else "changes_address", ip, detail)

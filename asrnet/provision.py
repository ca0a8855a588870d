"""Maps one network on request, as the portal does when replication is first enabled.

It has no algorithm of its own: a desired state of one row is planned and applied like any other.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, structs

from asrnet.applying import AuditEntry, Options, Progress, Report, apply
from asrnet.desired import CloudName, CopySettings, DesiredState, Region, Row, Selection, Vault, references
from asrnet.errors import AsrError, InputError, NotFoundError, RefusedError
from asrnet.files.problems import did_you_mean
from asrnet.inventory.read import Inventory, VaultInventory, read_inventory
from asrnet.model.arm import VAULT, VNET, ArmId, expect
from asrnet.model.plan import MachinesMode, Plan
from asrnet.planning import plan
from asrnet.ports import Backend


class PairRequest(Struct, frozen=True, kw_only=True):
    """One pair as a desired state of its own, and everything that was read to plan it."""

    desired: DesiredState
    inventory: Inventory

    @property
    def selection(self) -> Selection:
        """The pair by its name: a caller that asks for one network may lift the guard of its reversed machines."""
        return Selection(pairs=frozenset(row.name for row in self.desired.pairs))


def plan_pair(
    backend: Backend,
    *,
    vault: ArmId,
    primary: ArmId,
    to: str,
    recovery: ArmId | None = None,
    copy: CopySettings = CopySettings(),  # noqa: B008 - a frozen value
    retarget: bool = False,
    machines: MachinesMode = "report",
    create_fabrics: bool = True,
    cloud: CloudName = "public",
    forced: frozenset[str] = frozenset(),
) -> Plan:
    """The plan that maps ``primary`` into the region ``to``, and back, as the portal does at a first replication.

    A network that is mapped already keeps its recovery network; RefusedError (``mapped``) where ``recovery`` is another
    one, unless ``retarget``. A network without a mapping and without ``recovery`` is copied as ``copy`` says. With
    ``machines="follow"`` the network's protected machines are pointed at its recovery network as well. ``forced`` lifts
    safeguards by name. Source: Set up network mapping and IP addressing for VNets. Raises like ``read_inventory``;
    InputError for ids of the wrong kind, a region that Azure does not have, and networks in the region ``to`` itself;
    ServiceError where ``primary`` does not exist.
    """
    request = request_pair(
        backend,
        vault=vault,
        primary=primary,
        to=to,
        recovery=recovery,
        copy=copy,
        retarget=retarget,
        machines=machines,
        create_fabrics=create_fabrics,
        cloud=cloud,
    )
    return plan(request.desired, request.inventory, selection=request.selection, forced=forced)


def request_pair(
    backend: Backend,
    *,
    vault: ArmId,
    primary: ArmId,
    to: str,
    recovery: ArmId | None = None,
    copy: CopySettings = CopySettings(),  # noqa: B008 - a frozen value
    retarget: bool = False,
    machines: MachinesMode = "report",
    create_fabrics: bool = True,
    cloud: CloudName = "public",
) -> PairRequest:
    """Read all that mapping ``primary`` into the region ``to`` and back depends on, without planning it.

    The arguments are those of ``plan_pair``, and it raises the same.
    """
    expect(vault, VAULT, "a Recovery Services vault")
    for network in (primary, recovery):
        if network:
            expect(network, VNET, "a virtual network")
    source = backend.networks.virtual_network(primary)
    if source is None:
        raise NotFoundError(f"{primary} does not exist", resource_id=primary, status=404, code="ResourceNotFound")
    region = Region(primary=source.location, recovery=references.region(to), copy=copy)
    if region.primary == region.recovery:
        raise InputError(f"{source.name} is in {region.primary} itself; mappings pair two regions")
    row = Row(name=source.name, vault=vault.name, primary=primary, recovery=recovery)
    desired = DesiredState(
        cloud=cloud,
        vaults=(Vault(name=vault.name, id=vault, unmanaged="ignore", create_fabrics=create_fabrics),),
        regions=(region,),
        pairs=(row,),
        machines=machines,
    )
    inventory = read_inventory(desired, backend)
    _check_exists(region.recovery, backend, vault=inventory.vaults[vault.name], subscription=primary.subscription)
    settled = structs.replace(desired, pairs=(_settled(row, inventory, region, retarget=retarget),))
    return PairRequest(desired=settled, inventory=read_inventory(settled, backend) if settled != desired else inventory)


def ensure_pair(
    backend: Backend,
    *,
    vault: ArmId,
    primary: ArmId,
    to: str,
    recovery: ArmId | None = None,
    copy: CopySettings = CopySettings(),  # noqa: B008 - a frozen value
    retarget: bool = False,
    machines: MachinesMode = "report",
    create_fabrics: bool = True,
    cloud: CloudName = "public",
    options: Options = Options(),  # noqa: B008 - a frozen value
    on_progress: Callable[[Progress], None] = lambda _: None,
    on_write: Callable[[AuditEntry], None] = lambda _: None,
) -> Report:
    """Make sure that ``primary`` is mapped into the region ``to`` and back: ``plan_pair`` and ``apply`` in one.

    The recovery network is ``report.pairs[0].recovery_network_id``. Doing it again changes nothing. Raises what these
    two raise.
    """
    planned = plan_pair(
        backend,
        vault=vault,
        primary=primary,
        to=to,
        recovery=recovery,
        copy=copy,
        retarget=retarget,
        machines=machines,
        create_fabrics=create_fabrics,
        cloud=cloud,
        forced=options.forced,
    )
    return apply(planned, backend, options, on_progress=on_progress, on_write=on_write)


def _check_exists(region: str, backend: Backend, *, vault: VaultInventory, subscription: str) -> None:
    """Raise InputError where Azure has no such region.

    A region in which the vault has a fabric needs no asking. Only Azure knows which others exist, since new ones open;
    where the list may not be read nothing is refused, and Azure decides.
    """
    fabric_regions = sorted({fabric.location for fabric in vault.fabrics if fabric.location})
    if region in fabric_regions:
        return
    try:
        regions = backend.surroundings.regions(subscription)
    except AsrError:
        return
    if regions and region not in regions:
        fabrics = f"the vault has fabrics in {' and '.join(fabric_regions)}; " if fabric_regions else ""
        raise InputError(
            f"Azure has no region '{region}'{did_you_mean(region, regions)}",
            hint=f"{fabrics}'az account list-locations' prints all regions",
        )


def _settled(row: Row, inventory: Inventory, region: Region, *, retarget: bool) -> Row:
    """The row with the recovery network that the live mapping has, and with the reverse unless another pair owns it."""
    live = {mapping.identity: mapping for mapping in reversed(inventory.vaults[row.vault].mappings)}
    forward = live.get((region.primary, row.primary.key, region.recovery))
    if forward and row.recovery and row.recovery != forward.recovery_network_id and not retarget:
        raise RefusedError(
            f"{row.name} is mapped to {forward.recovery_network_id} already",
            kind="mapped",
            hint="use --retarget to change both directions of the mapping",
        )
    recovery = row.recovery or (forward.recovery_network_id if forward else None)
    if recovery is None:
        return row
    # The way back from the recovery network may belong to a whole pair of another primary, which keeps it.
    reverse = live.get((region.recovery, recovery.key, region.primary))
    is_anothers = False
    if reverse and reverse.recovery_network_id != row.primary:
        other = live.get((region.primary, reverse.recovery_network_id.key, region.recovery))
        is_anothers = other is not None and other.recovery_network_id == recovery
    return structs.replace(row, recovery=recovery, failback=not is_anothers)

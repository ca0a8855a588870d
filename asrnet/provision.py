"""Maps one network on request, as the portal does when replication is first enabled.

It has no algorithm of its own: a desired state of one row is planned and applied like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from msgspec import Struct, structs

from asrnet.applying import AuditEntry, Options, Progress, Report, apply
from asrnet.desired import CloudName, CopySettings, DesiredState, Region, Row, Selection, Vault, references
from asrnet.errors import AsrError, InputError, NotFoundError, RefusedError, did_you_mean, nearest
from asrnet.inventory.read import Inventory, VaultInventory, read_inventory
from asrnet.model.arm import VAULT, VNET, ArmId, expect
from asrnet.model.azure import VirtualNetwork
from asrnet.model.findings import FindingKind, finding
from asrnet.model.limits import MachinesMode
from asrnet.model.plan import Plan
from asrnet.planning import plan
from asrnet.ports import Backend


class PairRequest(Struct, frozen=True, kw_only=True):
    """One pair as a desired state of its own, and everything that was read to plan it."""

    desired: DesiredState
    inventory: Inventory
    fails_back_to: ArmId | None = None
    """Another primary network that the recovery network already fails back to, which this pair leaves alone."""

    @property
    def selection(self) -> Selection:
        """The pair, selected by name, so that the guard of its reversed machines can be lifted."""
        return Selection(pairs=frozenset(row.name for row in self.desired.pairs))

    def plan(self, forced: Collection[str] = ()) -> Plan:
        """The plan of the pair; it warns if the network gets no way back. ``forced`` lifts safeguards by name."""
        planned = plan(self.desired, self.inventory, selection=self.selection, forced=forced)
        (row,) = self.desired.pairs
        if self.fails_back_to is None or row.recovery is None:
            return planned
        warning = finding(
            FindingKind.NO_WAY_BACK,
            _no_way_back(row.primary, row.recovery, self.fails_back_to),
            vault=row.vault,
            pair=row.name,
            subject=row.primary,
            hint="give it a recovery network of its own if its machines must fail back",
        )
        return structs.replace(planned, findings=(*planned.findings, warning)).sealed()


def plan_pair(
    backend: Backend,
    *,
    vault: ArmId,
    primary: ArmId,
    to: str | None = None,
    recovery: ArmId | None = None,
    copy: CopySettings = CopySettings(),  # noqa: B008 - a frozen value
    retarget: bool = False,
    machines: MachinesMode = "report",
    create_fabrics: bool = True,
    cloud: CloudName = "public",
    forced: frozenset[str] = frozenset(),
) -> Plan:
    """The plan that maps ``primary`` into the region ``to``, and back, as the portal does at a first replication.

    ``to`` may be left out if ``recovery`` is given, because that network's region is known. A network that is already
    mapped keeps its recovery network: another ``recovery`` raises RefusedError (``mapped``) unless ``retarget`` is set.
    A network without a mapping and without ``recovery`` is copied as ``copy`` says. With ``machines="follow"`` the
    network's protected machines are pointed at its recovery network as well. ``forced`` lifts safeguards by name.
    Source: Set up network mapping and IP addressing for VNets.

    Raises the errors of ``read_inventory``; InputError for ids of the wrong kind, a region that Azure does not have, a
    ``recovery`` in another region than ``to``, neither of the two, and networks in the recovery region itself;
    NotFoundError if ``primary`` does not exist, or ``recovery`` when ``to`` is not given.
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
    return request.plan(forced)


def request_pair(
    backend: Backend,
    *,
    vault: ArmId,
    primary: ArmId,
    to: str | None = None,
    recovery: ArmId | None = None,
    copy: CopySettings = CopySettings(),  # noqa: B008 - a frozen value
    retarget: bool = False,
    machines: MachinesMode = "report",
    create_fabrics: bool = True,
    cloud: CloudName = "public",
    vault_name: str = "",
) -> PairRequest:
    """Read everything needed to plan the mapping of ``primary`` into the region ``to`` and back, without planning it.

    The arguments are those of ``plan_pair``, and it raises the same. ``vault_name`` is the vault's name in the desired
    state, by default its name in Azure.
    """
    expect(vault, VAULT, "a Recovery Services vault")
    vault_name = vault_name or vault.name
    for network in (primary, recovery):
        if network:
            expect(network, VNET, "a virtual network")
    if to is None and recovery is None:
        problem = "neither the recovery region nor the recovery network is given"
        raise InputError(problem, hint="give to, the region, or recovery, the id of a network in it")
    source = _existing(primary, backend)
    if to is None:
        assert recovery is not None  # noqa: S101 - one of the two is given
        to = _existing(recovery, backend).location
    region = Region(primary=source.location, recovery=references.region(to), copy=copy)
    if region.primary == region.recovery:
        raise InputError(f"{source.name} is in {region.primary} itself; mappings pair two regions")
    row = Row(name=source.name, vault=vault_name, primary=primary, recovery=recovery)
    desired = DesiredState(
        cloud=cloud,
        vaults=(Vault(name=vault_name, id=vault, unmanaged="ignore", create_fabrics=create_fabrics),),
        regions=(region,),
        pairs=(row,),
        machines=machines,
    )
    inventory = read_inventory(desired, backend)
    target = inventory.network(recovery) if recovery else None
    if isinstance(target, VirtualNetwork) and target.location != region.recovery:
        raise InputError(
            f"{target.name} is in {target.location}, and the recovery region is {region.recovery}",
            hint=f"give a network in {region.recovery}, or {target.location} as the region",
        )
    _check_exists(region, backend, vault=inventory.vaults[vault_name], subscription=primary.subscription)
    row, fails_back_to = _with_live_mapping(row, inventory, region, retarget=retarget)
    settled = structs.replace(desired, pairs=(row,))
    return PairRequest(
        desired=settled,
        inventory=read_inventory(settled, backend) if settled != desired else inventory,
        fails_back_to=fails_back_to,
    )


def ensure_pair(
    backend: Backend,
    *,
    vault: ArmId,
    primary: ArmId,
    to: str | None = None,
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
    """Make sure that ``primary`` is mapped in both directions: ``plan_pair`` and ``apply`` in one.

    ``to``, the recovery region, may be left out if ``recovery`` names a network in it. The recovery network is
    ``report.pairs[0].recovery_network_id``. Doing it again changes nothing. Raises what these two raise.
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


def _existing(network_id: ArmId, backend: Backend) -> VirtualNetwork:
    network = backend.networks.virtual_network(network_id)
    if network is None:
        raise NotFoundError(
            f"{network_id} does not exist{_suggestion(network_id, backend)}",
            resource_id=network_id,
            status=404,
            code="ResourceNotFound",
        )
    return network


def _suggestion(network_id: ArmId, backend: Backend) -> str:
    """``; did you mean GROUP/NETWORK?`` with the network of the subscription that has the most similar name, if any."""
    try:
        ids = [network.id for network in backend.networks.virtual_networks(network_id.subscription)]
    except AsrError:
        return ""
    # If several networks have that name, the one in the given group is meant.
    ids.sort(key=lambda other: other.resource_group.lower() == network_id.resource_group.lower())
    groups = {other.name: other.resource_group for other in ids}
    name = nearest(network_id.name, groups)
    return f"; did you mean {groups[name]}/{name}?" if name else ""


def _check_exists(pair: Region, backend: Backend, *, vault: VaultInventory, subscription: str) -> None:
    """Raise InputError if Azure does not have the recovery region of ``pair``.

    A region for which the vault has a fabric exists. Any other is looked up in Azure's list of regions, because new
    regions open; if that list may not be read, nothing is refused here, and Azure decides.
    """
    region = pair.recovery
    fabric_regions = sorted({fabric.location for fabric in vault.fabrics if fabric.location})
    if region in fabric_regions:
        return
    try:
        regions = backend.surroundings.regions(subscription)
    except AsrError:
        return
    if regions and region not in regions:
        fabrics = f"the vault has fabrics in {' and '.join(fabric_regions)}; " if fabric_regions else ""
        # The primary region cannot be meant, and one that the vault uses is likelier than any other.
        others = [name for name in fabric_regions if name != pair.primary]
        meant = did_you_mean(region, others) or did_you_mean(region, [name for name in regions if name != pair.primary])
        raise InputError(
            f"Azure has no region '{region}'{meant}",
            hint=f"{fabrics}'az account list-locations' prints all regions",
        )


def _no_way_back(primary: ArmId, recovery: ArmId, other: ArmId) -> str:
    return f"{recovery.name} already fails back to {other.name}, so {primary.name} gets no way back"


def _with_live_mapping(row: Row, inventory: Inventory, region: Region, *, retarget: bool) -> tuple[Row, ArmId | None]:
    """The row with the live mapping's recovery network, and with a reverse mapping unless another pair owns it.

    Also returns the primary network of that other pair. Raises RefusedError if the network is mapped to another one.
    """
    live = {mapping.identity: mapping for mapping in reversed(inventory.vaults[row.vault].mappings)}
    forward = live.get((region.primary, row.primary.key, region.recovery))
    recovery = row.recovery or (forward.recovery_network_id if forward else None)
    if recovery is None:
        return row, None
    # The recovery network may be the recovery side of another complete pair. That pair keeps its reverse mapping.
    reverse = live.get((region.recovery, recovery.key, region.primary))
    fails_back_to = None
    if reverse and reverse.recovery_network_id != row.primary:
        other = live.get((region.primary, reverse.recovery_network_id.key, region.recovery))
        if other is not None and other.recovery_network_id == recovery:
            fails_back_to = reverse.recovery_network_id
    if forward and recovery != forward.recovery_network_id and not retarget:
        changes = "both directions of the mapping" if fails_back_to is None else "the mapping"
        consequence = f"; {_no_way_back(row.primary, recovery, fails_back_to)}" if fails_back_to else ""
        raise RefusedError(
            f"{row.name} is mapped to {forward.recovery_network_id} already",
            kind="mapped",
            hint=f"use --retarget to change {changes}{consequence}",
        )
    return structs.replace(row, recovery=recovery, failback=fails_back_to is None), fails_back_to

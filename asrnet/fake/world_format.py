"""The world file as people write it: a table of how each kind of resource is written.

An entry has the fields of its model, so that a new member of a model is also a key of the file. The table lists only
what the file writes in a shorter way: a name instead of an id (its place in the file gives the rest), the name of a
fabric instead of its id, a NIC's primary IP configuration inline.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from types import GenericAlias
from typing import Annotated, Any, Final, Literal

from msgspec import NODEFAULT, Meta, Struct, defstruct, field

from asrnet.fake.behaviour import Behaviour
from asrnet.fake.records import (
    RecoveryPlan,
    ReplicationPolicy,
    SiteKind,
    SourceMachine,
    Subscription,
    VaultResource,
    VirtualMachine,
)
from asrnet.model.arm import ArmId
from asrnet.model.azure import (
    Cloud,
    CloudMapping,
    Fabric,
    InterfaceAddress,
    IpConfiguration,
    Job,
    LogicalNetwork,
    NetworkInterface,
    NetworkMapping,
    NetworkSecurityGroup,
    Nic,
    Peering,
    ProtectedItem,
    ResourceGroup,
    RouteTable,
    Subnet,
    VirtualNetwork,
    VmmHost,
    VmNetwork,
)

Name = Annotated[str, Meta(min_length=1, max_length=260)]
FabricName = Annotated[str, Meta(min_length=1, max_length=260, description="The name of a fabric of this vault")]
IpType = Literal["Dynamic", "Static"]


def _entry(model: type[Struct], *, without: Collection[str] = (), **spelling: Any) -> Any:
    """The Struct of a model's entries: the model's fields except ``without``, plus those in ``spelling``.

    ``spelling`` gives a type, or a type and a default, for each key that the file adds or restricts.
    """
    members = {name: member for name, member in _members(model).items() if name not in without} | spelling
    return defstruct(
        model.__name__,
        [(name, *(member if isinstance(member, tuple) else (member,))) for name, member in members.items()],
        namespace={"__doc__": model.__doc__},  # the schema uses it to describe the entry
        module=__name__,
        frozen=True,
        kw_only=True,
        forbid_unknown_fields=True,
        omit_defaults=True,
    )


def _members(model: type[Struct]) -> dict[str, Any]:
    """The type of each of a model's fields, with the default of the optional ones.

    The annotations of the models are types, not text. ``msgspec.structs.fields`` evaluates them nevertheless, which
    takes 2 ms in total.
    """
    required = len(model.__struct_fields__) - len(model.__struct_defaults__)
    defaults = (*[NODEFAULT] * required, *model.__struct_defaults__)
    types = model.__annotations__
    return {
        name: types[name] if default is NODEFAULT else (types[name], default)
        for name, default in zip(model.__struct_fields__, defaults, strict=True)
    }


def _list(entry: Any) -> tuple[Any, tuple[()]]:
    """The type and default of a list of such entries, which is empty by default."""
    return GenericAlias(tuple, (entry, ...)), ()


SUBSCRIPTION: Final = _entry(Subscription)
RESOURCE_GROUP: Final = _entry(ResourceGroup, location=(str, "eastus"))
SUBNET: Final = _entry(
    Subnet,
    name=Name,
    prefixes=(tuple[str, ...], ()),
    used=(Annotated[int | None, Meta(description="Number of addresses in use; by default that of used_ips")], None),
)
PEERING: Final = _entry(Peering)
VIRTUAL_NETWORK: Final = _entry(
    VirtualNetwork,
    location=Name,
    subnets=_list(SUBNET),
    peerings=(
        Annotated[
            GenericAlias(tuple, (str | PEERING, ...)),
            Meta(description="Peerings; only the remote network's id for one with Azure's default settings"),
        ],
        (),
    ),
)
SECURITY_GROUP: Final = _entry(NetworkSecurityGroup, location=Name)
ROUTE_TABLE: Final = _entry(RouteTable, location=Name)
INTERFACE_ADDRESS: Final = _entry(InterfaceAddress, name=(Name, "ipconfig1"), ip_type=(IpType | None, None))
NETWORK_INTERFACE: Final = _entry(NetworkInterface, location=Name, ip_configurations=_list(INTERFACE_ADDRESS))

IP_CONFIGURATION: Final = _entry(IpConfiguration, without={"primary"}, name=Name, ip_type=(IpType | None, None))
PRIMARY_ADDRESS: Final[Mapping[str, str]] = {
    name: {
        "name": "ip_configuration",
        "subnet": "primary_subnet",
        "settings": "address_settings",
        "unknown_members": "address_unknown_members",
    }.get(name, name)
    for name in IpConfiguration.__struct_fields__
    if name != "primary"
}
"""The members of a NIC's primary IP configuration, and the keys under which the NIC's entry has them."""
NIC: Final = _entry(
    Nic,
    without={"ip_configurations"},
    name=Name,
    selected=(Annotated[bool | None, Meta(description="false: the same as selection: NotSelected")], None),
    **{key: member for name, member in _members(IpConfiguration).items() if (key := PRIMARY_ADDRESS.get(name))}
    | {
        "ip_type": (IpType | None, None),
        "ip_configuration": (
            Annotated[str | None, Meta(description="Name of the primary IP configuration; null: there is none")],
            "ipconfig1",
        ),
    },
    secondary=(Annotated[_list(IP_CONFIGURATION)[0], Meta(description="All but the primary IP configuration")], ()),
)
VIRTUAL_MACHINE: Final = _entry(VirtualMachine, location=Name, nics=_list(NIC))

SOURCE_MACHINE: Final = _entry(
    SourceMachine, without={"id"}, name=Name, friendly_name=(str | None, None), nics=_list(NIC)
)

VM_NETWORK: Final = _entry(
    VmNetwork,
    without={"id"},
    name=Name,
    friendly_name=Name,
    logical_network=(
        Annotated[str | None, Meta(description="The friendly name of the logical network behind it")],
        None,
    ),
    subnets=_list(SUBNET),
)
LOGICAL_NETWORK: Final = _entry(LogicalNetwork, without={"id"}, name=Name, friendly_name=Name)
CLOUD: Final = _entry(
    Cloud,
    without={"id"},
    name=Name,
    friendly_name=Name,
    logical_networks=(
        Annotated[tuple[str, ...] | None, Meta(description="Friendly names; absent: not known, []: none")],
        None,
    ),
    machines=(
        Annotated[
            _list(SOURCE_MACHINE)[0], Meta(description="Machines on premises that can be protected, or already are")
        ],
        (),
    ),
)
CLOUD_MAPPING: Final = _entry(
    CloudMapping,
    without={"id", "primary_cloud_id", "recovery_cloud_id", "recovery_cloud_name", "policy_id"},
    name=(str | None, None),
    primary=Name,
    recovery_fabric=(
        Annotated[str | None, Meta(description="The fabric of the protecting cloud; absent: this one")],
        None,
    ),
    recovery=(Annotated[str | None, Meta(description="The protecting cloud; absent: Azure")], None),
    policy=(Annotated[str | None, Meta(description="The name of a replication policy of this vault")], None),
)
HOST: Final = _entry(VmmHost, name=Name, cloud=Name)
FABRIC: Final = _entry(
    Fabric,
    without={"id", "friendly_name"},
    name=Name,
    server=(Annotated[str | None, Meta(description="The name of a VMM server or of a site")], None),
    site=(
        Annotated[SiteKind | None, Meta(description="Kind of site, for a fabric of kind other; absent: HyperVSite")],
        None,
    ),
    networks=_list(VM_NETWORK),
    logical_networks=_list(LOGICAL_NETWORK),
    clouds=_list(CLOUD),
    cloud_mappings=_list(CLOUD_MAPPING),
    hosts=_list(HOST),
)
POLICY: Final = _entry(ReplicationPolicy, without={"id"}, name=Name)
MAPPING: Final = _entry(
    NetworkMapping,
    without={"id", "kind", "recovery_fabric_id", "primary_location", "recovery_location"},
    fabric=FabricName,
    name=Name,
    primary_network_id=(Annotated[ArmId | None, Meta(description="Absent: the mapping omits it")], None),
    recovery_fabric=(
        Annotated[str | None, Meta(description="Absent: Azure, for a VM network")],
        None,
    ),
    recovery_network_id=(Annotated[ArmId | None, Meta(description="Absent: the mapping omits it")], None),
)
ITEM: Final = _entry(
    ProtectedItem,
    without={
        "id",
        "recovery_fabric_id",
        "recovery_container_id",
        "policy_id",
        "primary_location",
        "recovery_location",
        "initial_location",
    },
    name=Name,
    friendly_name=(str | None, None),
    fabric=FabricName,
    container=(Annotated[str | None, Meta(description="Absent: the fabric's container, as named by the portal")], None),
    recovery_fabric=(Annotated[str | None, Meta(description="Absent: Azure, for a machine on premises")], None),
    recovery_container=(Annotated[str | None, Meta(description="Absent: according to the container mapping")], None),
    initial_fabric=(
        Annotated[str | None, Meta(description="Where it was protected first, if re-protected; absent: fabric")],
        None,
    ),
    policy=(Annotated[str | None, Meta(description="The name of a replication policy of this vault")], None),
    active_location=(Literal["Primary", "Recovery"], "Primary"),
    nics=_list(NIC),
)
JOB: Final = _entry(Job, without={"id"}, name=Name, scenario=Name, state=Name)
RECOVERY_PLAN: Final = _entry(RecoveryPlan, without={"id"}, name=Name)
VAULT: Final = _entry(
    VaultResource,
    location=Name,
    used=(Annotated[bool | None, Meta(description="Whether it was ever used; absent: true if it has fabrics")], None),
    replication_policies=_list(POLICY),
    fabrics=_list(FABRIC),
    mappings=_list(MAPPING),
    protected_items=_list(ITEM),
    recovery_plans=_list(RECOVERY_PLAN),
    jobs=_list(JOB),
)


_World: Any = defstruct(
    "_World",
    [
        ("version", Literal[1]),
        ("tenant", Annotated[str | None, Meta(description="The tenant of the credential")], None),
        ("behaviour", Behaviour | None, None),
        (
            "strict_mapping",
            Annotated[
                bool | None, Meta(description="Refuse to protect a machine with a network other than the mapped one")
            ],
            None,
        ),
        ("subscriptions", *_list(SUBSCRIPTION)),
        ("resource_groups", *_list(RESOURCE_GROUP)),
        ("virtual_networks", *_list(VIRTUAL_NETWORK)),
        ("network_security_groups", *_list(SECURITY_GROUP)),
        ("route_tables", *_list(ROUTE_TABLE)),
        ("network_interfaces", *_list(NETWORK_INTERFACE)),
        ("virtual_machines", *_list(VIRTUAL_MACHINE)),
        ("vaults", *_list(VAULT)),
        (
            "extras",
            Annotated[
                Mapping[str, str],
                Meta(description="JSON by resource id: properties that clients sent and no model has"),
            ],
            field(default_factory=dict),
        ),
    ],
    frozen=True,
    kw_only=True,
    forbid_unknown_fields=True,
    omit_defaults=True,
)


class WorldDocument(_World):  # type: ignore[misc]  # the entries are made at run time
    """A world file: an Azure with its networks and vaults."""

"""What a PATCH of a protected item changes, and the defaults that the service sets.

A PATCH changes the settings that it names. What happens to those it leaves out is unknown, so a world can do either
(``behaviour: {partial_update: keep | lose}``). A correct client sends every setting and sees no difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import replace

from asrnet.errors import InputError
from asrnet.fake import refusals
from asrnet.fake.operations import stable_guid
from asrnet.model.arm import ArmId
from asrnet.model.azure import IpConfiguration, Nic, ProtectedItem, Setting
from asrnet.model.bodies import member as member_of
from asrnet.model.machine_update import UPDATES, Member

Body = Mapping[str, object]

_LOST: Final = ""
"""A setting lost in a partial update. It is stored, so that the service's default does not take its place."""
# Members that identify a part of a machine are not settings, and are kept if a body leaves them out.
_NEVER_LOST: Final = frozenset({"id", "name", "primary"})
_DEFAULTS: Final[Mapping[tuple[str, str], Any]] = {
    (kind.__name__, name): default
    for kind in (ProtectedItem, Nic, IpConfiguration)
    for name, default in zip(reversed(kind.__struct_fields__), reversed(kind.__struct_defaults__), strict=False)
}


def nic_id(item: ProtectedItem, nic: Nic) -> str:
    """Site Recovery's id of a NIC: for an Azure machine a GUID (recorded), otherwise its name in the world."""
    if nic.id:
        return nic.id
    return stable_guid(f"{item.vault_id.key} {item.id.name} {nic.name}") if item.provider == "A2A" else nic.name


def with_service_settings(item: ProtectedItem) -> ProtectedItem:
    """``item`` with the service's defaults for settings that nobody has set.

    Recorded for Azure machines, assumed for others. A setting lost in a PATCH does not get its default again.
    """
    of_item: dict[str, Setting] = {}
    of_nic: dict[str, Setting] = {}
    match item.provider:
        case "A2A":
            of_item = {
                "recoveryAzureVMName": item.friendly_name,
                "recoveryAzureVMSize": "Standard_DS1_v2",
                "tfoAzureVMName": f"{item.friendly_name}-test",
            }
        case "HyperVReplicaAzure":
            of_item = {
                "recoveryAzureVMName": item.friendly_name,
                "recoveryAzureVMSize": "Standard_DS1_v2",
                "enableRdpOnTargetOption": "Never",
                "useManagedDisks": "true",
            }
        case "InMageRcm":
            of_item = {"targetVmName": item.friendly_name, "targetVmSize": "Standard_DS1_v2"}
    if item.provider in {"A2A", "HyperVReplicaAzure"}:
        of_nic = {
            "enableAcceleratedNetworkingOnRecovery": False,
            "enableAcceleratedNetworkingOnTfo": False,
            "reuseExistingNic": False,
            "tfoReuseExistingNic": False,
        }
    nics = []
    for index, nic in enumerate(item.nics):
        defaults = {"isPrimaryNic": "false" if index else "true"} if item.provider == "InMageRcm" else of_nic
        addresses = nic.ip_configurations
        if any(address.settings for address in addresses):
            addresses = tuple(replace(address, settings=_without_lost(address.settings)) for address in addresses)
        settings = _without_lost({**defaults, **nic.settings})
        nics.append(replace(nic, id=nic_id(item, nic), settings=settings, ip_configurations=addresses))
    return replace(item, nics=tuple(nics), settings=_without_lost({**of_item, **item.settings}))


def _without_lost(settings: Mapping[str, Setting]) -> Mapping[str, Setting]:
    return {name: value for name, value in settings.items() if value != _LOST}


def apply_update(item: ProtectedItem, properties: Body, *, loses_omitted: bool) -> ProtectedItem:
    """``item`` after a PATCH with the body's ``properties``.

    With ``loses_omitted``, settings that the body leaves out are reset. Raises ServiceError if the body cannot be read,
    or if machines of this provider cannot be updated.
    """
    if item.provider not in UPDATES:
        raise refusals.invalid(f"Machines of the provider '{item.provider}' cannot be updated.", item.id)
    return _Patch(item, properties, loses_omitted=loses_omitted).updated()


class _Patch:
    """A PATCH of one machine."""

    def __init__(self, item: ProtectedItem, properties: Body, *, loses_omitted: bool) -> None:
        self._item = item
        self._update = UPDATES[item.provider]
        self._properties = properties
        self._loses_omitted = loses_omitted

    def updated(self) -> ProtectedItem:
        """The machine after this PATCH."""
        details = member_of(self._properties, "providerSpecificDetails") or {}
        if not isinstance(details, Mapping):
            raise refusals.invalid("The property 'providerSpecificDetails' is not an object.", self._item.id)
        members = self._update.of("item")
        changes = self._changes(self._item, [member for member in members if not member.in_details], self._properties)
        item = replace(self._item, **changes)
        changes |= self._changes(item, [member for member in members if member.in_details], details)
        # The networks in a PATCH are those of the item; they apply to all of its NICs.
        networks = {name: changes[name] for name in ("recovery_network_id", "test_network_id") if name in changes}
        test_network = member_of(self._properties, "selectedTfoAzureNetworkId")
        # Specified: a body may have this member for every provider. The table of members omits it for providers whose
        # machines do not show it.
        if test_network and not self._update.sets_test_network:
            networks["test_network_id"] = self._id(test_network, "selectedTfoAzureNetworkId")
        bodies: dict[str, Body] = {}
        for body in self._objects(details if self._update.nics_in_details else self._properties, "vmNics"):
            # Of several entries for one NIC or address, here and below, the first one counts (assumption).
            bodies.setdefault(str(member_of(body, "nicId")).lower(), body)
        nics = [
            replace(self._nic(nic, bodies.get(nic_id(self._item, nic).lower(), {})), **networks)
            for nic in self._item.nics
        ]
        return replace(item, **changes, nics=tuple(nics))

    def _nic(self, nic: Nic, body: Body) -> Nic:
        """A NIC after the PATCH; ``body`` is the NIC's entry in it."""
        members = self._update.of("ip_configuration")
        by_name: dict[str, Body] = {}
        if not self._update.nics_in_details:
            for entry in self._objects(body, "ipConfigs"):
                by_name.setdefault(str(member_of(entry, "ipConfigName") or ""), entry)
        addresses = []
        for address in nic.ip_configurations:
            # Terraform does not name the IP configuration, and means the primary one.
            unnamed = by_name.get("", {}) if address.primary else {}
            entry = body if self._update.nics_in_details else by_name.get(address.name, unnamed)
            changes = self._changes(address, members, entry)
            for name in ("recovery_ip", "test_ip"):
                if name in changes:  # an empty string releases the address
                    changes[name] = changes[name] or None
            addresses.append(replace(address, **{**changes, "name": address.name}))
        changes = self._changes(nic, self._update.of("nic"), body)
        return replace(nic, **{**changes, "id": nic.id}, ip_configurations=tuple(addresses))

    def _changes(
        self, part: ProtectedItem | Nic | IpConfiguration, members: Iterable[Member], body: Body
    ) -> dict[str, Any]:
        """The fields of ``part`` that the PATCH changes; ``body`` is the part's entry in it."""
        changes: dict[str, Any] = {}
        settings = dict(part.settings)
        for member in members:
            sent = member_of(body, member.patch)
            if sent is not None:
                value = self._value(sent, member)
                if member.field:
                    changes[member.field] = value
                else:
                    settings[member.patch] = value
            elif self._loses_omitted and member.field is None:
                settings[member.patch] = _LOST
            elif self._loses_omitted and member.field not in _NEVER_LOST:
                changes[str(member.field)] = _DEFAULTS[type(part).__name__, str(member.field)]
        return {**changes, "settings": settings}

    def _value(self, sent: object, member: Member) -> Any:
        """The value of a body's member, in the model's type. Raises ServiceError if it has the wrong type."""
        match member.kind:
            case "id":
                return self._id(sent, member.patch)
            case "ids" if isinstance(sent, list):
                return tuple(self._id(identifier, member.patch) for identifier in sent)
            case "text" if isinstance(sent, str):
                return sent
            case "flag" | "word" if isinstance(sent, bool):
                return sent
            case "flag" | "word" if isinstance(sent, str) and sent.lower() in {"true", "false"}:
                return sent.lower() == "true"
            case "number" if isinstance(sent, int):
                return sent
            case "any" if sent and isinstance(sent, str) and member.patch.lower().endswith("vmname"):
                return self._machine_name(sent, member.patch)
            case "any" if isinstance(sent, (str, bool, int, Mapping)):
                return sent
            case "any" if isinstance(sent, list) and all(isinstance(part, (str, Mapping)) for part in sent):
                return tuple(sent)
        raise refusals.invalid(f"The property '{member.patch}' has a value of the wrong type.", self._item.id)

    def _machine_name(self, sent: str, name: str) -> str:
        try:
            self._item.vault_id.child("virtualMachines", sent)  # it becomes part of the machine's id
        except InputError as error:
            raise refusals.invalid(f"The property '{name}' is not the name of a machine.", self._item.id) from error
        return sent

    def _id(self, sent: object, name: str) -> ArmId | None:
        if sent == "":
            return None
        try:
            return ArmId(str(sent))
        except InputError as error:
            raise refusals.invalid(f"The property '{name}' is not a resource id.", self._item.id) from error

    def _objects(self, body: Body, name: str) -> Sequence[Body]:
        values = member_of(body, name)
        if values is None:
            return ()
        if not isinstance(values, list) or not all(isinstance(value, Mapping) for value in values):
            raise refusals.invalid(f"The property '{name}' is not a list of objects.", self._item.id)
        return values

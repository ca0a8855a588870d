"""World -> world file."""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import yaml

from asrnet.errors import InputError
from asrnet.fake import document as file
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.records import ResourceGroup, Subscription, VaultResource, VirtualMachine, VmNetworkRecord
from asrnet.fake.state import TENANT, State
from asrnet.fake.world import World
from asrnet.model.arm import ArmId
from asrnet.model.azure import (
    CloudMapping,
    Fabric,
    IpConfiguration,
    Job,
    NetworkMapping,
    Nic,
    ProtectedItem,
    Subnet,
    UnreadableMapping,
    VirtualNetwork,
)

_WIDTH = 160
_PRIMARY = IpConfiguration()


def dump(world: World) -> file.WorldDocument:
    """The document of a world as it is now."""
    state = world.state
    with state.lock:
        state.operations.settle()
        return file.WorldDocument(
            version=1,
            tenant=None if state.tenant == TENANT else state.tenant,
            behaviour=None if state.behaviour == Behaviour() else state.behaviour,
            subscriptions=tuple(_subscription(one, state.tenant) for one in state.subscriptions.values()),
            resource_groups=tuple(_group(group) for group in state.groups),
            virtual_networks=tuple(_network(network) for network in state.virtual_networks),
            virtual_machines=tuple(_machine(machine) for machine in state.virtual_machines),
            vaults=tuple(_vault(vault, state) for vault in state.vaults),
            extras=_extras(state),
        )


def _extras(state: State) -> dict[str, str]:
    """The echoes of what still exists: of networks with their subnets, vaults and protected machines."""
    found = [*state.virtual_networks, *state.vaults, *state.protected_items]
    keys = {resource.id.key for resource in found}
    keys |= {
        network.id.child("subnets", subnet.name).key for network in state.virtual_networks for subnet in network.subnets
    }
    return {f"/{key}": msgspec.json.encode(said).decode() for key, said in state.extras.items() if said and key in keys}


def dumps(world: World) -> str:
    """The YAML of a world: short entries on one line, defaults left out."""
    text: str = yaml.dump(
        _plain(dump(world)),
        Dumper=_Dumper,
        default_flow_style=None,
        sort_keys=False,
        allow_unicode=True,
        width=_WIDTH,
    )
    return text


def save(world: World, path: Path) -> None:
    """Write a world to a file, at once or not at all. Raises InputError where it cannot be written."""
    text = json.dumps(_plain(dump(world)), indent=1) + "\n" if path.suffix.lower() == ".json" else dumps(world)
    try:
        _replace(path, text)
    except OSError as error:
        raise InputError(
            f"{path}: the world cannot be written: {error.strerror or error}",
            hint="the file is as it was; choose a folder that exists and may be written to",
        ) from error


_SafeDumper: Any = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_SafeDumper):  # type: ignore[misc]  # the base is chosen at run time
    """Writes every value out: a strict document has no aliases."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - PyYAML's signature
        return True


def _replace(path: Path, text: str) -> None:
    target = path.resolve()
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        _keep_mode(target, temporary)
        Path(temporary).replace(target)
    except BaseException:
        with suppress(OSError):
            Path(temporary).unlink()
        raise


def _keep_mode(target: Path, temporary: str) -> None:
    """A temporary file is its owner's alone; the world keeps the rights it had, or those of any new file."""
    if target.exists():
        mode = target.stat().st_mode & 0o777
    else:
        umask = os.umask(0)
        os.umask(umask)
        mode = 0o666 & ~umask
    Path(temporary).chmod(mode)


def _plain(value: file.WorldDocument) -> Any:
    return msgspec.to_builtins(value, enc_hook=str)


def _subscription(subscription: Subscription, tenant: str) -> file.SubscriptionEntry:
    return file.SubscriptionEntry(
        id=subscription.id,
        name=None if subscription.name == subscription.id else subscription.name,
        tenant=None if subscription.tenant == tenant else subscription.tenant,
    )


def _group(group: ResourceGroup) -> file.GroupEntry:
    return file.GroupEntry(id=group.id, location=group.location, tags=group.tags)


def _network(network: VirtualNetwork) -> file.NetworkEntry:
    return file.NetworkEntry(
        id=network.id,
        location=network.location,
        tags=network.tags,
        address_space=network.address_space,
        subnets=tuple(_subnet(subnet) for subnet in network.subnets),
        dns_servers=network.dns_servers,
        gateway=network.gateway,
        extended_location=network.extended_location,
        attachments=network.attachments,
    )


def _subnet(subnet: Subnet) -> file.SubnetEntry:
    said = msgspec.structs.asdict(subnet)
    said["used"] = None if subnet.used == len(subnet.used_ips) else subnet.used
    return file.SubnetEntry(**said)


def _machine(machine: VirtualMachine) -> file.MachineEntry:
    return file.MachineEntry(id=machine.id, location=machine.location, nics=tuple(_nic(nic) for nic in machine.nics))


def _nic(nic: Nic) -> file.NicEntry:
    primary = next((one for one in nic.ip_configurations if one.primary), _PRIMARY)
    return file.NicEntry(
        name=nic.name,
        primary_network_id=nic.primary_network_id,
        primary_subnet=primary.subnet,
        ip=primary.ip,
        ip_type=primary.ip_type,  # type: ignore[arg-type]  # Azure's two words
        recovery_network_id=nic.recovery_network_id,
        recovery_subnet=primary.recovery_subnet,
        recovery_ip=primary.recovery_ip,
        test_network_id=nic.test_network_id,
        ip_configuration=primary.name,
        selected_for_failover=primary.selected_for_failover,
        secondary=tuple(_secondary(one) for one in nic.ip_configurations if one is not primary),
    )


def _secondary(configuration: IpConfiguration) -> file.IpEntry:
    said = msgspec.structs.asdict(configuration)
    del said["primary"]
    return file.IpEntry(**said)


def _vault(vault: VaultResource, state: State) -> file.VaultEntry:
    scope = vault.id.key
    fabrics = state.fabrics.values(scope)
    return file.VaultEntry(
        id=vault.id,
        location=vault.location,
        used=None if vault.used == bool(fabrics) else vault.used,
        tags=vault.tags,
        fabrics=tuple(_fabric(fabric, state) for fabric in fabrics),
        mappings=(
            *(_mapping(mapping) for mapping in state.mappings.values(scope)),
            *(_unreadable_mapping(mapping) for mapping in state.unreadable_mappings.values(scope)),
        ),
        protected_items=tuple(_item(item) for item in state.protected_items.values(scope)),
        jobs=tuple(_job(job) for job in state.jobs.values(scope)),
    )


def _fabric(fabric: Fabric, state: State) -> file.FabricEntry:
    scope = fabric.id.key
    mappings = state.cloud_mappings.values(fabric.id.parent.key)
    return file.FabricEntry(
        name=fabric.name,
        kind=fabric.kind,
        location=fabric.location,
        server=None if fabric.kind == "azure" else fabric.friendly_name,
        networks=tuple(_vm_network(record) for record in state.vm_networks.values(scope)),
        logical_networks=tuple(
            file.LogicalNetworkEntry(name=network.id.name, friendly_name=network.friendly_name)
            for network in state.logical_networks.values(scope)
        ),
        clouds=tuple(
            file.CloudEntry(
                name=record.cloud.id.name,
                friendly_name=record.cloud.friendly_name,
                logical_networks=record.logical_networks,
            )
            for record in state.clouds.values(scope)
        ),
        cloud_mappings=tuple(
            _cloud_mapping(mapping, fabric.id) for mapping in mappings if mapping.primary_cloud_id.parent == fabric.id
        ),
        hosts=tuple(
            file.HostEntry(name=host.name, cloud=host.cloud, networks=host.networks)
            for host in state.hosts.values(scope)
        ),
    )


def _vm_network(record: VmNetworkRecord) -> file.VmNetworkEntry:
    return file.VmNetworkEntry(
        name=record.network.id.name,
        friendly_name=record.network.friendly_name,
        logical_network=record.logical_network,
        subnets=tuple(_subnet(subnet) for subnet in record.network.subnets),
    )


def _cloud_mapping(mapping: CloudMapping, fabric_id: ArmId) -> file.CloudMappingEntry:
    recovery = mapping.recovery_cloud_id
    return file.CloudMappingEntry(
        name=mapping.id.name,
        primary=mapping.primary_cloud_id.name,
        recovery_fabric=None if recovery is None or recovery.parent == fabric_id else recovery.parent.name,
        recovery=recovery.name if recovery else None,
    )


def _mapping(mapping: NetworkMapping) -> file.MappingEntry:
    recovery = mapping.recovery_fabric_id
    return file.MappingEntry(
        fabric=mapping.fabric_id.name,
        name=mapping.name,
        primary_network_id=mapping.primary_network_id,
        recovery_fabric=recovery.name if recovery and mapping.kind != "vmm_to_azure" else None,
        recovery_network_id=mapping.recovery_network_id,
        state=mapping.state,
    )


def _unreadable_mapping(mapping: UnreadableMapping) -> file.MappingEntry:
    return file.MappingEntry(
        fabric=mapping.fabric_id.name, name=mapping.name, primary_network_id=mapping.primary_network_id
    )


def _item(item: ProtectedItem) -> file.ItemEntry:
    container = item.id.parent.name
    return file.ItemEntry(
        name=item.id.name,
        friendly_name=None if item.friendly_name == item.id.name else item.friendly_name,
        fabric=item.fabric_id.name,
        container=None if container == f"{item.fabric_id.name}-container" else container,
        recovery_fabric=item.recovery_fabric_id.name if item.recovery_fabric_id else None,
        state=item.state,
        active_location=item.active_location,  # type: ignore[arg-type]  # Azure's two words
        test_failover_state=item.test_failover_state,
        provider=item.provider,
        scenario=item.scenario,
        nics=tuple(_nic(nic) for nic in item.nics),
    )


def _job(job: Job) -> file.JobEntry:
    return file.JobEntry(
        name=job.name,
        scenario=job.scenario,
        state=job.state,
        start_time=job.start_time,
        end_time=job.end_time,
        target=job.target,
        errors=job.errors,
    )

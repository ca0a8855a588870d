"""From a step to the one request that carries it out."""

from __future__ import annotations

from asrnet.changes import Step
from asrnet.errors import ConflictError
from asrnet.models import Fabric, VirtualNetwork
from asrnet.ports import Backend, Operation


def write(backend: Backend, step: Step) -> Operation | None:
    """Send one write."""
    if step.action == "delete":
        return backend.mapping_writer.delete_mapping(step.resource_id)
    if isinstance(step.after, VirtualNetwork):
        return _create_network(backend, step.after)
    if isinstance(step.after, Fabric):
        return backend.mapping_writer.create_fabric(step.after)
    if step.action == "create" and step.after:
        return backend.mapping_writer.create_mapping(step.after)
    if step.after:
        return backend.mapping_writer.update_mapping(step.after)
    raise ValueError(f"a step that {step.action}s nothing")


def _create_network(backend: Backend, network: VirtualNetwork) -> Operation | None:
    """Creating is an upsert that drops what it does not name, so this is the very last moment to look."""
    if backend.networks.virtual_network(network.id) is not None:
        raise ConflictError(f"{network.name} exists now; plan again", resource_id=network.id, status=409)
    return backend.network_writer.create_virtual_network(network)

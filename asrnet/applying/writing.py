"""From a step to the one request that carries it out."""

from __future__ import annotations

from asrnet.applying.preflight import is_as_before
from asrnet.errors import ConflictError
from asrnet.model.azure import Fabric, VirtualNetwork
from asrnet.model.plan import Step
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


def put_back(backend: Backend, step: Step) -> Operation | None:
    """Send a write that takes back an earlier one, unless somebody else has touched the mapping since.

    Raises ConflictError where they have: creating is an upsert, which would take their mapping.
    """
    found = backend.mappings.mapping(step.resource_id)
    if is_as_before(step.before, found) if step.before else found is None:
        return write(backend, step)
    now = f"points at {found.recovery_network_id.name}" if found else "is gone"
    raise ConflictError(f"{step.resource_id.name} {now} now", resource_id=step.resource_id, status=409)


def _create_network(backend: Backend, network: VirtualNetwork) -> Operation | None:
    """Creating is an upsert that drops what it does not name, so this is the very last moment to look."""
    if backend.networks.virtual_network(network.id) is not None:
        raise ConflictError(f"{network.name} exists now; plan again", resource_id=network.id, status=409)
    return backend.network_writer.create_virtual_network(network)

"""The az commands equivalent to a step, for people who want to check it or do it by hand."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator

from asrnet.model.arm import ArmId
from asrnet.model.azure import Fabric, NetworkMapping, Subnet, VirtualNetwork
from asrnet.model.bodies import API_VERSION, mapping_body
from asrnet.model.plan import Step


def az_commands(step: Step) -> tuple[str, ...]:
    """The lines of the commands equivalent to ``step``. Mappings need az's extension ``site-recovery``."""
    resource = step.after or step.before
    if isinstance(resource, VirtualNetwork):
        return tuple(_network(resource))
    if isinstance(resource, Fabric):
        details = f"{{azure:{{location:{resource.location}}}}}"
        fabric = ("--vault-name", resource.id.parent.name, "--name", resource.id.name)
        options = (*_where(resource.id), *fabric, "--custom-details", details)
        return _command("site-recovery fabric create", options)
    return _mapping(step, resource) if isinstance(resource, NetworkMapping) else ()


def _mapping(step: Step, mapping: NetworkMapping) -> tuple[str, ...]:
    if step.action == "delete":
        return _command("site-recovery network mapping delete", (*_of_mapping(mapping.id), "--yes"))
    if mapping.kind != "azure_to_azure" or mapping.recovery_fabric_id is None:
        # az has no command for VMM mappings, so the request is sent as it is.
        body = json.dumps(mapping_body(mapping))
        return _command("rest", ("--method", "put", "--url", f"{mapping.id}?api-version={API_VERSION}", "--body", body))
    return _command(
        f"site-recovery network mapping {step.action}",
        (
            *_of_mapping(mapping.id),
            "--recovery-fabric-name",
            mapping.recovery_fabric_id.name,
            "--recovery-network-id",
            str(mapping.recovery_network_id),
            "--fabric-details",
            f"{{azure-to-azure:{{primary-network-id:{mapping.primary_network_id}}}}}",
        ),
    )


def _of_mapping(mapping_id: ArmId) -> tuple[str, ...]:
    network, fabric = mapping_id.parent, mapping_id.parent.parent
    within = ("--vault-name", fabric.parent.name, "--fabric-name", fabric.name, "--network-name", network.name)
    return (*_where(mapping_id), *within, "--name", mapping_id.name)


def _network(network: VirtualNetwork) -> Iterator[str]:
    where = _where(network.id)
    options = ["--name", network.id.name, "--location", network.location, "--address-prefixes", *network.address_space]
    options += _several("--dns-servers", network.dns_servers)
    options += _several("--tags", (f"{name}={value}" for name, value in network.tags.items()))
    yield from _command("network vnet create", (*where, *options))
    for subnet in network.subnets:
        yield from _command("network vnet subnet create", (*where, "--vnet-name", network.id.name, *_subnet(subnet)))


def _subnet(subnet: Subnet) -> list[str]:
    options = ["--name", subnet.name, "--address-prefixes", *subnet.prefixes]
    options += _several("--service-endpoints", subnet.service_endpoints)
    if subnet.default_outbound_access is not None:
        options += ["--default-outbound-access", str(subnet.default_outbound_access).lower()]
    for side, policy in (
        ("endpoint", subnet.private_endpoint_network_policies),
        ("link-service", subnet.private_link_service_network_policies),
    ):
        options += [f"--private-{side}-network-policies", policy] if policy else []
    return options


def _where(resource: ArmId) -> tuple[str, ...]:
    return ("--subscription", resource.subscription, "--resource-group", resource.resource_group)


def _several(option: str, values: Iterable[str]) -> list[str]:
    listed = list(values)
    return [option, *listed] if listed else []


def _command(command: str, options: Iterable[str]) -> tuple[str, ...]:
    """A command with each option on a line of its own."""
    lines = [f"az {command}"]
    for word in options:
        if word.startswith("--"):
            lines[-1] += " \\"
            lines.append(f"  {word}")
        else:
            lines[-1] += f" {shlex.quote(word)}"
    return tuple(lines)

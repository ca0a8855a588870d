"""The az commands equivalent to a step, for people who want to check it or do it by hand."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator
from typing import Final
from urllib.parse import quote

from asrnet.model.arm import ArmId
from asrnet.model.azure import Fabric, NetworkMapping, Subnet, VirtualNetwork
from asrnet.model.bodies import API_VERSION, mapping_body
from asrnet.model.plan import Step

_PLAIN: Final = re.compile(r"[\w./()-]+")


def az_commands(step: Step) -> tuple[str, ...]:
    """The lines of the commands equivalent to ``step``. Mappings need az's extension ``site-recovery``."""
    resource = step.after or step.before
    if isinstance(resource, VirtualNetwork):
        return tuple(_network(resource))
    if isinstance(resource, Fabric):
        details = f"{{azure:{{location:{resource.location}}}}}"
        fabric = (("--vault-name", resource.id.parent.name), ("--name", resource.id.name))
        return _command("site-recovery fabric create", (*_where(resource.id), *fabric, ("--custom-details", details)))
    return _mapping(step, resource) if isinstance(resource, NetworkMapping) else ()


def _mapping(step: Step, mapping: NetworkMapping) -> tuple[str, ...]:
    if step.action == "delete":
        return _command("site-recovery network mapping delete", (*_of_mapping(mapping.id), ("--yes",)))
    if mapping.kind != "azure_to_azure" or mapping.recovery_fabric_id is None:
        # az has no command for VMM mappings, so the request is sent as it is.
        body = json.dumps(mapping_body(mapping))
        url = f"{quote(str(mapping.id))}?api-version={API_VERSION}"
        return _command("rest", (("--method", "put"), ("--url", url), ("--body", body)))
    return _command(
        f"site-recovery network mapping {step.action}",
        (
            *_of_mapping(mapping.id),
            ("--recovery-fabric-name", mapping.recovery_fabric_id.name),
            ("--recovery-network-id", str(mapping.recovery_network_id)),
            ("--fabric-details", f"{{azure-to-azure:{{primary-network-id:{_shorthand(mapping.primary_network_id)}}}}}"),
        ),
    )


def _shorthand(value: ArmId) -> str:
    """``value`` in az's shorthand syntax: quoted if it has a character that means something there."""
    text = str(value)
    # Within single quotes, az reads '/ as a single quote.
    return text if _PLAIN.fullmatch(text) else "'" + text.replace("'", "'/") + "'"


def _of_mapping(mapping_id: ArmId) -> tuple[tuple[str, ...], ...]:
    network, fabric = mapping_id.parent, mapping_id.parent.parent
    return (
        *_where(mapping_id),
        ("--vault-name", fabric.parent.name),
        ("--fabric-name", fabric.name),
        ("--network-name", network.name),
        ("--name", mapping_id.name),
    )


def _network(network: VirtualNetwork) -> Iterator[str]:
    where = _where(network.id)
    tags = tuple(f"{name}={value}" for name, value in network.tags.items())
    options: list[tuple[str, ...]] = [
        ("--name", network.id.name),
        ("--location", network.location),
        ("--address-prefixes", *network.address_space),
        *([("--dns-servers", *network.dns_servers)] if network.dns_servers else []),
        *([("--tags", *tags)] if tags else []),
    ]
    yield from _command("network vnet create", (*where, *options))
    for subnet in network.subnets:
        command = (*where, ("--vnet-name", network.id.name), *_subnet(subnet))
        yield from _command("network vnet subnet create", command)


def _subnet(subnet: Subnet) -> Iterator[tuple[str, ...]]:
    yield ("--name", subnet.name)
    yield ("--address-prefixes", *subnet.prefixes)
    if subnet.service_endpoints:
        yield ("--service-endpoints", *subnet.service_endpoints)
    if subnet.default_outbound_access is not None:
        yield ("--default-outbound-access", str(subnet.default_outbound_access).lower())
    if subnet.private_endpoint_network_policies:
        yield ("--private-endpoint-network-policies", subnet.private_endpoint_network_policies)
    if subnet.private_link_service_network_policies:
        yield ("--private-link-service-network-policies", subnet.private_link_service_network_policies)


def _where(resource: ArmId) -> tuple[tuple[str, ...], ...]:
    return ("--subscription", resource.subscription), ("--resource-group", resource.resource_group)


def _command(command: str, options: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """A command with each option, its name and its values, on a line of its own."""
    lines = [f"az {command}"]
    for name, *values in options:
        lines[-1] += " \\"
        if len(values) == 1 and values[0].startswith("-"):  # az would take the value for another option
            lines.append(f"  {name}={shlex.quote(values[0])}")
        else:
            lines.append(" ".join((f"  {name}", *map(shlex.quote, values))))
    return tuple(lines)


def is_safe_for_az(mapping: NetworkMapping) -> bool:
    """Whether az takes the mapping's name as it is. A value that begins with @ names a file that az reads instead."""
    return not mapping.name.startswith("@")

"""What is attached to networks and subnets: in the models' words, and as Microsoft.Network writes it.

The words are those of ``asrnet.model.azure``' ``attachments``: the kind, and the name where there is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from asrnet.emulator.bodies import Body, an_object, flag, objects, text
from asrnet.emulator.site_recovery_json import Document
from asrnet.model.arm import ArmId

_SUBNET_KINDS: Final = {
    "network security group": ("networkSecurityGroup", "networkSecurityGroups"),
    "route table": ("routeTable", "routeTables"),
    "NAT gateway": ("natGateway", "natGateways"),
}
_POLICY: Final = "service endpoint policy"
_PEERING: Final = "peering"
_DDOS: Final = "DDoS protection plan"
_ENCRYPTION: Final = "encryption"


def subnet_attachments(properties: Body) -> Iterator[str]:
    """What a subnet's properties attach to it, in words."""
    for word, (name, _) in _SUBNET_KINDS.items():
        reference = text(an_object(properties, name), "id")
        if reference:
            yield f"{word} {reference.rpartition('/')[2]}"
    for policy in objects(properties, "serviceEndpointPolicies"):
        yield f"{_POLICY} {(text(policy, 'id') or '').rpartition('/')[2]}"


def network_attachments(properties: Body) -> Iterator[str]:
    """What a network's properties attach to it, in words."""
    for peering in objects(properties, "virtualNetworkPeerings"):
        yield f"{_PEERING} {text(peering, 'name')}"
    if text(an_object(properties, "ddosProtectionPlan"), "id"):
        yield _DDOS
    if flag(an_object(properties, "encryption"), "enabled"):
        yield _ENCRYPTION


def subnet_properties(network_id: ArmId, attachments: tuple[str, ...]) -> Document:
    """The properties that stand for a subnet's attachments."""
    found: Document = {}
    for word, (name, kind) in _SUBNET_KINDS.items():
        for attached in _names(attachments, word):
            found[name] = {"id": _neighbour(network_id, kind, attached)}
    policies = [
        {"id": _neighbour(network_id, "serviceEndpointPolicies", name)} for name in _names(attachments, _POLICY)
    ]
    return found | ({"serviceEndpointPolicies": policies} if policies else {})


def network_properties(network_id: ArmId, attachments: tuple[str, ...]) -> Mapping[str, object]:
    """The properties that stand for a network's attachments; the list of peerings is always there."""
    found: Document = {"virtualNetworkPeerings": [_peering(network_id, name) for name in _names(attachments, _PEERING)]}
    protected = _DDOS in attachments
    found["enableDdosProtection"] = protected
    if protected:
        found["ddosProtectionPlan"] = {"id": _neighbour(network_id, "ddosProtectionPlans", "plan")}
    if _ENCRYPTION in attachments:
        found["encryption"] = {"enabled": True, "enforcement": "AllowUnencrypted"}
    return found


def _peering(network_id: ArmId, name: str) -> Document:
    return {
        "name": name,
        "id": f"{network_id}/virtualNetworkPeerings/{name}",
        "type": "Microsoft.Network/virtualNetworks/virtualNetworkPeerings",
        "properties": {"provisioningState": "Succeeded", "peeringState": "Connected"},
    }


def _names(attachments: tuple[str, ...], word: str) -> list[str]:
    return [text.removeprefix(f"{word} ") for text in attachments if text.startswith(f"{word} ")]


def _neighbour(network_id: ArmId, kind: str, name: str) -> str:
    """The id of a resource of Microsoft.Network in the network's resource group."""
    return f"{network_id.parent}/providers/Microsoft.Network/{kind}/{name}"

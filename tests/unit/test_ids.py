"""Resource ids: parsed strictly, compared without case, taken apart."""

from __future__ import annotations

import pytest

from asrnet.errors import InputError
from asrnet.model.arm import FABRIC, MAPPING, VAULT, VNET, ArmId, arm_id

GUID = "11111111-AAAA-1111-1111-111111111111"
GROUP = f"/subscriptions/{GUID}/resourceGroups/Rg-DR"
THE_VAULT = f"{GROUP}/providers/Microsoft.RecoveryServices/vaults/Vault"
THE_FABRIC = f"{THE_VAULT}/replicationFabrics/East"
THE_MAPPING = f"{THE_FABRIC}/replicationNetworks/azureNetwork/replicationNetworkMappings/Hub-to-DR"


@pytest.mark.parametrize(
    ("text", "name", "kind", "group"),
    [
        (f"/subscriptions/{GUID}", GUID, "", ""),
        (GROUP, "Rg-DR", "", "Rg-DR"),
        (f"{GROUP}/providers/Microsoft.Network/virtualNetworks/Hub", "Hub", VNET, "Rg-DR"),
        (f"/subscriptions/{GUID}/providers/Microsoft.X/things/T", "T", "microsoft.x/things", ""),
        (f"/subscriptions/{GUID}/resourceGroups/providers/providers/A.B/c/d", "d", "a.b/c", "providers"),
        (THE_VAULT, "Vault", VAULT, "Rg-DR"),
        (THE_MAPPING, "Hub-to-DR", MAPPING, "Rg-DR"),
    ],
)
def test_an_id_has_a_name_type_group_and_subscription(text: str, name: str, kind: str, group: str) -> None:
    found = ArmId(text)
    assert (found.name, found.type, found.subscription) == (name, kind, GUID.lower())
    assert found.resource_group == group


def test_fixed_words_are_spelled_as_usual_and_names_as_given() -> None:
    assert (
        str(ArmId(THE_MAPPING.replace("/subscriptions/", "/Subscriptions/").replace("Groups", "groups"))) == THE_MAPPING
    )
    shouted = THE_MAPPING.upper()
    assert str(ArmId(shouted)).endswith("/replicationNetworkMappings/HUB-TO-DR")


def test_case_and_a_trailing_slash_make_no_difference() -> None:
    ids = {ArmId(THE_MAPPING), ArmId(THE_MAPPING.upper()), ArmId(f"{THE_MAPPING.lower()}/"), arm_id(THE_MAPPING)}
    assert [one.key for one in ids] == [THE_MAPPING[1:].lower()]
    assert ArmId(THE_MAPPING) != THE_MAPPING


def test_ids_are_ordered_without_case() -> None:
    words = ["b", "A", "C"]
    assert [one.name for one in sorted(ArmId(f"{GROUP}/providers/x.y/z/{word}") for word in words)] == ["A", "b", "C"]


def test_the_parent_fabric_vault_and_group_of_an_id_are_found() -> None:
    mapping = ArmId(THE_MAPPING)
    assert str(mapping.parent.parent) == THE_FABRIC
    assert mapping.parent.parent.parent == ArmId(THE_VAULT)
    assert str(ArmId(THE_VAULT).parent) == GROUP
    assert mapping.parent.parent.child("replicationNetworks", "azureNetwork") == mapping.parent


def test_the_nearest_ancestor_of_a_type_may_be_the_id_itself_or_missing() -> None:
    mapping = ArmId(THE_MAPPING)
    assert mapping.within(MAPPING) == mapping
    assert mapping.within(FABRIC) == ArmId(THE_FABRIC)
    assert str(mapping.within(VAULT)) == THE_VAULT
    assert mapping.within(VNET) is None
    assert ArmId(THE_VAULT).within(FABRIC) is None
    assert ArmId(GROUP).within(VAULT) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Microsoft Azure",
        "/subscriptions/x",
        f"/subscriptions/{GUID}//",
        f"{GROUP}/providers/Microsoft.Network",
        f"{GROUP}/providers/Microsoft.Network/virtualNetworks",
        f"{GROUP}/providers/Microsoft.Network/virtualNetworks/..",
        f"{GROUP}/providers/Microsoft.Network/virtualNetworks/.",
        f"{GROUP}/providers/Microsoft.Network//x",
        f"{GROUP}/providers/Microsoft.Network/virtualNetworks/a?b",
        f"{GROUP}/providers/Microsoft.Network/virtualNetworks/a%2fb",
    ],
)
def test_a_text_that_is_not_an_id_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="is not a resource id"):
        ArmId(text)


@pytest.mark.parametrize(
    ("parent", "segments"),
    [
        (THE_VAULT, ("replicationFabrics", "East")),
        (THE_VAULT, ("replicationfabrics", "East")),
        (THE_VAULT, ("replicationFabrics", "..EAST.")),
        (THE_VAULT, ("backupPolicies", "Daily")),
        (THE_FABRIC, ("replicationNetworks", "azureNetwork", "replicationNetworkMappings", "Hub to DR")),
        (GROUP, ("providers", "Microsoft.Network", "virtualNetworks", "Hub")),
    ],
)
def test_a_child_is_the_id_that_its_text_is_parsed_to(parent: str, segments: tuple[str, ...]) -> None:
    child, parsed = ArmId(parent).child(*segments), ArmId("/".join((parent, *segments)))
    assert (str(child), child.key, child.type, child.name) == (str(parsed), parsed.key, parsed.type, parsed.name)


@pytest.mark.parametrize(
    ("parent", "segments"),
    [
        (THE_VAULT, ("replicationFabrics",)),
        (THE_VAULT, ("replicationFabrics", "")),
        (THE_VAULT, ("replicationFabrics", "..")),
        (THE_VAULT, ("replicationFabrics", ".", "replicationNetworks", "azureNetwork")),
        (THE_VAULT, ("replicationFabrics", "a/b")),
        (THE_VAULT, ("replicationFabrics", "East\n")),
        (GROUP, ("vaults", "Vault")),
        (f"/subscriptions/{GUID}", ("vaults", "Vault")),
    ],
)
def test_segments_that_cannot_follow_an_id_are_refused(parent: str, segments: tuple[str, ...]) -> None:
    with pytest.raises(InputError, match="is not a resource id"):
        ArmId(parent).child(*segments)

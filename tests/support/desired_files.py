"""Small desired-state files for tests, and their loading. Files go to the working directory."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec import Struct, structs

from asrnet import desired
from asrnet.desired import DesiredState, Source
from asrnet.errors import DocumentError
from asrnet.model.arm import ArmId

PROD = "11111111-1111-1111-1111-111111111111"
DR = "22222222-2222-2222-2222-222222222222"

BASE = f"""\
version: 1
subscriptions: {{prod: {PROD}, dr: {DR}}}
vaults: {{sea: dr/rg-dr/vault-sea}}
regions: [{{primary: eastasia, recovery: southeastasia}}]
"""
HUB = "pairs:\n- {name: hub, vault: sea, primary: prod/rg/hub-ea, recovery: dr/rg/hub-sea}\n"


def vnet(subscription: str, group: str, name: str) -> ArmId:
    return ArmId(
        f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/virtualNetworks/{name}"
    )


def vault(subscription: str, group: str, name: str) -> ArmId:
    return ArmId(
        f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.RecoveryServices/vaults/{name}"
    )


def load(text: str, name: str = "f.yaml") -> DesiredState:
    Path(name).write_text(text, encoding="utf-8")
    return desired.load_desired(name)


def refusal(text: str) -> str:
    with pytest.raises(DocumentError) as caught:
        load(text)
    return str(caught.value)


def refusal_of_folder(**files: str) -> str:
    folder = Path("folder")
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(DocumentError) as caught:
        desired.load_desired(folder)
    return str(caught.value)


def without_sources(value: Any) -> Any:
    if isinstance(value, tuple):
        return tuple(without_sources(item) for item in value)
    if isinstance(value, Struct):
        fields = {name: without_sources(getattr(value, name)) for name in value.__struct_fields__ if name != "source"}
        return structs.replace(value, **fields, **({"source": Source()} if "source" in value.__struct_fields__ else {}))
    return value

"""The first desired-state file, with comments: an example to edit, or the live mappings of vaults."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from msgspec import structs

from asrnet.desired import DesiredState, Vault
from asrnet.errors import printable
from asrnet.export.desired import Dump
from asrnet.model.arm import ArmId

_HEAD: Final = """\
# The desired state of asrnet: which networks are to be mapped to which. asrnet validate checks this file offline,
# asrnet plan shows what differs in Azure and never writes, asrnet apply asks and then writes.
# The JSON Schema of every key, for editors: asrnet schema
"""
_COMMENTS: Final[Mapping[str, str]] = {
    "subscriptions": "Names of subscriptions, for ids written NAME/RESOURCE GROUP/RESOURCE; full ids work as well.",
    "vaults": "The Recovery Services vaults, each under the name that the rows use.",
    "regions": "The pairs of regions in which networks may be paired; any other pair is an error.",
    "pairs": "A row for each pair of networks. asrnet maps both directions.",
    "vmm_pairs": "A row for each VM network of System Center VMM, written SERVER/VM NETWORK.",
}
"""The comment above each key of the file."""
_EXAMPLE: Final = """\
version: 1
cloud: {cloud}
subscriptions:
  prod: 11111111-1111-1111-1111-111111111111
  dr: {subscription}
vaults:
{vaults}
regions:
- primary: eastasia
  recovery: southeastasia
  # Where copies of networks are made; the resource group must exist.
  copy: {{subscription: dr, resource_group: rg-network-sea}}
pairs:
# Both networks exist.
- {{name: hub, vault: {vault}, primary: prod/rg-network-ea/hub-ea, recovery: dr/rg-network-sea/hub-sea}}
# There is no recovery network yet: apply makes a copy of app-ea, named app-ea-asr, and maps both to each other.
- {{name: app, vault: {vault}, primary: prod/rg-network-ea/app-ea, recovery: copy}}
# A rule maps every network of the primary region that matches and is not listed under pairs:
# rules:
# - {{name: tagged, vault: {vault}, match: {{subscription: prod, tags: {{dr: "yes"}}}}, recovery: copy}}
"""


_MACHINES: Final = """\
# Protected machines: {machines}. A mapping decides where new replications land; those machines keep their networks.
# plan reports machines whose networks are not those of their pair. With this line apply updates them as well:
# machines: follow
"""


def example(vaults: Iterable[Vault] = (), remarks: Iterable[str] = (), *, cloud: str = "public") -> str:
    """A valid file to edit, with ``vaults`` in place of the example's and ``remarks`` as comments at its top."""
    ids = {vault.name: vault.id for vault in vaults}
    first = next(iter(ids), "sea")
    subscription = ids[first].subscription if ids else "22222222-2222-2222-2222-222222222222"
    lines = [f"  {name}: {vault_id}" for name, vault_id in ids.items()] or ["  sea: dr/rg-dr/vault-sea"]
    text = _EXAMPLE.format(cloud=cloud, subscription=subscription, vaults="\n".join(lines), vault=first)
    return _commented("".join(f"# {remark}\n" for remark in remarks) + text)


def from_dump(
    dump: Dump, folder: str = ".", *, machines: int = 0, names: Mapping[str, str] = MappingProxyType({})
) -> str:
    """The file of ``dump``, to be saved in ``folder``, with an alias for each subscription.

    If nothing is mapped, it is the example with the vaults of ``dump``: a file without rows is not valid. If there
    are protected ``machines``, a comment shows how to let them follow their pairs. ``names`` has the display names of
    subscriptions by their GUIDs; one without a name is called sub1, sub2...
    """
    if not dump.desired.pairs and not dump.desired.vmm_pairs:
        remarks = (f"left out: {printable(line)}" for line in dump.left_out)
        return example(dump.desired.vaults, remarks, cloud=dump.desired.cloud)
    # Rows with full ids are three lines long and hide what differs between them.
    aliases: dict[str, str] = {}
    for number, guid in enumerate(subscriptions_of(dump.desired), start=1):
        # An alias is a part of references with slashes, and is typed by people.
        alias = re.sub(r"[^a-z0-9]+", "-", names.get(guid, "").lower()).strip("-")
        aliases[alias if alias and alias not in aliases else f"sub{number}"] = guid
    named = structs.replace(dump.desired, subscriptions=aliases)
    text = _commented(structs.replace(dump, desired=named).text(folder))
    return text + _MACHINES.format(machines=machines) if machines else text


def vaults_by_name(vault_ids: Iterable[ArmId]) -> tuple[Vault, ...]:
    """The vaults under their own names; if two have one name, the second one also gets its group's name."""
    vaults: dict[str, Vault] = {}
    for vault_id in dict.fromkeys(vault_ids):
        name = vault_id.name if vault_id.name not in vaults else f"{vault_id.name}-{vault_id.resource_group}"
        vaults[name] = Vault(name=name, id=vault_id)
    return tuple(vaults.values())


def subscriptions_of(desired: DesiredState) -> Iterable[str]:
    """The subscriptions of the vaults and rows, each once, in the order in which the file names them."""
    ids = [vault.id for vault in desired.vaults]
    ids += [network for row in desired.pairs for network in (row.primary, row.recovery) if isinstance(network, ArmId)]
    ids += [row.recovery for row in desired.vmm_pairs if isinstance(row.recovery, ArmId)]
    return dict.fromkeys(resource_id.subscription.lower() for resource_id in ids)


def _commented(text: str) -> str:
    lines = []
    for line in text.splitlines():
        key = line.partition(":")[0]
        if key in _COMMENTS:
            lines.append(f"# {_COMMENTS[key]}")
        lines.append(line)
    return _HEAD + "\n".join(lines) + "\n"

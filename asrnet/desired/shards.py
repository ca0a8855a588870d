"""Vaults split among runs that know nothing of each other: any two runs that read the same files split them alike."""

from __future__ import annotations

from collections.abc import Sequence

from asrnet.desired.state import Vault


def shard(vaults: Sequence[Vault], index: int, count: int) -> tuple[Vault, ...]:
    """The part ``index`` (from 1) of ``count`` parts, whose sizes differ by one at most; it may be empty.

    Neither the order of the vaults in the files nor their names there matter, only their ids.
    """
    ordered = sorted(vaults, key=lambda vault: vault.id.key)
    return tuple(ordered[index - 1 :: count])

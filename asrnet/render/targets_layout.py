"""The sections of target networks: a table for each pair of clouds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from asrnet.inventory.targets import Targets
from asrnet.render import wording
from asrnet.render.sections import Row, Section, sentences
from asrnet.vmm import Target

if TYPE_CHECKING:
    from asrnet.render import View

COLUMNS: Final = ("vault", *Target.__struct_fields__)
"""The columns of the CSV output."""

_HEADER: Final = ("", "Recovery network", "", "Why")


def sections(targets: Targets, view: View) -> Iterator[Section]:  # noqa: ARG001 - every layout has this signature
    """Target networks as sections, their count first."""
    yield sentences("", [targets_summary(targets)])
    targets_of_pair: defaultdict[tuple[str, ...], list[Target]] = defaultdict(list)
    for vault in targets.vaults:
        for target in vault.targets:
            targets_of_pair[vault.vault, *_clouds(target)].append(target)
    for (vault_name, *_), pair_targets in targets_of_pair.items():
        vault_label = f"Vault {vault_name}: " if len(targets.vaults) > 1 else ""
        yield Section(vault_label + _title(pair_targets[0]), _HEADER, tuple(map(_row, pair_targets)))


def targets_summary(targets: Targets) -> str:
    """The summary line: the counts of cloud pairs and available networks, or the reason why there are none."""
    all_targets = [target for vault in targets.vaults for target in vault.targets]
    if not any(vault.servers for vault in targets.vaults):
        return "No vault has a VMM server."
    if not all_targets:
        if targets.primary_network:
            return f"No cloud that another cloud protects uses {targets.primary_network}."
        return "No cloud is protected by another one with VM networks."
    clouds = {(vault.vault, *_clouds(target)) for vault in targets.vaults for target in vault.targets}
    available = sum(target.available for target in all_targets)
    pairs, networks = wording.count(len(clouds), "pair"), wording.count(len(all_targets), "target network")
    selected = f" for {targets.primary_network}" if targets.primary_network else ""
    return f"{pairs} of clouds{selected}: {available} of {networks} available."


def _clouds(target: Target) -> tuple[str, ...]:
    return (target.primary_server, target.protected_cloud, target.recovery_server, target.protecting_cloud)


def _title(target: Target) -> str:
    primary = f"{target.protected_cloud} ({target.primary_server})"
    return f"{primary}, protected by {target.protecting_cloud} ({target.recovery_server})"


def _row(target: Target) -> Row:
    symbol, label = ("+", "available") if target.available else ("-", "not available")
    return Row((symbol, target.network, label, target.message), "good" if target.available else "plain")


def target_rows(targets: Targets) -> Iterator[dict[str, str]]:
    """A row for each target network of each pair of clouds."""
    for vault in targets.vaults:
        for target in vault.targets:
            values = {name: getattr(target, name) for name in Target.__struct_fields__}
            row = {name: "" if value is None else str(value) for name, value in values.items()}
            yield {"vault": vault.vault, **row, "available": "true" if target.available else "false"}

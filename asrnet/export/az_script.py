"""Exports live mappings as a shell script of az commands, each of which creates a mapping or writes it as it is."""

from __future__ import annotations

from typing import Final

from asrnet.desired import EVERYTHING, DesiredState, Selection
from asrnet.export.az import az_commands, is_safe_for_az
from asrnet.export.bicep import without_fabric
from asrnet.export.exported import Exported, mappings_by_id, not_exported, one_line, title
from asrnet.inventory.live_pairs import live_pairs
from asrnet.inventory.read import Inventory
from asrnet.model.plan import Step

_HEAD: Final = """\
#!/usr/bin/env bash
# The network mappings of Site Recovery, as commands of az with its extension site-recovery.
# Each command creates its mapping, or writes it again as it is here: what was changed since is overwritten.
# Commands are sent one after the other, and the script ends at the first that fails.
set -euo pipefail
"""


def export_az(inventory: Inventory, desired: DesiredState, *, selection: Selection = EVERYTHING) -> Exported:
    """A script that creates the live mappings; the same mappings give the same text."""
    live = live_pairs(inventory, desired, selection)
    mappings = mappings_by_id(inventory)
    problems = {}
    sections = [_HEAD]
    for pair in live.pairs:
        both = [mappings[mapping_id] for mapping_id in (pair.forward, pair.reverse) if mapping_id]
        file_names = [mapping.name for mapping in both if not is_safe_for_az(mapping)]
        reads_files = f"az would read a file in place of the name {' or '.join(file_names)}" if file_names else ""
        problems[pair.forward] = without_fabric(both) or reads_files
        if not problems[pair.forward]:
            lines = [f"# {one_line(title(pair))}"]
            for mapping in both:
                lines += az_commands(Step(action="create", resource_id=mapping.id, after=mapping))
            sections.append("\n".join(lines) + "\n")
    left_out = not_exported(live, problems)
    if left_out:
        sections.append("".join(f"# left out: {one_line(line)}\n" for line in left_out))
    return Exported(text="\n".join(sections), left_out=left_out)

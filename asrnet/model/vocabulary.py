"""The meanings of words in plans and tables that no other module defines: states, signs and concepts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from asrnet.model.explanation import Meaning
from asrnet.model.plan import ChangeKind

STATES: Final[Mapping[str, Meaning]] = {
    "in_sync": Meaning("The mapping or machine is as the desired state asks."),
    "create": Meaning("The mapping does not exist, and asrnet apply creates it."),
    "update": Meaning("The mapping or machine leads elsewhere or is not paired, and asrnet apply changes it."),
    "retarget": Meaning("The mapping leads to another network than declared, and asrnet apply points it at that one."),
    "write_again": Meaning("The mapping leads where it should and is not Paired, so asrnet apply writes it once more."),
    "blocked": Meaning(
        "An error keeps asrnet from planning the pair, or a safeguard holds its change; other pairs go on.",
        "The findings of the pair give the reason and a hint.",
    ),
    "external": Meaning(
        "Another tool manages the pair (`managed_by`): asrnet reports what differs, and changes nothing."
    ),
    "not_declared": Meaning("The pair does not ask for this direction: `failback: none`."),
    "paired": Meaning("Both mappings exist and are in the state Paired, so machines can fail over and back."),
    "half": Meaning(
        "Only one of the two mappings exists: machines can fail over but not back, or the reverse.",
        "Declare the pair; asrnet apply creates the other mapping.",
    ),
    "missing": Meaning("Neither mapping of the pair exists.", "asrnet apply creates both."),
    "shared": Meaning("The mapping is one way, because its recovery network fails back to another network."),
    "single": Meaning("The mapping is one way, because VMM networks that are mapped to Azure have no mapping back."),
    "corrected": Meaning("The pair differed, and the run corrected it."),
    "held": Meaning(
        "The machine is to follow its pair, and something about the machine itself keeps asrnet from touching it.",
        "The machine's finding gives the reason and what to do. Until then it keeps its networks.",
    ),
    "waiting": Meaning(
        "The machine's update is ready and held back: with the mapping that it follows, by a job, a freeze or a "
        "missing right.",
        "The finding of its pair says what it waits for. Once that is over, the next plan updates the machine.",
    ),
    "reported": Meaning(
        "The machine differs from its pair, and machines of the pair do not follow.",
        "`machines: follow` or `--machines follow` lets it follow, unless another tool manages the pair.",
    ),
}
"""The states of pairs, mappings and machines in plans, in drift and in asrnet show."""

SIGNS: Final[Mapping[str, Meaning]] = {
    "=": Meaning("As it should be, or left to another tool; in a prediction: keeps its address."),
    "+": Meaning("Is created."),
    "~": Meaning("Is changed; in a prediction: gets another address."),
    "-": Meaning(
        "Is deleted; in a prediction: stays behind; in the column Pair of asrnet show: the desired state declares no "
        "such pair."
    ),
    "!": Meaning(
        "Needs attention: blocked, left alone, half or failed; in a prediction: loses its connection.",
        "The findings, or the lines below the row, give the reason.",
    ),
    "..": Meaning(
        "Waits: a machine's update that is held back with its mapping, by a job, a freeze or a missing right; after an "
        "apply, a change that was not begun.",
        "When what it waits for is over, plan again.",
    ),
    "?": Meaning("Not known: in flight when the run ended, or no prediction is possible."),
    "<->": Meaning("Both directions: machines fail over and back."),
    "->": Meaning("One direction: machines fail over, and there is no mapping for the way back."),
}
"""The signs at the beginning of rows, and the arrows."""

CHANGES: Final[Mapping[ChangeKind, Meaning]] = {
    "network_mapping": Meaning(
        "A network mapping is created, updated or deleted. A retarget is one change of both directions."
    ),
    "virtual_network": Meaning("A copy of a network is created, or gets subnets that its primary network has."),
    "fabric": Meaning("A region's fabric is created in the vault if the vault says `create_fabrics: true`."),
    "resource_group": Meaning(
        "The resource group of a copy is created if the region says `create_resource_group: true`."
    ),
    "protected_item": Meaning(
        "A protected machine is pointed at its pair's recovery network, at the pair's test network, or at both.",
        "`ignore: [{machine: NAME, reason: ...}]` lets a machine keep its networks.",
    ),
}
"""The kinds of changes."""

CONCEPTS: Final[Mapping[str, Meaning]] = {
    "pair": Meaning("A primary and a recovery network that are mapped to each other, so that machines can fail back."),
    "mapping": Meaning("Site Recovery's network mapping: where machines of one network go in one direction."),
    "forward": Meaning("The mapping from the primary to the recovery network."),
    "reverse": Meaning("The mapping from the recovery network back to the primary one."),
    "primary": Meaning("The network that machines run in as long as nothing has failed."),
    "recovery": Meaning("The network that machines fail over to."),
    "failover": Meaning(
        "Machines start in the recovery region. asrnet prepares and predicts it, and never starts one."
    ),
    "failback": Meaning(
        "Machines return to the primary region, which takes a reverse mapping.",
        "Where a pair needs none, write `failback: none` in its entry under `pairs`, or in its rule.",
    ),
    "drift": Meaning(
        "Azure differs from the desired state: changes are pending, or findings count as drift.",
        "asrnet drift reports it, asrnet drift --correct corrects it.",
    ),
    "desired_state": Meaning("The file or folder that says what is to be mapped to what, asrnet.yaml by default."),
    "copy": Meaning(
        "A recovery network that asrnet creates like the primary network: `recovery: copy`, and `copy` in a region."
    ),
    "rule": Meaning("A part of the desired state that makes a pair of each network that matches."),
    "ignore": Meaning("A part of the desired state: networks and machines that are deliberately as they are."),
    "freeze": Meaning("A part of the desired state: no change is made in a vault until a date."),
    "managed_by": Meaning("A key of rows and rules: the tool that manages the pair, which asrnet only reports on."),
    "machines": Meaning(
        "Protected machines, and a key of the file, rows and rules: `machines: report` or `machines: follow`.",
        "`--machines` beats the file for one run, and `--machine NAME` selects single machines.",
    ),
    "follow": Meaning("Protected machines are pointed at the networks of their pair: `machines: follow`."),
    "report": Meaning(
        "`machines: report`, the default: machines that differ from their pair are findings and are not changed. "
        "Also the document of asrnet apply: the plan with the outcome of each change."
    ),
    "test": Meaning(
        "A key of rows, rules and entries of regions: the network of test failovers. `test: none` asks for none.",
    ),
    "test_network": Meaning(
        "The network in which test failovers run. It must not be used by production, or be connected to production."
    ),
    "release_addresses": Meaning(
        "A key of the file, rows and rules: static addresses that a machine's new subnet does not have are left to "
        "Azure. Without it such a machine is held."
    ),
    "change_warning": Meaning(
        "A result in SARIF: a change was made, and something about it needs a look.",
        "The message says what. Plan again to see whether anything is left to do.",
    ),
    "fabric": Meaning("Site Recovery's object in a vault for a region or a VMM server; mappings are under one."),
    "world": Meaning("A file with an Azure to work on offline: `--backend fake:world.yaml`."),
    "emulator": Meaning("A server that answers as Azure does, on a world: asrnet emulator."),
}
"""Words of the messages and pages."""

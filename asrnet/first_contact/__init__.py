"""First contact: small experiments in a throwaway vault, whose answers are compared with the emulator's.

asrnet has not been tried on live Azure. These experiments find out where its emulator is wrong: ``explore`` performs
them through a wire, cleans up, repeats them on an emulator that is set up like the vault, and reports.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from asrnet import backends
from asrnet.azure.wire import Wire
from asrnet.clocks import SimulatedClock
from asrnet.errors import AsrError
from asrnet.fake.behaviour import Behaviour
from asrnet.fake.records import VaultResource
from asrnet.fake.seeding import Seed, seed
from asrnet.fake.world import World
from asrnet.first_contact.comparison import Observation, compare
from asrnet.first_contact.experiments import EXPERIMENTS, Experiment
from asrnet.first_contact.report import Report
from asrnet.first_contact.session import PREFIX, NotTried, Place, Session
from asrnet.first_contact.tidying import LeftOver, check_is_throwaway, clean_up, place_of
from asrnet.model.arm import VNET, ArmId
from asrnet.model.azure import ResourceGroup
from asrnet.ports import Backend

OPERATION_SECONDS = 2
FABRIC_SECONDS = 60
"""The approximate recorded durations of the service; the emulator's clock is simulated."""

Progress = Callable[[Experiment, Observation], None]


def find_place(
    wire: Wire, *, vault: ArmId, group: ArmId, regions: tuple[str, str], machine: ArmId | None = None
) -> Place:
    """Determine where the experiments take place. Nothing is written.

    Raises RefusedError if the vault or the group contains anything that first contact must not touch.
    """
    unknown = Place(vault=vault, group=group, vault_location="", regions=regions, fabrics=(vault, vault))
    place = place_of(Session(wire, unknown), vault, group, regions, machine)
    check_is_throwaway(Session(wire, place))
    return place


def explore(
    wire: Wire,
    place: Place,
    *,
    world: World | None = None,
    experiments: Sequence[Experiment] = EXPERIMENTS,
    on_progress: Progress = lambda _experiment, _observation: None,
) -> Report:
    """Perform the experiments, clean up in any case, and compare the answers with an emulator of ``world``.

    Ctrl-C and Azure errors end the experiments early; the results so far are reported.
    """
    session = Session(wire, place)
    observations: dict[str, Observation] = {}
    stopped = ""
    try:
        clean_up(session)  # leftovers of an earlier run would interfere
        for experiment in experiments:
            if experiment.stage != "machine" or place.machine is not None:
                observations[experiment.name] = observe(experiment, session)
                on_progress(experiment, observations[experiment.name])
    except KeyboardInterrupt:
        stopped = "interrupted"
    except AsrError as error:
        stopped = f"an experiment raised {type(error).__name__}"
    except BaseException as error:  # a bug of ours: its traceback also lists what is left in Azure
        for left_over in _cleaned_up(session):
            error.add_note(f"not cleaned up: {left_over}")
        raise
    left = _cleaned_up(session)
    twin = Session(backends.emulated_wire(world or twin_of(place)), place)
    made = [experiment for experiment in experiments if experiment.name in observations]
    emulated = {experiment.name: observe(experiment, twin) for experiment in made}
    return Report(
        results=tuple(
            compare(experiment, observations[experiment.name], emulated[experiment.name]) for experiment in made
        ),
        cloud=wire.cloud,
        api_version=wire.version(f"{place.vault}/replicationFabrics"),
        stopped=stopped,
        left=left,
    )


def _cleaned_up(session: Session) -> tuple[LeftOver, ...]:
    try:
        return tuple(clean_up(session))
    except KeyboardInterrupt:
        return (LeftOver("resource", f"{PREFIX}-*", "the clean-up was interrupted"),)


def observe(experiment: Experiment, session: Session) -> Observation:
    """Perform one experiment, after creating whatever it needs that does not exist yet."""
    session.remarks.clear()
    try:
        if experiment.stage != "fresh":
            session.set_up()
        facts = experiment.play(session)
    except NotTried as reason:
        return Observation(not_tried=str(reason))
    return Observation(facts=facts, remarks=dict(session.remarks))


def surroundings_of(machine: ArmId, vault: ArmId, backend: Backend) -> tuple[Seed, ...]:
    """A machine with its networks, and the fabrics of its vault: the twin's world must contain them."""
    items = [item for item in backend.mappings.protected_items(vault) if item.id == machine]
    network_ids = set()
    for item in items:
        network_ids |= {item.recovery_network_id, item.test_network_id}
        for nic in item.nics:
            network_ids |= {nic.primary_network_id, nic.recovery_network_id, nic.test_network_id}
    known_ids = sorted(network_id for network_id in network_ids if network_id and network_id.type == VNET)
    networks = [backend.networks.virtual_network(network_id) for network_id in known_ids]
    return (*backend.mappings.fabrics(vault), *(network for network in networks if network), *items)


def twin_of(place: Place, *resources: Seed) -> World:
    """A world set up like the place, with its vault and group. ``resources`` are what the vault already contains."""
    behaviour = Behaviour(operations=f"time:{OPERATION_SECONDS}", fabric_operations=f"time:{FABRIC_SECONDS}")
    world = World(clock=SimulatedClock(), behaviour=behaviour)
    seed(
        world,
        ResourceGroup(id=place.group, location=place.regions[0]),
        VaultResource(id=place.vault, location=place.vault_location),
        *resources,
    )
    return world

"""The experiments, in the order in which they are performed.

Each sends a few requests and returns the facts that they reveal. Its docstring says what it does, also in the report.
The decorator names the rows of the coverage page (docs/emulator-coverage.md) that it tests: operations and assumed
refusals. An experiment begins with the mappings that it requests from ``start_with``, so it does not depend on the
others.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

from msgspec import Struct

from asrnet.first_contact import machine
from asrnet.first_contact.session import (
    PREFIX,
    Facts,
    NotTried,
    Session,
    Write,
    at,
    changed_members,
    elements,
    list_facts,
    operation_url,
    with_names,
)

Stage = Literal["fresh", "prepared", "machine"]
"""``fresh``: in the vault as it is; ``prepared``: with two fabrics and four networks; ``machine``: with a machine."""

Play: TypeAlias = Callable[[Session], Facts]


class Experiment(Struct, frozen=True, kw_only=True):
    """One experiment. ``rows`` are operations and assumed refusals of the coverage page."""

    name: str
    does: str
    rows: tuple[str, ...]
    stage: Stage
    play: Play


_experiments: Final[list[Experiment]] = []
_HOUR: Final = 3600.0
_OK: Final = 200


def experiment(*rows: str, stage: Stage = "prepared") -> Callable[[Play], Play]:
    """Return a decorator that registers a function as an experiment; its docstring says what it does."""

    def register(play: Play) -> Play:
        does = (play.__doc__ or "").removesuffix(".")
        _experiments.append(Experiment(name=play.__name__, does=does, rows=rows, stage=stage, play=play))
        return play

    return register


# A vault as it was given.


@experiment("ReplicationFabrics_List", "ReplicationNetworks_List", "ReplicationNetworkMappings_List", stage="fresh")
def fresh_lists_of_networks(session: Session) -> Facts:
    """List the fabrics, networks and mappings of a vault without fabrics."""
    if not session.place.may_create_fabrics:
        raise NotTried("the vault has fabrics already")
    facts: Facts = {}
    for kind in ("replicationFabrics", "replicationNetworks", "replicationNetworkMappings"):
        facts |= with_names(kind, list_facts(session, f"{session.place.vault}/{kind}"))
    return facts


@experiment(
    "ReplicationProtectedItems_List",
    "ReplicationProtectionContainers_List",
    "ReplicationProtectionContainerMappings_List",
    "ReplicationRecoveryPlans_List",
    stage="fresh",
)
def fresh_lists_of_machines(session: Session) -> Facts:
    """List the machines, containers, container mappings and recovery plans of a vault without machines."""
    if not session.place.may_create_fabrics:
        raise NotTried("the vault has fabrics already")
    facts: Facts = {}
    kinds = ("ProtectedItems", "ProtectionContainers", "ProtectionContainerMappings", "RecoveryPlans")
    for kind in kinds:
        facts |= with_names(kind, list_facts(session, f"{session.place.vault}/replication{kind}"))
    return facts


@experiment(
    "ReplicationJobs_List",
    "ReplicationPolicies_List",
    "ReplicationEvents_List",
    "ReplicationProtectionIntents_List",
    stage="fresh",
)
def other_lists(session: Session) -> Facts:
    """List the jobs, policies, events and intents of a vault, which others may have created."""
    facts: Facts = {}
    for kind in ("Jobs", "Policies", "Events", "ProtectionIntents"):
        facts |= with_names(kind, list_facts(session, f"{session.place.vault}/replication{kind}", counted=False))
    return facts


@experiment("ReplicationFabrics_Get", stage="fresh")
def missing_fabric(session: Session) -> Facts:
    """Read a fabric that does not exist."""
    return session.status_facts(session.get(f"{session.place.vault}/replicationFabrics/{PREFIX}-none"))


@experiment("ReplicationNetworks_ListByReplicationFabrics", "ReplicationNetworkMappings_Get", stage="fresh")
def below_a_missing_fabric(session: Session) -> Facts:
    """Read networks and a mapping under a fabric that does not exist."""
    networks = f"{session.place.vault}/replicationFabrics/{PREFIX}-none/replicationNetworks"
    mapping = f"{networks}/azureNetwork/replicationNetworkMappings/{PREFIX}-none"
    return with_names("list", list_facts(session, networks)) | with_names(
        "mapping", session.status_facts(session.get(mapping))
    )


@experiment("ReplicationFabrics_List", stage="fresh")
def missing_vault(session: Session) -> Facts:
    """List the fabrics of a vault that does not exist."""
    vault = session.place.group.child("providers", "Microsoft.RecoveryServices", "vaults", f"{PREFIX}-none")
    return session.status_facts(session.get(f"{vault}/replicationFabrics"))


@experiment("VirtualNetworks_Get", stage="fresh")
def missing_network(session: Session) -> Facts:
    """Read a virtual network that does not exist."""
    networks = f"{session.place.group}/providers/Microsoft.Network/virtualNetworks"
    return session.status_facts(session.get(f"{networks}/{PREFIX}-none"))


@experiment("ReplicationVaultSetting_List", "ReplicationVaultSetting_Get", stage="fresh")
def vault_settings(session: Session) -> Facts:
    """Read the Site Recovery settings of the vault."""
    settings = f"{session.place.vault}/replicationVaultSettings"
    answer = session.get(f"{settings}/default")
    return {
        **with_names("list", list_facts(session, settings)),
        **session.status_facts(answer),
        "members": session.members(answer.document) if answer.status == _OK else None,
    }


@experiment(
    "BackupResourceVaultConfigs_Get", "BackupResourceStorageConfigs_Get", "BackupProtectedItems_List", stage="fresh"
)
def backup_settings(session: Session) -> Facts:
    """Read the settings of Azure Backup, as clients do along with a vault."""
    facts: Facts = {}
    for path in ("backupconfig/vaultconfig", "backupstorageconfig/vaultstorageconfig", "backupProtectedItems"):
        facts |= with_names(path, session.status_facts(session.get(f"{session.place.vault}/{path}")))
    return facts


@experiment("Permissions_ListForResource", "Permissions_ListForResourceGroup", stage="fresh")
def rights(session: Session) -> Facts:
    """Read the identity's permissions at the vault and at the resource group."""
    facts: Facts = {}
    for name, scope in (("vault", session.place.vault), ("group", session.place.group)):
        answer = session.get(f"{scope}/providers/Microsoft.Authorization/permissions")
        roles = elements(answer.document, "value")
        facts |= with_names(name, session.status_facts(answer))
        facts[f"{name}: has roles"] = bool(roles)
        facts[f"{name}: a role has actions and notActions"] = bool(roles) and {"actions", "notActions"} <= set(
            roles[0] or ()
        )
    return facts


@experiment("VirtualNetworks_CreateOrUpdate", "VirtualNetworks_Get", stage="fresh")
def network_created(session: Session) -> Facts:
    """Create and read a virtual network."""
    answer = session.put_network("A1")
    state, _ = session.finish(answer)
    document = session.get(session.place.network("A1")).document
    return {
        **session.status_facts(answer),
        "has the URL of its operation": "azure-asyncoperation" in answer.headers,
        "ended": state,
        "provisioningState": session.word(at(document, "properties", "provisioningState")),
        "keeps the case of its name": str(at(document, "id")).endswith(f"{PREFIX}-A1"),
        "has an etag": at(document, "etag") is not None,
    }


@experiment("VirtualNetworks_CreateOrUpdate", stage="fresh")
def network_on_conditions(session: Session) -> Facts:
    """Put an existing virtual network with If-None-Match: *, and with If-Match and a wrong etag."""
    session.finish(session.put_network("A1"))
    facts: Facts = {}
    for name, headers in (
        ("If-None-Match", {"If-None-Match": "*"}),
        ("If-Match", {"If-Match": 'W/"00000000-0000-0000-0000-000000000000"'}),
    ):
        answer = session.put_network("A1", headers)
        session.finish(answer)
        facts |= with_names(name, session.status_facts(answer))
    return facts


@experiment("ReplicationFabrics_Create", "ReplicationFabrics_OperationResults", stage="fresh")
def fabric_created(session: Session) -> Facts:
    """Create the fabric of a region, and read the Location of the operation after its end."""
    if not session.place.may_create_fabrics:
        raise NotTried("the vault has a fabric for the region already")
    write = session.write("PUT", session.place.fabrics[0], session.fabric_body(session.place.regions[0]))
    location = write.answer.headers.get("location")
    result = session.status_facts(session.get(location)) if location else {}
    return write.facts | acceptance(write) | with_names("Location", result)


# Fabrics and what is below them.


@experiment("ReplicationFabrics_Get")
def fabric_read(session: Session) -> Facts:
    """Read a fabric."""
    answer = session.get(session.place.fabrics[0])
    document = answer.document
    return {
        **session.status_facts(answer),
        "members": session.members(document, depth=3),
        "bcdrState": session.word(at(document, "properties", "bcdrState")),
        "health": session.word(at(document, "properties", "health")),
        "id has a capital S": str(at(document, "id")).startswith("/Subscriptions/"),
        "location is the region": at(document, "properties", "customDetails", "location") == session.place.regions[0],
    }


@experiment("ReplicationFabrics_Get")
def fabric_in_another_case(session: Session) -> Facts:
    """Read a fabric in upper case, including its vault."""
    fabric, vault = session.place.fabrics[0], session.place.vault
    answer = session.get(
        f"{vault.parent}/providers/microsoft.recoveryservices/VAULTS/{vault.name.upper()}"
        f"/replicationfabrics/{fabric.name.upper()}"
    )
    return session.status_facts(answer) | {"keeps the case of its name": at(answer.document, "name") == fabric.name}


@experiment("ReplicationFabrics_Create")
def fabric_again(session: Session) -> Facts:
    """Put a fabric a second time under its name."""
    if not session.place.may_create_fabrics:
        raise NotTried("the vault's fabric for the region is not ours to put")
    return session.write("PUT", session.place.fabrics[0], session.fabric_body(session.place.regions[0])).facts


@experiment("duplicate_fabric")
def second_fabric_of_a_region(session: Session) -> Facts:
    """Put a second fabric for the same region."""
    if not session.place.may_create_fabrics:
        raise NotTried("the vault's fabric for the region is in use")
    second = session.place.vault.child("replicationFabrics", f"{PREFIX}-second")
    write = session.write("PUT", second, session.fabric_body(session.place.regions[0]))
    if write.state:
        session.write("DELETE", second)
    return write.facts


@experiment("ReplicationNetworks_ListByReplicationFabrics", "ReplicationLogicalNetworks_ListByReplicationFabrics")
def networks_of_an_azure_fabric(session: Session) -> Facts:
    """List the networks and logical networks of an Azure fabric."""
    fabric = session.place.fabrics[0]
    return {
        **with_names("networks", list_facts(session, f"{fabric}/replicationNetworks")),
        **with_names("logical networks", list_facts(session, f"{fabric}/replicationLogicalNetworks")),
    }


@experiment("ReplicationNetworks_Get")
def azure_network(session: Session) -> Facts:
    """Read the network azureNetwork of an Azure fabric."""
    return session.status_facts(session.get(f"{session.place.fabrics[0]}/replicationNetworks/azureNetwork"))


# Mappings: missing ones, and the life of one.


@experiment("ReplicationNetworkMappings_Get")
def missing_mapping(session: Session) -> Facts:
    """Read a mapping that does not exist, under azureNetwork and under the name of its network."""
    session.start_with()
    constant, named = session.place.mapping("None"), session.place.mapping("None", segment=f"{PREFIX}-A1")
    return with_names("azureNetwork", session.status_facts(session.get(constant))) | with_names(
        "its name", session.status_facts(session.get(named))
    )


@experiment("ReplicationNetworkMappings_Delete")
def missing_mapping_deleted(session: Session) -> Facts:
    """Delete a mapping that does not exist."""
    session.start_with()
    return session.write("DELETE", session.place.mapping("None")).facts


@experiment("ReplicationNetworkMappings_Create")
def mapping_created(session: Session) -> Facts:
    """Create a mapping."""
    session.start_with()
    write = session.write("PUT", session.place.mapping("Forward"), session.mapping_body("A1", "B1"))
    # If no other mapping exists afterwards, the service does not create the reverse by itself.
    return write.facts | acceptance(write) | session.mapped()


@experiment("ReplicationNetworkMappings_Get")
def mapping_read(session: Session) -> Facts:
    """Read a mapping."""
    session.start_with(Forward=("A1", "B1"))
    answer = session.get(session.place.mapping("Forward"))
    document = answer.document
    network_ids = [str(at(document, "properties", f"{end}NetworkId")) for end in ("primary", "recovery")]
    return {
        **session.status_facts(answer),
        "members": session.members(document),
        "state": session.word(at(document, "properties", "state")),
        "networks in lower case": all(network_id == network_id.lower() for network_id in network_ids),
        "id has a capital S": str(at(document, "id")).startswith("/Subscriptions/"),
        "keeps the case of its name": at(document, "name") == f"{PREFIX}-Forward",
    }


@experiment("ReplicationNetworkMappings_Create", "ReplicationNetworkMappings_Get")
def network_segment(session: Session) -> Facts:
    """Create a mapping under the name of its network, and read it under this, azureNetwork and a made-up name."""
    session.start_with()
    named = session.place.mapping("Forward", segment=f"{PREFIX}-A1")
    facts = session.write("PUT", named, session.mapping_body("A1", "B1")).facts
    for name, segment in (("its name", f"{PREFIX}-A1"), ("azureNetwork", "azureNetwork"), ("made-up", "anything")):
        answer = session.get(session.place.mapping("Forward", segment=segment))
        facts |= with_names(name, session.status_facts(answer))
        if answer.status == _OK:
            facts[f"{name}: id has azureNetwork"] = "/azurenetwork/" in str(at(answer.document, "id")).lower()
    return facts


@experiment("ReplicationNetworkMappings_ListByReplicationNetworks")
def lists_by_network(session: Session) -> Facts:
    """List mappings under azureNetwork, under the name of their network and under a made-up name."""
    session.start_with(Forward=("A1", "B1"))
    facts: Facts = {}
    for name, segment in (("azureNetwork", "azureNetwork"), ("its name", f"{PREFIX}-A1"), ("made-up", "anything")):
        path = f"{session.place.fabrics[0]}/replicationNetworks/{segment}/replicationNetworkMappings"
        facts |= with_names(name, list_facts(session, path))
    return facts


@experiment("ReplicationNetworkMappings_Get")
def mapping_in_another_case(session: Session) -> Facts:
    """Read a mapping in upper case."""
    session.start_with(Forward=("A1", "B1"))
    answer = session.get(session.place.mapping("Forward").replace(f"{PREFIX}-Forward", f"{PREFIX}-Forward".upper()))
    return session.status_facts(answer)


@experiment("ReplicationNetworkMappings_Create")
def mapping_again(session: Session) -> Facts:
    """Put a mapping again without a change."""
    session.start_with(Forward=("A1", "B1"))
    write = session.write("PUT", session.place.mapping("Forward"), session.mapping_body("A1", "B1"))
    return write.facts | session.mapped()


@experiment("ReplicationNetworkMappings_Delete")
def mapping_deleted(session: Session) -> Facts:
    """Delete a mapping."""
    session.start_with(Forward=("A1", "B1"))
    write = session.write("DELETE", session.place.mapping("Forward"))
    return write.facts | acceptance(write) | session.mapped()


# Mappings: refusals.


@experiment("duplicate_mapping")
def second_mapping_to_the_same_network(session: Session) -> Facts:
    """Map a network a second time, to the same network, under another name."""
    session.start_with(Forward=("A1", "B1"))
    return session.write("PUT", session.place.mapping("Second"), session.mapping_body("A1", "B1")).facts | (
        session.mapped()
    )


@experiment("duplicate_mapping")
def second_mapping_to_another_network(session: Session) -> Facts:
    """Map a network a second time, to another network of the region."""
    session.start_with(Forward=("A1", "B1"))
    return session.write("PUT", session.place.mapping("Second"), session.mapping_body("A1", "B2")).facts | (
        session.mapped()
    )


@experiment("ReplicationNetworkMappings_Create")
def shared_recovery_network(session: Session) -> Facts:
    """Map two networks to the same one."""
    session.start_with(Forward=("A1", "B1"))
    return session.write("PUT", session.place.mapping("Second"), session.mapping_body("A2", "B1")).facts | (
        session.mapped()
    )


@experiment("ReplicationNetworkMappings_Create")
def taken_name(session: Session) -> Facts:
    """Use the name of an existing mapping for another primary network."""
    session.start_with(Forward=("A1", "B1"))
    return session.write("PUT", session.place.mapping("Forward"), session.mapping_body("A2", "B2")).facts | (
        session.mapped()
    )


@experiment("network_missing")
def missing_networks(session: Session) -> Facts:
    """Map a network to one that does not exist, and the other way round."""
    session.start_with()
    no_network = f"{session.place.group}/providers/Microsoft.Network/virtualNetworks/{PREFIX}-none"
    path = session.place.mapping("Forward")
    recovery = session.write("PUT", path, session.mapping_body("A1", "B1", recoveryNetworkId=no_network))
    facts = with_names("recovery", recovery.facts)
    session.start_with()
    primary = session.write("PUT", path, session.mapping_body("A1", "B1", primaryNetworkId=no_network))
    return facts | with_names("primary", primary.facts)


@experiment("region_mismatch")
def wrong_regions(session: Session) -> Facts:
    """Map a network to one of another region, and the other way round."""
    session.start_with()
    path, place = session.place.mapping("Forward"), session.place
    recovery = session.mapping_body("A1", "B1", recoveryNetworkId=str(place.network("A2")))
    facts = with_names("recovery", session.write("PUT", path, recovery).facts)
    session.start_with()
    primary = session.mapping_body("A1", "B1", primaryNetworkId=str(place.network("B2")))
    return facts | with_names("primary", session.write("PUT", path, primary).facts)


@experiment("recovery_fabric_unknown")
def unknown_recovery_fabric(session: Session) -> Facts:
    """Create a mapping whose recovery fabric does not exist."""
    session.start_with()
    body = session.mapping_body("A1", "B1", recoveryFabricName=f"{PREFIX}-none")
    return session.write("PUT", session.place.mapping("Forward"), body).facts


@experiment("ReplicationNetworkMappings_Create")
def no_recovery_fabric(session: Session) -> Facts:
    """Create a mapping without a recovery fabric."""
    session.start_with()
    body = session.mapping_body("A1", "B1", recoveryFabricName=None)
    return session.write("PUT", session.place.mapping("Forward"), body).facts


@experiment("kind_mismatch")
def wrong_kind(session: Session) -> Facts:
    """Create a VMM to Azure mapping under an Azure fabric."""
    session.start_with()
    body = session.mapping_body("A1", "B1", instanceType="VmmToAzure", primaryNetworkId=None)
    return session.write("PUT", session.place.mapping("Forward"), body).facts


# Retargets.


@experiment("ReplicationNetworkMappings_Create")
def retarget_by_put(session: Session) -> Facts:
    """Retarget a mapping by PUT."""
    session.start_with(Forward=("A1", "B1"))
    write = session.write("PUT", session.place.mapping("Forward"), session.mapping_body("A1", "B2"))
    return write.facts | session.mapped()


@experiment("ReplicationNetworkMappings_Update")
def retarget_by_patch(session: Session) -> Facts:
    """Retarget a mapping by PATCH, with the members that asrnet sends."""
    session.start_with(Forward=("A1", "B1"))
    write = session.write("PATCH", session.place.mapping("Forward"), session.mapping_body("A1", "B2"))
    return write.facts | session.mapped()


@experiment("ReplicationNetworkMappings_Update")
def retarget_by_partial_patch(session: Session) -> Facts:
    """Retarget a mapping by PATCH with the recovery network alone."""
    session.start_with(Forward=("A1", "B1"))
    body = session.mapping_body("A1", "B2", recoveryFabricName=None, primaryNetworkId=None, instanceType=None)
    return session.write("PATCH", session.place.mapping("Forward"), body).facts | session.mapped()


@experiment("ReplicationNetworkMappings_Update")
def retarget_beside_the_reverse(session: Session) -> Facts:
    """Retarget a mapping by PATCH while its reverse exists."""
    session.start_with(Forward=("A1", "B1"), Reverse=("B1", "A1"))
    write = session.write("PATCH", session.place.mapping("Forward"), session.mapping_body("A1", "B2"))
    return write.facts | session.mapped()


@experiment("ReplicationNetworkMappings_Create")
def two_writes_at_once(session: Session) -> Facts:
    """Create two mappings at once, the second before the first has finished."""
    session.start_with()
    path, body = session.place.mapping("Forward"), session.mapping_body("A1", "B1")
    first = session.write("PUT", path, body, wait=False)
    second = session.write("PUT", session.place.mapping("Second", "A2"), session.mapping_body("A2", "B2"))
    state, _ = session.finish(first.answer)
    return {**with_names("first", first.facts), "first: ended": state, **with_names("second", second.facts)} | (
        session.mapped()
    )


@experiment("ReplicationNetworkMappings_Create")
def the_same_write_twice(session: Session) -> Facts:
    """Put a mapping again while it is being created."""
    session.start_with()
    path, body = session.place.mapping("Forward"), session.mapping_body("A1", "B1")
    first = session.write("PUT", path, body, wait=False)
    second = session.write("PUT", path, body)
    session.finish(first.answer)
    return with_names("second", second.facts) | session.mapped()


# Operations and jobs.


@experiment("ReplicationJobs_Get")
def jobs_of_mappings(session: Session) -> Facts:
    """Read the jobs of a created and of a deleted mapping by the ids of their operations."""
    session.start_with()
    path = session.place.mapping("Forward")
    facts: Facts = {}
    for write in (session.write("PUT", path, session.mapping_body("A1", "B1")), session.write("DELETE", path)):
        answer = session.ended_job(write.operation)
        method = "PUT" if not facts else "DELETE"
        facts |= with_names(method, session.status_facts(answer))
        if answer.status == _OK:
            job = at(answer.document, "properties")
            facts[f"{method}: name is the operation's"] = at(answer.document, "name") == write.operation
            for name in ("scenarioName", "friendlyName", "state", "stateDescription", "targetInstanceType"):
                facts[f"{method}: {name}"] = session.word(at(job, name))
            tasks = elements(job, "tasks")
            facts[f"{method}: tasks"] = tuple(str(session.word(at(task, "name"))) for task in tasks)
            facts[f"{method}: members"] = session.members(job, depth=1)
    return facts


@experiment("ReplicationJobs_List")
def job_filters(session: Session) -> Facts:
    """List jobs by start, by state and by name, to find out whether each filter is accepted and what it selects."""
    session.start_with()
    since = _moment(session.now() - _HOUR)
    write = session.write("PUT", session.place.mapping("Forward"), session.mapping_body("A1", "B1"))
    session.ended_job(write.operation)
    facts: Facts = {}
    for name, odata_filter in (
        ("startTime", f"startTime eq '{since}'"),
        ("startTime to come", f"startTime eq '{_moment(session.now() + 24 * _HOUR)}'"),
        ("jobStatus", "jobStatus eq 'Succeeded'"),
        ("another jobStatus", "jobStatus eq 'InProgress'"),
        ("jobName", f"jobName eq '{write.operation}'"),
        ("start and state", f"startTime eq '{since}' and jobStatus eq 'Succeeded'"),
        ("or", "jobStatus eq 'Succeeded' or jobStatus eq 'InProgress'"),
    ):
        answer = session.get(f"{session.place.vault}/replicationJobs", filter=odata_filter)
        facts |= with_names(name, session.status_facts(answer))
        if answer.status == _OK:
            names = {str(at(job, "name")).lower() for job in elements(answer.document, "value")}
            facts[f"{name}: has the job"] = write.operation.lower() in names
    return facts


@experiment("ReplicationOperationStatus_Get")
def operation_status(session: Session) -> Facts:
    """Read the status of an operation after its end."""
    session.start_with()
    write = session.write("PUT", session.place.mapping("Forward"), session.mapping_body("A1", "B1"))
    answer = session.get(write.answer.headers.get("azure-asyncoperation") or operation_url(write.answer))
    document = answer.document
    return {
        **session.status_facts(answer),
        "members": session.members(document, depth=1),
        "status": session.word(at(document, "status")),
        "id": session.word(at(document, "id")),
        "percentComplete": session.word(at(document, "percentComplete")),
        "name is the operation's": at(document, "name") == write.operation,
        "Retry-After": session.word(answer.headers.get("retry-after")),
    }


@experiment("ReplicationOperationStatus_Get")
def unknown_operation(session: Session) -> Facts:
    """Read the status of an operation that does not exist."""
    nothing = "00000000-0000-0000-0000-000000000000"
    return session.status_facts(session.get(f"{session.place.vault}/replicationOperationStatus/{nothing}"))


@experiment("ReplicationJobs_Get")
def unknown_job(session: Session) -> Facts:
    """Read a job that does not exist."""
    nothing = "00000000-0000-0000-0000-000000000000"
    return session.status_facts(session.get(f"{session.place.vault}/replicationJobs/{nothing}"))


@experiment("ReplicationNetworkMappings_OperationResults")
def operation_results(session: Session) -> Facts:
    """Read the Location of finished operations, of a created and of a deleted mapping."""
    session.start_with()
    path = session.place.mapping("Forward")
    facts: Facts = {}
    for method, body in (("PUT", session.mapping_body("A1", "B1")), ("DELETE", None)):
        write = session.write(method, path, body)
        if location := write.answer.headers.get("location"):
            answer = session.get(location)
            facts |= with_names(method, session.status_facts(answer)) | {f"{method}: is empty": answer.is_empty}
    return facts or {"has a Location": False}


# What remains when things are deleted: these experiments are last, since they remove what the others need.


@experiment("VirtualNetworks_Delete", "ReplicationNetworkMappings_Get")
def network_deleted_under_a_mapping(session: Session) -> Facts:
    """Delete the recovery network of a mapping, and read the mapping."""
    session.start_with(Forward=("A1", "B2"))
    before = session.get(session.place.mapping("Forward")).document
    session.is_set_up = False
    write = session.write("DELETE", session.place.network("B2"))
    answer = session.get(session.place.mapping("Forward"))
    return {
        **with_names("network", {"ended": write.state or "refused"}),
        **session.status_facts(answer),
        "changed members": changed_members(before, answer.document) if answer.status == _OK else None,
    }


@experiment("ReplicationFabrics_Purge", "ReplicationFabrics_Delete")
def missing_fabric_deleted(session: Session) -> Facts:
    """Delete a fabric that does not exist, and remove it."""
    missing = f"{session.place.vault}/replicationFabrics/{PREFIX}-none"
    return with_names("DELETE", session.write("DELETE", missing).facts) | with_names(
        "remove", session.write("POST", f"{missing}/remove").facts
    )


@experiment("ReplicationFabrics_Delete")
def fabric_removed_with_a_mapping(session: Session) -> Facts:
    """Remove a fabric while a mapping leads from it."""
    if not session.place.may_create_fabrics:
        raise NotTried("the vault's fabrics are not ours to remove")
    session.start_with(Forward=("A1", "B1"))
    session.is_set_up = False
    return session.write("POST", f"{session.place.fabrics[0]}/remove").facts | session.mapped()


@experiment("ReplicationFabrics_Purge")
def fabric_purged_with_mappings(session: Session) -> Facts:
    """Delete a fabric while one mapping leads to it and another leads from it."""
    if not session.place.may_create_fabrics:
        raise NotTried("the vault's fabrics are not ours to delete")
    session.start_with(Forward=("A1", "B1"), Reverse=("B1", "A1"))
    session.is_set_up = False
    return session.write("DELETE", session.place.fabrics[1]).facts | session.mapped()


# A throwaway machine.

experiment("ReplicationProtectedItems_Get", stage="machine")(machine.machine_read)
experiment("ReplicationProtectedItems_Update", stage="machine")(machine.test_network_patched)


def acceptance(write: Write) -> Facts:
    """The form of the answer to an accepted write."""
    headers = write.answer.headers
    location = headers.get("location", "").partition("?")[0]
    status_url = headers.get("azure-asyncoperation", "").partition("?")[0]
    return {
        "has no body": write.answer.is_empty,
        "Content-Type": "content-type" in headers,
        "Retry-After": int(headers["retry-after"]) if headers.get("retry-after", "").isdigit() else None,
        "Azure-AsyncOperation is replicationOperationStatus": "/replicationoperationstatus/" in status_url.lower(),
        "Location is operationresults": location.lower().endswith(f"/operationresults/{write.operation.lower()}"),
    }


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


EXPERIMENTS: Final[tuple[Experiment, ...]] = tuple(_experiments)
"""All experiments, in the order in which they are performed."""

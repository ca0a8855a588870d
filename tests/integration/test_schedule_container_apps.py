"""The Bicep of the Container Apps jobs: its language, its parameters, its roles against asrnet's own, its commands."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import bicep
import pytest
from bicep import Expression
from command_line import EXAMPLES
from schedules import TEMPLATES, quick, shell

from asrnet.desired import DesiredState
from asrnet.diagnostics.roles import actions
from asrnet.model.rights import TASKS

FOLDER = TEMPLATES / "container-apps"
MAIN = bicep.parse((FOLDER / "main.bicep").read_text("utf-8"))
ROLE = bicep.parse((FOLDER / "role.bicep").read_text("utf-8"))
GIVEN = bicep.parameters((FOLDER / "main.bicepparam").read_text("utf-8"))


def parameters(file: bicep.File) -> dict[str, Any]:
    """The parameters and their defaults; None is no default."""
    return {name: found.value for name, found in file.declarations.items() if found.kind == "param"}


def properties() -> dict[str, Any]:
    found: dict[str, Any] = MAIN.declarations["jobs"].value["properties"]
    return found


def container() -> dict[str, Any]:
    [found] = properties()["template"]["containers"]
    return dict(found)


@pytest.mark.parametrize("file", [MAIN, ROLE], ids=["main", "role"])
def test_every_parameter_is_described_and_used(file: bicep.File) -> None:
    assert set(parameters(file)) - file.used == set()
    assert set(parameters(file)) - file.described <= {"task"}
    declared = set(file.declarations) | {"resourceGroup", "where", "shard"}
    functions = {"guid", "uniqueString", "subscriptionResourceId", "loadTextContent", "json", "range", "empty"}
    decorators = {"description", "minLength", "maxLength", "minValue", "maxValue", "allowed"}
    assert file.used - declared - functions - decorators == set()


def test_the_parameter_file_gives_what_has_no_default() -> None:
    known = parameters(MAIN)
    assert set(GIVEN) - set(known) == set()
    assert {name for name, default in known.items() if default is None} - set(GIVEN) == set()
    assert [set(scope) for scope in GIVEN["scopes"]] == [set(MAIN.declarations["place"].value)] * 3


@pytest.mark.parametrize("name", ["access", "networkAccess"])
def test_the_module_gets_its_parameters(name: str) -> None:
    module = MAIN.declarations[name]
    assert (FOLDER / module.what).exists()
    assert set(module.value["params"]) == set(parameters(ROLE))
    assert module.value["scope"] == "resourceGroup(where.subscriptionId, where.resourceGroup)"


def test_the_roles_are_those_that_asrnet_prints() -> None:
    tasks = ROLE.declarations["actions"].value
    assert {task: tuple(found) for task, found in tasks.items()} == {
        task: actions(task, DesiredState()) for task in TASKS if task in tasks
    }
    given = str(MAIN.declarations["access"].value["params"]["task"])
    assert given == "{'correct?': ['apply', 'plan']}"
    assert MAIN.declarations["networkAccess"].value["params"]["task"] == "create-networks"


def test_the_assignment_is_of_that_role_to_the_identity() -> None:
    assigned = ROLE.declarations["assignment"].value["properties"]
    assert "definition.name" in assigned["roleDefinitionId"]
    assert assigned["principalId"] == "principalId"
    assert MAIN.declarations["access"].value["params"]["principalId"] == "identity.properties.principalId"
    scopes = ROLE.declarations["definition"].value["properties"]["assignableScopes"]
    assert "".join(scopes) == "resourceGroup().id"  # which the grammar splits


def test_the_job_has_one_replica_and_no_retries() -> None:
    configuration = properties()["configuration"]
    assert configuration["triggerType"] == "Schedule"
    assert configuration["scheduleTriggerConfig"] == {
        "cronExpression": "schedule",
        "parallelism": "1",
        "replicaCompletionCount": "1",
    }
    assert configuration["replicaRetryLimit"] == "0"
    assert 0 < int(configuration["replicaTimeout"]) <= 3600
    assert re.fullmatch(r"\d+ \d+ \* \* \*", parameters(MAIN)["schedule"])


def test_the_job_runs_as_the_identity_that_has_the_roles() -> None:
    assert MAIN.declarations["jobs"].value["identity"] == {
        "type": "UserAssigned",
        "userAssignedIdentities": {"${identity.id}": {}},
    }
    variables = {one["name"]: one["value"] for one in container()["env"]}
    assert variables["ASRNET_CREDENTIAL"] == "managed_identity"
    assert variables["AZURE_CLIENT_ID"] == "identity.properties.clientId"
    assert isinstance(variables["AZURE_CLIENT_ID"], Expression)
    assert set(MAIN.declarations["jobs"].value["dependsOn"]) == {"access", "networkAccess"}


def test_the_desired_state_is_mounted_where_the_variable_points() -> None:
    [secret] = properties()["configuration"]["secrets"]
    assert secret["value"] == "loadTextContent('asrnet.yaml')"
    [volume], [mount] = properties()["template"]["volumes"], container()["volumeMounts"]
    assert volume["name"] == mount["volumeName"]
    assert [item["secretRef"] for item in volume["secrets"]] == [secret["name"]]
    variables = {one["name"]: one["value"] for one in container()["env"]}
    assert variables["ASRNET_FILE"] == f"{mount['mountPath']}/{volume['secrets'][0]['path']}"


def test_every_shard_has_a_job() -> None:
    assert MAIN.declarations["jobs"].loop == "range(1, shards)"
    variables = {one["name"]: one["value"] for one in container()["env"]}
    assert variables["ASRNET_SHARD"] == "'${shard}/${shards}'"


@pytest.mark.parametrize(("correct", "code"), [(True, 0), (False, 2)])
def test_the_command_of_the_container_does_what_the_parameter_says(tmp_path: Path, correct: bool, code: int) -> None:
    for file in (EXAMPLES / "01-two-regions").glob("*.yaml"):
        shutil.copy(file, tmp_path)
    quick(tmp_path / "world.yaml")
    before = (tmp_path / "world.yaml").read_bytes()
    [(condition, branches)] = container()["args"].items()
    assert condition == "correct?"
    variables = {one["name"]: one["value"] for one in container()["env"] if one["name"].startswith("ASRNET_")}
    variables |= {"ASRNET_FILE": "asrnet.yaml", "ASRNET_SHARD": "1/1", "ASRNET_BACKEND": "fake:world.yaml"}
    del variables["ASRNET_CREDENTIAL"]
    words = branches[0 if correct else 1]
    ran = shell("/bin/sh", ["-c", 'exec asrnet "$@"', "sh", *words], tmp_path, tmp_path / "bin", variables)
    assert ran.code == code, ran.err
    assert ((tmp_path / "world.yaml").read_bytes() != before) == correct

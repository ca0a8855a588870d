"""The CronJob: its schema, serialised runs and restrictions, and its command run for each shard."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from command_line import EXAMPLES, edit
from schedules import TEMPLATES, Finished, quick, shell, shellcheck, strict_yaml

FOLDER = TEMPLATES / "kubernetes"
NAMES = ["namespace.yaml", "serviceaccount.yaml", "cronjob.yaml"]


def cronjob() -> dict[str, Any]:
    found: dict[str, Any] = strict_yaml(FOLDER / "cronjob.yaml")["spec"]
    return found


def job() -> dict[str, Any]:
    found: dict[str, Any] = cronjob()["jobTemplate"]["spec"]
    return found


def pod() -> dict[str, Any]:
    found: dict[str, Any] = job()["template"]["spec"]
    return found


def container() -> dict[str, Any]:
    [found] = pod()["containers"]
    return dict(found)


def test_every_document_has_its_version_and_kind() -> None:
    kinds = {name: strict_yaml(FOLDER / name) for name in NAMES}
    assert [(found["apiVersion"], found["kind"]) for found in kinds.values()] == [
        ("v1", "Namespace"),
        ("v1", "ServiceAccount"),
        ("batch/v1", "CronJob"),
    ]
    kustomization = strict_yaml(FOLDER / "kustomization.yaml")
    assert kustomization["resources"] == NAMES
    assert all(found["metadata"]["name"] == kustomization["namespace"] == "asrnet" for found in kinds.values())


def test_runs_do_not_overlap_and_are_not_retried() -> None:
    assert cronjob()["concurrencyPolicy"] == "Forbid"
    assert re.fullmatch(r"\d+ \d+ \* \* \*", cronjob()["schedule"])
    assert cronjob()["timeZone"] == "Etc/UTC"
    # Kubernetes accepts backoffLimitPerIndex only for indexed jobs.
    assert (job()["completionMode"], job()["backoffLimitPerIndex"]) == ("Indexed", 0)
    assert "backoffLimit" not in job()
    assert pod()["restartPolicy"] == "Never"
    assert job()["activeDeadlineSeconds"] <= 3600


def test_there_are_as_many_pods_as_shards() -> None:
    shards = next(one["value"] for one in container()["env"] if one["name"] == "SHARDS")
    assert job()["completions"] == job()["parallelism"] == int(shards)


def test_the_pod_signs_in_as_its_service_account_and_mounts_no_kubernetes_token() -> None:
    account = strict_yaml(FOLDER / "serviceaccount.yaml")
    assert pod()["serviceAccountName"] == account["metadata"]["name"]
    assert "azure.workload.identity/client-id" in account["metadata"]["annotations"]
    assert account["automountServiceAccountToken"] is False
    assert job()["template"]["metadata"]["labels"]["azure.workload.identity/use"] == "true"
    assert {"name": "ASRNET_CREDENTIAL", "value": "workload_identity"} in container()["env"]


def test_the_pod_is_restricted_as_its_namespace_enforces() -> None:
    labels = strict_yaml(FOLDER / "namespace.yaml")["metadata"]["labels"]
    assert labels == {"pod-security.kubernetes.io/enforce": "restricted"}
    assert pod()["securityContext"]["runAsNonRoot"] is True
    assert pod()["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert container()["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert f"USER {pod()['securityContext']['runAsUser']}\n" in (FOLDER.parents[2] / "Dockerfile").read_text("utf-8")


def test_the_desired_state_is_mounted_where_the_variable_points() -> None:
    variables = {one["name"]: one["value"] for one in container()["env"]}
    assert all(isinstance(value, str) for value in variables.values())  # Kubernetes accepts nothing else
    mounts = {mount["name"]: mount["mountPath"] for mount in container()["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod()["volumes"]}
    assert mounts.keys() == volumes.keys()
    [generated] = strict_yaml(FOLDER / "kustomization.yaml")["configMapGenerator"]
    assert volumes["desired-state"]["configMap"]["name"] == generated["name"]
    assert [f"{mounts['desired-state']}/{file}" for file in generated["files"]] == [variables["ASRNET_FILE"]]


def test_kubectl_builds_the_kustomization() -> None:
    kubectl = shutil.which("kubectl")
    if not kubectl:
        pytest.skip("kubectl is not installed")
    ran = subprocess.run([kubectl, "kustomize", str(FOLDER)], capture_output=True, text=True, timeout=60, check=True)
    found = {document["kind"]: document for document in yaml.safe_load_all(ran.stdout)}
    assert found.keys() == {"Namespace", "ServiceAccount", "ConfigMap", "CronJob"}
    spec = found["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
    assert spec["volumes"][0]["configMap"]["name"] == found["ConfigMap"]["metadata"]["name"] != "asrnet"
    assert spec["containers"][0]["image"].endswith("/asrnet:0.2.0")
    assert {document["metadata"].get("namespace", "asrnet") for document in found.values()} == {"asrnet"}


# Its command


@pytest.fixture
def two_vaults(tmp_path: Path) -> Path:
    """The first example with a second vault, which maps nothing yet."""
    for file in (EXAMPLES / "01-two-regions").glob("*.yaml"):
        shutil.copy(file, tmp_path)
    edit(tmp_path, "regions:", "  west: dr/rg-dr/vault-west\nregions:")
    networks = "primary: prod/rg-network-ea/hub-ea, recovery: dr/rg-network-sea/hub-sea"
    edit(tmp_path, "rules:", f"- {{name: hub-west, vault: west, {networks}}}\nrules:")
    world = (tmp_path / "world.yaml").read_text("utf-8")
    start = world.index("- id: ", world.index("vaults:"))
    (tmp_path / "world.yaml").write_text(world + world[start:].replace("vault-sea", "vault-west"), "utf-8")
    quick(tmp_path / "world.yaml")
    return tmp_path


def run(folder: Path, *, index: int, shards: int) -> Finished:
    """The container's command in a pod of an indexed job."""
    variables = {one["name"]: one["value"] for one in container()["env"]} | {
        "SHARDS": str(shards),
        "JOB_COMPLETION_INDEX": str(index),
        "ASRNET_FILE": "asrnet.yaml",
        "ASRNET_BACKEND": "fake:world.yaml",
    }
    del variables["ASRNET_CREDENTIAL"]
    program, *rest = map(str, container()["command"])
    return shell(program, [*rest, *container()["args"]], folder, folder / "bin", variables)


def test_the_command_passes_shellcheck() -> None:
    [script] = container()["args"]
    assert shellcheck(script, "sh") == ""


def test_one_pod_corrects_everything_and_its_log_has_the_audit(two_vaults: Path) -> None:
    ran = run(two_vaults, index=0, shards=1)
    assert ran.code == 0, ran.err
    audit = [entry for line in ran.err.splitlines() if "resource_id" in (entry := json.loads(line))]
    assert len(audit) == 10
    assert run(two_vaults, index=0, shards=1).out.splitlines()[-1].startswith("Nothing to do")


def test_the_pods_of_two_shards_together_cover_every_vault(two_vaults: Path) -> None:
    first, second = (run(two_vaults, index=index, shards=2) for index in (0, 1))
    assert (first.code, second.code) == (0, 0)
    vaults = [set(re.findall(r"^Vault (\w+)", ran.out, re.MULTILINE)) for ran in (first, second)]
    assert sorted(map(sorted, vaults)) == [["sea"], ["west"]]
    assert run(two_vaults, index=0, shards=1).out.splitlines()[-1].startswith("Nothing to do")


def test_a_pod_without_a_vault_succeeds(two_vaults: Path) -> None:
    assert run(two_vaults, index=2, shards=3).code == 0

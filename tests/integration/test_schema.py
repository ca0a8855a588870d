"""The schemas: valid, matched by the examples, and consistent with the loaders."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # its stubs are not worth a dependency for one test
import pytest
import yaml
from command_line import Cli
from sample_plans import applied, full_plan

from asrnet import desired
from asrnet.errors import DocumentError, InputError
from asrnet.model.plan import Plan, to_json
from asrnet.schema import DIALECT, KINDS, json_schema

EXAMPLES = Path(__file__).parents[2] / "examples"
FULL = """\
version: 1
cloud: public
subscriptions: {prod: 11111111-1111-1111-1111-111111111111}
vaults:
  sea: prod/rg-dr/vault-sea
  sea-2: {id: prod/rg-dr/vault-2, unmanaged: ignore, create_fabrics: true}
regions:
- primary: eastasia
  recovery: southeastasia
  copy: {subscription: prod, resource_group: "{resource_group}-asr", name: "{name}-asr", dns: [10.0.0.4]}
  test: prod/rg/bubble
pairs:
- {name: hub, vault: sea, primary: prod/rg/hub-ea, recovery: prod/rg/hub-sea, failback: none, managed_by: terraform}
- {name: crm, vault: sea, primary: prod/rg/crm, recovery: copy, machines: follow, test: none, release_addresses: true}
rules:
- name: all
  vault: sea
  match: {subscription: prod, name: "*-prod", tags: {dr: "yes"}}
  recovery: copy
  machines: report
  test: "prod/rg/{name}-test"
ignore: [{name: "scratch-*", reason: short-lived, until: 2027-03-31}, {machine: "sql-*", reason: clustered}]
machines: follow
release_addresses: false
vmm_pairs: [{name: vm1, vault: sea, primary: b/n1, recovery: s/n1}]
topology: vmm.yaml
freeze: [{vault: sea, until: 2026-12-01, reason: exercise}]
limits: {max_updates: 10, max_deletes: 0, max_change_percent: 30, min_existing: 10, max_rule_growth: 2, max_machines: 5}
"""


def problems(kind: str, text: str) -> list[str]:
    plain = json.loads(json.dumps(yaml.safe_load(text), default=str))
    return [error.message for error in jsonschema.Draft202012Validator(json_schema(kind)).iter_errors(plain)]


def accepted_by_the_loader(path: Path, text: str) -> bool:
    path.write_text(text, encoding="utf-8")
    try:
        desired.load_desired(path)
    except DocumentError:
        return False
    return True


@pytest.mark.parametrize("kind", KINDS)
def test_a_schema_is_valid_in_its_dialect_and_names_its_document(kind: str) -> None:
    schema = json_schema(kind)
    jsonschema.Draft202012Validator.check_schema(schema)
    assert (schema["$schema"], schema["title"]) == (DIALECT, f"asrnet {kind}")
    assert json.loads(json.dumps(schema)) == schema


@pytest.mark.parametrize("kind", KINDS)
def test_every_part_of_a_schema_is_described(kind: str) -> None:
    parts: dict[str, Any] = json_schema(kind)["$defs"]
    assert [name for name, part in parts.items() if not part.get("description")] == []


def test_an_unknown_kind_is_refused_with_the_nearest_known() -> None:
    with pytest.raises(InputError, match=r"there is no schema 'desire', expected .*; did you mean 'desired'"):
        json_schema("desire")


def test_a_desired_state_with_every_key_matches_the_schema(tmp_path: Path) -> None:
    assert problems("desired", FULL) == []
    assert accepted_by_the_loader(tmp_path / "f.yaml", FULL)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("pairs:", "pears:"),
        ("version: 1", "version: 2"),
        ("cloud: public", "cloud: privat"),
        ("name: hub, ", ""),
        ("failback: none", "failback: never"),
        ("unmanaged: ignore", "unmanaged: maybe"),
        ("create_fabrics: true", "create_fabrics: [1]"),
        ("dns: [10.0.0.4]", "dns: other"),
        ("max_updates: 10", "max_updates: many"),
        ("tags: {dr: ", "tags: {dr: {a: b}, x: "),
    ],
)
def test_the_loader_refuses_whatever_the_schema_refuses(tmp_path: Path, old: str, new: str) -> None:
    text = FULL.replace(old, new)
    assert text != FULL
    assert problems("desired", text) != []
    assert not accepted_by_the_loader(tmp_path / "f.yaml", text)


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/asrnet*.yaml")), ids=lambda path: path.parent.name)
def test_the_examples_match_the_schema_of_desired_states(path: Path) -> None:
    assert problems("desired", path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*/world*.yaml")), ids=lambda path: path.parent.name)
def test_the_examples_match_the_schema_of_worlds(path: Path) -> None:
    assert problems("world", path.read_text(encoding="utf-8")) == []


def test_a_report_matches_the_schema_of_reports_and_a_plan_does_not() -> None:
    plan = full_plan().sealed()
    assert problems("plan", to_json(plan).decode()) == []
    assert problems("report", to_json(applied(plan, "failed", error="no")).decode()) == []
    assert problems("report", to_json(plan).decode()) != []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"outcome":"failed"', '"outcome":"lost"'),
        ('"action":"create"', '"action":"make"'),
        ('"requests":{', '"requests":{"GET":"many",'),
        ('"severity":"error"', '"severity":"grave"'),
        ('"summary":{"in_sync":2', '"summary":{"in_sync":"2"'),
    ],
)
def test_a_report_with_an_impossible_value_does_not_match_its_schema(old: str, new: str) -> None:
    text = to_json(applied(full_plan(), "failed")).decode()
    assert old in text
    assert problems("report", text.replace(old, new, 1)) != []


@pytest.mark.parametrize(
    ("kind", "example", "command"),
    [
        ("prediction", "03-vmm-two-sites", "predict --topology vmm-topology.yaml"),
        ("prediction", "05-predict-failover", "predict --test-failover test-sea"),
        ("doctor", "02-adopt-and-repair", "doctor"),
        ("prediction", "05-predict-failover", "predict --failback"),
        ("targets", "03-vmm-two-sites", "targets --recovery-network VMNetwork2-Shanghai"),
    ],
)
def test_json_answers_match_their_schema(cli: Cli, folder: Path, kind: str, example: str, command: str) -> None:
    for file in (EXAMPLES / example).iterdir():
        shutil.copy(file, folder)
    out = cli(*command.split(), "-o", "json", "--backend", "fake:world.yaml").out
    assert problems(kind, out) == []
    assert problems(kind, "{}") != []


def test_a_plan_matches_the_schema_of_plans() -> None:
    assert problems("plan", to_json(Plan(existing={"sea": 1}).sealed()).decode()) == []


def test_every_key_of_the_desired_state_has_a_description() -> None:
    """Editors show the description. A key whose value has keys is described by those."""
    undescribed = [
        f"{struct}: {name}"
        for struct, form in json_schema("desired")["$defs"].items()
        for name, key in form.get("properties", {}).items()
        if "description" not in key and "$ref" not in str(key)
    ]
    assert undescribed == []

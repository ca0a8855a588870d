"""The fixtures for users' own tests, and the example suite run from an installed wheel."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from asrnet.fake.builder import Builder
from asrnet.ports import Backend
from asrnet.pytest_plugin import AsrEmulator

REPOSITORY = Path(__file__).parent.parent.parent
EXAMPLE = REPOSITORY / "examples" / "06-test-your-scripts"


def test_the_fixtures_of_a_test_share_one_world(
    asr_world: Builder, fake_azure: Backend, asr_emulator: AsrEmulator
) -> None:
    network = asr_world.virtual_network("hub", "eastus")
    assert [each.id for each in fake_azure.networks.virtual_networks(network.id.subscription)] == [network.id]
    answer = requests.get(
        f"{asr_emulator.url}{network.id}?api-version=2024-05-01",
        headers={"Authorization": "Bearer any"},
        verify=str(asr_emulator.ca),
        timeout=10,
    )
    assert answer.json()["name"] == "hub"
    assert asr_emulator.world is asr_world


def test_every_test_has_a_world_of_its_own(asr_world: Builder) -> None:
    assert list(asr_world.world.state.virtual_networks) == []


def run(command: list[str], folder: Path = REPOSITORY, **environment: str) -> str:
    variables = {**os.environ, **environment}
    finished = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, timeout=180, check=False
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The folder of an installed wheel; its dependencies are those of these tests."""
    folder = tmp_path_factory.mktemp("wheel")
    uv = [sys.executable, "-m", "uv"]
    run([*uv, "build", "--quiet", "--wheel", "--no-build-isolation", "--out-dir", str(folder), str(REPOSITORY)])
    (wheel,) = folder.glob("*.whl")
    run([*uv, "pip", "install", "--quiet", "--no-deps", "--target", str(folder / "site"), str(wheel)])
    return str(folder / "site")


def test_the_example_tests_run_from_an_installed_wheel(installed: str, tmp_path: Path) -> None:
    shutil.copytree(EXAMPLE, tmp_path / "example")
    where = run([sys.executable, "-c", "import asrnet; print(asrnet.__file__)"], tmp_path, PYTHONPATH=installed)
    assert where.startswith(installed)
    pytest_options = ["-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path)]
    out = run([sys.executable, "-m", "pytest", *pytest_options, "example"], tmp_path, PYTHONPATH=installed)
    assert "3 passed" in out


def test_the_example_tests_run_in_the_checkout_without_development_tools(tmp_path: Path) -> None:
    # The folder of the example, below the repository's pyproject.toml, whose options name plugins that users lack.
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    shutil.copytree(EXAMPLE, tmp_path / "examples" / EXAMPLE.name)
    for plugin in ("xdist", "_hypothesis_pytestplugin"):
        (tmp_path / "without" / plugin).mkdir(parents=True)
        (tmp_path / "without" / plugin / "__init__.py").write_text(f"raise ImportError('no {plugin} here')\n", "utf-8")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "asrnet.pytest_plugin"]
    out = run(
        command,
        tmp_path / "examples" / EXAMPLE.name,
        PYTHONPATH=str(tmp_path / "without"),
        PYTEST_DISABLE_PLUGIN_AUTOLOAD="1",
    )
    assert "3 passed" in out


def test_the_wheel_has_the_typing_marker_and_no_tests(installed: str) -> None:
    assert (Path(installed) / "asrnet" / "py.typed").exists()
    assert not (Path(installed) / "tests").exists()

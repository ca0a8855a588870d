"""The Dockerfile, as far as it can be checked without an engine: instructions and the results of its steps."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


def instructions() -> list[tuple[str, str]]:
    joined = re.sub(r"\\\n\s*", "", DOCKERFILE)
    lines = [line for line in joined.splitlines() if line and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def stages() -> dict[str, list[tuple[str, str]]]:
    """The instructions of each stage by its name; the last one has none and is the default."""
    found: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for word, text in instructions():
        name = text.partition(" AS ")[2] if word == "FROM" else name
        found.setdefault(name, []).append((word, text))
    return found


def values(word: str, stage: str = "") -> list[str]:
    return [text for name, text in stages()[stage] if name == word]


def pins(stage: str) -> set[str]:
    """The packages that a stage takes from the pins beside those of the build."""
    [names] = re.findall(r"\^\(([^)]+)\)==", next(text for text in values("RUN", stage) if "constraints.txt" in text))
    return set(names.split("|"))


def required(name: str, *, extra: str = "none") -> set[str]:
    """The requirements of a package, recursively."""
    found: set[str] = set()
    for text in requires(name) or []:
        wanted, _, marker = text.partition(";")
        if "extra ==" not in marker or re.search(rf"extra == ['\"]{extra}['\"]", marker):
            package = re.split(r"[^A-Za-z0-9._-]", wanted.strip())[0].lower().replace("_", "-")
            found |= {package, *required(package)}
    return found


@pytest.mark.parametrize("stage", ["", "asrnet"])
def test_the_image_is_slim_and_runs_as_an_unprivileged_user(stage: str) -> None:
    bases = [text.split()[0] for word, text in instructions() if word == "FROM"]
    assert set(bases) - set(stages()) == {"python:3.12-slim"}
    assert values("FROM", stage)[0].startswith("python:3.12-slim")
    assert values("USER", stage) == ["10001"]
    words = [word for word, _ in stages()[stage]]
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert "ADD" not in {word for word, _ in instructions()}


def test_the_job_runs_asrnet_with_any_arguments() -> None:
    [entrypoint] = values("ENTRYPOINT", "asrnet")
    assert json.loads(entrypoint) == ["/asrnet/bin/asrnet"]
    assert values("CMD", "asrnet") == []
    assert values("ENV", "asrnet") == ["PATH=/asrnet/bin:$PATH"]  # for commands that a shell builds


def test_the_job_takes_every_package_that_asrnet_needs_and_no_other() -> None:
    assert pins("build-job") == required("asrnet", extra="graph")


def test_the_default_target_is_the_emulator() -> None:
    assert list(stages())[-1] == ""


def test_commands_are_in_exec_form() -> None:
    (entrypoint,) = values("ENTRYPOINT")
    (health,) = values("HEALTHCHECK")
    assert json.loads(entrypoint)[:2] == ["/emulator/bin/asrnet", "emulator"]
    assert json.loads(health.partition("CMD ")[2])[0] == "/emulator/bin/python"
    assert "/_asrnet/health" in health


def test_every_copied_path_exists() -> None:
    for word, text in instructions():
        if word == "COPY" and not text.startswith("--from"):
            assert [name for name in text.split()[:-1] if not (ROOT / name).exists()] == []


def test_the_copied_pins_are_all_that_the_emulator_imports() -> None:
    pinned = (ROOT / "constraints.txt").read_text("utf-8")
    wanted = pins("build") | pins("build-job") | {"uv-build"}
    assert [name for name in wanted if f"\n{name}==" not in f"\n{pinned}"] == []
    program = (
        "import sys, asrnet.cli.commands.emulator, asrnet.emulator.serving, asrnet.emulator.certificates\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    beyond = (
        set(loaded)
        - set(sys.stdlib_module_names)
        - {"asrnet", "msgspec", "yaml", "cryptography", "cffi", "pycparser", "typing_extensions", "cython_runtime"}
    )
    assert {name for name in beyond if not name.startswith("_")} == set()

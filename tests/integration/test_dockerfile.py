"""The Dockerfile, as far as it can be checked without an engine: its rules, and what its steps come to."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


def instructions() -> list[tuple[str, str]]:
    joined = re.sub(r"\\\n\s*", "", DOCKERFILE)
    lines = [line for line in joined.splitlines() if line and not line.startswith("#")]
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in lines]


def last_stage() -> list[tuple[str, str]]:
    found = instructions()
    return found[max(index for index, (word, _) in enumerate(found) if word == "FROM") :]


def values(word: str) -> list[str]:
    return [text for name, text in last_stage() if name == word]


def test_it_runs_slim_and_as_nobody_in_particular() -> None:
    bases = [text.split()[0] for word, text in instructions() if word == "FROM"]
    assert set(bases) == {"python:3.12-slim"}
    assert values("USER") == ["10001"]
    words = [word for word, _ in last_stage()]
    assert words.index("USER") < words.index("ENTRYPOINT")
    assert "ADD" not in {word for word, _ in instructions()}


def test_commands_are_lists_that_no_shell_reads() -> None:
    (entrypoint,) = values("ENTRYPOINT")
    (health,) = values("HEALTHCHECK")
    assert json.loads(entrypoint)[:2] == ["/emulator/bin/asrnet", "emulator"]
    assert json.loads(health.partition("CMD ")[2])[0] == "/emulator/bin/python"
    assert "/_asrnet/health" in health


def test_everything_it_copies_is_there() -> None:
    for word, text in instructions():
        if word == "COPY" and not text.startswith("--from"):
            assert [name for name in text.split()[:-1] if not (ROOT / name).exists()] == []


def test_the_pins_it_takes_are_all_that_the_emulator_imports() -> None:
    named = re.search(r"\^\(([^)]+)\)==", DOCKERFILE)
    assert named is not None
    pins = (ROOT / "constraints.txt").read_text("utf-8")
    assert [name for name in [*named[1].split("|"), "uv-build"] if f"\n{name}==" not in f"\n{pins}"] == []
    program = (
        "import sys, asrnet.cli.command_emulator, asrnet.emulator.serving, asrnet.emulator.certificates\n"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    beyond = (
        set(loaded)
        - set(sys.stdlib_module_names)
        - {"asrnet", "msgspec", "yaml", "cryptography", "cffi", "pycparser", "typing_extensions", "cython_runtime"}
    )
    assert {name for name in beyond if not name.startswith("_")} == set()

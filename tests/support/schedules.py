"""Helpers for tests of scheduler templates: strict parsing, and running their commands against a fake."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml
from command_line import EXAMPLES

ROOT = EXAMPLES.parent
TEMPLATES = ROOT / "docs" / "schedule"
SHELLCHECK = Path(sys.executable).with_name("shellcheck")


class Finished(NamedTuple):
    """The result of a shell."""

    code: int
    out: str
    err: str


def strict_yaml(path: Path, *, as_text: bool = False) -> Any:
    """The document in a file, in which no key is given twice; with ``as_text`` all values stay text."""
    base: Any = yaml.BaseLoader if as_text else yaml.SafeLoader

    class Strict(base):  # type: ignore[misc]  # the base is chosen at run time
        def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT002 - PyYAML's signature
            keys = [key.value for key, _ in node.value]
            assert len(set(keys)) == len(keys), f"{path}: {keys}"
            found: dict[Any, Any] = super().construct_mapping(node, deep)
            return found

    return yaml.load(path.read_text("utf-8"), Strict)


def quick(world: Path) -> None:
    """Make the operations of a world immediate."""
    text = world.read_text("utf-8")
    world.write_text(text.replace("version: 1\n", "version: 1\nbehaviour: {operations: immediate}\n", 1), "utf-8")


def stub(folder: Path, name: str, script: str) -> None:
    """A command of the shell."""
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)


def shell(
    program: str, arguments: list[str], folder: Path, stubs: Path, variables: Mapping[str, str] | None = None
) -> Finished:
    """Run a program with asrnet, and what is in ``stubs``, on its path; no variable of this machine has a say."""
    stub(stubs, "asrnet", f'exec {sys.executable} -m asrnet "$@"')
    clean = {name: os.environ[name] for name in ("HOME", "LANG", "PYTHONPYCACHEPREFIX") if name in os.environ}
    environ = {**clean, "PATH": f"{stubs}:/usr/bin:/bin", **(variables or {})}
    ran = subprocess.run(
        [program, *arguments], cwd=folder, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    return Finished(ran.returncode, ran.stdout, ran.stderr)


def shellcheck(script: str, dialect: str) -> str:
    """What shellcheck says of a script."""
    ran = subprocess.run(
        [SHELLCHECK, f"--shell={dialect}", "--severity=style", "-"],
        input=script,
        capture_output=True,
        text=True,
        check=False,
    )
    return ran.stdout

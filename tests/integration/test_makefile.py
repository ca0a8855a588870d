"""The Makefile where pip fails: what to do is said, and nothing counts as installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_where_pip_fails_the_page_about_its_configuration_is_named(tmp_path: Path) -> None:
    for name in ("Makefile", "constraints.txt", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    # "true" makes no environment, so that pip cannot even be started.
    made = subprocess.run(
        ["make", "demo", "PYTHON=true"], cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False
    )
    assert made.returncode == 2
    assert "configure pip first: see 'Installing' in docs/network.md" in made.stderr
    assert "\n## Installing\n" in (ROOT / "docs/network.md").read_text("utf-8")
    assert not (tmp_path / ".venv").exists()

"""The unit tests keep out of slow imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

REPOSITORY = Path(__file__).parents[2]
OPTIONS = ("-q", "--collect-only", "-p", "no:cacheprovider", "-p", "no:_hypothesis_pytestplugin", "tests/unit")


def test_the_unit_tests_import_no_sdk_and_no_slow_module() -> None:
    program = f"import sys, pytest; pytest.main({[*OPTIONS]}); print(*sys.modules)"
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, cwd=REPOSITORY, capture_output=True, text=True, timeout=60, check=True)
    found = {name.partition(".")[0] for name in done.stdout.splitlines()[-1].split()}
    assert "asrnet" in found
    assert not found & {"azure", "requests", "msal", "cryptography", "hypothesis"}

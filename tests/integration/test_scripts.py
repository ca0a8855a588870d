"""The scripts of a checkout: started where asrnet is not installed, and what they leave in it."""

from __future__ import annotations

import re
import runpy
import sys
from pathlib import Path

import pytest

SCRIPTS = Path(__file__).parents[2] / "scripts"


# The others import nothing of asrnet: they install it themselves.
USING = [
    path.name
    for path in sorted(SCRIPTS.glob("*.py"))
    if re.search(r"^ *(import|from) asrnet\b", path.read_text("utf-8"), re.MULTILINE)
]


@pytest.mark.parametrize("script", USING)
def test_a_script_without_asrnet_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    monkeypatch.setitem(sys.modules, "asrnet", None)
    with pytest.raises(SystemExit, match=r"; install asrnet first, as README\.md says: pip install \. in the folder"):
        runpy.run_path(str(SCRIPTS / script), run_name="__main__")


def test_git_ignores_the_reports_of_first_contact() -> None:
    ignored = (SCRIPTS.parent / ".gitignore").read_text("utf-8").splitlines()
    names = ("first-contact", "first-contact-rehearsal")  # the defaults of --report
    assert {f"/{name}.{ending}" for name in names for ending in ("md", "json")} <= {*ignored}

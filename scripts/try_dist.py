"""Install the wheel in dist/ as users do, each time in an environment of its own, and use it there.

    python scripts/try_dist.py [pip] [pipx] [uv]

Without arguments all three install it, with the versions in constraints.txt. From each installation the demo, a plan,
the HTML report and the emulator are run, and from pip's a test suite on the pytest fixtures. Nothing of the checkout is
on their paths. Exits 1 when something does not work.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path
from urllib.request import urlopen

ROOT = Path(__file__).parent.parent
INSTALLERS = ("pip", "pipx", "uv")
PLAN = "Plan: create 2 networks and 6 mappings."


def main(installers: list[str]) -> int:
    """Try each installer; print what was tried."""
    if unknown := set(installers) - set(INSTALLERS):
        sys.exit(f"unknown: {', '.join(sorted(unknown))}; known: {', '.join(INSTALLERS)}")
    version = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    [wheel] = (ROOT / "dist").glob(f"asrnet-{version}-*.whl")
    for installer in installers or INSTALLERS:
        with tempfile.TemporaryDirectory(prefix="asrnet-dist-") as name:
            folder = Path(name)
            program = install(installer, wheel, folder)
            use(program, version, folder)
            if installer == "pip":
                test_with_the_plugin(program.with_name("python"), folder)
        print(f"{installer}: {wheel.name} installed and used", flush=True)
    return 0


def install(installer: str, wheel: Path, folder: Path) -> Path:
    """Install ``wheel`` below ``folder``. Returns the path of the program."""
    # If the pins had hashes, pip would demand one for the wheel too.
    pins = folder / "pins.txt"
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    pins.write_text("\n".join(line.removesuffix(" \\") for line in lines if line[:1].isalpha()), "utf-8")
    python = [sys.executable, "-m"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "VIRTUAL_ENV"))}
    if installer == "pip":
        run([*python, "venv", str(folder / "venv")], folder, environment)
        program = folder / "venv" / "bin" / "asrnet"
        run(
            [str(program.with_name("pip")), "install", "-q", "-c", str(pins), str(wheel), "pytest"], folder, environment
        )
    elif installer == "pipx":
        environment |= {"PIPX_HOME": str(folder / "pipx"), "PIPX_BIN_DIR": str(folder / "bin")}
        run([*python, "pipx", "install", "--backend", "pip", f"--pip-args=-c {pins}", str(wheel)], folder, environment)
        program = folder / "bin" / "asrnet"
    else:
        environment |= {"UV_TOOL_DIR": str(folder / "uv"), "UV_TOOL_BIN_DIR": str(folder / "bin")}
        command = [
            "uv",
            "tool",
            "install",
            "-q",
            "--no-config",
            "--python",
            sys.executable,
            "-c",
            str(pins),
            str(wheel),
        ]
        run([*python, *command], folder, environment)
        program = folder / "bin" / "asrnet"
    return program


def use(program: Path, version: str, folder: Path) -> None:
    """Run what a newcomer runs first."""
    environment = {"PATH": f"{program.parent}:/usr/bin:/bin", "HOME": str(folder)}
    expect(f"asrnet {version}", run(["asrnet", "--version"], folder, environment))
    expect("6 mappings, 3 pairs.", run(["asrnet", "demo"], folder, environment))
    run(["asrnet", "demo", "--out", "mine"], folder, environment)
    mine = folder / "mine"
    fake = {**environment, "ASRNET_BACKEND": "fake:world.yaml"}
    expect(PLAN, run(["asrnet", "plan", "-o", "text", "-o", "html=plan.html"], mine, fake))
    expect("</html>", (mine / "plan.html").read_text("utf-8"))
    json.loads(run(["asrnet", "schema"], mine, environment))
    with subprocess.Popen(
        ["asrnet", "emulator", "--seed", "world.yaml", "--port", "0", "--tls-port", "0"],
        executable=program,
        cwd=mine,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as emulator:
        assert emulator.stdout is not None
        addresses = json.loads(emulator.stdout.readline())
        try:
            with urlopen(f"{addresses['http']}/_asrnet/health", timeout=10) as answer:
                assert answer.status == 200
            trusting = {**environment, "REQUESTS_CA_BUNDLE": addresses["ca"]}
            expect(PLAN, run(["asrnet", "plan", "--endpoint", addresses["https"]], mine, trusting))
        finally:
            emulator.terminate()


def test_with_the_plugin(python: Path, folder: Path) -> None:
    """Run the tests of example 06, which find the fixtures by themselves."""
    example = shutil.copytree(ROOT / "examples" / "06-test-your-scripts", folder / "scripts")
    environment = {"PATH": f"{python.parent}:/usr/bin:/bin", "HOME": str(folder)}
    where = run(["python", "-c", "import asrnet; print(asrnet.__file__, asrnet.__version__)"], example, environment)
    expect(str(python.parent.parent), where)
    expect(" passed", run(["pytest", "-q"], example, environment))


def run(argv: list[str], folder: Path, environment: Mapping[str, str]) -> str:
    """What a program prints; exits with all of it if it fails."""
    program = shutil.which(argv[0], path=environment["PATH"]) or argv[0]
    ran = subprocess.run(
        argv, executable=program, cwd=folder, env=environment, check=False, capture_output=True, text=True, timeout=600
    )
    if ran.returncode:
        sys.exit(f"{' '.join(argv)} exited with {ran.returncode}:\n{ran.stdout}{ran.stderr}")
    return ran.stdout


def expect(part: str, text: str) -> None:
    """Exit if ``part`` is not in ``text``."""
    if part not in text:
        sys.exit(f"expected {part!r} in:\n{text}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

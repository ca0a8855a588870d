"""Carry out the steps of the Dockerfile's default image in a bare root filesystem, and start its entry point.

For machines without a container engine. Needs root, debootstrap and Debian's archive. The base is Debian with its own
Python instead of the slim Python image; everything else is what the Dockerfile says.

Usage: python scripts/prove_image.py [FOLDER]
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parent.parent
# What this machine's package tools use is used in the image too: name servers, certificates, package indexes, proxies.
_COPIED: Final = ("/etc/resolv.conf", "/etc/ssl/certs/ca-certificates.crt")
_PASSED: Final = ("PIP_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy", "SSL_CERT_")


def stages(dockerfile: str) -> dict[str, list[tuple[str, str]]]:
    """The instructions of each stage by its name; the last one has none."""
    joined = re.sub(r"\\\n\s*", "", dockerfile)
    found: dict[str, list[tuple[str, str]]] = {}
    name = ""
    for line in joined.splitlines():
        if line and not line.startswith("#"):
            word, _, text = line.partition(" ")
            name = text.partition(" AS ")[2] if word == "FROM" else name
            found.setdefault(name, []).append((word, text))
    return found


def package_index() -> str:
    """The package index that this machine's pip is configured with, if any."""
    asked = subprocess.run(["pip", "config", "get", "global.index-url"], capture_output=True, text=True, check=False)
    return asked.stdout.strip()


def run(root: Path, command: Sequence[str], *, folder: str = "/", user: str = "0") -> None:
    """Run a command in a root filesystem. Ends the program if it fails."""
    print(f"  [{root.name}] {shlex.join(command)[:150]}")
    variables = {name: value for name, value in os.environ.items() if name.startswith(_PASSED)}
    if address := package_index():
        variables["PIP_INDEX_URL"] = address
    variables |= {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME": "/root", "LANG": "C.UTF-8"}
    inside = ["/bin/sh", "-ec", f'cd {shlex.quote(folder)} && exec "$@"', "sh", *command]
    finished = subprocess.run(["chroot", f"--userspec={user}", str(root), *inside], env=variables, check=False)
    if finished.returncode:
        sys.exit(f"the step failed with {finished.returncode}")


def base_filesystem(folder: Path) -> Path:
    """A root filesystem with Debian's base and its Python, which is called ``python`` as in Python's images."""
    root = folder / "base"
    if not (root / "bin").exists():
        packages = "python3,python3-venv,python3-pip,ca-certificates"
        subprocess.run(["debootstrap", "--variant=minbase", f"--include={packages}", "stable", str(root)], check=True)
    for path in map(Path, _COPIED):
        if path.exists():
            (root / path.relative_to("/")).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, root / path.relative_to("/"))
    python = root / "usr" / "local" / "bin" / "python"
    if not python.exists():
        python.symlink_to("/usr/bin/python3")
    # Debian keeps pip from changing its own Python. In an image with one program, that does no harm.
    for marker in (root / "usr" / "lib").glob("python3*/EXTERNALLY-MANAGED"):
        marker.unlink()
    return root


def build(folder: Path, base: Path, name: str, instructions: Sequence[tuple[str, str]]) -> tuple[Path, str, str]:
    """Carry out the instructions of a stage. Returns its root filesystem, its last folder and its last user."""
    root = folder / (name or "image")
    shutil.rmtree(root, ignore_errors=True)
    subprocess.run(["cp", "-a", "--reflink=auto", str(base), str(root)], check=True)
    place, user = "/", "0"
    for word, text in instructions:
        if word == "WORKDIR":
            place = text
            (root / place.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif word == "USER":
            user = text
        elif word == "COPY":
            source = folder / text.removeprefix("--from=").split()[0] if text.startswith("--from=") else ROOT
            *names, target = [part for part in text.split() if not part.startswith("--from=")]
            goal = root / target.lstrip("/") if target.startswith("/") else root / place.lstrip("/") / target
            for copied in names:
                path = source / copied.lstrip("/")
                end = goal / path.name if target.endswith("/") else goal
                subprocess.run(["cp", "-a", "-T", str(path), str(end)], check=True)
        elif word == "RUN":
            run(root, ["/bin/sh", "-c", text], folder=place, user=user)
    return root, place, user


def start(root: Path, place: str, user: str, instructions: Sequence[tuple[str, str]]) -> None:
    """Start the image's entry point as its user, ask for its health as its health check does, and stop it."""
    (entry,) = [json.loads(text) for word, text in instructions if word == "ENTRYPOINT"]
    (health,) = [json.loads(text.partition("CMD ")[2]) for word, text in instructions if word == "HEALTHCHECK"]
    inside = ["/bin/sh", "-c", f'cd {place} && HOME={place} exec "$@"', "sh", *entry, "--port", "4590"]
    command = ["chroot", f"--userspec={user}:{user}", str(root), *inside]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as started:
        assert started.stdout is not None
        print("  " + started.stdout.readline().strip())
        try:
            owner = Path(f"/proc/{started.pid}").stat().st_uid
            print(f"  runs as user {owner}")
            run(root, health, user=f"{user}:{user}")
            with urllib.request.urlopen("http://127.0.0.1:4590/_asrnet/ca.pem", timeout=5) as answer:
                print(f"  the authority is served: {answer.read(27).decode()}")
        finally:
            started.send_signal(signal.SIGTERM)
        print(f"  stopped by SIGTERM with {started.wait(timeout=30)}")
    if owner != int(user):
        sys.exit(f"it runs as {owner} and not as {user}")


def main() -> None:
    """Build and start the default image."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp(prefix="asrnet-image-"))
    folder.mkdir(parents=True, exist_ok=True)
    parts = stages((ROOT / "Dockerfile").read_text("utf-8"))
    base = base_filesystem(folder)
    build(folder, base, "build", parts["build"])
    root, place, user = build(folder, base, "", parts[""])
    start(root, place, user, parts[""])
    print("the image was built, and it runs without root's rights")


if __name__ == "__main__":
    main()

"""Other programs on the same work, each run if it is installed: the plain SDK, az, Terraform.

Nothing is downloaded. az needs its extension site-recovery; Terraform finds the provider azurerm in a plug-in folder:
the one that TF_PLUGIN_CACHE_DIR names, or its own, ~/.terraform.d/plugins.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, Protocol

from msgspec import Struct

from asrnet.fake.builder import SUBSCRIPTION
from asrnet.fake.state import TENANT
from benchmarks.emulator import Emulated
from benchmarks.processes import Ran, run
from benchmarks.scenes import FABRICS, HERE, THERE, VAULT_ID, network_id

Task = Literal["plan", "apply"]
VAULT = ("--resource-group", "rg-dr", "--vault-name", VAULT_ID.name)


class Peer(Protocol):
    """A program that can do the same work."""

    @property
    def name(self) -> str:
        """The name of the program."""
        ...

    @property
    def plans_what_it_applied(self) -> bool:
        """Whether it knows only of mappings that it made itself."""
        ...

    def absent(self) -> str:
        """Why it cannot run here; an empty string if it can."""
        ...

    def most(self, task: Task) -> int:
        """The largest number of pairs that it is run with; more would take too long."""
        ...

    def run(self, task: Task, pairs: int, emulator: Emulated, folder: Path) -> Ran:
        """Do the work once. Preparations are not counted."""
        ...


class PlainSdk(Struct, frozen=True):
    """The SDKs for Python, one poller for each mapping."""

    name: str = "plain SDK"
    plans_what_it_applied: bool = False

    def absent(self) -> str:
        """Always empty: asrnet itself needs them."""
        return ""

    def most(self, task: Task) -> int:
        """Each poller is a thread, and PUTs go one after the other."""
        return 2_000 if task == "plan" else 200

    def run(self, task: Task, pairs: int, emulator: Emulated, folder: Path) -> Ran:
        """Run it."""
        words = [sys.executable, "-m", "benchmarks.plain_sdk", task, emulator.url, str(pairs)]
        return run(words, folder=folder, environment=emulator.environment())


class AzureCli(Struct, frozen=True):
    """``az site-recovery network mapping``: a command for each mapping and each list, so its time is their sum."""

    name: str = "az"
    plans_what_it_applied: bool = False

    def absent(self) -> str:
        """It needs az and its extension."""
        if not shutil.which("az"):
            return "not installed"
        return "" if (_extensions() / "site-recovery").exists() else "its extension site-recovery is not installed"

    def most(self, task: Task) -> int:  # noqa: ARG002 - the protocol's
        """Half a minute for each mapping."""
        return 1

    def run(self, task: Task, pairs: int, emulator: Emulated, folder: Path) -> Ran:
        """List what a plan reads; map both ways."""
        place = folder / "az"
        shutil.rmtree(place, ignore_errors=True)  # az registers no cloud twice
        there = {**emulator.environment(), "AZURE_CONFIG_DIR": str(place)}
        there["AZURE_EXTENSION_DIR"] = str(_extensions())
        for words in (
            ("config", "set", "core.instance_discovery=false"),
            ("cloud", "register", "-n", "bench", "--endpoint-resource-manager", emulator.url),
            ("cloud", "set", "-n", "bench"),
            ("login", "--service-principal", "-u", "any", "-p", "any", "--tenant", TENANT),
        ):
            run(["az", *words], folder=folder, environment=there)
        emulator.clear()
        commands = [self._list(fabric) for fabric in FABRICS.values()]
        commands.append(["az", "network", "vnet", "list"])
        if task == "apply":
            commands += [self._create(number, *way) for number in range(pairs) for way in _WAYS]
        return _sum([run(words, folder=folder, environment=there) for words in commands])

    def _list(self, fabric: str) -> list[str]:
        return [*_MAPPING, "list", *VAULT, "--fabric-name", fabric, "--network-name", "azureNetwork"]

    def _create(self, number: int, primary: str, recovery: str) -> list[str]:
        first, second = network_id(number, primary), network_id(number, recovery)
        return [
            *(*_MAPPING, "create", *VAULT, "-n", f"{first.name}-to-{second.name}"),
            *("--fabric-name", FABRICS[primary], "--network-name", "azureNetwork"),
            *("--recovery-fabric-name", FABRICS[recovery], "--recovery-network-id", str(second)),
            *("--fabric-details", json.dumps({"azure-to-azure": {"primary-network-id": str(first)}})),
        ]


class Terraform(Struct, frozen=True):
    """``terraform`` with the provider azurerm: a resource for each mapping, the default parallelism of ten."""

    name: str = "terraform"
    plans_what_it_applied: bool = True

    def absent(self) -> str:
        """It needs terraform and a provider that was downloaded before."""
        if not shutil.which("terraform"):
            return "not installed"
        return "" if _plugins() else "its provider azurerm is not installed"

    def most(self, task: Task) -> int:  # noqa: ARG002 - the protocol's
        """Ten mappings at a time, each half a minute or more."""
        return 20

    def run(self, task: Task, pairs: int, emulator: Emulated, folder: Path) -> Ran:
        """Apply, or plan what was applied before."""
        place = folder / "terraform"
        there = {**emulator.environment(), **_ARM, "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}
        if task == "plan":
            return run(["terraform", "plan", "-input=false"], folder=place, environment=there)
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        (place / "main.tf.json").write_text(json.dumps(_configuration(pairs, emulator)), "utf-8")
        run(["terraform", "init", f"-plugin-dir={_plugins()}"], folder=place, environment=there)
        return run(["terraform", "apply", "-auto-approve", "-input=false"], folder=place, environment=there)


PEERS: Sequence[Peer] = (PlainSdk(), AzureCli(), Terraform())

_MAPPING = ("az", "site-recovery", "network", "mapping")
_WAYS = ((HERE, THERE), (THERE, HERE))
_ARM = {
    "ARM_CLIENT_ID": "00000000-0000-0000-0000-000000000001",
    "ARM_CLIENT_SECRET": "any",
    "ARM_TENANT_ID": TENANT,
    "ARM_SUBSCRIPTION_ID": SUBSCRIPTION,
}


def _extensions() -> Path:
    """Where az keeps its extensions."""
    return Path(os.environ.get("AZURE_EXTENSION_DIR") or "~/.azure/cliextensions").expanduser()


def _plugins() -> Path | None:
    """The folder that has the provider azurerm, laid out as Terraform keeps it."""
    folders = (os.environ.get("TF_PLUGIN_CACHE_DIR", ""), "~/.terraform.d/plugins")
    found = (Path(folder).expanduser() for folder in folders if folder)
    return next((path for path in found if any(path.glob("*/hashicorp/azurerm/*"))), None)


def _configuration(pairs: int, emulator: Emulated) -> Mapping[str, object]:
    """One resource for each mapping, in Terraform's JSON."""
    provider = {
        "features": {},
        "metadata_host": emulator.url.removeprefix("https://"),
        "resource_provider_registrations": "none",
    }
    mappings = {
        f"m{number}_{primary}": {
            "name": f"{network_id(number, primary).name}-to-{network_id(number, recovery).name}",
            "resource_group_name": "rg-dr",
            "recovery_vault_name": VAULT_ID.name,
            "source_recovery_fabric_name": FABRICS[primary],
            "target_recovery_fabric_name": FABRICS[recovery],
            "source_network_id": str(network_id(number, primary)),
            "target_network_id": str(network_id(number, recovery)),
        }
        for number in range(pairs)
        for primary, recovery in _WAYS
    }
    return {
        "terraform": {"required_providers": {"azurerm": {"source": "hashicorp/azurerm"}}},
        "provider": {"azurerm": provider},
        "resource": {"azurerm_site_recovery_network_mapping": mappings},
    }


def _sum(parts: Sequence[Ran]) -> Ran:
    """Several commands as one: their times added, the largest memory."""
    return Ran(
        wall=sum(part.wall for part in parts),
        cpu=sum(part.cpu for part in parts),
        megabytes=max(part.megabytes for part in parts),
    )

"""The options of asrnet, once: the command line, the environment, ``.env.example`` and the docs are made from this."""

from __future__ import annotations

from typing import Final, Literal

from msgspec import Struct

from asrnet.model.plan import FORCEABLE

Kind = Literal["text", "flag", "count", "whole", "seconds"]
Group = Literal["Input", "Azure", "Output", "Safety", "Pace", "Emulator"]

WRITING: Final = ("apply", "drift", "map")
"""The commands that change something in Azure."""
READING: Final = (*WRITING, "plan", "show", "dump", "predict", "targets", "doctor")
"""The commands that talk to Azure or a fake, those included that write."""
_SELECTING: Final = tuple(name for name in READING if name != "map")


class Option(Struct, frozen=True, kw_only=True):
    """An option: its field in Settings, its flags, its variable, how it is read and what it means.

    ``commands`` names those that know it; empty is all of them. ``at_least`` and ``at_most`` bound numbers.
    ``in_dotenv`` False: a ``.env`` that merely lies in the working directory cannot set it.
    """

    name: str
    flags: tuple[str, ...]
    variable: str
    group: Group
    help: str
    kind: Kind = "text"
    repeatable: bool = False
    metavar: str = ""
    choices: tuple[str, ...] = ()
    at_least: float = 0
    at_most: float = float("inf")
    commands: tuple[str, ...] = ()
    in_dotenv: bool = True


class Variable(Struct, frozen=True, kw_only=True):
    """A variable that others defined and asrnet obeys. ``identity``: it says as whom, or where, to sign in."""

    name: str
    help: str
    secret: bool = False
    identity: bool = True


def _of_emulator(name: str, kind: Kind, metavar: str, words: str) -> Option:
    return Option(
        name=f"emulator_{name}",
        flags=(f"--{name.replace('_', '-')}",),
        variable=f"ASRNET_EMULATOR_{name.upper()}",
        group="Emulator",
        kind=kind,
        metavar=metavar,
        help=words,
        at_least=1 if name == "page_size" else 0,
        at_most=65_535 if name.endswith("port") else 1_000_000_000,
        commands=("emulator",),
        # What opens the emulator to a network must not come from a file that was merely found.
        in_dotenv=name not in {"host", "allow_remote"},
    )


OPTIONS: Final = (
    Option(
        name="file",
        flags=("-f", "--file"),
        variable="ASRNET_FILE",
        group="Input",
        metavar="PATH",
        help="the desired state: a file, or a folder whose YAML and JSON files are merged",
        commands=(*READING, "validate", "permissions"),
    ),
    Option(
        name="vault",
        flags=("--vault",),
        variable="ASRNET_VAULT",
        group="Input",
        repeatable=True,
        metavar="NAME",
        help="only this vault of the desired state, by its name or its full id",
        commands=(*READING, "permissions"),
    ),
    Option(
        name="pair",
        flags=("--pair",),
        variable="ASRNET_PAIR",
        group="Input",
        repeatable=True,
        metavar="NAME",
        help="only this pair of the desired state",
        commands=_SELECTING,
    ),
    Option(
        name="shard",
        flags=("--shard",),
        variable="ASRNET_SHARD",
        group="Input",
        metavar="I/N",
        help="only the I-th of N parts of the vaults, which the same file always splits alike: for parallel runs",
        commands=_SELECTING,
    ),
    Option(
        name="env_file",
        flags=("--env-file",),
        variable="ASRNET_ENV_FILE",
        group="Input",
        metavar="PATH",
        help="read variables from this file instead of .env, those that say where and as whom to sign in included",
        in_dotenv=False,
    ),
    Option(
        name="backend",
        flags=("--backend",),
        variable="ASRNET_BACKEND",
        group="Azure",
        metavar="azure|fake:WORLD",
        help="the real Azure, or the fake world in a file, which apply rewrites",
        commands=READING,
        in_dotenv=False,
    ),
    Option(
        name="endpoint",
        flags=("--endpoint",),
        variable="ASRNET_ENDPOINT",
        group="Azure",
        metavar="URL",
        help="another Azure Resource Manager than the cloud's own, such as the emulator's; http on loopback only",
        commands=READING,
        in_dotenv=False,
    ),
    Option(
        name="credential",
        flags=("--credential",),
        variable="ASRNET_CREDENTIAL",
        group="Azure",
        metavar="NAME",
        help="the credential to sign in with; AZURE_TOKEN_CREDENTIALS, or azure-identity's own choice, without it",
        commands=READING,
        in_dotenv=False,
    ),
    Option(
        name="inventory",
        flags=("--inventory",),
        variable="ASRNET_INVENTORY",
        group="Azure",
        choices=("network", "graph"),
        help="where the virtual networks are read: exactly, or fast and perhaps a little behind (Resource Graph)",
        commands=READING,
    ),
    Option(
        name="output",
        flags=("-o", "--output"),
        variable="ASRNET_OUTPUT",
        group="Output",
        repeatable=True,
        metavar="FORMAT[=PATH]",
        help="text, json, markdown, mermaid, html, github, junit, prometheus or csv, as far as the command has them; "
        "to standard output or to a file",
        commands=(*WRITING, "plan", "show", "predict", "targets", "doctor"),
    ),
    Option(
        name="verbose",
        flags=("-v", "--verbose"),
        variable="ASRNET_VERBOSE",
        group="Output",
        kind="count",
        at_most=3,
        help="tell more on standard error; twice: every request; three times: its headers too",
    ),
    Option(
        name="quiet",
        flags=("-q", "--quiet"),
        variable="ASRNET_QUIET",
        group="Output",
        kind="flag",
        help="no progress and no remarks on standard error, errors only",
    ),
    Option(
        name="log_format",
        flags=("--log-format",),
        variable="ASRNET_LOG_FORMAT",
        group="Output",
        choices=("text", "json"),
        help="the form of what is told on standard error",
    ),
    Option(
        name="audit",
        flags=("--audit",),
        variable="ASRNET_AUDIT",
        group="Output",
        metavar="PATH",
        help="append a JSON line for every write: who, what, before and after, the job, the command that undoes it",
        commands=WRITING,
    ),
    Option(
        name="yes",
        flags=("-y", "--yes"),
        variable="ASRNET_YES",
        group="Safety",
        kind="flag",
        help="do not ask",
        commands=WRITING,
        in_dotenv=False,
    ),
    Option(
        name="allow_delete",
        flags=("--allow-delete",),
        variable="ASRNET_ALLOW_DELETE",
        group="Safety",
        kind="flag",
        help="let unmanaged: delete delete, within max_deletes",
        commands=("plan", "apply", "drift"),
        in_dotenv=False,
    ),
    Option(
        name="force",
        flags=("--force",),
        variable="ASRNET_FORCE",
        group="Safety",
        repeatable=True,
        metavar="NAME",
        choices=FORCEABLE,
        help="lift this limit or safeguard",
        commands=("plan", *WRITING),
        in_dotenv=False,
    ),
    Option(
        name="only",
        flags=("--only",),
        variable="ASRNET_ONLY",
        group="Safety",
        repeatable=True,
        metavar="KIND",
        help="report, count and correct only this kind of drift, such as half_pair; the findings name their kinds",
        commands=("drift",),
    ),
    Option(
        name="ignore",
        flags=("--ignore",),
        variable="ASRNET_IGNORE",
        group="Safety",
        repeatable=True,
        metavar="KIND",
        help="leave this kind of drift alone, and do not count it",
        commands=("drift",),
    ),
    Option(
        name="fail_on",
        flags=("--fail-on",),
        variable="ASRNET_FAIL_ON",
        group="Safety",
        choices=("error", "warning"),
        help="which findings count as drift beside pending changes",
        commands=("drift",),
    ),
    Option(
        name="parallelism",
        flags=("--parallelism",),
        variable="ASRNET_PARALLELISM",
        group="Pace",
        kind="whole",
        metavar="N",
        at_least=1,
        at_most=64,
        help="requests under way per vault",
        commands=READING,
    ),
    Option(
        name="total_parallelism",
        flags=("--total-parallelism",),
        variable="ASRNET_TOTAL_PARALLELISM",
        group="Pace",
        kind="whole",
        metavar="N",
        at_least=1,
        at_most=256,
        help="requests under way in all",
        commands=READING,
    ),
    Option(
        name="operation_timeout",
        flags=("--operation-timeout",),
        variable="ASRNET_OPERATION_TIMEOUT",
        group="Pace",
        kind="seconds",
        metavar="SECONDS",
        at_least=1,
        help="how long a single change may take in Azure before it is reported as in flight",
        commands=WRITING,
    ),
    Option(
        name="retry_attempts",
        flags=("--retry-attempts",),
        variable="ASRNET_RETRY_ATTEMPTS",
        group="Pace",
        kind="whole",
        metavar="N",
        at_least=1,
        at_most=100,
        help="how often a request is sent at most while Azure is throttling, busy or out of reach; 1 never repeats",
        commands=READING,
    ),
    Option(
        name="retry_deadline",
        flags=("--retry-deadline",),
        variable="ASRNET_RETRY_DEADLINE",
        group="Pace",
        kind="seconds",
        metavar="SECONDS",
        help="how long a request may be repeated",
        commands=READING,
    ),
    _of_emulator("host", "text", "HOST", "the address to listen on"),
    _of_emulator("port", "whole", "PORT", "the port for HTTP; 0 picks a free one"),
    _of_emulator("tls_port", "whole", "PORT", "the port for HTTPS; 0 picks a free one"),
    _of_emulator("tls_cert", "text", "PATH", "a certificate of your own, instead of one made at start"),
    _of_emulator("tls_key", "text", "PATH", "the certificate's key"),
    _of_emulator("seed", "text", "WORLD", "the world to start with"),
    _of_emulator("state", "text", "WORLD", "start with this world if it exists, and save the world there at the end"),
    _of_emulator("operations", "text", "TIMING", "how long operations take: time:SECONDS, immediate, or manual:READS"),
    _of_emulator("retry_after", "whole", "SECONDS", "what accepted writes and status answers say in Retry-After"),
    _of_emulator("latency", "whole", "MILLISECONDS", "how long every request takes at least"),
    _of_emulator("page_size", "whole", "N", "how many elements a page of a list has"),
    _of_emulator("capture", "text", "FOLDER", "write every request and answer there, without tokens"),
    _of_emulator("no_auth", "flag", "", "answer requests without a bearer token"),
    _of_emulator(
        "allow_remote", "flag", "", "listen on other addresses than this machine's own: any credential is taken there"
    ),
)

VARIABLES: Final = (
    Variable(name="AZURE_TENANT_ID", help="the tenant to sign in to"),
    Variable(name="AZURE_CLIENT_ID", help="the application, or the user-assigned managed identity, to sign in as"),
    Variable(name="AZURE_CLIENT_SECRET", help="the application's secret", secret=True),
    Variable(name="AZURE_CLIENT_CERTIFICATE_PATH", help="the application's certificate, instead of a secret"),
    Variable(name="AZURE_CLIENT_CERTIFICATE_PASSWORD", help="the certificate's password", secret=True),
    Variable(name="AZURE_FEDERATED_TOKEN_FILE", help="the token of a workload identity, instead of a secret"),
    Variable(name="AZURE_AUTHORITY_HOST", help="another authority than the cloud's own"),
    Variable(
        name="AZURE_TOKEN_CREDENTIALS",
        help="dev, prod or the name of a credential of azure-identity, where --credential is absent",
    ),
    Variable(name="ARM_TENANT_ID", help="Terraform's names are read where the AZURE_ ones are not complete"),
    Variable(name="ARM_CLIENT_ID", help="as AZURE_CLIENT_ID"),
    Variable(name="ARM_CLIENT_SECRET", help="as AZURE_CLIENT_SECRET", secret=True),
    Variable(name="ARM_CLIENT_CERTIFICATE_PATH", help="as AZURE_CLIENT_CERTIFICATE_PATH"),
    Variable(name="ARM_CLIENT_CERTIFICATE_PASSWORD", help="as AZURE_CLIENT_CERTIFICATE_PASSWORD", secret=True),
    Variable(name="ARM_ENVIRONMENT", help="public, usgovernment or china, where there is no desired state to say it"),
    Variable(name="ARM_USE_OIDC", help="true: sign in with one of the tokens below"),
    Variable(name="ARM_OIDC_TOKEN", help="a federated token", secret=True),
    Variable(name="ARM_OIDC_TOKEN_FILE_PATH", help="the file of a federated token"),
    Variable(name="ARM_OIDC_REQUEST_URL", help="where a GitHub workflow requests an ID token"),
    Variable(name="ARM_OIDC_REQUEST_TOKEN", help="what it requests the ID token with", secret=True),
    Variable(name="ACTIONS_ID_TOKEN_REQUEST_URL", help="GitHub's own name of ARM_OIDC_REQUEST_URL"),
    Variable(name="ACTIONS_ID_TOKEN_REQUEST_TOKEN", help="GitHub's own name of ARM_OIDC_REQUEST_TOKEN", secret=True),
    Variable(name="NO_COLOR", help="set to anything: no colours", identity=False),
    Variable(
        name="GITHUB_WORKSPACE", help="the checkout of a GitHub workflow, from which annotations count", identity=False
    ),
    Variable(name="GITHUB_STEP_SUMMARY", help="the file of the step's summary in a GitHub workflow", identity=False),
    Variable(name="GITHUB_OUTPUT", help="the file of the step's outputs in a GitHub workflow", identity=False),
)

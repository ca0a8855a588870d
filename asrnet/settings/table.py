"""The table of all options, from which the argument parsers, the variables, ``.env.example`` and the docs are made.

An option is a field of ``Settings``, or of one command's settings. The field gives its type and default, and ``Option``
the rest.
"""

# No "from __future__ import annotations" here: the annotations are the table, read as objects at import.

from collections.abc import Callable, Iterator, Mapping
from types import UnionType
from typing import Annotated, Any, Final, Literal, get_args, get_origin

from msgspec import NODEFAULT, Struct, structs

from asrnet.model.limits import FORCEABLE, MachinesMode
from asrnet.settings import values
from asrnet.settings.values import ApiVersion, Output, Shard

Kind = Literal["text", "flag", "count", "whole", "seconds"]
Group = Literal["", "Input", "Azure", "Output", "Safety", "Pace", "Emulator"]
Task = Literal["plan", "apply", "machines", "create-networks", "landing-zones", "prune", "nics"]
"""The tasks that a custom role can be made for."""

WRITING: Final = ("apply", "drift", "map")
"""The commands that change something in Azure."""
READING: Final = (*WRITING, "plan", "show", "dump", "predict", "targets", "doctor", "init")
"""The commands that talk to Azure or a fake, including those that write."""
_SELECTING: Final = tuple(name for name in READING if name not in {"map", "init"})

# Why a .env in the working directory cannot set an option, as the warning says it.
IDENTITY: Final = "cannot set where and as whom to sign in"
_FILES: Final = "cannot set which files are written"
_CONSENT: Final = "cannot set what may be changed, or changed without asking"
_OPEN: Final = "cannot open the emulator to the network"


DEFAULT_FILE: Final = "asrnet.yaml"
"""The desired state that is used unless another is named."""


class Option(Struct, frozen=True, kw_only=True):
    """An option or positional argument: its meaning, its spelling, and the commands that have it.

    ``commands`` is empty for an option of all commands. ``at_least`` and ``at_most`` bound numbers. ``parse`` turns the
    text into the value. ``barred`` is the reason why a ``.env`` in the working directory cannot set the option.
    ``reads`` describes the input file that it names, and ``writes`` marks an output file. Options with the same
    ``alternative`` exclude each other. ``bare`` is the value of an option that is given without one.

    This module fills in the last six fields from the field of the settings.
    """

    help: str
    group: Group = ""
    short: str = ""
    flag: str = ""
    positional: bool = False
    metavar: str = ""
    choices: tuple[str, ...] = ()
    at_least: float = 0
    at_most: float = float("inf")
    counts: bool = False
    parse: Callable[[str], object] = str
    commands: tuple[str, ...] = ()
    barred: str = ""
    reads: str = ""
    writes: bool = False
    alternative: str = ""
    bare: str | None = None
    variable: str = ""
    name: str = ""
    kind: Kind = "text"
    repeatable: bool = False
    required: bool = False
    default: Any = None

    @property
    def flags(self) -> tuple[str, ...]:
        """The spellings on the command line, the long one last; none for a positional argument."""
        return () if self.positional else tuple(filter(None, (self.short, self.flag)))

    @property
    def spelling(self) -> str:
        """The option's name in messages about a value from the command line."""
        return self.metavar if self.positional else self.flag

    @property
    def default_text(self) -> str:
        """The default as text, or an empty string without one."""
        if self.default in (None, ()):
            return ""
        if isinstance(self.default, bool):
            return str(self.default).lower()
        return f"{self.default:g}" if isinstance(self.default, float) else str(self.default)

    def is_of(self, command: str) -> bool:
        """Whether a command has this option."""
        return not self.commands or command in self.commands

    @property
    def is_dangerous(self) -> bool:
        """Whether the option lifts a safeguard. Such options are never suggested in error messages."""
        return self.barred in {_CONSENT, _OPEN}


class Settings(Struct, frozen=True, kw_only=True):
    """The options that several commands have. Times are in seconds.

    ``variables`` has the variables of other tools that are set, by name. ``warnings`` are messages for the user.
    ``sources`` has the flag or variable of each value that is not a default. ``is_file_from_above``: the desired state
    was found in a folder above the working directory.
    """

    file: Annotated[
        str,
        Option(
            help="the desired state: a file, or a folder whose YAML and JSON files are merged; without it the nearest "
            "asrnet.yaml, here or above within the Git repository",
            group="Input",
            short="-f",
            metavar="PATH",
            commands=(*_SELECTING, "map", "validate", "permissions"),
            reads="the desired state",
        ),
    ] = DEFAULT_FILE
    vault: Annotated[
        tuple[str, ...],
        Option(
            help="only this vault of the desired state, by its name or its full id",
            group="Input",
            metavar="NAME|ID",
            commands=(*READING, "permissions"),
        ),
    ] = ()
    pair: Annotated[
        tuple[str, ...],
        Option(help="only this pair of the desired state", group="Input", metavar="NAME", commands=_SELECTING),
    ] = ()
    machine: Annotated[
        tuple[str, ...],
        Option(
            help="only this machine and the pair that it belongs to, by the name that the vault shows",
            group="Input",
            metavar="NAME",
            commands=("plan", "apply", "drift"),
        ),
    ] = ()
    shard: Annotated[
        Shard | None,
        Option(
            help="only part I of N of the vaults, for parallel runs; the same file is always split in the same way",
            group="Input",
            metavar="I/N",
            parse=values.shard,
            commands=_SELECTING,
        ),
    ] = None
    topology: Annotated[
        str | None,
        Option(
            help="a VMM topology (logical networks, clouds, hosts) to use instead of the desired state's",
            group="Input",
            metavar="PATH",
            commands=("predict", "targets"),
            reads="the topology",
        ),
    ] = None
    env_file: Annotated[
        str | None,
        Option(
            help="read variables from this file instead of .env; it may also set those marked [!] in .env.example",
            group="Input",
            metavar="PATH",
            barred=IDENTITY,
            reads="the file of variables",
        ),
    ] = None
    backend: Annotated[
        str,
        Option(
            help="Azure itself, or the fake world in a file, which apply rewrites",
            group="Azure",
            metavar="azure|fake:WORLD",
            parse=values.backend,
            commands=READING,
            barred=IDENTITY,
        ),
    ] = "azure"
    endpoint: Annotated[
        str | None,
        Option(
            help="the Azure Resource Manager to use instead of the cloud's, as the emulator; http on loopback only",
            group="Azure",
            metavar="URL",
            parse=values.endpoint,
            commands=READING,
            barred=IDENTITY,
        ),
    ] = None
    credential: Annotated[
        str | None,
        Option(
            help="the credential to sign in with; without it AZURE_TOKEN_CREDENTIALS or azure-identity decides",
            group="Azure",
            metavar="NAME",
            commands=READING,
            barred=IDENTITY,
        ),
    ] = None
    inventory: Annotated[
        Literal["network", "graph"],
        Option(
            help="where virtual networks are read from: Microsoft.Network, which is exact, or Resource Graph, which is "
            "fast and may lag a little",
            group="Azure",
            commands=READING,
        ),
    ] = "network"
    api_version: Annotated[
        tuple[ApiVersion, ...],
        Option(
            help="the API version to request from a provider, if the cloud does not offer the usual one; see doctor",
            group="Azure",
            metavar="PROVIDER=VERSION",
            parse=values.api_version,
            commands=READING,
        ),
    ] = ()
    output: Annotated[
        tuple[Output, ...],
        Option(
            help="the format of the result; to standard output or to a file",
            group="Output",
            short="-o",
            metavar="FORMAT[=PATH]",
            parse=values.output,
            commands=(*WRITING, "plan", "show", "predict", "targets", "doctor", "explain", "validate"),
            barred=_FILES,
            writes=True,
        ),
    ] = ()
    verbose: Annotated[
        int,
        Option(
            help="log more to standard error; -vv: every request; -vvv: also its headers",
            group="Output",
            short="-v",
            counts=True,
            at_most=3,
        ),
    ] = 0
    quiet: Annotated[
        bool,
        Option(help="log only errors to standard error, no progress or remarks", group="Output", short="-q"),
    ] = False
    log_format: Annotated[
        Literal["text", "json"],
        Option(help="the format of messages on standard error", group="Output"),
    ] = "text"
    audit: Annotated[
        str | None,
        Option(
            help="append a JSON line for each write: who, what, before, after, the job, the command that undoes it",
            group="Output",
            metavar="PATH",
            commands=WRITING,
            barred=_FILES,
            writes=True,
        ),
    ] = None
    yes: Annotated[
        bool,
        Option(help="apply without asking", group="Safety", short="-y", commands=WRITING, barred=_CONSENT),
    ] = False
    allow_delete: Annotated[
        bool,
        Option(
            help="delete unmanaged mappings of vaults with unmanaged: delete, up to max_deletes",
            group="Safety",
            commands=("plan", "apply", "drift"),
            barred=_CONSENT,
        ),
    ] = False
    machines: Annotated[
        str | None,
        Option(
            help="point the protected machines of pairs at the pair's networks (follow), or only report them, whatever "
            "the desired state says",
            group="Safety",
            choices=get_args(MachinesMode),
            commands=("plan", *WRITING),
            barred=_CONSENT,
        ),
    ] = None
    force: Annotated[
        tuple[str, ...],
        Option(
            help="lift this limit or safeguard",
            group="Safety",
            metavar="NAME",
            choices=FORCEABLE,
            commands=("plan", "predict", *WRITING),
            barred=_CONSENT,
        ),
    ] = ()
    parallelism: Annotated[
        int,
        Option(
            help="requests in flight per vault", group="Pace", metavar="N", at_least=1, at_most=64, commands=READING
        ),
    ] = 4
    total_parallelism: Annotated[
        int,
        Option(
            help="requests in flight in total", group="Pace", metavar="N", at_least=1, at_most=256, commands=READING
        ),
    ] = 8
    operation_timeout: Annotated[
        float,
        Option(
            help="how long a single change may take in Azure before it is reported as in flight",
            group="Pace",
            metavar="SECONDS",
            at_least=1,
            commands=WRITING,
        ),
    ] = 1800.0
    retry_attempts: Annotated[
        int,
        Option(
            help="the most attempts of a request while Azure is busy or unreachable; 1: no retry. "
            "Throttled requests are retried until --retry-deadline",
            group="Pace",
            metavar="N",
            at_least=1,
            at_most=100,
            commands=READING,
        ),
    ] = 10
    retry_deadline: Annotated[
        float,
        Option(help="how long a request is retried", group="Pace", metavar="SECONDS", commands=READING),
    ] = 300.0
    variables: Mapping[str, str] = {}
    warnings: tuple[str, ...] = ()
    sources: Mapping[str, str] = {}
    is_file_from_above: bool = False

    @property
    def world(self) -> str | None:
        """The file of the fake world to work on; None for the real Azure."""
        return self.backend.removeprefix("fake:") if self.backend.startswith("fake:") else None

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that must never be shown."""
        return tuple(
            self.variables[variable.name]
            for variable in VARIABLES
            if variable.secret and variable.name in self.variables
        )

    def source(self, name: str) -> str:
        """The flag or the variable with which the option ``name`` was given, for messages."""
        return self.sources.get(name) or next(option.spelling for option in OPTIONS if option.name == name)

    def __repr__(self) -> str:
        secret = {variable.name for variable in VARIABLES if variable.secret}
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        fields["variables"] = {name: "***" if name in secret else text for name, text in self.variables.items()}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in fields.items())})"


class InitSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet init`` takes."""

    out: Annotated[
        str, Option(help="the file to write, which must not exist", metavar="PATH", barred=_FILES, writes=True)
    ] = DEFAULT_FILE


class DemoSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet demo`` takes."""

    out: Annotated[
        str | None,
        Option(
            help="write asrnet.yaml and world.yaml to this folder and play nothing",
            metavar="FOLDER",
            barred=_FILES,
            writes=True,
        ),
    ] = None


class PlanSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet plan`` takes."""

    out: Annotated[
        str | None,
        Option(help="save the plan, for: asrnet apply PLANFILE", metavar="PATH", barred=_FILES, writes=True),
    ] = None
    detailed_exitcode: Annotated[bool, Option(help="exit 2, not 0, when changes are pending or a pair is blocked")] = (
        False
    )


class ApplySettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet apply`` takes."""

    planfile: Annotated[
        str | None,
        Option(help="a plan saved by asrnet plan --out", positional=True, metavar="PLANFILE", reads="the saved plan"),
    ] = None


class DriftSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet drift`` takes."""

    correct: Annotated[bool, Option(help="correct what may be corrected, then plan again", barred=_CONSENT)] = False
    only: Annotated[
        tuple[str, ...],
        Option(
            help="report, count and correct only this kind of drift, such as half_pair; each finding names its kind",
            group="Safety",
            metavar="KIND",
            parse=values.finding_kind,
            variable="ASRNET_ONLY",
        ),
    ] = ()
    ignore: Annotated[
        tuple[str, ...],
        Option(
            help="neither correct nor count this kind of drift",
            group="Safety",
            metavar="KIND",
            parse=values.finding_kind,
            variable="ASRNET_IGNORE",
        ),
    ] = ()
    fail_on: Annotated[
        Literal["error", "warning"],
        Option(help="which findings count as drift besides pending changes", group="Safety", variable="ASRNET_FAIL_ON"),
    ] = "error"


class MapSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet map`` takes."""

    primary: Annotated[
        str,
        Option(help="the network: a full id, or alias/resource group/name", positional=True, metavar="PRIMARY"),
    ]
    to: Annotated[str, Option(help="the recovery region", metavar="REGION")]
    recovery: Annotated[str | None, Option(help="the recovery network, in the recovery region", metavar="NETWORK")] = (
        None
    )
    retarget: Annotated[bool, Option(help="change a mapping that leads to another network", barred=_CONSENT)] = False


class PredictSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet predict`` takes."""

    names: Annotated[tuple[str, ...], Option(help="only these machines fail over", positional=True, metavar="VM")] = ()
    failover: Annotated[bool, Option(help="predict a failover, which is the default", alternative="operation")] = False
    test_failover: Annotated[
        str | None,
        Option(
            help="predict a test failover, into NETWORK if one is given; write machines before this option",
            metavar="NETWORK",
            bare="",
            alternative="operation",
        ),
    ] = None
    failback: Annotated[bool, Option(help="predict the failback after a failover", alternative="operation")] = False
    machines: Annotated[
        str | None,
        Option(
            help="take the machines from a list, in YAML, JSON or CSV",
            metavar="PATH",
            reads="the list of machines",
            alternative="machines",
        ),
    ] = None
    all_subnets: Annotated[
        bool,
        Option(help="assume a machine in every subnet of every primary network", alternative="machines"),
    ] = False
    to: Annotated[
        str | None,
        Option(
            help="where machines of a list or of --all-subnets fail over to, if their network is mapped to several "
            "regions",
            metavar="REGION",
        ),
    ] = None
    planned: Annotated[
        bool, Option(help="predict for after asrnet apply, and show beside it where machines land now")
    ] = False
    follow: Annotated[
        bool, Option(help="with --planned: predict as if the plan were applied with --machines follow")
    ] = False
    nics: Annotated[
        bool,
        Option(
            help="also compare the machines' NICs with their replicas': security group, public address, load balancer, "
            "accelerated networking, primary address, DNS"
        ),
    ] = False
    fail_on: Annotated[
        Literal["warning", "lost"] | None,
        Option(help="exit 2 when an address loses its connectivity (lost), or also on a warning (warning)"),
    ] = None


class TargetsSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet targets`` takes."""

    primary_network: Annotated[
        str | None,
        Option(help="only clouds that use this VM network: its name, SERVER/NAME or its id", metavar="NAME"),
    ] = None
    recovery_network: Annotated[str | None, Option(help="only this VM network as a target", metavar="NAME")] = None


class DumpSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet dump`` takes."""

    format: Annotated[
        Literal["asrnet", "world", "terraform", "bicep", "az"],
        Option(help="a desired state, a world, or the mappings for Terraform, Bicep or az"),
    ] = "asrnet"
    accept_halves: Annotated[
        bool,
        Option(
            help="write pairs with one mapping as they are (failback: none); otherwise the next plan completes them"
        ),
    ] = False
    nics: Annotated[
        bool, Option(help="also write the machines' network interfaces into a world, for predict --nics")
    ] = False
    out: Annotated[
        str | None,
        Option(help="the file to write; standard output without it", metavar="PATH", barred=_FILES, writes=True),
    ] = None


class ValidateSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet validate`` takes."""

    paths: Annotated[
        tuple[str, ...],
        Option(
            help="files or folders (default: the file of --file)",
            positional=True,
            metavar="PATH",
            reads="a file to validate",
        ),
    ] = ()
    worlds: Annotated[bool, Option(help="the files are worlds", flag="--world")] = False


class DoctorSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet doctor`` takes."""

    task: Annotated[
        Task | None, Option(help="fail if rights for this task are missing", flag="--for", metavar="TASK")
    ] = None


class ExplainSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet explain`` takes."""

    word: Annotated[
        str | None,
        Option(help="what to explain, such as half_pair; without it, every word", positional=True, metavar="WORD"),
    ] = None


class CompletionSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet completion`` takes."""

    shell: Annotated[Literal["bash", "zsh", "fish"], Option(help="the shell", positional=True, metavar="SHELL")]


class PermissionsSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet permissions`` takes."""

    task: Annotated[Task, Option(help="the task that the role is for", flag="--for", metavar="TASK")] = "apply"
    minimal: Annotated[bool, Option(help="leave out the rights that only save time")] = False
    name: Annotated[str | None, Option(help="the name of the role (default: asrnet and the task)", metavar="NAME")] = (
        None
    )
    out: Annotated[
        str | None,
        Option(help="the file to write; standard output without it", metavar="PATH", barred=_FILES, writes=True),
    ] = None


class SchemaSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet schema`` takes."""

    kind: Annotated[str, Option(help="what to print the schema of", positional=True, metavar="KIND")] = "desired"


class EmulatorSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet emulator`` takes. ``latency`` is in milliseconds."""

    host: Annotated[str, Option(help="the address to listen on", group="Emulator", metavar="HOST", barred=_OPEN)] = (
        "127.0.0.1"
    )
    port: Annotated[
        int, Option(help="the port for HTTP; 0 picks a free one", group="Emulator", metavar="PORT", at_most=65_535)
    ] = 4590
    tls_port: Annotated[
        int, Option(help="the port for HTTPS; 0 picks a free one", group="Emulator", metavar="PORT", at_most=65_535)
    ] = 4591
    tls_cert: Annotated[
        str | None,
        Option(
            help="a certificate of your own, instead of one made at start",
            group="Emulator",
            metavar="PATH",
            reads="the certificate",
        ),
    ] = None
    tls_key: Annotated[
        str | None,
        Option(help="the certificate's key", group="Emulator", metavar="PATH", reads="the certificate's key"),
    ] = None
    seed: Annotated[
        str | None,
        Option(help="the world to start with", group="Emulator", metavar="WORLD", reads="the seed"),
    ] = None
    state: Annotated[
        str | None,
        Option(
            help="start with this world if the file exists, and save the world to it at the end",
            group="Emulator",
            metavar="WORLD",
            barred=_FILES,
            writes=True,
        ),
    ] = None
    operations: Annotated[
        str | None,
        Option(
            help="how long operations take: time:SECONDS, immediate, or manual:READS",
            group="Emulator",
            metavar="TIMING",
        ),
    ] = None
    retry_after: Annotated[
        int | None,
        Option(
            help="the Retry-After of accepted writes and of status answers",
            group="Emulator",
            metavar="SECONDS",
            at_most=1_000_000_000,
        ),
    ] = None
    latency: Annotated[
        int | None,
        Option(
            help="the least time that a request takes",
            group="Emulator",
            metavar="MILLISECONDS",
            at_most=1_000_000_000,
        ),
    ] = None
    page_size: Annotated[
        int | None,
        Option(
            help="the number of elements per page of a list",
            group="Emulator",
            metavar="N",
            at_least=1,
            at_most=1_000_000_000,
        ),
    ] = None
    capture: Annotated[
        str | None,
        Option(
            help="write every request and answer to this folder, without tokens",
            group="Emulator",
            metavar="FOLDER",
            barred=_FILES,
            writes=True,
        ),
    ] = None
    no_auth: Annotated[bool, Option(help="answer requests without a bearer token", group="Emulator")] = False
    allow_remote: Annotated[
        bool,
        Option(
            help="listen on addresses that other machines can reach; beware: any credential is accepted",
            group="Emulator",
            barred=_OPEN,
        ),
    ] = False


SETTINGS: Final[Mapping[str, type[Settings]]] = {
    "demo": DemoSettings,
    "init": InitSettings,
    "plan": PlanSettings,
    "apply": ApplySettings,
    "drift": DriftSettings,
    "map": MapSettings,
    "predict": PredictSettings,
    "targets": TargetsSettings,
    "show": Settings,
    "dump": DumpSettings,
    "validate": ValidateSettings,
    "doctor": DoctorSettings,
    "explain": ExplainSettings,
    "permissions": PermissionsSettings,
    "schema": SchemaSettings,
    "completion": CompletionSettings,
    "emulator": EmulatorSettings,
}
"""The settings of each command."""


class Variable(Struct, frozen=True, kw_only=True):
    """A variable of other tools that asrnet reads.

    ``identity``: it decides where or as whom to sign in. ``reads``: it names a file that is read.
    """

    name: str
    help: str
    secret: bool = False
    identity: bool = True
    reads: bool = False


VARIABLES: Final = (
    Variable(name="AZURE_TENANT_ID", help="the tenant to sign in to"),
    Variable(name="AZURE_CLIENT_ID", help="the application, or the user-assigned managed identity, to sign in as"),
    Variable(name="AZURE_CLIENT_SECRET", help="the application's secret", secret=True),
    Variable(
        name="AZURE_CLIENT_CERTIFICATE_PATH", help="the application's certificate, instead of a secret", reads=True
    ),
    Variable(name="AZURE_CLIENT_CERTIFICATE_PASSWORD", help="the certificate's password", secret=True),
    Variable(
        name="AZURE_FEDERATED_TOKEN_FILE", help="the token of a workload identity, instead of a secret", reads=True
    ),
    Variable(name="AZURE_AUTHORITY_HOST", help="an authority to use instead of the cloud's own"),
    Variable(
        name="AZURE_TOKEN_CREDENTIALS",
        help="dev, prod or the name of a credential of azure-identity, if --credential is not given",
    ),
    Variable(name="ARM_TENANT_ID", help="Terraform's names are used if the AZURE_ variables are incomplete"),
    Variable(name="ARM_CLIENT_ID", help="as AZURE_CLIENT_ID"),
    Variable(name="ARM_CLIENT_SECRET", help="as AZURE_CLIENT_SECRET", secret=True),
    Variable(name="ARM_CLIENT_CERTIFICATE_PATH", help="as AZURE_CLIENT_CERTIFICATE_PATH", reads=True),
    Variable(name="ARM_CLIENT_CERTIFICATE_PASSWORD", help="as AZURE_CLIENT_CERTIFICATE_PASSWORD", secret=True),
    Variable(name="ARM_ENVIRONMENT", help="public, usgovernment or china, if no desired state names the cloud"),
    Variable(name="ARM_USE_OIDC", help="true: sign in with one of the tokens below"),
    Variable(name="ARM_OIDC_TOKEN", help="a federated token", secret=True),
    Variable(name="ARM_OIDC_TOKEN_FILE_PATH", help="the file of a federated token", reads=True),
    Variable(name="ARM_OIDC_REQUEST_URL", help="where a GitHub workflow requests an ID token"),
    Variable(name="ARM_OIDC_REQUEST_TOKEN", help="the bearer token for that request", secret=True),
    Variable(name="ACTIONS_ID_TOKEN_REQUEST_URL", help="GitHub's own name of ARM_OIDC_REQUEST_URL"),
    Variable(name="ACTIONS_ID_TOKEN_REQUEST_TOKEN", help="GitHub's own name of ARM_OIDC_REQUEST_TOKEN", secret=True),
    Variable(name="NO_COLOR", help="set to anything: no colours", identity=False),
    Variable(name="FORCE_COLOR", help="set to anything but 0: colours even where there is no terminal", identity=False),
    Variable(name="CLICOLOR_FORCE", help="as FORCE_COLOR", identity=False),
    Variable(
        name="GITHUB_WORKSPACE",
        help="the checkout of a GitHub workflow; annotations name files within it",
        identity=False,
    ),
    Variable(name="GITHUB_STEP_SUMMARY", help="the file of the step's summary in a GitHub workflow", identity=False),
    Variable(name="GITHUB_OUTPUT", help="the file of the step's outputs in a GitHub workflow", identity=False),
)


def _options(settings: type[Settings], command: str = "") -> Iterator[Option]:
    """The options that the class itself declares, completed by the name, type and default of each field."""
    defaults = settings.__struct_defaults__
    default_of = dict(zip(settings.__struct_fields__[-len(defaults) :], defaults, strict=True))
    for name, annotation in settings.__annotations__.items():
        option = next((part for part in getattr(annotation, "__metadata__", ()) if isinstance(part, Option)), None)
        if option is None:
            continue
        kind, repeatable, choices = _value_type(annotation.__origin__)
        default = default_of.get(name, NODEFAULT)
        flag = option.flag or f"--{name.replace('_', '-')}"
        variable = option.variable or "_".join(filter(None, ("ASRNET", command, flag[2:]))).replace("-", "_").upper()
        yield structs.replace(
            option,
            name=name,
            flag="" if option.positional else flag,
            # Positional arguments have no variable: they are what a single run is about.
            variable="" if option.positional else variable,
            commands=(command,) if command else option.commands,
            kind="count" if option.counts else kind,
            repeatable=repeatable,
            choices=option.choices or choices,
            required=default is NODEFAULT,
            default=None if default is NODEFAULT else default,
        )


def _value_type(declared: Any) -> tuple[Kind, bool, tuple[str, ...]]:
    """The kind of a field's values, whether the option can be repeated, and its choices."""
    if get_origin(declared) is UnionType or type(None) in get_args(declared):
        declared, *_ = (part for part in get_args(declared) if part is not type(None))
    if get_origin(declared) is Literal:
        return "text", False, get_args(declared)
    kinds: dict[Any, Kind] = {bool: "flag", int: "whole", float: "seconds"}
    return kinds.get(declared, "text"), get_origin(declared) is tuple, ()


_SHARED: Final = tuple(_options(Settings))
OPTIONS: Final = (
    *_SHARED,
    *(
        option
        for command, settings in SETTINGS.items()
        if settings is not Settings
        for option in _options(settings, command)
    ),
)
"""Every option and positional argument of every command."""


def options_of(command: str) -> tuple[Option, ...]:
    """The options and positional arguments of ``command``; for an empty name, the shared ones."""
    return tuple(option for option in OPTIONS if option.is_of(command)) if command else _SHARED

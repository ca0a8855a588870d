"""The table of all options, from which the argument parsers, the variables, ``.env.example`` and the docs are made.

An option is a field of ``Settings``, or of one command's settings in ``changes``, ``readings`` or ``tools``. The field
gives its type and default, and ``Option`` the rest.
"""

# No "from __future__ import annotations" here: the annotations are the table, read as objects at import.

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib import import_module
from types import UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from msgspec import NODEFAULT, Struct, structs

from asrnet.model.limits import FORCEABLE, MachinesMode
from asrnet.settings import values
from asrnet.settings.values import ApiVersion, Output, Shard

Kind = Literal["text", "flag", "count", "whole", "seconds"]
Group = Literal["", "Input", "Azure", "Output", "Safety", "Pace", "Emulator"]

WRITING: Final = ("apply", "drift", "map")
"""The commands that change something in Azure."""
READING: Final = (*WRITING, "plan", "show", "dump", "predict", "targets", "doctor", "init")
"""The commands that talk to Azure or a fake, including those that write."""
_SELECTING: Final = tuple(name for name in READING if name not in {"map", "init"})

# Why a .env in the working directory cannot set an option, in the words of the warning.
IDENTITY: Final = "cannot set where and as whom to sign in"
FILES: Final = "cannot set which files are written"
CONSENT: Final = "cannot set what may be changed, and whether asrnet asks"
OPEN: Final = "cannot open the emulator to the network"


DEFAULT_FILE: Final = "asrnet.yaml"
"""The desired state that is used unless another is named."""


class Option(Struct, frozen=True, kw_only=True):
    """An option or positional argument: its meaning, its spelling, and the commands that have it.

    ``commands`` is empty for an option of all commands. ``at_least`` and ``at_most`` bound numbers. ``parse`` turns the
    text into the value. ``barred`` is the reason why a ``.env`` in the working directory cannot set the option.
    ``reads`` describes the input file that it names, which is read ``instead_of`` that of another option, and
    ``writes`` marks an output file. Options with the same ``alternative`` exclude each other. ``bare`` is the value of
    an option that is given without a value.

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
    instead_of: str = ""
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

    def belongs_to(self, command: str) -> bool:
        """Whether a command has this option."""
        return not self.commands or command in self.commands

    @property
    def is_dangerous(self) -> bool:
        """Whether the option lifts a safeguard. Such options are never suggested in error messages."""
        return self.barred in {CONSENT, OPEN}


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
            help="only this machine, by the name that the vault shows, and the pair that it belongs to",
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
            help="the Azure Resource Manager to use instead of the cloud's, such as an emulator; http on loopback only",
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
            barred=FILES,
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
            barred=FILES,
            writes=True,
        ),
    ] = None
    yes: Annotated[
        bool,
        Option(help="apply without asking", group="Safety", short="-y", commands=WRITING, barred=CONSENT),
    ] = False
    allow_delete: Annotated[
        bool,
        Option(
            help="delete unmanaged mappings of vaults with unmanaged: delete, up to max_deletes",
            group="Safety",
            commands=("plan", "apply", "drift"),
            barred=CONSENT,
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
            barred=CONSENT,
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
            barred=CONSENT,
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
    # In recordings, operations on mappings took up to 4 seconds, and those on fabrics up to 84.
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

    @property
    def changes_azure(self) -> bool:
        """Whether the command may change something in Azure."""
        return False

    @property
    def warnings_count(self) -> bool:
        """Whether warnings count as drift."""
        return False

    def source(self, name: str) -> str:
        """The flag or the variable with which the option ``name`` was given, for messages."""
        if name in self.sources:
            return self.sources[name]
        shared = [option.spelling for option in options_of("") if option.name == name]
        return shared[0] if shared else next(option.spelling for option in all_options() if option.name == name)

    def __repr__(self) -> str:
        secret = {variable.name for variable in VARIABLES if variable.secret}
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        fields["variables"] = {name: "***" if name in secret else text for name, text in self.variables.items()}
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in fields.items())})"


MODULES: Final[Mapping[str, str]] = {
    "demo": "tools",
    "init": "tools",
    "plan": "changes",
    "apply": "changes",
    "drift": "changes",
    "map": "changes",
    "predict": "readings",
    "targets": "readings",
    "dump": "readings",
    "validate": "readings",
    "doctor": "readings",
    "explain": "tools",
    "permissions": "tools",
    "schema": "tools",
    "completion": "tools",
    "emulator": "tools",
}
"""The commands that have options of their own, each with the module of ``asrnet.settings`` that declares them.

A module is imported when one of its commands runs: the options of all commands take 3 ms, those of one module 0.5 ms.
"""


def settings_of(command: str) -> type[Settings]:
    """The settings of ``command``: the shared ones, unless it has options of its own."""
    if command not in MODULES:
        return Settings
    module: Any = import_module(f"asrnet.settings.{MODULES[command]}")
    settings: type[Settings] = getattr(module, f"{command.capitalize()}Settings")
    return settings


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
    Variable(name="FORCE_COLOR", help="set to anything but 0: colours even if there is no terminal", identity=False),
    Variable(name="CLICOLOR_FORCE", help="as FORCE_COLOR", identity=False),
    Variable(
        name="GITHUB_WORKSPACE",
        help="the checkout of a GitHub workflow; annotations name files within it",
        identity=False,
    ),
    Variable(name="GITHUB_STEP_SUMMARY", help="the file of the step's summary in a GitHub workflow", identity=False),
    Variable(name="GITHUB_OUTPUT", help="the file of the step's outputs in a GitHub workflow", identity=False),
    Variable(name="REQUESTS_CA_BUNDLE", help="the root certificates for HTTPS connections", identity=False, reads=True),
    Variable(name="CURL_CA_BUNDLE", help="the same, if REQUESTS_CA_BUNDLE is not set", identity=False, reads=True),
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
    if get_origin(declared) in {UnionType, Union}:
        declared, *_ = (part for part in get_args(declared) if part is not type(None))
    if get_origin(declared) is Literal:
        return "text", False, get_args(declared)
    kinds: dict[Any, Kind] = {bool: "flag", int: "whole", float: "seconds"}
    return kinds.get(declared, "text"), get_origin(declared) is tuple, ()


@cache
def options_of(command: str) -> tuple[Option, ...]:
    """The options and positional arguments of ``command``; for an empty name, the shared ones."""
    if not command:
        return tuple(_options(Settings))
    command_options = _options(settings_of(command), command) if command in MODULES else ()
    return (*(option for option in options_of("") if option.belongs_to(command)), *command_options)


@cache
def all_options() -> tuple[Option, ...]:
    """Every option and positional argument of every command."""
    of_commands = (option for command in MODULES for option in _options(settings_of(command), command))
    return (*options_of(""), *of_commands)

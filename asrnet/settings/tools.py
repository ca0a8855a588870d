"""The options of demo, init, explain, permissions, schema, completion and emulator."""

# No "from __future__ import annotations" here: the annotations are the table, read as objects.

from typing import Annotated, Literal

from asrnet.model.rights import Task
from asrnet.settings.table import DEFAULT_FILE, FILES, OPEN, Option, Settings


class DemoSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet demo`` takes."""

    out: Annotated[
        str | None,
        Option(
            help="write asrnet.yaml and world.yaml to this folder and play nothing",
            metavar="FOLDER",
            barred=FILES,
            writes=True,
        ),
    ] = None


class InitSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet init`` takes."""

    out: Annotated[
        str, Option(help="the file to write, which must not exist", metavar="PATH", barred=FILES, writes=True)
    ] = DEFAULT_FILE


class ExplainSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet explain`` takes."""

    word: Annotated[
        str | None,
        Option(help="what to explain, such as half_pair; without it, every word", positional=True, metavar="WORD"),
    ] = None


class PermissionsSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet permissions`` takes."""

    task: Annotated[Task, Option(help="the task that the role is for", flag="--for", metavar="TASK")] = "apply"
    minimal: Annotated[bool, Option(help="leave out the rights that only save time")] = False
    name: Annotated[str | None, Option(help="the name of the role (default: asrnet and the task)", metavar="NAME")] = (
        None
    )
    out: Annotated[
        str | None,
        Option(help="the file to write; standard output without it", metavar="PATH", barred=FILES, writes=True),
    ] = None


class SchemaSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet schema`` takes."""

    kind: Annotated[str, Option(help="what to print the schema of", positional=True, metavar="KIND")] = "desired"


class CompletionSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet completion`` takes."""

    shell: Annotated[Literal["bash", "zsh", "fish"], Option(help="the shell", positional=True, metavar="SHELL")]


class EmulatorSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet emulator`` takes. ``latency`` is in milliseconds."""

    host: Annotated[str, Option(help="the address to listen on", group="Emulator", metavar="HOST", barred=OPEN)] = (
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
            barred=FILES,
            reads="the state",
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
            barred=FILES,
            writes=True,
        ),
    ] = None
    no_auth: Annotated[bool, Option(help="answer requests without a bearer token", group="Emulator")] = False
    allow_remote: Annotated[
        bool,
        Option(
            help="listen on addresses that other machines can reach; beware: any credential is accepted",
            group="Emulator",
            barred=OPEN,
        ),
    ] = False

"""The options of predict, targets, dump, validate and doctor: the commands that read and report."""

# No "from __future__ import annotations" here: the annotations are the table, read as objects.

from typing import Annotated, Literal

from asrnet.model.rights import Task
from asrnet.settings.table import FILES, Option, Settings


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
        bool, Option(help="predict where machines land after asrnet apply, beside where they land now")
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
        Option(help="the file to write; standard output without it", metavar="PATH", barred=FILES, writes=True),
    ] = None


class DoctorSettings(Settings, frozen=True, kw_only=True):
    """What ``asrnet doctor`` takes."""

    task: Annotated[
        Task | None, Option(help="fail if rights for this task are missing", flag="--for", metavar="TASK")
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
            instead_of="file",
        ),
    ] = ()
    worlds: Annotated[bool, Option(help="the files are worlds", flag="--world")] = False

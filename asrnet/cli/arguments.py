"""The argument parsers, made from the table of options. Options may come before or after the command."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import Any, Final, NoReturn

from msgspec import Struct

from asrnet.cli import streams
from asrnet.cli.commands import COMMANDS, MODULE
from asrnet.errors import InputError, did_you_mean, either, nearest
from asrnet.settings import Option, all_options, options_of

_ACTIONS: Final = {"flag": "store_true", "count": "count"}


class Invocation(Struct, frozen=True):
    """A parsed command line: the command, its module, and the arguments by name."""

    command: str
    module: Any
    arguments: Mapping[str, Any]


class Parser(argparse.ArgumentParser):
    """The parser of a command's ``module``, or of ``asrnet`` itself.

    It raises InputError instead of exiting, so that usage errors exit 1 like all others; argparse's 2 means drift here.
    Help texts are made only when help is requested.
    """

    def __init__(self, program: str, command: str = "", module: ModuleType | None = None) -> None:
        # A fixed width, replaced before help is printed: argparse would query the terminal for each added argument.
        plain = partial(argparse.HelpFormatter, width=80)
        super().__init__(prog=program, allow_abbrev=False, argument_default=argparse.SUPPRESS, formatter_class=plain)
        self._command = command
        self._module = module
        self._described: list[tuple[argparse.Action, Option]] = []

    def describe(self, action: argparse.Action, option: Option) -> None:
        """Use the help text of ``option`` for ``action``."""
        self._described.append((action, option))

    def format_help(self) -> str:
        """The help of the command, or of asrnet."""
        from asrnet.cli import layout

        self.formatter_class = layout.Layout
        for action, option in self._described:
            action.help = help_of(option, self._module)
        if self._module:
            ungrouped = [option for option in options_of(self._command) if not option.group]
            self.usage, self.epilog = layout.usage(self._command, ungrouped), layout.ending(self._module)
            self.description = self._module.__doc__
        else:
            self.usage, self.epilog = "asrnet [options] COMMAND ...", layout.commands(COMMANDS)
            self.description = "Azure Site Recovery network mappings, as pairs: plan, apply, explain."
        return super().format_help()

    def print_help(self, file: object = None) -> None:  # noqa: ARG002 - argparse's signature
        """Write the help to standard output. Unlike argparse, do not ignore a closed standard output."""
        from asrnet.cli import streams

        streams.write(self.format_help())

    def error(self, message: str) -> NoReturn:
        """Refuse a command line."""
        raise InputError(message.removeprefix("argument "), hint=f"see: {self.prog} --help")


def parse(argv: Sequence[str]) -> Invocation:
    """Parse ``argv``. Raises InputError for unknown options and commands, and suggests the nearest known one."""
    _refuse_single_dashes(argv)
    if argv[:1] == ["help"]:
        argv = [*argv[1:2], "--help"]
    # Two steps let options stand before the command and import only that command's module: the main parser takes its
    # options and the command, and the command's parser takes the remaining arguments.
    namespace = argparse.Namespace(command=argv)
    # Most command lines begin with the command. They skip the main parser, which has the options of all commands and
    # costs 4 ms.
    if not argv or argv[0] not in COMMANDS:
        parser = main_parser()
        namespace, unknown = parser.parse_known_args(argv)
        if unknown:
            raise _unknown(unknown[0], parser)
        if not namespace.command:
            raise InputError("a command is missing", hint=f"known commands: {', '.join(COMMANDS)}; see: asrnet --help")
    name, *after = namespace.command
    del namespace.command
    if name not in COMMANDS:
        from asrnet.cli import habits

        if name in habits.NO_COMMANDS:
            raise InputError(f"unknown command '{name}'", hint=habits.NO_COMMANDS[name])
        habit = f"; did you mean '{habits.COMMANDS[name]}'?" if name in habits.COMMANDS else ""
        raise InputError(
            f"unknown command '{name}'{habit or did_you_mean(name, COMMANDS)}",
            hint=f"known commands: {', '.join(COMMANDS)}",
        )
    for given in vars(namespace):  # the options before the command
        same_name = [option for option in all_options() if option.name == given and option.flags]
        if not any(option.is_of(name) for option in same_name):
            raise _foreign(same_name[0].flag, name)
    parser, module = command_parser(name)
    _, unknown = parser.parse_known_args(after, namespace)
    if unknown:
        raise _unknown(unknown[0], parser, name)
    return Invocation(name, module, vars(namespace))


def main_parser() -> Parser:
    """The parser of the arguments before the command, and of ``asrnet --help``."""
    parser = Parser("asrnet")
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show the version and exit")
    # Several commands may have the same flag, which the main parser can have only once. Options with an optional value
    # are left out, because they would take the command for their value.
    by_flag = {option.flag: option for option in reversed(all_options()) if option.flags and option.bare is None}
    _add_options(parser, [option for option in all_options() if by_flag.get(option.flag) is option])
    parser.add_argument("command", nargs="...", help=argparse.SUPPRESS)
    return parser


def command_parser(name: str) -> tuple[Parser, Any]:
    """The parser of the arguments after the command ``name``, and the command's module."""
    module = import_module(MODULE.format(name))
    parser = Parser(f"asrnet {name}", name, module)
    _add_options(parser, options_of(name), command=name)
    return parser, module


def _add_options(parser: Parser, options: Iterable[Option], command: str = "") -> None:
    groups: dict[str, Any] = {"": parser}
    # The command's own options come first, then those that it shares with others.
    for option in sorted(options, key=lambda option: bool(option.group)):
        if option.group not in groups:
            groups[option.group] = parser.add_argument_group(option.group)
        details: dict[str, Any] = {"default": argparse.SUPPRESS, "help": argparse.SUPPRESS}
        if option.kind in _ACTIONS:
            details["action"] = _ACTIONS[option.kind]
        else:
            details["metavar"] = option.metavar or "|".join(option.choices)
        if option.positional:
            details["nargs"] = "*" if option.repeatable else None if option.required else "?"
            action = groups[option.group].add_argument(option.name, **details)
        else:
            if option.repeatable:
                details["action"] = "append"
            if option.bare is not None:
                details |= {"nargs": "?", "const": option.bare}
            action = groups[option.group].add_argument(*option.flags, dest=option.name, **details)
        # All options are accepted before the command, but the general help shows only those that most commands have.
        if command or not option.commands or ("show" in option.commands and option.group not in {"", "Pace"}):
            parser.describe(action, option)


def help_of(option: Option, module: ModuleType | None = None) -> str:
    """The help text of an option, with its choices, default and variable; a command's ``module`` may replace it."""
    replacement = getattr(module, "HELP", {}).get(option.name)
    text: str = replacement or option.help
    if option.choices and option.metavar:
        text += f": {', '.join(option.choices)}"
    if option.name == "output":
        from asrnet.render import FORMATS, formats_of

        names = formats_of(module.DOCUMENT) if module else tuple(FORMATS)
        text = f"{either(names)}{'' if module else ' (not all in every command)'}; to standard output or to a file"
    if option.repeatable and not option.positional and not replacement:
        text += "; may be repeated"
    value = "text" if option.name == "output" else option.default_text
    default = f" (default: {value})" if value and option.kind not in _ACTIONS else ""
    variable = f" [{option.variable}]" if option.variable else ""
    return f"{text}{default}{variable}".replace("%", "%%")


def _refuse_single_dashes(argv: Sequence[str]) -> None:
    """Raise InputError for ``-out=x`` and the like, as terraform accepts: argparse would read it as ``-o ut=x``."""
    for argument in argv:
        name = argument.partition("=")[0]
        if not name.startswith("-") or name.startswith("--") or len(name) == 2:  # noqa: PLR2004 - a short option
            continue
        option = next((option for option in all_options() if option.flag == f"-{name}"), None)
        if option:
            proposal = "" if option.is_dangerous else f"; did you mean '{option.flag}'?"
            raise InputError(f"unknown option '{name}'{proposal}", hint="long options have two dashes")
        if name.startswith("-v") and name.strip("-v"):  # -var, which argparse would read as -v and more letters
            from asrnet.cli import habits

            if hint := habits.OPTIONS.get(name[1:]):
                raise InputError(f"unknown option '{name}'", hint=hint)


def _foreign(flag: str, command: str, spelling: str = "") -> InputError:
    from asrnet.cli import habits

    owners = [name for name in COMMANDS if any(flag == option.flag and option.is_of(name) for option in all_options())]
    hint = f"commands with this option: {', '.join(owners)}"
    output_options = [option for option in options_of(command) if option.flag in {"--format", "--out"}]
    if flag == "--output" and output_options:
        hint = (
            f"use {' and '.join(f'{option.flag} {option.metavar or option.name.upper()}' for option in output_options)}"
        )
    return InputError(f"{command} has no option {spelling or flag}", hint=habits.OPTIONS.get(flag[2:], hint))


def _unknown(argument: str, parser: Parser, command: str = "") -> InputError:
    spelling = argument.partition("=")[0]
    from asrnet.cli import habits

    if not spelling.startswith("-"):
        hint = habits.ARGUMENTS.get(command, f"see: {parser.prog} --help")
        return InputError(f"unexpected argument '{argument}'", hint=hint)
    for option in all_options():
        if command and spelling in option.flags:
            return _foreign(option.flag, command, spelling)
    if habit := habits.OPTIONS.get(spelling.lstrip("-")):
        return InputError(f"unknown option '{spelling}'", hint=habit)
    # Whether each flag lifts a safeguard. If the nearest flag does, nothing is suggested, not even the second nearest.
    flags = {"--help": False} if command else {"--help": False, "--version": False}
    options = options_of(command) if command else all_options()
    flags |= {flag: option.is_dangerous for option in options for flag in option.flags}
    # Compared without dashes, which would make short names look alike: '--bogus' and '--out'.
    flags_by_name = {flag.removeprefix("--"): flag for flag in flags if flag.startswith("--")}
    flag = flags_by_name.get(nearest(spelling.lstrip("-"), flags_by_name) or "")
    proposal = f"; did you mean '{flag}'?" if flag and not flags[flag] else ""
    return InputError(f"unknown option '{spelling}'{proposal}", hint=f"see: {parser.prog} --help")


class _ShowVersion(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from asrnet import __version__

        streams.write(f"asrnet {__version__}\n")
        parser.exit()

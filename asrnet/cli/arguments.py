"""The parsers, made from the table of options. Common options may stand before and after the command."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping, Sequence
from importlib import import_module
from types import ModuleType
from typing import Any, Final, NoReturn

from msgspec import Struct

from asrnet.cli import layout, streams
from asrnet.cli.commands import COMMANDS, MODULE
from asrnet.errors import InputError
from asrnet.files.problems import did_you_mean, either
from asrnet.settings import OPTIONS, Option, default_of

_ACTIONS: Final = {"flag": "store_true", "count": "count"}


class Invocation(Struct, frozen=True):
    """A command line, taken apart: the command, its module, every argument by name."""

    command: str
    module: Any
    arguments: Mapping[str, Any]


class Parser(argparse.ArgumentParser):
    """Raises InputError instead of ending the process: usage errors exit 1 like all others."""

    def error(self, message: str) -> NoReturn:
        """Refuse a command line."""
        raise InputError(message.removeprefix("argument "), hint=f"see: {self.prog} --help")

    def _check_value(self, action: argparse.Action, value: Any) -> None:
        """Refuse a choice in the words that options of the table are refused in."""
        known = [str(choice) for choice in action.choices or ()]
        if known and value not in known:
            problem = f"{action.option_strings[-1]}: found '{value}', expected {either(known)}"
            raise InputError(f"{problem}{did_you_mean(value, known)}", hint=f"see: {self.prog} --help")


def parse(argv: Sequence[str]) -> Invocation:
    """Take ``argv`` apart. Raises InputError for what it does not know, naming the nearest that there is."""
    parser = main_parser()
    namespace, unknown = parser.parse_known_args(argv)
    if unknown:
        raise _unknown(unknown[0], parser)
    if not namespace.command:
        raise InputError("a command is missing", hint=f"there are {', '.join(COMMANDS)}; see: asrnet --help")
    name, *rest = namespace.command
    del namespace.command
    if name not in COMMANDS:
        raise InputError(
            f"unknown command '{name}'{did_you_mean(name, COMMANDS)}", hint=f"there are {', '.join(COMMANDS)}"
        )
    for given in vars(namespace):
        _refuse_foreign(given, name)
    parser, module = command_parser(name)
    _, unknown = parser.parse_known_args(rest, namespace)
    if unknown:
        raise _unknown(unknown[0], parser, name)
    return Invocation(name, module, vars(namespace))


def main_parser() -> Parser:
    """The parser of what stands before the command, and of ``asrnet --help``."""
    parser = _parser("asrnet", "Azure Site Recovery network mappings, as pairs: plan, apply, explain.")
    parser.usage = "asrnet [options] COMMAND ..."
    parser.epilog = layout.commands(COMMANDS)
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show the version and exit")
    _add_options(parser, OPTIONS)
    parser.add_argument("command", nargs="...", help=argparse.SUPPRESS)
    return parser


def command_parser(name: str) -> tuple[Parser, Any]:
    """The parser of what stands after the command ``name``, and the command's module."""
    module = import_module(MODULE.format(name))
    parser = _parser(f"asrnet {name}", module.__doc__ or "")
    module.add_arguments(parser)
    parser.usage = layout.usage(parser)
    parser.epilog = layout.ending(module)
    _add_options(parser, [option for option in OPTIONS if knows(name, option)], module)
    return parser, module


def _parser(program: str, description: str) -> Parser:
    return Parser(
        prog=program,
        description=description,
        allow_abbrev=False,
        argument_default=argparse.SUPPRESS,
        formatter_class=layout.Layout,
    )


def knows(command: str, option: Option) -> bool:
    """Whether a command has an option."""
    return not option.commands or command in option.commands


def _add_options(parser: Parser, options: Iterable[Option], module: ModuleType | None = None) -> None:
    groups = {option.group: parser.add_argument_group(option.group) for option in options}
    main = parser.prog == "asrnet"
    for option in options:
        details: dict[str, Any] = {"dest": option.name, "default": argparse.SUPPRESS}
        if option.kind in _ACTIONS:
            details["action"] = _ACTIONS[option.kind]
        else:
            details["action"] = "append" if option.repeatable else "store"
            details["metavar"] = option.metavar or "|".join(option.choices)
        # Everything is understood before the command, but the general help shows what most commands have.
        details["help"] = argparse.SUPPRESS if main and _is_particular(option) else help_of(option, module)
        groups[option.group].add_argument(*option.flags, **details)


def _is_particular(option: Option) -> bool:
    return bool(option.commands) and ("show" not in option.commands or option.group == "Pace")


def help_of(option: Option, module: ModuleType | None = None) -> str:
    """What an option means, with its choices, its default and its variable, as a command's ``module`` knows it."""
    particular = getattr(module, "WORDS", {}).get(option.name)
    words: str = particular or option.help
    if option.choices and option.metavar:
        words += f": {', '.join(option.choices)}"
    if option.name == "output" and module:
        words = f"{either(module.FORMATS)}; to standard output or to a file"
    if option.repeatable and not particular:
        words += "; may be repeated"
    value = "text" if option.name == "output" else default_of(option)
    default = f" (default: {value})" if value and option.kind not in _ACTIONS else ""
    return f"{words}{default} [{option.variable}]".replace("%", "%%")


def _refuse_foreign(given: str, command: str) -> None:
    """Options before the command are those of the command as well."""
    for option in OPTIONS:
        if option.name == given and not knows(command, option):
            raise _foreign(option, option.flags[-1], command)


def _foreign(option: Option, flag: str, command: str) -> InputError:
    return InputError(
        f"{command} has no option {flag}",
        hint=f"it belongs to {', '.join(name for name in COMMANDS if knows(name, option))}",
    )


def _unknown(argument: str, parser: Parser, command: str = "") -> InputError:
    flag = argument.partition("=")[0]
    for option in OPTIONS:
        if command and flag in option.flags:
            return _foreign(option, flag, command)
    if not flag.startswith("-"):
        return InputError(f"unexpected argument '{argument}'", hint=f"see: {parser.prog} --help")
    known = [text for action in parser._actions for text in action.option_strings]  # noqa: SLF001 - argparse has no other way
    return InputError(f"unknown option '{flag}'{did_you_mean(flag, known)}", hint=f"see: {parser.prog} --help")


class _ShowVersion(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from asrnet import __version__

        streams.write(f"asrnet {__version__}\n")
        parser.exit()

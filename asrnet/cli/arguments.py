"""The argument parsers, made from the table of options. Options may come before or after the command."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterable, Mapping, Sequence
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
_NO_VALUE: Final = object()
"""Stands for the value of an option that needs one and has none."""


class Invocation(Struct, frozen=True, kw_only=True):
    """A parsed command line: the command, its module, and the arguments by name, in the order in which they are given.

    ``mistakes`` has what is wrong with the line. ``unclear`` names the options whose values are therefore not known.
    ``is_complete`` is False if the line has an option that asrnet does not know, which may stand for any other.
    """

    command: str
    module: Any
    arguments: Mapping[str, Any]
    mistakes: tuple[InputError, ...] = ()
    unclear: frozenset[str] = frozenset()
    is_complete: bool = True


class _Parsed(Struct):
    """What one parser makes of its part of a command line: the arguments that are right, and the mistakes."""

    arguments: dict[str, Any]
    mistakes: list[InputError] = []
    unclear: set[str] = set()
    is_complete: bool = True


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
        self.options: list[argparse.Action] = []
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
            if action.const is _NO_VALUE:
                action.nargs = None
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
    """Parse ``argv``. The result has all mistakes in it, with suggestions for unknown options.

    Raises InputError, about all of them, if they leave open which command is meant.
    """
    if argv[:1] == ["help"]:
        argv = [*argv[1:2], "--help"]
    # Two steps let options stand before the command and import only that command's module: the main parser takes its
    # options and the command, and the command's parser takes the remaining arguments.
    before, after = _Parsed({}), list(argv)
    # Most command lines begin with the command. They skip the main parser, which has the options of all commands and
    # costs 4 ms.
    if not argv or argv[0] not in COMMANDS:
        before = _parsed(main_parser(), argv, "", {})
        after = before.arguments.pop("command", [])
        if not after or after[0] not in COMMANDS:
            # An unknown option may have taken the command for its value.
            if after or before.is_complete:
                before.mistakes.append(_no_command(after[0] if after else ""))
            raise _all_of(before.mistakes)
    name, *after = after
    mistakes = before.mistakes
    for given in list(before.arguments):
        same_name = [option for option in all_options() if option.name == given and option.flags]
        if not any(option.belongs_to(name) for option in same_name):
            mistakes.append(_foreign(same_name[0].flag, name))
            del before.arguments[given]
    parser, module = command_parser(name)
    parsed = _parsed(parser, after, name, before.arguments)
    return Invocation(
        command=name,
        module=module,
        arguments=parsed.arguments,
        mistakes=(*mistakes, *parsed.mistakes),
        unclear=frozenset(before.unclear | parsed.unclear),
        is_complete=before.is_complete and parsed.is_complete,
    )


def _all_of(mistakes: Sequence[InputError]) -> InputError:
    if len(mistakes) == 1:
        return mistakes[0]
    from asrnet.files.problems import combined  # 5 ms, and most command lines have no mistake

    return combined(mistakes)


def _no_command(word: str) -> InputError:
    """The error for ``word`` in the place of a command, or for no word there."""
    if not word:
        return InputError("a command is missing", hint=f"known commands: {', '.join(COMMANDS)}; see: asrnet --help")
    from asrnet.cli import habits

    if word in habits.NO_COMMANDS:
        return InputError(f"unknown command '{word}'", hint=habits.NO_COMMANDS[word])
    habit = f"; did you mean '{habits.COMMANDS[word]}'?" if word in habits.COMMANDS else ""
    proposal = habit or did_you_mean(word, COMMANDS)
    return InputError(f"unknown command '{word}'{proposal}", hint=f"known commands: {', '.join(COMMANDS)}")


def _parsed(parser: Parser, argv: Sequence[str], command: str, arguments: Mapping[str, Any]) -> _Parsed:
    """What ``parser`` makes of ``argv``, added to ``arguments``. Raises InputError where it cannot go on."""
    argv, mistakes, is_complete = _without_single_dashes(argv, parser, command)
    unclear: set[str] = set()
    namespace = argparse.Namespace(**arguments)
    _, unknown = parser.parse_known_args(argv, namespace)
    options = [argument for argument in unknown if argument.startswith("-")]
    if options:
        # The values of unknown options were taken for arguments.
        argv = _without_values(options, argv, words=() if command else COMMANDS)
        namespace = argparse.Namespace(**arguments)
        _, unknown = parser.parse_known_args(argv, namespace)
        is_complete = False
        for option in options:
            unclear |= _perhaps_meant(option, command)  # its value is not known
    mistakes += [_unknown(argument, parser, command) for argument in unknown]
    parsed = _Parsed(vars(namespace), mistakes, unclear, is_complete)
    for action in parser.options:
        value = parsed.arguments.get(action.dest)
        if value is _NO_VALUE or (isinstance(value, list) and _NO_VALUE in value):
            spelling = "/".join(action.option_strings)
            hint = f"see: {parser.prog} --help"
            mistakes.append(InputError(f"{spelling}: expected one argument", hint=hint))
            parsed.unclear.add(action.dest)
            del parsed.arguments[action.dest]
    return parsed


def _without_values(options: Sequence[str], argv: Sequence[str], *, words: Collection[str]) -> list[str]:
    """``argv`` without the words after unknown ``options``, which are probably their values.

    The ``words`` are never taken for values.
    """
    remaining: list[str] = []
    may_be_value = False
    for index, argument in enumerate(argv):
        if argument == "--":
            return [*remaining, *argv[index:]]
        if not may_be_value or argument.startswith("-") or argument in words:
            remaining.append(argument)
        may_be_value = argument in options and "=" not in argument and not _is_flag(argument)
    return remaining


def _is_flag(spelling: str) -> bool:
    """Whether some command has an option of this spelling that takes no value."""
    return any(spelling in option.flags and option.kind in _ACTIONS for option in all_options())


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
            details["nargs"] = "*" if option.repeatable else "?"  # the settings say which are missing
            action = groups[option.group].add_argument(option.name, **details)
        else:
            if option.repeatable:
                details["action"] = "append"
            if option.kind not in _ACTIONS:
                # argparse would stop at the first option without its value.
                details |= {"nargs": "?", "const": _NO_VALUE if option.bare is None else option.bare}
            action = groups[option.group].add_argument(*option.flags, dest=option.name, **details)
            parser.options.append(action)
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


def _without_single_dashes(
    argv: Sequence[str], parser: Parser, command: str
) -> tuple[list[str], list[InputError], bool]:
    """``argv`` without what argparse would misread or stop at, the mistakes in it, and whether every option is known.

    Such arguments are ``-out=x`` and the like, which terraform accepts and argparse would read as ``-o ut=x``, and
    values of options that take none.
    """
    known: list[str] = []
    mistakes: list[InputError] = []
    is_complete = True
    may_be_value = False
    flags = {flag for action in parser.options if action.nargs == 0 for flag in action.option_strings}
    for index, argument in enumerate(argv):
        # The main parser has only the words before the command.
        if argument == "--" or (not command and argument in COMMANDS):
            known += argv[index:]
            break
        name, equals, value = argument.partition("=")
        if may_be_value and not name.startswith("-"):
            may_be_value = False
            continue
        may_be_value = False
        if equals and name in flags:
            hint = f"see: {parser.prog} --help"
            mistakes.append(InputError(f"{name} takes no value, found '{value}'", hint=hint))
            known.append(name)
        elif mistake := _single_dash(name, command):
            mistakes.append(mistake)
            is_complete = False
            may_be_value = not equals and not _is_flag(f"-{name}")
        else:
            known.append(argument)
    return known, mistakes, is_complete


def _single_dash(name: str, command: str) -> InputError | None:
    """The mistake in ``-out`` or ``-var``, a long option with one dash; None for any other argument."""
    if not name.startswith("-") or name.startswith("--") or len(name) == 2:  # noqa: PLR2004 - a short option
        return None
    options = [option for option in all_options() if option.flag == f"-{name}"]
    if options:
        option = next((option for option in options if not command or option.belongs_to(command)), None)
        if option is None:
            return _foreign(options[0].flag, command, name)
        proposal = "" if option.is_dangerous else f"; did you mean '{option.flag}'?"
        return InputError(f"unknown option '{name}'{proposal}", hint="long options have two dashes")
    if name.startswith("-v") and name.strip("-v"):  # -var, which argparse would read as -v and more letters
        from asrnet.cli import habits

        if hint := habits.OPTIONS.get(name[1:]):
            return InputError(f"unknown option '{name}'", hint=hint)
    return None


def _foreign(flag: str, command: str, spelling: str = "") -> InputError:
    from asrnet.cli import habits

    owners = [
        name for name in COMMANDS if any(flag == option.flag and option.belongs_to(name) for option in all_options())
    ]
    hint = f"commands with this option: {', '.join(owners)}"
    output_options = [option for option in options_of(command) if option.flag in {"--format", "--out"}]
    if flag == "--output" and output_options:
        hint = (
            f"use {' and '.join(f'{option.flag} {option.metavar or option.name.upper()}' for option in output_options)}"
        )
    return InputError(
        f"{command} has no option {spelling or flag}",
        hint=habits.option_hint(flag[2:], command, _flags_of(command)) or hint,
    )


def _unknown(argument: str, parser: Parser, command: str = "") -> InputError:
    spelling = argument.partition("=")[0]
    from asrnet.cli import habits

    if not spelling.startswith("-"):
        hint = habits.ARGUMENTS.get(command, f"see: {parser.prog} --help")
        return InputError(f"unexpected argument '{argument}'", hint=hint)
    for option in all_options():
        if command and spelling in option.flags:
            return _foreign(option.flag, command, spelling)
    if habit := habits.option_hint(spelling.lstrip("-"), command, _flags_of(command)):
        return InputError(f"unknown option '{spelling}'", hint=habit)
    # If the nearest flag lifts a safeguard, nothing is suggested, not even the second nearest.
    flags = _flags_of(command)
    flag = _nearest_flag(spelling, flags)
    meant = flags.get(flag)
    hint = f"see: {parser.prog} --help"
    if meant is not None and meant.is_dangerous:
        hint += ", which also names the options that are never suggested, because they lift a safeguard"
        return InputError(f"unknown option '{spelling}'", hint=hint)
    proposal = f"; did you mean '{flag}'?" if flag else ""
    return InputError(f"unknown option '{spelling}'{proposal}", hint=hint)


def _flags_of(command: str) -> dict[str, Option | None]:
    """The options that stand at a place of the command line, by their flags; None for ``--help`` and ``--version``."""
    flags: dict[str, Option | None] = {"--help": None} if command else {"--help": None, "--version": None}
    options = options_of(command) if command else all_options()
    return flags | {flag: option for option in options for flag in option.flags}


def _nearest_flag(spelling: str, flags: Iterable[str]) -> str:
    # Compared without dashes, which would make short names look alike: '--bogus' and '--out'.
    flags_by_name = {flag.removeprefix("--"): flag for flag in flags if flag.startswith("--")}
    word = spelling.lstrip("-").lower()
    name = nearest(word, flags_by_name)
    # Names are short, so one with three letters in common may be far from what was meant: '--auto' and '--vault'.
    is_close = name and (
        name.startswith(word) or sorted(name) == sorted(word) or nearest(word, [name], likeness=0.75) is not None
    )
    return flags_by_name[name] if name and is_close else ""


def _perhaps_meant(argument: str, command: str) -> set[str]:
    """The names of the options that the user may have meant by an unknown one."""
    from asrnet.cli import habits

    spelling = argument.partition("=")[0]
    if any(spelling in option.flags for option in all_options()):  # an option of another command
        return set()
    flags = _flags_of(command)
    meant = {_nearest_flag(spelling, flags), *habits.OPTIONS.get(spelling.lstrip("-"), "").split()}
    return {option.name for flag, option in flags.items() if option and flag in meant}


class _ShowVersion(argparse.Action):
    """Looks the version up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from asrnet import __version__

        streams.write(f"asrnet {__version__}\n")
        parser.exit()

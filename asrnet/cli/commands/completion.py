"""Print a script that completes commands, options and their values in a shell.

It needs shtab, which the extra completion installs.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any, Final

from asrnet import exit_codes
from asrnet.cli import streams
from asrnet.cli.arguments import help_of
from asrnet.cli.commands import COMMANDS, MODULE
from asrnet.cli.session import Session
from asrnet.errors import InputError
from asrnet.settings import Option, options_of
from asrnet.settings.tools import CompletionSettings

EXAMPLES: Final = (
    ("asrnet completion bash > ~/.asrnet.bash", "then: source ~/.asrnet.bash, in ~/.bashrc too"),
    ("asrnet completion zsh > ~/.zfunc/_asrnet", "a folder of fpath"),
    ("asrnet completion fish > ~/.config/fish/completions/asrnet.fish", "where fish looks"),
)


def run(session: Session[CompletionSettings]) -> int:
    """Print the script."""
    try:
        import shtab
    except ImportError as error:
        raise InputError(
            "completion needs shtab, which is not installed",
            hint="install shtab where asrnet is, or asrnet with its extra 'completion'",
        ) from error
    script: str = shtab.complete(_parser(shtab.FILE), shell=session.settings.shell)
    streams.write(script.rstrip("\n") + "\n")
    return exit_codes.DONE


def _parser(file: Any) -> argparse.ArgumentParser:
    """A parser of the whole command line, which asrnet itself never makes: it loads one command only.

    ``file`` marks arguments whose values are files, in shtab's terms.
    """
    parser = argparse.ArgumentParser("asrnet")
    parser.add_argument("--version", action="store_true", help="show the version and exit")
    commands = parser.add_subparsers()
    for name, description in COMMANDS.items():
        module = import_module(MODULE.format(name))
        command = commands.add_parser(name, help=description)
        for option in options_of(name):
            details: dict[str, Any] = {"help": help_of(option, module)}
            if option.kind == "flag":
                details["action"] = "store_true"
            elif option.kind == "count":
                details["action"] = "count"
            else:
                details["choices"] = _values(option, module) or None
                if option.positional or option.bare is not None:
                    details["nargs"] = "*" if option.positional and option.repeatable else "?"
            action = command.add_argument(*(option.flags or (option.name,)), **details)
            if option.name != "output" and (option.reads or option.writes or option.metavar == "PATH"):
                action.complete = file  # type: ignore[attr-defined]  # shtab's convention
    return parser


def _values(option: Option, module: Any) -> tuple[str, ...]:
    """The values that ``option`` can have, if they are known."""
    if option.name == "output":
        from asrnet.render import formats_of

        return formats_of(module.DOCUMENT)
    if option.name == "word":
        from asrnet.glossary import glossary

        # The symbols of the tables are left out: "->" ends the completion of zsh in a syntax error.
        return tuple(dict.fromkeys(entry.word for entry in glossary() if entry.word[0].isalnum()))
    if option.name == "kind":
        from asrnet.schema import KINDS

        return KINDS
    return option.choices

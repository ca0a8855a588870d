"""Write the pages that are made from the code; with ``--check`` only say which are stale."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

from asrnet.cli.arguments import command_parser, knows
from asrnet.cli.commands import COMMANDS
from asrnet.cli.layout import exits_of
from asrnet.emulator import coverage
from asrnet.model.findings import FindingKind
from asrnet.render.markdown import escaped
from asrnet.settings import OPTIONS, Option, default_of, env_example

ROOT: Final = Path(__file__).parent.parent

_HEAD: Final = """\
# Commands

Made from the parsers by `make docs`; `asrnet COMMAND --help` says the same. A tour is in [the tutorial](tutorial.md).

| command | does |
|---|---|
"""
_EXITS: Final = """
## Exit codes

| code | means |
|---|---|
| 0 | done, or nothing to do |
| 1 | an error: usage, a file, Azure; or some changes failed |
| 2 | drift or pending changes remain (`drift`; `apply` while a pair stays blocked; `plan --detailed-exitcode`) |
| 3 | refused: a limit, a stale or tampered plan, a failover under way, a freeze |

`kubectl diff` and others use 1 for differences; here 1 is always an error.
"""


_FINDINGS_HEAD: Final = """\
# Findings

Made from `FindingKind` by `make docs`. A finding is something a person should know about a pair, a mapping or a
vault. An error blocks its pair; the other pairs and vaults go on.

| kind | severity | counts as drift | means | what to do |
|---|---|---|---|---|
"""


def main(argv: Iterable[str]) -> int:
    """Write the pages, or check them; 1 when one was out of date."""
    check = "--check" in argv
    stale = [path for path, page in PAGES.items() if not _is_current(ROOT / path, page())]
    for path in stale:
        print(f"{path} is out of date: make docs" if check else f"{path} written")
        if not check:
            (ROOT / path).parent.mkdir(exist_ok=True)
            (ROOT / path).write_text(PAGES[path](), "utf-8")
    return 1 if check and stale else 0


def _is_current(path: Path, text: str) -> bool:
    return path.exists() and path.read_text("utf-8") == text


def commands_page() -> str:
    """docs/commands.md."""
    rows = [f"| [{name}](#asrnet-{name}) | {words} |" for name, words in COMMANDS.items()]
    sections = ["\n".join(_command(name)) for name in COMMANDS]
    return "\n".join([_HEAD + "\n".join(rows), _EXITS, *sections, "\n".join(_options())])


def _command(name: str) -> Iterator[str]:
    parser, module = command_parser(name)
    common = {option.name for option in OPTIONS}
    own = [action for action in parser._actions if action.dest not in {*common, "help"}]  # noqa: SLF001 - argparse has no other way to list them
    yield f"## asrnet {name}"
    yield ""
    yield module.__doc__.strip()
    yield ""
    if own:
        yield "| argument | meaning |"
        yield "|---|---|"
        yield from (f"| {_named(action)} | {escaped(_help(action))} |" for action in own)
        yield ""
    if formats := getattr(module, "FORMATS", ()):
        yield f"Formats of `--output`: {', '.join(formats)}."
        yield ""
    yield "Examples:"
    yield ""
    yield from (f"- `{command}`: {escaped(words)}" for command, words in module.EXAMPLES)
    yield ""
    yield f"Exit codes: {'; '.join(f'**{code}** {escaped(words)}' for code, words in exits_of(module).items())}."
    yield ""


def findings_page() -> str:
    """docs/findings.md."""
    rows = [f"| {kind} | {kind.severity} | {_drift(kind)} | {kind.meaning} | {kind.remedy} |" for kind in FindingKind]
    return "\n".join([_FINDINGS_HEAD + "\n".join(rows), ""])


def _drift(kind: FindingKind) -> str:
    if kind.role == "corrected":
        return "through its change"
    return {"error": "yes", "warning": "with `--fail-on warning`", "info": "no"}[kind.severity]


def _named(action: argparse.Action) -> str:
    metavar = str(action.metavar or ("|".join(map(str, action.choices)) if action.choices else action.dest.upper()))
    if not action.option_strings:
        return f"`{metavar}`" if action.nargs not in {"?", "*"} else f"`[{metavar}]`"
    names = ", ".join(action.option_strings)
    takes_value = action.nargs != 0
    return f"`{names} {metavar}`".replace("|", "\\|") if takes_value else f"`{names}`"


def _help(action: argparse.Action) -> str:
    return (action.help or "").replace("%%", "%")


def _options() -> Iterator[str]:
    yield "## Options"
    yield ""
    yield "They may stand before the command and after it. The command line wins over the environment, the environment"
    yield "over `.env`. Every variable is in [.env.example](../.env.example)."
    for group in dict.fromkeys(option.group for option in OPTIONS):
        yield ""
        yield f"### {group}"
        yield ""
        yield "| option | variable | meaning | default | commands |"
        yield "|---|---|---|---|---|"
        for option in OPTIONS:
            if option.group == group:
                metavar = option.metavar or "|".join(option.choices)
                flags = f"{', '.join(option.flags)} {metavar}".strip().replace("|", "\\|")
                words = escaped(option.help + (f" ({', '.join(option.choices)})" if option.choices else ""))
                words += "; may be repeated" if option.repeatable else ""
                yield f"| `{flags}` | `{option.variable}` | {words} | {_default(option)} | {_commands_with(option)} |"
    yield ""


def _default(option: Option) -> str:
    value = "text" if option.name == "output" else default_of(option)
    return f"`{value}`" if value else ""


def _commands_with(option: Option) -> str:
    names = [name for name in COMMANDS if knows(name, option)]
    return "all" if len(names) == len(COMMANDS) else ", ".join(names)


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "docs/commands.md": commands_page,
    "docs/emulator-coverage.md": coverage.page,
    "docs/findings.md": findings_page,
    ".env.example": env_example,
}
"""The generated files and what makes them."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""Write the generated pages; with ``--check`` only report which of them are out of date."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from pathlib import Path
from typing import Final

try:
    from asrnet import exit_codes
    from asrnet.cli.commands import COMMANDS, MODULE
    from asrnet.cli.layout import exits_of
    from asrnet.emulator import coverage
    from asrnet.glossary import glossary
    from asrnet.render import formats_of
    from asrnet.render.markdown import escaped
    from asrnet.settings import Option, all_options, env_example, options_of
except ModuleNotFoundError as error:
    sys.exit(f"{error}; install asrnet first, as README.md says: pip install . in the folder of the repository")

ROOT: Final = Path(__file__).parent.parent

_HEAD: Final = """\
# Commands

Generated from the table of options by `make docs`; `asrnet COMMAND --help` prints the same. Start with [the
tutorial](tutorial.md).

| command | does |
|---|---|
"""
_EXITS: Final = """
## Exit codes

| code | means | what to do |
|---|---|---|
{rows}

`kubectl diff` and others use 1 for differences; here 1 is always an error.
"""
_LIMITS: Final = """\
## Limits and safeguards

Limits are set under [`limits`](desired-state.md#limits) in the desired state, per vault and per run. The findings
`failover_active`, `reversed` and `frozen` are safeguards of the same kind.

| limit or safeguard | default | means | lifted by |
|---|---|---|---|
{rows}
"""


_FINDINGS_HEAD: Final = """\
# Findings

Generated from `FindingKind` by `make docs`. A finding is something a person should know about a pair, a mapping or a
vault. An error blocks its pair; other pairs and vaults are not affected.

| kind | severity | counts as drift | means | what to do |
|---|---|---|---|---|
"""


_ERRORS_PAGE: Final = """\
# Errors, findings and exit codes

An error ends a run, or only one vault's part of it. A finding is part of a plan. `asrnet explain WORD` says what each
word on this page and on [the page of findings](findings.md) means; `make docs` makes the tables from the same source.

## Errors

On standard error an error is `error: what happened`, usually followed by `hint: what to do`; `-vv` adds the traceback.
An error from Azure ends with a line `for Microsoft's support`, with the id of the request and the service's code. In
programs errors are classes under `asrnet.AsrError` with `.message` and `.hint`:

| class | means | what to do | exit code |
|---|---|---|---|
{errors}

Throttled requests and temporary failures are retried, within `--retry-attempts` and `--retry-deadline`, before they
become errors.

## All mistakes at once

Before a run begins, asrnet checks all its input: the command line, the variables, the `.env`, the outputs, and every
file that it would read. It reports all mistakes together, each with the file and the line, or with the option or the
variable: first those of options, then those of files that the command line does not name, then those of the files
that it names, in its order and line by line. With `--log-format json` each mistake is a record. `-o github` and `-o
sarif` mark the lines on standard output even while an option is wrong; no file is replaced then, because the option
may have been meant to name it.

Possible consequences of another mistake are not reported. If an option is unknown, none is reported as missing, the
word after it counts as its value, and the option that it resembles counts as not given. A file whose name is in doubt
is not read.

## Refusals

The `.kind` of a `RefusedError` is a [limit](commands.md#limits-and-safeguards), one of the findings `failover_active`,
`reversed` and `frozen`, or

| kind | means | what to do |
|---|---|---|
{refusal}

## Findings

[All findings](findings.md), with their severity and what to do about them; `asrnet explain KIND` shows one. Errors and
pending changes count as drift; warnings count only with `drift --fail-on warning`.

## Outcomes of changes

| outcome | means | what to do |
|---|---|---|
{outcome}

The result of a run as a whole is

| result | means | what to do |
|---|---|---|
{result}

## Outcomes of predictions

| outcome | means | what to do |
|---|---|---|
{prediction_outcome}

The exit codes are in [commands.md](commands.md#exit-codes).
"""


def main(argv: Iterable[str]) -> int:
    """Write or check the pages. Returns 1 if a check found one out of date."""
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
    rows = [f"| [{name}](#asrnet-{name}) | {description} |" for name, description in COMMANDS.items()]
    sections = ["\n".join(_command(name)) for name in COMMANDS]
    exits = "\n".join(
        f"| {entry.word} | {entry.meaning} | {entry.remedy} |" for entry in glossary() if entry.kind == "exit_code"
    )
    limits = "\n".join(
        f"| {entry.word} | {'' if entry.default is None else entry.default} | {entry.meaning} | "
        f"{f'`{entry.force}`' if entry.force else ''} |"
        for entry in glossary()
        if entry.kind == "limit" or entry.force
    )
    head = [_HEAD + "\n".join(rows), _EXITS.format(rows=exits), _LIMITS.format(rows=limits)]
    return "\n".join([*head, *sections, "\n".join(_options())])


def _command(name: str) -> Iterator[str]:
    module = import_module(MODULE.format(name))
    # If a command gives a common option a meaning of its own, its table explains that one as well.
    own_help = getattr(module, "HELP", {})
    own_options = [option for option in options_of(name) if not option.group or option.name in own_help]
    yield f"## asrnet {name}"
    yield ""
    yield (module.__doc__ or "").strip()
    yield ""
    if own_options:
        yield "| argument | variable | meaning | default |"
        yield "|---|---|---|---|"
        for option in sorted(own_options, key=lambda option: not option.positional):
            help_text = getattr(module, "HELP", {}).get(option.name, option.help)
            variable = f"`{option.variable}`" if option.variable else ""
            yield f"| `{_spelled(option)}` | {variable} | {_meaning(option, help_text)} | {_default(option)} |"
        yield ""
    if document := getattr(module, "DOCUMENT", None):
        yield f"Formats of `--output`: {', '.join(formats_of(document))}."
        yield ""
    yield "Examples:"
    yield ""
    yield from (f"- `{command}`: {escaped(text)}" for command, text in module.EXAMPLES)
    yield ""
    yield f"Exit codes: {'; '.join(f'**{code}** {escaped(text)}' for code, text in exits_of(module).items())}."
    yield ""


def findings_page() -> str:
    """docs/findings.md."""
    rows = [
        f"| {entry.word} | {entry.severity} | {entry.drift} | {entry.meaning} | {entry.remedy} |"
        for entry in glossary()
        if entry.kind == "finding"
    ]
    return "\n".join([_FINDINGS_HEAD + "\n".join(rows), ""])


def errors_page() -> str:
    """docs/errors.md."""
    exits = {"RefusedError": exit_codes.REFUSED}
    errors = [
        f"| `{entry.word}` | {entry.meaning} | {entry.remedy} | {exits.get(entry.word, exit_codes.ERROR)} |"
        for entry in glossary()
        if entry.kind == "error"
    ]
    tables: dict[str, str] = {
        kind: "\n".join(
            f"| {entry.word} | {entry.meaning} | {entry.remedy or ''} |" for entry in glossary() if entry.kind == kind
        )
        for kind in ("refusal", "outcome", "result", "prediction_outcome")
    }
    return _ERRORS_PAGE.format(errors="\n".join(errors), **tables)


def _options() -> Iterator[str]:
    yield "## Options"
    yield ""
    yield "Options may come before or after the command. The command line takes precedence over the environment, and"
    yield "the environment over `.env`. [.env.example](../.env.example) lists every variable."
    yield ""
    yield "A `.env` in the working directory cannot set where to sign in, which files are written or what is changed"
    yield "without asking, because anybody who can put a file there could do harm. Those variables are marked `[!]` in"
    yield ".env.example. They are ignored there with a warning, and accepted from a file that `--env-file` names."
    for group in dict.fromkeys(option.group for option in all_options() if option.group):
        yield ""
        yield f"### {group}"
        yield ""
        yield "| option | variable | meaning | default | commands |"
        yield "|---|---|---|---|---|"
        for option in all_options():
            if option.group == group:
                commands = (
                    "all" if not option.commands else ", ".join(name for name in COMMANDS if option.belongs_to(name))
                )
                meaning = _meaning(option, option.help)
                yield f"| `{_spelled(option)}` | `{option.variable}` | {meaning} | {_default(option)} | {commands} |"
    yield ""


def _spelled(option: Option) -> str:
    value = "" if option.kind in {"flag", "count"} else option.metavar or "|".join(option.choices)
    if option.bare is not None or (option.positional and not option.required):
        value = f"[{value}{' ...' if option.repeatable else ''}]"
    return f"{', '.join(option.flags)} {value}".strip().replace("|", "\\|")


def _meaning(option: Option, help_text: str) -> str:
    choices = f" ({', '.join(option.choices)})" if option.choices and option.metavar else ""
    repeatable = ""
    if option.repeatable and not option.positional and help_text == option.help:
        repeatable = "; may be repeated"
    return f"{escaped(help_text + choices)}{repeatable}"


def _default(option: Option) -> str:
    value = "text" if option.name == "output" else option.default_text
    return f"`{value}`" if value and option.kind not in {"flag", "count"} else ""


PAGES: Final[Mapping[str, Callable[[], str]]] = {
    "docs/commands.md": commands_page,
    "docs/emulator-coverage.md": coverage.page,
    "docs/errors.md": errors_page,
    "docs/findings.md": findings_page,
    ".env.example": env_example,
}
"""The generated files and what makes them."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

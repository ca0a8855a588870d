"""Turns arguments, the environment and ``.env`` into Settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from asrnet.errors import InputError, did_you_mean, either, nearest
from asrnet.settings import values
from asrnet.settings.dotenv_file import HINT, NO_FILE, DotenvFile, load
from asrnet.settings.table import IDENTITY, VARIABLES, Option, Settings, all_options, options_of, settings_of

_WARNED_ABOUT_AT_MOST: Final = 20
"""The maximum number of warnings of one kind about one file. Anybody may have put a .env into the working directory."""
_READ_BY_TESTS: Final = ("ASRNET_LIVE",)
"""Prefixes of variables that only the tests on live Azure read, which are not reported as unknown."""


class _Given(Struct, frozen=True):
    """A value and its source. ``place`` is 0 for the command line, 1 for the environment and 2 for a file."""

    value: object
    source: str
    place: int


class Examined(Struct, frozen=True, kw_only=True):
    """The settings, and every mistake in the arguments and the variables; a faulty option has its default.

    ``unclear`` names the options whose values are not known because of a mistake. ``is_complete`` is False if some
    mistake leaves open which other options are given.
    """

    settings: Settings
    mistakes: tuple[InputError, ...] = ()
    unclear: frozenset[str] = frozenset()
    is_complete: bool = True


def read(
    command: str,
    arguments: Mapping[str, object],
    environ: Mapping[str, str],
    *,
    dotenv: str | None,
    env_file: str | None,
) -> Settings:
    """See ``asrnet.settings.read``."""
    return checked(examine(command, arguments, environ, dotenv=dotenv, env_file=env_file))


def checked(examined: Examined) -> Settings:
    """The settings. Raises InputError about all mistakes in them."""
    if examined.mistakes:
        from asrnet.files.problems import combined  # 5 ms, and most runs have no mistake

        raise combined(examined.mistakes)
    return examined.settings


def examine(
    command: str,
    arguments: Mapping[str, object],
    environ: Mapping[str, str],
    *,
    dotenv: str | None,
    env_file: str | None,
    unclear: Iterable[str] = (),
    is_complete: bool = True,
) -> Examined:
    """Like ``read``, but returns the mistakes instead of raising an error about them.

    ``unclear`` and ``is_complete`` say what is known about ``arguments``, as in the result.
    """
    mistakes: list[InputError] = []
    unclear = set(unclear)
    chosen = env_file or arguments.get("env_file")
    named = chosen or environ.get("ASRNET_ENV_FILE")
    file = NO_FILE
    if "env_file" in unclear:
        is_complete = False
    elif named:
        file = load(str(named), trusted=True)
        is_complete = is_complete and not file.problems
        source = "" if chosen else "ASRNET_ENV_FILE: "
        mistakes += [InputError(f"{source}{problem}", hint=HINT) for problem in file.problems]
    elif dotenv:
        file = load(dotenv)
    options = [option for option in options_of(command) if option.name not in unclear]
    given = {option.name: value for option in options if (value := _given(option, arguments, environ, file))}
    mistakes += _choose_alternatives(options, given)
    fields: dict[str, Any] = {}
    for option in options:
        if option.name in given:
            try:
                fields[option.name] = _value(option, given[option.name])
            except InputError as error:
                mistakes += [error, *error.others]
                unclear.add(option.name)
        # If it is not known which options were given, this one may be among them.
        elif option.required and is_complete:
            spelling = option.metavar if option.positional else f"{option.flag} {option.metavar}"
            mistakes.append(InputError(f"{spelling} is missing: {option.help}"))
    if str(fields.get("backend", "")).startswith("fake:") and "endpoint" in fields:
        mistakes.append(
            InputError(
                f"{given['backend'].source} names a fake world and {given['endpoint'].source} an endpoint",
                hint="a fake world is a file and has no endpoint: leave one of them out",
            )
        )
    if not any(option.name == "backend" for option in options_of(command)):
        # A command that does not use the world must know it all the same, or it could overwrite the world's file.
        backend = next(option for option in options_of("") if option.name == "backend")
        if value := _given(backend, {}, environ, file):
            fields["backend"] = str(value.value)
    variables = dict(_variables(environ, file))
    fields.setdefault("credential", variables.get("AZURE_TOKEN_CREDENTIALS"))
    fields["env_file"] = str(named) if named else None
    for option in options_of(command):
        if option.required:
            fields.setdefault(option.name, "")
    settings = settings_of(command)(
        **fields,
        variables=variables,
        warnings=tuple(_warnings(options_of(command), environ, file)),
        sources={name: value.source for name, value in given.items()},
    )
    return Examined(settings=settings, mistakes=tuple(mistakes), unclear=frozenset(unclear), is_complete=is_complete)


def _given(
    option: Option, arguments: Mapping[str, object], environ: Mapping[str, str], file: DotenvFile
) -> _Given | None:
    argument = arguments.get(option.name)
    # A flag that is off and an empty list were not given on the command line, so the variables decide.
    if argument is not None and (argument or not (option.repeatable or option.kind in {"flag", "count"})):
        return _Given(argument, option.spelling, 0)
    if option.variable and environ.get(option.variable):
        return _Given(environ[option.variable], option.variable, 1)
    if file.values.get(option.variable) and (file.trusted or not option.barred):
        return _Given(file.values[option.variable], f"{file.path}: {option.variable}", 2)
    return None


def _choose_alternatives(options: Iterable[Option], given: dict[str, _Given]) -> list[InputError]:
    """Of options that exclude each other, keep the one with the highest precedence. A tie is a mistake."""
    options, mistakes = list(options), []
    for alternative in dict.fromkeys(option.alternative for option in options if option.alternative):
        rivals = [option.name for option in options if option.alternative == alternative and option.name in given]
        rivals.sort(key=lambda name: given[name].place)
        for name in rivals[1:]:
            first, other = given[rivals[0]], given[name]
            if first.place == other.place:
                mistakes.append(InputError(f"{other.source}: not allowed with {first.source}"))
            del given[name]
    return mistakes


def _value(option: Option, given: _Given) -> object:
    """The value of ``option``. Raises InputError about each part of it that is wrong."""
    items = [given.value]
    if isinstance(given.value, (list, tuple)):
        items = list(given.value)
    elif option.repeatable and isinstance(given.value, str):  # a variable: several values are separated by commas
        # A variable that holds only commas becomes one empty value, which is refused. Treating it as "no selection"
        # would widen the run to everything.
        items = [item.strip() for item in given.value.split(",") if item.strip()] or [given.value.strip(" ,")]
    parsed: list[object] = []
    mistakes: dict[str, InputError] = {}
    for item in items:
        try:
            parsed.append(_parsed(option, item))
        except InputError as error:
            message = f"{given.source}: {error.message}"
            mistakes[message] = InputError(message, hint=error.hint)
    if mistakes:
        first, *others = mistakes.values()
        raise InputError(first.problem, hint=first.hint, others=others)
    return tuple(parsed) if option.repeatable else parsed[0]


def _parsed(option: Option, value: object) -> object:
    if option.kind == "flag":
        return values.flag(value)
    if option.kind == "count":  # -vvvv is the same as the highest level
        return min(values.number(value, at_least=0, at_most=float("inf")), option.at_most)
    if option.kind != "text":
        return values.number(value, at_least=option.at_least, at_most=option.at_most, whole=option.kind == "whole")
    text = str(value)
    if text == option.bare:
        return text
    if not text.strip() or "\0" in text:
        problem = "the value has a null character in it" if "\0" in text else "the value is empty"
        raise InputError(f"{problem}, expected {option.metavar}", hint=f"{option.metavar}: {option.help}")
    if option.choices and text not in option.choices:
        raise InputError(f"found '{text}', expected {either(option.choices)}{did_you_mean(text, option.choices)}")
    return option.parse(text)


def _variables(environ: Mapping[str, str], file: DotenvFile) -> Iterator[tuple[str, str]]:
    for variable in VARIABLES:
        text = environ.get(variable.name)
        if not text and file.trusted and variable.identity:
            text = file.values.get(variable.name)
        if text:
            yield variable.name, text


def _warnings(options: tuple[Option, ...], environ: Mapping[str, str], file: DotenvFile) -> Iterator[str]:
    if not file.trusted:
        yield from file.problems[:_WARNED_ABOUT_AT_MOST]
        if len(file.problems) > _WARNED_ABOUT_AT_MOST:
            yield f"{file.path}: and {len(file.problems) - _WARNED_ABOUT_AT_MOST} more lines are ignored"
    if file.values and not file.trusted:
        barred = {option.variable: option.barred for option in all_options() if option.barred}
        barred |= {variable.name: IDENTITY for variable in VARIABLES if variable.identity}
        for reason in dict.fromkeys(barred.values()):
            ignored = [name for name in barred if barred[name] == reason and file.values.get(name)]
            if ignored:
                yield (
                    f"{file.path}: ignored {', '.join(ignored)}: a .env in the working directory {reason}; "
                    f"to use it anyway, add --env-file {file.path}"
                )
    of_command = {option.variable for option in options}
    # Whether each variable lifts a safeguard: such variables are never suggested.
    variables: dict[str, bool] = {}
    for place, names in (("environment", environ), (file.path, file.values)):
        others = [
            name
            for name in names
            if name.startswith("ASRNET_") and name not in of_command and not name.startswith(_READ_BY_TESTS)
        ]
        if not others:
            continue
        variables = variables or {option.variable: option.is_dangerous for option in all_options() if option.variable}
        unknown = [name for name in others if name not in variables]
        for name in unknown[:_WARNED_ABOUT_AT_MOST]:
            proposal = "" if variables.get(nearest(name, variables) or "") else did_you_mean(name, variables)
            yield f"{place}: {name} is not a variable of asrnet{proposal}"
        if len(unknown) > _WARNED_ABOUT_AT_MOST:
            yield f"{place}: and {len(unknown) - _WARNED_ABOUT_AT_MOST} more that are not variables of asrnet"

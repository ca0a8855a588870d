"""From words to values: arguments, environment and ``.env`` -> Settings."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from msgspec import Struct

from asrnet.errors import InputError
from asrnet.files.problems import did_you_mean, either
from asrnet.settings import Settings
from asrnet.settings.dotenv_file import NO_FILE, DotenvFile, load
from asrnet.settings.table import OPTIONS, VARIABLES, Option
from asrnet.settings.values import backend, endpoint, flag, kind, number, output, shard

_OTHERS: Final = ("ASRNET_LIVE",)
"""Variables that are read elsewhere: by the tests against live Azure."""

_SPECIAL: Final[Mapping[str, Callable[[str], object]]] = {
    "backend": backend,
    "endpoint": endpoint,
    "output": output,
    "only": kind,
    "ignore": kind,
    "shard": shard,
}


class _Given(Struct, frozen=True):
    """A value and where it was given, for errors."""

    value: object
    where: str


def read(
    arguments: Mapping[str, object], environ: Mapping[str, str], *, dotenv: str | None, env_file: str | None
) -> Settings:
    """See ``asrnet.settings.read``."""
    named = env_file or arguments.get("env_file") or environ.get("ASRNET_ENV_FILE")
    file = load(str(named), trusted=True) if named else load(dotenv) if dotenv else NO_FILE
    values: dict[str, Any] = {}
    for option in OPTIONS:
        given = _given(option, arguments, environ, file)
        if given:
            values[option.name] = _value(option, given)
    variables = dict(_variables(environ, file))
    values.setdefault("credential", variables.get("AZURE_TOKEN_CREDENTIALS"))
    values["env_file"] = str(named) if named else None
    return Settings(**values, variables=variables, warnings=(*file.problems, *_warnings(environ, file)))


def _given(
    option: Option, arguments: Mapping[str, object], environ: Mapping[str, str], file: DotenvFile
) -> _Given | None:
    argument = arguments.get(option.name)
    if argument is not None and (argument or not (option.repeatable or option.kind in {"flag", "count"})):
        return _Given(argument, option.flags[-1])
    if environ.get(option.variable):
        return _Given(environ[option.variable], option.variable)
    if file.values.get(option.variable) and (file.trusted or option.in_dotenv):
        return _Given(file.values[option.variable], f"{file.path}: {option.variable}")
    return None


def _value(option: Option, given: _Given) -> object:
    if option.repeatable:
        return tuple(_one(option, item, given.where) for item in _items(given.value))
    return _one(option, given.value, given.where)


def _items(value: object) -> list[object]:
    """Several values: a list from the command line, separated by commas in a variable."""
    if isinstance(value, str):
        return [item.strip() for item in value.split(",") if item.strip()]
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _one(option: Option, value: object, where: str) -> object:
    try:
        if option.kind == "flag":
            return flag(value)
        if option.kind != "text":
            return number(value, option)
        return _text(option, str(value))
    except InputError as error:
        raise InputError(f"{where}: {error.message}", hint=error.hint) from error


def _text(option: Option, text: str) -> object:
    if not text.strip() or "\0" in text:
        raise InputError(f"found nothing, expected {option.metavar}")
    if option.choices and text not in option.choices:
        raise InputError(f"found '{text}', expected {either(option.choices)}{did_you_mean(text, option.choices)}")
    return _SPECIAL.get(option.name, str)(text)


def _variables(environ: Mapping[str, str], file: DotenvFile) -> Iterator[tuple[str, str]]:
    for variable in VARIABLES:
        text = environ.get(variable.name)
        if not text and file.trusted and variable.identity:
            text = file.values.get(variable.name)
        if text:
            yield variable.name, text


def _warnings(environ: Mapping[str, str], file: DotenvFile) -> Iterator[str]:
    ignored = [] if file.trusted else [name for name in _not_for_dotenv() if file.values.get(name)]
    if ignored:
        yield (
            f"{file.path}: ignored {', '.join(ignored)}: a .env in the working directory cannot say where and as whom "
            f"to sign in; if you mean it, use --env-file {file.path}"
        )
    known = [option.variable for option in OPTIONS]
    for where, names in (("environment", environ), (file.path, file.values)):
        for name in names:
            if name.startswith("ASRNET_") and name not in known and not name.startswith(_OTHERS):
                yield f"{where}: {name} is no variable of asrnet{did_you_mean(name, known)}"


def _not_for_dotenv() -> list[str]:
    options = [option.variable for option in OPTIONS if not option.in_dotenv]
    return options + [variable.name for variable in VARIABLES if variable.identity]

"""Settings: precedence, what a found .env may not set, and what each option accepts."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from msgspec import structs

import asrnet
from asrnet.cli.commands import COMMANDS
from asrnet.errors import InputError
from asrnet.settings import (
    VARIABLES,
    Option,
    Output,
    Settings,
    Shard,
    all_options,
    env_example,
    options_of,
    settings_of,
)
from asrnet.settings import read as read_with_sources
from asrnet.settings.dotenv_file import load
from asrnet.settings.roots import cache_folder
from asrnet.settings.tools import EmulatorSettings
from asrnet.settings.values import ApiVersion

ROOT = Path(__file__).parents[2]


@pytest.fixture
def dotenv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return Path(".env")


def read(arguments: dict[str, object], environ: dict[str, str], **details: str | None) -> Settings:
    """The settings, without where each value was given."""
    return structs.replace(read_with_sources(arguments, environ, **details), sources={})  # type: ignore[arg-type]  # no command is None


def refusal(arguments: dict[str, object] | None = None, environ: dict[str, str] | None = None, **details: str) -> str:
    with pytest.raises(InputError) as caught:
        read(arguments or {}, environ or {}, **details)
    return str(caught.value)


# Precedence


def test_every_variable_and_option_is_read_somewhere() -> None:
    package = Path(asrnet.__file__).parent
    modules = [path for path in package.rglob("*.py") if path.parent != package / "settings"]
    modules += [package / "settings" / name for name in ("reading.py", "application.py", "roots.py")]
    code = "\n".join(path.read_text("utf-8") for path in modules)
    strings, attributes = set(re.findall(r"\"([A-Z_]+)\"", code)), set(re.findall(r"\.([a-z]\w*)", code))
    assert [variable.name for variable in VARIABLES if variable.name not in strings] == []
    assert [option.name for option in all_options() if option.name not in {"env_file", *attributes}] == []


def test_without_any_setting_the_defaults_apply() -> None:
    assert read({}, {}) == Settings()


def test_the_command_line_wins_over_the_environment_and_the_environment_over_the_file(dotenv: Path) -> None:
    dotenv.write_text("ASRNET_FILE=c.yaml\nASRNET_PARALLELISM=3\nASRNET_SHARD=1/2\n", encoding="utf-8")
    given = read({"file": "a.yaml"}, {"ASRNET_FILE": "b.yaml", "ASRNET_PARALLELISM": "2"}, dotenv=".env")
    assert (given.file, given.parallelism, given.shard) == ("a.yaml", 2, Shard(1, 2))


def test_an_api_version_is_chosen_for_a_provider_in_any_case() -> None:
    given = read({"api_version": ["microsoft.network=2023-09-01"]}, {})
    assert given.api_version == (ApiVersion("Microsoft.Network", "2023-09-01"),)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2023-09-01", "expected PROVIDER=VERSION"),
        ("Microsoft.Network=", "expected PROVIDER=VERSION"),
        ("Microsoft.Network=latest", "expected PROVIDER=VERSION"),
        ("Microsoft.Compute=2023-09-01", "expected Microsoft.Network or Microsoft.RecoveryServices"),
    ],
)
def test_an_impossible_api_version_is_refused(text: str, expected: str) -> None:
    assert expected in refusal({"api_version": [text]})


def test_settings_know_where_each_value_was_given(dotenv: Path) -> None:
    dotenv.write_text("ASRNET_QUIET=1\n", encoding="utf-8")
    given = read_with_sources({"file": "a.yaml"}, {"ASRNET_VAULT": "sea"}, dotenv=".env")
    names = ("file", "vault", "quiet", "pair")
    assert [given.source(name) for name in names] == ["--file", "ASRNET_VAULT", ".env: ASRNET_QUIET", "--pair"]


def test_absent_and_empty_values_count_as_not_given() -> None:
    arguments: dict[str, object] = {"file": None, "vault": [], "yes": False, "verbose": 0}
    environ = {"ASRNET_FILE": "", "ASRNET_VAULT": "sea", "ASRNET_YES": "true", "ASRNET_VERBOSE": "1"}
    assert read(arguments, environ) == Settings(vault=("sea",), yes=True, verbose=1)


def test_several_values_are_a_list_or_separated_by_commas() -> None:
    assert read({"pair": ["a", "b, c"]}, {}).pair == ("a", "b, c")
    assert read({}, {"ASRNET_PAIR": "a, b,,c "}).pair == ("a", "b", "c")


def test_numbers_and_flags_are_accepted_as_values_too() -> None:
    given = read({"parallelism": 6, "operation_timeout": 90.5, "quiet": True, "verbose": 2}, {})
    assert (given.parallelism, given.operation_timeout, given.quiet, given.verbose) == (6, 90.5, True, 2)


def test_a_missing_dotenv_is_no_error(dotenv: Path) -> None:
    assert read({}, {}, dotenv=str(dotenv)) == Settings()


def test_values_in_a_dotenv_are_taken_literally(dotenv: Path) -> None:
    dotenv.write_text("export ASRNET_FILE='a ${HOME}.yaml' # remark\n", encoding="utf-8")
    assert read({}, {"HOME": "/root"}, dotenv=".env").file == "a ${HOME}.yaml"


# Variables that a found .env may not set


SIGN_IN = ["ASRNET_ENDPOINT", "ASRNET_BACKEND", "ASRNET_CREDENTIAL", "ASRNET_ENV_FILE"]
FILES = ["ASRNET_AUDIT", "ASRNET_OUTPUT", "ASRNET_EMULATOR_STATE", "ASRNET_EMULATOR_CAPTURE"]
FILES += ["ASRNET_PLAN_OUT", "ASRNET_DUMP_OUT", "ASRNET_INIT_OUT", "ASRNET_PERMISSIONS_OUT", "ASRNET_DEMO_OUT"]
CONSENT = ["ASRNET_YES", "ASRNET_FORCE", "ASRNET_ALLOW_DELETE", "ASRNET_DRIFT_CORRECT", "ASRNET_MAP_RETARGET"]
CONSENT += ["ASRNET_MACHINES"]
OPEN = ["ASRNET_EMULATOR_HOST", "ASRNET_EMULATOR_ALLOW_REMOTE"]
BARRED = dict.fromkeys(SIGN_IN, "cannot set where and as whom to sign in")
BARRED |= {variable.name: "cannot set where and as whom to sign in" for variable in VARIABLES if variable.identity}
BARRED |= dict.fromkeys(FILES, "cannot set which files are written")
BARRED |= dict.fromkeys(CONSENT, "cannot set what may be changed, and whether asrnet asks")
BARRED |= dict.fromkeys(OPEN, "cannot open the emulator to the network")


def test_every_option_that_a_found_dotenv_cannot_set_is_known_here() -> None:
    identity = {variable.name for variable in VARIABLES if variable.identity}
    assert {option.variable for option in all_options() if option.barred} == BARRED.keys() - identity
    assert {option.variable for option in all_options() if option.writes} == set(FILES)


@pytest.mark.parametrize(("name", "reason"), BARRED.items(), ids=BARRED)
def test_a_found_dotenv_cannot_set_what_could_do_harm(dotenv: Path, name: str, reason: str) -> None:
    dotenv.write_text(f"{name}=https://elsewhere.example\n", encoding="utf-8")
    warning = f".env: ignored {name}: a .env in the working directory {reason}; to use it anyway, add --env-file .env"
    assert read({}, {}, dotenv=".env") == Settings(warnings=(warning,))
    assert read({"to": "x", "primary": "x"}, {}, dotenv=".env", command=_command_of(name)).warnings == (warning,)


def _command_of(variable: str) -> str:
    return next(
        (option.commands[0] for option in all_options() if option.variable == variable and option.commands), "plan"
    )


def test_one_warning_names_every_ignored_variable_and_no_value(dotenv: Path) -> None:
    dotenv.write_text(
        "AZURE_CLIENT_SECRET=canary\nASRNET_ENDPOINT=http://x\nAZURE_AUTHORITY_HOST=y\n", encoding="utf-8"
    )
    (warning,) = read({}, {}, dotenv=".env").warnings
    assert "ASRNET_ENDPOINT, AZURE_CLIENT_SECRET, AZURE_AUTHORITY_HOST" in warning
    assert "canary" not in warning


@pytest.mark.parametrize("by", ["argument", "variable", "caller"])
def test_a_named_file_may_set_everything(dotenv: Path, by: str) -> None:
    dotenv.write_text("ASRNET_FILE=never.yaml", encoding="utf-8")
    Path("ci.env").write_text("ASRNET_ENDPOINT=https://127.0.0.1:1\nAZURE_CLIENT_ID=me\n", encoding="utf-8")
    given = read(
        {"env_file": "ci.env"} if by == "argument" else {},
        {"ASRNET_ENV_FILE": "ci.env"} if by == "variable" else {},
        dotenv=".env",
        env_file="ci.env" if by == "caller" else None,
    )
    assert given == Settings(env_file="ci.env", endpoint="https://127.0.0.1:1", variables={"AZURE_CLIENT_ID": "me"})


def test_the_environment_may_set_everything_and_wins_over_a_named_file(dotenv: Path) -> None:
    dotenv.write_text("AZURE_CLIENT_ID=file\nAZURE_TENANT_ID=t\n", encoding="utf-8")
    given = read({}, {"AZURE_CLIENT_ID": "environment", "ASRNET_BACKEND": "fake:w.yaml"}, env_file=".env")
    assert given.variables == {"AZURE_CLIENT_ID": "environment", "AZURE_TENANT_ID": "t"}
    assert given.world == "w.yaml"


def test_variables_of_other_tools_are_read_and_nothing_else_is() -> None:
    environ = {"AZURE_TENANT_ID": "t", "ARM_CLIENT_SECRET": "s", "NO_COLOR": "1", "PATH": "/bin", "AZURE_CLIENT_ID": ""}
    assert read({}, environ).variables == {"AZURE_TENANT_ID": "t", "ARM_CLIENT_SECRET": "s", "NO_COLOR": "1"}


def test_the_credential_of_asrnet_wins_over_that_of_the_sdks() -> None:
    environ = {"AZURE_TOKEN_CREDENTIALS": "prod"}
    assert read({}, environ).credential == "prod"
    assert read({}, {**environ, "ASRNET_CREDENTIAL": "azure_cli"}).credential == "azure_cli"
    assert read({}, {}).credential is None


def test_secrets_do_not_show() -> None:
    secrets = [variable.name for variable in VARIABLES if variable.secret]
    shown = repr(read({}, {name: f"canary-{name}" for name in secrets}))
    assert len(secrets) >= 4
    assert "canary" not in shown
    assert all(f"'{name}': '***'" in shown for name in secrets)


# Invalid files


def test_a_named_file_must_exist() -> None:
    assert refusal(env_file="no.env") == "no.env: the file of variables does not exist"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"ASRNET_QUIET=1\n=x\n", "f.env:2: expected NAME=value; the line is ignored"),
        (b"ASRNET_QUIET=1\nAZURE_CLIENT_SECRET='canary\n", "f.env:2: expected NAME=value; the line is ignored"),
        (b"ASRNET_QUIET=1\nFOO\nASRNET_PAIR\n", "f.env:3: expected NAME=value; the line is ignored"),
        (b"\xff\xfe", "f.env: the file of variables cannot be read: it is not UTF-8 text"),
        (b"#" * 1_100_000, "f.env: the file of variables cannot be read: it is larger than 1,048,576 bytes"),
    ],
)
def test_an_invalid_file_is_refused_when_named_and_skipped_when_found(dotenv: Path, data: bytes, problem: str) -> None:
    dotenv.with_name("f.env").write_bytes(data)
    assert refusal(env_file="f.env") == problem
    found = read({}, {}, dotenv="f.env")
    assert found.warnings == (problem,)
    assert found.quiet is data.startswith(b"ASRNET_QUIET")


@pytest.mark.parametrize("path", [".", "a\0b"])
def test_a_path_that_is_not_a_file_is_refused(path: str) -> None:
    assert "the file of variables cannot be read" in refusal(env_file=path)


def test_a_pipe_that_was_found_is_not_waited_for(dotenv: Path) -> None:
    dotenv.unlink(missing_ok=True)
    os.mkfifo(dotenv)
    assert load(str(dotenv)).problems == (f"{dotenv}: the file of variables cannot be read: it is a pipe",)


def test_a_misspelt_variable_is_pointed_out(dotenv: Path) -> None:
    dotenv.write_text("ASRNET_VERBOS=1", encoding="utf-8")
    environ = {"ASRNET_PARALELISM": "2", "ASRNET_EMULATOR_PORT": "0", "ASRNET_LIVE": "1"}
    assert read({}, environ, dotenv=".env").warnings == (
        "environment: ASRNET_PARALELISM is not a variable of asrnet; did you mean 'ASRNET_PARALLELISM'?",
        ".env: ASRNET_VERBOS is not a variable of asrnet; did you mean 'ASRNET_VERBOSE'?",
    )


@pytest.mark.parametrize(
    ("line", "first", "last"),
    [
        ("ASRNET_X{}=1", ".env: ASRNET_X0 is not a variable", ".env: and 30 more that are not variables of asrnet"),
        ("two words{}", ".env:1: expected NAME=value; the line is ignored", ".env: and 30 more lines are ignored"),
    ],
)
def test_a_file_with_many_mistakes_gives_few_warnings(dotenv: Path, line: str, first: str, last: str) -> None:
    dotenv.write_text("\n".join(line.format(number) for number in range(50)), encoding="utf-8")
    warnings = read({}, {}, dotenv=".env").warnings
    assert len(warnings) == 21
    assert warnings[0].startswith(first)
    assert warnings[-1] == last


def test_a_variable_that_lifts_a_safeguard_is_never_suggested() -> None:
    environ = {"ASRNET_YESS": "1", "ASRNET_FORC": "max_updates", "ASRNET_ALLOW_DELET": "1"}
    assert [warning for warning in read({}, environ).warnings if "ASRNET_YES'" in warning] == []
    assert [warning for warning in read({}, environ).warnings if "FORCE'" in warning or "DELETE'" in warning] == []


# Values


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("parallelism", "many", "found 'many', expected a whole number from 1 to 64"),
        ("parallelism", "0", "found '0', expected a whole number from 1 to 64"),
        ("parallelism", "65", "found '65', expected a whole number from 1 to 64"),
        ("parallelism", "1.5", "found '1.5', expected a whole number from 1 to 64"),
        ("parallelism", "9" * 400, f"found '{'9' * 60}', expected a whole number from 1 to 64"),
        ("total_parallelism", "-1", "found '-1', expected a whole number from 1 to 256"),
        ("operation_timeout", "1h", "found '1h', expected a number of seconds of at least 1"),
        ("operation_timeout", "nan", "found 'nan', expected a number of seconds of at least 1"),
        ("retry_deadline", "inf", "found 'inf', expected a number of seconds of at least 0"),
        ("retry_attempts", "0", "found '0', expected a whole number from 1 to 100"),
        ("verbose", "much", "found 'much', expected a whole number of at least 0"),
        ("yes", "perhaps", "found 'perhaps', expected true or false"),
        ("inventory", "grph", "found 'grph', expected network or graph; did you mean 'graph'?"),
        ("log_format", "xml", "found 'xml', expected text or json"),
        ("force", "max_update", "found 'max_update', expected max_updates, max_deletes, "),
        ("backend", "azur", "found 'azur', expected azure or fake:WORLD; did you mean 'azure'?"),
        ("backend", "fake:", "found 'fake:', expected azure or fake:WORLD"),
        ("backend", "fake", "found 'fake', expected azure or fake:WORLD"),
        ("output", "json=", "found 'json=', expected FORMAT or FORMAT=PATH, such as json=plan.json"),
        ("output", "=x", "found '=x', expected FORMAT or FORMAT=PATH"),
        ("file", " ", "the value is empty, expected PATH"),
        ("file", "a\0b", "the value has a null character in it, expected PATH"),
        ("endpoint", "127.0.0.1:4590", "found '"),
        ("endpoint", "ftp://127.0.0.1", "found 'ftp://127.0.0.1', expected a URL"),
        ("endpoint", "https://", "found '', expected a URL"),
        ("endpoint", "http://10.0.0.1", "'http://10.0.0.1' is http and not this machine"),
        ("endpoint", "http://localhost.example.com", "'http://localhost.example.com' is http and not this machine"),
        ("endpoint", "http://127.0.0.1.example.com", "'http://127.0.0.1.example.com' is http and not this machine"),
        ("endpoint", "https://localhost@example.com", "the URL has a user or password in it, expected none"),
        ("endpoint", "https://a:canary@example.com", "the URL has a user or password in it, expected none"),
        (
            "endpoint",
            "https://example.com/path",
            "found more than 'https://example.com', expected only a scheme, a host and a port",
        ),
        (
            "endpoint",
            "https://example.com?sig=canary",
            "found more than 'https://example.com', expected only a scheme, a host and a port",
        ),
        ("endpoint", "https://a%2fexample.com", "found 'https://a%2fexample.com', expected a host of letters, digits"),
        ("endpoint", "https://example.com:99999", "not a URL: Port out of range"),
        ("endpoint", "https://exa\tmple.com", "the URL has a space, a backslash or a control character in it"),
        ("endpoint", "https://[::1", "not a URL: "),
    ],
)
def test_a_bad_value_names_the_flag_or_the_variable(dotenv: Path, name: str, value: str, problem: str) -> None:
    option = next(option for option in options_of("") if option.name == name)
    argument = [value] if option.repeatable else value
    assert refusal({name: argument}).startswith(f"{option.flags[-1]}: {problem}")
    if "\0" not in value:
        assert refusal({}, {option.variable: value}).startswith(f"{option.variable}: {problem}")
        dotenv.with_name("f.env").write_text(f"{option.variable}='{value}'", encoding="utf-8")
        assert refusal(env_file="f.env").startswith(f"f.env: {option.variable}: {problem}")
    assert "canary" not in refusal({name: argument})


@pytest.mark.parametrize("variable", ["ASRNET_PAIR", "ASRNET_VAULT", "ASRNET_OUTPUT", "ASRNET_FORCE"])
@pytest.mark.parametrize("value", [",", " ", " , ,"])
def test_separators_alone_are_no_selection_of_everything(variable: str, value: str) -> None:
    assert refusal({}, {variable: value}).startswith(f"{variable}: the value is empty, expected ")


def test_extra_v_flags_are_the_highest_level() -> None:
    assert read({"verbose": 5}, {}).verbose == 3
    assert read({}, {"ASRNET_VERBOSE": "7"}).verbose == 3


@pytest.mark.parametrize("endpoint_in", ["argument", "variable"])
def test_a_fake_world_has_no_endpoint(endpoint_in: str) -> None:
    arguments: dict[str, object] = {"backend": "fake:world.yaml"}
    environ = {}
    if endpoint_in == "argument":
        arguments["endpoint"] = "https://127.0.0.1:1"
    else:
        environ["ASRNET_ENDPOINT"] = "https://127.0.0.1:1"
    source = "--endpoint" if endpoint_in == "argument" else "ASRNET_ENDPOINT"
    assert refusal(arguments, environ) == f"--backend names a fake world and {source} an endpoint"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("http://127.0.0.1:4590/", "http://127.0.0.1:4590"),
        ("http://localhost:4590", "http://localhost:4590"),
        ("http://[::1]:4590", "http://[::1]:4590"),
        ("https://arm.example.com", "https://arm.example.com"),
    ],
)
def test_an_endpoint_is_https_or_on_this_machine(given: str, kept: str) -> None:
    assert read({"endpoint": given}, {}).endpoint == kept


def test_outputs_are_formats_with_or_without_a_file() -> None:
    given = read({"output": ["json=plan.json", "github", "junit=a=b.xml"]}, {})
    assert given.output == (Output("json", "plan.json"), Output("github"), Output("junit", "a=b.xml"))


def test_limits_and_safeguards_are_lifted_by_name() -> None:
    assert read({"force": ["max_updates", "failover_active"]}, {}).force == ("max_updates", "failover_active")


# The table


def test_every_field_has_an_option_and_every_option_a_flag_and_a_variable() -> None:
    for command in COMMANDS:
        fields = set(settings_of(command).__struct_fields__) - {"variables", "warnings", "sources"}
        assert {option.name for option in options_of(command)} <= fields
        own = fields - set(Settings.__struct_fields__)
        assert own <= {option.name for option in options_of(command)}
    for option in all_options():
        assert bool(option.flag) is bool(option.variable) is not option.positional
        assert option.flag == "" or re.fullmatch(r"--[a-z]+(-[a-z]+)*", option.flag)
        assert option.variable == "" or re.fullmatch(r"ASRNET(_[A-Z]+)+", option.variable)


def test_a_flag_of_several_commands_is_read_in_one_way() -> None:
    readings: dict[str, set[tuple[object, ...]]] = {}
    for option in all_options():
        for flag in option.flags:
            readings.setdefault(flag, set()).add((option.name, option.kind == "flag", option.repeatable))
    assert [flag for flag, found in readings.items() if len(found) > 1] == []


def test_no_variable_sets_options_of_two_commands() -> None:
    variables = [option.variable for option in all_options() if option.variable]
    assert sorted(variables) == sorted(set(variables))


def test_options_of_one_command_are_read_from_variables_and_files(dotenv: Path) -> None:
    dotenv.write_text("ASRNET_EMULATOR_TLS_PORT=8\nASRNET_PLAN_DETAILED_EXITCODE=1\n", encoding="utf-8")
    given = read({"latency": 5}, {"ASRNET_EMULATOR_PORT": "7"}, dotenv=".env", command="emulator")
    assert given == EmulatorSettings(latency=5, port=7, tls_port=8)


def test_a_required_option_may_come_from_a_variable_and_is_named_when_it_is_missing() -> None:
    given = read({"primary": "n"}, {"ASRNET_MAP_TO": "southeastasia"}, command="map")
    assert getattr(given, "to", None) == "southeastasia"
    assert refusal({"primary": "n"}, command="map") == "--to REGION is missing: the recovery region"


def test_a_variable_gives_way_to_the_alternative_on_the_command_line() -> None:
    environ = {"ASRNET_PREDICT_FAILBACK": "1", "ASRNET_FILE": "a.yaml"}
    given = read({"test_failover": ""}, environ, command="predict")
    assert (getattr(given, "test_failover", None), getattr(given, "failback", None)) == ("", False)
    both = {"ASRNET_PREDICT_FAILBACK": "1", "ASRNET_PREDICT_FAILOVER": "1"}
    assert refusal({}, both, command="predict") == "ASRNET_PREDICT_FAILBACK: not allowed with ASRNET_PREDICT_FAILOVER"


def test_the_example_names_the_units_of_times() -> None:
    text = " ".join(line.removeprefix("# ") for line in env_example().splitlines())
    assert "--retry-deadline: how long a request is retried, in seconds #ASRNET_RETRY_DEADLINE=300" in text
    assert "--latency: the least time that a request takes, in milliseconds #ASRNET" in text


def test_the_example_file_matches_the_table() -> None:
    assert (ROOT / ".env.example").read_text(encoding="utf-8") == env_example()


def test_the_example_file_names_every_variable_and_sets_none(dotenv: Path) -> None:
    example = env_example()
    dotenv.write_text(example, encoding="utf-8")
    assert read({}, {}, dotenv=".env") == Settings()
    for variable in [option.variable for option in all_options() if option.variable] + [
        variable.name for variable in VARIABLES
    ]:
        assert f"\n#{variable}=" in example


def test_the_defaults_in_the_example_file_are_accepted(dotenv: Path) -> None:
    text = "\n".join(line[1:] for line in env_example().splitlines() if line[:2] in {"#A", "#N", "#G"})
    dotenv.with_name("f.env").write_text(text, encoding="utf-8")
    assert read({}, {}, env_file="f.env") == Settings(env_file="f.env")


def test_the_cache_folder_follows_xdg_cache_home(tmp_path: Path) -> None:
    assert cache_folder({"XDG_CACHE_HOME": str(tmp_path)}) == tmp_path / "asrnet"
    assert cache_folder({}) == Path.home() / ".cache" / "asrnet"
    assert cache_folder({"XDG_CACHE_HOME": "relative"}) == Path.home() / ".cache" / "asrnet"


def test_no_found_file_of_variables_sets_where_files_are_written() -> None:
    assert [option.flag for option in all_options() if option.writes and not option.barred] == []
    assert all(option.barred for option in all_options() if option.name == "backend")  # apply rewrites a fake world


@pytest.mark.parametrize(
    "option",
    [option for option in all_options() if option.repeatable and option.variable],
    ids=lambda option: option.flag,
)
@pytest.mark.parametrize("text", [",", " , ,", ",,"])
def test_a_selection_of_separators_only_is_refused_and_does_not_select_everything(option: Option, text: str) -> None:
    command = option.commands[0]
    required: dict[str, object] = {other.name: "x" for other in options_of(command) if other.required}
    with pytest.raises(InputError, match=option.variable):
        read(required, {option.variable: text}, command=command)

"""Bad input: place and hint on standard error, exit 1, nothing written, no traceback."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from command_line import Cli, Ran, edit, snapshot

VNET = "/subscriptions/{}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/hub"
DR = "22222222-2222-2222-2222-222222222222"
HUB = "{name: hub, vault: sea, primary: prod/rg-network-ea/hub-ea, recovery: dr/rg-network-sea/hub-sea}"


def refused(ran: Ran, *words: str) -> None:
    """Assert that the run failed with a message that has all ``words``, and nothing else."""
    assert ran.code == 1
    assert ran.out == ""
    assert "Traceback" not in ran.err
    assert ran.err.startswith("error: ")
    for word in words:
        assert word in ran.err


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", ["asrnet.yaml: ", "empty"]),
        (bytes(range(255, 0, -1)) * 8, ["asrnet.yaml:1: ", "not a text file"]),
        (b"key: value\n" * 900_000, ["asrnet.yaml: ", "larger than"]),
        (b"pairs: &again [*again]\n", ["asrnet.yaml:1: ", "&again"]),
        (b"- " * 10_000, ["asrnet.yaml:1: "]),
        (b"version: [1\n", ["asrnet.yaml:"]),
    ],
    ids=["empty", "binary", "huge", "recursive", "deep", "broken"],
)
def test_a_file_that_cannot_be_read_is_named_with_its_line(
    fake: Cli, folder: Path, content: bytes, words: list[str]
) -> None:
    (folder / "asrnet.yaml").write_bytes(content)
    before = snapshot(folder)
    refused(fake("apply", "--yes"), *words)
    assert snapshot(folder) == before


def test_a_missing_file_is_named(fake: Cli) -> None:
    refused(fake("plan", "-f", "nowhere.yaml"), "nowhere.yaml: the file does not exist")


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["show", "--backend", "fake:wrld.yaml"], "world.yaml"),
        (["validate", "--world", "wrld.yml"], "world.yaml"),
        (["emulator", "--seed", "wrld.yaml"], "world.yaml"),
        (["validate", "asrnt.yaml"], "asrnet.yaml"),
        (["predict", "--machines", "lst.csv", "--backend", "fake:world.yaml"], "list.csv"),
        (["targets", "--topology", "tpology.yaml", "--backend", "fake:world.yaml"], "topology.yaml"),
        (["apply", "plam.json", "--backend", "fake:world.yaml"], "plan.json"),
    ],
)
def test_a_misspelt_file_is_answered_with_the_one_of_the_folder(
    cli: Cli, folder: Path, arguments: list[str], meant: str
) -> None:
    for name in ("list.csv", "topology.yaml", "plan.json"):
        (folder / name).touch()
    refused(cli(*arguments), f": the file does not exist; did you mean '{meant}'?\n")


def test_a_file_of_another_kind_is_not_proposed(cli: Cli, folder: Path) -> None:
    (folder / "wrld.csv").touch()
    (folder / "wrld").mkdir()
    (folder / "world.yaml").unlink()
    assert "did you mean" not in cli("show", "--backend", "fake:wrld.yaml").err


@pytest.mark.parametrize("content", [None, "", "# nothing yet\n"])
def test_without_a_world_the_hint_says_how_to_get_one(fake: Cli, folder: Path, content: str | None) -> None:
    world = folder / "world.yaml"
    world.unlink()
    if content is not None:
        world.write_text(content, "utf-8")
    refused(fake("show"), "world.yaml: ", "\nhint: asrnet demo --out FOLDER writes a world")


@pytest.mark.parametrize("content", ["", "# nothing yet\n"])
def test_an_empty_desired_state_is_answered_with_init(fake: Cli, folder: Path, content: str) -> None:
    (folder / "asrnet.yaml").write_text(content, "utf-8")
    refused(fake("plan"), "asrnet.yaml: the file is empty", "\nhint: remove the file and let asrnet init write a first")


TABLES = {
    "list.csv": "name,ip\nvm1,10.0.0.4\n",
    "quoted.csv": '"name","ip"\n"vm1","10.0.0.4"\n',
    "list.txt": "name,ip\nvm1,10.0.0.4\n",
}


@pytest.mark.parametrize("file", TABLES)
@pytest.mark.parametrize("option", ["--file={}", "--backend=fake:{}"])
def test_a_table_in_the_place_of_yaml_is_recognised(cli: Cli, folder: Path, file: str, option: str) -> None:
    (folder / file).write_text(TABLES[file], "utf-8")
    ran = cli("plan", "--backend=fake:world.yaml", option.format(file))
    expected = f"error: {file}:1: this looks like CSV, expected YAML with keys and values\n"
    assert ran.err == f"{expected}hint: a list of machines is given with: asrnet predict --machines FILE\n"


@pytest.mark.parametrize("text", ["hello, world\n", "- a, b\n- c, d\n"])
def test_other_text_with_commas_is_not_called_a_table(fake: Cli, folder: Path, text: str) -> None:
    (folder / "asrnet.yaml").write_text(text, "utf-8")
    refused(fake("plan"), "expected keys and values (key: value)")


@pytest.mark.parametrize("option", ["--file={}", "--backend=fake:{}"])
def test_links_in_a_circle_and_paths_below_a_file_have_a_hint(cli: Cli, folder: Path, option: str) -> None:
    (folder / "circle.yaml").symlink_to("circle.yaml")
    world = "--backend=fake:world.yaml"
    refused(cli("plan", world, option.format("circle.yaml")), "circle.yaml: ", "\nhint: the symbolic links of the path")
    refused(cli("plan", world, option.format("asrnet.yaml/x")), "asrnet.yaml/x: ", "\nhint: ")


def test_a_world_that_a_variable_names_from_another_folder_says_where_to_go(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "elsewhere").mkdir()
    monkeypatch.chdir(folder / "elsewhere")
    monkeypatch.setenv("ASRNET_BACKEND", "fake:world.yaml")
    ran = cli("show", "-f", "../asrnet.yaml")
    refused(ran, "\nhint: ASRNET_BACKEND names world.yaml: go to its folder, or give its full path; ")


def test_a_misspelt_region_of_a_world_is_corrected_in_the_world(fake: Cli, folder: Path) -> None:
    edit(folder, "location: eastasia", "location: eastaisa", file="world.yaml")
    assert "world, if 'eastaisa' is a misspelt 'eastasia'; otherwise add {primary: eastaisa" in " ".join(
        fake("plan").out.split()
    )


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("pairs:", "pair:", ["asrnet.yaml:12: pair: unknown key; did you mean 'pairs'?"]),
        ("rules:", f"- {HUB}\nrules:", ["asrnet.yaml:17: ", "'hub' is already taken at asrnet.yaml:14"]),
        ("prod/rg-network-ea/hub-ea", "/subscriptions/x/hub", ["asrnet.yaml:14: pairs[0].primary: ", "no", "GUID"]),
        ("dr/rg-dr/vault-sea", VNET.format(DR), ["asrnet.yaml:7: vaults.sea: ", "the id of a virtual network"]),
        ("dr/rg-network-sea/hub-sea", "prod/rg-network-ea/HUB-EA", ["asrnet.yaml:14: ", "the primary network itself"]),
        ("recovery: southeastasia", "recovery: East Asia", ["asrnet.yaml:10: regions[0].recovery: ", "itself"]),
        (
            "rg-network-ea/hub-ea",
            "rg-network-ea/a/b",
            ["asrnet.yaml:14: pairs[0].primary: ", "expected a virtual network"],
        ),
        ("rg-network-ea/hub-ea", "rg-network-ea/..", ["asrnet.yaml:14: pairs[0].primary: '..' cannot be the name"]),
        ("rg-network-ea/hub-ea", "rg-network-ea/hub ea", ["'hub ea' cannot be the name"]),
        ("rg-network-ea/hub-ea", "rg-network-ea/hüb", ["'hüb' cannot be the name"]),
    ],
    ids=[
        *("unknown key", "duplicate row", "malformed id", "network for a vault", "primary is recovery", "same region"),
        *("slash", "dots", "space", "unicode"),
    ],
)
def test_an_impossible_desired_state_is_refused_with_its_line(
    fake: Cli, folder: Path, old: str, new: str, words: list[str]
) -> None:
    edit(folder, old, new)
    before = snapshot(folder)
    refused(fake("apply", "--yes"), *words)
    assert snapshot(folder) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("version: 1", 'version: 1\ncloud: "a\\nerror: b\\e[31m"'),
        ("name: hub,", 'name: "a\\nerror: b\\e[31m",'),
        ("prod/rg-network-ea/hub-ea", '"a\\nerror: b\\e[31m"'),
        ("vault: sea", 'vault: "a\\nerror: b\\e[31m"'),
        ("pairs:", '"a\\nerror: b\\e[31m":'),
    ],
    ids=["a word", "a name", "a network", "a reference", "a key"],
)
@pytest.mark.parametrize("form", ["text", "json"])
def test_a_value_cannot_inject_a_line_or_a_colour(fake: Cli, folder: Path, old: str, new: str, form: str) -> None:
    edit(folder, old, new)
    ran = fake("plan", "--log-format", form)
    assert (ran.code, ran.out) == (1, "")
    assert len([line for line in ran.err.splitlines() if not line.startswith("hint: ")]) == 1
    assert "\x1b" not in ran.err
    assert "\\nerror: b" in ran.err


@pytest.mark.parametrize("command", [("plan",), ("apply", "--yes"), ("drift", "--correct")], ids=" ".join)
def test_a_selected_pair_that_no_rule_makes_is_not_reported_as_nothing_to_do(
    fake: Cli, folder: Path, command: tuple[str, ...]
) -> None:
    before = snapshot(folder)
    words = "no rule makes a pair 'tagged/crm-eu'; did you mean 'tagged/crm-ea'?"
    refused(fake(*command, "--pair", "tagged/crm-eu"), words, "hint: known pairs: tagged/crm-ea")
    assert snapshot(folder) == before
    assert fake(*command, "--pair", "tagged/crm-ea").code != 1


@pytest.mark.parametrize("name", ["tagged", "tagged/crm-eu"])
def test_a_selected_pair_that_no_rule_makes_is_named_when_a_vault_is_selected_too(fake: Cli, name: str) -> None:
    refused(fake("drift", "--correct", "--vault", "sea", "--pair", name), f"no rule makes a pair '{name}'")


@pytest.mark.parametrize("name", ["hub", "tagged/crm-ea"])
def test_a_selected_pair_of_an_unselected_vault_is_not_reported_as_nothing_to_do(
    fake: Cli, folder: Path, name: str
) -> None:
    edit(folder, "  sea: dr/rg-dr/vault-sea", "  sea: dr/rg-dr/vault-sea\n  two: dr/rg-dr/vault-two")
    words = f"--pair: '{name}' belongs to vault 'sea', which --vault leaves out"
    refused(fake("drift", "--correct", "--vault", "two", "--pair", name), words)


def test_an_argument_cannot_inject_a_line(fake: Cli) -> None:
    for argument in ("--vault=a\nerror: b", "--output=a\nerror: b", "--a\nerror: b", "a\nerror: b"):
        ran = fake("plan", argument)
        assert (ran.code, sum(line.startswith("error: ") for line in ran.err.splitlines())) == (1, 1)


def test_an_endpoint_without_tls_on_another_machine_is_refused(cli: Cli) -> None:
    refused(cli("plan", "--endpoint", "http://management.azure.com"), "--endpoint: ", "http and not this machine")


def test_a_found_dotenv_cannot_set_the_endpoint(cli: Cli, folder: Path) -> None:
    (folder / ".env").write_text("ASRNET_ENDPOINT=https://evil.example\nASRNET_PAIR=hub\n", "utf-8")
    ran = cli("plan", "--backend", "fake:world.yaml")
    assert ran.code == 0
    assert "warning: .env: ignored ASRNET_ENDPOINT" in ran.err
    assert "Plan: create 2 mappings" in ran.out  # the rest of the file is read


def test_no_credentials_say_which_variables_to_set(cli: Cli) -> None:
    refused(cli("plan", "--credential", "environment"), "environment", "AZURE_TENANT_ID")


@contextmanager
def answering(status: int, body: str) -> Iterator[str]:
    """An Azure on loopback that gives every request the same answer; yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_an_expired_credential_is_named_as_expired(cli: Cli) -> None:
    body = '{"error": {"code": "ExpiredAuthenticationToken", "message": "The access token expiry is in the past."}}'
    with answering(401, body) as url:
        ran = cli("plan", "--endpoint", url, "--credential", "emulator", "--retry-attempts", "1")
    refused(ran, "expiry is in the past")


def test_with_one_attempt_a_request_without_an_answer_is_not_repeated(cli: Cli) -> None:
    ran = cli("plan", "--endpoint", "http://127.0.0.1:1", "--credential", "emulator", "--retry-attempts", "1")
    refused(ran, "no answer from 127.0.0.1:1: ", "/vaults/vault-sea", "1 attempt)")


def test_a_host_name_that_does_not_resolve_is_named(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    ran = cli("plan", "--credential", "emulator", "--retry-attempts", "1", "--retry-deadline", "0")
    refused(ran, "management.azure.com")


def test_a_missing_right_names_the_action(fake: Cli, folder: Path) -> None:
    denied = "Microsoft.RecoveryServices/vaults/replicationFabrics/read"
    edit(folder, "version: 1", f'version: 1\nbehaviour: {{denied: ["{denied}"]}}', "world.yaml")
    refused(fake("plan"), denied)


def test_a_missing_vault_is_named(fake: Cli, folder: Path) -> None:
    edit(folder, "vault-sea", "vault-see")
    refused(fake("plan"), "vault-see", "hint: vault sea is declared at asrnet.yaml:7: check its id")


def test_a_missing_vault_beside_another_is_named_with_its_line(fake: Cli, folder: Path) -> None:
    edit(folder, "  sea: dr/rg-dr/vault-sea", "  sea: dr/rg-dr/vault-sea\n  lost: dr/rg-dr/vault-lost")
    ran = fake("plan")
    assert ran.code == 1
    assert "vault-lost" in ran.err
    assert "hint: vault lost is declared at asrnet.yaml:8: check its id" in ran.err


def test_a_missing_subscription_is_named(fake: Cli, folder: Path) -> None:
    edit(folder, f"dr: {DR}", "dr: 99999999-9999-9999-9999-999999999999")
    refused(fake("plan"), "99999999-9999-9999-9999-999999999999")


def test_a_subscription_of_another_tenant_is_reported_as_such(fake: Cli, folder: Path) -> None:
    edit(folder, "name: dr}", "name: dr, tenant: 44444444-4444-4444-4444-444444444444}", "world.yaml")
    refused(fake("plan"), "tenant")


@pytest.mark.parametrize("command", [("apply", "--yes"), ("drift", "--correct")], ids=" ".join)
def test_an_unwritable_world_is_refused_before_anything_is_applied(
    cli: Cli, folder: Path, command: tuple[str, ...]
) -> None:
    # The name is too long for the temporary file beside it, even for root.
    name = "w" * 250 + ".yaml"
    (folder / "world.yaml").rename(folder / name)
    before = snapshot(folder)
    ran = cli(*command, "--audit", "audit.log", "--backend", f"fake:{name}")
    assert (ran.code, "cannot be written" in ran.err, "Traceback" in ran.err) == (1, True, False)
    assert "created" not in ran.err
    assert snapshot(folder) == {**before, "audit.log": b""}
    assert cli("plan", "--backend", f"fake:{name}").code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "--out", "nowhere/plan.json"),
        ("plan", "-o", "json=nowhere/plan.json"),
        ("apply", "--yes", "--audit", "nowhere/audit.log"),
        ("drift", "--correct", "--audit", "nowhere/audit.log"),
        ("drift", "--correct", "-o", "prometheus=nowhere/asrnet.prom"),
        ("dump", "--out", "nowhere/dump.yaml"),
        ("show", "-o", "html=nowhere/show.html"),
        ("predict", "-o", "csv=nowhere/predictions.csv"),
        ("doctor", "-o", "json=nowhere/doctor.json"),
        ("permissions", "--out", "nowhere/role.json"),
    ],
    ids=" ".join,
)
def test_an_unwritable_path_is_refused_before_anything_is_requested(
    cli: Cli, folder: Path, arguments: tuple[str, ...]
) -> None:
    (folder / "world.yaml").write_text("no world: [", "utf-8")  # reading it would be the error instead
    before = snapshot(folder)
    backend = () if arguments[0] == "permissions" else ("--backend", "fake:world.yaml")
    refused(cli(*arguments, *backend), "nowhere/", "No such file or directory")
    assert snapshot(folder) == before


def test_an_audit_file_cannot_be_an_output_as_well(fake: Cli, folder: Path) -> None:
    before = snapshot(folder)
    refused(fake("apply", "--yes", "-o", "json=report", "--audit", "./report"), "--audit: ", "./report already")
    assert snapshot(folder) == before


def test_a_role_that_cannot_be_made_leaves_no_file_behind(cli: Cli, folder: Path) -> None:
    (folder / "asrnet.yaml").unlink()
    before = snapshot(folder)
    vault = VNET.format(DR).replace("Microsoft.Network/virtualNetworks", "Microsoft.RecoveryServices/vaults")
    refused(
        cli("permissions", "--for", "create-networks", "--vault", vault, "--out", "role.json"), "needs no rights for"
    )
    assert snapshot(folder) == before


def test_an_invalid_world_is_refused_with_its_line(fake: Cli, folder: Path) -> None:
    edit(folder, "location: eastasia", "location: [eastasia]", "world.yaml")
    refused(fake("plan"), "world.yaml:")


def test_a_world_given_as_a_desired_state_is_reported_in_one_sentence(cli: Cli) -> None:
    ran = cli("validate", "world.yaml")
    refused_in_one = "error: world.yaml: this is a world, expected a desired state\nhint: "
    assert (ran.code, ran.err.startswith(refused_in_one), ran.err.count("error: ")) == (1, True, 1)


def test_a_desired_state_given_as_a_world_is_reported_in_one_sentence(cli: Cli) -> None:
    ran = cli("validate", "--world", "asrnet.yaml")
    refused_in_one = "error: asrnet.yaml: this is a desired state, expected a world\nhint: "
    assert (ran.code, ran.err.startswith(refused_in_one), ran.err.count("error: ")) == (1, True, 1)


@pytest.mark.parametrize(
    ("command", "problem", "hint"),
    [
        ("apply asrnet.yaml", "this is a desired state, expected a saved plan", "apply -f PATH"),
        ("apply world.yaml", "this is a world, expected a saved plan", "--backend fake:FILE"),
        ("apply broken.yaml", "this is a desired state, expected a saved plan", "apply -f PATH"),
        ("apply .", "cannot be read: it is a folder, expected a saved plan", "given with -f PATH"),
        ("plan -f plan.json", "this is a saved plan, expected a desired state", "asrnet apply PLANFILE"),
        ("validate plan.json", "this is a saved plan, expected a desired state", "asrnet apply PLANFILE"),
        ("validate --world plan.json", "this is a saved plan, expected a world", "asrnet apply PLANFILE"),
        ("show --backend fake:plan.json", "this is a saved plan, expected a world", "asrnet apply PLANFILE"),
    ],
)
def test_a_file_of_another_kind_is_named_with_the_option_that_accepts_it(
    cli: Cli, folder: Path, command: str, problem: str, hint: str
) -> None:
    backend = [] if "validate" in command or "--backend" in command else ["--backend", "fake:world.yaml"]
    assert cli("plan", "--backend", "fake:world.yaml", "--out", "plan.json").code == 0
    (folder / "broken.yaml").write_text("version: [", "utf-8")
    ran = cli(*command.split(), *backend)
    (first, second) = ran.err.splitlines()
    assert (ran.code, first.endswith(f": {problem}"), second.startswith("hint: ")) == (1, True, True)
    assert hint in second


def test_a_hint_that_mistakes_in_a_row_share_is_printed_once(fake: Cli, folder: Path) -> None:
    edit(folder, "version: 1", "version: 1\nvautls: {}\nreigons: []")
    ran = fake("plan")
    assert (ran.err.count("unknown key"), ran.err.count("hint: known keys: cloud, freeze, ")) == (2, 1)


def test_known_kinds_are_listed_alphabetically(fake: Cli) -> None:
    hint = fake("plan", "--force", "xyz").err.partition("known kinds: ")[2].partition(" and ")[0].split(", ")
    assert hint == sorted(hint)


@pytest.mark.parametrize(
    "argv",
    [
        ("plan", "--file"),
        ("map", "prod/rg-network-ea/hub-ea", "--vault", "sea", "--file"),
        ("plan", "--env-file"),
        ("apply", "--audit"),
        ("apply",),
        ("predict", "--topology"),
        ("predict", "--machines"),
        ("validate",),
        ("demo", "--out"),
        ("emulator", "--state"),
    ],
    ids=" ".join,
)
def test_a_path_longer_than_the_system_allows_is_an_error_like_any_other(
    cli: Cli, folder: Path, monkeypatch: pytest.MonkeyPatch, argv: tuple[str, ...]
) -> None:
    monkeypatch.setenv("ASRNET_BACKEND", "fake:world.yaml")
    before = snapshot(folder)
    ran = cli(*argv, "x" * 300)
    refused(ran, "x" * 300)
    assert "bug" not in ran.err
    assert snapshot(folder) == before

"""The endpoints of each cloud, and where a token may be sent."""

from __future__ import annotations

import pytest

from asrnet.errors import InputError
from asrnet.settings.clouds import CHINA, PUBLIC, USGOVERNMENT, cloud


@pytest.mark.parametrize(
    ("name", "authority", "endpoint", "scope"),
    [
        ("public", "login.microsoftonline.com", "https://management.azure.com", "https://management.azure.com/"),
        (
            "china",
            "login.chinacloudapi.cn",
            "https://management.chinacloudapi.cn",
            "https://management.chinacloudapi.cn/",
        ),
        (
            "usgovernment",
            "login.microsoftonline.us",
            "https://management.usgovcloudapi.net",
            "https://management.core.usgovcloudapi.net/",
        ),
    ],
)
def test_authority_endpoint_and_scope_move_together(name: str, authority: str, endpoint: str, scope: str) -> None:
    found = cloud(name)
    assert (found.authority, found.endpoint, found.scope) == (authority, endpoint, f"{scope}.default")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("AzureUSGovernment", USGOVERNMENT), ("AZURE_PUBLIC_CLOUD", PUBLIC), ("AzureChinaCloud", CHINA)],
)
def test_cloud_names_of_other_tools_are_understood(name: str, expected: object) -> None:
    assert cloud(name) == expected


def test_an_unknown_cloud_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError) as caught:
        cloud("germany")
    assert caught.value.hint == "use public, china or usgovernment"


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://management.azure.com",
        "https://eastasia.management.azure.com/",
        "http://127.0.0.1:8080",
        "http://localhost:8080/",
        "https://[::1]:8443",
    ],
)
def test_resource_manager_and_this_machine_are_valid_endpoints(endpoint: str) -> None:
    assert cloud("public", endpoint).endpoint == endpoint.rstrip("/")


@pytest.mark.parametrize(
    ("endpoint", "problem"),
    [
        ("http://management.azure.com", "http and not this machine"),
        ("https://management.chinacloudapi.cn", "not Azure Resource Manager of the public cloud"),
        ("https://management.azure.com.evil.example", "not Azure Resource Manager"),
        ("https://user:word@management.azure.com", "has a user or password"),
        ("management.azure.com", "expected a URL"),
        ("ftp://127.0.0.1", "expected a URL"),
        ("https://[::1", "not a URL"),
        ("https://127.0.0.1:99999", "not a URL"),
        ("https://manage\nment.azure.com", "a control character"),
        ("https://evil.example%2f.management.azure.com", "expected a host of letters, digits"),
        ("https://127.0.0.1:8443/some/path", "only a scheme, a host and a port"),
        ("https://127.0.0.1?x=1", "only a scheme, a host and a port"),
    ],
)
def test_any_other_endpoint_is_refused(endpoint: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        cloud("public", endpoint)


@pytest.mark.parametrize(
    "url",
    [
        "https://management.azure.com/subscriptions",
        "https://MANAGEMENT.azure.com:443/subscriptions?x=1",
        "https://centraluseuap.management.azure.com/x",
        "https://management.azure.com:443/x",
    ],
)
def test_hosts_of_resource_manager_may_get_a_token(url: str) -> None:
    assert PUBLIC.admits(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://management.azure.com/subscriptions",
        "https://evil.example/subscriptions",
        "https://management.azure.com.evil.example/",
        "https://evilmanagement.azure.com/",
        "https://management.azure.com@evil.example/",
        "https://evil.example\\@management.azure.com/",
        "https://management.chinacloudapi.cn/",
        "https://127.0.0.1/",
        "//management.azure.com/",
        "https://management.azure.com:8443/",
        "https://management.azure.com:99999/",
        "https://[::1/",
        "https://management.azure.com\t.evil.example/",
        "https://management.azure\n.com/",
        "https://management.azure.com\x00/",
        "\x01https://management.azure.com/",
        "",
    ],
)
def test_no_other_host_may_get_a_token(url: str) -> None:
    assert not PUBLIC.admits(url)


def test_the_token_of_an_emulator_goes_to_that_emulator_only() -> None:
    local = cloud("public", "http://127.0.0.1:8080")
    assert local.is_loopback
    assert local.admits("http://127.0.0.1:8080/subscriptions")
    for other in ("localhost:8080", "127.0.0.2:8080", "[::1]:8080", "127.0.0.1:9090", "127.0.0.1"):
        assert not local.admits(f"http://{other}/subscriptions")
    assert not local.admits("https://127.0.0.1:8080/")
    assert not local.admits("https://management.azure.com/")


@pytest.mark.parametrize(
    ("said", "authority", "known"),
    [
        ("https://login.microsoftonline.com/", "login.microsoftonline.com", True),
        ("Login.MicrosoftOnline.com", "login.microsoftonline.com", True),
        ("https://127.0.0.1:4591", "https://127.0.0.1:4591", False),
        ("adfs.example.com", "adfs.example.com", False),
    ],
)
def test_another_authority_replaces_that_of_the_cloud(said: str, authority: str, known: bool) -> None:
    found = PUBLIC.signing_in_at(said)
    assert (found.authority, found.is_known_authority, found.endpoint) == (authority, known, PUBLIC.endpoint)


@pytest.mark.parametrize(
    "said",
    [
        "http://127.0.0.1:1",
        "https://me:canary@example.com",
        "https://h/tenant",
        "https://h?canary",
        "https://",
        "https://[::1",
    ],
)
def test_an_invalid_authority_is_refused_and_not_quoted(said: str) -> None:
    with pytest.raises(InputError) as caught:
        PUBLIC.signing_in_at(said)
    assert "canary" not in f"{caught.value.message} {caught.value.hint}"

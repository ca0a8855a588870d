"""Which root certificates are in use, and the error if they are unusable."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import certifi
import pytest
import requests

from asrnet.errors import InputError
from asrnet.settings.roots import certificate_hint, check_roots


@pytest.mark.parametrize(
    ("environ", "named"),
    [
        ({"REQUESTS_CA_BUNDLE": "/a.pem", "CURL_CA_BUNDLE": "/b.pem", "SSL_CERT_FILE": "/c.pem"}, "REQUESTS_CA_BUNDLE"),
        ({"CURL_CA_BUNDLE": "/b.pem", "SSL_CERT_FILE": "/c.pem"}, "CURL_CA_BUNDLE"),
        ({"REQUESTS_CA_BUNDLE": "", "CURL_CA_BUNDLE": "/b.pem"}, "CURL_CA_BUNDLE"),
    ],
)
def test_the_hint_names_the_variable_and_the_file_that_requests_reads(
    environ: Mapping[str, str], named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"):
        monkeypatch.setenv(name, environ.get(name, ""))
    settings = requests.Session().merge_environment_settings("https://x", {}, None, None, None)
    assert settings["verify"] == environ[named], "the variable is the one that requests itself takes"
    hint = certificate_hint(environ)
    assert f"{named} ('{environ[named]}')" in hint
    assert "root certificate" in hint


def test_a_variable_that_requests_does_not_read_is_reported_as_having_no_effect() -> None:
    hint = certificate_hint({"SSL_CERT_FILE": "/c.pem"})
    assert "SSL_CERT_FILE is not read here" in hint
    assert "set REQUESTS_CA_BUNDLE to a file" in hint


def test_without_any_variable_the_roots_are_those_of_certifi() -> None:
    assert "certifi" in certificate_hint({})
    check_roots({})


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"])
@pytest.mark.parametrize("content", [None, "", "not a certificate"])
def test_a_file_without_roots_is_an_error_that_names_the_variable_and_the_file(
    variable: str, content: str | None, tmp_path: Path
) -> None:
    file = tmp_path / "roots.pem"
    if content is not None:
        file.write_text(content, "utf-8")
    with pytest.raises(InputError) as caught:
        check_roots({variable: str(file)})
    assert f"{variable} names '{file}'" in caught.value.message
    assert "docs/network.md" in caught.value.hint


def test_a_file_or_folder_of_roots_is_accepted(tmp_path: Path) -> None:
    check_roots({"REQUESTS_CA_BUNDLE": certifi.where()})
    check_roots({"REQUESTS_CA_BUNDLE": str(tmp_path)})

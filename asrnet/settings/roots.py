"""The root certificates that https connections are checked against, and which variable names them.

The SDKs send their requests with *requests*, which takes the file or folder in REQUESTS_CA_BUNDLE, else the one in
CURL_CA_BUNDLE, else the roots of the certifi package. It does not read SSL_CERT_FILE, which curl, OpenSSL and Python's
own modules do, nor the system's store.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from asrnet.errors import InputError

_READ: Final = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_NOT_READ: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR")


def cache_folder(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder for what can be made again: below XDG_CACHE_HOME where that is an absolute path, else ~/.cache."""
    home = environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if Path(home).is_absolute() else Path.home() / ".cache") / "asrnet"


def check_roots(environ: Mapping[str, str] = os.environ) -> None:
    """Raise InputError where the variable that names the roots names nothing that can serve as such."""
    variable = _variable(environ)
    if not variable:
        return
    path = Path(environ[variable])
    hint = f"set {variable} to a file of certificates in PEM form, or unset it; see docs/network.md"
    if not path.exists():
        raise InputError(f"{variable} names '{path}', which does not exist", hint=hint)
    if path.is_file():
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=str(path))
        except OSError as error:  # SSLError is one: the file cannot be read, or has no certificate in it
            raise InputError(f"{variable} names '{path}', which gives no certificates: {error}", hint=hint) from error


def certificate_hint(environ: Mapping[str, str] = os.environ) -> str:
    """What to do about a server's certificate that does not verify, with the roots that are in use by name."""
    if variable := _variable(environ):
        return (
            f"if a proxy inspects TLS here, add its root certificate to {variable} ('{environ[variable]}'); "
            "see docs/network.md"
        )
    advice = (
        "if a proxy inspects TLS here, set REQUESTS_CA_BUNDLE to a file with its root certificate and the public ones"
    )
    unread = next((name for name in _NOT_READ if environ.get(name)), "")
    roots = f"{unread} is not read here" if unread else "the roots in use are those of the certifi package"
    return f"{advice} ({roots}); see docs/network.md"


def _variable(environ: Mapping[str, str]) -> str:
    return next((name for name in _READ if environ.get(name)), "")

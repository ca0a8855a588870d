"""The root certificates for HTTPS connections, and the variable that names them.

The SDKs send requests with the package *requests*. It uses the file or folder in REQUESTS_CA_BUNDLE, else the one in
CURL_CA_BUNDLE, else the roots of the certifi package. It reads neither SSL_CERT_FILE, as curl, OpenSSL and Python's own
modules do, nor the system's certificate store.
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
    """Asrnet's cache folder: below XDG_CACHE_HOME if that is an absolute path, else below ~/.cache."""
    home = environ.get("XDG_CACHE_HOME", "")
    return (Path(home) if Path(home).is_absolute() else Path.home() / ".cache") / "asrnet"


def check_roots(environ: Mapping[str, str] = os.environ) -> None:
    """Raise InputError if the variable for root certificates names a path without usable certificates."""
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
        except OSError as error:  # includes SSLError: the file cannot be read or holds no certificate
            raise InputError(f"{variable} names '{path}', which gives no certificates: {error}", hint=hint) from error


def certificate_hint(environ: Mapping[str, str] = os.environ) -> str:
    """The hint for a server certificate that cannot be verified; it names the root certificates in use."""
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

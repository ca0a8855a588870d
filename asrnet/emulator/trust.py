"""Where the emulator's certificates are kept: per user, made once, used again, renewed before they expire."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import shutil
import ssl
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from msgspec import Struct

from asrnet.errors import InputError

_RENEWED_BEFORE: Final = 30 * 86400.0
_NAMES: Final = ("localhost", "127.0.0.1", "::1")


class Trust(Struct, frozen=True, kw_only=True):
    """Files for TLS: the authority that clients are told to trust, and the server's certificate with its key."""

    ca: Path
    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """What a server needs. Raises InputError where the files do not fit."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self.certificate, self.key)
        except (OSError, ssl.SSLError) as error:
            raise InputError(
                f"the certificate {self.certificate} cannot be used: {error}",
                hint="it must be PEM, with the key that belongs to it",
            ) from error
        return context


def default_folder() -> Path:
    """The folder of the user's cache that the certificates are kept in."""
    return Path.home() / ".cache" / "asrnet" / "emulator"


def given_trust(certificate: str, key: str) -> Trust:
    """Certificates of the user's own. Clients trust what signed them; the certificate's file stands for it."""
    return Trust(ca=Path(certificate), certificate=Path(certificate), key=Path(key))


def kept_trust(folder: Path, host: str = "127.0.0.1") -> Trust:
    """Certificates for this machine and ``host``, out of ``folder``, made there first where they are missing or old.

    Raises InputError where they cannot be kept.
    """
    names = (*_NAMES, *([host] if host not in _NAMES and host not in {"0.0.0.0", "::"} else []))  # noqa: S104 - compared
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        authority = _authority(folder)
        return _server(folder, authority, names)
    except OSError as error:
        raise InputError(
            f"certificates cannot be kept in {folder}: {error.strerror or error}",
            hint="make the folder writable, or bring certificates with --tls-cert and --tls-key",
        ) from error


def _authority(folder: Path) -> Path:
    """The authority's folder. It appears whole: emulators that start at the same moment agree on one."""
    place = folder / "authority"
    if _expires(place / "expires") > time.time() + _RENEWED_BEFORE:
        return place
    from asrnet.emulator.certificates import new_authority

    made = new_authority(dt.datetime.now(dt.UTC))
    fresh = Path(tempfile.mkdtemp(dir=folder, prefix=".authority."))
    _write(fresh / "ca.pem", made.certificate, mode=0o644)
    _write(fresh / "ca.key", made.key)
    _write(fresh / "expires", str(made.expires).encode())
    if place.exists():
        with suppress(OSError):
            place.rename(tempfile.mkdtemp(dir=folder, prefix=".old."))
    try:
        fresh.rename(place)
    except OSError:  # another emulator was faster: its authority is as good
        shutil.rmtree(fresh, ignore_errors=True)
    return place


def _server(folder: Path, authority: Path, names: Sequence[str]) -> Trust:
    ca = authority / "ca.pem"
    mark = hashlib.sha256(ca.read_bytes() + "\n".join(names).encode()).hexdigest()[:16]
    place = folder / f"server-{mark}.pem"
    expires = folder / f"server-{mark}.expires"
    if not place.exists() or _expires(expires) < time.time() + _RENEWED_BEFORE:
        from asrnet.emulator.certificates import Pair, new_server

        signer = Pair(ca.read_bytes(), (authority / "ca.key").read_bytes(), 0.0)
        made = new_server(signer, names, dt.datetime.now(dt.UTC))
        _write(place, made.certificate + made.key)
        _write(expires, str(made.expires).encode())
    return Trust(ca=ca, certificate=place, key=place)


def _expires(path: Path) -> float:
    """When a certificate expires, in seconds since 1970; 0 where nothing is known of it."""
    try:
        return float(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0.0


def _write(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    handle, temporary = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "wb") as stream:
        stream.write(content)
    Path(temporary).chmod(mode)
    Path(temporary).replace(path)

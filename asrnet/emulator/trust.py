"""The emulator's certificates on disk: made once for each user, used again, renewed before they expire."""

from __future__ import annotations

import datetime as dt
import hashlib
import itertools
import shutil
import ssl
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from asrnet.errors import InputError
from asrnet.settings.roots import cache_folder

# An emulator reads its certificate once and may then run for weeks.
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
    """The folder of the user's cache for certificates: below XDG_CACHE_HOME, else below ~/.cache."""
    return cache_folder() / "emulator"


def given_trust(certificate: str, key: str) -> Trust:
    """The user's own certificates. Clients trust their issuer, so the certificate file is also given as the CA."""
    return Trust(ca=Path(certificate), certificate=Path(certificate), key=Path(key))


def kept_trust(folder: Path, host: str = "127.0.0.1") -> Trust:
    """Certificates for this machine and ``host``, out of ``folder``, made there first where they are missing or old.

    Raises InputError where they cannot be kept.
    """
    names = (*_NAMES, *([host] if host not in _NAMES and host not in {"0.0.0.0", "::"} else []))  # noqa: S104 - compared
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        authority = _authority(folder)
        server = _server(folder, authority, names)
    except OSError as error:
        raise InputError(
            f"certificates cannot be kept in {folder}: {error.strerror or error}",
            hint="make the folder writable, or bring certificates with --tls-cert and --tls-key",
        ) from error
    return Trust(ca=authority / "ca.pem", certificate=server / "server.pem", key=server / "server.key")


def _authority(folder: Path) -> Path:
    def make() -> tuple[bytes, bytes, float]:
        from asrnet.emulator.certificates import new_authority

        made = new_authority(dt.datetime.now(dt.UTC))
        return made.certificate, made.key, made.expires

    return _current_folder(folder, "authority", "ca", make)


def _server(folder: Path, authority: Path, names: Sequence[str]) -> Path:
    certificate = (authority / "ca.pem").read_bytes()

    def make() -> tuple[bytes, bytes, float]:
        from asrnet.emulator.certificates import Pair, new_server

        signer = Pair(certificate, (authority / "ca.key").read_bytes(), 0.0)
        made = new_server(signer, names, dt.datetime.now(dt.UTC))
        return made.certificate, made.key, made.expires

    # Another authority or another host name needs another certificate, which gets a folder of its own.
    mark = hashlib.sha256(certificate + "\n".join(names).encode()).hexdigest()[:16]
    return _current_folder(folder, f"server-{mark}", "server", make)


def _current_folder(folder: Path, name: str, kind: str, make: Callable[[], tuple[bytes, bytes, float]]) -> Path:
    """The folder of a certificate and its key that are good for some time to come.

    Existing files are never changed, since another emulator may be reading them. Where they are too old or spoilt,
    another generation is made beside them.
    """
    for generation in itertools.count(1):
        place = folder / (name if generation == 1 else f"{name}-{generation}")
        if not place.exists():
            _place(place, kind, make)
        if _expires(place / "expires") > time.time() + _RENEWED_BEFORE and _is_whole(place, kind):
            return place
    raise AssertionError  # count() does not end


def _place(place: Path, kind: str, make: Callable[[], tuple[bytes, bytes, float]]) -> None:
    """Make the folder in one step, so that emulators that start at the same moment agree on one."""
    certificate, key, expires = make()
    fresh = Path(tempfile.mkdtemp(dir=place.parent, prefix=".new."))
    (fresh / f"{kind}.pem").write_bytes(certificate)
    (fresh / f"{kind}.key").touch(mode=0o600)
    (fresh / f"{kind}.key").write_bytes(key)
    (fresh / "expires").write_text(str(expires), encoding="ascii")
    try:
        fresh.rename(place)
    except OSError:  # another emulator was faster: its certificate is as good
        shutil.rmtree(fresh, ignore_errors=True)
        if not place.exists():
            raise


def _is_whole(place: Path, kind: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(place / f"{kind}.pem", place / f"{kind}.key")
    except (OSError, ssl.SSLError):
        return False
    return True


def _expires(path: Path) -> float:
    """When a certificate expires, in seconds since 1970; 0 where no file says it."""
    try:
        return float(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0.0

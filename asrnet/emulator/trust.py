"""The emulator's certificates on disk. They are created once per user, reused, and renewed before they expire."""

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

# An emulator reads its certificate at the start only, and may then run for weeks.
_RENEWED_BEFORE: Final = 30 * 86400.0
_NAMES: Final = ("localhost", "127.0.0.1", "::1")


class Trust(Struct, frozen=True, kw_only=True):
    """Files for TLS: the authority that clients must trust, and the server's certificate and key."""

    ca: Path
    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """The server's TLS context. Raises InputError if the files do not belong together."""
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
    """The user's cache folder for certificates: under XDG_CACHE_HOME, otherwise under ~/.cache."""
    return cache_folder() / "emulator"


def trust_of_files(certificate: str, key: str) -> Trust:
    """The user's own certificates. Clients trust their issuer, so the certificate file also serves as the CA."""
    return Trust(ca=Path(certificate), certificate=Path(certificate), key=Path(key))


def cached_trust(folder: Path, host: str = "127.0.0.1") -> Trust:
    """Certificates for this machine and ``host``, kept in ``folder`` and created if missing or about to expire.

    Raises InputError if they cannot be stored.
    """
    names = (*_NAMES, *([host] if host not in _NAMES and host not in {"0.0.0.0", "::"} else []))  # noqa: S104 - compared
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        authority = _authority(folder)
        server = _server(folder, authority, names)
    except OSError as error:
        raise InputError(
            f"certificates cannot be kept in {folder}: {error.strerror or error}",
            hint="make the folder writable, or give certificates with --tls-cert and --tls-key",
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

    # Another authority or host name needs another certificate, which is kept in another folder.
    mark = hashlib.sha256(certificate + "\n".join(names).encode()).hexdigest()[:16]
    return _current_folder(folder, f"server-{mark}", "server", make)


def _current_folder(folder: Path, name: str, kind: str, make: Callable[[], tuple[bytes, bytes, float]]) -> Path:
    """The folder of a certificate and key that remain valid for long enough.

    Existing files are never changed, since another emulator may be reading them. If they are about to expire or
    damaged, a new generation is created next to them.
    """
    for generation in itertools.count(1):
        place = folder / (name if generation == 1 else f"{name}-{generation}")
        if not place.exists():
            _create_folder(place, kind, make)
        if _expires(place / "expires") > time.time() + _RENEWED_BEFORE and _can_be_loaded(place, kind):
            return place
    raise AssertionError  # count() never ends


def _create_folder(place: Path, kind: str, make: Callable[[], tuple[bytes, bytes, float]]) -> None:
    """Create the folder atomically, so that emulators started at the same moment agree on one."""
    certificate, key, expires = make()
    fresh = Path(tempfile.mkdtemp(dir=place.parent, prefix=".new."))
    (fresh / f"{kind}.pem").write_bytes(certificate)
    # Created with its mode before it is written, so that no other user can ever read the key.
    (fresh / f"{kind}.key").touch(mode=0o600)
    (fresh / f"{kind}.key").write_bytes(key)
    (fresh / "expires").write_text(str(expires), encoding="ascii")
    try:
        fresh.rename(place)
    except OSError:  # another emulator was faster, and its certificate is just as good
        shutil.rmtree(fresh, ignore_errors=True)
        if not place.exists():
            raise


def _can_be_loaded(place: Path, kind: str) -> bool:
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(place / f"{kind}.pem", place / f"{kind}.key")
    except (OSError, ssl.SSLError):
        return False
    return True


def _expires(path: Path) -> float:
    """When a certificate expires, in seconds since 1970; 0 if the file is missing or damaged."""
    try:
        return float(path.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0.0

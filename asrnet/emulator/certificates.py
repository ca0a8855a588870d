"""A private certificate authority, and the server certificates it signs, for an emulator on this machine."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from msgspec import Struct

_AUTHORITY_LIFE = dt.timedelta(days=3650)
# The longest validity that public authorities may give, so that no client rejects the certificate.
_SERVER_LIFE = dt.timedelta(days=397)
# The clock of a container or virtual machine may be slow.
_SKEW = dt.timedelta(days=1)


class Pair(Struct, frozen=True):
    """A certificate and its private key, as PEM. ``expires`` is in seconds since 1970."""

    certificate: bytes
    key: bytes
    expires: float


def new_authority(now: dt.datetime) -> Pair:
    """Create a certificate authority that is valid for ten years."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("asrnet emulator: a test authority, trust it in tests only")
    constraints = x509.BasicConstraints(ca=True, path_length=0)
    builder = (
        _builder(name, name, key.public_key(), now, _AUTHORITY_LIFE)
        .add_extension(constraints, critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return _pair(builder.sign(key, hashes.SHA256()), key)


def new_server(authority: Pair, names: Sequence[str], now: dt.datetime) -> Pair:
    """Create a server certificate for host names and addresses, signed by ``authority`` and valid for 397 days."""
    signer = x509.load_pem_x509_certificate(authority.certificate)
    signer_key = serialization.load_pem_private_key(authority.key, None)
    if not isinstance(signer_key, ec.EllipticCurvePrivateKey):
        raise TypeError("the authority's key was not made by this emulator")
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        _builder(_name(names[0]), signer.subject, key.public_key(), now, _SERVER_LIFE)
        .add_extension(x509.SubjectAlternativeName([_alternative(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer_key.public_key()), critical=False)
    )
    return _pair(builder.sign(signer_key, hashes.SHA256()), key)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    now: dt.datetime,
    life: dt.timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _SKEW)
        .not_valid_after(now + life)
    )


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    return Pair(
        certificate.public_bytes(serialization.Encoding.PEM),
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
        certificate.not_valid_after_utc.timestamp(),
    )

"""Certificates for the nexo wire: a shop's own authority and a leaf that tills accept.

Tills of this dialect check the chain against the authority they are given and then only the leaf's common
name, which has to look like `<model>-<serial>.test.terminal.adyen.com`; others check the address. The leaf
therefore carries that name and every address as alternative names.
"""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from pos_adapter.errors import BadRequest

AUTHORITY_YEARS, LEAF_DAYS = 10, 397
_POI_ID = re.compile(r"[A-Za-z0-9]+-[A-Za-z0-9]+")
# Clocks of tills are wrong; a certificate of today has to be good for one that is a day behind.
_BACKDATED = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class CertificateOrder:
    """`poi_id` is model-serial, `addresses` are host names and IP addresses, `live` is not for tests."""

    poi_id: str
    addresses: Sequence[str]
    live: bool = False

    def __post_init__(self) -> None:
        if not _POI_ID.fullmatch(self.poi_id) or len(self.common_name) > 64:
            raise BadRequest(
                f"the POIID has to be <model>-<serial> in letters and digits, not {self.poi_id!r}"
            )
        if not self.addresses:
            raise BadRequest("name at least one address under which tills reach this terminal")

    @property
    def common_name(self) -> str:
        """The name that tills look for."""
        return f"{self.poi_id}.{'live' if self.live else 'test'}.terminal.adyen.com"


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Where the PEM files lie; tills need `authority`, the server `leaf` and `key`."""

    authority: Path
    authority_key: Path
    leaf: Path
    key: Path


def files_in(folder: Path) -> CertificateFiles:
    """The files' names in a folder."""
    return CertificateFiles(
        folder / "authority.pem",
        folder / "authority-key.pem",
        folder / "terminal.pem",
        folder / "terminal-key.pem",
    )


def make_certificates(
    folder: Path, order: CertificateOrder, *, now: datetime | None = None
) -> CertificateFiles:
    """Write a leaf, and an authority unless the folder has one already, which is then used again.

    Raises:
        BadRequest: the folder cannot be written or holds an authority that is broken or has ended.
    """
    files = files_in(folder)
    at = now or datetime.now(UTC)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if files.authority.exists() and files.authority_key.exists():
            authority, signing_key = _load_authority(files, at)
        else:
            authority, signing_key = _make_authority(at)
            _write(files.authority, authority.public_bytes(serialization.Encoding.PEM))
            _write(files.authority_key, _pem(signing_key), private=True)
        leaf, key = _make_leaf(order, authority, signing_key, at)
        chain = leaf.public_bytes(serialization.Encoding.PEM) + authority.public_bytes(
            serialization.Encoding.PEM
        )
        _write(files.leaf, chain)
        _write(files.key, _pem(key), private=True)
    except OSError as error:
        raise BadRequest(f"the certificates cannot be written to {folder}: {error}") from error
    return files


def server_context(leaf: Path, key: Path) -> ssl.SSLContext:
    """A server's TLS settings with these files; raises BadRequest naming what cannot be read."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(leaf, key)
    except (OSError, ssl.SSLError) as error:
        raise BadRequest(f"{leaf} and {key} are no certificate and its key: {error}") from error
    return context


def _make_authority(at: datetime) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name("facepay shop authority")
    usage = x509.KeyUsage(
        digital_signature=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=True,
        crl_sign=True,
        encipher_only=False,
        decipher_only=False,
    )
    builder = (
        _builder(name, name, key.public_key(), at, timedelta(days=365 * AUTHORITY_YEARS))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return builder.sign(key, hashes.SHA256()), key


def _make_leaf(
    order: CertificateOrder,
    authority: x509.Certificate,
    signing_key: ec.EllipticCurvePrivateKey,
    at: datetime,
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    key = ec.generate_private_key(ec.SECP256R1())
    names = [x509.DNSName(order.common_name), *(_alternative(address) for address in order.addresses)]
    issuer_key = x509.AuthorityKeyIdentifier.from_issuer_public_key(signing_key.public_key())
    builder = (
        _builder(_name(order.common_name), authority.subject, key.public_key(), at, timedelta(days=LEAF_DAYS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(issuer_key, critical=False)
    )
    return builder.sign(signing_key, hashes.SHA256()), key


def _load_authority(
    files: CertificateFiles, at: datetime
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    hint = f"remove {files.authority} and {files.authority_key} to make a new one"
    try:
        authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
        key = serialization.load_pem_private_key(files.authority_key.read_bytes(), None)
        authority.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature) as error:
        raise BadRequest(f"the authority is not readable; {hint}") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.public_key() != authority.public_key():
        raise BadRequest(f"the authority's key does not belong to it; {hint}")
    if authority.not_valid_after_utc < at + timedelta(days=LEAF_DAYS):
        raise BadRequest(f"the authority ends on {authority.not_valid_after_utc:%Y-%m-%d}; {hint}")
    return authority, key


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    at: datetime,
    lifetime: timedelta,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(at - _BACKDATED)
        .not_valid_after(at + lifetime)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _alternative(address: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(address))
    except ValueError:
        pass
    try:
        return x509.DNSName(address)
    except ValueError as error:
        raise BadRequest(f"{address!r} is neither a host name nor an IP address") from error


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write(path: Path, data: bytes, *, private: bool = False) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if private else 0o644)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)

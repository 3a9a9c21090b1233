"""The certificates that nexo tills ask for."""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from pos_adapter.certificates import CertificateOrder, make_certificates, server_context
from pos_adapter.errors import BadRequest

ORDER = CertificateOrder("FACE01-000000001", ["192.168.1.7", "till.example"])
# What clients of this dialect hold against the common name.
WANTED = re.compile(r"([a-zA-Z0-9]+-[a-zA-Z0-9]+)\.(live|test)\.terminal\.adyen\.com")


def test_the_leaf_has_the_name_and_the_addresses_that_tills_check(tmp_path: Path) -> None:
    files = make_certificates(tmp_path, ORDER)
    leaf = x509.load_pem_x509_certificate(files.leaf.read_bytes())
    (name,) = leaf.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    assert WANTED.fullmatch(str(name.value))
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "till.example" in names.get_values_for_type(x509.DNSName)
    assert [str(ip) for ip in names.get_values_for_type(x509.IPAddress)] == ["192.168.1.7"]
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(files.authority.read_bytes()))
    assert isinstance(server_context(files.leaf, files.key), ssl.SSLContext)


def test_private_keys_are_for_their_owner_alone(tmp_path: Path) -> None:
    files = make_certificates(tmp_path, ORDER)
    assert [path.stat().st_mode & 0o777 for path in (files.key, files.authority_key)] == [0o600, 0o600]


def test_a_second_leaf_comes_from_the_same_authority(tmp_path: Path) -> None:
    first = make_certificates(tmp_path, ORDER).authority.read_bytes()
    assert make_certificates(tmp_path, CertificateOrder("FACE02-2", ["::1"])).authority.read_bytes() == first


def test_an_authority_that_is_broken_or_over_is_not_replaced_in_silence(tmp_path: Path) -> None:
    files = make_certificates(tmp_path, ORDER)
    with pytest.raises(BadRequest, match="ends on"):
        make_certificates(tmp_path, ORDER, now=datetime.now(UTC) + timedelta(days=3600))
    files.authority.write_text("no certificate")
    with pytest.raises(BadRequest, match="not readable"):
        make_certificates(tmp_path, ORDER)
    with pytest.raises(BadRequest, match="no certificate"):
        server_context(files.authority, files.key)


@pytest.mark.parametrize(
    ("poi_id", "addresses"),
    [("FACE01", ["a"]), ("FACE_01-1", ["a"]), ("FACE01-1", []), ("F" * 60 + "-1", ["a"])],
)
def test_impossible_orders_are_refused(poi_id: str, addresses: list[str]) -> None:
    with pytest.raises(BadRequest):
        CertificateOrder(poi_id, addresses)


def test_an_address_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadRequest, match="neither a host name"):
        make_certificates(tmp_path, CertificateOrder("FACE01-1", ["käse"]))

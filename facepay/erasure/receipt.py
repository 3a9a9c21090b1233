"""The deletion receipt: what it claims, and in plain words which copies it can and cannot speak for.

The payer is named by a digest with the receipt's own number, so that whoever knows the pseudonym can
check that the receipt is theirs and nobody else learns it.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from facepay.audit import Inclusion
from facepay.errors import ReceiptRefused
from facepay.gallery.records import Erased
from facepay.types import SubjectId
from keys.strict_json import Json

DIGESTS = 16
"""Digests a receipt lists; a payer has a handful of references."""
SPEAKS_FOR = (
    "the payer's references and data keys in this database, which were overwritten",
    "the shop's part of a code in the payer's own hands, without which no copy of that code opens",
    "the search memory of the terminal that erased, and of others at their next look at the database",
    "every backup of this database, from the moment the wrapping keys named here are destroyed",
)
SILENT_ON = (
    "backups taken before, until those wrapping keys are destroyed",
    "copies of the key store kept elsewhere, and shares of its root key in escrow",
    "flash memory that keeps old pages out of reach of software",
    "payment records, which the law says how long to keep and which hold no face",
)


@dataclass(frozen=True, slots=True)
class Receipt:
    """A verified receipt, as its claims say."""

    number: str
    at_s: int
    subject_digest: str
    digests: tuple[str, ...]
    wrapping_keys: tuple[str, ...]
    inclusion: Inclusion


def subject_digest(number: str, subject: SubjectId) -> str:
    """What stands for the payer in a receipt."""
    return hashlib.sha256(f"{number}/{subject}".encode()).hexdigest()


def receipt_claims(
    number: str, subject: SubjectId, erased: Erased, inclusion: Inclusion, *, at_s: int, destroy_by_s: int
) -> dict[str, Json]:
    """The claims to sign."""
    return {
        "jti": number,
        "iat": at_s,
        "subject": subject_digest(number, subject),
        "references": erased.references,
        "destroyed": list(erased.digests[:DIGESTS]),
        "wrapping_keys": list(erased.wrapping_keys),
        "wrapping_keys_destroyed_by": destroy_by_s,
        "log": {
            "position": inclusion.position,
            "leaf": inclusion.leaf_hash.hex(),
            "proof": [node.hex() for node in inclusion.proof],
            "checkpoint": base64.b64encode(inclusion.checkpoint.encode()).decode(),
        },
        "speaks_for": list(SPEAKS_FOR),
        "silent_on": list(SILENT_ON),
    }


def read_receipt(claims: Mapping[str, Json]) -> Receipt:
    """The receipt in verified claims; raises ReceiptRefused when one is missing or malformed."""
    try:
        match claims:
            case {
                "jti": str(number),
                "iat": int(at_s),
                "subject": str(subject),
                "destroyed": list(digests),
                "wrapping_keys": list(keys),
                "log": {
                    "position": int(position),
                    "leaf": str(leaf),
                    "proof": list(proof),
                    "checkpoint": str(note),
                },
            }:
                nodes = tuple(bytes.fromhex(str(node)) for node in proof)
                checkpoint = base64.b64decode(note, validate=True).decode()
                inclusion = Inclusion(position, bytes.fromhex(leaf), nodes, checkpoint)
                names = tuple(str(key) for key in keys)
                return Receipt(number, at_s, subject, tuple(str(d) for d in digests), names, inclusion)
    except ValueError:
        raise ReceiptRefused("a claim of the deletion receipt is malformed") from None
    raise ReceiptRefused("the deletion receipt lacks a claim")

"""The signed record of one try: what was asked, shown, seen and concluded, without any picture.

Canonical JSON (sorted keys, no spaces, UTF-8) signed by the terminal's key. The verifier checks
signature, age, sale and single use; a transcript that fails any of it is worth nothing.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field

from liveness.base import NonceRegister, Signer, Verifier
from liveness.challenge import Challenge, Sale
from liveness.consent import Consent
from liveness.errors import ChallengeReused, TranscriptRefused
from liveness.types import PadResult, Shown

VERSION = 1
MAX_AGE_NS = 10_000_000_000
MAX_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class Record:
    """Everything that goes into a transcript."""

    sale: Sale
    challenge: Challenge
    result: PadResult
    shown: tuple[Shown, ...]
    frames: int
    concluded_at_ns: int
    digests: tuple[tuple[str, str], ...] = ()
    """Names and lowercase sha256 of networks and calibration."""
    consent: Consent | None = None


@dataclass(frozen=True, slots=True)
class SignedTranscript:
    """Canonical bytes and the terminal's signature over them."""

    data: bytes = field(repr=False)
    signature: bytes = field(repr=False)

    @property
    def digest(self) -> str:
        """First half of sha256 over record and signature, 32 lowercase hex digits: its name in journal
        and receipt, short enough for a QR code that a cheap scanner reads."""
        return hashlib.sha256(self.data + self.signature).hexdigest()[:32]

    def as_text(self) -> str:
        """Both parts in base64 (RFC 4648, section 5) with a full stop between, to be kept; ASCII."""
        return ".".join(base64.urlsafe_b64encode(part).decode() for part in (self.data, self.signature))


def sign_transcript(record: Record, signer: Signer) -> SignedTranscript:
    """Write the record down and sign it."""
    data = json.dumps(_plain(record), sort_keys=True, separators=(",", ":"), allow_nan=False).encode()
    return SignedTranscript(data, signer.sign(data))


def require_transcript(
    signed: SignedTranscript, sale: Sale, verifier: Verifier, register: NonceRegister, *, now_ns: int
) -> dict[str, object]:
    """Check a transcript against the sale it should belong to, and spend it.

    Args:
        signed: bytes and signature as received.
        sale: the sale that was started here.
        verifier: knows the terminal's public key.
        register: remembers spent transcripts.
        now_ns: on the clock of `concluded_at_ns`.

    Returns:
        The record as plain values.

    Raises:
        TranscriptRefused: it is malformed, altered, of another sale, too old, or was used before.
    """
    if len(signed.data) > MAX_BYTES:
        raise TranscriptRefused("the liveness transcript is too large")
    try:
        verifier.verify(signed.data, signed.signature)
    except Exception as error:  # Whatever the key store raises, the transcript is not authentic.
        raise TranscriptRefused("the liveness transcript is not signed by this terminal") from error
    plain = _parsed(signed.data)
    if plain.get("version") != VERSION or plain.get("sale") != _sale(sale):
        raise TranscriptRefused("the liveness transcript belongs to another sale or version")
    at_ns = plain.get("concluded_at_ns")
    if not isinstance(at_ns, int) or not 0 <= now_ns - at_ns <= MAX_AGE_NS:
        raise TranscriptRefused("the liveness transcript is too old, or its clock runs ahead")
    try:
        register.spend(b"transcript:" + sale.nonce, now_ns=now_ns)
    except ChallengeReused as error:
        raise TranscriptRefused("the liveness transcript was used before") from error
    return plain


def _parsed(data: bytes) -> dict[str, object]:
    try:
        plain = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise TranscriptRefused("the liveness transcript is not readable") from error
    if not isinstance(plain, dict):
        raise TranscriptRefused("the liveness transcript is not a record")
    return plain


def _sale(sale: Sale) -> dict[str, object]:
    return {
        "nonce": sale.nonce.hex(),
        "amount_minor": sale.amount_minor,
        "currency": sale.currency,
        "terminal": sale.terminal,
        "attempt": sale.attempt,
    }


def _plain(record: Record) -> dict[str, object]:
    result, consent = record.result, record.consent
    return {
        "version": VERSION,
        "sale": _sale(record.sale),
        "challenge": {"code": record.challenge.code, "turn": record.challenge.turn.value},
        "shown": [{"kind": one.prompt.kind.value, "at_ns": one.at_ns} for one in record.shown],
        "frames": record.frames,
        "chain": result.transcript,
        "status": result.status.value,
        "level": None if result.level is None else int(result.level),
        "origin": result.origin.value,
        "cues": {
            one.cue.value: {"status": one.status.value, "reasons": [reason.value for reason in one.reasons]}
            for one in result.cues
        },
        "alarms": [alarm.value for alarm in result.alarms],
        "digests": dict(record.digests),
        "consent": None if consent is None else _consent(consent),
        "concluded_at_ns": record.concluded_at_ns,
    }


def _consent(consent: Consent) -> dict[str, object]:
    return {
        "act": consent.act.value,
        "at_ns": consent.at_ns,
        "shown_at_ns": consent.shown_at_ns,
        "shown": consent.shown.hex(),
    }

"""A gallery as few large sealed pieces, for starts that rows are too slow for.

A segment holds int8 features in columns, block by block, as the integer product wants them. It is one
envelope: its own data key, wrapped by the key store, bound to tenant, model, epoch and number. The signed
manifest lists the segments of an epoch; a terminal refuses an older epoch than it has seen and a manifest
past its time. Erased payers are tombstones in the manifest, and leave the next epoch's segments.

    plain: rows 4 | dimensions 4 | subjects 16 each | scales float32 each | codes, dimensions each
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from facepay.errors import ReferenceUnreadable
from facepay.recognition.int8_product import ROW_ZERO
from facepay.types import Features, ModelId, SubjectId
from keys.base import Signing, Wrapping
from keys.envelope import seal, unseal
from keys.errors import KeysError, StatementRefused
from keys.hygiene import wipe
from keys.statements import StatementKind, sign_statement, verify_statement
from keys.strict_json import Json
from keys.types import Context, KeyId, Purpose

SEGMENT_ROWS = 262_144
_HEAD = struct.Struct("<II")


@dataclass(frozen=True, slots=True)
class Segment:
    """Opened segment: subjects as 16 bytes each, `scales` float32[N], `codes` uint8[N, D] about `ROW_ZERO`.

    This is how the integer product takes its rows, so that nothing is turned or widened at a start.
    """

    subjects: memoryview = field(repr=False)
    scales: npt.NDArray[np.float32] = field(repr=False)
    codes: npt.NDArray[np.uint8] = field(repr=False)

    @property
    def size(self) -> int:
        """How many references it has."""
        return len(self.scales)

    def subject(self, row: int) -> SubjectId:
        """Whose reference stands in a row."""
        return SubjectId(bytes(self.subjects[16 * row : 16 * row + 16]).hex())


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a terminal may load: `epoch` only rises, `tombstones` are erased since the segments were made."""

    epoch: int
    segments: int
    not_after_s: int
    tombstones: tuple[SubjectId, ...] = ()


def seal_segment(subjects: Sequence[SubjectId], rows: Features, place: Context, keys: Wrapping) -> bytes:
    """Seal `float32[N, D]` rows of unit length; at most SEGMENT_ROWS of them."""
    if not 0 < len(rows) <= SEGMENT_ROWS:
        raise ValueError(f"a segment has 1 to {SEGMENT_ROWS} rows, not {len(rows)}")
    scales = (np.abs(rows).max(axis=1) / 127).astype("<f4")
    codes = (np.rint(rows / scales[:, None]) + ROW_ZERO).astype(np.uint8)
    plain = bytearray(_HEAD.pack(*rows.shape))
    plain += b"".join(bytes.fromhex(subject) for subject in subjects) + scales.tobytes()
    plain += codes.tobytes()
    try:
        return seal(plain, place, keys)
    finally:
        wipe(plain)


def open_segment(sealed: bytes | memoryview, place: Context, keys: Wrapping) -> Segment:
    """Open a segment; its arrays share one buffer.

    Raises:
        ReferenceUnreadable: altered, of another epoch, tenant or model, or its key is gone.
    """
    try:
        plain = unseal(sealed, place, keys)
    except KeysError as error:
        raise ReferenceUnreadable(f"segment {place.reference} does not open: {error}") from error
    rows, width = _HEAD.unpack_from(plain)
    view, at = memoryview(plain), _HEAD.size
    if len(plain) != at + rows * (16 + 4 + width):
        raise ReferenceUnreadable(f"segment {place.reference} has {len(plain)} bytes for {rows} rows")
    subjects, at = view[at : at + 16 * rows], at + 16 * rows
    scales, at = np.frombuffer(view[at : at + 4 * rows], "<f4"), at + 4 * rows
    return Segment(subjects, scales, np.frombuffer(view[at:], np.uint8).reshape(rows, width))


def segment_place(tenant: str, model: ModelId, epoch: int, number: int) -> Context:
    """What a segment is bound to."""
    return Context(Purpose.SEGMENT, tenant, reference=f"segment-{number}", model=model, record_version=epoch)


def sign_manifest(manifest: Manifest, tenant: str, model: ModelId, signer: Signing) -> str:
    """The manifest as a signed statement."""
    claims: dict[str, Json] = {
        "tenant": tenant,
        "model": model,
        "epoch": manifest.epoch,
        "segments": manifest.segments,
        "exp": manifest.not_after_s,
        "tombstones": list(manifest.tombstones),
    }
    return sign_statement(StatementKind.MANIFEST, claims, signer)


def read_manifest(
    token: str,
    place: tuple[str, ModelId],
    trusted: Mapping[KeyId, bytes],
    *,
    seen_epoch: int,
    now_s: int,
) -> Manifest:
    """Verify a manifest of (tenant, model); raises StatementRefused when it is old, late or another's."""
    match verify_statement(StatementKind.MANIFEST, token, trusted):
        case {
            "tenant": str(tenant),
            "model": str(model),
            "epoch": int(epoch),
            "segments": int(segments),
            "exp": int(until),
            "tombstones": list(gone),
        } if (tenant, model) == place:
            pass
        case _:
            raise StatementRefused("the manifest is of another gallery")
    if epoch < seen_epoch:
        raise StatementRefused(f"the manifest is of epoch {epoch}, epoch {seen_epoch} was seen before")
    if now_s >= until:
        raise StatementRefused("the manifest is past its time; face payment waits for a newer one")
    return Manifest(epoch, segments, until, tuple(SubjectId(str(subject)) for subject in gone))

"""Between a plain reference and its sealed row.

Features are stored as little-endian float16: the rounding moves a cosine by less than 1e-3, far
below any margin, and halves what has to be opened at start.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from facepay.db.models.subjects import ReferenceRow
from facepay.errors import ReferenceUnreadable
from facepay.types import Features, ModelId, Reference, ReferenceId, SubjectId
from keys.base import Wrapping
from keys.envelope import Envelope, rewrap, seal_envelope, unseal_envelope
from keys.errors import KeysError
from keys.hygiene import wipe
from keys.types import Context, KeyId, Purpose, WrappedKey

FIRST_VERSION = 1


def seal_reference(reference: Reference, tenant: str, keys: Wrapping) -> ReferenceRow:
    """The row that stores a reference."""
    context = _context(tenant, reference.subject, reference.reference, reference.model, FIRST_VERSION)
    plain = bytearray(reference.features.astype("<f2").tobytes())
    try:
        envelope = seal_envelope(plain, context, keys)
    finally:
        wipe(plain)
    return ReferenceRow(
        reference=reference.reference,
        subject=reference.subject,
        tenant=tenant,
        model=reference.model,
        dimensions=int(reference.features.shape[0]),
        record_version=FIRST_VERSION,
        wrapping_key=envelope.wrapped.key,
        wrapped=envelope.wrapped.blob,
        body=envelope.body,
    )


def unseal_reference(row: ReferenceRow, keys: Wrapping) -> Reference:
    """The reference of a row.

    Raises:
        ReferenceUnreadable: altered, moved, or sealed under a key that is not in this key store.
    """
    context = _context(row.tenant, row.subject, row.reference, row.model, row.record_version)
    envelope = Envelope(WrappedKey(KeyId(row.wrapping_key), row.wrapped), row.body)
    try:
        plain = unseal_envelope(envelope, context, keys)
    except KeysError as error:
        raise ReferenceUnreadable(f"reference {row.reference} does not open: {error}") from error
    try:
        features = _features(plain, row.dimensions)
    finally:
        wipe(plain)
    if features is None:
        raise ReferenceUnreadable(f"reference {row.reference} is not of {row.dimensions} dimensions")
    return Reference(ReferenceId(row.reference), SubjectId(row.subject), features, ModelId(row.model))


def rewrap_row(row: ReferenceRow, keys: Wrapping, under: KeyId) -> None:
    """Move a row's data key under another wrapping key, in place; the features are not decrypted.

    Raises:
        ReferenceUnreadable: as `unseal_reference`; the row is unchanged.
    """
    context = _context(row.tenant, row.subject, row.reference, row.model, row.record_version)
    envelope = Envelope(WrappedKey(KeyId(row.wrapping_key), row.wrapped), row.body)
    try:
        moved = rewrap(envelope, context, keys, under=under)
    except KeysError as error:
        raise ReferenceUnreadable(f"reference {row.reference} does not open: {error}") from error
    row.wrapping_key, row.wrapped = moved.wrapped.key, moved.wrapped.blob


def unseal_all(
    rows: Sequence[ReferenceRow], keys: Wrapping
) -> Iterator[tuple[ReferenceRow, Reference | ReferenceUnreadable]]:
    """Each row with its reference, or with what is wrong with it; one bad row stops no other."""
    for row in rows:
        try:
            yield row, unseal_reference(row, keys)
        except ReferenceUnreadable as error:
            yield row, error


def _features(plain: bytearray, dimensions: int) -> Features | None:
    if len(plain) != 2 * dimensions:
        return None
    wide = np.frombuffer(plain, dtype="<f2").astype(np.float32)
    length = float(np.linalg.norm(wide))
    return np.asarray(wide / length, dtype=np.float32) if np.isfinite(length) and length > 0 else None


def _context(tenant: str, subject: str, reference: str, model: str, version: int) -> Context:
    return Context(Purpose.REFERENCE, tenant, subject, reference, model, version)

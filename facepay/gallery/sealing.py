"""Between a plain reference and its sealed row.

Features are stored as little-endian float16: the rounding moves a cosine by less than 1e-3, far
below any margin, and halves what has to be opened at start.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from facepay.db.models.subjects import ReferenceRow
from facepay.errors import ReferenceUnreadable
from facepay.gallery.records import Deposit
from facepay.gallery.rows import StoredReference
from facepay.types import Features, ModelId, Reference, ReferenceId, SubjectId, TemplateMode
from keys.base import Wrapping
from keys.envelope import Envelope, rewrap, seal_envelope, unseal_envelope
from keys.errors import KeysError
from keys.hygiene import wipe
from keys.types import Context, KeyId, Purpose, WrappedKey

FIRST_VERSION = 1
PURPOSES = {
    TemplateMode.GALLERY.value: Purpose.REFERENCE,
    TemplateMode.KEYED.value: Purpose.KEYED,
    TemplateMode.CAPSULE.value: Purpose.SHARE,
}
"""What a row's sealed text is; bound, so that no row opens as one of another mode."""

SealedRow = ReferenceRow | StoredReference


def seal_reference(reference: Reference, tenant: str, keys: Wrapping) -> ReferenceRow:
    """The row that stores a reference."""
    names = (tenant, reference.subject, reference.reference, reference.model)
    context = Context(Purpose.REFERENCE, *names, FIRST_VERSION)
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


def seal_deposit(deposit: Deposit, subject: SubjectId, tenant: str, keys: Wrapping) -> ReferenceRow:
    """The row that stores what the shop keeps of a template in the shopper's hands."""
    row = ReferenceRow(
        reference=deposit.reference,
        subject=subject,
        tenant=tenant,
        model=deposit.model,
        dimensions=deposit.dimensions,
        record_version=FIRST_VERSION,
        mode=deposit.mode.value,
    )
    envelope = seal_envelope(deposit.kept, context_of(row), keys)
    row.wrapping_key, row.wrapped = envelope.wrapped.key, envelope.wrapped.blob
    row.body = envelope.body
    return row


def unseal_deposit(row: ReferenceRow, keys: Wrapping) -> bytearray:
    """What was deposited; the caller wipes it. Raises ReferenceUnreadable."""
    return _open(row, keys)


def rewrapped(row: SealedRow, keys: Wrapping, under: KeyId) -> WrappedKey:
    """A row's data key under another wrapping key; the features are not decrypted.

    Raises:
        ReferenceUnreadable: altered, moved, or sealed under a key that is gone.
    """
    envelope = Envelope(WrappedKey(KeyId(row.wrapping_key), row.wrapped), row.body)
    try:
        return rewrap(envelope, context_of(row), keys, under=under).wrapped
    except KeysError as error:
        raise ReferenceUnreadable(f"reference {row.reference} does not open: {error}") from error


def resealed(row: SealedRow, keys: Wrapping, under: KeyId) -> Envelope:
    """A row's next version: the same plain text under a fresh data key, which `under` wraps.

    Raises:
        ReferenceUnreadable: as `rewrapped`.
    """
    context = context_of(row)
    plain = _open(row, keys)
    try:
        return seal_envelope(
            plain, replace(context, record_version=row.record_version + 1), keys, under=under
        )
    finally:
        wipe(plain)


def unseal_all(
    rows: Sequence[SealedRow], keys: Wrapping
) -> Iterator[tuple[SealedRow, Reference | ReferenceUnreadable]]:
    """Each row with its reference, or with what is wrong with it; one bad row stops no other.

    Rows are opened one by one and widened together, which is most of what a start takes.
    """
    plains: list[bytearray] = []
    try:
        failures: dict[int, ReferenceUnreadable] = {}
        for number, row in enumerate(rows):
            try:
                plains.append(_open(row, keys))
            except ReferenceUnreadable as error:
                failures[number] = error
        features = iter(_widen(plains))
        for number, row in enumerate(rows):
            yield row, failures[number] if number in failures else _reference(row, next(features))
    finally:
        wipe(*plains)


def _open(row: SealedRow, keys: Wrapping) -> bytearray:
    envelope = Envelope(WrappedKey(KeyId(row.wrapping_key), row.wrapped), row.body)
    try:
        return unseal_envelope(envelope, context_of(row), keys)
    except KeysError as error:
        raise ReferenceUnreadable(f"reference {row.reference} does not open: {error}") from error


def _widen(plains: Sequence[bytearray]) -> Iterator[Features | None]:
    """Unit `float32[D]` of each plain text of half floats; None for what is not finite or has no length."""
    sizes = {len(plain) for plain in plains}
    if len(sizes) != 1 or next(iter(sizes)) % 2:
        return (next(_widen([plain])) if len(plain) % 2 == 0 and plain else None for plain in plains)
    together = bytearray().join(plains)
    try:
        wide = np.frombuffer(together, "<f2").reshape(len(plains), -1).astype(np.float32)
    finally:
        wipe(together)
    lengths = np.sqrt(np.einsum("ij,ij->i", wide, wide))
    right = np.isfinite(lengths) & (lengths > 0)
    wide /= np.where(right, lengths, 1)[:, None]
    return (row if good else None for row, good in zip(wide, right, strict=True))


def _reference(row: SealedRow, features: Features | None) -> Reference | ReferenceUnreadable:
    if features is None or len(features) != row.dimensions:
        return ReferenceUnreadable(f"reference {row.reference} is not of {row.dimensions} dimensions")
    return Reference(ReferenceId(row.reference), SubjectId(row.subject), features, ModelId(row.model))


def context_of(row: SealedRow) -> Context:
    """What a row's seal is bound to; a mode that does not exist is nothing that was ever sealed."""
    purpose = PURPOSES.get(row.mode)
    if purpose is None:
        raise ReferenceUnreadable(f"reference {row.reference} has a mode this release does not know")
    return Context(purpose, row.tenant, row.subject, row.reference, row.model, row.record_version)

"""Between a plain reference and its sealed row.

Features are stored as little-endian float16: the rounding moves a cosine by less than 1e-3, far
below any margin, and halves what has to be opened at start.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from facepay.db.models.subjects import ReferenceRow
from facepay.errors import ReferenceUnreadable
from facepay.gallery.records import Deposit
from facepay.gallery.rows import StoredReference
from facepay.types import Features, ModelId, Reference, ReferenceId, SubjectId, TemplateMode
from keys.base import Wrapping
from keys.cobblestone import sealed_size
from keys.context import Place
from keys.envelope import Envelope, rewrap, seal_envelope, unseal_each_into, unseal_envelope
from keys.errors import KeysError, SealBroken
from keys.hygiene import wipe
from keys.types import Context, KeyId, Purpose, WrappedKey

FIRST_VERSION = 1
HALF = 2
"""Bytes of a half float."""
AT_ONCE = 512
"""Rows opened together."""
PURPOSES = {
    TemplateMode.GALLERY.value: Purpose.REFERENCE,
    TemplateMode.KEYED.value: Purpose.KEYED,
    TemplateMode.CAPSULE.value: Purpose.SHARE,
}
"""What a row's sealed text is; bound, so that no row opens as one of another mode."""

_ALTERED = (
    "its row was altered, put back, or moved from another payer or tenant since it was sealed; restore "
    "the row from a backup, or erase the payer and enrol them anew"
)

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


def as_sealed(reference: Reference) -> Reference:
    """The reference as it opens again, in half floats: what is searched is what a restart will search."""
    plain = bytearray(reference.features.astype("<f2").tobytes())
    try:
        features, usable = _widened(plain, reference.features.shape[0])
    finally:
        wipe(plain)
    return replace(reference, features=features[0]) if usable[0] else reference


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
    try:
        return rewrap(_envelope(row), context_of(row), keys, under=under).wrapped
    except KeysError as error:
        raise _unreadable(row, error) from error


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
    rows: Iterable[SealedRow], keys: Wrapping
) -> Iterator[tuple[SealedRow, Reference | ReferenceUnreadable]]:
    """Each row with its reference, or with what is wrong with it; one bad row stops no other.

    Rows are taken, opened into one buffer and widened together, so many at a time that all of it stays in
    the processor's cache. Their order is kept as long as all have as many dimensions.
    """
    of_length: dict[int, list[SealedRow]] = {}
    for row in rows:
        fault = _visible_fault(row)
        if fault is not None:
            yield row, fault
            continue
        alike = of_length.setdefault(row.dimensions, [])
        alike.append(row)
        if len(alike) == AT_ONCE:
            yield from _unseal_alike(of_length.pop(row.dimensions), row.dimensions, keys)
    for dimensions, alike in of_length.items():
        yield from _unseal_alike(alike, dimensions, keys)


def _visible_fault(row: SealedRow) -> ReferenceUnreadable | None:
    if row.mode not in PURPOSES:
        return _of_no_mode(row)
    if row.dimensions < 1 or sealed_size(HALF * row.dimensions) != len(row.body):
        return _not_of_its_length(row)
    return None


def _unseal_alike(
    rows: Sequence[SealedRow], dimensions: int, keys: Wrapping
) -> Iterator[tuple[SealedRow, Reference | ReferenceUnreadable]]:
    size = HALF * dimensions
    plain = bytearray(size * len(rows))
    places = memoryview(plain)
    sealed = (
        (_wrapped(row), row.body, _place(row), places[number * size : (number + 1) * size])
        for number, row in enumerate(rows)
    )
    try:
        errors = list(unseal_each_into(sealed, keys))
        features, usable = _widened(plain, dimensions)
    finally:
        wipe(plain)
    for number, (row, error) in enumerate(zip(rows, errors, strict=True)):
        if error is not None:
            yield row, _unreadable(row, error)
        elif not usable[number]:
            yield row, _not_of_its_length(row)
        else:
            names = ReferenceId(row.reference), SubjectId(row.subject)
            yield row, Reference(*names, features[number], ModelId(row.model))


def _widened(plain: bytearray, dimensions: int) -> tuple[Features, npt.NDArray[np.bool_]]:
    """Unit `float32[N, D]` of rows of half floats, and which of them are finite and have a length."""
    wide = np.frombuffer(plain, "<f2").reshape(-1, dimensions).astype(np.float32)
    lengths = np.sqrt(np.einsum("ij,ij->i", wide, wide))
    usable = np.isfinite(lengths) & (lengths > 0)
    wide /= np.where(usable, lengths, 1)[:, None]
    return wide, usable


def _open(row: SealedRow, keys: Wrapping) -> bytearray:
    try:
        return unseal_envelope(_envelope(row), context_of(row), keys)
    except KeysError as error:
        raise _unreadable(row, error) from error


def _envelope(row: SealedRow) -> Envelope:
    return Envelope(_wrapped(row), row.body)


def _wrapped(row: SealedRow) -> WrappedKey:
    return WrappedKey(KeyId(row.wrapping_key), row.wrapped)


def _unreadable(row: SealedRow, error: KeysError) -> ReferenceUnreadable:
    """What the operator reads; `error` is its cause."""
    why = _ALTERED if isinstance(error, SealBroken) else str(error)
    made = ReferenceUnreadable(f"reference {row.reference} does not open: {why}")
    made.__cause__ = error
    return made


def _not_of_its_length(row: SealedRow) -> ReferenceUnreadable:
    return ReferenceUnreadable(f"reference {row.reference} is not of {row.dimensions} dimensions")


def _of_no_mode(row: SealedRow) -> ReferenceUnreadable:
    return ReferenceUnreadable(f"reference {row.reference} has a mode this release does not know")


def context_of(row: SealedRow) -> Context:
    """What a row's seal is bound to."""
    return Context(*_place(row))


def _place(row: SealedRow) -> Place:
    """The fields of a row's context; a mode that does not exist is nothing that was ever sealed."""
    purpose = PURPOSES.get(row.mode)
    if purpose is None:
        raise _of_no_mode(row)
    return purpose, row.tenant, row.subject, row.reference, row.model, row.record_version

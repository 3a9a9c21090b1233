"""The one sealed format: every reference, segment, backup and secret at rest is an `Envelope`.

    "FPE" | version 1 | suite 1 | key id, 8 bytes | length of the wrapped key, 2 bytes | wrapped key | body

Suite 1 is a fresh 32-byte data key per record version, wrapped by the key store, and a Cobblestone-256
body. The wrap binds prefix, key id and context; the body binds prefix and context but no key id, so that
rotation re-wraps the key and leaves the body alone. A version or suite this code does not know is refused,
never guessed. Nothing here does I/O.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from keys.base import Wrapping
from keys.cobblestone import Buffer, open_chunks, seal_message, unseal_message, unseal_message_into
from keys.context import Place, encode_context, encode_place
from keys.errors import FormatError, KeysError
from keys.hygiene import fill_random, wiping
from keys.types import KEY_BYTES, Context, KeyId, WrappedKey

MAGIC = b"FPE"
VERSION = 1
SUITE = 1
_PREFIX = MAGIC + bytes((VERSION, SUITE))
_KEY_ID = slice(len(_PREFIX), len(_PREFIX) + 8)
_HEADER = len(_PREFIX) + 8 + 2
WRAPPED_LIMIT = 1024

Random = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Envelope:
    """A sealed record in its two parts: what rotation replaces and what it leaves alone."""

    wrapped: WrappedKey
    body: bytes = field(repr=False)

    def encode(self) -> bytes:
        """The bytes to store."""
        blob = self.wrapped.blob
        if not 0 < len(blob) <= WRAPPED_LIMIT:
            raise FormatError(f"a wrapped key has {len(blob)} bytes, at most {WRAPPED_LIMIT} are allowed")
        return b"".join(
            (_PREFIX, bytes.fromhex(self.wrapped.key), len(blob).to_bytes(2, "big"), blob, self.body)
        )


def decode_envelope(raw: Buffer) -> Envelope:
    """Take stored bytes apart; raises FormatError, which names a newer version as such."""
    view = memoryview(raw)
    if len(view) < _HEADER or view[: len(MAGIC)] != MAGIC:
        raise FormatError("these bytes are not a sealed record")
    if view[: len(_PREFIX)] != _PREFIX:
        raise FormatError(
            f"sealed record has version {view[3]}, suite {view[4]}; this release reads version {VERSION}, "
            f"suite {SUITE}"
        )
    size = int.from_bytes(view[_HEADER - 2 : _HEADER], "big")
    if not 0 < size <= WRAPPED_LIMIT or len(view) < _HEADER + size:
        raise FormatError("sealed record is truncated in its wrapped key")
    blob = bytes(view[_HEADER : _HEADER + size])
    return Envelope(WrappedKey(KeyId(bytes(view[_KEY_ID]).hex()), blob), bytes(view[_HEADER + size :]))


def seal_envelope(
    plain: Buffer,
    context: Context,
    store: Wrapping,
    *,
    under: KeyId | None = None,
    random: Random = os.urandom,
) -> Envelope:
    """Seal `plain` under a fresh data key; `under` names a wrapping key other than the active one."""
    associated = _PREFIX + encode_context(context)
    with wiping(KEY_BYTES) as data_key:
        fill_random(data_key)
        body = seal_message(data_key, associated, plain, random)
        return Envelope(store.wrap(data_key, associated, under=under), body)


def unseal_envelope(envelope: Envelope, context: Context, store: Wrapping) -> bytearray:
    """Open an envelope; the caller wipes the result. Raises SealBroken or KeyUnavailable."""
    associated = _PREFIX + encode_context(context)
    with wiping(KEY_BYTES) as data_key:
        store.unwrap_into(envelope.wrapped, associated, data_key)
        return unseal_message(data_key, associated, envelope.body)


def unseal_each_into(
    sealed: Iterable[tuple[WrappedKey, bytes, Place, memoryview]], store: Wrapping
) -> Iterator[KeysError | None]:
    """`unseal_envelope` for thousands: wrapped key, body, context's fields, and a buffer of the plain size.

    Yields None for what is open, or the error that it has, whose buffer is zero; one stops no other.
    """
    with wiping(KEY_BYTES) as data_key:
        for wrapped, body, place, out in sealed:
            try:
                associated = _PREFIX + encode_place(place)
                store.unwrap_into(wrapped, associated, data_key)
                unseal_message_into(data_key, associated, body, out)
            except KeysError as error:
                out[:] = bytes(len(out))
                yield error
            else:
                yield None


def rewrap(envelope: Envelope, context: Context, store: Wrapping, *, under: KeyId | None = None) -> Envelope:
    """Move an envelope under another wrapping key; checks that the body commits to the data key."""
    associated = _PREFIX + encode_context(context)
    with wiping(KEY_BYTES) as data_key:
        store.unwrap_into(envelope.wrapped, associated, data_key)
        open_chunks(data_key, associated, envelope.body)
        return Envelope(store.wrap(data_key, associated, under=under), envelope.body)


def seal(
    plain: Buffer,
    context: Context,
    store: Wrapping,
    *,
    under: KeyId | None = None,
    random: Random = os.urandom,
) -> bytes:
    """`seal_envelope`, as bytes to store."""
    return seal_envelope(plain, context, store, under=under, random=random).encode()


def unseal(sealed: Buffer, context: Context, store: Wrapping) -> bytearray:
    """Open what `seal` made; the caller wipes the result.

    Raises:
        FormatError: not a sealed record of a version this release reads.
        SealBroken: altered, moved to another context, or sealed under another key.
        KeyUnavailable: its key is not here any more.
    """
    return unseal_envelope(decode_envelope(sealed), context, store)

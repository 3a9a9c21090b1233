"""Canonical encoding of a `Context`: the associated data of everything sealed.

One byte string per context and one context per byte string: a fixed prefix, then each field as a
16-bit big-endian length and its UTF-8 bytes, then the record version as 64 bits.
"""

from __future__ import annotations

from keys.errors import FormatError
from keys.types import Context, Purpose

PREFIX = b"facepay/context/v1"
FIELD_LIMIT = 256
"""Longest field in bytes; ids and digests are far shorter."""
_LENGTHS = tuple(size.to_bytes(2, "big") for size in range(FIELD_LIMIT + 1))


Place = tuple[Purpose, str, str, str, str, int]
"""The fields of a `Context`, in its order: a start that opens ten thousand records makes no contexts."""


def encode_context(context: Context) -> bytes:
    """Encode injectively; raises FormatError when a field is too long or the version out of range."""
    names = context.tenant, context.subject, context.reference, context.model
    return encode_place((context.purpose, *names, context.record_version))


def encode_place(place: Place) -> bytes:
    """`encode_context` of a context's fields."""
    purpose, tenant, subject, reference, model, record_version = place
    if not 0 < record_version < 1 << 64:
        raise FormatError(f"record version {record_version} is not between 1 and 2**64 - 1")
    a, b, c = purpose.value.encode(), tenant.encode(), subject.encode()
    d, e, version = reference.encode(), model.encode(), record_version.to_bytes(8, "big")
    size = _LENGTHS
    try:
        parts = PREFIX, size[len(a)], a, size[len(b)], b, size[len(c)], c, size[len(d)], d, size[len(e)], e
    except IndexError:
        raise FormatError(f"a field of the context has more than {FIELD_LIMIT} bytes") from None
    return b"".join(parts) + version

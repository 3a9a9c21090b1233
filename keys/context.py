"""Canonical encoding of a `Context`: the associated data of everything sealed.

One byte string per context and one context per byte string: a fixed prefix, then each field as a
16-bit big-endian length and its UTF-8 bytes, then the record version as 64 bits.
"""

from __future__ import annotations

from keys.errors import FormatError
from keys.types import Context

PREFIX = b"facepay/context/v1"
FIELD_LIMIT = 256
"""Longest field in bytes; ids and digests are far shorter."""
_LENGTHS = tuple(size.to_bytes(2, "big") for size in range(FIELD_LIMIT + 1))


def encode_context(context: Context) -> bytes:
    """Encode injectively; raises FormatError when a field is too long or the version out of range."""
    version = context.record_version
    if not 0 < version < 1 << 64:
        raise FormatError(f"record version {version} is not between 1 and 2**64 - 1")
    purpose, tenant = context.purpose.value.encode(), context.tenant.encode()
    subject, reference, model = context.subject.encode(), context.reference.encode(), context.model.encode()
    size = _LENGTHS
    try:
        # Written out: this runs once for each of the ten thousand records that a start opens.
        parts = (
            *(PREFIX, size[len(purpose)], purpose, size[len(tenant)], tenant, size[len(subject)], subject),
            *(size[len(reference)], reference, size[len(model)], model, version.to_bytes(8, "big")),
        )
    except IndexError:
        raise FormatError(f"a field of the context has more than {FIELD_LIMIT} bytes") from None
    return b"".join(parts)

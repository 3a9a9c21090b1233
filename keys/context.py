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


def encode_context(context: Context) -> bytes:
    """Encode injectively; raises FormatError when a field is too long or the version out of range."""
    fields = (context.purpose.value, context.tenant, context.subject, context.reference, context.model)
    parts = [PREFIX]
    for text in fields:
        raw = text.encode()
        if len(raw) > FIELD_LIMIT:
            raise FormatError(
                f"a field of the context has {len(raw)} bytes, at most {FIELD_LIMIT} are allowed"
            )
        parts += (len(raw).to_bytes(2, "big"), raw)
    if not 0 < context.record_version < 1 << 64:
        raise FormatError(f"record version {context.record_version} is not between 1 and 2**64 - 1")
    return b"".join((*parts, context.record_version.to_bytes(8, "big")))

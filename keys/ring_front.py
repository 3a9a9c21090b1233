"""What every key store does in the same way once it has a ring of keys: sign, derive, close, hide.

A base class by way of Protocol: `_ring` is the keys themselves, in this process or behind a file.
"""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from keys.types import KeyId, KeyUse


class Ring(Protocol):
    """Keys with their states, and what is done with them here whoever wraps."""

    def active(self, use: KeyUse) -> KeyId:
        """The active key of a use, or KeyUnavailable."""
        ...

    def derive_into(self, label: bytes, out: bytearray) -> None:
        """See `Deriving.derive_into`."""
        ...

    def verifying_key(self, key: KeyId) -> bytes:
        """See `Signing.verifying_key`."""
        ...

    def sign(self, data: bytes) -> bytes:
        """See `Signing.sign`."""
        ...


class RingFront(Protocol):
    """The part of `KeyStore` that stands on a ring alone."""

    _ring: Ring

    def __repr__(self) -> str:
        return f"{type(self).__name__}(<redacted>)"

    def __reduce__(self) -> str:
        raise TypeError("a key store is never pickled")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def active_key(self) -> KeyId:
        """The key new data keys are wrapped under."""
        return self._ring.active(KeyUse.WRAP)

    @property
    def signing_key(self) -> KeyId:
        """The key that `sign` uses."""
        return self._ring.active(KeyUse.SIGN)

    def derive_into(self, label: bytes, out: bytearray) -> None:
        """See `Deriving.derive_into`."""
        self._ring.derive_into(label, out)

    def verifying_key(self, key: KeyId) -> bytes:
        """See `Signing.verifying_key`."""
        return self._ring.verifying_key(key)

    def sign(self, data: bytes) -> bytes:
        """See `Signing.sign`."""
        return self._ring.sign(data)

    def close(self) -> None:
        """See `KeyStore.close`."""
        ...

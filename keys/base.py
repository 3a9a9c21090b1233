"""What the rest of the house may ask of a key store. Every provider satisfies `KeyStore`.

A key store is a context manager; leaving it wipes what it held. None of its objects can be pickled
and their `repr` shows no key.
"""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self

from keys.types import KeyId, KeyRecord, KeyState, KeyUse, WrappedKey


class Wrapping(Protocol):
    """Encrypts data keys under a key that the caller never sees."""

    @property
    def active_key(self) -> KeyId:
        """The key new data keys are wrapped under. Raises KeyUnavailable when there is none."""
        ...

    def wrap(self, data_key: bytearray, context: bytes, *, under: KeyId | None = None) -> WrappedKey:
        """Encrypt a 32-byte data key, bound to `context`, under the active key or the one named.

        Raises:
            KeyUnavailable: there is no such key, or it is not active.
            LimitReached: the key has wrapped as many keys as its algorithm allows.
        """
        ...

    def unwrap_into(self, wrapped: WrappedKey, context: bytes, out: bytearray) -> None:
        """Decrypt a data key into `out` (32 bytes); `out` is all zero when this raises.

        Raises:
            SealBroken: blob, key id and context do not belong together.
            KeyUnavailable: the key is unknown, pending or destroyed.
        """
        ...


class Deriving(Protocol):
    """Derives secrets that do not change when wrapping keys rotate, such as keys of blind indexes."""

    def derive_into(self, label: bytes, out: bytearray) -> None:
        """Fill `out` (1 to 64 bytes) with a secret only this key store can make from `label`."""
        ...


class Signing(Protocol):
    """Signs with Ed25519 (RFC 8032)."""

    @property
    def signing_key(self) -> KeyId:
        """The key that `sign` uses."""
        ...

    def verifying_key(self, key: KeyId) -> bytes:
        """The 32-byte public key of a signing key, retired ones included."""
        ...

    def sign(self, data: bytes) -> bytes:
        """The 64-byte signature of `data` under the active signing key."""
        ...


class LifeCycle(Protocol):
    """Makes, retires and destroys keys."""

    def records(self) -> tuple[KeyRecord, ...]:
        """Every key that was ever here, oldest first, destroyed ones included."""
        ...

    def generate(self, use: KeyUse) -> KeyId:
        """Make a key in state PENDING, on durable storage when this returns."""
        ...

    def advance(self, key: KeyId, state: KeyState) -> None:
        """Move a key along its life cycle. Activating one retires the key of the same use that was active.

        Raises KeyStateError when the step is not allowed, KeyUnavailable when there is no such key.
        """
        ...


class KeyStore(Wrapping, Deriving, Signing, LifeCycle, Protocol):
    """All of it, and a resource."""

    def close(self) -> None:
        """Wipe and release everything; further use raises KeyUnavailable."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

"""Counts on the token how often each of its keys has wrapped: random 96-bit nonces have a limit."""

from __future__ import annotations

import pkcs11
from pkcs11 import Attribute, ObjectClass

from keys.errors import LimitReached
from keys.pkcs11_session import label_of
from keys.types import KeyId

WRAP_LIMIT = 1 << 31
"""Wraps with random 96-bit nonces under one key; NIST SP 800-38D 8.3 allows 2**32."""
RESERVED = 1 << 12
"""Wraps counted ahead on the token at a time; a crash wastes at most so many."""


class WrapCounter:
    """Data objects beside the keys, in blocks reserved ahead. The caller holds the session's lock."""

    def __init__(self, session: pkcs11.Session) -> None:
        self._session = session
        self._reserved: dict[KeyId, tuple[int, int]] = {}

    def count(self, key: KeyId) -> None:
        """Count one more wrap.

        Raises:
            LimitReached: the key has wrapped as often as it may.
        """
        used, reserved = self._reserved.get(key, (0, 0))
        if used == reserved:
            used = self._stored(key)
            if used >= WRAP_LIMIT:
                raise LimitReached(f"key {key} has wrapped {used} keys; rotate before wrapping more")
            reserved = used + RESERVED
            self._store(key, reserved)
        self._reserved[key] = (used + 1, reserved)

    def destroy(self, key: KeyId) -> None:
        """Remove the counter of a key that is destroyed."""
        for counter in self._objects(key):
            counter.destroy()
        self._reserved.pop(key, None)

    def _objects(self, key: KeyId) -> list[pkcs11.Object]:
        wanted = {Attribute.CLASS: ObjectClass.DATA, Attribute.LABEL: label_of(key)}
        return list(self._session.get_objects(wanted))

    def _stored(self, key: KeyId) -> int:
        counts = (int.from_bytes(bytes(c[Attribute.VALUE]), "big") for c in self._objects(key))
        return max(counts, default=0)

    def _store(self, key: KeyId, count: int) -> None:
        # A data object's value cannot be changed in every token. The new count is written before the old
        # one goes, and the highest is believed, so a crash in between loses nothing.
        old = self._objects(key)
        self._session.create_object(
            {
                Attribute.CLASS: ObjectClass.DATA,
                Attribute.TOKEN: True,
                Attribute.PRIVATE: True,
                Attribute.LABEL: label_of(key),
                Attribute.APPLICATION: "facepay",
                Attribute.VALUE: count.to_bytes(8, "big"),
            }
        )
        for counter in old:
            counter.destroy()

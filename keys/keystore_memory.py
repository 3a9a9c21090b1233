"""A key store that forgets: for tests, demonstrations and as the model that the other stores follow."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from keys.hygiene import fill_random, wiping
from keys.keyring import Keyring
from keys.ring_front import RingFront
from keys.types import KEY_BYTES, KeyId, KeyRecord, KeyState, KeyUse, WrappedKey
from keys.xaes import NONCE


class MemoryKeyStore(RingFront):
    """Satisfies `KeyStore`; starts with one active key of each use. Nothing outlives the process."""

    _ring: Keyring

    def __init__(
        self,
        *,
        random: Callable[[int], bytes] = os.urandom,
        now_s: Callable[[], float] = time.time,
    ) -> None:
        self._ring = Keyring()
        self._random = random
        self._now_s = now_s
        for use in KeyUse:
            self.advance(self.generate(use), KeyState.ACTIVE)

    def wrap(self, data_key: bytearray, context: bytes, *, under: KeyId | None = None) -> WrappedKey:
        """See `Wrapping.wrap`."""
        return self._ring.wrap(data_key, context, under or self.active_key, self._random(NONCE))

    def unwrap_into(self, wrapped: WrappedKey, context: bytes, out: bytearray) -> None:
        """See `Wrapping.unwrap_into`."""
        self._ring.unwrap_into(wrapped, context, out)

    def records(self) -> tuple[KeyRecord, ...]:
        """Every key, oldest first."""
        return self._ring.records()

    def generate(self, use: KeyUse) -> KeyId:
        """Make a pending key."""
        key = KeyId(self._random(8).hex())
        with wiping(KEY_BYTES) as material:
            fill_random(material)
            self._ring.add(key, use, material, int(self._now_s()))
        return key

    def advance(self, key: KeyId, state: KeyState) -> None:
        """See `LifeCycle.advance`."""
        self._ring.advance(key, state, int(self._now_s()))

    def close(self) -> None:
        """Wipe every key."""
        self._ring.close()

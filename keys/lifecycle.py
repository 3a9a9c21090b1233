"""The life of a key: pending, active, decrypt-only, destroyed; and no way back."""

from __future__ import annotations

from keys.errors import KeyStateError
from keys.types import KeyId, KeyState

STEPS: dict[KeyState, frozenset[KeyState]] = {
    KeyState.PENDING: frozenset({KeyState.ACTIVE, KeyState.DESTROYED}),
    KeyState.ACTIVE: frozenset({KeyState.DECRYPT_ONLY}),
    KeyState.DECRYPT_ONLY: frozenset({KeyState.DESTROYED}),
    KeyState.DESTROYED: frozenset(),
}
"""Allowed steps. A key is never destroyed while active, so that a sale in flight keeps its key."""


def require_step(key: KeyId, before: KeyState, after: KeyState) -> None:
    """Raise KeyStateError, naming both states, unless the step is allowed."""
    if after not in STEPS[before]:
        raise KeyStateError(f"key {key} is {before.name.lower()} and cannot become {after.name.lower()}")

"""Waiting in tests for what other threads will do, without guessing how long that takes."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
PATIENCE_S = 30.0
"""Far longer than anything waited for takes, so that a busy machine fails no test."""


def eventually(find: Callable[[], T]) -> T:
    """What `find` gives, once that is true; AssertionError when it never is."""
    deadline = time.monotonic() + PATIENCE_S
    while not (found := find()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {PATIENCE_S:.0f} s in vain, the last answer was {found!r}")
        time.sleep(0.005)
    return found

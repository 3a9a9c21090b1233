"""An answer that is given again as long as the looks it rests on are the very same."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from liveness.types import Look

T = TypeVar("T")


class Remembered(Generic[T]):
    """Cues are asked on every frame; what rests on frames that are over need not be worked out again."""

    def __init__(self) -> None:
        self._known: tuple[list[Look], T] | None = None

    def of(self, looks: Sequence[Look], answer: Callable[[], T]) -> T:
        """The answer about these looks; `answer` works it out where it is not known."""
        if self._known is None or not _same(self._known[0], looks):
            self._known = (list(looks), answer())
        return self._known[1]


def _same(before: Sequence[Look], now: Sequence[Look]) -> bool:
    return len(before) == len(now) and all(a is b for a, b in zip(before, now, strict=True))

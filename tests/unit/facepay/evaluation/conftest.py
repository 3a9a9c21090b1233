"""Synthetic people for error rates: nobody's face is behind them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pytest

People = Callable[[int, int, float], tuple[npt.NDArray[np.float32], list[int]]]


@pytest.fixture
def people() -> People:
    """Make `count` people with `images` unit vectors each, `spread` around one random direction a person."""

    def make(count: int, images: int, spread: float) -> tuple[npt.NDArray[np.float32], list[int]]:
        random = np.random.default_rng(1)
        centres = random.normal(size=(count, 64))
        noisy = np.repeat(centres, images, axis=0) + spread * random.normal(size=(count * images, 64))
        unit = noisy / np.linalg.norm(noisy, axis=1, keepdims=True)
        return unit.astype(np.float32), [number for number in range(count) for _ in range(images)]

    return make

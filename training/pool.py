"""Pictures with what a teacher said of them, made once and read by training, in shards on disk.

A shard appears whole or not at all, so a run may begin while the pool is still being made.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

Rows = Mapping[str, npt.NDArray[np.generic]]
SHARD = 2_000


def fill(
    folder: Path,
    count: int,
    make: Callable[[np.random.Generator, int], Rows],
    *,
    shard: int = SHARD,
    seed: int = 1,
) -> None:
    """Make shards of `shard` rows until there are `count` rows; those that are there are kept."""
    folder.mkdir(parents=True, exist_ok=True)
    for number in tqdm(range(-(-count // shard)), desc=folder.name, mininterval=10):
        whole = folder / f"{number:04}"
        if whole.exists():
            continue
        part = folder / "part"
        part.mkdir(exist_ok=True)
        for name, rows in make(np.random.default_rng((seed, number)), shard).items():
            np.save(part / f"{name}.npy", rows)
        os.replace(part, whole)


class Pool:
    """Draws rows at random out of all shards that are there by now."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._shards: list[dict[str, npt.NDArray[np.generic]]] = []
        self._known: set[str] = set()

    def draw(self, rng: np.random.Generator, count: int) -> dict[str, npt.NDArray[np.generic]]:
        """`count` rows by name.

        Raises:
            SystemExit: no shard is there.
        """
        self._look()
        picks = [(int(rng.integers(len(self._shards))), int(rng.integers(1 << 30))) for _ in range(count)]
        drawn: dict[str, npt.NDArray[np.generic]] = {}
        for name in self._shards[0]:
            rows = [self._shards[shard][name] for shard, _ in picks]
            drawn[name] = np.stack(
                [row[index % len(row)] for row, (_, index) in zip(rows, picks, strict=True)]
            )
        return drawn

    def _look(self) -> None:
        there = sorted(path for path in self._folder.glob("[0-9]*") if path.name not in self._known)
        for path in there:
            self._known.add(path.name)
            self._shards.append({one.stem: np.load(one, mmap_mode="r") for one in sorted(path.glob("*.npy"))})
        if not self._shards:
            raise SystemExit(f"{self._folder} is empty: make the pool first")

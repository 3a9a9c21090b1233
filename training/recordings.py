"""Frames of recordings, and stills that stand alone, below a folder; some are kept out of training.

`keep_out` are patterns of file names, given on the command line: whoever is on those is judged on and
never trained on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fnmatch import fnmatch
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]
_SUFFIXES = {".mp4", ".avi", ".mov", ".mkv", ".webm"}


def recordings(folder: Path, keep_out: Sequence[str], *, kept: bool = False) -> list[Path]:
    """The recordings to train on, or with `kept` those that are not, in a fixed order."""
    found = (path for path in sorted(folder.rglob("*")) if path.suffix.lower() in _SUFFIXES)
    return [path for path in found if any(fnmatch(path.name, one) for one in keep_out) == kept]


def frames(path: Path, every: int = 1) -> Iterator[Pixels]:
    """Every so many frames of a recording, `uint8[H, W, 3]` BGR."""
    reader = cv2.VideoCapture(str(path))
    number = 0
    try:
        while True:
            more, pixels = reader.read()
            if not more:
                return
            if number % every == 0:
                yield np.asarray(pixels, np.uint8)
            number += 1
    finally:
        reader.release()

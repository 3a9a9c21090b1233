"""Score files in the formats other biometric tools read and write.

Four columns `claimed_id real_id label score` and five columns `claimed_id model_id real_id label score`,
separated by blanks, one comparison a line; a comparison is genuine where claimed and real identity are
equal. Higher scores are more similar.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from facepay.errors import InputUnusable
from facepay.evaluation.comparisons import BINS, TAIL, Comparisons
from facepay.evaluation.datasets import Photo
from facepay.evaluation.textfiles import opened_text

_SAFE = "!$&'()*+,-./:;=?@[]^_`{|}~"


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One comparison: claimed and real identity, the probe's label, the score; `model` in five columns."""

    claimed: str
    real: str
    label: str
    score: float
    model: str | None = None

    @property
    def genuine(self) -> bool:
        """Whether both identities are the same person."""
        return self.claimed == self.real


def read_scores(path: Path) -> Iterator[ScoreRow]:
    """Read a score file line by line.

    Raises:
        InputUnusable: no such file or no text, a line without four or five columns, or a score that is no
            number; names the line.
    """
    with opened_text(path) as stream:
        yield from _rows(path, stream)


def _rows(path: Path, stream: TextIO) -> Iterator[ScoreRow]:
    for number, line in enumerate(stream, 1):
        cells = line.split()
        if not cells:
            continue
        if len(cells) not in (4, 5):
            raise InputUnusable(f"{path}:{number}: {len(cells)} columns; a score file has four or five")
        model = cells[1] if len(cells) == 5 else None
        claimed, real, label, score = cells[0], *cells[-3:]
        yield ScoreRow(claimed, real, label, _number(path, number, score), model)


def _number(path: Path, line: int, text: str) -> float:
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if not math.isfinite(score):
        raise InputUnusable(f"{path}:{line}: the score {text!r} is no finite number")
    return score


def write_scores(rows: Iterable[ScoreRow], stream: TextIO) -> int:
    """Write rows with four columns, or five where a model is named; returns how many.

    Raises:
        InputUnusable: a blank inside an identity or label would shift the columns.
    """
    count = 0
    for row in rows:
        cells = [row.claimed, *([row.model] if row.model is not None else []), row.real, row.label]
        if any(not cell or cell.split() != [cell] for cell in cells):
            raise InputUnusable(f"an empty cell or a blank inside one of {cells} would shift the columns")
        stream.write(" ".join([*cells, f"{row.score:.6f}"]) + "\n")
        count += 1
    return count


def rows_of(photos: Sequence[Photo], features: npt.NDArray[np.float32]) -> Iterator[ScoreRow]:
    """Every comparison of a data set, once: the earlier photo is claimed, the later one is the probe.

    Args:
        photos: in the order of the rows of `features`.
        features: `float32[N, D]`, unit rows.
    """
    # A blank inside a name would shift the columns.
    names = [quote(photo.identity, safe=_SAFE) for photo in photos]
    labels = [quote(photo.path.name, safe=_SAFE) for photo in photos]
    for row, claimed in enumerate(names):
        scores = (features[row + 1 :] @ features[row]).tolist()
        for score, real, label in zip(scores, names[row + 1 :], labels[row + 1 :], strict=True):
            yield ScoreRow(claimed, real, label, score)


def comparisons_of(rows: Iterable[ScoreRow]) -> Comparisons:
    """Comparisons from a score file, so that reports can be made of other tools' scores.

    Scores may have any range, as long as higher is more similar.

    Raises:
        InputUnusable: no genuine or no impostor comparison.
    """
    numbers: dict[str, int] = {}
    kept = [(_number_of(numbers, row.claimed), _number_of(numbers, row.real), row.score) for row in rows]
    if not kept:
        raise InputUnusable(
            "the score file holds no scores; a line is: claimed identity, real identity, label, score"
        )
    first, second = np.array([[a, b] for a, b, _ in kept], np.int32).T
    score = np.array([value for *_, value in kept], np.float32)
    same = first == second
    if same.all() or not same.any():
        raise InputUnusable("the score file needs genuine and impostor comparisons: only one kind is in it")
    order = np.flatnonzero(~same)[np.argsort(-score[~same], kind="stable")]
    span = min(-1.0, float(score.min())), max(1.0, float(score.max()))
    histogram = np.histogram(score[~same], BINS, span)[0].astype(np.int64)
    tail = order[:TAIL]
    images = np.ones(len(numbers), np.int32)
    return Comparisons(
        score[same], first[same], score[tail], first[tail], second[tail], histogram, images, span
    )


def _number_of(numbers: dict[str, int], name: str) -> int:
    return numbers.setdefault(name, len(numbers))

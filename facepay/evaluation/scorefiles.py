"""Score files in the formats other biometric tools read and write.

Four columns `claimed_id real_id label score` and five columns `claimed_id model_id real_id label score`, one
comparison a line; a comparison is genuine where claimed and real identity are equal. Higher scores are more
similar. Blanks separate the columns; files with commas, semicolons or tabs, with comments (`#`), a line of
titles, or packed by gzip are read as well.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, TextIO
from urllib.parse import quote

import numpy as np
import numpy.typing as npt

from facepay.errors import InputUnusable
from facepay.evaluation.comparisons import BINS, Comparisons, distinct_pairs, tail_length
from facepay.evaluation.datasets import Photo
from facepay.evaluation.textfiles import opened_text

_SAFE = "!$&'()*+-./:=?@[]^_`{|}~"
_LARGEST = 1e30
"""Scores beyond this are refused: they could not be told apart once their range is divided into bins."""


class ScoreRow(NamedTuple):
    """One comparison: claimed and real identity, the probe's label, the score; `model` in five columns.

    A tuple, because a file may hold ten million of them.
    """

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
    columns, separator = 0, None
    for number, line in enumerate(stream, 1):
        if line.isspace() or line.startswith("#"):
            continue
        if not columns:
            separator = _separator(line)
        cells = [cell.strip() for cell in line.split(separator)] if separator else line.split()
        titles = not columns and cells[-1].lower() == "score"
        columns = columns or len(cells)
        if columns not in (4, 5) or len(cells) != columns:
            raise InputUnusable(
                f"{path}:{number}: columns found: {len(cells)}; a score file has four (claimed identity, "
                "real identity, label, score) or five (the model after the claimed identity), in each line "
                "as many"
            )
        if titles:
            continue
        score = _number(path, number, cells[-1])
        if not all(cells):
            raise InputUnusable(f"{path}:{number}: a column is empty")
        model = cells[1] if columns == 5 else None
        yield ScoreRow(cells[0], cells[-3], cells[-2], score, model)


def _separator(line: str) -> str | None:
    """The mark that makes four or five columns of the first line, the last a score; None for blanks."""
    for mark in "\t;,":
        cells = line.split(mark)
        # A comma inside a number is refused later, by name; here it must not hide what parts the columns.
        last = cells[-1].strip().lower().replace(",", ".")
        if len(cells) in (4, 5) and (last == "score" or _is_number(last)):
            return mark
    return None


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _number(path: Path, line: int, text: str) -> float:
    try:
        score = float(text)
    except ValueError:
        score = math.nan
    if not abs(score) <= _LARGEST:
        point = "; decimals take a point, not a comma" if "," in text else ""
        raise InputUnusable(
            f"{path}:{line}: the score {text!r} is no finite number that can be compared{point}"
        )
    return score


def write_scores(rows: Iterable[ScoreRow], stream: TextIO) -> int:
    """Write rows with four columns, or five where a model is named; returns how many.

    Nine digits, so that a `float32` is read back as it was and counts stay the same at every threshold.

    Raises:
        InputUnusable: a blank inside an identity or label would shift the columns.
    """
    count = 0
    for row in rows:
        cells = [row.claimed, *([row.model] if row.model is not None else []), row.real, row.label]
        if any(not cell or cell.split() != [cell] for cell in cells):
            raise InputUnusable(f"an empty cell or a blank inside one of {cells} would shift the columns")
        stream.write(" ".join([*cells, f"{row.score:.9g}"]) + "\n")
        count += 1
    return count


def rows_of(photos: Sequence[Photo], features: npt.NDArray[np.float32]) -> Iterator[ScoreRow]:
    """Every comparison of a data set, once: the earlier photo is claimed, the later one is the probe.

    Args:
        photos: in the order of the rows of `features`.
        features: `float32[N, D]`, unit rows.
    """
    # A blank or a comma inside a name would shift the columns, and `#` begin a comment.
    names = [quote(photo.identity, safe=_SAFE) for photo in photos]
    labels = [quote(photo.name, safe=_SAFE) for photo in photos]
    for row, claimed in enumerate(names):
        scores = (features[row + 1 :] @ features[row]).tolist()
        for score, real, label in zip(scores, names[row + 1 :], labels[row + 1 :], strict=True):
            yield ScoreRow(claimed, real, label, score)


def comparisons_of(rows: Iterable[ScoreRow]) -> Comparisons:
    """Comparisons from a score file, so that reports can be made of other tools' scores.

    Scores may have any range, as long as higher is more similar.

    Raises:
        InputUnusable: no genuine or no impostor comparison, or scores that are distances.
    """
    numbers: dict[str, int] = {}
    claimed, probes, scores = array("i"), array("i"), array("d")
    for row in rows:
        claimed.append(numbers.setdefault(row.claimed, len(numbers)))
        probes.append(numbers.setdefault(row.real, len(numbers)))
        scores.append(row.score)
    if not scores:
        raise InputUnusable(
            "the score file holds no scores; a line is: claimed identity, real identity, label, score"
        )
    first, second = np.asarray(claimed, np.int32), np.asarray(probes, np.int32)
    score, same = np.asarray(scores), first == second
    _require_both_kinds(score, same)
    others = np.flatnonzero(~same)
    impostor = score[others]
    most = tail_length(len(others))
    highest = np.argpartition(-impostor, most - 1)[:most] if most < len(others) else np.arange(len(others))
    tail = others[highest[np.argsort(-impostor[highest], kind="stable")]]
    span = _span(score)
    return Comparisons(
        score[same],
        first[same],
        score[tail],
        first[tail],
        second[tail],
        np.histogram(impostor, BINS, span)[0].astype(np.int64),
        np.ones(len(numbers), np.int32),
        len(distinct_pairs(first[others], second[others])),
        span,
    )


def _require_both_kinds(score: npt.NDArray[np.float64], same: npt.NDArray[np.bool_]) -> None:
    if same.all() or not same.any():
        raise InputUnusable("the score file needs genuine and impostor comparisons: only one kind is in it")
    if np.median(score[same]) < np.median(score[~same]):
        raise InputUnusable(
            "different people score higher than the same person: these look like distances; write their "
            "negatives, so that higher is more similar"
        )


def _span(score: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Lowest and highest score, kept apart where all are equal or lie closer than bins can be divided."""
    low, high = float(score.min()), float(score.max())
    largest = max(abs(low), abs(high))
    if high - low > 2 * BINS * np.spacing(largest):
        return low, high
    apart = max(0.5, largest / 1000)
    return low - apart, high + apart

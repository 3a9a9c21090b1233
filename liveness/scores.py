"""Score files: one row per trial and cue, in the columns that the field's evaluation tools read.

`claimed_id, test_label, is_bonafide, attack_type, score` as bob.pad writes them, then session, cue,
status, latency_ms, evidence and device. Higher scores mean bona fide. A trial that got no score is a
row with an empty one: non-responses are reported, never dropped. Real attacks, simulated attacks and
integrity tests carry their kind in `evidence`, and no tool of ours merges them.
"""

from __future__ import annotations

import csv
import hashlib
import math
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from typing import TextIO

from liveness.errors import CalibrationInvalid
from liveness.types import PadResult

COLUMNS = (
    "claimed_id",
    "test_label",
    "is_bonafide",
    "attack_type",
    "score",
    "session",
    "cue",
    "status",
    "latency_ms",
    "evidence",
    "device",
)


class Evidence(Enum):
    """What kind of trial a row is; the three never share a table."""

    REAL = "real"
    SIMULATED = "simulated"
    INTEGRITY = "integrity"


@dataclass(frozen=True, slots=True)
class Trial:
    """One presentation: who, what it was, and how it was made. `attack_type` is empty for bona fide."""

    subject: str
    session: str
    label: str
    attack_type: str
    evidence: Evidence
    device: str

    @property
    def is_bona_fide(self) -> bool:
        """Whether a living person presented themselves."""
        return not self.attack_type


def write_scores(out: TextIO, trials: Iterable[tuple[Trial, PadResult, float]]) -> int:
    """Write a score file; the number of rows.

    Args:
        out: a text file opened with `newline=""`.
        trials: trial, result and latency in ms; one row for the fusion and one per cue.
    """
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    rows = 0
    for trial, result, latency_ms in trials:
        writer.writerow(_row(trial, "fusion", result.score, result.status.value, latency_ms))
        for cue in result.cues:
            writer.writerow(_row(trial, cue.cue.value, cue.score, cue.status.value, latency_ms))
        rows += 1 + len(result.cues)
    return rows


def require_disjoint(development: Iterable[Trial], evaluation: Iterable[Trial]) -> None:
    """Check that no subject and no device is in both parts.

    Raises:
        CalibrationInvalid: one is; thresholds frozen on such a split prove nothing.
    """
    first, second = list(development), list(evaluation)
    for name in ("subject", "device"):
        shared = {getattr(one, name) for one in first} & {getattr(one, name) for one in second}
        if shared:
            raise CalibrationInvalid(f"development and evaluation share a {name}: {sorted(shared)[0]}")


def in_development(identity: str) -> bool:
    """Whether this person is of the half that limits are set on: by a digest, whoever else is there."""
    return hashlib.sha256(f"liveness half of {identity}".encode()).digest()[0] % 2 == 0


def frozen_threshold(bona_fide: Iterable[float], *, reject_share: float) -> float:
    """Threshold that rejects this share of a development part's bona fide scores.

    Raises:
        CalibrationInvalid: there are fewer than 20 finite scores.
    """
    scores = sorted(score for score in bona_fide if math.isfinite(score))
    if len(scores) < 20:
        raise CalibrationInvalid("a threshold needs at least 20 bona fide development scores")
    return scores[min(len(scores) - 1, math.floor(reject_share * len(scores)))]


def _row(trial: Trial, cue: str, score: float | None, status: str, latency_ms: float) -> list[str]:
    return [
        trial.subject,
        trial.label,
        str(trial.is_bona_fide),
        trial.attack_type,
        "" if score is None else f"{score:.6f}",
        trial.session,
        cue,
        status,
        f"{latency_ms:.1f}",
        trial.evidence.value,
        trial.device,
    ]

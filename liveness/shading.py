"""Relief cue: does the flash fall on a shape or on a sheet?

A face returns the light unevenly: nose and forehead more than the sides. The spread of the five
regions' answers to the shown code says which. It is noisy under head motion, so it is soft evidence
only and never refuses.
"""

from __future__ import annotations

import numpy as np

from liveness.light import light_at
from liveness.remembered import Remembered
from liveness.tones import CHIN
from liveness.types import CueName, CueResult, Floats, Look, Presentation, PromptKind, Reason, Shown, Status

_LAG_MS = 80.0
_LIVE_SPREAD = 0.3
_LEAST_CORRELATION = 0.5
"""What does not follow the code is no answer to it, however unevenly it varies."""
_ACROSS_GREY = np.array([[1, -1, 0], [1, 1, -2]], dtype=np.float64) / np.sqrt([[2.0], [6.0]])


class ReliefCue:
    """Judges the latest light that was shown."""

    def __init__(self) -> None:
        self._answered = Remembered[Floats | None]()

    def assess(self, presentation: Presentation) -> CueResult:
        """A score from the spread of the regions' answers; ok or "cannot tell"."""
        shown = presentation.asked(PromptKind.FLASH)
        if shown is None or shown.prompt.schedule is None:
            return _cannot_tell(Reason.NOT_ASKED)
        end_ns = shown.at_ns + shown.prompt.schedule.duration_ms * 1_000_000
        looks = [
            look
            for look in presentation.looks
            if look.tones is not None and shown.at_ns <= look.captured_at_ns <= end_ns
        ]
        if len(looks) < 10 or not presentation.looks or presentation.looks[-1].captured_at_ns < end_ns:
            return _cannot_tell(Reason.NOT_ENOUGH_FRAMES)
        answers = self._answered.of(looks, lambda: _answers(looks, shown))
        if answers is None or answers.mean() <= 0.005:
            return _cannot_tell(Reason.LIGHT_TOO_WEAK)
        spread = float(answers.std() / answers.mean())
        score = float(np.clip(spread / (2 * _LIVE_SPREAD), 0.0, 1.0))
        return CueResult(CueName.RELIEF, Status.OK, score=score, details=(("spread", spread),))


def _answers(looks: list[Look], shown: Shown) -> Floats | None:
    """How strongly each of the five regions follows the code, `float32[5]`; None where the face does not."""
    assert shown.prompt.schedule is not None  # noqa: S101 - checked by the caller
    times = np.array(
        [(look.captured_at_ns - shown.at_ns) / 1e6 - _LAG_MS for look in looks], dtype=np.float32
    )
    code = light_at(shown.prompt.schedule, times).astype(np.float64) @ _ACROSS_GREY.T
    tones = np.stack([look.tones[: CHIN + 1] for look in looks if look.tones is not None]).astype(np.float64)
    if (tones <= 1e-4).any():
        return None
    chroma = np.log(tones) @ _ACROSS_GREY.T
    code = code - code.mean(axis=0)
    chroma = chroma - chroma.mean(axis=0)
    face = chroma.mean(axis=1)
    norm = float(np.linalg.norm(face) * np.linalg.norm(code))
    if not float((face * code).sum()) > _LEAST_CORRELATION * norm > 0:
        return None
    strength = np.einsum("td,trd->r", code, chroma) / max(float((code**2).sum()), 1e-9)
    return np.asarray(strength, dtype=np.float32)


def _cannot_tell(reason: Reason) -> CueResult:
    return CueResult(CueName.RELIEF, Status.ABSTAIN, reasons=(reason,))

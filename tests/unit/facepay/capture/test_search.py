"""When the detector runs: on loss, on every tenth frame, and more often while something is not right."""

from __future__ import annotations

import numpy as np
import pytest

from facepay.capture import StageTimes
from facepay.capture.search import EVERY, EVERY_UNFIT, FaceSearch
from facepay.recognition.quality import Assessment
from facepay.types import Detection, Pixels, Quality, QualityHint
from liveness.types import Hint, Progress, Prompt, PromptKind

FRAME = np.zeros((48, 64, 3), np.uint8)
POINTS = np.zeros((5, 2), np.float32)
FACE = Detection((0.0, 0.0, 10.0, 10.0), POINTS, 0.9)
FOLLOWED = Progress(
    Prompt(PromptKind.HOLD, 0), Hint.NONE, False, 0.0, face=((0.0, 0.0, 10.0, 10.0), POINTS), usable=True
)
LOST = Progress(Prompt(PromptKind.HOLD, 0), Hint.NO_FACE, False, 0.0)


class Counting:
    """Detector and gate of a scene that stays the same."""

    def __init__(self, hint: QualityHint = QualityHint.NONE) -> None:
        self.runs = 0
        self._hint = hint

    def detect(self, pixels: Pixels) -> tuple[Detection, ...]:
        self.runs += 1
        return (FACE, FACE) if self._hint is QualityHint.ONE_PERSON else (FACE,)

    def judge(self, pixels: Pixels, detections: tuple[Detection, ...]) -> Assessment:
        return Assessment(Quality(0.9, self._hint), detections[0])


@pytest.mark.parametrize(
    ("progress", "kept", "hint", "runs"),
    [
        (FOLLOWED, True, QualityHint.NONE, 60 // EVERY),
        (FOLLOWED, False, QualityHint.NONE, 60 // EVERY_UNFIT),
        (FOLLOWED, True, QualityHint.ONE_PERSON, 60),
        (LOST, False, QualityHint.NO_FACE, 60),
    ],
)
def test_the_detector_runs_as_often_as_it_has_to(
    progress: Progress, kept: bool, hint: QualityHint, runs: int
) -> None:
    scene = Counting(hint)
    # The scene stands in for the gate, whose only method it has.
    search = FaceSearch(scene, scene, StageTimes())  # type: ignore[arg-type]
    for _ in range(60):
        sought = search.seek(FRAME)
        search.note(sought, progress, kept=kept)
    assert scene.runs == runs


def test_a_face_that_was_lost_is_searched_for_at_once() -> None:
    scene = Counting()
    search = FaceSearch(scene, scene, StageTimes())  # type: ignore[arg-type]
    search.note(search.seek(FRAME), FOLLOWED, kept=True)
    assert search.seek(FRAME) is None
    search.note(None, LOST, kept=False)
    assert search.seek(FRAME) is not None

"""Where the face is: the detector on loss and on every tenth frame, liveness's own landmarks in between.

The detector costs as much as all of liveness, so a face that the landmarks follow is not searched for
again. It is searched for at once when it was lost, on every frame while a second face may be near, and
on every third one while nothing was good enough to be kept. Faces that are kept to be embedded come
from frames the detector saw, because the thresholds were measured with its points.
"""

from __future__ import annotations

from dataclasses import dataclass

from facepay.capture.stages import StageTimes
from facepay.recognition.base import Detector
from facepay.recognition.quality import Assessment, QualityGate
from facepay.types import Detection, Pixels, QualityHint
from liveness.types import Progress

EVERY = 10
EVERY_UNFIT = 3


@dataclass(frozen=True, slots=True)
class Sought:
    """What the detector found on a frame, and the gate's verdict on it."""

    seen: Assessment
    detections: tuple[Detection, ...]

    @property
    def crowded(self) -> bool:
        """Whether a second face is near; a bystander far behind is none."""
        return self.seen.quality.hint is QualityHint.ONE_PERSON


class FaceSearch:
    """Decides on which frames of one capture the detector runs."""

    def __init__(self, detector: Detector, gate: QualityGate, times: StageTimes) -> None:
        self._detector = detector
        self._gate = gate
        self._times = times
        self._since = 0
        self._follow = False
        self._wait = 0

    def seek(self, pixels: Pixels) -> Sought | None:
        """Search this frame where it is due; None where the landmarks carry the face on."""
        if self._follow and self._since < self._wait:
            self._since += 1
            return None
        self._since = 1
        with self._times.stage("detect"):
            detections = self._detector.detect(pixels)
        with self._times.stage("quality"):
            return Sought(self._gate.judge(pixels, detections), detections)

    def note(self, sought: Sought | None, progress: Progress, *, kept: bool) -> None:
        """Learn from what became of the frame when the next search is due."""
        self._follow = progress.face is not None and not (sought is not None and sought.crowded)
        if sought is not None:
            self._wait = EVERY if kept else EVERY_UNFIT

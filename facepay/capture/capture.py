"""One capture: opens the camera, guides the shopper, feeds the liveness try, keeps the best faces.

Each frame is detected once. The capture ends when the liveness try has what it needs, at the
deadline, when somebody cancels, or when the camera fails. The camera is open inside `opened` only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from facepay.capture.base import LivenessTry
from facepay.capture.best import BestFaces
from facepay.capture.limits import CaptureLimits
from facepay.capture.records import Captured, Guidance, Watcher
from facepay.capture.stages import StageTimes
from facepay.capture.watch import StreamWatch
from facepay.errors import FailureToAcquire
from facepay.recognition.base import Detector
from facepay.recognition.quality import Assessment, QualityGate
from facepay.types import Detection, Pixels, QualityHint, Sample
from hardware.base import Camera
from hardware.errors import CameraGone, CameraNotFound, CameraTimeout, FrameRefused
from hardware.types import CameraIdentity, Frame
from liveness.types import Observation, Origin, PadStatus, Progress

T = TypeVar("T")
Ahead = Callable[[Sample], None]


def _nothing(sample: Sample) -> None:
    """Nobody wants faces before the capture ends."""


class FaceCapture:
    """Captures with one camera; one shopper at a time."""

    def __init__(
        self,
        camera: Camera,
        detector: Detector,
        gate: QualityGate,
        limits: CaptureLimits,
        *,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._camera = camera
        self._detector = detector
        self._gate = gate
        self._limits = limits
        self._now_s = now_s

    @property
    def identity(self) -> CameraIdentity:
        """Which camera looks."""
        return self._camera.identity

    def require_present(self) -> None:
        """Refuse before anybody is asked to look into a camera that is not there.

        Raises:
            CameraNotFound: it is not plugged in; once it is, the next sale works.
        """
        identity = self._camera.identity
        if not identity.is_present:
            raise CameraNotFound(f"{identity.sensor} is not there: is it plugged in?")

    @contextmanager
    def opened(self, watcher: Watcher, times: StageTimes) -> Iterator[OpenCapture]:
        """Open the camera for one shopper.

        Args:
            watcher: told after each frame, and asked while none comes; raises to end the capture.
            times: where the stages' times go.

        Raises:
            CameraNotFound, CameraRefused: the camera cannot or may not be opened.
        """
        with times.stage("open"):
            camera = self._camera.__enter__()
        try:
            stream = _Stream(camera, self._limits, watcher, self._now_s)
            yield OpenCapture(stream, self._detector, self._gate, self._limits, times)
        finally:
            camera.__exit__(None, None, None)


class OpenCapture:
    """The open camera before one shopper."""

    def __init__(
        self,
        stream: _Stream,
        detector: Detector,
        gate: QualityGate,
        limits: CaptureLimits,
        times: StageTimes,
    ) -> None:
        self._stream = stream
        self._detector = detector
        self._gate = gate
        self._limits = limits
        self._times = times

    def run(self, attempt: LivenessTry, ahead: Ahead = _nothing) -> Captured:
        """Feed the try until it is finished or the deadline is reached, and conclude it.

        Args:
            attempt: the try.
            ahead: given each kept face as soon as it is final, while the capture goes on.

        Raises:
            CameraGone, CameraFrozen, CameraRefused: the camera failed.
            FailureToAcquire: no usable face before the deadline.
        """
        best = BestFaces(self._limits.window_s)
        started_s = self._stream.now_s()
        frames = 0
        for frame in self._stream.frames(attempt, started_s + self._limits.deadline_s, self._times):
            frames += 1
            if self._observe(frame, attempt, best, ahead).finished:
                break
        with self._times.stage("liveness"):
            pad = attempt.conclude()
        samples = best.chosen(self._limits.faces)
        if pad.status is not PadStatus.REFUSED and not samples:
            raise FailureToAcquire("no usable face before the deadline")
        return Captured(pad, samples, self._stream.identity, frames, self._stream.now_s() - started_s)

    def scan(self, attempt: LivenessTry, read: Callable[[Pixels], T | None], timeout_s: float) -> T | None:
        """Show frames to `read` until it answers; None when the time is over. No face is looked for."""
        deadline_s = self._stream.now_s() + timeout_s
        for frame in self._stream.frames(attempt, deadline_s, self._times):
            with self._times.stage("code"):
                found = read(frame.pixels)
            if found is not None:
                return found
            # Nobody is guided yet, but somebody may have pressed cancel.
            self._stream.tell(Guidance(QualityHint.NONE, attempt.prompt, 0.0))
        return None

    def watch(self, attempt: LivenessTry, until: Callable[[], bool], timeout_s: float) -> bool:
        """Keep feeding frames to a concluded try until `until` holds; false when the time is over."""
        deadline_s = self._stream.now_s() + timeout_s
        for frame in self._stream.frames(attempt, deadline_s, self._times):
            self._observe(frame, attempt, None, _nothing)
            if until():
                return True
        return until()

    def _observe(self, frame: Frame, attempt: LivenessTry, best: BestFaces | None, ahead: Ahead) -> Progress:
        with self._times.stage("detect"):
            detections = self._detector.detect(frame.pixels)
        with self._times.stage("quality"):
            seen = self._gate.judge(frame.pixels, detections)
        with self._times.stage("liveness"):
            progress = attempt.observe(_observation(frame, seen, detections))
        fit = progress.usable and seen.quality.acceptable
        if best is not None and fit and seen.face is not None:
            final = best.offer(Sample(seen.face, seen.quality, frame.captured_at_ns))
            if final is not None and not progress.finished:
                ahead(final)
        self._stream.tell(Guidance(self._hint(seen, progress), progress.prompt, progress.fraction))
        return progress

    def _hint(self, seen: Assessment, progress: Progress) -> QualityHint:
        if seen.quality.hint is QualityHint.NO_FACE and self._stream.dark:
            return QualityHint.MORE_LIGHT
        # While a turn or a light is asked for, the try knows better than the gate what is in order.
        return QualityHint(progress.hint.value) if seen.face is not None else seen.quality.hint


class _Stream:
    """The frames of one opened camera, looked after between each of them."""

    def __init__(
        self, camera: Camera, limits: CaptureLimits, watcher: Watcher, now_s: Callable[[], float]
    ) -> None:
        self._camera = camera
        self._limits = limits
        self._watcher = watcher
        self._watch = StreamWatch(camera.identity, limits)
        self._told: Guidance | None = None
        self.now_s = now_s
        self.identity = camera.identity

    @property
    def dark(self) -> bool:
        return self._watch.dark

    def tell(self, guidance: Guidance) -> None:
        self._told = guidance
        self._watcher(guidance)

    def frames(self, attempt: LivenessTry, deadline_s: float, times: StageTimes) -> Iterator[Frame]:
        self.tell(self._told or Guidance(QualityHint.NONE, attempt.prompt, 0.0))
        while True:
            with times.stage("wait"):
                frame = self._next(deadline_s)
            if frame is None:
                return
            self._watch.require_fine(frame)
            yield frame

    def _next(self, deadline_s: float) -> Frame | None:
        patience_s = self.now_s() + self._limits.frame_timeout_s
        while (left_s := min(deadline_s, patience_s) - self.now_s()) > 0:
            try:
                return self._camera.read(min(left_s, self._limits.look_s))
            except (CameraTimeout, FrameRefused):
                # Nothing came, or a damaged picture; but somebody may have pressed cancel meanwhile.
                if self._told is not None:
                    self._watcher(self._told)
        if self.now_s() < deadline_s:
            raise CameraGone(f"{self.identity.sensor} gives no frames: is it unplugged?")
        return None


def _observation(frame: Frame, seen: Assessment, detections: tuple[Detection, ...]) -> Observation:
    main = seen.detection
    # A bystander far behind is no second shopper: the gate has said who stands in the pay zone.
    crowd = seen.quality.hint is QualityHint.ONE_PERSON
    others = tuple(face.box for face in detections if face is not main) if crowd else ()
    return Observation(
        pixels=frame.pixels,
        captured_at_ns=frame.captured_at_ns,
        sequence=frame.sequence,
        sensor=frame.sensor,
        origin=Origin(frame.origin.value),
        box=main.box if main else None,
        points=main.points if main else None,
        others=others,
    )

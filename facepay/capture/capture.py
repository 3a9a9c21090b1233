"""One capture: opens the camera, guides the shopper, feeds the liveness try, keeps the best faces.

The capture ends when the liveness try has what it needs, at the deadline, when somebody cancels, or
when the camera fails. The camera is open inside `opened` only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from facepay.capture.base import LivenessTry
from facepay.capture.best import BestFaces
from facepay.capture.equipment import Equipment
from facepay.capture.exposing import ExposureKeeper
from facepay.capture.limits import CaptureLimits
from facepay.capture.records import Captured, Guidance, Watcher
from facepay.capture.search import FaceSearch, Sought
from facepay.capture.sensor import SensorPattern
from facepay.capture.stages import StageTimes
from facepay.capture.stream import FrameStream
from facepay.errors import FailureToAcquire
from facepay.recognition.base import Detector
from facepay.recognition.quality import QualityGate
from facepay.types import Pixels, QualityHint, Sample
from hardware.base import Camera, ExposureControl
from hardware.errors import CameraNotFound
from hardware.types import CameraIdentity, Frame
from liveness.guidance import Guide
from liveness.types import Hint, Observation, Origin, PadStatus, Progress, Prompt

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
        equipment: Equipment | None = None,
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._camera = camera
        self._detector = detector
        self._gate = gate
        self._limits = limits
        self._equipment = equipment or Equipment()
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
        equipment = self._equipment
        if equipment.depth is not None:
            equipment.depth.open()
        exposure = ExposureKeeper(camera if isinstance(camera, ExposureControl) else None)
        try:
            stream = FrameStream(camera, self._limits, watcher, self._now_s)
            search = FaceSearch(self._detector, self._gate, times)
            yield OpenCapture(stream, search, self._limits, times, exposure=exposure, equipment=equipment)
        finally:
            exposure.free()
            if equipment.lamp is not None:
                equipment.lamp.dark()
            if equipment.depth is not None:
                equipment.depth.close()
            camera.__exit__(None, None, None)


class OpenCapture:
    """The open camera before one shopper."""

    def __init__(
        self,
        stream: FrameStream,
        search: FaceSearch,
        limits: CaptureLimits,
        times: StageTimes,
        *,
        exposure: ExposureKeeper,
        equipment: Equipment,
    ) -> None:
        self._stream = stream
        self._search = search
        self._limits = limits
        self._times = times
        self._exposure = exposure
        self._equipment = equipment
        self._guide = Guide()
        self._lit: tuple[LivenessTry, int] | None = None
        self._deadline_s: float | None = None

    @property
    def is_over(self) -> bool:
        """Whether the deadline of the first try has passed."""
        return self._deadline_s is not None and self._stream.now_s() >= self._deadline_s

    def run(self, attempt: LivenessTry, ahead: Ahead = _nothing) -> Captured:
        """Feed the try until it is finished or the deadline is reached, and conclude it.

        Further tries before the same open camera share the first one's deadline.

        Args:
            attempt: the try.
            ahead: given each kept face as soon as it is final, while the capture goes on.

        Raises:
            CameraGone, CameraFrozen, CameraRefused: the camera failed.
            FailureToAcquire: no usable face before the deadline.
        """
        best = BestFaces(self._limits.window_s)
        sensor = SensorPattern(self._equipment.pattern)
        started_s = self._stream.now_s()
        self._deadline_s = self._deadline_s or started_s + self._limits.deadline_s
        frames = 0
        for frame in self._stream.frames(attempt, self._deadline_s, self._times):
            frames += 1
            sensor.add(frame)
            finished = self._observe(frame, attempt, best, ahead).finished
            self._exposure.follow(attempt)
            if finished:
                break
        with self._times.stage("liveness"):
            sensor.conclude(attempt)
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
            self._exposure.probe(attempt, frame)
            if until():
                return True
        return until()

    def _observe(self, frame: Frame, attempt: LivenessTry, best: BestFaces | None, ahead: Ahead) -> Progress:
        sought = self._search.seek(frame.pixels)
        with self._times.stage("liveness"):
            progress = attempt.observe(_observation(frame, sought))
        kept = _sample(frame, sought) if progress.usable else None
        self._search.note(sought, progress, kept=kept is not None)
        if best is not None and kept is not None:
            final = best.offer(kept)
            if final is not None and not progress.finished:
                ahead(final)
        hint = self._guide.feed(self._hint(sought, progress), at_ns=frame.captured_at_ns)
        prompt = self._light(attempt, progress.prompt)
        self._stream.tell(Guidance(QualityHint(hint.value), prompt, progress.fraction))
        return progress

    def _light(self, attempt: LivenessTry, prompt: Prompt) -> Prompt:
        """Where a lamp gives the light, start it and leave no colours to the page."""
        if self._equipment.lamp is None or prompt.schedule is None:
            return prompt
        if self._lit != (attempt, prompt.number):
            self._lit = (attempt, prompt.number)
            began_ns = self._equipment.lamp.play(prompt.schedule)
            if began_ns is not None:
                attempt.shown(began_ns)
        return replace(prompt, schedule=None)

    def _hint(self, sought: Sought | None, progress: Progress) -> Hint:
        # While a turn or a light is asked for, the try knows better than the gate what is in order.
        if sought is None or sought.seen.face is not None:
            return progress.hint
        if sought.seen.quality.hint is QualityHint.NO_FACE and self._stream.dark:
            return Hint.MORE_LIGHT
        return Hint(sought.seen.quality.hint.value)


def _sample(frame: Frame, sought: Sought | None) -> Sample | None:
    """The aligned face of this frame, where the detector saw it and it is good enough to be embedded."""
    if sought is None or sought.seen.face is None or not sought.seen.quality.acceptable:
        return None
    return Sample(sought.seen.face, sought.seen.quality, frame.captured_at_ns)


def _observation(frame: Frame, sought: Sought | None) -> Observation:
    main = sought.seen.detection if sought else None
    # A bystander far behind is no second shopper: the gate has said who stands in the pay zone.
    crowd = sought.detections if sought is not None and sought.crowded else ()
    others = tuple(face.box for face in crowd if face is not main)
    return Observation(
        pixels=frame.pixels,
        captured_at_ns=frame.captured_at_ns,
        sequence=frame.sequence,
        sensor=frame.sensor,
        origin=Origin(frame.origin.value),
        box=main.box if main else None,
        points=main.points if main else None,
        others=others,
        detected=sought is not None,
        silent_ms=frame.listening.silent_ns / 1e6 if frame.listening else None,
        late_ms=frame.listening.late_ns / 1e6 if frame.listening else 0.0,
    )

"""Stream integrity: what no score can overrule.

Watches every frame, with or without a face. It answers refusals for what a camera in front of one
living person cannot deliver: repeated, frozen, looped, shuffled frames, time that stands or runs
back, gaps, another sensor or format, a second face, an exchanged face, noise below the sensor's
floor. It cannot see a well-made injection that adds fresh noise and keeps time; that is what the
flash, the camera's identity and the terminal's tamper protection are for.
"""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np
import numpy.typing as npt

from liveness.base import FrameMemory
from liveness.chain import frame_digest
from liveness.stream_limits import StreamLimits
from liveness.trace import MotionTrace
from liveness.types import Box, CueName, CueResult, Floats, Observation, Pixels, Reason, Status

_MAX_SIDE = 8192
_MIN_SIDE = 48
_NOISE_WINDOW = 12
_RATE_WINDOW = 15
_LATE_MS = 66.0
"""Whoever asks later than two periods of an ordinary camera misses frames and cannot count its rate."""


class StreamIntegrity:
    """Collects refusals over one try; the first of each kind is kept."""

    def __init__(
        self, limits: StreamLimits, *, nominal_rate: float | None, memory: FrameMemory | None
    ) -> None:
        self._limits = limits
        self._nominal_rate = nominal_rate
        self._memory = memory
        self._refusals: dict[Reason, None] = {}
        self._digests: dict[bytes, int] = {}
        self._first: Observation | None = None
        self._last: tuple[int, int, bytes] | None = None
        self._repeats = 0
        self._intervals_ms: deque[float] = deque(maxlen=240)
        self._noise: deque[float] = deque(maxlen=_NOISE_WINDOW)
        self._luma: npt.NDArray[np.uint8] | None = None
        self._trace = MotionTrace()
        self._face: tuple[Box, int] | None = None
        self._features: Floats | None = None
        self._second_faces = 0
        self._engaged = False
        self._paused = False
        self._stalled = False

    @property
    def refusals(self) -> tuple[Reason, ...]:
        """Everything found so far, in the order it was found."""
        return tuple(self._refusals)

    @property
    def repeated(self) -> bool:
        """Whether the latest frame only repeats its predecessor and so adds no evidence."""
        return self._repeats > 0

    @property
    def stalled(self) -> bool:
        """Whether this machine looked away for so long that nobody knows whether the same person is there."""
        return self._stalled

    def refuse(self, reason: Reason) -> None:
        """Record a refusal found elsewhere: camera identity, nonce."""
        self._refusals.setdefault(reason)

    def engage(self) -> None:
        """From the first accepted frame on there is one shopper, and nobody may take their place."""
        self._engaged = True

    def resume(self) -> None:
        """Nobody looked for a while, for example while a code was typed; one gap is no fault then."""
        self._paused = True
        self._face = None

    def watch(self, observation: Observation) -> bytes | None:
        """Look at one frame; its digest, or None where it is no frame at all."""
        if not _is_frame(observation.pixels):
            self.refuse(Reason.BAD_FRAME)
            return None
        digest = frame_digest(observation.pixels)
        self._check_source(observation)
        self._check_time(observation)
        self._check_repeats(digest)
        if not self.repeated:
            self._check_motion(observation)
        self._check_faces(observation)
        self._last = (observation.captured_at_ns, observation.sequence, digest)
        return digest

    def conclude(self) -> CueResult:
        """Verdict over the whole try."""
        self._check_rate()
        if self._trace.loops():
            self.refuse(Reason.LOOPED)
        if self._trace.is_shuffled():
            self.refuse(Reason.REORDERED)
        if self.refusals:
            return CueResult(CueName.INTEGRITY, Status.REFUSE, score=0.0, reasons=self.refusals)
        if len(self._digests) < 2:
            return CueResult(CueName.INTEGRITY, Status.ABSTAIN, reasons=(Reason.NOT_ENOUGH_FRAMES,))
        return CueResult(CueName.INTEGRITY, Status.OK, score=1.0)

    def remember(self) -> None:
        """Give this try's frames to the memory of earlier sessions."""
        if self._memory is not None:
            for digest in self._digests:
                self._memory.remember(digest)

    def _check_source(self, observation: Observation) -> None:
        first = self._first
        if first is None:
            self._first = observation
            return
        if observation.sensor != first.sensor or observation.origin is not first.origin:
            self.refuse(Reason.SENSOR_CHANGED)
        if observation.pixels.shape != first.pixels.shape:
            self.refuse(Reason.FORMAT_CHANGED)

    def _check_time(self, observation: Observation) -> None:
        if self._last is None:
            return
        at_ns, sequence, _ = self._last
        if observation.captured_at_ns <= at_ns or observation.sequence <= sequence:
            self.refuse(Reason.TIME_NOT_INCREASING)
            return
        if self._paused:
            self._paused = False
            return
        interval_ms = (observation.captured_at_ns - at_ns) / 1e6
        if observation.late_ms <= _LATE_MS:
            self._intervals_ms.append(interval_ms / max(1, observation.sequence - sequence))
        silent_ms = interval_ms if observation.silent_ms is None else observation.silent_ms
        if not silent_ms <= self._limits.max_gap_ms:
            self.refuse(Reason.GAP)
        elif self._engaged and interval_ms > self._limits.max_unseen_ms:
            self._stalled = True

    def _check_repeats(self, digest: bytes) -> None:
        if self._memory is not None and digest not in self._digests and self._memory.seen(digest):
            self.refuse(Reason.SEEN_BEFORE)
        if self._last is not None and digest == self._last[2]:
            self._repeats += 1
            if self._repeats > self._limits.max_repeats_in_a_row:
                many = self._repeats >= 2
                self.refuse(Reason.FROZEN if many else Reason.DUPLICATE)
            return
        self._repeats = 0
        if digest in self._digests:
            self.refuse(Reason.LOOPED)
        self._digests[digest] = len(self._digests)

    def _check_motion(self, observation: Observation) -> None:
        luma = _small_luma(observation.pixels)
        if self._luma is not None and self._luma.shape == luma.shape:
            self._noise.append(_mean_difference(luma, self._luma))
        self._luma = luma
        self._trace.add(luma, at_ns=observation.captured_at_ns)
        if len(self._noise) == _NOISE_WINDOW and float(np.median(self._noise)) < self._limits.noise_floor:
            self.refuse(Reason.NOISE_BELOW_FLOOR)

    def _check_faces(self, observation: Observation) -> None:
        if observation.others:
            self._second_faces += 1
        elif observation.detected:
            # Where no detector ran nobody looked for a second face, so nothing is known of it.
            self._second_faces = 0
        if self._engaged and self._second_faces >= self._limits.second_face_frames:
            self.refuse(Reason.SECOND_FACE)
        if observation.box is not None:
            self._check_track(observation.box, observation.captured_at_ns)
        if observation.features is not None:
            self._check_identity(observation.features)

    def _check_track(self, box: Box, at_ns: int) -> None:
        if self._engaged and self._face is not None and at_ns > self._face[1]:
            (x1, y1, x2, y2), before_ns = self._face
            size = max(x2 - x1, y2 - y1, 1.0)
            moved = np.hypot((box[0] + box[2] - x1 - x2) / 2, (box[1] + box[3] - y1 - y2) / 2) / size
            # A detector's box trembles by a few percent, whatever the time between two frames.
            if moved > 0.25 + self._limits.max_speed_faces_per_s * (at_ns - before_ns) / 1e9:
                self.refuse(Reason.TRACK_JUMP)
        self._face = (box, at_ns)

    def _check_identity(self, features: Floats) -> None:
        if self._features is not None and features.shape == self._features.shape:
            cosine = float(features @ self._features)
            if not cosine >= self._limits.min_identity:
                self.refuse(Reason.IDENTITY_SWITCH)
        self._features = features

    def _check_rate(self) -> None:
        if len(self._intervals_ms) < _RATE_WINDOW:
            return
        rate = 1000.0 / max(float(np.median(self._intervals_ms)), 1e-3)
        slowest, fastest = self._limits.min_rate, self._limits.max_rate
        tolerance = self._limits.rate_tolerance
        if tolerance is not None and self._nominal_rate:
            # In dim light a camera exposes for longer and slows down, to half its rate at most.
            slowest = max(slowest, self._nominal_rate / 2 * (1 - tolerance))
            fastest = min(fastest, self._nominal_rate * (1 + tolerance))
        if not slowest <= rate <= fastest:
            self.refuse(Reason.WRONG_RATE)


def _is_frame(pixels: Pixels) -> bool:
    return (
        isinstance(pixels, np.ndarray)
        and pixels.dtype == np.uint8
        and pixels.ndim == 3
        and pixels.shape[2] == 3
        and all(_MIN_SIDE <= side <= _MAX_SIDE for side in pixels.shape[:2])
    )


def _small_luma(pixels: Pixels) -> npt.NDArray[np.uint8]:
    """Every fourth pixel of the central part: subsampled without smoothing, so that noise survives."""
    height, width = pixels.shape[:2]
    step = max(1, min(height, width) // 160)
    part = pixels[height // 8 : height - height // 8 : step, width // 8 : width - width // 8 : step]
    return np.asarray(cv2.cvtColor(np.ascontiguousarray(part), cv2.COLOR_BGR2GRAY), dtype=np.uint8)


def _mean_difference(a: npt.NDArray[np.uint8], b: npt.NDArray[np.uint8]) -> float:
    return float(cv2.absdiff(a, b).mean())

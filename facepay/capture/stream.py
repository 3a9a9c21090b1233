"""The frames of one opened camera, looked after between each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from facepay.capture.base import LivenessTry
from facepay.capture.limits import CaptureLimits
from facepay.capture.records import Guidance, Watcher
from facepay.capture.stages import StageTimes
from facepay.capture.watch import StreamWatch
from facepay.types import QualityHint
from hardware.base import Camera
from hardware.errors import CameraGone, CameraTimeout, FrameRefused
from hardware.types import Frame


class FrameStream:
    """Reads until a deadline, tells the watcher between frames, and refuses what cannot be one camera."""

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
        """Whether the latest frame is too dark for anybody to be seen."""
        return self._watch.dark

    def tell(self, guidance: Guidance) -> None:
        """Tell the watcher, who may end the capture by raising."""
        self._told = guidance
        self._watcher(guidance)

    def frames(self, attempt: LivenessTry, deadline_s: float, times: StageTimes) -> Iterator[Frame]:
        """Frames until the deadline; raises what the camera or the watcher raises."""
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

"""A camera made from files: a video, a folder of photos, or one still photo.

For demonstration, tests and measurement; every frame is marked `FrameOrigin.REPLAY` and the
production profile refuses it. A still becomes a camera by a simulated hand that is not quite
steady and a sensor that is not quite clean, both drawn from a seed: honest about being simulated,
and no more alive than the photo it was made from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice, repeat
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from hardware.base import Clock, SystemClock
from hardware.errors import CameraGone, CameraNotFound, CameraTimeout, FrameRefused
from hardware.images import ImageLimits, load_image
from hardware.motion_simulation import HandHeldStill
from hardware.types import CameraIdentity, Frame, FrameOrigin, Listening, Pixels, SensorId

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
VIDEO_SUFFIXES = frozenset({".mp4", ".avi", ".mkv", ".mov", ".webm", ".m4v"})


@dataclass(frozen=True, slots=True)
class ReplayOptions:
    """How files become a camera.

    `frames_per_s` is the camera's rate (a video is replayed at this rate, its own is not looked at);
    `width` and `height` frame the stills; `hold_frames` is for how many frames each photo of a folder
    is held before the next, 1 for a recorded sequence; `loop` starts again at the end.
    """

    frames_per_s: float = 30.0
    width: int = 640
    height: int = 480
    hold_frames: int = 30
    loop: bool = True
    seed: int = 0


class ReplayCamera:
    """Frames from a video file, a folder of photos or one photo, in the pace of an injected clock.

    By the machine's clock frames come in real time, and those that nobody fetched in time are
    dropped as a real camera drops them; by a `SteppedClock` every frame comes at once, by a
    `PatientClock` every frame comes, in real time or slower.
    """

    def __init__(self, path: Path, options: ReplayOptions | None = None, clock: Clock | None = None) -> None:
        self._path = path
        self._options = options or ReplayOptions()
        self._clock = clock or SystemClock()
        self._source: Iterator[Pixels] | None = None
        self._opened_at_ns = 0
        self._sequence = 0

    @property
    def identity(self) -> CameraIdentity:
        """A virtual camera named by its file."""
        sensor = SensorId(f"replay:{self._path.name}")
        return CameraIdentity(
            sensor, FrameOrigin.REPLAY, driver="replay", model="replay", serial="", is_virtual=True
        )

    @property
    def is_simulated_still(self) -> bool:
        """Whether photos are shown with simulated motion, which a transcript has to say."""
        return self._path.suffix.lower() not in VIDEO_SUFFIXES

    def __enter__(self) -> Self:
        """Open the files.

        Raises:
            CameraNotFound: nothing replayable is at the path.
        """
        self._source = self._frames()
        self._opened_at_ns = self._clock.now_ns()
        self._sequence = 0
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close the files."""
        self._source = None

    def read(self, timeout_s: float) -> Frame:
        """Return the frame that is due next.

        Raises:
            CameraTimeout: it is due only after `timeout_s`.
            CameraGone: the camera is closed, or the recording ended and does not loop.
        """
        if self._source is None:
            raise CameraGone("the replayed camera is not open")
        period_ns = 1e9 / self._options.frames_per_s
        elapsed_ns = self._clock.now_ns() - self._opened_at_ns
        due = max(self._sequence, int(elapsed_ns / period_ns))
        wait_s = (due * period_ns - elapsed_ns) / 1e9
        if wait_s > timeout_s:
            self._clock.sleep(timeout_s)
            raise CameraTimeout(f"no replayed frame within {timeout_s:.3f} s")
        self._clock.sleep(wait_s)
        pixels = next(islice(self._source, due - self._sequence, None), None)
        if pixels is None:
            raise CameraGone(f"the recording {self._path.name} ended")
        self._sequence = due + 1
        captured_at_ns = self._opened_at_ns + round(due * period_ns)
        # A file is never silent: what is missing between two frames, this machine did not ask for.
        heard = Listening(round(period_ns), 0)
        return Frame(pixels, captured_at_ns, due, self.identity.sensor, FrameOrigin.REPLAY, heard)

    def _frames(self) -> Iterator[Pixels]:
        if self._path.suffix.lower() in VIDEO_SUFFIXES:
            return _video_frames(self._path, loop=self._options.loop)
        return self._still_frames(_photos(self._path))

    def _still_frames(self, photos: list[Path]) -> Iterator[Pixels]:
        options = self._options
        size = (options.width, options.height)
        held = options.hold_frames if len(photos) > 1 or not options.loop else None
        while True:
            for index, photo in enumerate(photos):
                try:
                    still = HandHeldStill(load_image(photo, ImageLimits()), size, options.seed + index)
                except FrameRefused as error:
                    raise CameraGone(f"replayed photo {error}") from error
                yield from (still.frame() for _ in (repeat(0) if held is None else range(held)))
            if not options.loop:
                return


def _photos(path: Path) -> list[Path]:
    found = sorted(path.iterdir()) if path.is_dir() else [path]
    photos = [one for one in found if one.suffix.lower() in IMAGE_SUFFIXES and one.is_file()]
    if not photos:
        raise CameraNotFound(f"{path} is no video, no JPEG or PNG photo, and no folder of such photos")
    return photos


def _video_frames(path: Path, *, loop: bool) -> Iterator[Pixels]:
    capture = _open_video(path)
    return _read_video(capture, path, loop=loop)


def _open_video(path: Path) -> cv2.VideoCapture:
    capture = cv2.VideoCapture(str(path)) if path.is_file() else None
    if capture is None or not capture.isOpened():
        raise CameraNotFound(f"{path} is missing, or is no video that can be read")
    return capture


def _read_video(capture: cv2.VideoCapture, path: Path, *, loop: bool) -> Iterator[Pixels]:
    frames_in_this_round = 0
    try:
        while True:
            found, pixels = capture.read()
            if found:
                frames_in_this_round += 1
                yield np.ascontiguousarray(pixels, dtype=np.uint8)
            elif not loop or frames_in_this_round == 0:
                return
            else:
                capture.release()
                capture, frames_in_this_round = _open_video(path), 0
    finally:
        capture.release()

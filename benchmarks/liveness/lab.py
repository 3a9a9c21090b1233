"""Networks, a detector, tries over frames that are lit as the try asks, and clips."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np

from hardware.inference import load_session
from hardware.motion_simulation import HandHeldStill
from liveness.challenge import Sale
from liveness.engine import LivenessEngine, LivenessModels, Scene
from liveness.landmarks import FaceMesh
from liveness.passive import MiniFasPair
from liveness.policy import LivenessPolicy
from liveness.session import LivenessSession
from liveness.simulation.drawn import SteadyExpert
from liveness.simulation.relight import Lamp, Relighter, Surface
from liveness.types import Observation, Origin, PadResult, Pixels, Tier

RATE = 30.0
SECRET = b"benchmark key of no value at all"


class Lab:
    """Networks, a detector, and a counter that gives every try its own nonce.

    With `fooled` the passive networks take everything for a person, so that the other cues stand alone.
    """

    def __init__(self, models: Path, *, fooled: bool = False) -> None:
        self.mesh = FaceMesh(
            load_session(models / "mp_face_landmarks_478.onnx"),
            load_session(models / "mp_face_blendshapes_146x2.onnx"),
        )
        self.pair = MiniFasPair(
            load_session(models / "2.7_80x80_MiniFASNetV2.onnx"),
            load_session(models / "4_0_0_80x80_MiniFASNetV1SE.onnx"),
        )
        self._detector = cv2.FaceDetectorYN.create(
            str(models / "face_detection_yunet_2023mar.onnx"), "", (320, 320), 0.7
        )
        self._engine = LivenessEngine(
            LivenessModels(self.mesh, (SteadyExpert() if fooled else self.pair,)),
            LivenessPolicy(),
            secret=SECRET,
        )
        self._tries = 0

    def detect(self, pixels: Pixels) -> tuple[tuple[float, float, float, float], np.ndarray] | None:
        """Largest face: box and five points."""
        scale = 320 / max(pixels.shape[:2])
        small = cv2.resize(pixels, None, fx=scale, fy=scale)
        self._detector.setInputSize((small.shape[1], small.shape[0]))
        _, faces = self._detector.detect(small)
        if faces is None:
            return None
        x, y, w, h, *points = max(faces, key=lambda f: f[2] * f[3])[:14] / scale
        return (x, y, x + w, y + h), np.array(points, dtype=np.float32).reshape(5, 2)

    def open(self, tier: Tier) -> LivenessSession:
        """A fresh try."""
        self._tries += 1
        sale = Sale(self._tries.to_bytes(16, "big"), 500, "EUR", "benchmark")
        return self._engine.open(tier, sale, Scene(Origin.REPLAY))


def run(
    lab: Lab,
    frames: Iterator[Pixels],
    tier: Tier,
    surface: Surface | None,
    *,
    ratio: float = 0.05,
    costs: list[float] | None = None,
) -> tuple[PadResult, float]:
    """One try over frames that are lit as the try asks; result and seconds from the first good frame."""
    tried, lamp, face, number = lab.open(tier), None, None, 0
    first = last = None
    for i, recorded in enumerate(frames):
        at = round(i * 1e9 / RATE) + 1
        lit = lamp is not None and face is not None
        pixels = lamp.relight(recorded, face[1], at_ns=at) if lit else recorded
        began = time.perf_counter()
        detected = face is None or i % 10 == 0
        found = lab.detect(pixels) if detected else None
        one = Observation(pixels, at, i, "clip", Origin.REPLAY, *(found or (None, None)), detected=detected)
        progress = tried.observe(one)
        if costs is not None:
            costs.append((time.perf_counter() - began) * 1000)
        face, last = progress.face, at
        first = first or (at if progress.usable else None)
        if progress.prompt.number != number:
            number = progress.prompt.number
            shown = at + 20_000_000
            tried.shown(shown)
            if progress.prompt.schedule is not None and surface is not None:
                lamp = Relighter(Lamp(progress.prompt.schedule, shown, ratio, 70.0), surface)
        if progress.finished:
            break
    return tried.conclude(), ((last or 0) - (first or last or 0)) / 1e9


def clip(path: Path, start: int = 0, count: int = 130) -> Iterator[Pixels]:
    """Frames of a video, or of a photo held in an unsteady hand."""
    if path.suffix == ".mp4":
        capture = cv2.VideoCapture(str(path))
        capture.set(cv2.CAP_PROP_POS_FRAMES, start)
        for _ in range(count):
            found, pixels = capture.read()
            if not found:
                return
            yield pixels
    else:
        still = HandHeldStill(cv2.imread(str(path)), (640, 480), start)
        yield from (still.frame() for _ in range(count))


def half_of(photos: Path, people: str, *, seed: int) -> list[Path]:
    """Folders of one half of the people, "development" or "evaluation", shuffled; nobody is in both."""
    folders = sorted(photos.glob("lfw/*"))
    middle = len(folders) // 2
    chosen = folders[:middle] if people == "development" else folders[middle:]
    random.Random(seed).shuffle(chosen)
    return chosen


def upper_bound(hits: int, trials: int) -> float:
    """95 % one-sided upper bound of a rate (Clopper and Pearson 1934), by bisection."""
    if trials == 0 or hits >= trials:
        return 1.0
    from math import comb

    low, high = hits / trials, 1.0
    for _ in range(50):
        p = (low + high) / 2
        below = sum(comb(trials, k) * p**k * (1 - p) ** (trials - k) for k in range(hits + 1))
        low, high = (p, high) if below > 0.05 else (low, p)
    return high

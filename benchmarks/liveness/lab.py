"""Networks, a detector, tries over frames that are lit as the try asks, and clips."""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from pathlib import Path

import cv2

from facepay.recognition.engine import RecognitionEngine
from facepay.recognition.loading import load_engine
from facepay.recognition.pack_store import choose_pack
from facepay.terminal.engines import face_mesh, minifas_pair
from hardware.motion_simulation import HandHeldStill
from liveness.challenge import Sale
from liveness.engine import LivenessEngine, LivenessModels, Scene
from liveness.landmarks import FaceMesh
from liveness.policy import LivenessPolicy
from liveness.scores import in_development
from liveness.session import LivenessSession
from liveness.simulation.drawn import SteadyExpert
from liveness.simulation.relight import Lamp, Relighter, Surface
from liveness.types import Box, Floats, Observation, Origin, PadResult, Pixels, Tier

RATE = 30.0
SECRET = b"benchmark key of no value at all"


class Lab:
    """The networks of one pack, and a counter that gives every try its own nonce.

    Args:
        models: the folder of `FACEPAY_MODELS`.
        pack: whose networks are used.
        fooled: let the passive networks take everything for a person, so that the other cues stand alone.
        five_points: go without landmarks, as packs that have none.
    """

    def __init__(
        self, models: Path, pack: str = "commerce", *, fooled: bool = False, five_points: bool = False
    ) -> None:
        self._pack: RecognitionEngine = load_engine(choose_pack(pack), [models], threads=1, calibrated=False)
        mesh = face_mesh(self._pack)
        if mesh is None:
            raise SystemExit(f"the pack {pack} has no landmarks to measure with")
        self.mesh: FaceMesh = mesh
        self.pair = minifas_pair(self._pack)
        self._engine = LivenessEngine(
            LivenessModels(None if five_points else self.mesh, (SteadyExpert() if fooled else self.pair,)),
            LivenessPolicy(),
            secret=SECRET,
        )
        self._tries = 0

    def detect(self, pixels: Pixels) -> tuple[Box, Floats] | None:
        """Largest face: box and five points."""
        found = self._pack.detector.detect(pixels)
        return (found[0].box, found[0].points) if found else None

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
        face, last = progress.face or found, at
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
    wanted = people == "development"
    chosen = [folder for folder in sorted(photos.glob("lfw/*")) if in_development(folder.name) == wanted]
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

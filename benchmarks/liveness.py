"""What liveness does on recordings and photos: three tables that never merge, and what it costs.

    FACEPAY_MODELS=... FACEPAY_PHOTOS=... python -m benchmarks.liveness [--json FILE] [--photos N]

Real: bona fide recordings with the light of this try added (relit), replay recordings with a
display's faint reflection of it, and prints, which return it like skin. Simulated: photos moved flat,
bent and solid for the turn, and re-photographed for the passive networks. Integrity: the injection
fuzzers. A relit recording stands in for a person before a lit display, no more; the first table says
so in its name. Counts are of clips, and every rate has its 95 % bound.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from hardware.inference import load_session
from hardware.motion_simulation import HandHeldStill
from liveness.challenge import Sale
from liveness.chroma import CodeBook
from liveness.codebook import schedule_of
from liveness.engine import LivenessEngine, LivenessModels, Scene
from liveness.landmarks import FaceMesh, box_of
from liveness.light import light_at
from liveness.passive import MiniFasPair
from liveness.policy import LivenessPolicy
from liveness.session import LivenessSession
from liveness.simulation.injection import FUZZERS
from liveness.simulation.motion import Moved, MovingPhoto, Shape
from liveness.simulation.relight import Lamp, Relighter, Surface
from liveness.simulation.rephotograph import Medium, Setup, rephotograph
from liveness.types import Observation, Origin, PadResult, Pixels, PromptKind, Tier

RATE = 30.0
SECRET = b"benchmark key of no value at all"


class Lab:
    """Networks, a detector, and a counter that gives every try its own nonce."""

    def __init__(self, models: Path) -> None:
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
            LivenessModels(self.mesh, (self.pair,)), LivenessPolicy(), secret=SECRET
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
        found = lab.detect(pixels) if face is None or i % 10 == 0 else None
        detected = face is None or i % 10 == 0
        one = Observation(pixels, at, i, "clip", Origin.REPLAY, *(found or (None, None)), detected=detected)
        began = time.perf_counter()
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


def turning(photo: MovingPhoto, peak: float, tried: LivenessSession, lab: Lab, seed: int) -> PadResult:
    """One photo on its surface, lit by the try's light, and turned to whichever side is asked."""
    noise = np.random.default_rng(seed)
    lamp, face, number, side, asked = None, None, 0, 0, 0
    for i in range(150):
        at = round(i * 1e9 / RATE) + 1
        # Whoever is asked answers after 0.4 s and takes two thirds of a second for the turn.
        yaw = peak * min(max((i - asked - 12) / 20, 0.0), 1.0)
        pixels = photo.frame(Moved(side * yaw + float(noise.normal(0, 0.3)), float(noise.normal(0, 0.3))))
        pixels = np.clip(pixels + noise.normal(0, 1.5, pixels.shape), 0, 255).astype(np.uint8)
        if lamp is not None and face is not None:
            pixels = lamp.relight(pixels, face[1], at_ns=at)
        found = lab.detect(pixels) if i % 10 == 0 or face is None else None
        box, points = found or (None, None)
        detected = i % 10 == 0 or face is None
        progress = tried.observe(
            Observation(pixels, at, i, "clip", Origin.REPLAY, box, points, detected=detected)
        )
        face = progress.face
        if progress.prompt.number != number:
            number = progress.prompt.number
            tried.shown(at + 20_000_000)
            if progress.prompt.schedule is not None:
                lamp = Relighter(Lamp(progress.prompt.schedule, at + 20_000_000), Surface.PAPER)
            asked = i
            side = {PromptKind.TURN_LEFT: 1, PromptKind.TURN_RIGHT: -1}.get(progress.prompt.kind, 0)
        if progress.finished:
            break
    return tried.conclude()


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


def real_table(lab: Lab, photos: Path, costs: list[float]) -> dict[str, object]:
    """Tier 1 with relit flash on the shared recordings."""
    bona_fide = [*sorted(photos.glob("bona_fide/*")), *sorted(photos.glob("video/*.mp4"))]
    attacks = {
        "replay": (sorted(photos.glob("attacks/replay/*.mp4")), Surface.DISPLAY),
        "print": (sorted(photos.glob("attacks/print/*")), Surface.PAPER),
    }
    groups = {"bona fide": (bona_fide, Surface.FACE), **attacks}
    table: dict[str, object] = {}
    for name, (paths, surface) in groups.items():
        counts: Counter[str] = Counter()
        rows, times = [], []
        for path in paths:
            for start in (0, 40) if path.suffix == ".mp4" else (0,):
                result, seconds = run(lab, clip(path, start), Tier.ONE, surface, costs=costs)
                if not result.cues and not result.reasons:
                    continue
                counts[result.status.value] += 1
                times.append(seconds)
                why = ",".join(reason.value for reason in result.reasons)
                rows.append(f"{path.name}@{start} {result.status.value} {why}".strip())
        table[name] = {"counts": dict(counts), "seconds": round(statistics.median(times), 2), "clips": rows}
    return table


def turn_table(lab: Lab, photos: Path, count: int) -> dict[str, object]:
    """Tier 2 on photos moved flat, bent and solid; every one is simulated."""
    chosen = random.Random(20).sample(sorted(photos.glob("lfw/*/*.jpg")), 4 * count)
    kinds = {
        "flat 40": (Shape.FLAT, 0.55, 40.0),
        "bent 0.55 at 40": (Shape.BENT, 0.55, 40.0),
        "bent 0.35 at 35": (Shape.BENT, 0.35, 35.0),
        "solid 24": (Shape.SOLID, 0.55, 24.0),
    }
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    used = 0
    for path in chosen:
        image = cv2.resize(cv2.imread(str(path)), (400, 400), interpolation=cv2.INTER_CUBIC)
        found = lab.detect(image)
        mesh = lab.mesh.find(image, *found) if found else None
        if mesh is None or abs(mesh.pose.yaw) > 8 or used == count:
            continue
        used += 1
        x1, y1, x2, y2 = box_of(mesh)
        for name, (shape, bend, peak) in kinds.items():
            photo = MovingPhoto(
                image,
                shape,
                centre=((x1 + x2) / 2, (y1 + y2) / 2),
                face_height=y2 - y1,
                bend_radius=bend,
                landmarks=mesh.points,
            )
            result = turning(photo, peak, lab.open(Tier.TWO), lab, used)
            why = ",".join(reason.value for reason in result.reasons)
            counts[name][f"{result.status.value} {why}".strip()] += 1
    return {name: dict(value) for name, value in counts.items()}


def passive_table(lab: Lab, photos: Path, count: int) -> dict[str, object]:
    """Share of photos the passive pair accepts, plain and re-photographed; no error rate of attacks."""
    chosen = random.Random(21).sample(sorted(photos.glob("lfw/*/*.jpg")), count)
    media = {
        "file": None,
        "display": Setup(Medium.DISPLAY, display_px_per_px=0.8),
        "print": Setup(Medium.PRINT),
    }
    accepted: Counter[str] = Counter()
    for path in chosen:
        image = cv2.resize(cv2.imread(str(path)), (500, 500), interpolation=cv2.INTER_CUBIC)
        for name, setup in media.items():
            seen = image if setup is None else rephotograph(image, setup)
            found = lab.detect(seen)
            score = lab.pair.score(seen, *found) if found else None
            accepted[name] += score is not None and score >= 0.5
    return {name: f"{accepted[name]}/{count}" for name in media}


def integrity_table(photos: Path) -> dict[str, object]:
    """The injection fuzzers over a recording, watched by stream integrity alone, for every origin."""
    from liveness.integrity import StreamIntegrity
    from liveness.stream_limits import limits_for

    frames = list(clip(next(iter(sorted(photos.glob("bona_fide/*.mp4")))), 0, 75))
    refused = {}
    for origin in Origin:
        honest = [
            Observation(p, round(i * 1e9 / RATE) + 1, i, "clip", origin, (300.0, 200.0, 500.0, 440.0))
            for i, p in enumerate(frames)
        ]
        hits, missed = 0, []
        for fuzzer in (list, *FUZZERS.values()):
            watch = StreamIntegrity(
                replace(limits_for(origin), noise_floor=0.02), nominal_rate=RATE, memory=None
            )
            watch.engage()
            for one in fuzzer(honest):
                watch.watch(one)
            bad = watch.conclude().status.value == "refuse"
            hits += bad if fuzzer is not list else 0
            if not bad and fuzzer is not list:
                missed.append(fuzzer.__name__)
            if fuzzer is list:
                refused[f"{origin.value} honest refused"] = int(bad)
        refused[origin.value] = " ".join([f"{hits}/{len(FUZZERS)}", *missed])
    return refused


def cost_table(lab: Lab, photos: Path, costs: list[float]) -> dict[str, object]:
    """Milliseconds on this machine, next to a fixed matrix product that says how fast it was just then."""
    frame = cv2.resize(cv2.imread(str(next(iter(sorted(photos.glob("bona_fide/*.jpg")))))), (1280, 720))
    times: list[float] = []
    still = HandHeldStill(frame, (1280, 720), 1)
    frames = [still.frame() for _ in range(60)]
    run(lab, iter(frames), Tier.ZERO, None, costs=times)
    book, t = CodeBook(), np.arange(0, 1300, 33, dtype=np.float32)
    tones = (0.4 + 0.03 * light_at(schedule_of(7), t - 70)).astype(np.float32)
    began = time.perf_counter()
    for _ in range(20):
        book.decode(tones, t, 7, window_ms=(20.0, 150.0))
    decode = (time.perf_counter() - began) / 20 * 1000
    matrix = np.ones((512, 512), dtype=np.float32)
    began = time.perf_counter()
    for _ in range(20):
        matrix @ matrix
    return {
        "frame_ms_median_720p": round(statistics.median(times), 1),
        "frame_ms_median_clips": round(statistics.median(costs), 1),
        "flash_decode_ms": round(decode, 2),
        "matrix_512_ms": round((time.perf_counter() - began) / 20 * 1000, 2),
    }


def main() -> None:
    """Print the tables, and write them as JSON if asked."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--json", type=Path)
    arguments.add_argument("--photos", type=int, default=10, help="photos per simulated kind")
    options = arguments.parse_args()
    cv2.setNumThreads(1)
    photos, lab = Path(os.environ["FACEPAY_PHOTOS"]), Lab(Path(os.environ["FACEPAY_MODELS"]))
    costs: list[float] = []
    report = {
        "real recordings, relit (tier 1)": real_table(lab, photos, costs),
        "simulated motion (tier 2)": turn_table(lab, photos, options.photos),
        "simulated re-photographs (passive pair accepts)": passive_table(lab, photos, 3 * options.photos),
        "integrity (fuzzers refused)": integrity_table(photos),
        "cost": cost_table(lab, photos, costs),
    }
    print(json.dumps(report, indent=2))
    if options.json:
        options.json.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

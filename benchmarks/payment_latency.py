"""From the last needed frame to the signed decision: how long, and what share has each stage?

The same objects as in a payment: capture stages, liveness try, recogniser, matcher, threshold, signature.
Beside each payment the bare models run on the same inputs, so that the overhead over them is a ratio of
one run. `python -m benchmarks.payment_latency [PACK] [REPETITIONS] [SIZE ...]`; needs FACEPAY_MODELS and
FACEPAY_PHOTOS.
"""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from benchmarks.results import draw_bars, quantiles, resident_mb, tell
from facepay.capture import StageTimes
from facepay.capture.best import BestFaces
from facepay.capture.capture import _observation
from facepay.capture.limits import CaptureLimits
from facepay.checkout.ahead import AheadOfTime
from facepay.checkout.identify import IdentificationTerms, Identifier
from facepay.errors import Declined
from facepay.recognition.engine import RecognitionEngine
from facepay.recognition.matcher import Matcher
from facepay.recognition.rounded_block import BLOCK
from facepay.settings import Settings, load_settings
from facepay.terminal.engines import build_engine, build_tries
from facepay.types import CandidateList, Probe, Sample, SubjectId
from hardware.base import SteppedClock
from hardware.camera_replay import ReplayCamera
from hardware.types import Frame
from keys.keystore_memory import MemoryKeyStore
from liveness.types import Tier
from pos_adapter.types import Money

FRAMES = 28
STAGES = ("detect", "quality", "liveness", "extract", "search", "decide", "sign")


@dataclass
class PlainGallery:
    """A matcher filled with random rows, in place of the sealed gallery."""

    matcher: Matcher

    def references(self, among: frozenset[SubjectId] | None = None) -> int:
        """How many references a search compares."""
        return self.matcher.size

    def search(self, probe: Probe, among: frozenset[SubjectId] | None = None) -> CandidateList:
        """The two most similar subjects."""
        return self.matcher.search(probe, 2, among)


@dataclass
class Bench:
    """What every payment of the benchmark shares."""

    engine: RecognitionEngine
    settings: Settings
    frames: list[Frame]
    keys: MemoryKeyStore
    spent: dict[str, list[float]] = field(default_factory=dict)


def filled(engine: RecognitionEngine, size: int) -> Matcher:
    """A matcher with `size` random references."""
    random = np.random.default_rng(size)
    matcher = Matcher(engine.model, engine.dimensions, threads=2)
    for start in range(0, size, BLOCK):
        rows = random.standard_normal((min(BLOCK, size - start), engine.dimensions), np.float32)
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        subjects = [SubjectId(f"{number:032x}") for number in range(start, start + len(rows))]
        matcher.add_rows(subjects, rows, engine.model)
    return matcher


def pay(bench: Bench, identifier: Identifier) -> dict[str, float]:
    """One payment up to the signed decision; milliseconds by stage after the last frame came."""
    tries = build_tries(bench.settings, bench.engine, bench.keys)
    camera = ReplayCamera(Path("replay.mp4")).identity
    attempt = tries.open(Tier.ZERO, Money(1240, "EUR"), camera)
    best = BestFaces(CaptureLimits().window_s)
    times, total, processor = StageTimes(), 0.0, 0.0
    ahead = identifier.ahead(times)
    for number, frame in enumerate(bench.frames):
        if number == len(bench.frames) - 1:
            times, total, processor = StageTimes(), time.perf_counter(), time.process_time()
        with times.stage("detect"):
            detections = bench.engine.detector.detect(frame.pixels)
        with times.stage("quality"):
            seen = bench.engine.judge(frame.pixels, detections)
        with times.stage("liveness"):
            attempt.observe(_observation(frame, seen, detections))
        if seen.quality.acceptable and seen.face is not None:
            final = best.offer(Sample(seen.face, seen.quality, frame.captured_at_ns))
            if final is not None and number < len(bench.frames) - 1:
                ahead.take(final)
    with times.stage("liveness"):
        pad = attempt.conclude()
    samples = best.chosen(bench.settings.capture.best_frames)
    decision = _decide(identifier, samples, times, pad, ahead)
    with times.stage("sign"):
        bench.keys.sign(decision)
    return {
        **times.as_table(),
        "total": 1000 * (time.perf_counter() - total),
        "cpu": 1000 * (time.process_time() - processor),
    }


def _decide(
    identifier: Identifier, samples: tuple[Sample, ...], times: StageTimes, pad: object, ahead: AheadOfTime
) -> bytes:
    from facepay.capture.records import Captured

    captured = Captured(pad, samples, ReplayCamera(Path("replay.mp4")).identity, FRAMES, 1.0)
    probe = identifier.probe_of(captured, times, ahead)
    try:
        with times.stage("decide"):
            found = identifier.identify(probe, times)
    except Declined as declined:
        return type(declined).__name__.encode()
    return found.subject.encode()


def bare_runs(bench: Bench) -> float:
    """Milliseconds of the model runs alone that one payment needs after its last frame.

    These are one detection and one embedding: the other faces were embedded while the capture ran. The
    liveness networks have had their share of frames before, as the stage `liveness` shows; counting them
    here would flatter the overhead.
    """
    pixels = bench.frames[-1].pixels
    face = bench.engine.assess(pixels).face
    faces = [face] if face is not None else []
    started = time.perf_counter()
    bench.engine.detector.detect(pixels)
    bench.engine.extract(faces)
    return 1000 * (time.perf_counter() - started)


def main(pack: str, repetitions: int, sizes: list[int]) -> None:
    """Measure payments at every gallery size."""
    settings = load_settings()
    settings = replace(settings, recognition=replace(settings.recognition, pack=pack))
    engine = build_engine(settings)
    clip = Path(os.environ["FACEPAY_PHOTOS"]) / "video" / "liveportrait_d0.mp4"
    with ReplayCamera(clip, clock=SteppedClock()) as camera:
        frames = [camera.read(1.0) for _ in range(FRAMES)]
    with MemoryKeyStore() as keys:
        bench = Bench(engine, settings, frames, keys)
        rows = [_row(bench, size, repetitions) for size in sizes]
    notes = [
        f"pack {pack}, {FRAMES} frames, {settings.capture.best_frames} faces embedded, ms after the last one",
        "overhead: everything over the bare model runs of the same repetition, median",
    ]
    tell("payment_latency", rows, notes)
    shares = [float(str(rows[-1][stage])) for stage in STAGES if stage in rows[-1]]
    draw_bars("payment_latency", [stage for stage in STAGES if stage in rows[-1]], shares, "ms (median)")


def _row(bench: Bench, size: int, repetitions: int) -> dict[str, object]:
    gallery = PlainGallery(filled(bench.engine, size))
    terms = IdentificationTerms(1e-3, 0.08)
    # The benchmark's gallery has the two methods that a search needs, and nothing that unseals.
    identifier = Identifier(bench.engine, gallery, terms)  # type: ignore[arg-type]
    pay(bench, identifier)
    runs, bare = [], []
    for _ in range(repetitions):
        runs.append(pay(bench, identifier))
        bare.append(bare_runs(bench))
    medians = {stage: float(np.median([run.get(stage, 0.0) for run in runs])) for stage in STAGES}
    medians["decide"] = max(0.0, medians["decide"] - medians["search"])
    ratios = [run["total"] / models for run, models in zip(runs, bare, strict=True)]
    return {
        "references": size,
        **{stage: round(value, 2) for stage, value in medians.items()},
        **quantiles([run["total"] for run in runs]),
        "cpu": round(float(np.median([run["cpu"] for run in runs])), 2),
        "bare models": round(float(np.median(bare)), 2),
        "overhead %": round(100 * (float(np.median(ratios)) - 1), 1),
        "MB": resident_mb(),
    }


if __name__ == "__main__":
    words = sys.argv[1:]
    main(
        words[0] if words else "commerce",
        int(words[1]) if len(words) > 1 else 20,
        [int(word) for word in words[2:]] or [1, 1_000, 10_000, 100_000, 1_000_000],
    )

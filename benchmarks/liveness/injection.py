"""Stream integrity against the injection fuzzers, for every origin."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchmarks.liveness.lab import RATE, clip
from liveness.integrity import StreamIntegrity
from liveness.simulation.injection import FUZZERS
from liveness.stream_limits import limits_for
from liveness.types import Observation, Origin


def integrity_table(photos: Path) -> dict[str, object]:
    """The injection fuzzers over a recording, watched by stream integrity alone, for every origin."""
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

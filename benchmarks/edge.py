"""One thread, and int8 where the weights have it: what a small terminal gets.

`python -m benchmarks.edge [PACK ...]`; needs FACEPAY_MODELS and FACEPAY_PHOTOS.
"""

from __future__ import annotations

import sys

import numpy as np

from benchmarks.arguments import known_pack, need
from benchmarks.results import draw_bars, quantiles, resident_mb, tell, timed_ms
from facepay.recognition.loading import load_engine
from facepay.recognition.pack_store import choose_pack
from hardware.base import SteppedClock
from hardware.camera_replay import ReplayCamera
from hardware.inference import load_session

REPETITIONS = 30


def main(packs: list[str]) -> None:
    """Measure detector, gate, recogniser and passive pair of each pack on one thread."""
    folder = need("FACEPAY_MODELS")
    clip = need("FACEPAY_PHOTOS", "video", "liveportrait_d0.mp4")
    with ReplayCamera(clip, clock=SteppedClock()) as camera:
        pixels = camera.read(1.0).pixels
    table: list[dict[str, object]] = []
    for name in packs:
        engine = load_engine(choose_pack(name), [folder], threads=1)
        assessment = engine.assess(pixels)
        if assessment.face is None:
            raise SystemExit(f"no usable face in {clip.name}")
        faces = [assessment.face]
        small = np.zeros((1, 3, 80, 80), np.float32)
        pair = [model.session for model in engine.liveness.passive]
        stages = {
            "detect": lambda e=engine: e.detector.detect(pixels),
            "detect and judge": lambda e=engine: e.assess(pixels),
            "embed": lambda e=engine, f=faces: e.extract(f),
            "passive pair": lambda p=pair, x=small: [s.run({s.input_names[0]: x}) for s in p],
        }
        for stage, work in stages.items():
            table.append(
                {"pack": name, "stage": stage, **quantiles(timed_ms(work, REPETITIONS)), "MB": resident_mb()}
            )
    for file in ("minifas_128.onnx", "minifas_128_int8.onnx"):
        path = folder / file
        if path.is_file():
            session = load_session(path)
            picture = {session.input_names[0]: np.zeros((1, 3, 128, 128), np.float32)}
            spent = timed_ms(lambda s=session, p=picture: s.run(p), REPETITIONS)
            table.append({"pack": "", "stage": file, **quantiles(spent), "MB": resident_mb()})
    tell("edge", table, ["one thread, ms a run"])
    labels = [f"{row['pack']} {row['stage']}" for row in table]
    draw_bars("edge", labels, [float(str(row["p50"])) for row in table], "ms")


if __name__ == "__main__":
    main([known_pack(name) for name in sys.argv[1:]] or ["commerce", "research", "research_128"])

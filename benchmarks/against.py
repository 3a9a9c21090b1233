"""The same photos through what people would use instead, and through ours: accuracy and ms an image.

`insightface.app.FaceAnalysis` as its users call it, on the very weights of the pack `research`; PyPI's
`face_recognition` and `deepface` where they and their weights are at hand (skipped by name where not).
One process each, the same threads. `python -m benchmarks.against [PEOPLE]`; needs FACEPAY_MODELS and
FACEPAY_PHOTOS/lfw.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt

from benchmarks.arguments import need, whole_numbers
from benchmarks.results import draw_bars, quantiles, tell
from facepay.evaluation.comparisons import compare_all
from facepay.evaluation.verification import operating_point

THREADS = int(os.environ.get("BENCHMARK_THREADS", "2"))
CONTENDERS = ("facepay", "FaceAnalysis", "FaceAnalysis at 640", "face_recognition", "deepface")
Embed = Callable[[Path], npt.NDArray[np.float32] | None]


def photos(people: int) -> list[tuple[str, Path]]:
    """Two photos each of the last people of LFW of whom there are two, and one each of as many others."""
    folders = sorted((Path(os.environ["FACEPAY_PHOTOS"]) / "lfw").iterdir(), reverse=True)
    counted = [(folder, sorted(folder.iterdir())) for folder in folders]
    several = [(folder.name, path) for folder, files in counted if len(files) > 1 for path in files[:2]]
    single = [(folder.name, files[0]) for folder, files in counted if len(files) == 1]
    return several[: 2 * people] + single[:people]


def ours() -> Embed:
    """The pack `research` as the product runs it."""
    from facepay.recognition.loading import load_engine
    from facepay.recognition.packs import catalogue
    from hardware.images import ImageLimits, load_image

    engine = load_engine(catalogue()["research"], [Path(os.environ["FACEPAY_MODELS"])], threads=THREADS)

    def embed(path: Path) -> npt.NDArray[np.float32] | None:
        pixels = load_image(path, ImageLimits())
        found = engine.detector.detect(pixels)
        from facepay.recognition.alignment import align

        return engine.extract([align(pixels, found[0].points)])[0] if found else None

    return embed


def face_analysis(side: int = 320) -> Embed:
    """insightface's application class on the same two files, at our detector's size."""
    import cv2
    import onnxruntime
    from insightface.app import FaceAnalysis

    root = Path(tempfile.mkdtemp())
    folder = root / "models" / "same"
    folder.mkdir(parents=True)
    for name in ("det_500m.onnx", "arcface_mbf_512d.onnx"):
        shutil.copy(Path(os.environ["FACEPAY_MODELS"]) / name, folder / name)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    app = FaceAnalysis(name="same", root=str(root), providers=["CPUExecutionProvider"], sess_options=options)
    app.prepare(ctx_id=-1, det_size=(side, side))

    def embed(path: Path) -> npt.NDArray[np.float32] | None:
        found = app.get(cv2.imread(str(path)))
        if not found:
            return None
        largest = max(found, key=lambda face: face.bbox[3] - face.bbox[1])
        return np.asarray(largest.normed_embedding, np.float32)

    return embed


def face_analysis_as_called() -> Embed:
    """The same at the detector size that it has when nothing is said."""
    return face_analysis(640)


def face_recognition() -> Embed:
    """dlib's recogniser by its most used wrapper; its distance is turned into a cosine."""
    import face_recognition as library

    def embed(path: Path) -> npt.NDArray[np.float32] | None:
        found = library.face_encodings(library.load_image_file(str(path)))
        return np.asarray(found[0] / np.linalg.norm(found[0]), np.float32) if found else None

    return embed


def deepface() -> Embed:
    """deepface with its default model."""
    from deepface import DeepFace

    def embed(path: Path) -> npt.NDArray[np.float32] | None:
        found = DeepFace.represent(str(path), enforce_detection=False)
        row = np.asarray(found[0]["embedding"], np.float32)
        return row / np.linalg.norm(row)

    return embed


def measure(name: str, people: int) -> dict[str, object]:
    """Embed every photo with one contender, in this process."""
    makers = (ours, face_analysis, face_analysis_as_called, face_recognition, deepface)
    embed = dict(zip(CONTENDERS, makers, strict=True))[name]()
    chosen = photos(people)
    for _, path in chosen[:5]:
        embed(path)
    rows, names, spent = [], [], []
    for identity, path in chosen:
        started = time.perf_counter()
        row = embed(path)
        spent.append(1000 * (time.perf_counter() - started))
        if row is not None:
            rows.append(row)
            names.append(identity)
    numbers = np.unique(names, return_inverse=True)[1]
    comparisons = compare_all(np.array(rows, np.float32), list(numbers))
    points = {target: operating_point(comparisons, target) for target in (1e-3, 1e-4)}
    return {
        "system": name,
        "photos": len(chosen),
        "not found": len(chosen) - len(rows),
        **quantiles(spent),
        "FNMR at 1e-3": str(points[1e-3].fnmr),
        "FNMR at 1e-4": str(points[1e-4].fnmr),
    }


def main(people: int) -> None:
    """Run each contender in a process of its own."""
    need("FACEPAY_MODELS", "arcface_mbf_512d.onnx")
    need("FACEPAY_PHOTOS", "lfw")
    table: list[dict[str, object]] = []
    notes = []
    environment = {**os.environ, "OMP_NUM_THREADS": str(THREADS), "PYTHONWARNINGS": "ignore"}
    for name in CONTENDERS:
        if name in {"face_recognition", "deepface"} and importlib.util.find_spec(name) is None:
            notes.append(f"{name} is not installed: skipped")
            continue
        words = [sys.executable, "-m", "benchmarks.against", str(people), name]
        done = subprocess.run(words, capture_output=True, text=True, check=False, env=environment)
        if done.returncode:
            notes.append(f"{name} did not run: {done.stderr.strip().splitlines()[-1]}")
            continue
        table.append(json.loads(done.stdout.splitlines()[-1]))
    ratio = [float(str(row["p50"])) for row in table if row["system"] in {"facepay", "FaceAnalysis"}]
    if len(ratio) == 2:
        notes.append(f"facepay needs {ratio[0] / ratio[1]:.2f} of FaceAnalysis's time on the same weights")
    tell(
        "against",
        table,
        [*notes, f"ms an image, {THREADS} threads, one process each, intervals 95 % over people"],
    )
    draw_bars("against", [str(r["system"]) for r in table], [float(str(r["p50"])) for r in table], "ms")


if __name__ == "__main__":
    if len(sys.argv) > 2:
        print(json.dumps(measure(sys.argv[2], int(sys.argv[1]))))
    else:
        main(*whole_numbers(sys.argv[1:], "[PEOPLE]", most=1) or [100])

"""Packs beside each other on people that nobody trained on: how much a student lost against its teachers.

`python -m benchmarks.packs [--keep-out GLOB ...] [PACK ...]`; needs FACEPAY_MODELS and FACEPAY_PHOTOS, whose
folder `lfw` holds a folder for each person. The first pack is measured, the last one is the teacher.
`--keep-out` names the recordings on which nobody trained (as given to `python -m training`).
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.arguments import known_pack, need
from benchmarks.results import draw_bars, quantiles, tell, timed_ms
from facepay.evaluation.comparisons import Comparisons, compare_all
from facepay.evaluation.intervals import wilson
from facepay.evaluation.verification import operating_point
from facepay.recognition.alignment import align
from facepay.recognition.engine import RecognitionEngine
from facepay.recognition.loading import load_engine
from facepay.recognition.packs import catalogue
from facepay.terminal.engines import face_mesh, minifas_pair
from facepay.types import Detection
from liveness.landmarks import EYE_BLINK_LEFT, EYE_BLINK_RIGHT, SMILE_LEFT, SMILE_RIGHT
from training.people import Photo, photos_of
from training.recordings import Pixels, frames, recordings

Row = dict[str, object]
Floats = npt.NDArray[np.float32]

_SAME_FACE = 0.5
_TEACHER_SURE = 0.8
_REPETITIONS = 40
_EVENT_UP, _EVENT_DOWN = 0.5, 0.35


def main(arguments: argparse.Namespace) -> None:
    """Measure every part of every pack and print one table for each part."""
    folder = need("FACEPAY_MODELS")
    photos = need("FACEPAY_PHOTOS")
    engines = {
        name: load_engine(catalogue()[name], [folder], threads=2, calibrated=False)
        for name in arguments.packs
    }
    unseen = [photo for photo in photos_of(photos / "lfw") if photo.held_out]
    tell("packs_recogniser", _recognisers(engines, unseen), ["unseen people; 95 % intervals over people"])
    teacher = engines[arguments.packs[-1]]
    clips = recordings(photos, arguments.keep_out, kept=True)
    everything = recordings(photos, ())
    tell("packs_detector", _detectors(engines, teacher, unseen, everything), ["against the teacher's faces"])
    tell("packs_mesh", _meshes(engines, teacher, unseen, clips), ["against the teacher, recordings kept out"])
    tell(
        "packs_passive",
        _passive(engines, photos, clips),
        ["median probability of bona fide over a file's frames"],
    )
    times = [{"pack": name, **row} for name, engine in engines.items() for row in _times(engine)]
    tell("packs_times", times, ["ms a run, two threads for the recogniser, one for the others"])
    draw_bars(
        "packs",
        [f"{row['pack']} {row['run']}" for row in times],
        [float(str(row["p50"])) for row in times],
        "ms",
    )


def _recognisers(engines: dict[str, RecognitionEngine], unseen: Sequence[Photo]) -> list[Row]:
    rows: list[Row] = []
    people = {name: index for index, name in enumerate(sorted({photo.person for photo in unseen}))}
    for name, engine in engines.items():
        features, identity = _embedded(engine, unseen, people)
        compared = compare_all(features, identity)
        rows.append(
            {"pack": name, "photos": len(identity), "people": compared.identities, **_misses(compared)}
        )
    return rows


def _misses(compared: Comparisons) -> Row:
    points = {rate: operating_point(compared, rate) for rate in (1e-3, 1e-4)}
    return {f"FNMR at {rate:g}": f"{point.fnmr} at {point.threshold:.3f}" for rate, point in points.items()}


def _embedded(
    engine: RecognitionEngine, photos: Sequence[Photo], people: dict[str, int]
) -> tuple[Floats, list[int]]:
    features, identity = [], []
    for photo in photos:
        pixels = _read(photo.path)
        found = engine.detector.detect(pixels)
        if found:
            middle = min(found, key=lambda face: _from_middle(face, pixels))
            features.append(engine.extract([align(pixels, middle.points)])[0])
            identity.append(people[photo.person])
    return np.stack(features), identity


def _detectors(
    engines: dict[str, RecognitionEngine],
    teacher: RecognitionEngine,
    unseen: Sequence[Photo],
    clips: Sequence[Path],
) -> list[Row]:
    sets = {
        "stills": [_read(photo.path) for photo in unseen],
        "recordings": [pixels for clip in clips for pixels in frames(clip, 5)],
        "close-ups": [_close_up(_read(photo.path), teacher) for photo in unseen[:300]],
    }
    rows: list[Row] = []
    for name, engine in engines.items():
        for kind, pictures in sets.items():
            rows.append({"pack": name, "pictures": kind, **_found(engine, teacher, pictures)})
    return rows


def _found(engine: RecognitionEngine, teacher: RecognitionEngine, pictures: Sequence[Pixels]) -> Row:
    known, found, extra, errors = 0, 0, 0, []
    for pixels in pictures:
        truth = teacher.detector.detect(pixels)
        made = engine.detector.detect(pixels)
        for face in (face for face in truth if face.score >= _TEACHER_SURE):
            known += 1
            match = max(made, key=lambda one: _overlap(one, face), default=None)
            if match is not None and _overlap(match, face) >= _SAME_FACE:
                found += 1
                eyes = float(np.linalg.norm(face.points[1] - face.points[0]))
                errors.append(float(np.linalg.norm(match.points - face.points, axis=1).mean()) / eyes)
        extra += sum(all(_overlap(one, face) < 0.3 for face in truth) for one in made)
    return {
        "missed": str(wilson(known - found, known)),
        "false a picture": round(extra / max(1, len(pictures)), 4),
        "point error p50": f"{100 * float(np.median(errors)):.2f} %",
        "p95": f"{100 * float(np.quantile(errors, 0.95)):.2f} %",
    }


def _meshes(
    engines: dict[str, RecognitionEngine],
    teacher: RecognitionEngine,
    unseen: Sequence[Photo],
    clips: Sequence[Path],
) -> list[Row]:
    rows: list[Row] = []
    stills = [_read(photo.path) for photo in unseen[::2]]
    for name, engine in engines.items():
        rows.append(
            {"pack": name, "pictures": f"{len(stills)} stills", **_mesh_errors(engine, teacher, stills)}
        )
        for number, clip in enumerate(clips):
            pictures = list(frames(clip))
            row = {"pack": name, "pictures": f"recording {number}, {len(pictures)} frames"}
            rows.append(
                {**row, **_mesh_errors(engine, teacher, pictures), **_events(engine, pictures, teacher)}
            )
    return rows


def _mesh_errors(engine: RecognitionEngine, teacher: RecognitionEngine, pictures: Sequence[Pixels]) -> Row:
    ours, theirs = face_mesh(engine), face_mesh(teacher)
    if ours is None or theirs is None:
        return {}
    yaw, points = [], []
    for pixels in pictures:
        face = _largest(teacher, pixels)
        made = ours.find(pixels, face.box, face.points) if face is not None else None
        said = theirs.find(pixels, face.box, face.points) if face is not None else None
        if made is not None and said is not None:
            yaw.append(abs(made.pose.yaw - said.pose.yaw))
            eyes = np.linalg.norm(said.points[33, :2] - said.points[263, :2])
            points.append(float(np.linalg.norm((made.points - said.points)[:, :2], axis=1).mean() / eyes))
    if not yaw:
        return {"yaw p50": "no face"}
    return {
        "yaw p50": round(float(np.median(yaw)), 2),
        "yaw p95": round(float(np.quantile(yaw, 0.95)), 2),
        "points": f"{100 * float(np.median(points)):.2f} %",
    }


def _events(engine: RecognitionEngine, pictures: Sequence[Pixels], teacher: RecognitionEngine) -> Row:
    mesh = face_mesh(engine)
    blinks, smiles = [], []
    for pixels in pictures:
        face = _largest(teacher, pixels)
        found = mesh.find(pixels, face.box, face.points) if mesh is not None and face is not None else None
        if found is not None:
            blinks.append(found.blendshapes[[EYE_BLINK_LEFT, EYE_BLINK_RIGHT]].min())
            smiles.append(found.blendshapes[[SMILE_LEFT, SMILE_RIGHT]].min())
    return {"blinks": _count(blinks), "smiles": _count(smiles)}


def _count(values: Sequence[float]) -> int:
    """How often a coefficient rises over one level after it was below another."""
    count, up = 0, True
    for value in values:
        if not up and value > _EVENT_UP:
            count, up = count + 1, True
        elif value < _EVENT_DOWN:
            up = False
    return count


def _passive(engines: dict[str, RecognitionEngine], photos: Path, kept_out: Sequence[Path]) -> list[Row]:
    rows: list[Row] = []
    for kind in ("bona_fide", "attacks"):
        for number, path in enumerate(sorted(one for one in (photos / kind).rglob("*") if one.is_file())):
            still = path.suffix == ".jpg"
            pictures = [_read(path)] if still else list(frames(path, 8))
            trained = "no" if still or path in kept_out else "yes"
            row: Row = {"file": f"{kind} {number}", "frames": len(pictures), "trained on": trained}
            for name, engine in engines.items():
                pair = minifas_pair(engine)
                faces = [(pixels, _largest(engine, pixels)) for pixels in pictures]
                scores = [
                    pair.score(pixels, face.box, face.points) for pixels, face in faces if face is not None
                ]
                row[name] = round(float(np.median([score for score in scores if score is not None])), 3)
            rows.append(row)
    return rows


def _times(engine: RecognitionEngine) -> list[Row]:
    random = np.random.default_rng(1)
    pixels = random.integers(0, 255, (180, 320, 3), dtype=np.uint8)
    crop = [random.integers(0, 255, (112, 112, 3), dtype=np.uint8)]
    box, points = (
        (80.0, 20.0, 200.0, 160.0),
        np.array([[110, 70], [170, 70], [140, 100], [115, 125], [165, 125]], np.float32),
    )
    runs: dict[str, Any] = {
        "detector 320x180": lambda: engine.detector.detect(pixels),
        "recogniser": lambda: engine.extract(crop),
    }
    mesh, pair = face_mesh(engine), minifas_pair(engine)
    if mesh is not None:
        runs["mesh"] = lambda: mesh.find(pixels, box, points)
    runs["passive pair"] = lambda: pair.score(pixels, box, points)
    return [{"run": name, **quantiles(timed_ms(work, _REPETITIONS))} for name, work in runs.items()]


def _close_up(pixels: Pixels, teacher: RecognitionEngine) -> Pixels:
    """The face so near that it fills nine tenths of the frame's height."""
    face = _largest(teacher, pixels)
    if face is None:
        return pixels
    x, y = (face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2
    half = face.height / 0.9 / 2
    move = np.array([[1, 0, half * 4 / 3 - x], [0, 1, half - y]], np.float32) * (120 / half)
    return np.asarray(cv2.warpAffine(pixels, move, (320, 240), borderMode=cv2.BORDER_REPLICATE), np.uint8)


def _largest(engine: RecognitionEngine, pixels: Pixels) -> Detection | None:
    return next(iter(engine.detector.detect(pixels)), None)


def _from_middle(face: Detection, pixels: Pixels) -> float:
    middle = np.array([pixels.shape[1] / 2, pixels.shape[0] / 2])
    return float(np.linalg.norm(face.points.mean(axis=0) - middle))


def _overlap(one: Detection, other: Detection) -> float:
    a, b = np.array(one.box), np.array(other.box)
    inner = np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None).prod()
    return float(inner / ((a[2:] - a[:2]).prod() + (b[2:] - b[:2]).prod() - inner))


def _read(path: Path) -> Pixels:
    return np.asarray(cv2.imread(str(path), cv2.IMREAD_COLOR), np.uint8)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.packs")
    parser.add_argument("packs", nargs="*", type=known_pack, default=["builtin", "commerce"])
    parser.add_argument("--keep-out", action="append", default=[], metavar="GLOB")
    return parser.parse_args()


if __name__ == "__main__":
    main(_arguments())

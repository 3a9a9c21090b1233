"""Where the faces are on the photos: one run of the teacher's detector, kept in the work folder."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from facepay.recognition.yunet import YunetDetector
from training.people import Photo, photos_of

Pixels = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]

YUNET = "face_detection_yunet_2023mar.onnx"
_SIDE, _SCORE, _NMS = 320, 0.5, 0.3


@dataclass(frozen=True, slots=True)
class Face:
    """One face of a photo: box `float32[4]`, five points `float32[5, 2]`, the teacher's score."""

    box: Floats
    points: Floats
    score: float


@dataclass(frozen=True, slots=True)
class Seen:
    """A photo with its faces, the one nearest to the middle first."""

    photo: Photo
    faces: tuple[Face, ...]


def teacher_detector(models: Path) -> YunetDetector:
    """YuNet as the product runs it."""
    return YunetDetector(models / YUNET, _SIDE, _SCORE, _NMS)


def read(path: Path) -> Pixels:
    """A picture, `uint8[H, W, 3]` BGR.

    Raises:
        SystemExit: it cannot be read.
    """
    pixels = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if pixels is None:
        raise SystemExit(f"{path} cannot be read as a picture")
    return np.asarray(pixels, np.uint8)


def seen_faces(photos: Path, models: Path, work: Path) -> list[Seen]:
    """Every photo of a folder of people with its faces; found once for these photos, then read back."""
    listed = photos_of(photos)
    names = "\n".join(f"{photo.person}/{photo.path.name}" for photo in listed)
    stored = work / f"faces-{hashlib.sha256(names.encode()).hexdigest()[:12]}.npz"
    if not stored.exists():
        work.mkdir(parents=True, exist_ok=True)
        detector = teacher_detector(models)
        rows = [
            _rows(index, read(photo.path), detector) for index, photo in enumerate(tqdm(listed, desc="faces"))
        ]
        np.savez(stored, rows=np.concatenate(rows))
    by_photo: list[list[Face]] = [[] for _ in listed]
    for row in np.load(stored)["rows"]:
        by_photo[int(row[0])].append(Face(row[1:5], row[5:15].reshape(5, 2), float(row[15])))
    return [Seen(photo, tuple(faces)) for photo, faces in zip(listed, by_photo, strict=True) if faces]


def _rows(index: int, pixels: Pixels, detector: YunetDetector) -> Floats:
    height, width = pixels.shape[:2]
    middle = np.array([width / 2, height / 2])
    found = sorted(
        detector.detect(pixels),
        key=lambda face: float(np.linalg.norm(np.asarray(face.points).mean(axis=0) - middle)),
    )
    rows = [np.concatenate([[index], face.box, np.ravel(face.points), [face.score]]) for face in found]
    return np.asarray(rows, np.float32).reshape(len(rows), 16)

"""The people of the demonstration: cut out of photos, in memory only.

By default from the group photo that comes with the installed insightface package. Nobody else stays in
a cut-out: bystanders are blurred before anything looks at it, as the product does with them as well.
"""

from __future__ import annotations

import importlib.util
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from facepay.errors import SettingsError
from facepay.recognition.base import Detector
from facepay.types import Detection, Pixels
from hardware.images import ImageLimits, load_image

NAMES = ("Ada", "Ben", "Cleo", "Dov", "Eva", "Finn", "Gil", "Hana")
SUFFIXES = frozenset({".jpg", ".jpeg", ".png"})
FACE_SHARE = 2.6
"""Height of a cut-out in heights of the face box: the liveness networks look at what surrounds a face."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to put before the camera: an invented name and a photo, `uint8[H, W, 3]` BGR."""

    name: str
    photo: Pixels = field(repr=False)
    origin: str


def default_photos() -> Path:
    """The group photo of the installed insightface package, found without importing it.

    Raises:
        SettingsError: the package or its photo is not there.
    """
    spec = importlib.util.find_spec("insightface")
    places = list(spec.submodule_search_locations or ()) if spec else []
    for place in places:
        photo = Path(place) / "data" / "images" / "t1.jpg"
        if photo.is_file():
            return photo
    raise SettingsError("insightface's sample photo t1.jpg is not installed: use --photos DIR")


def find_people(photos: Path, detector: Detector) -> list[Person]:
    """Everybody in a photo, or the main person of each photo of a folder.

    Raises:
        SettingsError: there is nobody.
    """
    people: list[Person] = []
    for path in _files(photos):
        picture = load_image(path, ImageLimits())
        faces = sorted(detector.detect(picture), key=lambda face: face.box[0])
        chosen = faces if photos.is_file() else sorted(faces, key=lambda face: -face.height)[:1]
        for face in chosen:
            name = NAMES[len(people) % len(NAMES)] + ("" if len(people) < len(NAMES) else f"-{len(people)}")
            photo = _alone(*cut_out(picture, face, faces), detector)
            people.append(Person(name, photo, path.name))
    if not people:
        raise SettingsError(f"{photos} shows nobody: name a photo or a folder of JPEG or PNG photos")
    return people


def cut_out(picture: Pixels, face: Detection, faces: Sequence[Detection]) -> tuple[Pixels, float]:
    """One person of a picture in a frame of 4:3, the others blurred; and where across it their middle is."""
    picture = _blurred(picture, [other for other in faces if other is not face])
    height, width = picture.shape[:2]
    tall = min(height, round(face.height * FACE_SHARE))
    wide = min(width, round(tall * 4 / 3))
    x1, y1, x2, y2 = face.box
    left = int(np.clip((x1 + x2) / 2 - wide / 2, 0, width - wide))
    top = int(np.clip((y1 + y2) / 2 - tall / 2, 0, height - tall))
    return np.ascontiguousarray(picture[top : top + tall, left : left + wide]), (x1 + x2) / 2 - left


def _alone(photo: Pixels, middle: float, detector: Detector) -> Pixels:
    """Blur who is seen in the cut-out only, where a face is larger than it was in the whole picture."""
    faces = detector.detect(photo)
    own = min(faces, key=lambda face: abs((face.box[0] + face.box[2]) / 2 - middle), default=None)
    return _blurred(photo, [face for face in faces if face is not own])


def pair_of(photos: Path, detector: Detector) -> Pixels | None:
    """A cut-out with two people side by side, or None where no photo has two."""
    for path in _files(photos):
        picture = load_image(path, ImageLimits())
        faces = sorted(detector.detect(picture), key=lambda face: face.box[0])
        for one, other in itertools.pairwise(faces):
            if 0.7 < one.height / other.height < 1.4:
                return _frame_around(picture, one, other)
    return None


def _frame_around(picture: Pixels, one: Detection, other: Detection) -> Pixels:
    height, width = picture.shape[:2]
    left = max(0, int(min(one.box[0], other.box[0]) - one.height / 2))
    right = min(width, int(max(one.box[2], other.box[2]) + one.height / 2))
    tall = min(height, round((right - left) * 3 / 4))
    middle = (one.box[1] + one.box[3] + other.box[1] + other.box[3]) / 4
    top = int(np.clip(middle - tall / 2, 0, height - tall))
    return np.ascontiguousarray(picture[top : top + tall, left:right])


def _files(photos: Path) -> Iterator[Path]:
    if photos.is_file():
        yield photos
        return
    if not photos.is_dir():
        raise SettingsError(f"{photos} does not exist: name a photo or a folder of photos")
    yield from (path for path in sorted(photos.rglob("*")) if path.suffix.lower() in SUFFIXES)


def _blurred(picture: Pixels, faces: Sequence[Detection]) -> Pixels:
    blurred = picture.copy()
    for face in faces:
        margin = face.height / 4
        x1, y1 = (int(max(0, value - margin)) for value in face.box[:2])
        x2, y2 = (int(value + margin) for value in face.box[2:])
        patch = blurred[y1:y2, x1:x2]
        blurred[y1:y2, x1:x2] = cv2.GaussianBlur(patch, (0, 0), face.height / 5)
    return blurred

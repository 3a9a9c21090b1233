"""Photos of people for measuring: folders of identities, or a CSV of pairs.

A data set is read and never copied. Identities are the names of folders; what a folder's name says about a
person is up to the operator, who should use pseudonyms.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from os.path import normpath, relpath
from pathlib import Path

import numpy as np
import numpy.typing as npt

from facepay.errors import InputUnusable
from facepay.evaluation.textfiles import opened_text, read_table

IMAGES = frozenset({".jpg", ".jpeg", ".png"})
"""What the terminal's own reader of images takes."""


@dataclass(frozen=True, slots=True)
class Photo:
    """One file and whose it is."""

    path: Path
    identity: str

    @property
    def name(self) -> str:
        """The file's name, as text that can be written."""
        return printable(self.path.name)


@dataclass(frozen=True, slots=True)
class LabelSuspicion:
    """Two identities that look like one person, or one that looks like two; scores stay in the report."""

    first: Photo
    second: Photo
    says: str


def load_folders(root: Path) -> tuple[Photo, ...]:
    """Photos of `root/IDENTITY/IMAGE`, sorted, so that a run can be repeated.

    Raises:
        InputUnusable: no such folder, one that may not be read, no images, or only one identity.
    """
    photos = tuple(
        Photo(path, printable(folder.name))
        for folder in _entries(root)
        if folder.is_dir()
        for path in _entries(folder)
        if _is_photo(path)
    )
    _require_people(photos, root)
    return photos


def left_aside(root: Path) -> tuple[Path, ...]:
    """What `load_folders` does not take: other kinds of file, and photos that lie too high or too deep.

    Raises:
        InputUnusable: no such folder, or one that may not be read.
    """
    folders = [entry for entry in _entries(root) if entry.is_dir()]
    found = [entry for entry in _entries(root) if not entry.is_dir()]
    found += [entry for folder in folders for entry in _entries(folder) if not _is_photo(entry)]
    return tuple(entry for entry in found if not entry.name.startswith("."))


def _is_photo(path: Path) -> bool:
    # A link that leads nowhere was meant to be a photo, and is named as one that cannot be read.
    return path.suffix.lower() in IMAGES and (path.is_file() or not path.exists())


def printable(name: str) -> str:
    """A file name as text in UTF-8; bytes that are none become `\\xNN`."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise InputUnusable(
            f"{printable(str(folder))} cannot be read ({error.strerror}); give a folder that holds a folder "
            "for each person"
        ) from error


def load_pairs(path: Path) -> tuple[Photo, ...]:
    """Photos named by a CSV `path_a,path_b,same` whose rows say which photos show one person.

    Paths are relative to the file. Photos joined by `same` = 1 become one identity, named by its first photo
    from the CSV on.

    Raises:
        InputUnusable: missing columns or photos, a `same` that is not 0 or 1, contradictions, too few people.
    """
    joined: dict[Path, Path] = {}
    differ: list[tuple[Path, Path, int]] = []
    with opened_text(path) as stream:
        for line, row in read_table(path, stream, ("path_a", "path_b", "same")):
            # Written in two ways, `a.jpg` and `./a.jpg` are still one photo.
            first, second = (Path(normpath(path.parent / row[name])) for name in ("path_a", "path_b"))
            if row["same"] not in ("0", "1"):
                raise InputUnusable(f"{path}:{line}: same has to be 0 or 1, not {row['same']!r}")
            for photo in (first, second):
                if not photo.is_file():
                    raise InputUnusable(f"{path}:{line}: there is no photo {photo}; paths begin at the CSV")
            if row["same"] == "1":
                joined[_root(joined, second)] = _root(joined, first)
            else:
                differ.append((first, second, line))
            _root(joined, first), _root(joined, second)
    for first, second, line in differ:
        if _root(joined, first) == _root(joined, second):
            raise InputUnusable(f"{path}:{line}: says different people, but other rows join the two photos")
    if not joined:
        raise InputUnusable(f"{path} names no photos; a row is: a photo, another one, and 1 or 0")

    def name(photo: Path) -> str:
        return printable(Path(relpath(_root(joined, photo), path.parent)).as_posix())

    photos = tuple(Photo(photo, name(photo)) for photo in sorted(joined))
    _require_people(photos, path)
    return photos


def _root(joined: dict[Path, Path], photo: Path) -> Path:
    while joined.setdefault(photo, photo) != photo:
        photo = joined[photo]
    return photo


def _require_people(photos: Sequence[Photo], where: Path) -> None:
    people = {photo.identity for photo in photos}
    if not photos:
        raise InputUnusable(
            f"{where} holds no images; expected a folder for each person with images in it "
            f"({', '.join(sorted(IMAGES))})"
        )
    if len(people) < 2:
        raise InputUnusable(f"{where} holds photos of {len(people)} person; error rates need at least two")
    if len(people) == len(photos):
        raise InputUnusable(
            f"{where} holds one image of each person, so no genuine comparison is possible: add second images"
        )


def file_digest(path: Path) -> str:
    """Lower-case hex sha256 of a file."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def dataset_digest(digests: Sequence[tuple[str, str]]) -> str:
    """Digest that names a data set: sha256 over sorted `identity digest` lines."""
    lines = "\n".join(f"{identity} {digest}" for identity, digest in sorted(digests))
    return hashlib.sha256(lines.encode()).hexdigest()


def suspected_label_errors(
    photos: Sequence[Photo], features: npt.NDArray[np.float32], *, same_above: float, different_below: float
) -> tuple[LabelSuspicion, ...]:
    """Pairs whose scores contradict their labels; reported, never silently dropped.

    Args:
        photos: in the order of the rows of `features`.
        features: `float32[N, D]`, unit rows.
        same_above: two identities that score above this are probably one person under two names.
        different_below: two photos of one identity that score below this are probably two people.
    """
    labels = np.unique([photo.identity for photo in photos], return_inverse=True)[1]
    found: list[LabelSuspicion] = []
    for row, photo in enumerate(photos):
        later = photos[row + 1 :]
        scores = features[row + 1 :] @ features[row]
        same = labels[row + 1 :] == labels[row]
        for mask, says in (
            ((scores > same_above) & ~same, "one person under two names?"),
            ((scores < different_below) & same, "two people under one name?"),
        ):
            found.extend(LabelSuspicion(photo, later[int(other)], says) for other in np.flatnonzero(mask))
    return tuple(found)

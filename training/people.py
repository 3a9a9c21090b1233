"""The photos of a folder, who is on them, and who is kept out of training.

A folder of photos has one folder for each person. A fifth of the people, chosen by a digest of their
folder's name, is never trained on: every figure on a model card comes from them alone.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

HELD_OUT_SHARE = 5
_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


@dataclass(frozen=True, slots=True)
class Photo:
    """One picture of one person."""

    path: Path
    person: str

    @property
    def held_out(self) -> bool:
        """Whether this person is kept out of training."""
        return is_held_out(self.person)


def is_held_out(person: str) -> bool:
    """Whether a name belongs to the fifth that is kept out of training."""
    return int.from_bytes(hashlib.sha256(person.encode()).digest()[:4], "big") % HELD_OUT_SHARE == 0


def photos_of(folder: Path) -> list[Photo]:
    """Every photo below a folder of people, in a fixed order.

    Raises:
        SystemExit: there are none.
    """
    found = [
        Photo(path, person.name)
        for person in sorted(folder.iterdir())
        if person.is_dir()
        for path in sorted(person.iterdir())
        if path.suffix.lower() in _SUFFIXES
    ]
    if not found:
        raise SystemExit(f"{folder} has no folders of photos, one for each person")
    return found


def link_held_out(folder: Path, out: Path) -> int:
    """Link the photos of the people who are not trained on into `out`; return how many there are."""
    held_out = [photo for photo in photos_of(folder) if photo.held_out]
    for photo in held_out:
        link = out / photo.person / photo.path.name
        link.parent.mkdir(parents=True, exist_ok=True)
        if not link.exists():
            link.symlink_to(photo.path.resolve())
    return len(held_out)

"""Presentation samples on disk: bona fide and attack clips or pictures, by species and subject.

    DIR/bona_fide/SUBJECT[_anything].mp4        DIR/attacks/SPECIES/SUBJECT[_anything].mp4
    DIR/references/SUBJECT[_anything].jpg

One file is one presentation, whether it is a clip or a picture. References are what the subjects enrolled
with; they are no trials, and without them one bona fide sample of a subject is compared with the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from facepay.errors import InputUnusable
from hardware.base import SteppedClock
from hardware.camera_replay import IMAGE_SUFFIXES, VIDEO_SUFFIXES, ReplayCamera, ReplayOptions
from hardware.errors import HardwareError

BONA_FIDE, ATTACKS, REFERENCES = "bona_fide", "attacks", "references"


@dataclass(frozen=True, slots=True)
class PresentationSample:
    """One file, whose face it shows, and the attack species, None for a bona fide one."""

    path: Path
    subject: str
    species: str | None


def load_samples(root: Path) -> tuple[PresentationSample, ...]:
    """Read the folders, sorted, so that a run can be repeated.

    Raises:
        InputUnusable: no such folder, or it holds no bona fide or no attack samples.
    """
    bona_fide = _files(root / BONA_FIDE)
    attacks = [
        (folder.name, path)
        for folder in sorted((root / ATTACKS).glob("*"))
        if folder.is_dir()
        for path in _files(folder)
    ]
    if not bona_fide or not attacks:
        raise InputUnusable(
            f"{root} needs bona fide samples in {BONA_FIDE}/ and attacks in {ATTACKS}/SPECIES/: found "
            f"{len(bona_fide)} and {len(attacks)}"
        )
    return (
        *(PresentationSample(path, _subject(path), None) for path in bona_fide),
        *(PresentationSample(path, _subject(path), species) for species, path in attacks),
    )


def readable_samples(
    samples: Sequence[PresentationSample],
) -> tuple[tuple[PresentationSample, ...], tuple[Path, ...]]:
    """Samples that hold at least one frame, and the files that do not.

    What cannot be read was never presented; as a trial it would pass for an attack that did not get through.

    Raises:
        InputUnusable: no bona fide sample or no attack can be read.
    """
    shown = tuple(sample for sample in samples if _is_readable(sample.path))
    if {sample.species is None for sample in shown} != {True, False}:
        kind = "attack" if any(sample.species is None for sample in shown) else "bona fide sample"
        raise InputUnusable(f"no {kind} can be read: is each a picture or a film that opens elsewhere?")
    return shown, tuple(sample.path for sample in samples if sample not in shown)


def _is_readable(path: Path) -> bool:
    try:
        with ReplayCamera(path, ReplayOptions(loop=False), SteppedClock()) as camera:
            camera.read(1.0)
    except HardwareError:
        return False
    return True


def left_aside(root: Path) -> tuple[Path, ...]:
    """What `load_samples` does not take: other kinds of file, and files beside the folders of species."""
    species = sorted((root / ATTACKS).glob("*"))
    found = [path for path in species if not path.is_dir()]
    for folder in (root / BONA_FIDE, *(path for path in species if path.is_dir())):
        found += sorted(set(folder.glob("*")) - set(_files(folder)))
    return tuple(path for path in found if not path.name.startswith("."))


def load_references(root: Path) -> tuple[tuple[Path, str], ...]:
    """Read what the subjects enrolled with: paths and subjects; empty where there is no such folder."""
    return tuple((path, _subject(path)) for path in _files(root / REFERENCES))


def _files(folder: Path) -> list[Path]:
    allowed = IMAGE_SUFFIXES | VIDEO_SUFFIXES
    return sorted(path for path in folder.glob("*") if path.suffix.lower() in allowed)


def _subject(path: Path) -> str:
    return path.stem.split("_", 1)[0]

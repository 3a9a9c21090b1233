"""What `facepay calibrate` and `facepay evaluate` share: a pack, photos, and their features."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile

from tqdm import tqdm

from facepay.errors import InputUnusable, SettingsError
from facepay.evaluation.datasets import IMAGES, Photo, left_aside, load_folders, load_pairs, printable
from facepay.evaluation.embedding import EmbeddedSet, Fate, embed_photos, load_photo
from facepay.evaluation.feature_cache import FeatureCache
from facepay.evaluation.samples import left_aside as samples_left_aside
from facepay.recognition.engine import RecognitionEngine
from facepay.recognition.loading import load_engine
from facepay.recognition.pack_store import choose_pack, search_folders
from facepay.settings import Settings
from hardware.camera_replay import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from hardware.errors import FrameRefused

_NAMED = 5
"""How many files a sentence names."""


def add_photo_arguments(parser: argparse.ArgumentParser, *, required: bool = True) -> None:
    """Declare `--photos`, `--pack` and what becomes of the features."""
    parser.add_argument(
        "--photos",
        type=Path,
        required=required,
        metavar="DIR",
        help="a folder for each person, or CSV of pairs",
    )
    parser.add_argument("--pack", default="", help="model pack (default: the one in use)")
    parser.add_argument(
        "--keep-features", action="store_true", help="keep the cached features (no images) for the next run"
    )


def named_engine(arguments: argparse.Namespace, settings: Settings) -> tuple[RecognitionEngine, str]:
    """Load the pack without any calibration, and return it with its detector's digest.

    Raises:
        SettingsError: the pack is not here, or its detector is known by a manifest only.
    """
    folders = search_folders(settings.recognition.models)
    spec = choose_pack(arguments.pack or settings.recognition.pack)
    engine = load_engine(spec, folders, threads=settings.recognition.threads, calibrated=False)
    return engine, engine.detector_sha256


@contextmanager
def embedded_photos(
    arguments: argparse.Namespace, engine: RecognitionEngine, settings: Settings
) -> Iterator[EmbeddedSet]:
    """Embed the photos with a progress bar, for as long as they are made something of.

    The sealed cache is destroyed at the end unless `--keep-features`. A run that was stopped, or whose report
    could not be written, keeps it and says so; the next one takes up where it stopped.
    """
    photos = read_photos(arguments.photos)
    cache = FeatureCache(settings.data / "evaluation", engine)
    finished = False
    try:
        # disable=None: no bar where nobody watches a terminal.
        silent = True if arguments.json else None
        with tqdm(total=len(photos), desc="photos", unit="photo", disable=silent) as bar:
            embedded = embed_photos(photos, engine, cache, lambda: bar.update(1))
        yield embedded
        finished = True
    finally:
        cache.close(destroy=finished and not arguments.keep_features)
        if not finished:
            print(
                "stopped: the same command goes on from here and then deletes what it kept; until then "
                f"{cache.folder} holds the features that were made, sealed, and no image; delete that folder "
                "if you do not go on",
                file=sys.stderr,
            )


def read_photos(path: Path) -> tuple[Photo, ...]:
    """Read a data set: a folder of folders, or a CSV.

    Raises:
        SettingsError: nothing is there.
    """
    if not path.exists():
        raise SettingsError(f"{path} does not exist; give a folder that holds a folder for each person")
    return load_pairs(path) if path.suffix.lower() == ".csv" else load_folders(path)


def require_writable(folder: Path) -> None:
    """Make a folder for results and see that it takes a file, before anything is measured.

    Raises:
        InputUnusable: it does not; says why.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputUnusable(f"nothing can be written into {folder}: {error.strerror}") from error


def what_was_left_out(root: Path, embedded: EmbeddedSet) -> list[str]:
    """Sentences about photos that could not be read, and about files that were not taken for photos."""
    damaged = [photo for photo, fate in embedded.failed if fate is Fate.UNREADABLE]
    aside = left_aside(root) if root.is_dir() else ()
    said = []
    if not root.is_dir():
        said.append(
            f"The CSV makes {len(embedded.names)} people of its photos; those that no row joins were "
            "compared as photos of different people."
        )
    if damaged:
        named = ", ".join(f"{photo.identity}/{_why(photo)}" for photo in damaged[:_NAMED])
        said.append(f"{_count(damaged, 'photo')} left out, unreadable: {named}{_more(damaged)}.")
    if aside:
        said.append(
            f"{_count(aside, 'file or folder', 'files or folders')} not measured: {_named(root, aside)}. "
            f"Only {', '.join(sorted(IMAGES))} in a folder for each person are."
        )
    return said


def what_was_not_presented(root: Path, damaged: Sequence[Path]) -> list[str]:
    """Sentences about samples that could not be read, and about files that were not taken for samples."""
    aside = samples_left_aside(root)
    said = []
    if damaged:
        said.append(f"{_count(damaged, 'sample')} left out, unreadable: {_named(root, damaged)}.")
    if aside:
        said.append(
            f"{_count(aside, 'file or folder', 'files or folders')} not presented: {_named(root, aside)}. "
            f"Only {', '.join(sorted(IMAGE_SUFFIXES | VIDEO_SUFFIXES))} are."
        )
    return said


def _named(root: Path, paths: Sequence[Path]) -> str:
    named = ", ".join(printable(path.relative_to(root).as_posix()) for path in paths[:_NAMED])
    return named + _more(paths)


def _why(photo: Photo) -> str:
    try:
        load_photo(photo.path)
    except FrameRefused as error:
        return printable(str(error))
    return photo.name


def _count(things: Sequence[object], one: str, several: str = "") -> str:
    return f"1 {one} was" if len(things) == 1 else f"{len(things)} {several or one + 's'} were"


def _more(things: Sequence[object]) -> str:
    return " and others" if len(things) > _NAMED else ""

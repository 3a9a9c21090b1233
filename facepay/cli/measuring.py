"""What `facepay calibrate` and `facepay evaluate` share: a pack, photos, and their features."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from facepay.errors import SettingsError
from facepay.evaluation.datasets import Photo, load_folders, load_pairs
from facepay.evaluation.embedding import EmbeddedSet, FeatureCache, embed_photos
from facepay.recognition.engine import RecognitionEngine
from facepay.recognition.loading import load_engine
from facepay.recognition.pack_store import choose_pack, search_folders
from facepay.settings import Settings


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


def embedded_photos(
    arguments: argparse.Namespace, engine: RecognitionEngine, settings: Settings
) -> EmbeddedSet:
    """Embed the photos with a progress bar.

    The sealed cache is destroyed at the end unless `--keep-features`; an interrupted run keeps it, so
    that the next one takes up where it stopped.
    """
    photos = read_photos(arguments.photos)
    cache = FeatureCache(settings.data / "evaluation", engine)
    finished = False
    try:
        # disable=None: no bar where nobody watches a terminal.
        silent = True if arguments.json else None
        with tqdm(total=len(photos), desc="photos", unit="photo", disable=silent) as bar:
            embedded = embed_photos(photos, engine, cache, lambda: bar.update(1))
        finished = True
    except KeyboardInterrupt:
        print(
            f"stopped: the same command goes on from here; until then {cache.folder} keeps the features "
            "that were made, sealed, and no image",
            file=sys.stderr,
        )
        raise
    finally:
        cache.close(destroy=finished and not arguments.keep_features)
    return embedded


def read_photos(path: Path) -> tuple[Photo, ...]:
    """Read a data set: a folder of folders, or a CSV.

    Raises:
        SettingsError: nothing is there.
    """
    if not path.exists():
        raise SettingsError(f"{path} does not exist; give a folder that holds a folder for each person")
    return load_pairs(path) if path.suffix.lower() == ".csv" else load_folders(path)

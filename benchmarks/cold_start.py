"""How long from encrypted references in the database to a terminal that can search them?

`python -m benchmarks.cold_start [REFERENCES ...]`; three references a payer, SQLite, memory key store.
Model loading is measured beside it where FACEPAY_MODELS is set.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from benchmarks.results import draw_bars, resident_mb, tell
from facepay.db.session import open_database
from facepay.db.wrapping import register_keys
from facepay.gallery import rows
from facepay.gallery.gallery import Gallery
from facepay.gallery.records import EnrolledSubject
from facepay.gallery.sealing import seal_reference
from facepay.recognition.matcher import Matcher
from facepay.settings import load_settings
from facepay.terminal.engines import build_engine
from facepay.types import ModelId, Reference, ReferenceId, SubjectId
from keys import KeyStore
from keys.keystore_memory import MemoryKeyStore

DIMENSIONS = 512
A_PAYER = 3
MODEL = ModelId("a" * 64)
TENANT = "corner-shop"


def fill(
    folder: Path, keys: KeyStore, references: int, model: ModelId = MODEL, dimensions: int = DIMENSIONS
) -> None:
    """Store sealed references of random payers, a thousand payers a transaction."""
    random = np.random.default_rng(0)
    database = open_database(f"sqlite:///{folder / 'facepay.db'}")
    try:
        with database.begin() as session:
            register_keys(session, keys, 1)
        for start in range(0, references // A_PAYER, 1_000):
            with database.begin() as session:
                for number in range(start, min(start + 1_000, references // A_PAYER)):
                    subject = SubjectId(f"{number:032x}")
                    enrolled = EnrolledSubject(subject, f"account-{number}", 1, "device", "device/bench", 1)
                    rows.insert_subject(session, TENANT, enrolled, None)
                    for sample in range(A_PAYER):
                        features = random.standard_normal(dimensions).astype(np.float32)
                        features /= np.linalg.norm(features)
                        name = ReferenceId(f"{number * A_PAYER + sample:032x}")
                        session.add(seal_reference(Reference(name, subject, features, model), TENANT, keys))
    finally:
        database.close()


def start(folder: Path, keys: MemoryKeyStore) -> tuple[float, int]:
    """Seconds from opening the database to a searchable gallery, and how many payers it has."""
    started = time.perf_counter()
    database = open_database(f"sqlite:///{folder / 'facepay.db'}")
    try:
        matcher = Matcher(MODEL, DIMENSIONS, threads=2)
        found = Gallery(database, keys, matcher, TENANT).load()
        return time.perf_counter() - started, found
    finally:
        database.close()


def main(sizes: list[int]) -> None:
    """Measure each size."""
    table: list[dict[str, object]] = []
    loading = 0.0
    if os.environ.get("FACEPAY_MODELS"):
        started = time.perf_counter()
        build_engine(load_settings())
        loading = time.perf_counter() - started
    for size in sizes:
        with tempfile.TemporaryDirectory() as name, MemoryKeyStore() as keys:
            fill(Path(name), keys, size)
            seconds, found = start(Path(name), keys)
            table.append(
                {
                    "references": size,
                    "payers": found,
                    "gallery s": round(seconds, 2),
                    "models s": round(loading, 2),
                    "us a reference": round(1e6 * seconds / size, 1),
                    "MB": resident_mb(),
                }
            )
    tell("cold_start", table, ["gallery: open the database, unseal every reference, fill the matcher"])
    labels = [str(row["references"]) for row in table]
    draw_bars("cold_start", labels, [float(str(row["gallery s"])) for row in table], "s")


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [10_000])

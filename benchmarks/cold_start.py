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
from sqlalchemy import insert

from benchmarks.results import draw_bars, resident_mb, tell
from facepay.db.models.subjects import ReferenceRow, SubjectRow
from facepay.db.session import open_database
from facepay.db.wrapping import register_keys
from facepay.gallery.gallery import Gallery
from facepay.gallery.rows import StoredReference
from facepay.gallery.sealing import seal_reference
from facepay.recognition.matcher import Matcher
from facepay.settings import load_settings
from facepay.terminal.engines import build_engine
from facepay.types import Features, ModelId, Reference, ReferenceId, SubjectId, TemplateMode
from keys import KeyStore
from keys.keystore_memory import MemoryKeyStore

DIMENSIONS = 512
A_PAYER = 3
MODEL = ModelId("a" * 64)
TENANT = "corner-shop"
AT_ONCE = 5_000
SEALED = [name for name in StoredReference._fields if name != "mode"]


def fill(
    folder: Path, keys: KeyStore, references: int, model: ModelId = MODEL, dimensions: int = DIMENSIONS
) -> None:
    """Store sealed references of random payers, some thousand payers a transaction."""
    random = np.random.default_rng(0)
    payers = references // A_PAYER
    database = open_database(f"sqlite:///{folder / 'facepay.db'}")
    try:
        with database.begin() as session:
            register_keys(session, keys, 1)
        for first in range(0, payers, AT_ONCE):
            numbers = range(first, min(first + AT_ONCE, payers))
            features = random.standard_normal((A_PAYER * len(numbers), dimensions), np.float32)
            features /= np.linalg.norm(features, axis=1, keepdims=True)
            with database.begin() as session:
                # Over plain columns, because a million mapped rows would take ten minutes.
                session.execute(insert(SubjectRow.__table__), [_payer(number) for number in numbers])
                sealed = (
                    seal_reference(_reference(A_PAYER * first + row, one, model), TENANT, keys)
                    for row, one in enumerate(features)
                )
                session.execute(insert(ReferenceRow.__table__), [_columns(row) for row in sealed])
    finally:
        database.close()


def _payer(number: int) -> dict[str, object]:
    return {
        "subject": f"{number:032x}",
        "tenant": TENANT,
        "enrolled_at_ms": 1,
        "origin": "device",
        "camera_class": "device/bench",
        "liveness_level": 1,
        "look_alike": False,
        "mode": TemplateMode.GALLERY.value,
        "account": f"account-{number}",
    }


def _reference(number: int, features: Features, model: ModelId) -> Reference:
    owner = SubjectId(f"{number // A_PAYER:032x}")
    return Reference(ReferenceId(f"{number:032x}"), owner, features, model)


def _columns(row: ReferenceRow) -> dict[str, object]:
    return {name: row.__dict__[name] for name in SEALED} | {"mode": TemplateMode.GALLERY.value}


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

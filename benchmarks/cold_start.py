"""How long from encrypted references in the database to a terminal that can search them?

`python -m benchmarks.cold_start [REFERENCES ...]`; three references a payer, SQLite, memory key store.
Model loading is measured beside it where FACEPAY_MODELS is set.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sqlalchemy import insert

from benchmarks.arguments import whole_numbers
from benchmarks.results import (
    draw_bars,
    forget_peak,
    peak_mb,
    resident_mb,
    tell,
    timed_ms,
)
from facepay.db.models.subjects import ReferenceRow, SubjectRow
from facepay.db.session import open_database
from facepay.db.wrapping import register_keys
from facepay.gallery import Gallery, SealedOriginals
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


class Started(NamedTuple):
    """How long a start took, for how many payers, and the memory the process grew by, at the end and at most.

    `read_again_ms` is what two payers cost whom packed rows cannot tell apart, read from the database.
    """

    seconds: float
    payers: int
    mb: float
    peak_mb: float
    read_again_ms: float


def start(folder: Path, keys: MemoryKeyStore) -> Started:
    """From opening the database to a searchable gallery."""
    gc.collect()
    forget_peak()
    before, started = resident_mb(), time.perf_counter()
    database = open_database(f"sqlite:///{folder / 'facepay.db'}")
    try:
        matcher = Matcher(MODEL, DIMENSIONS, threads=2)
        gallery = Gallery(database, keys, matcher, TENANT)
        payers = gallery.load()
        seconds = time.perf_counter() - started
        grown, most = resident_mb() - before, peak_mb() - before
        originals = SealedOriginals(database, keys, TENANT)
        two = [SubjectId(f"{number:032x}") for number in (0, payers - 1)]
        again = timed_ms(lambda: originals(two), 20)
        return Started(seconds, payers, grown, most, float(np.median(again)))
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
            began = time.perf_counter()
            fill(Path(name), keys, size)
            filling = time.perf_counter() - began
            found = start(Path(name), keys)
        table.append(
            {
                "references": size,
                "payers": found.payers,
                "gallery s": round(found.seconds, 2),
                "models s": round(loading, 2),
                "us a reference": round(1e6 * found.seconds / size, 1),
                "MB": round(found.mb),
                "most MB": round(found.peak_mb),
                "read again ms": round(found.read_again_ms, 2),
                "filled in s": round(filling, 1),
            }
        )
    notes = [
        "gallery: open the database, unseal every reference, fill the matcher",
        "MB: growth of the process by the gallery, at the end and at most; database's pages are the system's",
        "read again: two payers whom packed rows cannot tell apart, opened once more from the database",
    ]
    tell("cold_start", table, notes)
    labels = [f"{row['references']:,} references" for row in table]
    draw_bars("cold_start", labels, [float(str(row["gallery s"])) for row in table], "s")


if __name__ == "__main__":
    main(whole_numbers(sys.argv[1:], "REFERENCES ...") or [10_000, 100_000, 1_000_000])

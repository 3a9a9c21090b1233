"""What cryptography costs: a reference, a gallery, a rotation, a token, the opening of the key store.

`python -m benchmarks.keys [ROWS] [SEGMENT_ROWS] [REWRAPPED]`, default 10,000, 1,000,000 and 100,000. The
limits beside the figures are those the project set itself. Beside them stands the raw work of the library on
the same machine in the same run, so that a busy machine shows as such. Needs SoftHSM2 for the token's line.
"""

from __future__ import annotations

import glob
import importlib.util
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select

from benchmarks.arguments import whole_numbers
from benchmarks.cold_start import fill, start
from benchmarks.results import Row, tell
from facepay.db.models.subjects import ReferenceRow
from facepay.db.session import open_database
from facepay.gallery.rotation import Rotation
from facepay.gallery.segments import SEGMENT_ROWS, open_segment, seal_segment, segment_place
from facepay.recognition.int8_product import Int8Product
from facepay.types import ModelId, SubjectId
from keys import Context, MemoryKeyStore, Purpose, create_file_keystore, create_keystore
from keys.cobblestone import seal_message, unseal_message
from keys.context import encode_context
from keys.envelope import seal_envelope, unseal_envelope
from keys.keystore_file import open_file_keystore
from keys.stretching import measure_cost, write_cost
from keys.xaes import Xaes256Gcm, unwrap_key_into, wrap_key

PLAIN, KEY, NONCE = bytes(1024), bytes(32), bytes(12)
CONTEXT = Context(Purpose.REFERENCE, "shop", "ab" * 16, "cd" * 16, "ef" * 32)
MODEL = ModelId("a" * 64)


def least_us(work: Callable[[], object], count: int = 500, rounds: int = 25) -> float:
    """Least mean microseconds of one call over short rounds, of which some meet an idle processor."""
    best = float("inf")
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(count):
            work()
        best = min(best, time.perf_counter() - started)
    return round(best / count * 1e6, 2)


def line(what: str, figure: float, limit: float, unit: str, note: str = "") -> Row:
    """One line of the table."""
    return {"what": what, "figure": round(figure, 3), "limit": limit, "unit": unit, "note": note}


def references() -> list[Row]:
    """Sealing and opening one reference of 512 half floats: the cryptography, and what stands around it."""
    bound, wrapper, data_key, out = encode_context(CONTEXT), Xaes256Gcm(KEY), os.urandom(32), bytearray(32)
    body = seal_message(data_key, bound, PLAIN, os.urandom)
    blob = wrap_key(wrapper, data_key, bound, os.urandom)

    def sealed() -> None:
        seal_message(data_key, bound, PLAIN, os.urandom)
        wrap_key(wrapper, data_key, bound, os.urandom)

    def opened() -> None:
        unwrap_key_into(wrapper, blob, bound, out)
        unseal_message(out, bound, body)

    with MemoryKeyStore() as store:
        envelope = seal_envelope(PLAIN, CONTEXT, store)
        rows = [
            ("seal a reference: cryptography of body and data key", sealed, 10),
            ("open a reference: cryptography of data key and body", opened, 10),
            ("seal, with encoding, entropy and key store", lambda: seal_envelope(PLAIN, CONTEXT, store), 20),
            ("open, with encoding and key store", lambda: unseal_envelope(envelope, CONTEXT, store), 20),
        ]
        return [line(what, least_us(work), limit, "us") for what, work, limit in rows]


def gallery(rows: int, folder: Path) -> list[Row]:
    """Rows to a searchable gallery."""
    with MemoryKeyStore() as keys:
        fill(folder, keys, rows)
        seconds = sorted(start(folder, keys)[0] for _ in range(7))
    what, limit = f"{rows:,} rows to a searchable gallery", 0.3 * rows / 10_000
    return [
        line(f"{what}: least of 7 starts", seconds[0], limit, "s", "limit scaled"),
        line(f"{what}: median of 7 starts", seconds[3], limit, "s", "limit scaled"),
    ]


def rewrapping(rows: int, folder: Path) -> list[Row]:
    """Moving every reference under a new key, each batch a transaction of its own, on SQLite."""
    with MemoryKeyStore() as keys:
        fill(folder, keys, rows)
        database = open_database(f"sqlite:///{folder / 'facepay.db'}")
        started = time.perf_counter()
        moved = Rotation(database, keys).rotate().moved
        rotation = time.perf_counter() - started
        with database.begin() as session:
            assert len(session.scalars(select(ReferenceRow.reference)).all()) == moved
        database.close()
    return [line(f"re-wrap {moved:,} rows, SQLite", rotation, 5 * moved / 100_000, "s", "limit scaled")]


def segments(count: int, folder: Path) -> list[Row]:
    """Sealed segments on disk to byte rows in memory, and the first search over them."""
    random, paths = np.random.default_rng(0), []
    with MemoryKeyStore() as keys:
        for number, first in enumerate(range(0, count, SEGMENT_ROWS)):
            size = min(SEGMENT_ROWS, count - first)
            rows = random.standard_normal((size, 512), np.float32)
            subjects = [SubjectId(f"{n:032x}") for n in range(first, first + size)]
            paths.append(folder / f"{number}.seg")
            paths[-1].write_bytes(seal_segment(subjects, rows, segment_place("shop", MODEL, 1, number), keys))
        product, probe = Int8Product(2), np.full((512, 1), 31, np.int8)
        spent = []
        for _ in range(2):
            started = time.perf_counter()
            opened = [
                open_segment(path.read_bytes(), segment_place("shop", MODEL, 1, number), keys)
                for number, path in enumerate(paths)
            ]
            loaded = time.perf_counter()
            for segment in opened:
                product.run(segment.codes, segment.scales, probe).max()
            spent.append((loaded - started, time.perf_counter() - started))
            del opened
    best = min(spent)
    return [
        line(f"{count:,} from segments to memory", best[0], 1.5 * count / 1e6, "s", "limit scaled"),
        line("the same, with the first search", best[1], 1.5 * count / 1e6, "s", "limit scaled"),
    ]


def opening(folder: Path) -> list[Row]:
    """The file key store with the cost that is measured when one is made; 0.2 to 0.6 s is meant."""
    cost = measure_cost()
    create_file_keystore(folder / "keys.fpk", "correct horse battery", cost=cost).close()
    spent = []
    for _ in range(5):
        started = time.perf_counter()
        open_file_keystore(folder / "keys.fpk", lambda: "correct horse battery").close()
        spent.append(time.perf_counter() - started)
    what = f"open the key store, Argon2id {write_cost(cost)}"
    return [line(what, float(np.median(spent)), 0.6, "s", "at least 0.2 is meant")]


def token(folder: Path) -> list[Row]:
    """Unwrapping a data key inside SoftHSM2."""
    if importlib.util.find_spec("pkcs11") is None:
        print("python-pkcs11 is not installed: the token is skipped")
        return []
    modules = glob.glob("/usr/lib/softhsm/libsofthsm2.so") + glob.glob("/usr/lib/*/softhsm/libsofthsm2.so")
    if not modules:
        return []
    (folder / "tokens").mkdir()
    (folder / "conf").write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(folder / "conf")
    init = [
        "softhsm2-util",
        "--init-token",
        "--free",
        "--label",
        "b",
        "--pin",
        "1234",
        "--so-pin",
        "12345678",
    ]
    subprocess.run(init, check=True, capture_output=True)
    uri = f"pkcs11:token=b?module-path={modules[0]}&x-ring={folder}/ring.fpk"
    with create_keystore(uri, lambda: "1234") as store:
        wrapped, out = store.wrap(bytearray(32), b"c"), bytearray(32)
        figure = least_us(lambda: store.unwrap_into(wrapped, b"c", out), 300)
    return [line("unwrap in SoftHSM2", figure, 100, "us")]


def main() -> None:
    """Measure all and tell."""
    told = whole_numbers(sys.argv[1:], "[ROWS [SEGMENT_ROWS [REWRAPPED]]]", most=3)
    rows, count, moved = (*told, *(10_000, 1_000_000, 100_000)[len(told) :])
    raw = least_us(lambda: AESGCM(KEY).encrypt(NONCE, PLAIN, None))
    table: list[Row] = [
        line("the library alone: AES-256-GCM of 1 KiB, new key", raw, 2.45, "us", "design's machine")
    ]
    table += references()
    parts: list[Callable[[Path], list[Row]]] = [
        lambda folder: gallery(rows, folder),
        lambda folder: segments(count, folder),
        lambda folder: rewrapping(moved, folder),
        opening,
        token,
    ]
    for part in parts:
        with tempfile.TemporaryDirectory() as folder:
            table += part(Path(folder))
    load = os.getloadavg()[0] / (os.cpu_count() or 1)
    tell("keys", table, [f"load of the machine per core while measuring: {load:.1f}; 1.0 or more inflates"])


if __name__ == "__main__":
    main()

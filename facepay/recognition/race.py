"""Which search is faster on this machine: measured on the gallery's own rows, because processors differ.

A processor with integer dot products searches bytes several times faster than float32; one without may not.
The answer changes no candidate, only the time that it takes to find them.
"""

from __future__ import annotations

import time

import numpy as np

from facepay.recognition.base import FeatureRows
from facepay.recognition.int8_product import Int8Product
from facepay.recognition.rows import ExactRows, RowStore
from facepay.recognition.sieved_rows import SievedRows

MOST_ROWS = 32_768
"""Rows that race; more would tell the same and take longer than the start of a terminal should."""
LAPS = 7
_CLEARLY = 0.9


def sieve_is_faster(rows: RowStore, product: Int8Product) -> bool:
    """Whether the sieve takes clearly less time than float32 for a search of (some of) these rows."""
    some = rows.rows(np.arange(min(rows.size, MOST_ROWS)))
    plain = ExactRows(some.shape[1], len(some))
    plain.append(some)
    sieve = SievedRows(some.shape[1], product, compact=False)
    sieve.append(some)
    probes = _like_captures_of(some)
    laps = [(_lap_ns(plain, probe), _lap_ns(sieve, probe)) for probe in probes]
    for copy in (plain, sieve):
        copy.wipe()
    # The least time is what a search costs when nobody else uses the processor.
    least_plain, least_sieve = np.min(laps, axis=0)
    return bool(least_sieve < _CLEARLY * least_plain)


def _like_captures_of(rows: FeatureRows) -> FeatureRows:
    # A later capture of an enrolled face has a cosine of about 0.6 with it.
    random = np.random.default_rng(0)
    noise = random.standard_normal((LAPS, rows.shape[1]), np.float32)
    noise /= np.linalg.norm(noise, axis=1, keepdims=True)
    probes = 0.6 * rows[random.integers(0, len(rows), LAPS)] + 0.8 * noise
    return np.asarray(probes / np.linalg.norm(probes, axis=1, keepdims=True), np.float32)


def _lap_ns(store: RowStore, probe: FeatureRows) -> int:
    started = time.perf_counter_ns()
    store.best(probe[None], 2)
    return time.perf_counter_ns() - started

"""How long does one search take, with how much memory, and does it find what brute force finds?

The product's matcher and its row stores, numpy float32 and float16, and faiss-cpu and usearch where they are
installed (`pip install 'facepay[benchmarks]'`). One probe at a time, and eight together. What brute force
finds is settled in float64. `python -m benchmarks.search [SIZE ...]`
"""

from __future__ import annotations

import gc
import importlib.util
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.arguments import whole_numbers
from benchmarks.results import draw_bars, quantiles, resident_mb, tell
from facepay.recognition.int8_product import Int8Product
from facepay.recognition.matcher import Matcher
from facepay.recognition.rounded_block import BLOCK
from facepay.recognition.rows import RowStore
from facepay.recognition.sieved_rows import SievedRows
from facepay.types import ModelId, Probe, Reference, ReferenceId, SubjectId

DIMENSIONS = 512
PROBES = 2_000
SINGLE = 192
BATCH = 8
THREADS = 2
BUDGET_S = 3.0
"""A contender that is slower than this is asked with fewer probes; the product is asked with all of them."""
PRODUCT = "facepay"
TRUTH_ROWS = 16_384
NEAR = 1e-5
"""More than float32 loses in a score: whoever is nearer to the best than this is compared in float64."""
LARGEST_GRAPH = 20_000
"""Above this, building an approximate index takes longer than the benchmark is worth."""
LARGEST_HALF = 200_000
"""Above this, numpy takes seconds for one probe in float16."""
MODEL = ModelId("0" * 64)
Rows = npt.NDArray[np.float32]
RowIds = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to search: row numbers of the most similar rows to `float32[B, 512]` probes.

    `least_mb` is what it holds by its nature, where the process grows by less because memory was free.
    """

    name: str
    search: Callable[[Rows], RowIds]
    least_mb: float = 0.0


def gallery(size: int, seed: int = 1) -> Rows:
    """Random unit rows `float32[size, 512]`."""
    random = np.random.default_rng(seed)
    rows = np.empty((size, DIMENSIONS), np.float32)
    for start in range(0, size, BLOCK):
        part = random.standard_normal((min(BLOCK, size - start), DIMENSIONS), np.float32)
        rows[start : start + BLOCK] = part / np.linalg.norm(part, axis=1, keepdims=True)
    return rows


def probes(rows: Rows) -> Rows:
    """Half of them like a face that is enrolled (cosine about 0.6), half strangers."""
    random = np.random.default_rng(2)
    made = random.standard_normal((PROBES, DIMENSIONS), np.float32) / np.sqrt(DIMENSIONS)
    chosen = random.integers(0, len(rows), PROBES // 2)
    made[::2] = 0.6 * rows[chosen] + 0.8 * made[::2]
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), np.float32)


def brute_force(rows: Rows, wanted: Rows) -> RowIds:
    """The most similar row to each probe; float32 finds who is near the best, float64 settles it."""
    best = np.full(len(wanted), -np.inf, np.float32)
    near: list[tuple[RowIds, RowIds]] = []
    for start in range(0, len(rows), TRUTH_ROWS):
        scores = rows[start : start + TRUTH_ROWS] @ wanted.T
        best = np.maximum(best, scores.max(axis=0))
        numbers, turns = np.nonzero(scores >= best - np.float32(NEAR))
        near.append((numbers + start, turns))
    numbers, turns = (np.concatenate(part) for part in zip(*near, strict=True))
    exact = np.einsum("nd,nd->n", rows[numbers].astype(np.float64), wanted[turns].astype(np.float64))
    truth = np.empty(len(wanted), np.int64)
    order = np.argsort(exact, kind="stable")
    truth[turns[order]] = numbers[order]
    return truth


def contenders(rows: Rows) -> Iterator[Callable[[], Contender]]:
    """How to build each, one after the other, so that only one holds memory beside the rows."""
    yield lambda: _product(rows)
    yield lambda: Contender("numpy float32", lambda p: _argmax(rows, p), rows.nbytes / 1e6)
    if len(rows) <= LARGEST_HALF:
        yield lambda: _half(rows)
    yield lambda: _sieve(rows, "sieve + float32", compact=False)
    yield lambda: _sieve(rows, "sieve + 12 bits", compact=True)
    if importlib.util.find_spec("faiss") is None:
        print("faiss-cpu is not installed: skipped")
    else:
        yield lambda: _faiss_flat(rows)
        yield lambda: _faiss_half(rows)
        if len(rows) <= LARGEST_GRAPH:
            yield lambda: _faiss_graph(rows)
    if importlib.util.find_spec("usearch") is None:
        print("usearch is not installed: skipped")
    elif len(rows) <= LARGEST_GRAPH:
        yield lambda: _usearch(rows)


def _product(rows: Rows) -> Contender:
    def originals(subjects: Sequence[SubjectId]) -> list[Reference]:
        # A terminal reads them from its database, which `cold_start` times.
        read = [(subject, rows[int(subject, 16)].copy()) for subject in subjects]
        return [Reference(ReferenceId(subject), subject, row, MODEL) for subject, row in read]

    matcher = Matcher(MODEL, DIMENSIONS, threads=THREADS, originals=originals)
    for start in range(0, len(rows), BLOCK):
        part = rows[start : start + BLOCK]
        matcher.add_rows([SubjectId(f"{start + n:032x}") for n in range(len(part))], part, MODEL)

    def search(wanted: Rows) -> RowIds:
        found = matcher.search_many([Probe(probe, MODEL) for probe in wanted])
        return np.array([int(candidates[0].subject, 16) for candidates in found])

    return Contender(PRODUCT, search)


def _half(rows: Rows) -> Contender:
    half = rows.astype(np.float16)
    return Contender("numpy float16", lambda p: _argmax(half, p.astype(np.float16)), half.nbytes / 1e6)


def _argmax(rows: npt.NDArray[np.floating], wanted: npt.NDArray[np.floating]) -> RowIds:
    # One vector takes the faster routine for vectors, several the one for matrices.
    if len(wanted) == 1:
        return np.array([(rows @ wanted[0]).argmax()])
    return np.asarray((rows @ wanted.T).argmax(axis=0))


def _sieve(rows: Rows, name: str, *, compact: bool) -> Contender:
    store: RowStore = SievedRows(DIMENSIONS, Int8Product(THREADS), compact=compact)
    for start in range(0, len(rows), BLOCK):
        store.append(rows[start : start + BLOCK])

    def search(wanted: Rows) -> RowIds:
        return np.array([numbers[scores.argmax()] for numbers, scores in store.best(wanted, 1)])

    a_row = DIMENSIONS + 4 + (DIMENSIONS // 2 if compact else 4 * DIMENSIONS)
    return Contender(name, search, len(rows) * a_row / 1e6)


def _faiss_flat(rows: Rows) -> Contender:
    import faiss

    faiss.omp_set_num_threads(THREADS)
    flat = faiss.IndexFlatIP(DIMENSIONS)
    flat.add(rows)
    return Contender("faiss flat", lambda p: flat.search(p, 1)[1][:, 0], rows.nbytes / 1e6)


def _faiss_half(rows: Rows) -> Contender:
    import faiss

    index = faiss.IndexScalarQuantizer(DIMENSIONS, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT)
    index.add(rows)
    return Contender("faiss float16", lambda p: index.search(p, 1)[1][:, 0], rows.nbytes / 2e6)


def _faiss_graph(rows: Rows) -> Contender:
    import faiss

    graph = faiss.IndexHNSWFlat(DIMENSIONS, 32, faiss.METRIC_INNER_PRODUCT)
    graph.add(rows)
    return Contender("faiss HNSW", lambda p: graph.search(p, 1)[1][:, 0], rows.nbytes / 1e6)


def _usearch(rows: Rows) -> Contender:
    from usearch.index import Index

    index = Index(ndim=DIMENSIONS, metric="ip")
    index.add(np.arange(len(rows)), rows, threads=THREADS)
    return Contender(
        "usearch", lambda p: np.atleast_2d(index.search(p, 1).keys)[:, 0].astype(np.int64), rows.nbytes / 1e6
    )


def measure(contender: Contender, wanted: Rows, truth: RowIds) -> dict[str, object]:
    """Times of single probes and of batches, and the share of probes whose first row is the true one."""
    processor = time.process_time()
    single, alone = _timed(contender, wanted[:SINGLE], 1)
    processor = time.process_time() - processor
    batches, together = _timed(contender, wanted, BATCH)
    found = np.concatenate([alone, together])
    expected = np.concatenate([truth[: len(alone)], truth[: len(together)]])
    return {
        "search": contender.name,
        **quantiles(single),
        "cpu": round(1000 * processor / (len(single) + 1), 3),
        f"a probe of {BATCH}": round(float(np.median(batches)) / BATCH, 3),
        "its p95": round(float(np.percentile(batches, 95)) / BATCH, 3),
        "recall@1": float(np.mean(found == expected)),
        "missed": int(np.count_nonzero(found != expected)),
        "probes": len(together),
    }


def _timed(contender: Contender, wanted: Rows, batch: int) -> tuple[list[float], RowIds]:
    contender.search(wanted[:batch])
    spent: list[float] = []
    found: list[RowIds] = []
    for start in range(0, len(wanted), batch):
        began = time.perf_counter_ns()
        found.append(contender.search(wanted[start : start + batch]))
        spent.append((time.perf_counter_ns() - began) / 1e6)
        if contender.name != PRODUCT and sum(spent) > 1000 * BUDGET_S and len(spent) > 1:
            break
    return spent, np.concatenate(found)


def main(sizes: list[int]) -> None:
    """Measure every contender at every size."""
    table: list[dict[str, object]] = []
    # The libraries are in memory before anybody's growth is counted.
    Int8Product(THREADS)
    for size in sizes:
        rows = gallery(size)
        wanted = probes(rows)
        truth = brute_force(rows, wanted)
        for build in contenders(rows):
            gc.collect()
            before = resident_mb()
            contender = build()
            gc.collect()
            holds = max(resident_mb() - before, contender.least_mb)
            row = measure(contender, wanted, truth)
            table.append({"references": size, **row, "MB": round(holds)})
            del contender, build
    tell("search", table, _notes(table, sizes))
    last = [row for row in table if row["references"] == sizes[-1]]
    draw_bars("search", [str(row["search"]) for row in last], [float(str(row["p50"])) for row in last], "ms")


def _notes(table: list[dict[str, object]], sizes: list[int]) -> list[str]:
    notes = [
        f"{DIMENSIONS} dimensions, {THREADS} threads, ms a probe, half of the probes enrolled",
        "recall@1, missed: of all single probes and of those in batches, beside brute force in float64",
        "cpu: ms a probe of all threads; least: when nobody else used the processor",
        "MB: growth of the process by the search (facepay: with the pseudonyms of its subjects)",
    ]
    for size in sizes:
        by = {str(row["search"]): float(str(row["p50"])) for row in table if row["references"] == size}
        ratios = ", ".join(f"{name} {ms / by[PRODUCT]:.2f}" for name, ms in by.items() if name != PRODUCT)
        notes.append(f"{size} references, time over facepay's: {ratios}")
    return notes


if __name__ == "__main__":
    main(whole_numbers(sys.argv[1:], "SIZE ...") or [10_000, 100_000, 1_000_000])

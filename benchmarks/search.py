"""How long does one search take, with how much memory, and does it find what brute force finds?

Exact float32, float16, the product's matcher (int8 sieve, exact or packed second look), and approximate
indexes where they are installed. `python -m benchmarks.search [SIZE ...]`
"""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from benchmarks.results import draw_bars, quantiles, tell, timed_ms
from facepay.recognition.int8_product import Int8Product
from facepay.recognition.rows import BLOCK, RowStore, SievedRows

DIMENSIONS = 512
PROBES = 24
LARGEST_GRAPH = 20_000
"""Above this, building an approximate index takes longer than the benchmark is worth."""
Rows = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Contender:
    """One way to search: returns the row number of the most similar row; `megabytes` its memory."""

    name: str
    search: Callable[[Rows], int]
    megabytes: float


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
    made[: PROBES // 2] = 0.6 * rows[chosen] + 0.8 * made[: PROBES // 2]
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), np.float32)


def contenders(rows: Rows) -> Iterator[Contender]:
    """Build one after the other, so that only one holds memory beside the rows."""
    size = len(rows)
    yield Contender("numpy float32", lambda p: int((rows @ p).argmax()), rows.nbytes / 1e6)
    if size <= 20_000:
        half = rows.astype(np.float16)
        yield Contender(
            "numpy float16", lambda p: int((half @ p.astype(np.float16)).argmax()), half.nbytes / 1e6
        )
    product = Int8Product(threads=2)
    for name, compact, bytes_a_value in (("sieve + float32", False, 5.0), ("sieve + 12 bits", True, 1.5)):
        store = SievedRows(DIMENSIONS, product, compact=compact)
        for start in range(0, size, BLOCK):
            store.append(rows[start : start + BLOCK])
        used = -(-size // BLOCK) * BLOCK * (DIMENSIONS * bytes_a_value + 12) / 1e6
        yield Contender(name, lambda p, store=store: _best(store, p), used)
    yield from _others(rows)


def _argmax(rows: npt.NDArray[np.float16], probe: npt.NDArray[np.float16]) -> int:
    return int((rows @ probe).argmax())


def _best(store: RowStore, probe: Rows) -> int:
    numbers, scores = store.best(probe, 1)
    return int(numbers[scores.argmax()])


def _others(rows: Rows) -> Iterator[Contender]:
    if importlib.util.find_spec("faiss") is None:
        print("faiss-cpu is not installed: skipped")
    else:
        yield from _faiss(rows)
    if importlib.util.find_spec("usearch") is None:
        print("usearch is not installed: skipped")
    elif len(rows) <= LARGEST_GRAPH:
        from usearch.index import Index

        index = Index(ndim=DIMENSIONS, metric="ip")
        index.add(np.arange(len(rows)), rows)
        yield Contender("usearch", lambda p: int(index.search(p, 1).keys[0]), index.memory_usage / 1e6)


def _faiss(rows: Rows) -> Iterator[Contender]:
    import faiss

    faiss.omp_set_num_threads(2)
    flat = faiss.IndexFlatIP(DIMENSIONS)
    flat.add(rows)
    yield Contender("faiss flat", lambda p: int(flat.search(p[None], 1)[1][0, 0]), rows.nbytes / 1e6)
    if len(rows) <= LARGEST_GRAPH:
        graph = faiss.IndexHNSWFlat(DIMENSIONS, 32, faiss.METRIC_INNER_PRODUCT)
        graph.add(rows)
        size = (rows.nbytes + len(rows) * 2 * 32 * 4) / 1e6
        yield Contender("faiss HNSW", lambda p: int(graph.search(p[None], 1)[1][0, 0]), size)


def main(sizes: list[int]) -> None:
    """Measure every contender at every size."""
    table = []
    for size in sizes:
        rows = gallery(size)
        wanted = probes(rows)
        truth = [int((rows @ probe).argmax()) for probe in wanted]
        for contender in contenders(rows):
            right = [
                contender.search(probe) == expected for probe, expected in zip(wanted, truth, strict=True)
            ]
            turn = iter(list(wanted) * 3)
            began = time.process_time()
            spent = timed_ms(lambda turn=turn, c=contender: c.search(next(turn)), 2 * PROBES)
            processor = 1000 * (time.process_time() - began) / (2 * PROBES + 2)
            table.append(
                {
                    "references": size,
                    "search": contender.name,
                    **quantiles(spent),
                    "cpu": round(processor, 3),
                    "megabytes": round(contender.megabytes),
                    "recall@1": round(float(np.mean(right)), 3),
                }
            )
    tell(
        "search",
        table,
        [f"{DIMENSIONS} dimensions, ms a probe, half of the probes enrolled; cpu: of all threads"],
    )
    last = [row for row in table if row["references"] == sizes[-1]]
    draw_bars("search", [str(row["search"]) for row in last], [float(str(row["p50"])) for row in last], "ms")


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [10_000, 100_000])

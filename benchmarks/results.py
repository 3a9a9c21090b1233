"""How every benchmark tells its result: a table on stdout, JSON and a figure in `benchmarks/results`.

`tell` draws the first measured column; a benchmark that has more to show draws over it with `draw_bars`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from facepay.evaluation.results import plain, this_machine

FOLDER = Path(__file__).parent / "results"
Row = Mapping[str, object]


def timed_ms(work: Callable[[], object], repetitions: int, warm_up: int = 2) -> list[float]:
    """Milliseconds of each repetition after a warm-up."""
    for _ in range(warm_up):
        work()
    spent = []
    for _ in range(repetitions):
        started = time.perf_counter_ns()
        work()
        spent.append((time.perf_counter_ns() - started) / 1e6)
    return spent


def quantiles(values: Sequence[float]) -> dict[str, float]:
    """Median, 95th percentile and least value, rounded to what a clock can show."""
    return {
        "p50": round(float(np.percentile(values, 50)), 3),
        "p95": round(float(np.percentile(values, 95)), 3),
        "least": round(float(min(values)), 3),
    }


def resident_mb() -> float:
    """Memory of this process now, MB."""
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return round(pages * 4096 / 1e6, 1)


def peak_mb() -> float:
    """Most memory that this process ever had since `forget_peak`, MB."""
    status = Path("/proc/self/status").read_text("ascii")
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return round(int(kilobytes) * 1024 / 1e6, 1)


def forget_peak() -> None:
    """Count the most memory from here on."""
    Path("/proc/self/clear_refs").write_text("5", "ascii")


def tell(name: str, rows: Sequence[Row], notes: Sequence[str] = ()) -> None:
    """Print the rows as a table and write them, with the machine, as JSON."""
    columns = list(dict.fromkeys(column for row in rows for column in row))
    cells = [columns, *([_cell(row.get(column, "")) for column in columns] for row in rows)]
    widths = [max(len(line[index]) for line in cells) for index in range(len(columns))]
    print(f"\n{name}")
    for line in cells:
        print("  " + "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True)))
    for note in notes:
        print(f"  {note}")
    FOLDER.mkdir(exist_ok=True)
    record = {"benchmark": name, "machine": plain(this_machine()), "rows": list(rows), "notes": list(notes)}
    (FOLDER / f"{name}.json").write_text(json.dumps(record, indent=1) + "\n", "utf-8")
    _draw(name, rows, columns)


def _draw(name: str, rows: Sequence[Row], columns: Sequence[str]) -> None:
    measured = [key for key in columns if any(isinstance(row.get(key), float) for row in rows)]
    if measured:
        labels = [
            " ".join(str(row.get(key, "")) for key in columns[: columns.index(measured[0])]) for row in rows
        ]
        values = [float(str(row.get(measured[0]) or 0)) for row in rows]
        draw_bars(name, labels, values, measured[0])


def draw_bars(name: str, labels: Sequence[str], values: Sequence[float], unit: str) -> None:
    """Write a bar chart as SVG; skipped where the plotting library is missing."""
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return
    figure = Figure(figsize=(7, 0.4 * len(labels) + 1.2), layout="constrained")
    axes = figure.add_subplot()
    axes.barh(range(len(labels)), values, color="0.6", edgecolor="black")
    axes.set_yticks(range(len(labels)), labels)
    axes.invert_yaxis()
    axes.set_xlabel(unit)
    axes.set_title(name)
    FOLDER.mkdir(exist_ok=True)
    figure.savefig(FOLDER / f"{name}.svg")


def _cell(value: object) -> str:
    return f"{value:.3f}" if isinstance(value, float) else str(value)

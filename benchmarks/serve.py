"""How long from `facepay serve` to a terminal that answers, and how much memory it then holds?

`FACEPAY_MODELS=... python -m benchmarks.serve [REFERENCES [STARTS]]`: a process of its own each time, SQLite,
the key store in a file, sealed references of the pack in use, three a payer. Answers means that the health
page says so over HTTP.
"""

from __future__ import annotations

import dataclasses
import json
import os
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from benchmarks.arguments import whole_numbers
from benchmarks.cold_start import fill
from benchmarks.results import quantiles, tell
from facepay.settings import Settings, load_settings
from facepay.terminal.engines import build_engine
from facepay.terminal.places import open_keys

AIM_S, AIM_MB = 4.0, 600


def prepare(settings: Settings, references: int) -> None:
    """Fill the data folder as a shop has it: a key store, and sealed references of the pack in use."""
    engine = build_engine(settings)
    with open_keys(settings) as keys:
        fill(settings.data, keys, references, engine.model, engine.dimensions)


def start(data: Path) -> tuple[float, float]:
    """Seconds until the terminal answers, and the most memory it held by then, MB."""
    settings = data / "settings.toml"
    settings.write_text("[web]\nport = 0\n[pos]\nrest_port = 0\nrest_token = 'env:BENCH_TOKEN'\n", "utf-8")
    words = [sys.executable, "-m", "facepay", "--settings", str(settings), "--data", str(data)]
    started = time.perf_counter()
    environ = os.environ | {"BENCH_TOKEN": secrets.token_urlsafe(24)}
    process = subprocess.Popen([*words, "serve", "--json"], stdout=subprocess.PIPE, text=True, env=environ)
    try:
        assert process.stdout is not None
        pages = json.loads(process.stdout.readline())["listening"]["pages"]
        with urllib.request.urlopen(f"{pages}/health", timeout=10) as answer:
            assert answer.status == 200
        seconds = time.perf_counter() - started
        return seconds, peak_mb(process.pid)
    finally:
        process.terminate()
        process.wait(20)


def peak_mb(pid: int) -> float:
    """The most resident memory a process has held, MB."""
    status = Path(f"/proc/{pid}/status").read_text("ascii")
    kilobytes = next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM"))
    return round(int(kilobytes) * 1024 / 1e6, 1)


def main(references: int = 10_000, starts: int = 5) -> None:
    """Start `starts` times and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        prepare(dataclasses.replace(load_settings(), data=data), references)
        found = [start(data) for _ in range(starts)]
    seconds, memory = zip(*found, strict=True)
    rows = [
        {"what": "cold start, s", **quantiles(seconds), "aim": AIM_S},
        {"what": "peak memory, MB", **quantiles(memory), "aim": AIM_MB},
    ]
    tell(
        "serve",
        rows,
        [f"{references} references, {starts} starts, the files in the page cache after the first"],
    )


if __name__ == "__main__":
    main(*whole_numbers(sys.argv[1:], "[REFERENCES [STARTS]]", most=2))

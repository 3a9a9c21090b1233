"""`python -m benchmarks [--quick] [NAME ...]`: every benchmark of this folder, or those that are named.

One process each, so that none warms the other's caches. Each prints a table and writes JSON and a figure to
`benchmarks/results`; one whose models or photos are missing is skipped by name. `--quick` runs them small, in
a few minutes in all: it shows that each works and roughly what it finds, not what to quote.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.arguments import SKIPPED

FOLDER = Path(__file__).parent
RUNNABLE = 'if __name__ == "__main__":'
QUICK: dict[str, tuple[str, ...]] = {
    "against": ("10",),
    "cancel": ("1",),
    "capture": ("2", "300"),
    "checkout": ("100", "1000"),
    "cold_start": ("1000",),
    "decision": ("3",),
    "keys": ("300", "10000", "300"),
    "liveness": ("injection",),
    "payment_latency": ("3", "1", "10000"),
    "search": ("10000",),
    "serve": ("300", "1"),
    "timing": ("2000",),
    "wires": ("50",),
}
"""Arguments of the small run; a benchmark that is not named takes none."""
NEVER_QUICK = frozenset({"packs"})
"""Takes its time over thousands of people whatever it is told."""


def found() -> list[str]:
    """The names of all benchmarks: files that can be run, and folders that can."""
    files = [path.stem for path in FOLDER.glob("*.py") if RUNNABLE in path.read_text("utf-8")]
    folders = [path.parent.name for path in FOLDER.glob("*/__main__.py")]
    return sorted({*files, *folders} - {"__main__"})


def main(words: Sequence[str]) -> int:
    """Run them and return how many failed."""
    arguments = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    arguments.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(found())}")
    arguments.add_argument("--quick", action="store_true", help="small runs, a few minutes in all")
    options = arguments.parse_args(words)
    if unknown := sorted({*options.names} - {*found()}):
        arguments.error(f"no benchmark {unknown[0]}; there are {', '.join(found())}")
    names = options.names or [name for name in found() if not (options.quick and name in NEVER_QUICK)]
    ended = {name: _run(name, QUICK.get(name, ()) if options.quick else ()) for name in names}
    skipped = [name for name, status in ended.items() if status == SKIPPED]
    failed = [name for name, status in ended.items() if status not in (0, SKIPPED)]
    print(f"\nskipped: {', '.join(skipped) or 'none'}; failed: {', '.join(failed) or 'none'}")
    return len(failed)


def _run(name: str, words: Sequence[str]) -> int:
    print(f"\n== {name}", flush=True)
    began_s = time.monotonic()
    done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *words], check=False)
    print(f"   {time.monotonic() - began_s:.0f} s", flush=True)
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

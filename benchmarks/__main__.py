"""`python -m benchmarks [NAME ...]`: every benchmark of this folder, or those that are named.

One process each, so that none warms the other's caches. Each prints a table and writes JSON and a figure to
`benchmarks/results`; what it needs and does not find it skips by name.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

FOLDER = Path(__file__).parent
RUNNABLE = 'if __name__ == "__main__":'


def found() -> list[str]:
    """The names of all benchmarks: files that can be run, and folders that can."""
    files = [path.stem for path in FOLDER.glob("*.py") if RUNNABLE in path.read_text("utf-8")]
    folders = [path.parent.name for path in FOLDER.glob("*/__main__.py")]
    return sorted({*files, *folders} - {"__main__"})


def main(names: Sequence[str]) -> int:
    """Run them and return how many failed."""
    failed = []
    for name in names or found():
        print(f"\n== {name}", flush=True)
        began = time.monotonic()
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:
            failed.append(name)
        print(f"   {time.monotonic() - began:.0f} s", flush=True)
    print(f"\nfailed: {', '.join(failed) or 'none'}")
    return len(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

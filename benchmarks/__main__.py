"""`python -m benchmarks`: every benchmark, one process each, so that none warms the other's caches."""

from __future__ import annotations

import subprocess
import sys

NAMES = (
    "search",
    "cold_start",
    "serve",
    "capture",
    "cancel",
    "payment_latency",
    "against",
    "edge",
    "liveness",
    "wires_zvt_nexo",
)


def main() -> int:
    """Run all and return how many failed."""
    return sum(
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode != 0
        for name in NAMES
    )


if __name__ == "__main__":
    sys.exit(main())

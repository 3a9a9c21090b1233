"""Fuzzing target: `python tests/fuzz/hw_proxy.py -max_total_time=60 tests/fuzz/corpus/hw_proxy`."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
with atheris.instrument_imports(include=["pos_adapter"]):
    from targets import hw_proxy

if __name__ == "__main__":
    atheris.Setup(sys.argv, hw_proxy)
    atheris.Fuzz()

"""Fuzzing target: `python tests/fuzz/concert.py -max_total_time=60 tests/fuzz/corpus/concert`."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
with atheris.instrument_imports(include=["pos_adapter"]):
    from targets import concert

if __name__ == "__main__":
    atheris.Setup(sys.argv, concert)
    atheris.Fuzz()

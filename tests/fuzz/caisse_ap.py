"""Fuzzing target: `python tests/fuzz/caisse_ap.py -max_total_time=60 tests/fuzz/corpus/caisse_ap`."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
with atheris.instrument_imports(include=["pos_adapter"]):
    from targets import caisse_ap

if __name__ == "__main__":
    atheris.Setup(sys.argv, caisse_ap)
    atheris.Fuzz()

"""Fuzzing target: `python tests/fuzz/zvt_apdu.py -max_total_time=60 tests/fuzz/corpus/zvt_apdu`."""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[2])]
with atheris.instrument_imports(include=["pos_adapter"]):
    from targets import zvt_apdu

if __name__ == "__main__":
    atheris.Setup(sys.argv, zvt_apdu)
    atheris.Fuzz()

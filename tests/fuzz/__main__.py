"""Fuzz one wire's target under atheris: `python tests/fuzz NAME [libFuzzer arguments]` from the root.

Needs `pip install atheris` and the package installed, or PYTHONPATH set to the root. Without arguments it
starts from the committed corpus and leaves it as it is.
"""

from __future__ import annotations

import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["pos_adapter"]):
    import targets

CORPUS = Path(__file__).with_name("corpus")


def main() -> None:
    """Fuzz the target named on the command line."""
    name = sys.argv.pop(1)
    atheris.Setup([*sys.argv, str(CORPUS / name)], targets.TARGETS[name])
    atheris.Fuzz()


if __name__ == "__main__":
    main()

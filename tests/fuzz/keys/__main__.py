"""Fuzz one parser under atheris: `python tests/fuzz/keys NAME [libFuzzer arguments]` from the root.

Needs `pip install atheris` and the package installed, or PYTHONPATH set to the root. Without a folder among
the arguments it starts from the committed corpus; libFuzzer writes to the first folder that is named only.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["keys"]):
    import targets

from keys import MemoryKeyStore

CORPUS = Path(__file__).with_name("corpus")


def main() -> None:
    """Fuzz the target named on the command line."""
    name = sys.argv.pop(1)
    target, seed = targets.make_targets(MemoryKeyStore())[name]
    with tempfile.TemporaryDirectory() as own:
        # Sealed inputs open under this run's keys only, so a valid one is added to what is committed.
        (Path(own) / "valid").write_bytes(seed)
        atheris.Setup([*sys.argv, own, str(CORPUS / name)], lambda data: targets.once(target, data))
        atheris.Fuzz()


if __name__ == "__main__":
    main()

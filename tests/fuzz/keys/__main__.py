"""Fuzz one parser under atheris: `python tests/fuzz/keys NAME [libFuzzer arguments]` from the root.

Needs `pip install atheris` and the package installed, or PYTHONPATH set to the root.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["keys"]):
    import targets

from keys import MemoryKeyStore


def main() -> None:
    """Fuzz the target named on the command line."""
    target, seed = targets.make_targets(MemoryKeyStore())[sys.argv.pop(1)]
    targets.once(target, seed)
    atheris.Setup(sys.argv, lambda data: targets.once(target, data))
    atheris.Fuzz()


if __name__ == "__main__":
    main()

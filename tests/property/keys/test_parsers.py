"""Every parser of `keys` meets mutated inputs: nothing but our own errors, in bounded time."""

from __future__ import annotations

import importlib.util
import random
from pathlib import Path
from types import ModuleType

import pytest

from keys import MemoryKeyStore

ROUNDS = 1500


def _targets() -> ModuleType:
    path = Path(__file__).parents[2] / "fuzz" / "keys" / "targets.py"
    spec = importlib.util.spec_from_file_location("keys_fuzz_targets", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


TARGETS = _targets()
with MemoryKeyStore() as _store:
    NAMES = sorted(TARGETS.make_targets(_store))


def mutated(seed: bytes, chance: random.Random) -> bytes:
    data = bytearray(seed)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(4):
            case 0 if data:
                data[at % len(data)] ^= 1 << chance.randrange(8)
            case 1:
                data[at:at] = chance.randbytes(chance.randint(1, 9))
            case 2:
                del data[at : at + chance.randint(1, 40)]
            case _:
                data[at : at + 2] = chance.choice([b"\xff\xff", b"\0\0", b"\x7f", b"\n", b'"'])
    return bytes(data)


@pytest.mark.parametrize("name", NAMES)
def test_mutated_input_raises_our_errors_only(name: str) -> None:
    chance = random.Random(name)
    with MemoryKeyStore() as store:
        target, seed = TARGETS.make_targets(store)[name]
        target(seed) if name != "proofs" else None
        for _ in range(ROUNDS):
            TARGETS.once(target, mutated(seed, chance))
            TARGETS.once(target, chance.randbytes(chance.randrange(120)))

"""Every parser of `keys` meets mutated inputs: nothing but our own errors, in bounded time."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import pkgutil
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import CodeType, ModuleType

import pytest

import keys
from keys import MemoryKeyStore

ROUNDS = 1500
SLOW_ROUNDS = 10
CORPUS = Path(__file__).parents[2] / "fuzz" / "keys" / "corpus"
READS = re.compile(r"_?(decode|parse|read|open|unseal|unlock|unwrap|verify|join|split|held|slot|cost)(_|$)")
ELSEWHERE = {
    name: reason
    for reason, names in {
        "reads files and opens devices; what is in them has targets": (
            "durable.read_bounded",
            "file_store.read_store",
            "keystore_file.open_file_keystore",
            "keystore_file.open_with_chip",
            "opening.open_chip",
            "keystore_file._unlock_any",
            "pkcs11_session.open_session",
            "opening._open_file",
            "opening._open_remote",
            "remote.open_remote_keystore",
            "tpm2.Tpm2Chip.unseal_into",
        ),
        "asks another store, which has a target": (
            "file_store.FileKeyStore.unwrap_into",
            "remote.RemoteKeyStore.unwrap_into",
        ),
        "splits what the process itself has": ("escrow.split_root", "merkle._split"),
    }.items()
    for name in names
}
"""Functions whose names say they read, and what is fuzzed instead."""


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
        for _ in range(SLOW_ROUNDS if name in TARGETS.SLOW else ROUNDS):
            TARGETS.once(target, mutated(seed, chance))
            TARGETS.once(target, chance.randbytes(chance.randrange(120)))


@pytest.mark.parametrize("name", NAMES)
def test_every_target_has_a_corpus_that_is_read_or_refused(name: str) -> None:
    files = sorted((CORPUS / name).iterdir())
    assert files
    with MemoryKeyStore() as store:
        target, _ = TARGETS.make_targets(store)[name]
        for path in files:
            TARGETS.once(target, path.read_bytes())


def test_every_corpus_is_of_a_target() -> None:
    assert sorted(path.name for path in CORPUS.iterdir()) == NAMES


def test_every_parser_of_keys_is_in_a_target() -> None:
    ran = reached()
    found = {name: code for module in modules() for name, code in parsers(module).items()}
    assert len(found) > 40
    missed = [name for name, code in found.items() if code not in ran and name not in ELSEWHERE]
    assert not missed, f"no fuzzing target reaches {', '.join(missed)}"
    assert ELSEWHERE.keys() <= found.keys()


def modules() -> Iterator[ModuleType]:
    for found in pkgutil.iter_modules(keys.__path__, "keys."):
        # A provider's library may not be installed; what its module parses is the library's own format.
        with contextlib.suppress(ImportError):
            yield importlib.import_module(found.name)


def parsers(of: ModuleType) -> dict[str, CodeType]:
    """Functions of a module, and methods of its classes, whose names say that they read something."""
    place, found = of.__name__.removeprefix("keys."), {}
    for name, value in vars(of).items():
        if getattr(value, "__module__", "") != of.__name__:
            continue
        if inspect.isfunction(value) and READS.match(name):
            found[f"{place}.{name}"] = value.__code__
        elif inspect.isclass(value) and not getattr(value, "_is_protocol", False):
            for method, body in vars(value).items():
                if inspect.isfunction(body) and READS.match(method):
                    found[f"{place}.{name}.{method}"] = body.__code__
    return found


def reached() -> set[CodeType]:
    """All code that runs when valid inputs and the corpora go through their targets."""
    seen: set[CodeType] = set()
    earlier = sys.getprofile()
    with MemoryKeyStore() as store:
        made = TARGETS.make_targets(store)
        sys.setprofile(lambda frame, event, argument: seen.add(frame.f_code))
        try:
            for name, (target, seed) in made.items():
                for data in (seed, *(path.read_bytes() for path in (CORPUS / name).iterdir())):
                    TARGETS.once(target, data)
        finally:
            sys.setprofile(earlier)
    return seen

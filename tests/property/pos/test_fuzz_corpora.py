"""Every file of the fuzzing corpora goes through its target, and every parser of the wires is in some target.

The fuzzer itself runs elsewhere (`tests/fuzz/README.md`).
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import pkgutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType, ModuleType

import pytest

from pos_adapter import protocols

FUZZ = Path(__file__).parents[2] / "fuzz"
SPEC = importlib.util.spec_from_file_location("fuzz_targets", FUZZ / "targets.py")
assert SPEC is not None
assert SPEC.loader is not None
targets = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(targets)
FILES = [path for name in sorted(targets.TARGETS) for path in sorted((FUZZ / "corpus" / name).iterdir())]
WRITERS = {
    "concert.forward.ask_card_terminal": "passes bytes on as they came",
    "nexo.local_encryption.seal": "hides what the terminal itself wrote",
    "zvt.serial_frame.encode": "wraps what the terminal itself wrote",
}
"""What takes bytes first and reads none of a till's."""


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_corpus_file_is_read_or_refused(path: Path) -> None:
    targets.TARGETS[path.parent.name](path.read_bytes())


@pytest.mark.parametrize("name", targets.TARGETS)
def test_every_target_has_a_corpus(name: str) -> None:
    assert any((FUZZ / "corpus" / name).iterdir())


def modules() -> Iterator[ModuleType]:
    for found in pkgutil.walk_packages(protocols.__path__, f"{protocols.__name__}."):
        yield importlib.import_module(found.name)


def parsers(of: ModuleType) -> dict[str, CodeType]:
    """Codecs (classes that feed) and public functions that take bytes first, by their names."""
    found: dict[str, CodeType] = {}
    place = of.__name__.removeprefix(f"{protocols.__name__}.")
    for name, value in vars(of).items():
        if getattr(value, "__module__", "") != of.__name__ or name.startswith("_"):
            continue
        if inspect.isclass(value) and "feed" in vars(value):
            found[f"{place}.{name}"] = value.feed.__code__
        elif inspect.isfunction(value) and takes_bytes(value):
            found[f"{place}.{name}"] = value.__code__
    return found


def takes_bytes(function: Callable[..., object]) -> bool:
    first = next(iter(inspect.signature(function).parameters.values()), None)
    return first is not None and first.annotation in ("bytes", "str | bytes")


def reached() -> set[CodeType]:
    """All code that runs when the corpora go through their targets."""
    seen: set[CodeType] = set()

    def note(frame: FrameType, event: str, argument: object) -> None:
        seen.add(frame.f_code)

    earlier = sys.getprofile()
    sys.setprofile(note)
    try:
        for path in FILES:
            targets.TARGETS[path.parent.name](path.read_bytes())
    finally:
        sys.setprofile(earlier)
    return seen


def test_every_codec_and_parser_of_the_wires_is_reached_by_a_target() -> None:
    everything = {name: code for module in modules() for name, code in parsers(module).items()}
    wires = {name.split(".")[0] for name in everything}
    assert wires == {"rest", "nexo", "zvt", "concert", "caisse_ap", "hw_proxy"}
    ran = reached()
    missed = [name for name, code in everything.items() if code not in ran and name not in WRITERS]
    assert not missed, f"no fuzzing target reaches {', '.join(missed)}"
    assert set(WRITERS) <= set(everything)

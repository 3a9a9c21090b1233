"""Every file of the fuzzing corpora goes through its target; the fuzzer itself runs elsewhere."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

FUZZ = Path(__file__).parents[2] / "fuzz"
SPEC = importlib.util.spec_from_file_location("fuzz_targets", FUZZ / "targets.py")
assert SPEC is not None
assert SPEC.loader is not None
targets = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(targets)
FILES = [path for name in sorted(targets.TARGETS) for path in sorted((FUZZ / "corpus" / name).iterdir())]


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_a_corpus_file_is_read_or_refused(path: Path) -> None:
    targets.TARGETS[path.parent.name](path.read_bytes())


def test_every_target_has_a_corpus_and_a_script() -> None:
    for name in targets.TARGETS:
        assert (FUZZ / f"{name}.py").exists()
        assert any((FUZZ / "corpus" / name).iterdir())

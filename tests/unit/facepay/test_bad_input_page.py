"""docs/bad-input.md names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


def test_every_test_that_the_page_names_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", (ROOT / "docs" / "bad-input.md").read_text("utf-8")))
    defined = re.compile(r"^ *def (test_\w+)", re.MULTILINE)
    there = {
        name
        for path in (ROOT / "tests").rglob("test_*.py")
        for name in defined.findall(path.read_text("utf-8"))
    }
    assert named
    assert named - there == set()

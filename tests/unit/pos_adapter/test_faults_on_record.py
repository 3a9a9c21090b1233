"""The table of faults in the integrators' pages names tests that exist, and leaves no wire out."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
WIRES = 6
CANNOT_BE = {"-"}


def rows() -> list[list[str]]:
    text = (ROOT / "docs" / "integrators" / "faults.md").read_text("utf-8")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def names_of_tests() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        found |= {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    return found


def test_every_fault_says_something_of_every_wire() -> None:
    assert len(rows()) >= 15
    for fault, *cells in rows():
        assert len(cells) == WIRES, fault
        assert all(cell in CANNOT_BE or re.fullmatch(r"`test_\w+`", cell) for cell in cells), fault


def test_every_test_that_is_named_exists() -> None:
    known = names_of_tests()
    named = {cell.strip("`") for _, *cells in rows() for cell in cells} - CANNOT_BE
    assert sorted(named - known) == []

"""The table of faults in the integrators' pages names tests that exist, and leaves no wire out."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
WIRES = 6
FAULTS = {
    "one byte at a time",
    "everything glued",
    "20 % loss and duplicates, fixed seed",
    "a gap longer than between bytes",
    "wrong check sum three times",
    "silent inside the request",
    "gone after the request",
    "silent after the answer, before the acknowledgement",
    "hangs up inside a message",
    "a second client while busy",
    "abort at every state",
    "the process killed at every state",
    "1 MB, and what never ends",
    "impossible amounts and currencies, unknown commands",
    "wrong passphrase, one flipped bit, unlike headers",
    "a replayed body",
    "any bytes at all",
}
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
    assert {fault for fault, *_ in rows()} == FAULTS
    for fault, *cells in rows():
        assert len(cells) == WIRES, fault
        assert all(cell in CANNOT_BE or re.fullmatch(r"`test_\w+`", cell) for cell in cells), fault


def test_every_test_that_is_named_exists() -> None:
    known = names_of_tests()
    named = {cell.strip("`") for _, *cells in rows() for cell in cells} - CANNOT_BE
    assert sorted(named - known) == []

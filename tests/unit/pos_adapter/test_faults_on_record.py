"""The table of faults in the integrators' pages holds exactly what tests say they show, on each wire."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
WIRES = ("rest", "nexo", "zvt", "concert", "caisse_ap", "hw_proxy")
HAS_NO = {
    "20 % loss and duplicates, fixed seed": {"zvt", "concert"},
    "a gap longer than between bytes": {"zvt", "concert"},
    "wrong check sum three times": {"zvt", "concert"},
    "any chunking, the same events": {"nexo", "zvt", "concert", "caisse_ap"},
    "wrong passphrase, one flipped bit, unlike headers": {"nexo"},
}
"""Faults that not every wire can have, and the wires that can."""
FAULTS = {
    *HAS_NO,
    "one byte at a time",
    "everything glued",
    "silent inside the request",
    "gone after the request",
    "silent after the request",
    "silent after the answer, before the acknowledgement",
    "hangs up inside a message",
    "a second client while busy",
    "abort at every state",
    "the process killed at every state",
    "1 MB, and what never ends",
    "impossible amounts",
    "NaN, digits that are none",
    "unknown currency",
    "unknown command",
    "a replayed body",
    "any bytes at all",
    "what is written is read again",
}


def table() -> dict[tuple[str, str], str]:
    text = (ROOT / "docs" / "integrators" / "faults.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("|")][2:]
    cells = {fault: rest for fault, *rest in ([c.strip() for c in row.strip("|").split("|")] for row in rows)}
    assert len(cells) == len(rows)
    return {
        (fault, wire): cell.strip("`")
        for fault, found in cells.items()
        for wire, cell in zip(WIRES, found, strict=True)
    }


def marks_of(test: ast.FunctionDef) -> Iterator[tuple[str, ...]]:
    """The arguments of each `pytest.mark.fault` of a test."""
    for decorator in test.decorator_list:
        if isinstance(decorator, ast.Call) and ast.unparse(decorator.func) == "pytest.mark.fault":
            yield tuple(ast.literal_eval(argument) for argument in decorator.args)


def marked() -> dict[tuple[str, str], str]:
    found: dict[tuple[str, str], str] = {}
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        text = path.read_text("utf-8")
        if "mark.fault(" not in text:
            continue
        for test in ast.parse(text).body:
            if not isinstance(test, ast.FunctionDef):
                continue
            for fault, *wires in marks_of(test):
                assert wires, test.name
                for wire in wires:
                    assert (fault, wire) not in found, (fault, wire, test.name)
                    found[fault, wire] = test.name
    return found


def test_the_table_holds_every_fault_of_every_wire_that_can_have_it() -> None:
    expected = {(fault, wire) for fault in FAULTS for wire in HAS_NO.get(fault, WIRES)}
    told = table()
    assert {at for at, cell in told.items() if cell != "-"} == expected
    assert set(told) == {(fault, wire) for fault in FAULTS for wire in WIRES}


def test_the_table_says_what_the_tests_say_they_show() -> None:
    assert {at: cell for at, cell in table().items() if cell != "-"} == marked()

"""Imports point down only; leaves stay leaves; each library has one home."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LEAVES = ("hardware", "liveness", "keys", "pos_adapter")

# Rooms of facepay from the top of the house to the ground. A room may import rooms of later rows,
# never of its own row (unless listed in SAME_ROW) or of an earlier one.
FLOORS: tuple[tuple[str, ...], ...] = (
    ("__main__",),
    ("cli",),
    ("demo", "chaos"),
    ("testing",),
    ("web",),
    ("terminal",),
    ("checkout", "enrolment", "erasure", "custody", "evaluation"),
    ("outcomes",),
    ("settlement", "accounts", "receipts"),
    (
        "capture",
        "policy",
        "gallery",
        "journal",
        "psp",
        "monitoring",
    ),
    # The capture is made of the stages of recognition, so they stand below it (ADR 0050).
    ("recognition", "counter"),
    # Rooms that change something record it in the same transaction, so the log stands below them.
    ("audit",),
    ("db", "plugins"),
    ("settings",),
    ("qr",),
    ("types", "errors"),
)

# A heavy or dangerous library is imported in one place, so that one file answers for its use.
HOMES: dict[str, tuple[str, ...]] = {
    "cryptography": ("keys", "pos_adapter/protocols/nexo", "pos_adapter/certificates.py"),
    "joserfc": ("keys",),
    "serial": ("pos_adapter/serial_link.py",),
    "flask": ("facepay/web", "pos_adapter/http_link.py"),
    "cheroot": ("facepay/web", "pos_adapter/http_link.py"),
    "sqlalchemy": (
        "facepay/audit",
        "facepay/db",
        "facepay/gallery",
        "facepay/journal",
        "facepay/accounts",
        "facepay/psp/ledger",
        "facepay/psp/offline",
        "facepay/psp/order_book",
    ),
    "alembic": ("facepay/db",),
    "onnxruntime": ("hardware/inference.py",),
    "insightface": ("facepay/recognition/insightface.py",),
    "matplotlib": ("facepay/evaluation",),
    "zxingcpp": ("facepay/qr.py",),
    "stripe": ("facepay/psp/stripe",),
}


def modules() -> Iterator[tuple[Path, ast.Module]]:
    for package in ("facepay", *LEAVES):
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT), ast.parse(path.read_text("utf-8"))


def imported_names(path: Path, tree: ast.Module) -> Iterator[tuple[str, int]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                package = path.with_suffix("").parts[: -node.level]
                base = ".".join((*package, node.module) if node.module else package)
            else:
                base = node.module or ""
            yield base, node.lineno
            for alias in node.names:
                yield f"{base}.{alias.name}", node.lineno


def room_of(module: str) -> str | None:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == "facepay" else None


def floor_of(room: str) -> int | None:
    return next((i for i, row in enumerate(FLOORS) if room in row), None)


def test_leaves_import_no_other_package_of_the_house() -> None:
    wrong = [
        f"{path}:{line} imports {name}"
        for path, tree in modules()
        if path.parts[0] in LEAVES
        for name, line in imported_names(path, tree)
        if name.split(".")[0] in {"facepay", *LEAVES} - {path.parts[0]}
    ]
    assert not wrong, "\n".join(wrong)


def test_facepay_imports_point_down() -> None:
    wrong = set()
    for path, tree in modules():
        if path.parts[0] != "facepay" or len(path.parts) < 2:
            continue
        room = Path(path.parts[1]).stem
        here = floor_of(room)
        if room == "__init__" or here is None:
            continue
        for name, line in imported_names(path, tree):
            other = room_of(name)
            there = floor_of(other) if other else None
            if other != room and there is not None and there <= here:
                wrong.add(f"{path}:{line} imports facepay.{other} (floor {there} from floor {here})")
    assert not wrong, "\n".join(sorted(wrong))


def test_every_room_of_facepay_has_a_floor() -> None:
    rooms = {Path(p.parts[1]).stem for p, _ in modules() if p.parts[0] == "facepay" and len(p.parts) > 1}
    assert not {room for room in rooms - {"__init__"} if floor_of(room) is None}


def test_each_library_has_one_home() -> None:
    wrong = {
        f"{path} imports {name}"
        for path, tree in modules()
        for name, _ in imported_names(path, tree)
        for library in [name.split(".")[0]]
        if library in HOMES and not path.as_posix().startswith(HOMES[library])
    }
    assert not wrong, "\n".join(sorted(wrong))


@pytest.mark.parametrize("banned", ["common", "utils", "helpers", "misc"])
def test_no_room_without_an_idea(banned: str) -> None:
    assert not [path for path, _ in modules() if banned in path.with_suffix("").parts]

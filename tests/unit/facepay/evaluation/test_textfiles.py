from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from facepay.errors import InputUnusable
from facepay.evaluation.datasets import load_pairs
from facepay.evaluation.fairness import load_groups
from facepay.evaluation.scorefiles import read_scores

READERS: tuple[Callable[[Path], object], ...] = (
    lambda path: list(read_scores(path)),
    load_groups,
    load_pairs,
)


@pytest.mark.parametrize("read", READERS)
def test_a_missing_file_is_named(read: Callable[[Path], object], tmp_path: Path) -> None:
    with pytest.raises(InputUnusable, match="cannot be read: No such file"):
        read(tmp_path / "nothing.txt")


@pytest.mark.parametrize("read", READERS)
def test_a_picture_in_place_of_text_is_named(read: Callable[[Path], object], tmp_path: Path) -> None:
    path = tmp_path / "picture.txt"
    path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\xff")
    with pytest.raises(InputUnusable, match="no text in UTF-8"):
        read(path)


def test_a_byte_order_mark_of_a_spreadsheet_is_read_over(tmp_path: Path) -> None:
    path = tmp_path / "groups.csv"
    path.write_text("\ufeffidentity,group\np1,a\n", "utf-8")
    assert load_groups(path) == {"p1": "a"}

from __future__ import annotations

import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from facepay.errors import InputUnusable
from facepay.evaluation.datasets import load_pairs
from facepay.evaluation.fairness import load_groups
from facepay.evaluation.scorefiles import read_scores
from facepay.evaluation.textfiles import opened_text, written_text

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


@contextmanager
def full_disk(after: int) -> Iterator[None]:
    """No file of this process grows beyond so many bytes, as on a disk that is full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (after, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("name", ["scores.txt", "scores.txt.gz"])
def test_a_file_is_written_whole_and_read_back(tmp_path: Path, name: str) -> None:
    with written_text(tmp_path / name) as stream:
        stream.write("a b 1 0.5\n")
        assert not (tmp_path / name).exists(), "it takes its name when it is whole"
    with opened_text(tmp_path / name) as stream:
        assert stream.read() == "a b 1 0.5\n"
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_a_full_disk_leaves_the_old_file_and_names_the_new_one(tmp_path: Path) -> None:
    path = tmp_path / "old.toml"
    path.write_text("the old one", "utf-8")
    refused = pytest.raises(InputUnusable, match=r"old\.toml cannot be written.*make room")
    with full_disk(1000), refused, written_text(path) as stream:
        stream.write("x" * 100_000)
    assert path.read_text("utf-8") == "the old one"
    assert [found.name for found in tmp_path.iterdir()] == ["old.toml"]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(InputUnusable, match=r"x\.txt cannot be written: No such file"),
        written_text(tmp_path / "no" / "x.txt"),
    ):
        pass

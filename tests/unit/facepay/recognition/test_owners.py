from __future__ import annotations

import sys

import numpy as np
import pytest

from facepay.recognition.owners import RowOwners
from facepay.types import SubjectId


def of(number: int) -> SubjectId:
    """An id every fourth of which is none of ours."""
    return SubjectId(f"{number:032x}" if number % 4 else f"till-{number}")


def test_owners_agree_with_a_list_through_many_arrivals_and_departures() -> None:
    random = np.random.default_rng(1)
    owners, told, most = RowOwners(), [SubjectId("")][:0], 1
    for _ in range(400):
        if told and random.random() < 0.5:
            gone = told[int(random.integers(len(told)))]
            rows = owners.forget(gone)
            assert sorted(rows) == [row for row, subject in enumerate(told) if subject == gone]
            for row in rows:
                last = told.pop()
                if row < len(told):
                    told[row] = last
        else:
            come = [of(int(number)) for number in random.integers(0, 60, int(random.integers(1, 12)))]
            owners.append(come)
            told += come
        most = max([most, *(told.count(subject) for subject in told)])
        assert (owners.size, owners.subjects, owners.most) == (len(told), len({*told}), most)
        assert [owners.owner(row) for row in range(len(told))] == told
        some = [of(int(number)) for number in random.integers(0, 80, 5)]
        assert owners.rows_of(some).tolist() == [row for row, subject in enumerate(told) if subject in some]


def test_sequential_and_random_ids_are_found_among_many() -> None:
    numbers = np.random.default_rng(2).permutation(150_000)
    ids = [SubjectId(f"{int(number):032x}") for number in numbers]
    owners = RowOwners()
    for start in range(0, len(ids), 7_000):
        owners.append(ids[start : start + 7_000])
    assert owners.subjects == len(ids)
    assert owners.rows_of(ids[::1000]).tolist() == list(range(0, len(ids), 1000))
    assert owners.rows_of([SubjectId("f" * 32)]).tolist() == []


@pytest.mark.parametrize("odd", ["", "A" * 32, "ab " * 10 + "ab", "é" * 32, "٣" * 32, "ab" * 15, "0" * 64])
def test_an_id_that_is_no_pseudonym_keeps_every_letter(odd: str) -> None:
    owners, plain = RowOwners(), SubjectId("ab" * 16)
    owners.append([plain, SubjectId(odd), plain])
    assert [owners.owner(row) for row in range(3)] == [plain, odd, plain]
    assert owners.forget(SubjectId(odd)) == [1]
    assert (owners.subjects, owners.rows_of([plain]).tolist()) == (1, [0, 1])
    assert owners.rows_of([SubjectId(odd)]).tolist() == []


def test_a_row_takes_no_more_than_32_bytes() -> None:
    owners = RowOwners()
    owners.append([SubjectId(f"{number:032x}") for number in range(2**16)])
    held = sum(sys.getsizeof(part) for part in (owners._ids.keys, owners._slots))
    assert held / 2**16 < 32

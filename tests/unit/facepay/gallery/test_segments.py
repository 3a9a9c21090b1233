from __future__ import annotations

import numpy as np
import pytest

from facepay.errors import ReferenceUnreadable
from facepay.gallery.segments import (
    Manifest,
    open_segment,
    read_manifest,
    seal_segment,
    segment_place,
    sign_manifest,
)
from facepay.recognition.int8_product import ROW_ZERO
from facepay.types import ModelId, SubjectId
from keys import MemoryKeyStore
from keys.errors import KeysError, StatementRefused

MODEL = ModelId("ab" * 32)
PLACE = segment_place("shop", MODEL, 7, 0)


def rows_of(count: int) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    rows = np.random.default_rng(2).normal(size=(count, 64)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def subjects_of(count: int) -> list[SubjectId]:
    return [SubjectId(f"{n:032x}") for n in range(count)]


@pytest.mark.parametrize("count", [1, 100, 32_768, 33_000])
def test_a_segment_opens_with_rows_that_score_as_the_originals(count: int) -> None:
    rows = rows_of(count)
    with MemoryKeyStore() as store:
        opened = open_segment(seal_segment(subjects_of(count), rows, PLACE, store), PLACE, store)
    assert opened.size == count
    assert opened.subject(count - 1) == subjects_of(count)[-1]
    back = (opened.codes.astype(np.float32) - ROW_ZERO) * opened.scales[:, None]
    cosines = (back * rows).sum(axis=1) / np.linalg.norm(back, axis=1)
    assert cosines.min() > 0.999


def test_a_segment_of_another_epoch_number_tenant_or_model_does_not_open() -> None:
    with MemoryKeyStore() as store:
        sealed = seal_segment(subjects_of(3), rows_of(3), PLACE, store)
        for other in (
            segment_place("shop", MODEL, 8, 0),
            segment_place("shop", MODEL, 7, 1),
            segment_place("other", MODEL, 7, 0),
            segment_place("shop", ModelId("cd" * 32), 7, 0),
        ):
            with pytest.raises(ReferenceUnreadable):
                open_segment(sealed, other, store)


def test_an_old_late_or_foreign_manifest_is_refused() -> None:
    with MemoryKeyStore() as store:
        gone = SubjectId("ff" * 16)
        token = sign_manifest(Manifest(7, 2, 2_000, (gone,)), "shop", MODEL, store)
        trusted = {store.signing_key: store.verifying_key(store.signing_key)}

        def read(tenant: str = "shop", seen: int = 7, now: int = 1_000) -> Manifest:
            return read_manifest(token, (tenant, MODEL), trusted, seen_epoch=seen, now_s=now)

        assert read() == Manifest(7, 2, 2_000, (gone,))
        for wrong in ({"tenant": "other"}, {"seen": 8}, {"now": 2_000}):
            with pytest.raises(StatementRefused):
                read(**wrong)  # type: ignore[arg-type]


def test_every_flipped_bit_and_truncation_of_a_small_segment_is_refused() -> None:
    with MemoryKeyStore() as keys:
        place = segment_place("shop", MODEL, 3, 0)
        sealed = seal_segment(subjects_of(2), np.eye(2, 4, dtype=np.float32), place, keys)
        assert open_segment(sealed, place, keys).size == 2
        for bit in range(8 * len(sealed)):
            bad = bytearray(sealed)
            bad[bit // 8] ^= 1 << bit % 8
            with pytest.raises(ReferenceUnreadable):
                open_segment(bytes(bad), place, keys)
        for size in range(len(sealed)):
            with pytest.raises(ReferenceUnreadable):
                open_segment(sealed[:size], place, keys)


def test_every_flipped_bit_of_a_manifest_is_refused() -> None:
    with MemoryKeyStore() as keys:
        trusted = {keys.signing_key: keys.verifying_key(keys.signing_key)}
        token = sign_manifest(Manifest(3, 1, 1_000, (SubjectId("ab" * 16),)), "shop", MODEL, keys)
        for bit in range(7 * len(token)):
            bad = bytearray(token.encode())
            bad[bit // 7] ^= 1 << bit % 7
            with pytest.raises(KeysError):
                read_manifest(bad.decode(), ("shop", MODEL), trusted, seen_epoch=3, now_s=1)
        for size in range(len(token)):
            with pytest.raises(KeysError):
                read_manifest(token[:size], ("shop", MODEL), trusted, seen_epoch=3, now_s=1)

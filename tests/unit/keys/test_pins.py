"""PINs: memory-hard, peppered, bound to the account, and the same work for every refusal."""

from __future__ import annotations

import pytest

from keys.errors import FormatError
from keys.keystore_memory import MemoryKeyStore
from keys.passphrase import FLOOR
from keys.pins import PinMalformed, PinRefused, make_pin_record, require_pin

STORE = MemoryKeyStore()
RECORD = make_pin_record("4711", "anna", STORE, cost=FLOOR)


def test_the_right_pin_passes_in_silence() -> None:
    require_pin("4711", "anna", RECORD, STORE, cost=FLOOR)


@pytest.mark.parametrize(
    ("pin", "account", "record", "store"),
    [
        ("4712", "anna", RECORD, STORE),
        ("", "anna", RECORD, STORE),
        ("4711", "bert", RECORD, STORE),
        ("4711", "anna", None, STORE),
        ("4711", "anna", RECORD, MemoryKeyStore()),
        ("٤٧١١", "anna", RECORD, STORE),
    ],
)
def test_every_refusal_is_the_same_error(
    pin: str, account: str, record: str | None, store: MemoryKeyStore
) -> None:
    with pytest.raises(PinRefused, match=r"\Athe PIN does not fit\Z"):
        require_pin(pin, account, record, store, cost=FLOOR)


@pytest.mark.parametrize("pin", ["", "123", "1" * 13, "12a4", "１２３４", "12 4", "-123"])
def test_a_new_pin_is_four_to_twelve_digits(pin: str) -> None:
    with pytest.raises(PinMalformed, match="4 to 12 digits"):
        make_pin_record(pin, "anna", STORE, cost=FLOOR)


def test_two_records_of_one_pin_differ() -> None:
    assert make_pin_record("4711", "anna", STORE, cost=FLOOR) != RECORD


def test_no_pair_of_account_and_pin_runs_into_another() -> None:
    record = make_pin_record("11234", "anna", STORE, cost=FLOOR)
    with pytest.raises(PinRefused):
        require_pin("1234", "anna1", record, STORE, cost=FLOOR)


@pytest.mark.parametrize("record", ["", "fp1", RECORD[:-1], RECORD + "A", RECORD.replace("fp1", "fp0")])
def test_a_damaged_record_is_told_apart_from_a_wrong_pin(record: str) -> None:
    with pytest.raises(FormatError):
        require_pin("4711", "anna", record, STORE, cost=FLOOR)


def test_a_record_cannot_ask_for_hostile_work() -> None:
    with pytest.raises(FormatError, match="memory_kib"):
        require_pin("4711", "anna", RECORD.replace("m=19456", "m=99999999"), STORE, cost=FLOOR)


def test_a_missing_record_takes_the_same_work_as_a_wrong_pin() -> None:
    work: list[int] = []

    class CountingStore(MemoryKeyStore):
        def derive_into(self, label: bytes, out: bytearray) -> None:
            work.append(len(out))
            super().derive_into(label, out)

    store = CountingStore()
    for record in (None, make_pin_record("4711", "anna", store, cost=FLOOR)):
        work.clear()
        with pytest.raises(PinRefused):
            require_pin("0000", "anna", record, store, cost=FLOOR)
        assert work == [32]

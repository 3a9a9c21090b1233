from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from keys.errors import UnlockError
from keys.escrow import join_root, restore_keystore, split_root
from keys.keystore_file import create_file_keystore, open_file_keystore
from keys.passphrase import FLOOR

ROOT = bytearray(range(32))


def test_any_two_of_three_shares_restore_the_key() -> None:
    shares = split_root(ROOT)
    assert [len(share.split()) for share in shares] == [33, 33, 33]
    for pair in itertools.permutations(shares, 2):
        assert join_root(pair) == ROOT


def test_one_share_or_a_mistyped_one_restores_nothing() -> None:
    shares = split_root(ROOT)
    wrong = shares[1].split()
    wrong[7] = "academic" if wrong[7] != "academic" else "acid"
    for bad in ([shares[0]], [], [shares[0], " ".join(wrong)], [shares[0], "not words"], [shares[0]] * 2):
        with pytest.raises(UnlockError):
            join_root(bad)


def test_shares_of_two_sets_do_not_mix() -> None:
    with pytest.raises(UnlockError):
        join_root([split_root(ROOT)[0], split_root(ROOT)[1]])


def test_a_key_store_whose_passphrase_is_lost_opens_with_two_shares(tmp_path: Path) -> None:
    path = tmp_path / "keys.fpk"
    with create_file_keystore(path, "the lost passphrase", cost=FLOOR) as store:
        root = store.copy_root()
        wrapped = store.wrap(bytearray(b"k" * 32), b"c")
    shares = split_root(root)
    restore_keystore(path, shares[1:], "a new passphrase").close()
    out = bytearray(32)
    with open_file_keystore(path, lambda: "a new passphrase") as again:
        again.unwrap_into(wrapped, b"c", out)
    assert out == b"k" * 32


def test_shares_of_another_key_store_are_named(tmp_path: Path) -> None:
    create_file_keystore(tmp_path / "keys.fpk", "correct horse battery", cost=FLOOR).close()
    with pytest.raises(UnlockError, match="not of"):
        restore_keystore(tmp_path / "keys.fpk", split_root(ROOT)[:2], "a new passphrase")

"""`facepay journal` and `facepay receipt`, from the command line, on a terminal that has sold."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from pathlib import Path

import pytest

from facepay.cli.main import main
from facepay.db.session import open_database
from facepay.journal import Opening, State
from facepay.psp.base import IdempotencyKey, PayerToken
from facepay.psp.ledger import Wallet
from facepay.receipts.qr import qr_png
from facepay.settings import Settings
from facepay.terminal.money import build_money
from facepay.terminal.places import database_url, open_keys
from pos_adapter.types import Money, TransactionId

ANNA = PayerToken("wallet-anna")


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("terminal")
    settings = Settings(data=folder)
    with open_keys(settings) as keys:
        database = open_database(database_url(settings))
        wallet = Wallet(database.engine, now_ms=now_ms)
        wallet.open_account(ANNA, "EUR")
        wallet.top_up(ANNA, Money(10_000, "EUR"), IdempotencyKey("top-up-1"))
        money = build_money(settings, database, keys, now_ms)
        payment, amount = TransactionId("p1"), Money(1240, "EUR")
        money.journal.begin(Opening(payment, "rest/T1/till/1", "f", amount))
        facts = {"account": "a", "pseudonym": "0a" * 12, "liveness_level": 2, "factor": "pin"}
        money.journal.advance(payment, State.IDENTIFIED, facts=facts)
        money.settlement.authorise(payment, ANNA, amount, payee="Corner shop", terminal="T1")
        money.settlement.announce(payment)
        money.settlement.acknowledge(payment, learned=True)
        database.close()
    return folder


def facepay(data: Path, *words: str) -> int:
    return main(["--data", str(data), *words])


def statement(data: Path, capsys: pytest.CaptureFixture[str]) -> str:
    assert facepay(data, "receipt", "show", "p1") == 0
    return capsys.readouterr().out.strip()


def test_a_sound_journal_is_said_to_be_sound(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert facepay(data, "journal", "checkpoint") == 0
    assert facepay(data, "journal", "verify") == 0
    assert "the journal is sound" in capsys.readouterr().out


def test_an_altered_row_gives_exit_code_four_and_its_name(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("keys.fpk", "keys.secret"):
        shutil.copy(data / name, tmp_path / name)
    with sqlite3.connect(data / "facepay.db") as source, sqlite3.connect(tmp_path / "facepay.db") as copy:
        source.backup(copy)
        copy.execute("DROP TRIGGER journal_row_no_update")
        copy.execute("UPDATE journal_row SET body = '{}' WHERE sequence = 3")
        copy.commit()
    source.close()
    copy.close()
    assert facepay(tmp_path, "journal", "verify", "--json") == 4
    report = json.loads(capsys.readouterr().out)
    assert {"chain": "T1", "row": 3, "what": "was altered: its hash does not cover it"} in report["problems"]


def test_the_journal_is_exported_to_a_file(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "journal.csv"
    assert facepay(data, "journal", "export", "--format", "csv", "--out", str(out)) == 0
    assert len(out.read_text("utf-8").splitlines()) == 8


def test_journal_and_ledger_reconcile_to_the_cent(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert facepay(data, "journal", "reconcile", "--json") == 0
    assert json.loads(capsys.readouterr().out) == {"clean": True, "matched": 1, "findings": []}


def test_a_receipt_is_verified_with_nothing_but_the_public_keys(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token = statement(data, capsys)
    assert facepay(data, "receipt", "keys") == 0
    keys = tmp_path / "keys.json"
    keys.write_text(capsys.readouterr().out, "utf-8")
    elsewhere = tmp_path / "elsewhere"
    assert facepay(elsewhere, "receipt", "verify", token, "--keys", str(keys), "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["genuine"], said["amount"], said["payee"]) == (True, 1240, "Corner shop")
    assert not elsewhere.exists()


def test_a_changed_receipt_is_refused(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    token = statement(data, capsys)
    assert facepay(data, "receipt", "verify", token[:-5] + "AAAAA") == 4
    assert "not genuine" in capsys.readouterr().err


def test_a_picture_in_the_place_of_a_statement_is_told_where_it_goes(
    data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    picture = tmp_path / "receipt.png"
    picture.write_bytes(qr_png("a.b.c"))
    assert facepay(data, "receipt", "verify", str(picture)) == 1
    assert "--image" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "code"),
    [(("receipt", "verify"), 1), (("receipt", "show", "p9"), 2), (("journal", "export", "--since", "x"), 1)],
)
def test_a_wrong_word_is_named(
    data: Path, words: tuple[str, ...], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert facepay(data, *words) == code
    assert capsys.readouterr().err.startswith("facepay: ")

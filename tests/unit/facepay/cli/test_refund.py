"""`facepay refund`: a role, two persons above an amount, and never more than was paid."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from facepay.cli.main import main
from facepay.db.session import open_database
from facepay.journal import Opening
from facepay.psp.base import IdempotencyKey, PayerToken
from facepay.psp.ledger import Wallet
from facepay.settings import Settings
from facepay.terminal.money import build_money
from facepay.terminal.places import database_url, open_keys
from keys import MemoryKeyStore
from keys.approvals import Action, approve
from pos_adapter.types import Money, TransactionId

ANNA = PayerToken("wallet-anna")
PEOPLE = {"kim": MemoryKeyStore(), "lou": MemoryKeyStore()}


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A terminal that has sold for EUR 150, with two approvers."""
    settings = Settings(data=tmp_path)
    with open_keys(settings) as keys:
        database = open_database(database_url(settings))
        wallet = Wallet(database.engine, now_ms=now_ms)
        wallet.open_account(ANNA, "EUR")
        wallet.top_up(ANNA, Money(20_000, "EUR"), IdempotencyKey("top-up-1"))
        money = build_money(settings, database, keys, now_ms)
        payment, amount = TransactionId("p1"), Money(15_000, "EUR")
        money.journal.begin(Opening(payment, "rest/T1/till/1", "f", amount))
        facts = {"account": "a", "pseudonym": "0a" * 12, "liveness_level": 3, "factor": "pin"}
        money.settlement.authorise(
            payment, ANNA, amount, payee="shop", terminal="T1", identified=facts, wanted=lambda: True
        )
        money.settlement.acknowledge(payment, learned=True)
        database.close()
    lines = tuple(f"{n} {k.signing_key} {k.verifying_key(k.signing_key).hex()}" for n, k in PEOPLE.items())
    (tmp_path / "facepay.toml").write_text(f"[keys]\napprovers = {json.dumps(lines)}\n", "utf-8")
    monkeypatch.setenv("FACEPAY_SETTINGS", str(tmp_path / "facepay.toml"))
    return tmp_path


def approval(data: Path, who: str, target: str) -> list[str]:
    path = data / f"{who}-{time.monotonic_ns()}"
    path.write_text(approve(Action.REFUND, target, PEOPLE[who], now_s=int(time.time())), "ascii")
    return ["--approval", str(path)]


def refund(data: Path, *words: str) -> int:
    return main(["--data", str(data), "refund", "p1", *words])


def balance(data: Path) -> int:
    database = open_database(database_url(replace(Settings(), data=data)))
    minor = Wallet(database.engine, now_ms=now_ms).balance(ANNA).minor
    database.close()
    return minor


def test_a_small_amount_goes_back_once_per_key(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for _ in range(2):
        assert refund(data, "20.00", "--key", "desk-7", "--reason", "broken", "--json") == 0
    states = [json.loads(line)["state"] for line in capsys.readouterr().out.splitlines()]
    assert states == ["refunded", "refunded"]
    assert balance(data) == 7_000


def test_above_an_amount_one_person_is_not_enough(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert refund(data, "50.01") != 0
    assert refund(data, "100.01", *approval(data, "kim", "p1 100.01 EUR")) != 0
    assert "second, different person" in capsys.readouterr().err
    assert balance(data) == 5_000


def test_two_persons_give_back_more_and_each_approval_counts_once(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*approval(data, "kim", "p1 120.00 EUR"), *approval(data, "lou", "p1 120.00 EUR")]
    assert refund(data, "120.00", *words) == 0
    assert refund(data, "120.00", *words) != 0
    assert "used before" in capsys.readouterr().err
    assert balance(data) == 17_000


def test_one_persons_two_approvals_are_one_person(data: Path) -> None:
    words = [*approval(data, "kim", "p1 120.00 EUR"), *approval(data, "kim", "p1 120.00 EUR")]
    assert refund(data, "120.00", *words) != 0
    assert balance(data) == 5_000


def test_an_approval_of_another_amount_or_payment_is_refused(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert refund(data, "60.00", *approval(data, "kim", "p1 59.00 EUR")) != 0
    assert refund(data, "60.00", *approval(data, "kim", "p2 60.00 EUR")) != 0
    assert "not to refund p1 60.00 EUR" in capsys.readouterr().err
    assert balance(data) == 5_000


def test_never_more_than_was_paid_and_never_an_unknown_payment(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = [*approval(data, "kim", "p1 150.01 EUR"), *approval(data, "lou", "p1 150.01 EUR")]
    assert refund(data, "150.01", *words) != 0
    assert "exceed" in capsys.readouterr().err
    assert main(["--data", str(data), "refund", "p9", "1.00"]) != 0
    assert refund(data, "-1.00") != 0
    assert balance(data) == 5_000

"""Requests that are refused before anything starts, and who was found without paying."""

from __future__ import annotations

import dataclasses

import pytest

from facepay.audit import AuditLog
from facepay.demo.theatre import Cast, Theatre
from pos_adapter.types import ExchangeKey, IdentifyRequest, Money, Outcome
from tests.flow.checkout.conftest import pay, request


@pytest.mark.parametrize("minor", [0, -500])
def test_an_amount_of_nothing_is_refused_before_anything_starts(theatre: Theatre, minor: int) -> None:
    assert pay(theatre, request(minor)).outcome is Outcome.BAD_REQUEST
    assert not theatre.stage.is_open


def test_a_repeated_key_with_another_amount_is_refused_and_charges_once(
    theatre: Theatre, payer: Cast
) -> None:
    theatre.stage.show(payer.person.photo)
    asked = request(400)
    assert pay(theatre, asked).outcome is Outcome.APPROVED
    before = theatre.terminal.wallet.balance(payer.account)  # type: ignore[arg-type]
    changed = dataclasses.replace(asked, amount=Money(401, "EUR"))
    assert pay(theatre, changed, acknowledge=False).outcome is Outcome.BAD_REQUEST
    assert theatre.terminal.wallet.balance(payer.account) == before  # type: ignore[arg-type]


def test_who_was_found_without_paying_reads_so_in_their_own_log(theatre: Theatre, payer: Cast) -> None:
    theatre.stage.show(payer.person.photo)
    terminal = theatre.terminal
    found = terminal.gallery.find_account(payer.account)
    assert found is not None
    log = AuditLog(terminal.database, terminal.keys, terminal.settings.terminal.tenant, actor="test")

    def looks() -> int:
        return sum(1 for entry in log.extract(found.subject) if entry.event == "identified")

    before = looks()
    asked = IdentifyRequest(ExchangeKey("test", "T1", "till", "who-1"))
    assert terminal.checkout.identify(asked, lambda step: None).outcome is Outcome.APPROVED
    assert looks() == before + 1

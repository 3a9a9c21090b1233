"""Card and cancel: one key, at every moment of a sale."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from facepay.counter import Phase
from facepay.demo.shopper import Manners
from facepay.demo.theatre import Cast, Theatre
from facepay.psp.base import Authorisation, Order
from pos_adapter.types import (
    Outcome,
    PaymentRequest,
)
from tests.flow.checkout.conftest import PIN, request, start, wait_for, wait_until_free


@contextmanager
def silent_provider(theatre: Theatre, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """The provider does not answer before the event that is given is set."""
    provider, speak = theatre.terminal.money.provider, threading.Event()
    authorise = provider.authorise

    def authorise_late(order: Order) -> Authorisation:
        speak.wait(20)
        return authorise(order)

    with monkeypatch.context() as patched:
        patched.setattr(provider, "authorise", authorise_late)
        try:
            yield speak
        finally:
            speak.set()


def at(theatre: Theatre, payer: Cast, phase: Phase) -> tuple[PaymentRequest, threading.Thread, list]:  # type: ignore[type-arg]
    """A sale of the payer that stands at `phase` and stays there."""
    theatre.shopper.manners = Manners(
        pin="" if phase is Phase.FACTOR else PIN,
        taps=phase is not Phase.OFFERED,
        confirms=phase is Phase.AUTHORISING,
        types=phase is not Phase.FACTOR,
    )
    if phase in {Phase.CAPTURING, Phase.CHALLENGE}:
        theatre.stage.clear()
    else:
        theatre.stage.show(payer.person.photo)
    asked = request(1240 if phase in {Phase.FACTOR, Phase.CHALLENGE} else 310)
    thread, answers = start(theatre, asked)
    wait_for(theatre, phase)
    return asked, thread, answers


ENDS = {
    "cancel": (Outcome.CASHIER_ABORT, Phase.CANCELLED),
    "card": (Outcome.SHOPPER_CHOSE_CARD, Phase.CARD),
}


@pytest.mark.parametrize("key", ENDS)
@pytest.mark.parametrize(
    "phase",
    [Phase.OFFERED, Phase.CAPTURING, Phase.FACTOR, Phase.CONFIRM, Phase.AUTHORISING],
)
def test_cancel_and_card_are_answered_at_every_moment_and_charge_nothing(
    theatre: Theatre, payer: Cast, phase: Phase, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = theatre.terminal.wallet.balance(payer.account)  # type: ignore[arg-type]
    with silent_provider(theatre, monkeypatch) as speak:
        asked, thread, answers = at(theatre, payer, phase)
        if key == "cancel":
            theatre.terminal.checkout.cancel(asked.key)
        else:
            theatre.terminal.counter.choose_card()
        thread.join(5)
        # The answer is there although the provider has said nothing yet: how long it takes is measured
        # by benchmarks/cancel, a test machine that does other things as well cannot tell.
        assert not speak.is_set()
        assert [answer.outcome for answer in answers] == [ENDS[key][0]]
        assert theatre.terminal.counter.view.phase is ENDS[key][1]
    wait_until_free(theatre)
    assert theatre.terminal.wallet.balance(payer.account) == before  # type: ignore[arg-type]
    assert not theatre.terminal.journal.open_entries()

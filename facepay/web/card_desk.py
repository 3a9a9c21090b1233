"""Joins the card pages and Stripe's events to a terminal; nothing where the provider is another one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from facepay.psp.base import PspError
from facepay.receipts.qr import qr_address
from facepay.terminal import Terminal
from facepay.terminal.providers import stripe_client
from facepay.web.cards import CardForm, CardsUnavailable
from facepay.web.webhooks import Webhooks

if TYPE_CHECKING:
    from facepay.terminal.cards import AccountCards

T = TypeVar("T")
log = logging.getLogger(__name__)


class HostedCards:
    """The card desk of a terminal that charges cards at Stripe."""

    def __init__(self, cards: AccountCards) -> None:
        self._cards = cards

    def card(self, account: str) -> str:
        """See `CardDesk.card`."""
        return _asked(lambda: self._cards.card(account))

    def begin(self, account: str, done: str) -> CardForm:
        """See `CardDesk.begin`."""
        entry = _asked(lambda: self._cards.begin(account, done))
        return CardForm(entry.address, qr_address(entry.address))

    def finish(self, account: str) -> bool:
        """See `CardDesk.finish`."""
        return _asked(lambda: self._cards.finish(account))

    def remove(self, account: str) -> None:
        """See `CardDesk.remove`."""
        _asked(lambda: self._cards.remove(account))


def cards_of(terminal: Terminal) -> AccountCards | None:
    """The cards of this terminal's accounts, where its provider charges cards on file."""
    psp = terminal.settings.psp
    if psp.driver != "stripe":
        return None
    # The client is an extra: it is there whenever the provider could be built.
    from facepay.psp.stripe import CardsOnFile
    from facepay.terminal.cards import AccountCards

    client = stripe_client(psp.options, terminal.settings)
    return AccountCards(CardsOnFile(client), terminal.money.accounts)


def webhooks_of(terminal: Terminal) -> Webhooks | None:
    """Where Stripe's events are taken, once the settings have the endpoint's signing secret."""
    cards, secret = cards_of(terminal), terminal.settings.psp.webhook_secret
    if cards is None or not secret:
        return None
    from facepay.terminal.cards import StripeEvents

    return StripeEvents(secret.read(), cards, terminal.money.settlement)


def forget_card(terminal: Terminal, account: str) -> None:
    """Take the card of somebody who withdraws off at the provider; they leave whether it answers or not."""
    cards = cards_of(terminal)
    if cards is None:
        return
    payer = terminal.money.accounts.payer(account)
    try:
        cards.remove(account)
    except PspError as error:
        log.error("remove %s at Stripe by hand, it does not answer: %s", payer, error)


def _asked(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except PspError as error:
        log.warning("the card provider: %s", error)
        raise CardsUnavailable(str(error)) from error

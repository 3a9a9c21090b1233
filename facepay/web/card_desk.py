"""Joins the card pages and Stripe's events to a terminal; nothing where the provider is another one."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from facepay.psp.base import PspError
from facepay.receipts.qr import qr_address
from facepay.terminal import Terminal
from facepay.terminal.leaving import cards_of
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


def webhooks_of(terminal: Terminal) -> Webhooks | None:
    """Where Stripe's events are taken, once the settings have the endpoint's signing secret."""
    cards = cards_of(terminal.settings, terminal.money.accounts)
    secret = terminal.settings.psp.webhook_secret
    if cards is None or not secret:
        return None
    from facepay.terminal.cards import StripeEvents

    return StripeEvents(secret.read(), cards, terminal.money.settlement)


def _asked(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except PspError as error:
        log.warning("the card provider: %s", error)
        raise CardsUnavailable(str(error)) from error

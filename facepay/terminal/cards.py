"""Cards on file at Stripe for this terminal's accounts, and Stripe's events about them and about orders."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from facepay.accounts import Accounts
from facepay.psp.stripe import CardEntry, CardNotReady, CardsOnFile, is_card, read_webhook
from facepay.settlement import Settlement

DISPUTES = "charge.dispute."
CARD_ENTERED = frozenset({"checkout.session.completed", "setup_intent.succeeded"})

log = logging.getLogger(__name__)


class AccountCards:
    """The cards of the accounts of one terminal; methods raise PspError where Stripe does not answer."""

    def __init__(self, cards: CardsOnFile, accounts: Accounts) -> None:
        self._cards = cards
        self._accounts = accounts

    def card(self, account: str) -> str:
        """Brand and last digits of the card on file; empty without one."""
        payer = self._accounts.payer(account)
        try:
            return self._cards.describe(payer) if is_card(payer) else ""
        except CardNotReady:
            return ""

    def begin(self, account: str, done: str) -> CardEntry:
        """Open Stripe's page for a card of this account."""
        entry = self._cards.begin(account, done)
        self._accounts.set_card_entry(account, entry.session)
        return entry

    def finish(self, account: str) -> bool:
        """Put the card that was being entered on file; False while there is none. The former one goes."""
        session = self._accounts.card_entry(account)
        if session is None:
            return False
        try:
            payer = self._cards.finish(session)
        except CardNotReady:
            return False
        before = self._accounts.payer(account)
        self._accounts.set_payer(account, payer)
        if is_card(before) and before != payer:
            self._cards.remove(before)
        return True

    def remove(self, account: str) -> None:
        """Take the card off, at Stripe first: a card that nobody here knows of could not be removed later."""
        payer = self._accounts.payer(account)
        if is_card(payer):
            self._cards.remove(payer)
        self._accounts.set_payer(account, None)


class StripeEvents:
    """Takes Stripe's webhooks: looks at what an event is about, and asks Stripe itself what is true."""

    def __init__(
        self,
        secret: bytes,
        cards: AccountCards,
        settlement: Settlement,
        *,
        now_s: Callable[[], int] = lambda: int(time.time()),
    ) -> None:
        self._secret = secret
        self._cards = cards
        self._settlement = settlement
        self._now_s = now_s

    def take(self, body: bytes, signature: str) -> None:
        """Check the signature, then look.

        Raises:
            WebhookRefused: Wrong, missing or old signature, or no event.
            PspError: Stripe did not answer; it sends the event again.
        """
        event = read_webhook(body, signature, self._secret, now_s=self._now_s)
        if event.kind.startswith(DISPUTES):
            log.critical("a shopper disputes a charge at Stripe (%s): see its dashboard", event.reference)
        elif event.kind in CARD_ENTERED and event.account:
            self._cards.finish(event.account)
        elif event.key:
            self._settlement.finish()

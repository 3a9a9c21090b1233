"""How a payer leaves, whichever way: on their page, by the operator's command, or by not paying for long.

Template, code, limits and card on file go together; the books keep what the law asks for, without a face.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from facepay.accounts import Accounts
from facepay.erasure import Erasure
from facepay.gallery import EnrolledSubject
from facepay.psp.base import PspError
from facepay.settings import Settings
from facepay.terminal.providers import stripe_client

if TYPE_CHECKING:
    from facepay.terminal.cards import AccountCards

log = logging.getLogger(__name__)


class Leaving:
    """Lets payers of one merchant go."""

    def __init__(self, settings: Settings, erasure: Erasure, accounts: Accounts) -> None:
        self._settings = settings
        self._erasure = erasure
        self._accounts = accounts

    def leave(self, payer: EnrolledSubject) -> str:
        """Erase a payer and everything that their account kept; the signed deletion receipt.

        Raises:
            NotEnrolled: they have left already.
            AuditBroken: the log was altered; the payer is erased, and no receipt can be given.
        """
        receipt = self._erasure.erase(payer.subject)
        self._take_card_off(payer.account)
        self._accounts.forget(payer.account)
        return receipt

    def _take_card_off(self, account: str) -> None:
        # They leave whether the provider answers or not.
        cards = cards_of(self._settings, self._accounts)
        if cards is None:
            return
        payer = self._accounts.payer(account)
        try:
            cards.remove(account)
        except PspError as error:
            log.error("remove %s at Stripe by hand, it does not answer: %s", payer, error)


def cards_of(settings: Settings, accounts: Accounts) -> AccountCards | None:
    """The cards of the accounts, where the provider charges cards on file."""
    if settings.psp.driver != "stripe":
        return None
    # The client is an extra: it is there whenever the provider could be built.
    from facepay.psp.stripe import CardsOnFile
    from facepay.terminal.cards import AccountCards

    return AccountCards(CardsOnFile(stripe_client(settings.psp.options, settings)), accounts)

"""Puts a shopper's card on file by a setup intent; card numbers never touch this product."""

from __future__ import annotations

from dataclasses import dataclass, field

import stripe

from facepay.psp.base import PayerToken, PspError
from facepay.psp.stripe.client import ask


class CardNotReady(PspError):
    """The shopper has not finished entering the card, or the bank refused it; nothing is on file."""

    certain = True


@dataclass(frozen=True, slots=True)
class CardEntry:
    """A card being entered: `client_secret` goes to Stripe's own form in the shopper's browser."""

    setup_intent: str
    customer: str
    client_secret: str = field(repr=False)


class CardsOnFile:
    """Enrolment of cards at one Stripe account."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._api = client.v1

    def begin(self, account: str) -> CardEntry:
        """Start entering a card for an account, named to Stripe by its pseudonym only."""
        customer = ask(
            lambda: self._api.customers.create(
                {"metadata": {"facepay_account": account}}, {"idempotency_key": f"customer-{account}"}
            )
        )
        setup = ask(lambda: self._api.setup_intents.create({"customer": customer.id, "usage": "off_session"}))
        return CardEntry(setup.id, customer.id, str(setup.client_secret))

    def finish(self, entry: CardEntry) -> PayerToken:
        """The payer's token once the shopper has entered the card.

        Raises:
            CardNotReady: Not entered yet, refused, or a step-up is still open.
        """
        try:
            setup = ask(lambda: self._api.setup_intents.retrieve(entry.setup_intent))
        except stripe.InvalidRequestError as error:
            raise CardNotReady("Stripe does not know this card entry") from error
        method = setup.payment_method
        if setup.status != "succeeded" or method is None:
            raise CardNotReady(f"the card is not on file yet: {setup.status}")
        return PayerToken(f"{entry.customer}/{method if isinstance(method, str) else method.id}")

"""Puts a shopper's card on file by a setup intent, entered on Stripe's own hosted page.

The page is a Checkout session in setup mode: its address is opened in the shopper's browser or on their
phone, so that no card number touches this product and none of its pages runs anybody else's script.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import stripe

from facepay.psp.base import PayerToken, PspError
from facepay.psp.stripe.client import ask

ACCOUNT = "facepay_account"
"""Metadata by which Stripe's objects name an account of ours, by its pseudonym only."""


class CardNotReady(PspError):
    """The shopper has not finished entering the card, or the bank refused it; nothing is on file."""

    certain = True


@dataclass(frozen=True, slots=True)
class CardEntry:
    """A card being entered: `address` is Stripe's page, for this shopper and once."""

    session: str
    address: str = field(repr=False)


class CardsOnFile:
    """Enrolment of cards at one Stripe account."""

    def __init__(self, client: stripe.StripeClient) -> None:
        self._api = client.v1

    def begin(self, account: str, done: str) -> CardEntry:
        """Open Stripe's page for an account's card; it leads to the address `done` at its end."""
        named = {ACCOUNT: account}
        customer = ask(
            lambda: self._api.customers.create(
                {"metadata": named}, {"idempotency_key": f"customer-{account}"}
            )
        )
        session = ask(
            lambda: self._api.checkout.sessions.create(
                {
                    "mode": "setup",
                    "customer": customer.id,
                    "allowed_payment_method_types": ["card"],
                    "client_reference_id": account,
                    "metadata": named,
                    "setup_intent_data": {"metadata": named},
                    "success_url": done,
                    "cancel_url": done,
                }
            )
        )
        return CardEntry(session.id, str(session.url))

    def finish(self, session: str) -> PayerToken:
        """The payer's token once the shopper has entered the card.

        Raises:
            CardNotReady: Not entered yet, refused, expired, or a step-up is still open.
        """
        try:
            entered = ask(lambda: self._api.checkout.sessions.retrieve(session, {"expand": ["setup_intent"]}))
        except stripe.InvalidRequestError as error:
            raise CardNotReady("Stripe does not know this card entry") from error
        setup = entered.setup_intent
        if isinstance(setup, str):
            setup = self._setup(setup)
        if setup is None or setup.status != "succeeded" or setup.payment_method is None:
            raise CardNotReady(f"the card is not on file yet: {setup.status if setup else entered.status}")
        return PayerToken(f"{_id(entered.customer)}/{_id(setup.payment_method)}")

    def describe(self, payer: PayerToken) -> str:
        """Brand and last four digits, as the shopper knows the card."""
        try:
            method = ask(lambda: self._api.payment_methods.retrieve(payer.partition("/")[2]))
        except stripe.InvalidRequestError as error:
            raise CardNotReady("Stripe does not know this card any more") from error
        card = method.card
        return f"{card.brand} …{card.last4}" if card else ""

    def remove(self, payer: PayerToken) -> None:
        """Take a card off the account at Stripe; one that is gone already is fine."""
        try:
            ask(lambda: self._api.payment_methods.detach(payer.partition("/")[2]))
        except stripe.InvalidRequestError:
            return

    def _setup(self, setup_intent: str) -> stripe.SetupIntent:
        return ask(lambda: self._api.setup_intents.retrieve(setup_intent))


def is_card(payer: PayerToken) -> bool:
    """Whether a payer's token names a card on file: a customer and a payment method."""
    customer, _, method = payer.partition("/")
    return customer.startswith("cus_") and method.startswith("pm_")


def _id(thing: object) -> str:
    return thing if isinstance(thing, str) else str(getattr(thing, "id", ""))

"""Cards on file through Stripe: charged off-session with manual capture, by the official client.

The shopper's card was put on file by a setup intent at enrolment (`cards`), webhooks are read in
`webhooks`, and `provider` charges. A step-up (`requires_action`) cannot be answered at a till by face: it
is a decline, and the shopper pays by card.
"""

from facepay.psp.stripe.cards import CardEntry, CardNotReady, CardsOnFile, is_card
from facepay.psp.stripe.client import StripeAccount, open_client
from facepay.psp.stripe.provider import StripeProvider
from facepay.psp.stripe.webhooks import StripeEvent, read_webhook

__all__ = [
    "CardEntry",
    "CardNotReady",
    "CardsOnFile",
    "StripeAccount",
    "StripeEvent",
    "StripeProvider",
    "is_card",
    "open_client",
    "read_webhook",
]

"""The use case: a till asks for money, a shopper pays with the face, the till gets its answer.

`FaceSale.run` reads as the steps of one payment; `Checkout` is what the wires talk to.
"""

from facepay.checkout.checkout import Checkout
from facepay.checkout.parts import CheckoutParts, CheckoutTerms

__all__ = ["Checkout", "CheckoutParts", "CheckoutTerms"]

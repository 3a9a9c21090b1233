"""Moves money and writes down before each step what it is about to do.

`facepay.checkout` decides that a payment may be made; from there to the last cent everything happens
here: authorise, announce, capture or void, refund, and settle what a power cut left open.
"""

from facepay.settlement.asking import Patience
from facepay.settlement.orders import order_of
from facepay.settlement.refunds import (
    Actor,
    RefundOf,
    RefundRefused,
    Refunds,
    RefundTerms,
    Role,
    SecondPersonNeeded,
)
from facepay.settlement.settlement import Settled, Settlement

__all__ = [
    "Actor",
    "Patience",
    "RefundOf",
    "RefundRefused",
    "RefundTerms",
    "Refunds",
    "Role",
    "SecondPersonNeeded",
    "Settled",
    "Settlement",
    "order_of",
]

"""A prepaid wallet on the product's own database: top up, pay, refund, statement.

Double entry: every transaction's legs add up to 0, no balance of a payer, payee or pool goes below 0,
and everything happens once per key. It needs no network and no card scheme, so that the demonstration
and a canteen's closed loop run on it alone.
"""

from facepay.psp.ledger.books import Leg, Posting, Shortfall, UnbalancedPosting
from facepay.psp.ledger.provider import LedgerProvider
from facepay.psp.ledger.wallet import StatementLine, Wallet

__all__ = ["LedgerProvider", "Leg", "Posting", "Shortfall", "StatementLine", "UnbalancedPosting", "Wallet"]

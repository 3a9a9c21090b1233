"""The values that travel between a till's wire and the payment host.

Frozen and slotted. Amounts are whole minor units, never floats. Nothing here names a face, a
template or a score: a till learns an outcome, a masked account and at most a per-merchant pseudonym.
"""

from pos_adapter.types.adjustments import (
    AdjustmentOutcome,
    AdjustmentResponse,
    CurrencyTotals,
    RefundRequest,
    ReversalRequest,
    Totals,
)
from pos_adapter.types.exchanges import ExchangeKey, TransactionId
from pos_adapter.types.identities import IdentifyRequest, IdentifyResponse
from pos_adapter.types.money import MAX_MINOR, Money
from pos_adapter.types.outcomes import Outcome, ProgressStep, TerminalStatus
from pos_adapter.types.payments import PaymentRecord, PaymentRequest, PaymentResponse, Settlement

__all__ = [
    "MAX_MINOR",
    "AdjustmentOutcome",
    "AdjustmentResponse",
    "CurrencyTotals",
    "ExchangeKey",
    "IdentifyRequest",
    "IdentifyResponse",
    "Money",
    "Outcome",
    "PaymentRecord",
    "PaymentRequest",
    "PaymentResponse",
    "ProgressStep",
    "RefundRequest",
    "ReversalRequest",
    "Settlement",
    "TerminalStatus",
    "Totals",
    "TransactionId",
]

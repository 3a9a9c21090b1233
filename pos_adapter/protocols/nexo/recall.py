"""Answers as they are remembered: whole while money may move, in a few bytes after that.

A repeated request or a status question gets the recorded answer for 48 hours, so thousands of them are kept.
A payment's answer is held against the host's record each time it is told: an approval whose money went back
is none.
"""

from __future__ import annotations

import logging
import zlib
from dataclasses import dataclass

from pos_adapter.errors import PosError
from pos_adapter.protocols.nexo import answers, json_text
from pos_adapter.protocols.nexo.answers import Body
from pos_adapter.protocols.nexo.header import Header, time_text
from pos_adapter.protocols.nexo.options import NexoOptions
from pos_adapter.protocols.nexo.requests import PaymentOrder
from pos_adapter.sale import final_response
from pos_adapter.session import TransactionSession
from pos_adapter.types import ExchangeKey, Outcome, PaymentRecord, PaymentResponse

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Records:
    """What the host remembers, in nexo's words."""

    session: TransactionSession
    options: NexoOptions

    def find(self, key: ExchangeKey) -> PaymentRecord | None:
        """The host's record of a key; None also when the records cannot be read."""
        try:
            return self.session.host.find(key)
        except PosError:
            raise
        except Exception:
            _log.exception("the records cannot be read")
            return None

    def current(self, key: ExchangeKey) -> PaymentResponse | None:
        """The answer that is true now; None when nothing is recorded or the payment runs."""
        record = self.find(key)
        return final_response(record) if record else None

    def told_from(self, record: PaymentRecord, response: PaymentResponse) -> Body:
        """A payment's answer when the request's own words are gone, as after a restart."""
        key = record.request.key
        header = Header("Service", "Payment", "Response", key.till, key.terminal, key.exchange)
        return answers.payment_body(_order_of(record), header, response, self.options)


def _order_of(record: PaymentRecord) -> PaymentOrder:
    at = record.response.at if record.response else None
    identification: Body = {"TransactionID": record.request.reference}
    if at is not None:
        identification["TimeStamp"] = time_text(at)
    return PaymentOrder(
        amount=record.request.amount,
        sale_data={"SaleTransactionID": identification},
        reference=record.request.reference,
        operator=record.request.operator,
        partial_from=record.request.partial_from,
        is_refund=False,
        original=None,
        acquisition=None,
        token_wanted=False,
        brands=(),
        entry_modes=(),
        extra_minor=0,
    )


class Packed:
    """A body that does not change any more, as deflated JSON."""

    __slots__ = ("_data",)

    def __init__(self, body: Body) -> None:
        self._data = zlib.compress(json_text.encode(body))

    def __call__(self) -> Body:
        """The body."""
        return json_text.decode(zlib.decompress(self._data))

    def filed(self) -> Packed:
        """Itself: it is as small as it gets."""
        return self


@dataclass(frozen=True, slots=True)
class PaymentTold:
    """The answer to a PaymentRequest, with the request's own words, while its money may still move."""

    records: Records
    header: Header
    order: PaymentOrder
    response: PaymentResponse

    def __call__(self) -> Body:
        """The answer that is true now."""
        return self._body(self._current())

    def _current(self) -> PaymentResponse:
        return self.records.current(self.header.key) or self.response

    def _body(self, response: PaymentResponse) -> Body:
        return answers.payment_body(self.order, self.header, response, self.records.options)

    def filed(self) -> PaymentFiled | None:
        """The same in few bytes; None while the provider's result is unknown."""
        current = self._current()
        if current.outcome is Outcome.PROVIDER_UNKNOWN:
            return None
        return PaymentFiled(
            self.records, self.header.key, Packed(self._body(current)), current.outcome.is_approval
        )


@dataclass(frozen=True, slots=True)
class PaymentFiled:
    """The answer to a PaymentRequest whose money is settled."""

    records: Records
    key: ExchangeKey
    packed: Packed
    approved: bool

    def __call__(self) -> Body:
        """The answer as it was filed; from the record where the money has moved since."""
        record = self.records.find(self.key)
        response = final_response(record) if record else None
        if record is None or response is None or response.outcome.is_approval == self.approved:
            return self.packed()
        return self.records.told_from(record, response)

    def filed(self) -> PaymentFiled:
        """Itself."""
        return self

"""PaymentRequest, AbortRequest and TransactionStatusRequest.

The till has learned of an approval when its answer was written to a connection the till still held, or
when a status or a repeated request told it. An answer that did not get through waits for such a question,
then the money is voided.
"""

from __future__ import annotations

import hashlib
import logging
import time
from dataclasses import replace

from pos_adapter.errors import KeyReused, PosError, RequestInProgress, UpstreamUnreachable
from pos_adapter.protocols.nexo import answers, json_text, requests
from pos_adapter.protocols.nexo.answers import Body
from pos_adapter.protocols.nexo.envelope import Message
from pos_adapter.protocols.nexo.exchanges import Exchange
from pos_adapter.protocols.nexo.header import time_text
from pos_adapter.protocols.nexo.outcomes import SUCCESS
from pos_adapter.protocols.nexo.requests import PaymentOrder
from pos_adapter.protocols.nexo.terminal import Answer, Incoming, Terminal
from pos_adapter.session import SaleEvent, final_response
from pos_adapter.types import (
    ExchangeKey,
    Outcome,
    PaymentRecord,
    PaymentRequest,
    PaymentResponse,
    RefundRequest,
)
from pos_adapter.upstream import FALL_BACK

_log = logging.getLogger(__name__)
_SLICE_S = 0.5


def pay(terminal: Terminal, incoming: Incoming) -> Answer:
    """PaymentRequest; blocks until the payment ended. A repeated one gets the first one's answer.

    Raises:
        PosError: the request cannot become a payment.
    """
    message = incoming.message
    order = requests.read_payment(message.body)
    try:
        exchange, fresh = terminal.exchanges.open(message.header.key, fingerprint(message))
    except KeyReused as error:
        return Answer(answers.failure("Payment", "NotAllowed", str(error)))
    if not fresh:
        return _repeat(terminal, exchange)
    try:
        return (
            _refund(terminal, incoming, order, exchange)
            if order.is_refund
            else _sell(terminal, incoming, order, exchange)
        )
    except BaseException:
        terminal.exchanges.forget(exchange.key)
        raise


def fingerprint(message: Message) -> bytes:
    """Tells one request's content from another's."""
    return hashlib.sha256(json_text.encode(message.body)).digest()


def _repeat(terminal: Terminal, exchange: Exchange) -> Answer:
    exchange.ended.wait(terminal.options.sale_s)
    if exchange.answer is None:
        return Answer(answers.failure("Payment", "InProgress", "the payment is still running"))
    return Answer(exchange.answer(), learned=terminal.learning(exchange, exchange.key))


def _sell(terminal: Terminal, incoming: Incoming, order: PaymentOrder, exchange: Exchange) -> Answer:
    if refusal := _restriction(terminal, order):
        return _by_card(terminal, incoming, exchange) or _refuse(terminal, exchange, refusal)
    identity = None
    if order.acquisition is not None:
        header = incoming.message.header
        known = terminal.identities.find(order.acquisition, header.sale_id, header.poi_id)
        if known is None or known.identity is None:
            return _by_card(terminal, incoming, exchange) or _refuse(
                terminal,
                exchange,
                answers.failure("Payment", "NotFound", "the CardAcquisition is unknown or over"),
            )
        identity = known.identity
    request = PaymentRequest(
        exchange.key,
        order.amount,
        reference=order.reference,
        operator=order.operator,
        partial_from=order.partial_from,
        identity=identity,
        timeout_s=terminal.options.sale_s,
        possible_duplicate=_void_unlearned(terminal, exchange, order),
    )
    response = _run(terminal, exchange, request, order)
    if response is None:
        exchange.ended.set()
        return Answer(answers.failure("Payment", "InProgress", "the payment is still running"))
    if order.acquisition is not None and response.outcome is not Outcome.BUSY:
        # Who was identified pays once; the next payment looks again.
        terminal.identities.forget(exchange.key.till, exchange.key.terminal)
    return _told(terminal, incoming, exchange, order, response)


def _run(
    terminal: Terminal, exchange: Exchange, request: PaymentRequest, order: PaymentOrder
) -> PaymentResponse | None:
    try:
        sale = terminal.session.begin(request, _nobody)
    except RequestInProgress:
        return None
    exchange.sale, exchange.cancel = sale, sale.cancel
    deadline = time.monotonic() + request_limit(terminal)
    while (response := sale.wait(_SLICE_S)) is None:
        if time.monotonic() > deadline:
            # The host keeps the request's own time; this is the guard behind it.
            sale.cancel()
            deadline = float("inf")
    return response


def request_limit(terminal: Terminal) -> float:
    """Seconds after which a sale that does not end is aborted."""
    return terminal.options.sale_s + terminal.session.options.hold_unknown_s


def _told(
    terminal: Terminal, incoming: Incoming, exchange: Exchange, order: PaymentOrder, response: PaymentResponse
) -> Answer:
    if response.outcome in FALL_BACK and (forwarded := _by_card(terminal, incoming, exchange)):
        return forwarded
    header = incoming.message.header
    if response.outcome is Outcome.BUSY:
        running = [other.key.exchange for other in terminal.exchanges.running() if other is not exchange]
        text = f"busy with ServiceID {running[0]}" if running else "the terminal is busy"
        terminal.exchanges.forget(exchange.key)
        return Answer(answers.payment_body(order, header, replace(response, message=text), terminal.options))

    def current() -> Body:
        record = _record(terminal, exchange.key)
        now = (final_response(record) if record else None) or response
        return answers.payment_body(order, header, now, terminal.options)

    exchange.end(current)
    learning = terminal.learning(exchange, exchange.key)
    if incoming.hung_up():
        _log.warning("%s: the till hung up before its answer", exchange.key.text)
        learning(False)
        return Answer(current())
    return Answer(current(), learned=learning)


def _record(terminal: Terminal, key: ExchangeKey) -> PaymentRecord | None:
    try:
        return terminal.session.host.find(key)
    except PosError:
        raise
    except Exception:
        _log.exception("the records cannot be read")
        return None


def _restriction(terminal: Terminal, order: PaymentOrder) -> Body | None:
    brand = (terminal.options.brand or "facepay").lower()
    if order.brands and brand not in {name.lower() for name in order.brands}:
        return answers.failure("Payment", "PaymentRestriction", "the till allows other brands only")
    if order.entry_modes and "File" not in order.entry_modes:
        return answers.failure("Payment", "PaymentRestriction", "the till asks for a card")
    if order.extra_minor:
        return answers.failure("Payment", "PaymentRestriction", "no cash back and no tip by face")
    return None


def _refuse(terminal: Terminal, exchange: Exchange, body: Body) -> Answer:
    exchange.end(lambda: body)
    return Answer(body)


def _by_card(terminal: Terminal, incoming: Incoming, exchange: Exchange) -> Answer | None:
    """The card terminal's answer in our place; None without one."""
    if terminal.card is None:
        return None
    exchange.forwarded = True
    try:
        with terminal.session.occupied():
            raw = terminal.card.ask(incoming.raw, exchange.key.text)
    except UpstreamUnreachable as error:
        body = answers.failure("Payment", "UnreachableHost", str(error))
        return _refuse(terminal, exchange, body)
    exchange.ended.set()
    return Answer(raw=raw)


def _void_unlearned(terminal: Terminal, exchange: Exchange, order: PaymentOrder) -> bool:
    """A new ServiceID for a sale whose approval the till never got: that is voided, this is marked."""
    doubtful = False
    for other in terminal.exchanges.unlearned(order.reference, exchange.key):
        if other.sale is not None and other.sale.settle(False):
            doubtful = True
    exchange.reference = order.reference
    return doubtful


def _refund(terminal: Terminal, incoming: Incoming, order: PaymentOrder, exchange: Exchange) -> Answer:
    request = RefundRequest(exchange.key, order.original, amount=order.amount, reason="till")
    answer = terminal.session.host.refund(request)
    body = answers.refund_body(order, answer, incoming.message.header)
    return _refuse(terminal, exchange, body)


def abort(terminal: Terminal, incoming: Incoming) -> Answer:
    """AbortRequest: the answer is empty; the aborted request's own answer says Aborted."""
    header = incoming.message.header
    key = requests.read_reference(incoming.message.body, "AbortRequest", header)
    exchange = terminal.exchanges.find(key) if key else None
    if exchange is None:
        return Answer()
    if exchange.forwarded and terminal.card is not None:
        try:
            return Answer(raw=terminal.card.ask(incoming.raw, header.key.text))
        except UpstreamUnreachable:
            return Answer()
    if exchange.cancel is not None and not exchange.ended.is_set():
        exchange.cancel()
    return Answer()


def status(terminal: Terminal, incoming: Incoming) -> Answer:
    """TransactionStatusRequest: the recorded answer, still running, or never seen."""
    header = incoming.message.header
    key = requests.read_reference(incoming.message.body, "TransactionStatusRequest", header)
    exchange = (
        terminal.exchanges.find(key) if key else terminal.exchanges.latest(header.poi_id, header.sale_id)
    )
    if key is None and exchange is not None:
        key = exchange.key
    if key is None:
        return Answer(answers.failure("TransactionStatus", "NotFound", "no such transaction"))
    if exchange is not None and not exchange.ended.is_set():
        return Answer(_status_failure("InProgress", key))
    if exchange is not None and exchange.answer is not None:
        body = exchange.answer()
        if _is_unresolved(body):
            return Answer(_status_failure("InProgress", key))
        return Answer(_repeated(body, key), learned=terminal.learning(exchange, key))
    return _status_of_record(terminal, incoming, key, exchange)


def _status_of_record(
    terminal: Terminal, incoming: Incoming, key: ExchangeKey, exchange: Exchange | None
) -> Answer:
    record = _record(terminal, key)
    if terminal.card is not None and (record is None or (exchange is not None and exchange.forwarded)):
        try:
            return Answer(raw=terminal.card.ask(incoming.raw, incoming.message.header.key.text))
        except UpstreamUnreachable as error:
            return Answer(_status_failure("UnreachableHost", key, str(error)))
    if record is None:
        return Answer(_status_failure("NotFound", key))
    response = final_response(record)
    if response is None or response.outcome is Outcome.PROVIDER_UNKNOWN:
        return Answer(_status_failure("InProgress", key))
    order = _order_of(record)
    body = answers.payment_body(
        order, replace(incoming.message.header, service_id=key.exchange), response, terminal.options
    )
    return Answer(_repeated(body, key), learned=terminal.learning(exchange, key))


def _order_of(record: PaymentRecord) -> PaymentOrder:
    """What is known of a request after a restart."""
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


def _repeated(body: Body, key: ExchangeKey) -> Body:
    category = next(iter(body)).removesuffix("Response")
    repeated: Body = {
        "MessageHeader": {
            "ProtocolVersion": "3.0",
            "MessageClass": "Service",
            "MessageCategory": category,
            "MessageType": "Response",
            "ServiceID": key.exchange,
            "SaleID": key.till,
            "POIID": key.terminal,
        },
        "RepeatedResponseMessageBody": body,
    }
    reference = _reference(key, category)
    return {
        "TransactionStatusResponse": {
            "Response": answers.response(SUCCESS),
            "MessageReference": reference,
            "RepeatedMessageResponse": repeated,
        }
    }


def _status_failure(condition: str, key: ExchangeKey, text: str = "") -> Body:
    return answers.failure("TransactionStatus", condition, text, MessageReference=_reference(key, "Payment"))


def _is_unresolved(body: Body) -> bool:
    for member in body.values():
        block = member.get("Response") if isinstance(member, dict) else None
        if isinstance(block, dict) and block.get("ErrorCondition") == "InProgress":
            return True
    return False


def _reference(key: ExchangeKey, category: str) -> Body:
    return {
        "MessageCategory": category,
        "ServiceID": key.exchange,
        "SaleID": key.till,
        "POIID": key.terminal,
    }


def _nobody(event: SaleEvent) -> None:
    """The HTTP thread waits for the sale itself."""

"""PaymentRequest: a sale, a refund, or the first one's answer again.

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
from pos_adapter.protocols.nexo.recall import Packed, PaymentTold
from pos_adapter.protocols.nexo.requests import PaymentOrder
from pos_adapter.protocols.nexo.terminal import Answer, Incoming, Terminal
from pos_adapter.sale import SaleEvent
from pos_adapter.types import (
    AdjustmentOutcome,
    AdjustmentResponse,
    Outcome,
    PaymentRequest,
    PaymentResponse,
    RefundRequest,
)
from pos_adapter.upstream import FALL_BACK

_log = logging.getLogger(__name__)
_SLICE_S = 0.5
_NOT_OURS = (AdjustmentOutcome.NOT_FOUND, AdjustmentOutcome.NOT_POSSIBLE)


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
        return _repeat(terminal, incoming, exchange)
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


def _repeat(terminal: Terminal, incoming: Incoming, exchange: Exchange) -> Answer:
    exchange.ended.wait(terminal.options.sale_s)
    if exchange.forwarded and exchange.answer is None:
        # The card terminal has the answer, and its own rule for a request that comes again.
        return terminal.by_card(incoming, exchange.key.text)
    if exchange.answer is None:
        return Answer(answers.failure("Payment", "InProgress", "the payment is still running"))
    return Answer(exchange.answer(), learning=terminal.learning(exchange, exchange.key))


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
    exchange.begin(sale.cancel, sale)
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

    told = PaymentTold(terminal.records, header, order, response)
    exchange.note(response)
    exchange.end(told)
    learning = terminal.learning(exchange, exchange.key)
    if incoming.request.hung_up():
        _log.warning("%s: the till hung up before its answer", exchange.key.text)
        learning.learned(sent=False)
        return Answer(told())
    return Answer(told(), learning=learning)


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
    exchange.end(Packed(body))
    return Answer(body)


def _by_card(terminal: Terminal, incoming: Incoming, exchange: Exchange) -> Answer | None:
    """The card terminal's answer in our place; None without one."""
    if terminal.card is None:
        return None
    exchange.forwarded = True
    try:
        with terminal.session.occupied():
            answer = terminal.by_card(incoming, exchange.key.text)
    except UpstreamUnreachable as error:
        body = answers.failure("Payment", "UnreachableHost", str(error))
        return _refuse(terminal, exchange, body)
    exchange.ended.set()
    return answer


def _void_unlearned(terminal: Terminal, exchange: Exchange, order: PaymentOrder) -> bool:
    """A new ServiceID for a sale whose approval the till never got: that is voided, this is marked."""
    doubtful = False
    for other in terminal.exchanges.unlearned(order.reference, exchange.key):
        sale = other.sale
        if sale is not None and sale.settle(False):
            doubtful = True
    left = terminal.session.left_telling(exchange.key.wire, exchange.key.till)
    if left is not None and left.request.reference == order.reference and left.request.key != exchange.key:
        # An earlier run died while telling it, and the till pays anew instead of asking: it was cut off.
        if left.response is not None and left.response.transaction is not None:
            terminal.session.host.acknowledge(left.response.transaction, False)
        doubtful = True
    exchange.reference = order.reference
    return doubtful


def _refund(terminal: Terminal, incoming: Incoming, order: PaymentOrder, exchange: Exchange) -> Answer:
    request = RefundRequest(exchange.key, order.original, amount=order.amount, reason="till")
    try:
        answer = terminal.session.host.refund(request)
    except PosError:
        raise
    except Exception:
        if terminal.card is None:
            raise
        _log.exception("the payment host failed to give money back; the card terminal is asked")
        answer = AdjustmentResponse(AdjustmentOutcome.NOT_FOUND, terminal.session.now())
    if answer.outcome in _NOT_OURS and (forwarded := _by_card(terminal, incoming, exchange)):
        return forwarded
    return _refuse(terminal, exchange, answers.refund_body(order, answer, incoming.message.header))


def _nobody(event: SaleEvent) -> None:
    """The HTTP thread waits for the sale itself."""

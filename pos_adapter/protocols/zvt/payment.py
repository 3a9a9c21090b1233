"""06 01 Authorisation: from the till's order to the acknowledgement that decides money.

A payment is final when the till has learned of it (`announcing`). Without that the authorisation is voided,
unless the till takes part in receipt synchronisation (TLV 1F1F): then its next command says whether it
learned.
"""

from __future__ import annotations

import logging
from dataclasses import replace

from pos_adapter.currencies import currency_of
from pos_adapter.errors import LinkError, MalformedMessage, UnknownCurrency
from pos_adapter.protocols.zvt import answers, tlv
from pos_adapter.protocols.zvt.announcing import Receipt, Verdict, announce
from pos_adapter.protocols.zvt.answers import StatusInformation
from pos_adapter.protocols.zvt.bcd import decode_bcd
from pos_adapter.protocols.zvt.commands import CARD_ITEM_WANTED, PARTIAL_ALLOWED, RECEIPT_SYNC, Order
from pos_adapter.protocols.zvt.dialogue import AUTO_REVERSAL, Dialogue
from pos_adapter.protocols.zvt.forward import forward_accepted
from pos_adapter.protocols.zvt.outcomes import OUTCOMES, SYSTEM_ERROR
from pos_adapter.protocols.zvt.terminal import Terminal
from pos_adapter.sale import Sale
from pos_adapter.types import Money, Outcome, PaymentRequest, PaymentResponse, RefundRequest, Settlement
from pos_adapter.upstream import FALL_BACK

_log = logging.getLogger(__name__)
_HIGHEST_RECEIPT = 9999


def authorise(terminal: Terminal, dialogue: Dialogue, order: Order) -> None:
    """06 01.

    Raises:
        PosError: the order is refused before it was accepted, or the link failed.
    """
    request = payment_request(terminal, order)
    settle_previous(terminal, order)
    with terminal.session.begin(request, dialogue.inbox.put) as sale:
        if sale.response is not None and sale.response.outcome is Outcome.BUSY:
            dialogue.refuse(OUTCOMES[Outcome.BUSY].refusal)
            return
        terminal.abort_running = sale.cancel
        try:
            dialogue.accept()
            response = dialogue.wait(lambda: sale.response, sale.cancel)
        finally:
            terminal.abort_running = None
        if response.outcome.is_approval:
            _conclude(terminal, dialogue, order, sale)
            return
    if terminal.upstream is not None and response.outcome in FALL_BACK:
        forward_accepted(terminal, terminal.upstream, dialogue, order.message, request.key)
    else:
        decline(terminal, dialogue, response)


def payment_request(terminal: Terminal, order: Order) -> PaymentRequest:
    """The order as the payment host takes it.

    Raises:
        MalformedMessage: there is no amount.
        UnknownCurrency: not the currency of this terminal.
        AmountNotRepresentable: the amount is zero.
    """
    if order.amount_minor is None:
        raise MalformedMessage("an authorisation without an amount (BMP 04)")
    amount = Money(order.amount_minor, require_currency(terminal, order)).require_payable()
    flags = order.item(PARTIAL_ALLOWED)
    partial = Money(1, amount.currency) if flags is not None and any(flags) else None
    return PaymentRequest(terminal.new_key(), amount, partial_from=partial)


def require_currency(terminal: Terminal, order: Order) -> str:
    """The terminal's currency; raises UnknownCurrency when the till names another."""
    own = currency_of(terminal.options.currency)
    if order.currency_number is not None and order.currency_number != int(own.numeric):
        raise UnknownCurrency(f"this terminal takes {own.alpha3} ({own.numeric}) only")
    return own.alpha3


def _conclude(terminal: Terminal, dialogue: Dialogue, order: Order, sale: Sale) -> None:
    response = sale.response
    if response is None or response.authorised is None:
        return
    if response.outcome is Outcome.PARTIAL and sale.request.partial_from is None:
        sale.settle(learned=False)
        dialogue.finish(answers.aborted(SYSTEM_ERROR))
        return
    in_sync = order.item(RECEIPT_SYNC) is not None
    status = approval_status(terminal, order, response)
    if in_sync:
        sale.telling(till_will_say=True)
    try:
        verdict = announce(terminal, dialogue, order, status, Receipt("payment", status, response.authorised))
    except LinkError:
        if in_sync:
            sale.keep()
        raise
    if verdict.learned:
        dialogue.aside(lambda: _settle_delivered(terminal, sale, response, verdict))
        dialogue.finish(answers.completion())
        return
    dialogue.sign(AUTO_REVERSAL)
    dialogue.aside(lambda: sale.settle(learned=False))
    dialogue.finish(answers.aborted(verdict.reason))


def _settle_delivered(terminal: Terminal, sale: Sale, response: PaymentResponse, verdict: Verdict) -> None:
    """Capture; what the till says it did not deliver goes back at once (84 9D)."""
    authorised, delivered = response.authorised, verdict.delivered_minor
    if delivered == 0:
        sale.settle(learned=False)
        return
    sale.settle(learned=True)
    if authorised is None or delivered is None or delivered >= authorised.minor:
        return
    rest = replace(authorised, minor=authorised.minor - delivered)
    refund = RefundRequest(terminal.new_key(), response.transaction, amount=rest, reason="not delivered")
    outcome = terminal.session.host.refund(refund).outcome
    _log.info("partial delivery of %s: the rest went back: %s", response.transaction, outcome.value)


def decline(terminal: Terminal, dialogue: Dialogue, response: PaymentResponse) -> None:
    """04 0F with the reason where the outcome has one, then 06 1E."""
    row = OUTCOMES[response.outcome]
    if row.status is not None:
        number = int(currency_of(response.requested.currency).numeric)
        status = StatusInformation(row.status, response.requested.minor, currency_number=number)
        dialogue.tell(answers.status_information(status))
    dialogue.finish(answers.aborted(row.abort if row.abort is not None else SYSTEM_ERROR))


def approval_status(terminal: Terminal, order: Order, response: PaymentResponse) -> StatusInformation:
    """The 04 0F of an approval, with TLV only where this order carried TLV."""
    amount = response.authorised or response.requested
    status = StatusInformation(
        result=0,
        amount_minor=amount.minor,
        trace=response.receipt_number,
        at=response.at.astimezone(),
        payment_type=answers.PAID_ONLINE,
        terminal_id=terminal.options.terminal_id,
        approval_code=response.approval_code,
        currency_number=int(currency_of(amount.currency).numeric),
        receipt=response.receipt_number,
        card_name=terminal.options.name,
    )
    if not order.has_container:
        # A till may send TLV when it registers and yet stop at a tag of 04 0F that it does not know.
        return status
    items = (
        tlv.Tlv(answers.CARD_TYPE_ID, bytes([answers.OTHER_CARD])),
        tlv.Tlv(answers.VERIFICATION, answers.VERIFICATION_UNKNOWN),
    )
    status = replace(status, container=items)
    if response.pseudonym and order.item(CARD_ITEM_WANTED) is not None:
        status = answers.with_card_item(status, response.pseudonym)
    if response.receipt_number is not None and order.item(RECEIPT_SYNC) is not None:
        status = answers.with_receipt_sync(status, response.receipt_number)
    return status


def settle_previous(terminal: Terminal, order: Order) -> None:
    """Receipt synchronisation: TLV 1F1F says which receipt the till learned of last.

    Equal to ours: it learned. Exactly one behind: it did not, and our last approval is voided. Anything
    else says nothing.
    """
    value = order.item(RECEIPT_SYNC)
    if not value:
        return
    record = terminal.latest()
    response = record.response if record else None
    if record is None or response is None or response.receipt_number is None or response.transaction is None:
        return
    if record.settlement is Settlement.PENDING:
        told, ours = decode_bcd(value), response.receipt_number
        if told in (ours, _before(ours)):
            terminal.session.host.acknowledge(response.transaction, told == ours)


def _before(receipt_number: int) -> int:
    return receipt_number - 1 if receipt_number > 1 else _HIGHEST_RECEIPT

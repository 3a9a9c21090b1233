"""The orders that look back: reversal, refund, repeat receipt, end of day, totals."""

from __future__ import annotations

from pos_adapter.currencies import currency_of
from pos_adapter.errors import MalformedMessage
from pos_adapter.protocols.zvt import answers, receipt
from pos_adapter.protocols.zvt.announcing import Receipt, announce, print_receipt
from pos_adapter.protocols.zvt.answers import StatusInformation
from pos_adapter.protocols.zvt.commands import Command, Config, Order, Service
from pos_adapter.protocols.zvt.dialogue import Dialogue
from pos_adapter.protocols.zvt.forward import forward_accepted
from pos_adapter.protocols.zvt.outcomes import (
    ABORTED,
    ADJUSTMENTS,
    NOT_POSSIBLE,
    OUTCOMES,
    RECEIVER_NOT_READY,
    REVERSAL_NOT_POSSIBLE,
)
from pos_adapter.protocols.zvt.payment import approval_status, require_currency, settle_previous
from pos_adapter.protocols.zvt.terminal import Terminal
from pos_adapter.sale import final_response
from pos_adapter.types import (
    AdjustmentOutcome,
    AdjustmentResponse,
    Money,
    PaymentRecord,
    PaymentResponse,
    RefundRequest,
    ReversalRequest,
    Settlement,
    Totals,
)

_NOT_OURS = (AdjustmentOutcome.NOT_FOUND, AdjustmentOutcome.NOT_POSSIBLE)


def reverse(terminal: Terminal, dialogue: Dialogue, order: Order) -> None:
    """06 30: undo the payment with this receipt number, whole or not at all."""
    number = order.receipt
    if number is None:
        raise MalformedMessage("a reversal without a receipt number (BMP 87)")
    settle_previous(terminal, order)
    dialogue.accept()
    host = terminal.session.host
    record = terminal.if_it_can(lambda: dialogue.aside(lambda: host.find_receipt(number)))
    if record is None and terminal.upstream is not None:
        forward_accepted(terminal, terminal.upstream, dialogue, order.message, terminal.new_key())
        return
    if record is not None and not _same_amount(record, order):
        dialogue.finish(answers.aborted(REVERSAL_NOT_POSSIBLE))
        return
    request = ReversalRequest(terminal.new_key(), receipt_number=number, reason="till")
    _conclude(terminal, dialogue, order, "reversal", dialogue.aside(lambda: host.reverse(request)))


def refund(terminal: Terminal, dialogue: Dialogue, order: Order) -> None:
    """06 31: give an amount back, of the payment with the receipt number when one is given."""
    currency = require_currency(terminal, order)
    if order.amount_minor is None:
        raise MalformedMessage("a refund without an amount (BMP 04)")
    amount = Money(order.amount_minor, currency).require_payable()
    settle_previous(terminal, order)
    dialogue.accept()
    host = terminal.session.host
    request = RefundRequest(terminal.new_key(), receipt_number=order.receipt, amount=amount, reason="till")
    done = terminal.if_it_can(lambda: dialogue.aside(lambda: host.refund(request)))
    refused = done is None or done.outcome in _NOT_OURS
    if refused and terminal.upstream is not None:
        forward_accepted(terminal, terminal.upstream, dialogue, order.message, request.key)
    elif done is not None:
        _conclude(terminal, dialogue, order, "refund", done)


def _conclude(
    terminal: Terminal, dialogue: Dialogue, order: Order, title: str, done: AdjustmentResponse
) -> None:
    row = ADJUSTMENTS[done.outcome]
    if row.abort is not None:
        dialogue.finish(answers.aborted(row.abort))
        return
    amount = done.amount
    number = currency_of(amount.currency if amount else terminal.options.currency).numeric
    status = StatusInformation(
        result=0,
        amount_minor=amount.minor if amount else None,
        trace=done.receipt_number,
        at=done.at.astimezone(),
        payment_type=answers.PAID_ONLINE,
        terminal_id=terminal.options.terminal_id,
        currency_number=int(number),
        receipt=done.receipt_number,
        card_name=terminal.options.name,
    )
    # The money is back already, so the till's answers change nothing any more.
    announce(terminal, dialogue, order, status, Receipt(title, status, amount) if amount else None)
    dialogue.finish(answers.completion())


def _same_amount(record: PaymentRecord, order: Order) -> bool:
    authorised = record.response.authorised if record.response else None
    return order.amount_minor is None or (authorised is not None and authorised.minor == order.amount_minor)


def repeat_receipt(terminal: Terminal, dialogue: Dialogue, order: Order) -> None:
    """06 20: the last payment again; service bit 0 asks for its 04 0F, bit 1 for no print.

    A till that acknowledges the repeated 04 0F of an approval still open has learned of it now.
    """
    if terminal.last_sale_by_card and terminal.upstream is not None:
        dialogue.accept()
        forward_accepted(terminal, terminal.upstream, dialogue, order.message, terminal.new_key())
        return
    settle_previous(terminal, order)
    record = terminal.latest()
    if record is None and terminal.upstream is not None:
        dialogue.accept()
        forward_accepted(terminal, terminal.upstream, dialogue, order.message, terminal.new_key())
        return
    if record is None:
        dialogue.refuse(NOT_POSSIBLE)
        return
    response = final_response(record)
    if response is None:
        dialogue.refuse(RECEIVER_NOT_READY)
        return
    dialogue.accept()
    if not response.outcome.is_approval:
        _repeat_decline(dialogue, order, response)
        return
    learned = _repeat_approval(terminal, dialogue, order, response)
    transaction = response.transaction
    if record.settlement is Settlement.PENDING and learned and transaction is not None:
        dialogue.aside(lambda: terminal.session.host.acknowledge(transaction, learned=True))
    dialogue.finish(answers.completion())


def _repeat_approval(terminal: Terminal, dialogue: Dialogue, order: Order, response: PaymentResponse) -> bool:
    status = approval_status(terminal, order, response)
    paper = Receipt("copy", status, response.authorised or response.requested)
    paper_wanted = None if order.service & Service.NO_PRINT else paper
    if order.service & Service.STATUS_AGAIN:
        return announce(terminal, dialogue, order, status, paper_wanted).learned
    if paper_wanted is not None:
        lines = receipt.payment_lines(terminal.options, paper.title, status, paper.amount)
        print_receipt(terminal, dialogue, lines, Config.PAYMENT_RECEIPT_AT_TILL)
    return False


def _repeat_decline(dialogue: Dialogue, order: Order, response: PaymentResponse) -> None:
    row = OUTCOMES[response.outcome]
    if order.service & Service.STATUS_AGAIN:
        status = StatusInformation(
            result=row.status or ABORTED,
            amount_minor=response.requested.minor,
            currency_number=int(currency_of(response.requested.currency).numeric),
            receipt=response.receipt_number,
        )
        dialogue.tell(answers.status_information(status))
    dialogue.finish(answers.completion())


def end_of_day(terminal: Terminal, dialogue: Dialogue, order: Order) -> None:
    """06 50 closes the period, 06 10 only tells its figures; with a card terminal behind, it closes too."""
    closing = order.command is Command.END_OF_DAY
    dialogue.accept()
    totals = terminal.if_it_can(lambda: dialogue.aside(lambda: terminal.session.host.totals(closing)))
    title = "close" if closing else "totals"
    if totals is not None:
        lines = receipt.totals_lines(terminal.options, title, totals)
        print_receipt(terminal, dialogue, lines, Config.ADMIN_RECEIPT_AT_TILL)
    if terminal.upstream is not None:
        forward_accepted(terminal, terminal.upstream, dialogue, order.message, terminal.new_key())
        return
    if totals is not None:
        dialogue.tell(answers.status_information(_totals_status(terminal, totals)))
    dialogue.finish(answers.completion())


def _totals_status(terminal: Terminal, totals: Totals) -> StatusInformation:
    own = currency_of(terminal.options.currency)
    rows = [row for row in totals.currencies if row.paid.currency == own.alpha3]
    count = sum(row.payments + row.refunds for row in rows)
    net = sum(row.paid.minor - row.refunded.minor for row in rows)
    # BCD has no sign: a day with more refunds than sales shows zero here and its figures in print.
    shown = max(net, 0)
    return StatusInformation(
        result=0,
        amount_minor=shown,
        at=totals.until.astimezone(),
        terminal_id=terminal.options.terminal_id,
        currency_number=int(own.numeric),
        totals=answers.individual_totals(0, 0, count, shown),
    )

"""04 0F and the print lines: what the till answers to them decides whether it learned of a payment.

A payment is final when the till acknowledges 04 0F and, where the terminal sends print lines, each of
them (PA00P015 section 4).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from pos_adapter.errors import LinkTimeout, MalformedMessage
from pos_adapter.protocols.zvt import answers, bmp, receipt
from pos_adapter.protocols.zvt.answers import StatusInformation
from pos_adapter.protocols.zvt.apdu import Apdu
from pos_adapter.protocols.zvt.bcd import decode_bcd
from pos_adapter.protocols.zvt.commands import Command, Config, Order
from pos_adapter.protocols.zvt.dialogue import Dialogue, Reply
from pos_adapter.protocols.zvt.outcomes import ABORTED, PRINTER_NOT_READY
from pos_adapter.protocols.zvt.terminal import Terminal
from pos_adapter.types import Money

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the till made of an announcement: learned or not, how much it delivered, why not."""

    learned: bool
    delivered_minor: int | None = None
    reason: int = ABORTED


@dataclass(frozen=True, slots=True)
class Receipt:
    """What would be printed after a status: title, figures and amount."""

    title: str
    status: StatusInformation
    amount: Money


def announce(
    terminal: Terminal, dialogue: Dialogue, order: Order, status: StatusInformation, paper: Receipt | None
) -> Verdict:
    """Send 04 0F and the print lines; what the till answers decides the money."""
    verdict = _announce_status(dialogue, order, answers.status_information(status))
    if not verdict.learned or paper is None:
        return verdict
    lines = receipt.payment_lines(terminal.options, paper.title, paper.status, paper.amount)
    return print_receipt(terminal, dialogue, lines, Config.PAYMENT_RECEIPT_AT_TILL) or verdict


def _announce_status(dialogue: Dialogue, order: Order, message: Apdu) -> Verdict:
    times = dialogue.times
    timeout_s = float(order.fields[bmp.TIMEOUT][0]) if bmp.TIMEOUT in order.fields else 0.0
    attempts = order.fields[bmp.MAX_STATUS][0] if bmp.MAX_STATUS in order.fields else 0
    for _ in range(attempts or times.repeat_status_at_most):
        answer = dialogue.ask(message, timeout_s or times.acknowledgement_s)
        if answer is Reply.SILENCE:
            raise LinkTimeout("the till did not answer the status information")
        if answer is Reply.ABORT:
            return Verdict(learned=False)
        if answer.command == Command.PARTIAL_DELIVERY:
            return _partial_delivery(answer)
        if answer.command != Command.WAIT:
            return Verdict(learned=answer.command in (Command.POSITIVE, 0x8400))
        if dialogue.pause(times.repeat_status_s) is Reply.ABORT:
            return Verdict(learned=False)
    return Verdict(learned=False)


def _partial_delivery(answer: Apdu) -> Verdict:
    """84 9D: the goods were delivered in part; never reversed, even when the amount is unreadable."""
    try:
        amount = bmp.decode(answer.data).get(bmp.AMOUNT)
        return Verdict(learned=True, delivered_minor=None if amount is None else decode_bcd(amount))
    except MalformedMessage:
        _log.warning("a partial delivery without a readable amount; all of it is captured")
        return Verdict(learned=True)


def print_receipt(
    terminal: Terminal, dialogue: Dialogue, lines: Sequence[str], wanted: Config
) -> Verdict | None:
    """Send the lines if the till prints this kind of receipt; a Verdict when it could not."""
    registration = terminal.registration
    if Config.PRINT_COMMANDS not in registration.config or wanted not in registration.config:
        return None
    messages = answers.print_lines(lines)
    if Command.PRINT_BLOCK in registration.permitted:
        merchant = wanted is Config.PAYMENT_RECEIPT_AT_TILL
        kind = answers.RECEIPT_PAYMENT_MERCHANT if merchant else answers.RECEIPT_ADMIN
        messages = (answers.print_block(lines, kind),)
    for message in messages:
        answer = dialogue.ask(message, dialogue.times.t3_s)
        if answer is Reply.SILENCE:
            raise LinkTimeout("the till did not acknowledge a print line")
        if answer is Reply.ABORT:
            return Verdict(learned=False)
        if answer.command not in (Command.POSITIVE, 0x8400):
            return Verdict(learned=False, reason=PRINTER_NOT_READY)
    return None

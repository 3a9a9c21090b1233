"""A cash desk on a Concert line: a serial port, or TCP where a converter carries the line."""

from __future__ import annotations

from pos_adapter.base import Link
from pos_adapter.errors import BadRequest, LinkClosed
from pos_adapter.protocols.concert.messages import Answer, Kind, Request, Result
from pos_adapter.serial_link import SerialLink, SerialOptions
from pos_adapter.simulator.concert_till import ConcertTill
from pos_adapter.simulator.desks import (
    Action,
    DeskOptions,
    Order,
    Told,
    host_and_port,
    not_on_this_wire,
    require_amount,
)
from pos_adapter.tcp_link import connect_tcp

_KINDS = {Action.PAY: Kind.DEBIT, Action.REVERSE: Kind.CANCEL, Action.REFUND: Kind.CREDIT}


class ConcertDesk:
    """Opens the line for each action and closes it after."""

    def __init__(self, options: DeskOptions) -> None:
        self._options = options

    def act(self, order: Order) -> Told:
        """One action; see `CashDesk`."""
        if order.action is not Action.STATUS and order.action not in _KINDS:
            raise not_on_this_wire(order, "concert")
        link = self._open()
        try:
            with ConcertTill(link) as till:
                if order.action is Action.STATUS:
                    there = till.is_there()
                    return Told(
                        there, "the terminal answers" if there else "no answer: busy, off or unplugged"
                    )
                request = Request(self._options.till, require_amount(order), kind=_KINDS[order.action])
                # Who pulls a serial line is not noticed: there the sale is stopped at the terminal.
                order.begun("", None if self._options.port else link.close)
                return _told(till.ask(request, patience_s=order.patience_s))
        except LinkClosed:
            return Told(False, "the connection ended without an answer: look at the terminal")
        finally:
            link.close()

    def _open(self) -> Link:
        if self._options.port:
            return SerialLink(SerialOptions(self._options.port, baud=self._options.baud))
        if self._options.address:
            return connect_tcp(*host_and_port(self._options.address, 9100))
        raise BadRequest("Concert needs a serial port: --port /dev/ttyUSB0")


def _told(answer: Answer | None) -> Told:
    if answer is None:
        return Told(False, "no answer: look at the terminal")
    words = {Result.OK: "done", Result.NOT_DONE: "not done", Result.NOT_VERIFIED: "not verified"}
    text = f"{words[answer.result]}: {answer.amount} {(answer.report or '').strip()}".rstrip()
    document = {"result": answer.result.value, "amount": str(answer.amount), "report": answer.report}
    return Told(answer.result is Result.OK, text, document)


def open_desk(options: DeskOptions) -> ConcertDesk:
    """A desk on `options.port`, or on `options.address` behind a serial-to-network converter."""
    return ConcertDesk(options)

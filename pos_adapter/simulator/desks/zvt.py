"""A cash desk on ZVT: TCP to port 20007, or a serial line of 9600 or 115200 baud with two stop bits."""

from __future__ import annotations

from pos_adapter.base import Link
from pos_adapter.currencies import currency_of
from pos_adapter.errors import BadRequest, UnknownCurrency
from pos_adapter.protocols.zvt.answers import StatusInformation
from pos_adapter.protocols.zvt.outcomes import (
    ABORTED,
    ALREADY_REVERSED,
    HOST_DECLINED,
    NO_CONNECTION,
    NOT_POSSIBLE,
    PROTOCOL_ERROR,
    READER_DEFECTIVE,
    RECEIVER_NOT_READY,
    REVERSAL_NOT_POSSIBLE,
    SYSTEM_ERROR,
    WRONG_CURRENCY,
)
from pos_adapter.protocols.zvt.session import TCP_PORT
from pos_adapter.serial_link import SerialLink, SerialOptions
from pos_adapter.simulator.desks import (
    Action,
    DeskOptions,
    Order,
    Told,
    host_and_port,
    require_amount,
    require_transaction,
)
from pos_adapter.simulator.zvt_till import ABORT, ZvtExchange, ZvtTill
from pos_adapter.tcp_link import connect_tcp
from pos_adapter.types import Money

_READY = 0x00
_RECEIPT_NUMBER = "the payment's receipt number: --transaction 1..9999"
_MEANINGS = {
    HOST_DECLINED: " (declined)",
    ABORTED: " (aborted)",
    WRONG_CURRENCY: " (wrong currency)",
    NOT_POSSIBLE: " (not supported)",
    PROTOCOL_ERROR: " (malformed)",
    RECEIVER_NOT_READY: " (busy)",
    NO_CONNECTION: " (no connection)",
    ALREADY_REVERSED: " (already reversed)",
    REVERSAL_NOT_POSSIBLE: " (nothing to reverse)",
    READER_DEFECTIVE: " (out of order)",
    SYSTEM_ERROR: " (the terminal failed)",
}


class ZvtDesk:
    """Opens the line for each action, registers, and closes it after."""

    def __init__(self, options: DeskOptions) -> None:
        self._options = options

    def act(self, order: Order) -> Told:
        """One action; see `CashDesk`."""
        link = open_line(self._options)
        try:
            with ZvtTill(link, serial=bool(self._options.port), patience_s=order.patience_s) as till:
                return _act(till, order)
        finally:
            link.close()


def open_line(options: DeskOptions) -> Link:
    """The link that the options name; raises BadRequest when they name none."""
    if options.port:
        return SerialLink(SerialOptions(options.port, baud=options.baud, stop_bits=2))
    if options.address:
        return connect_tcp(*host_and_port(options.address, TCP_PORT))
    raise BadRequest(f"ZVT needs --address HOST:{TCP_PORT} or a serial port: --port /dev/ttyUSB0")


def _act(till: ZvtTill, order: Order) -> Told:
    if order.action is Action.STATUS:
        exchange = till.status()
        ready = exchange.success and exchange.completion[-1:] == bytes([_READY])
        return _told(exchange, ready, "ready" if ready else "not ready")
    if order.action is Action.ABORT:
        exchange = till.send(ABORT)
        return _told(exchange, exchange.success, "abort taken" if exchange.success else "abort refused")
    currency = int(currency_of(order.amount.currency).numeric) if order.amount else 978
    registered = till.register(currency=currency)
    if not registered.success:
        return _told(registered, False, "the terminal refuses the registration")
    return _said(_ask(till, order))


def _ask(till: ZvtTill, order: Order) -> ZvtExchange:
    if order.action is Action.PAY:
        amount = require_amount(order)
        order.begun("", till.abort)
        return till.pay(amount.minor)
    if order.action is Action.END_OF_DAY:
        return till.end_of_day()
    if order.action is Action.REVERSE:
        return till.reverse(_receipt(require_transaction(order, _RECEIPT_NUMBER)))
    receipt = _receipt(order.transaction) if order.transaction else None
    return till.refund(require_amount(order).minor, receipt)


def _receipt(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 10_000):
        raise BadRequest("ZVT names a payment by its receipt number: --transaction 1..9999")
    return int(text)


def _said(exchange: ZvtExchange) -> Told:
    status = exchange.status
    if not exchange.success:
        return _told(exchange, False, f"not done: code {exchange.code:02X}{_MEANINGS.get(exchange.code, '')}")
    receipt = f", receipt {status.receipt}" if status and status.receipt is not None else ""
    return _told(exchange, True, f"done{_amount(status)}{receipt}")


def _amount(status: StatusInformation | None) -> str:
    if status is None or status.amount_minor is None:
        return ""
    try:
        currency = currency_of(f"{status.currency_number or 0:03d}").alpha3
    except UnknownCurrency:
        return f", {status.amount_minor} in minor units"
    return f", {Money(status.amount_minor, currency)}"


def _told(exchange: ZvtExchange, done: bool, text: str) -> Told:
    status = exchange.status
    document = {
        "accepted": exchange.accepted,
        "code": f"{exchange.code:02X}",
        "receipt": status.receipt if status else None,
        "transaction": str(status.receipt) if status and status.receipt else "",
        "amount_minor": status.amount_minor if status else None,
        "signs_of_life": [f"{sign:02X}" for sign in exchange.signs],
        "printed": exchange.printed,
    }
    return Told(done, text, document)


def open_desk(options: DeskOptions) -> ZvtDesk:
    """A desk on `options.address`, or on the serial port `options.port`."""
    return ZvtDesk(options)

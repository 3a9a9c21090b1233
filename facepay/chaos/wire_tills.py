"""Tills that outlive terminals: one a wire, and what each believes after its terminal was killed.

`pay` sells until the terminal's death; `recover` is what such a till does when the terminal is back and its
answer never came whole: it asks in its wire's way. On Concert and Caisse-AP that is the same sale again.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from typing import Protocol

from pos_adapter.base import Link
from pos_adapter.errors import PosError
from pos_adapter.protocols.caisse_ap.messages import Action
from pos_adapter.protocols.caisse_ap.messages import Request as CaisseRequest
from pos_adapter.protocols.concert.messages import Request as ConcertRequest
from pos_adapter.protocols.concert.messages import Result
from pos_adapter.protocols.zvt.commands import Config
from pos_adapter.simulator import caisse_till, hw_proxy_till
from pos_adapter.simulator.concert_till import ConcertTill
from pos_adapter.simulator.nexo_till import NexoAddress, NexoTill
from pos_adapter.simulator.rest_till import RestTill
from pos_adapter.simulator.zvt_till import ZvtTill
from pos_adapter.tcp_link import connect_tcp
from pos_adapter.types import Money

HOST = "127.0.0.1"
_PATIENCE_S = 15.0
_THINKING_S = 0.2


class WireTill(Protocol):
    """One till; every payment is a new one. `paid` are the amounts it handed goods over for."""

    paid: list[int]

    def pay(self, amount: Money, *, leave: bool) -> None:
        """Sell; with `leave` it gives up while the terminal is still at it. Any PosError may end it."""

    def recover(self) -> None:
        """The terminal is back: find out what became of the payment that was cut off."""


class RestWireTill:
    """Acknowledges, and asks again under the same key."""

    def __init__(self, port: int, key: str) -> None:
        self.paid: list[int] = []
        self._till = RestTill(f"http://{HOST}:{port}", key, timeout_s=_PATIENCE_S)
        self._open: tuple[Money, str] | None = None

    def pay(self, amount: Money, *, leave: bool) -> None:
        """Create, then acknowledge or cancel."""
        self._open = amount, secrets.token_hex(8)
        if leave:
            begun = self._till.pay(amount, wait_s=0, idem=self._open[1])
            time.sleep(_THINKING_S)
            self._till.cancel(begun.document["id"])
            self._open = None
            return
        self._finish(*self._open)

    def _finish(self, amount: Money, key: str) -> None:
        told = self._till.pay(amount, wait_s=10, idem=key).document
        if told.get("status") == "approved" and told.get("settlement") == "pending":
            told = self._till.acknowledge(told["id"]).document
        if told.get("settlement") == "captured":
            self.paid.append(amount.minor)
        self._open = None

    def recover(self) -> None:
        """The same request again."""
        if self._open is not None:
            self._finish(*self._open)


class NexoWireTill:
    """Asks for the status of what was cut off."""

    def __init__(self, port: int) -> None:
        self.paid: list[int] = []
        self._till = NexoTill(NexoAddress(f"http://{HOST}:{port}/nexo", patience_s=_PATIENCE_S))
        self._open: tuple[Money, str] | None = None

    def pay(self, amount: Money, *, leave: bool) -> None:
        """PaymentRequest, aborted from a second connection where it gives up."""
        service = self._till.new_service_id()
        self._open = amount, service
        if leave:
            _later(lambda: self._till.abort(service))
        if self._till.pay(amount, service_id=service).result("Payment")[0] == "Success":
            self.paid.append(amount.minor)
        self._open = None

    def recover(self) -> None:
        """TransactionStatusRequest."""
        if self._open is None:
            return
        amount, service = self._open
        self._open = None
        reply = self._till.status(service)
        if reply.result("TransactionStatus")[0] == "Success" and b'"AuthorizedAmount"' in reply.raw:
            self.paid.append(amount.minor)


class ZvtWireTill:
    """Repeats the last receipt, and tells a new one from the one it knows."""

    def __init__(self, port: int) -> None:
        self.paid: list[int] = []
        self._port = port
        self._receipt: int | None = None
        self._open: Money | None = None

    def pay(self, amount: Money, *, leave: bool) -> None:
        """Authorisation; where it gives up, 06 B0."""
        self._open = amount
        with _Line(self._port) as link, ZvtTill(link, patience_s=_PATIENCE_S) as till:
            till.register(Config.TILL_CONTROLS_PAYMENT)
            if leave:
                _later(till.abort)
            exchange = till.pay(amount.minor)
            if exchange.success and exchange.status is not None:
                self._receipt = exchange.status.receipt
                self.paid.append(amount.minor)
        self._open = None

    def recover(self) -> None:
        """06 20 with its service bit 0."""
        if self._open is None:
            return
        amount, self._open = self._open, None
        with _Line(self._port) as link, ZvtTill(link, patience_s=_PATIENCE_S) as till:
            till.register(Config.TILL_CONTROLS_PAYMENT)
            status = till.repeat_receipt().status
        if status is not None and status.result == 0 and status.receipt != self._receipt:
            self._receipt = status.receipt
            self.paid.append(amount.minor)


class HwProxyWireTill:
    """Presses "retry" on the same payment line, as a cashier in Odoo does."""

    def __init__(self, port: int, key: str) -> None:
        self.paid: list[int] = []
        self._till = RestTill(f"http://{HOST}:{port}", key, timeout_s=_PATIENCE_S)
        self._open: tuple[Money, str] | None = None

    def pay(self, amount: Money, *, leave: bool) -> None:
        """Start and poll; where it gives up, our cancel."""
        line = secrets.token_hex(8)
        # A cashier who cancels takes the card, and does not press "retry".
        self._open = None if leave else (amount, line)
        if leave:
            identifier = f"{line}.1"
            _later(
                lambda: hw_proxy_till.call(
                    self._till, "payment_terminal_transaction_cancel", {"transaction_id": identifier}
                )
            )
        self._finish(amount, line)

    def _finish(self, amount: Money, line: str) -> None:
        found = hw_proxy_till.pay(self._till, amount, line, patience_s=_PATIENCE_S)
        if found is not None and found["success"] is True:
            self.paid.append(amount.minor)
        self._open = None

    def recover(self) -> None:
        """The same payment line again."""
        if self._open is not None:
            self._finish(*self._open)


class CaisseWireTill:
    """Asks for the same amount again when it was cut off, as its cashier does."""

    def __init__(self, port: int) -> None:
        self.paid: list[int] = []
        self._port = port
        self._open: Money | None = None

    def pay(self, amount: Money, *, leave: bool) -> None:
        """One connection; where it gives up it hangs up."""
        self._open = None if leave else amount
        with _Line(self._port) as link:
            if leave:
                _later(link.close)
            tags = caisse_till.ask(link, CaisseRequest("01", amount, Action.DEBIT), patience_s=_PATIENCE_S)
        if tags is None:
            return
        self._open = None
        if tags["AE"] == "10":
            self.paid.append(amount.minor)

    def recover(self) -> None:
        """The same request again."""
        if self._open is not None:
            self.pay(self._open, leave=False)


class ConcertWireTill:
    """Asks for the same amount again when it was cut off, as its cashier does."""

    def __init__(self, port: int) -> None:
        self.paid: list[int] = []
        self._port = port
        self._open: Money | None = None

    def pay(self, amount: Money, *, leave: bool) -> None:
        """One exchange; where it gives up, the line is pulled."""
        self._open = None if leave else amount
        with _Line(self._port) as link, ConcertTill(link) as till:
            if leave:
                _later(link.close)
            answer = till.ask(ConcertRequest("01", amount), patience_s=_PATIENCE_S)
        if answer is None:
            return
        self._open = None
        if answer.result is Result.OK:
            self.paid.append(amount.minor)

    def recover(self) -> None:
        """The same request again."""
        if self._open is not None:
            self.pay(self._open, leave=False)


class _Line:
    """A link that is closed at the end."""

    def __init__(self, port: int) -> None:
        self._link = connect_tcp(HOST, port)

    def __enter__(self) -> Link:
        return self._link

    def __exit__(self, *_: object) -> None:
        self._link.close()


def _later(doing: Callable[[], object]) -> None:
    def do() -> None:
        try:
            doing()
        except PosError:
            return

    timer = threading.Timer(_THINKING_S, do)
    timer.daemon = True
    timer.start()


TILLS: dict[str, Callable[[int, str], WireTill]] = {
    "rest": RestWireTill,
    "nexo": lambda port, key: NexoWireTill(port),
    "zvt": lambda port, key: ZvtWireTill(port),
    "hw_proxy": HwProxyWireTill,
    "caisse_ap": lambda port, key: CaisseWireTill(port),
    "concert": lambda port, key: ConcertWireTill(port),
}

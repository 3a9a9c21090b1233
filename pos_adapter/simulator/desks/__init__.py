"""One cash desk a wire: what a cashier can do there, in the same few words for all of them.

`open_desk("concert", options)` gives an object with `act(order) -> Told`. The modules are imported by
name, so that a REST till needs no serial library.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from importlib import import_module
from types import MappingProxyType
from typing import Protocol

from pos_adapter.errors import BadRequest
from pos_adapter.types import Money

DESKS: Mapping[str, str] = MappingProxyType(
    {
        "rest": "pos_adapter.simulator.desks.rest",
        "concert": "pos_adapter.simulator.desks.concert",
        "caisse_ap": "pos_adapter.simulator.desks.caisse_ap",
        "hw_proxy": "pos_adapter.simulator.desks.hw_proxy",
        "nexo": "pos_adapter.simulator.desks.nexo",
        "zvt": "pos_adapter.simulator.desks.zvt",
    }
)
"""Module of each wire's desk; it has `open_desk(options)`."""


class Action(Enum):
    """What a cashier asks for."""

    PAY = "pay"
    ABORT = "abort"
    STATUS = "status"
    REVERSE = "reverse"
    REFUND = "refund"
    END_OF_DAY = "end-of-day"


Abort = Callable[[], object]
Begun = Callable[[str, Abort | None], object]
"""Called when a sale has begun: with what names it (empty where the wire has no name for it) and with what
aborts it in the wire's own way (None where the wire has none)."""


@dataclass(frozen=True, slots=True)
class Order:
    """One action; `transaction` is what the wire names a payment by (id or receipt number)."""

    action: Action
    amount: Money | None = None
    transaction: str = ""
    patience_s: float = 120.0
    begun: Begun = lambda name, abort: None


@dataclass(frozen=True, slots=True)
class Told:
    """What the terminal answered: whether it was done, one line for people, all of it for programs."""

    done: bool
    text: str
    document: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeskOptions:
    """`address` is host:port or a URL, `port` a serial port; each wire uses what it needs.

    `authority` is the PEM file that an https terminal's certificate is checked against.
    """

    address: str = ""
    port: str = ""
    baud: int = 9600
    key: str = field(default="", repr=False)
    till: str = "01"
    authority: str = ""


class CashDesk(Protocol):
    """A till on one wire."""

    def act(self, order: Order) -> Told:
        """Do one thing; raises PosError when the terminal cannot be reached or the wire has no such thing."""


def open_desk(wire: str, options: DeskOptions) -> CashDesk:
    """The desk of a wire; raises BadRequest naming the wires there are."""
    module = DESKS.get(wire)
    if module is None:
        raise BadRequest(f"no wire {wire!r}; there are {', '.join(sorted(DESKS))}")
    opened: CashDesk = import_module(module).open_desk(options)
    return opened


def require_amount(order: Order) -> Money:
    """The order's amount; raises BadRequest without one."""
    if order.amount is None:
        raise BadRequest(f"{order.action.value} needs an amount, such as 12.40")
    return order.amount.require_payable()


def require_transaction(order: Order, named: str = "the payment's id: --transaction ID") -> str:
    """What names the payment; raises BadRequest without it, saying how it is `named` here."""
    if not order.transaction:
        raise BadRequest(f"{order.action.value} needs {named}")
    return order.transaction


def host_and_port(address: str, port: int) -> tuple[str, int]:
    """`host:port`, with the wire's usual port where none is given; raises BadRequest."""
    host, colon, number = address.rpartition(":")
    if not colon:
        host, number = address, str(port)
    if not host or not number.isascii() or not number.isdigit() or not 0 < int(number) < 65536:
        raise BadRequest(f"{address!r} is no host:port; give --address 192.168.1.20:{port}")
    return host, int(number)


def not_on_this_wire(order: Order, wire: str) -> BadRequest:
    """The error for an action the wire does not know."""
    return BadRequest(f"{wire} has no {order.action.value}; see docs/integrators/{wire}.md")

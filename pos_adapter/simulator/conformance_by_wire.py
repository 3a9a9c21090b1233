"""Conformance cases that belong to one wire: recovery, repetition and refusals in its own words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

from pos_adapter.errors import BadRequest
from pos_adapter.protocols.zvt.apdu import Apdu
from pos_adapter.protocols.zvt.commands import Command
from pos_adapter.simulator.desks import Action, CashDesk, DeskOptions, Order
from pos_adapter.simulator.desks.nexo import nexo_address
from pos_adapter.simulator.desks.zvt import open_line
from pos_adapter.simulator.nexo_till import NexoReply, NexoTill, poi_transaction_of
from pos_adapter.simulator.zvt_till import ZvtExchange, ZvtTill
from pos_adapter.types import Money

_YEN = 392


def gives_back(desk: CashDesk, pays: Money, patience_s: float) -> str:
    """Pay, reverse it, be refused to reverse it again; raises BadRequest when anything is otherwise."""
    paid = desk.act(Order(Action.PAY, pays, patience_s=patience_s))
    transaction = str(paid.document.get("transaction") or "")
    _require(paid.done and bool(transaction), f"the payment to give back was not made: {paid.text}")
    reversal = Order(Action.REVERSE, pays, transaction, patience_s)
    first, second = desk.act(reversal), desk.act(reversal)
    _require(first.done, f"not reversed: {first.text}")
    _require(not second.done, f"reversed twice: {second.text}")
    return first.text


def _refuses_unknown(options: DeskOptions, patience_s: float) -> str:
    return _code(_zvt(options, patience_s, lambda till: till.send(Apdu(0x06E5))), 0x83)


def _refuses_currency(options: DeskOptions, patience_s: float) -> str:
    return _code(_zvt(options, patience_s, lambda till: till.register(currency=_YEN)), 0x6F)


def _refuses_letters(options: DeskOptions, patience_s: float) -> str:
    broken = Apdu(Command.AUTHORISATION, bytes.fromhex("04 00 00 00 00 0A 00"))
    return _code(_zvt(options, patience_s, lambda till: till.send(broken)), 0x9A)


def _zvt(options: DeskOptions, patience_s: float, ask: Callable[[ZvtTill], ZvtExchange]) -> ZvtExchange:
    link = open_line(options)
    try:
        with ZvtTill(link, serial=bool(options.port), patience_s=patience_s) as till:
            return ask(till)
    finally:
        link.close()


def _code(exchange: ZvtExchange, expected: int) -> str:
    _require(exchange.code == expected, f"answered {exchange.code:02X} and not {expected:02X}")
    return f"refused with {exchange.code:02X}"


def _knows_nothing_of_strangers(options: DeskOptions, patience_s: float) -> str:
    told = _till(options, patience_s).status("S404").result("TransactionStatus")
    _require(told == ("Failure", "NotFound"), f"answered {told}")
    return "NotFound"


def _refuses_fractions(options: DeskOptions, patience_s: float) -> str:
    told = _till(options, patience_s).pay("10.999").result("Payment")
    _require(told[0] == "Failure", f"answered {told}")
    return str(told[1])


def _rejects_other_categories(options: DeskOptions, patience_s: float) -> str:
    rejection = _till(options, patience_s).ask("Batch", {}).rejection
    _require(rejection is not None, "no Event Reject")
    return str(rejection)


def charges_repetition_once(options: DeskOptions, pays: Money, patience_s: float) -> str:
    """The same bytes twice are one payment; its status tells it too. Raises BadRequest otherwise."""
    till, sent = _till(options, patience_s), []
    post = till.post

    def keep(data: bytes) -> NexoReply:
        sent.append(data)
        return post(data)

    till.__dict__["post"] = keep
    service = till.new_service_id()
    first = till.pay(pays, service_id=service)
    again = till.post(sent[0])
    ids = (poi_transaction_of(first), poi_transaction_of(again))
    _require(ids[0] == ids[1], f"two payments: {ids[0]} and {ids[1]}")
    told = till.status(service).result("TransactionStatus")
    _require(told == ("Success", None), f"its status is {told}")
    return ids[0]


def _till(options: DeskOptions, patience_s: float) -> NexoTill:
    return NexoTill(nexo_address(options, patience_s), sale_id=options.till)


def _require(held: bool, detail: str) -> None:
    if not held:
        raise BadRequest(detail)


WireCase = Callable[[DeskOptions, float], str]
CASES_BY_WIRE: Mapping[str, Mapping[str, WireCase]] = MappingProxyType(
    {
        "zvt": {
            "refuses a command it does not know": _refuses_unknown,
            "refuses another currency": _refuses_currency,
            "refuses digits from A to F": _refuses_letters,
        },
        "nexo": {
            "knows nothing of a payment never made": _knows_nothing_of_strangers,
            "refuses a fraction of a cent": _refuses_fractions,
            "rejects what it does not know": _rejects_other_categories,
        },
    }
)
"""Cases that need no shopper, by wire and name."""

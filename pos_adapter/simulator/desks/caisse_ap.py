"""A cash desk on Caisse-AP over IP."""

from __future__ import annotations

from collections.abc import Mapping

from pos_adapter.errors import BadRequest
from pos_adapter.protocols.caisse_ap.messages import Action as Wanted
from pos_adapter.protocols.caisse_ap.messages import Reason, Request
from pos_adapter.protocols.caisse_ap.terminal import PORT
from pos_adapter.simulator.caisse_till import ask
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

_ACTIONS = {Action.PAY: Wanted.DEBIT, Action.REFUND: Wanted.CREDIT}


class CaisseDesk:
    """One connection an action."""

    def __init__(self, options: DeskOptions) -> None:
        self._options = options

    def act(self, order: Order) -> Told:
        """One action; see `CashDesk`."""
        if order.action not in _ACTIONS:
            raise not_on_this_wire(order, "caisse_ap")
        request = Request(self._options.till, require_amount(order), _ACTIONS[order.action])
        link = connect_tcp(*host_and_port(self._options.address, PORT))
        order.begun("", link.close)
        tags = ask(link, request, patience_s=order.patience_s)
        if tags is None:
            return Told(False, "no answer: look at the terminal")
        done = tags["AE"] == "10"
        text = f"done: approval {tags.get('AC', '')}" if done else f"not done: {_reason(tags)}"
        return Told(done, text, tags)


def _reason(tags: Mapping[str, str]) -> str:
    code = tags.get("AF", "")
    known = next((reason.name.lower() for reason in Reason if reason.value == code), "unknown reason")
    return f"AF {code} ({known})"


def open_desk(options: DeskOptions) -> CaisseDesk:
    """A desk at `options.address`, port 8888 where none is given."""
    if not options.address:
        raise BadRequest(f"Caisse-AP needs --address HOST:{PORT}")
    return CaisseDesk(options)

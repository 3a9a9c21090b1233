"""A cash desk on Caisse-AP over IP."""

from __future__ import annotations

from pos_adapter.errors import BadRequest
from pos_adapter.protocols.caisse_ap.messages import Action as Wanted
from pos_adapter.protocols.caisse_ap.messages import Request
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
        tags = ask(link, request, patience_s=order.patience_s)
        if tags is None:
            return Told(False, "no answer: ask the cashier to look at the terminal")
        done = tags["AE"] == "10"
        text = f"done: approval {tags.get('AC', '')}" if done else f"not done: AF {tags.get('AF', '')}"
        return Told(done, text, tags)


def open_desk(options: DeskOptions) -> CaisseDesk:
    """A desk at `options.address`, port 8888 where none is given."""
    if not options.address:
        raise BadRequest(f"Caisse-AP needs --address HOST:{PORT}")
    return CaisseDesk(options)

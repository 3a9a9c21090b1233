"""A cash desk on hw_proxy, as an Odoo browser would be one."""

from __future__ import annotations

import secrets

from pos_adapter.errors import BadRequest
from pos_adapter.simulator import hw_proxy_till
from pos_adapter.simulator.desks import (
    Action,
    DeskOptions,
    Order,
    Told,
    not_on_this_wire,
    require_amount,
    require_transaction,
)
from pos_adapter.simulator.rest_till import RestTill

_TRANSACTION = "the transaction's id, told when it begins: --transaction ID"


class HwProxyDesk:
    """Starts and polls payments."""

    def __init__(self, till: RestTill) -> None:
        self._till = till

    def act(self, order: Order) -> Told:
        """One action; see `CashDesk`."""
        if order.action is Action.STATUS:
            drivers = hw_proxy_till.call(self._till, "status_json", {})
            states = {name: driver.get("status") for name, driver in drivers.items()}
            text = ", ".join(f"{name} {state}" for name, state in states.items())
            return Told("connected" in states.values(), text, drivers)
        if order.action is Action.ABORT:
            done = self._cancel(require_transaction(order, _TRANSACTION))
            return Told(done is True, "cancelled" if done is True else "not cancelled")
        if order.action is not Action.PAY:
            raise not_on_this_wire(order, "hw_proxy")
        return self._pay(order)

    def _cancel(self, identifier: str) -> object:
        """The terminal's own call: Odoo's cancel button never reaches it."""
        params: dict[str, object] = {"transaction_id": identifier}
        return hw_proxy_till.call(self._till, "payment_terminal_transaction_cancel", params)

    def _pay(self, order: Order) -> Told:
        payment = secrets.token_hex(8)
        found = hw_proxy_till.pay(
            self._till,
            require_amount(order),
            payment,
            patience_s=order.patience_s,
            begun=lambda identifier: order.begun(identifier, lambda: self._cancel(identifier)),
        )
        if found is None:
            return Told(False, "not started or not ended: the terminal is busy or out of order")
        return Told(
            found["success"] is True, f"{found['status']} {found.get('reference', '')}".strip(), found
        )


def open_desk(options: DeskOptions) -> HwProxyDesk:
    """A desk at `options.address`."""
    if not options.address:
        raise BadRequest("hw_proxy needs --address http://HOST:8069")
    return HwProxyDesk(RestTill(options.address, options.key))

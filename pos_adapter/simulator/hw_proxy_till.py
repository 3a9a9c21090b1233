"""The browser's side of hw_proxy, for people who integrate a terminal and for our own checks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from pos_adapter.errors import MalformedMessage
from pos_adapter.simulator.rest_till import RestTill
from pos_adapter.types import Money


def call(till: RestTill, name: str, params: dict[str, object]) -> Any:
    """One JSON-RPC call's result; raises MalformedMessage for a JSON-RPC error. Any JSON may come back."""
    body = {"id": 1, "jsonrpc": "2.0", "method": "call", "params": params}
    document = till.send("POST", f"/hw_proxy/{name}", body).document
    if "error" in document:
        raise MalformedMessage(f"JSON-RPC error: {document['error']}")
    return document.get("result")


def pay(
    till: RestTill,
    amount: Money,
    payment: str,
    *,
    patience_s: float = 120.0,
    begun: Callable[[str], object] = str,
) -> dict[str, Any] | None:
    """Start a payment and poll it as a browser does; None when it did not start or did not end.

    Args:
        begun: called with the transaction's id once there is one.
    """
    info = {
        "amount": float(amount.major),
        "currency_iso": amount.currency,
        "payment_mode": "card",
        "payment_id": payment,
        "order_id": payment,
    }
    started = call(till, "payment_terminal_transaction_start", {"payment_info": json.dumps(info)})
    if not isinstance(started, dict):
        return None
    begun(started["transaction_id"])
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        found = find(till, started["transaction_id"])
        if found is not None and found["success"] is not None:
            return found
        time.sleep(0.25)
    return None


def find(till: RestTill, transaction: str) -> dict[str, Any] | None:
    """A transaction among all drivers of `status_json`."""
    drivers = call(till, "status_json", {})
    for driver in drivers.values():
        found = driver.get("transactions", {}).get(transaction)
        if isinstance(found, dict):
            return found
    return None

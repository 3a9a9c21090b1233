"""How a till of each wire begins a sale and gives it up, for tests and measurements.

Concert and Caisse-AP have no word for it: their tills pull the line.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import threading
from collections.abc import Callable, Mapping
from types import MappingProxyType

from pos_adapter.base import Link
from pos_adapter.errors import PosError
from pos_adapter.protocols.caisse_ap.frames import CaisseCodec
from pos_adapter.protocols.caisse_ap.messages import Action, request_tags
from pos_adapter.protocols.caisse_ap.messages import Request as CaisseRequest
from pos_adapter.protocols.concert.messages import Request as ConcertRequest
from pos_adapter.simulator import hw_proxy_till
from pos_adapter.simulator.concert_till import ConcertTill
from pos_adapter.simulator.nexo_till import NexoAddress, NexoTill
from pos_adapter.simulator.rest_till import RestTill
from pos_adapter.simulator.zvt_till import ZvtTill
from pos_adapter.tcp_link import connect_tcp
from pos_adapter.types import Money

Abort = Callable[[], object]
HOST = "127.0.0.1"


def rest(port: int, amount: Money, key: str) -> Abort:
    """`POST .../cancellation`."""
    till = RestTill(f"http://{HOST}:{port}", key)
    payment = till.pay(amount, wait_s=0).document["id"]
    return lambda: till.cancel(payment)


def hw_proxy(port: int, amount: Money, key: str) -> Abort:
    """`payment_terminal_transaction_cancel`."""
    till = RestTill(f"http://{HOST}:{port}", key)
    info = {
        "amount": float(amount.major),
        "currency_iso": amount.currency,
        "payment_id": secrets.token_hex(6),
    }
    started = hw_proxy_till.call(
        till, "payment_terminal_transaction_start", {"payment_info": json.dumps(info)}
    )
    return lambda: hw_proxy_till.call(till, "payment_terminal_transaction_cancel", started)


def nexo(port: int, amount: Money, key: str) -> Abort:
    """AbortRequest on a second connection."""
    till = NexoTill(NexoAddress(f"http://{HOST}:{port}/nexo"))
    service = till.new_service_id()
    _beside(lambda: till.pay(amount, service_id=service))
    return lambda: till.abort(service)


def zvt(port: int, amount: Money, key: str) -> Abort:
    """06 B0 on the same connection."""
    link = connect_tcp(HOST, port)
    till = ZvtTill(link)

    def pay() -> None:
        with till:
            till.pay(amount.minor)
            link.close()

    _beside(pay)
    return till.abort


def caisse_ap(port: int, amount: Money, key: str) -> Abort:
    """The connection is ended."""
    link = connect_tcp(HOST, port)
    link.write(CaisseCodec().encode(request_tags(CaisseRequest("01", amount, Action.DEBIT))))
    return link.close


def concert(port: int, amount: Money, key: str) -> Abort:
    """The line is pulled."""
    link = connect_tcp(HOST, port)
    _beside(lambda: _ask(link, amount))
    return link.close


def _ask(link: Link, amount: Money) -> None:
    with ConcertTill(link) as till:
        till.ask(ConcertRequest("01", amount))


def _beside(doing: Callable[[], object]) -> None:
    def do() -> None:
        with contextlib.suppress(PosError):
            doing()

    threading.Thread(target=do, name="till", daemon=True).start()


SALES: Mapping[str, Callable[[int, Money, str], Abort]] = MappingProxyType(
    {
        "rest": rest,
        "hw_proxy": hw_proxy,
        "nexo": nexo,
        "zvt": zvt,
        "caisse_ap": caisse_ap,
        "concert": concert,
    }
)
"""By wire: begins a sale at a port of this machine and gives what aborts it."""

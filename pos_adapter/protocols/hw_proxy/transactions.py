"""The payments a browser was told about: begun, polled, learned of, cancelled, forgotten.

The till has learned of an approval when a status that says so was sent to the browser that started the
payment. `payment_id` is the payment line's and comes again on a retry: a running or paid one is found
again, after a failure a new attempt begins. A till that sends neither line nor order (Odoo 8 and 9) never
asks: its payments end by themselves, the money is taken at the approval, and the host is told that nobody
at the till reads the outcome.
"""

from __future__ import annotations

import itertools
import logging
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from pos_adapter.desk import DeskOptions, DeskView, PaymentDesk
from pos_adapter.errors import PosError
from pos_adapter.protocols.hw_proxy.messages import PaymentInfo
from pos_adapter.protocols.hw_proxy.options import HwProxyOptions
from pos_adapter.protocols.hw_proxy.outcomes import ANSWERS, RUNNING
from pos_adapter.session import TransactionSession
from pos_adapter.types import ExchangeKey, PaymentRequest

_log = logging.getLogger(__name__)
WIRE = "hw_proxy"
_SHOWN_AT_MOST = 32
"""Payments a status tells about; a browser asks for its own, begun a moment ago."""
Entry = dict[str, object]


@dataclass(slots=True)
class Shown:
    """A payment that `status_json` tells about."""

    key: ExchangeKey
    peer: str
    asked_at: float
    watched: bool


class Transactions:
    """All payments of this wire; a context manager that watches over those nobody asks about."""

    def __init__(
        self,
        session: TransactionSession,
        options: HwProxyOptions,
        *,
        on_end: Callable[[DeskView], None],
        on_forget: Callable[[str], None],
        is_by_card: Callable[[str], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._options = options
        self._on_end = on_end
        self._on_forget = on_forget
        self._is_by_card = is_by_card
        self._clock = clock
        # Voiding unasked approvals is the watch's work; the desk's own clock only backs it up.
        self._desk = PaymentDesk(session, DeskOptions(2 * options.unasked_s + 5), on_change=self._hear)
        self._lock = threading.Lock()
        self._shown: dict[str, Shown] = {}
        self._stopped = threading.Event()
        self._watch = threading.Thread(target=self._watch_over, name="hw-proxy-watch", daemon=True)

    def __enter__(self) -> Transactions:
        self._watch.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self._watch.join(5)

    def _hear(self, view: DeskView) -> None:
        if view.response is None:
            return
        if view.response.outcome.is_approval and not view.request.till_listens:
            self._desk.acknowledge(view.request.key, learned=True)
        self._on_end(view)

    # -- beginning ---------------------------------------------------------------------------------

    def new_key(self, info: PaymentInfo) -> ExchangeKey:
        """The key of the running or paid attempt of this payment line, or of a new one."""
        if not info.payment:
            return self._key(secrets.token_hex(8))
        keys = (self._key(f"{info.payment}.{attempt}") for attempt in itertools.count(1))
        return next(key for key in keys if self._may_begin(key))

    def _key(self, exchange: str) -> ExchangeKey:
        return ExchangeKey(WIRE, self._options.terminal, "odoo", exchange)

    def _may_begin(self, key: ExchangeKey) -> bool:
        """Whether this attempt is new, running, unknown or paid: a failed one is over."""
        if self._is_by_card(key.exchange):
            return True
        try:
            view = self._desk.view(key)
        except PosError:
            return True
        except Exception:
            _log.exception("the records cannot be read; %s begins anew", key.text)
            return True
        return view.response is None or ANSWERS[view.response.outcome][0] is not False

    def begin(self, key: ExchangeKey, info: PaymentInfo, peer: str) -> DeskView:
        """Start or find the payment; it is shown from now on.

        Raises:
            KeyReused: the same line asks for another amount.
        """
        self._give_up_left(key, info)
        listens = bool(info.payment or info.order)
        view = self._desk.start(PaymentRequest(key, info.amount, reference=info.order, till_listens=listens))
        with self._lock:
            self._shown.pop(key.exchange, None)
            while len(self._shown) >= _SHOWN_AT_MOST:
                self._drop(next(iter(self._shown)))
            self._shown[key.exchange] = Shown(key, peer, self._clock(), watched=listens)
        return view

    def _give_up_left(self, key: ExchangeKey, info: PaymentInfo) -> None:
        """An earlier run died while telling an approval, and its order is paid on another line: void it."""
        left = self._desk.session.left_telling(key.wire, key.till)
        if left is None or left.request.key == key or not info.order:
            return
        if (left.request.reference, left.request.amount) == (info.order, info.amount):
            self._desk.acknowledge(left.request.key, learned=False)

    def _drop(self, identifier: str) -> None:
        self._shown.pop(identifier, None)
        self._on_forget(identifier)

    def hide(self, identifier: str) -> None:
        """It never began."""
        with self._lock:
            self._drop(identifier)

    # -- polls -------------------------------------------------------------------------------------

    def ask(self, peer: str) -> dict[str, DeskView]:
        """Every shown payment by its id; those of this browser count as asked about."""
        now = self._clock()
        with self._lock:
            shown = dict(self._shown)
        for entry in shown.values():
            if entry.peer == peer:
                entry.asked_at = now
        return {identifier: self._desk.view(entry.key) for identifier, entry in shown.items()}

    def telling(self, identifiers: list[str], peer: str) -> None:
        """A status that calls these payments approved is sent to `peer` now; raises NotToBeTold."""
        for key in self._of_peer(identifiers, peer):
            self._desk.telling(key)

    def learned(self, identifiers: list[str], peer: str) -> None:
        """A status that called these payments approved was sent to `peer`: the money is captured."""
        for key in self._of_peer(identifiers, peer):
            self._desk.acknowledge(key, learned=True)

    def _of_peer(self, identifiers: list[str], peer: str) -> list[ExchangeKey]:
        shown = (self._shown.get(identifier) for identifier in identifiers)
        return [entry.key for entry in shown if entry is not None and entry.peer == peer]

    def cancel(self, identifier: str) -> bool:
        """Stop a payment; False when there is none with this id."""
        entry = self._shown.get(identifier)
        if entry is not None:
            self._desk.cancel(entry.key)
        return entry is not None

    def _watch_over(self) -> None:
        while not self._stopped.wait(min(1.0, self._options.unasked_s / 4)):
            now = self._clock()
            with self._lock:
                shown = dict(self._shown)
            for identifier, entry in shown.items():
                unasked = now - entry.asked_at
                if unasked > self._options.unasked_s and entry.watched:
                    self._desk.cancel(entry.key)
                if unasked > self._options.shown_s:
                    self.hide(identifier)


def entry_of(identifier: str, view: DeskView) -> Entry:
    """A payment as Odoo 13 and later read it; `success` must be there, null while it runs."""
    success, text = ANSWERS[view.response.outcome] if view.response else RUNNING
    paid = view.response if success and view.response else None
    return {
        "transaction_id": identifier,
        "success": success,
        "status": text,
        "status_details": view.response.message if view.response else "",
        "reference": str(paid.transaction) if paid else "",
    }


def order_entry_of(view: DeskView, entry: Entry) -> Entry:
    """A paid payment as Odoo 10 to 12 match it with its order's lines: by `amount_cents`."""
    amount = view.request.amount
    return {
        "transaction_id": entry["transaction_id"],
        "amount_cents": amount.minor,
        "amount": float(amount.major),
        "currency": amount.currency,
        "payment_mode": "card",
        "reference": entry["reference"],
        "success": True,
    }

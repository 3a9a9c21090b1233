"""The terminal's side of Caisse-AP: one connection, one request, one answer.

There is no acknowledgement on this wire. The till counts as having learned of an approval when the
whole answer was written and it then ended the connection in order; a reset, or no end in time, voids.
A till that hangs up before the answer cancels.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from pos_adapter.base import Link
from pos_adapter.errors import (
    BadRequest,
    LinkError,
    MalformedMessage,
    NotToBeTold,
    UnknownCommand,
    UnknownCurrency,
    UpstreamUnreachable,
)
from pos_adapter.inbox import HungUp, Inbox, Pump, Received
from pos_adapter.keyless import sell
from pos_adapter.protocols.caisse_ap.frames import CaisseCodec, Tag
from pos_adapter.protocols.caisse_ap.messages import (
    CHEQUE,
    REQUIRED,
    Action,
    Reason,
    Request,
    Result,
    answer_tags,
    reason_of,
    request_of,
)
from pos_adapter.protocols.caisse_ap.outcomes import ANSWERS
from pos_adapter.repetition import RepetitionOptions, RepetitionWatch
from pos_adapter.sale import Sale
from pos_adapter.session import TransactionSession
from pos_adapter.types import (
    AdjustmentOutcome,
    ExchangeKey,
    Outcome,
    PaymentRequest,
    PaymentResponse,
    RefundRequest,
)
from pos_adapter.upstream import FALL_BACK, ForwardState, Upstream, relay

_log = logging.getLogger(__name__)
_TICK_S = 1.0
WIRE = "caisse_ap"
PORT = 8888


@runtime_checkable
class HalfClosing(Protocol):
    """A link whose writing side can end while its reading side goes on."""

    def finish_writing(self) -> None:
        """Tell the peer that nothing more comes."""


@dataclass(frozen=True, slots=True)
class CaisseOptions:
    """Seconds for the request to arrive, for the sale, and for the till to hang up after the answer."""

    terminal: str = "facepay"
    currencies: frozenset[str] = frozenset({"EUR"})
    request_s: float = 10.0
    sale_s: float = 100.0
    farewell_s: float = 10.0
    repetition: RepetitionOptions = field(default_factory=RepetitionOptions)


class CaisseTerminal:
    """Serves Caisse-AP connections; give `serve` to a TcpServer."""

    def __init__(
        self,
        session: TransactionSession,
        options: CaisseOptions | None = None,
        upstream: Upstream | None = None,
    ) -> None:
        self.session = session
        self.options = options or CaisseOptions()
        self.upstream = upstream
        self.watch = RepetitionWatch(session.deadlines, self.options.repetition)

    def serve(self, link: Link) -> None:
        """Serve one connection to its end."""
        inbox = Inbox()
        with Pump(link, inbox):
            try:
                _Exchange(self, link, inbox).run()
            except LinkError as error:
                _log.info("%s: %s", link.peer, error)
            link.close()

    def key_for(self, till: str) -> ExchangeKey:
        """A fresh key: this wire has none of its own."""
        return ExchangeKey(WIRE, self.options.terminal, till, secrets.token_hex(8))


class _Exchange:
    """One request from its first byte to the end of its money."""

    def __init__(self, terminal: CaisseTerminal, link: Link, inbox: Inbox) -> None:
        self._terminal = terminal
        self._options = terminal.options
        self._link = link
        self._inbox = inbox
        self._codec = CaisseCodec()
        self._tags: dict[str, str] = {}
        self._received = bytearray()
        self._gone: HungUp | None = None

    def run(self) -> None:
        """Read the request and do what it asks."""
        try:
            request = self._read()
        except (BadRequest, MalformedMessage) as error:
            _log.info("%s: refused: %s", self._link.peer, error)
            if isinstance(error, UnknownCommand) and self._forward(self._tags["CA"]):
                return
            self.answer(Result.NOT_DONE, reason_of(error))
            return
        if request is None:
            return
        if request.application == CHEQUE:
            self.conclude(request, Outcome.SHOPPER_CHOSE_CARD)
        elif request.action is Action.CREDIT:
            self._refund(request)
        else:
            self._sell(request)

    # -- bytes -------------------------------------------------------------------------------------

    def _read(self) -> Request | None:
        deadline = time.monotonic() + self._options.request_s
        while not self._tags.keys() >= REQUIRED or self._codec.inside_tag:
            left = deadline - time.monotonic()
            if left <= 0 or self._gone is not None:
                return None
            self._turn(left)
        request = request_of(self._tags)
        request.amount.require_payable()
        if request.amount.currency not in self._options.currencies:
            raise UnknownCurrency(f"{request.amount.currency} is not taken here")
        return request

    def _turn(self, timeout_s: float) -> None:
        """Take one piece of news; raises MalformedMessage for what is no Caisse-AP."""
        item = self._inbox.get(timeout_s)
        if isinstance(item, HungUp):
            self._gone = item
        elif isinstance(item, Received):
            self._received += item.data
            for event in self._codec.feed(item.data):
                if not isinstance(event, Tag):
                    raise MalformedMessage(str(event.error))
                if event.name in self._tags:
                    raise MalformedMessage(f"tag {event.name} came twice")
                self._tags[event.name] = event.value

    def answer(
        self,
        result: Result,
        reason: Reason | None = None,
        response: PaymentResponse | None = None,
        telling: Callable[[], object] = lambda: None,
    ) -> None:
        """The whole answer in one write, `telling` right before: tills read once, up to 1024 bytes."""
        data = self._codec.encode(answer_tags(self._tags, result, reason=reason, response=response))
        telling()
        self._link.write(data)

    # -- sales -------------------------------------------------------------------------------------

    def _sell(self, request: Request) -> None:
        order = PaymentRequest(
            self._terminal.key_for(request.till),
            request.amount,
            timeout_s=self._options.sale_s,
            till_listens=not request.at_once,
        )
        till = _TillSide(self, request)
        sell(self._terminal.session, self._terminal.watch, order, self._inbox.put, till)

    def await_end(self, sale: Sale) -> PaymentResponse:
        """The sale's end; a till that listens and hangs up cancels."""
        listens, deadline = sale.request.till_listens, time.monotonic() + self._options.sale_s
        while (response := sale.response) is None:
            try:
                self._turn(_TICK_S)
            except MalformedMessage as error:
                _log.info("%s sent more than a request: %s", self._link.peer, error)
            if (self._gone is not None and listens) or time.monotonic() > deadline:
                sale.cancel()
                listens, deadline = False, float("inf")
        return response

    def announce(self, response: PaymentResponse, telling: Callable[[], object]) -> bool:
        """Whether the whole answer went out and the till then ended in order."""
        self._gone = self._gone or self._pending_farewell()
        if self._gone is not None:
            return False
        try:
            self.answer(Result.DONE, response=response, telling=telling)
        except LinkError:
            _log.warning("%s hung up before the answer", self._link.peer)
            return False
        except NotToBeTold:
            _log.exception("%s is not told", self._link.peer)
            return False
        return self._was_read()

    def _pending_farewell(self) -> HungUp | None:
        while (item := self._inbox.get(0)) is not None:
            if isinstance(item, HungUp):
                return item
        return None

    def _was_read(self) -> bool:
        """Whether the till ended the connection in order after our answer."""
        try:
            if isinstance(self._link, HalfClosing):
                self._link.finish_writing()
        except LinkError:
            return False
        deadline = time.monotonic() + self._options.farewell_s
        while (left := deadline - time.monotonic()) > 0:
            item = self._inbox.get(left)
            if isinstance(item, HungUp):
                return item.clean
        return False

    # -- other ends --------------------------------------------------------------------------------

    def _refund(self, request: Request) -> None:
        try:
            order = RefundRequest(self._terminal.key_for(request.till), amount=request.amount)
            done = self._terminal.session.host.refund(order).outcome
        except Exception:
            _log.exception("the payment host failed to give money back")
            done = AdjustmentOutcome.NOT_POSSIBLE
        if done is AdjustmentOutcome.DONE:
            self.answer(Result.DONE)
        elif done is not AdjustmentOutcome.PROVIDER_UNKNOWN:
            self.conclude(request, Outcome.DECLINED)

    def conclude(self, request: Request, outcome: Outcome) -> None:
        """The face did not pay: hand the till over to the card terminal, or answer."""
        if outcome in FALL_BACK and self._gone is None and self._forward(request.till):
            return
        row = ANSWERS[outcome]
        if row is not None and not request.at_once and self._gone is None:
            self.answer(*row)

    def _forward(self, till: str) -> bool:
        """Whether there is a card terminal and it took the request."""
        upstream = self._terminal.upstream
        if upstream is None:
            return False
        key = self._terminal.key_for(till).text
        with self._terminal.session.occupied():
            try:
                card = upstream.open(key)
                count = relay(self._inbox, self._link, card, bytes(self._received), quiet_s=upstream.quiet_s)
            except (UpstreamUnreachable, LinkError) as error:
                _log.warning("%s: %s", key, error)
                return False
        state = ForwardState.ANSWERED if count else ForwardState.FAILED
        upstream.tell(key, state, f"{count} bytes")
        return True


@dataclass(frozen=True, slots=True)
class _TillSide:
    """One sale's till, as `keyless.sell` speaks to it."""

    exchange: _Exchange
    request: Request

    def answer_at_once(self) -> None:
        self.exchange.answer(Result.TAKEN)

    def await_end(self, sale: Sale) -> PaymentResponse:
        return self.exchange.await_end(sale)

    def announce(self, response: PaymentResponse, telling: Callable[[], object]) -> bool:
        return self.exchange.announce(response, telling)

    def conclude(self, response: PaymentResponse) -> None:
        self.exchange.conclude(self.request, response.outcome)

"""The terminal's side of Concert: takes a request, runs the sale, tells the till, settles the money.

The till has learned of an approval when it acknowledges the answer frame; without that the money is
voided. With A011 the till reads no outcome: the immediate answer says "not verified", the host's
display tells the cashier, and the host journals that the till was not informed.
"""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from pos_adapter.base import Link
from pos_adapter.errors import NotRepresentable, NotToBeTold, UpstreamUnreachable
from pos_adapter.inbox import Inbox, Pump
from pos_adapter.keyless import sell
from pos_adapter.protocols.concert.forward import ask_card_terminal
from pos_adapter.protocols.concert.frames import Control
from pos_adapter.protocols.concert.line import Delivery, Line, Timing
from pos_adapter.protocols.concert.messages import (
    Answer,
    Kind,
    Request,
    Result,
    decode_request,
    encode_answer,
)
from pos_adapter.protocols.concert.outcomes import RESULTS
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
    ReversalRequest,
    TerminalStatus,
)
from pos_adapter.upstream import FALL_BACK, Upstream

_log = logging.getLogger(__name__)
_IDLE_S = 1.0
_CHEQUE = "C"
_WHY = {
    AdjustmentOutcome.NOT_FOUND: "NO SUCH PAYMENT",
    AdjustmentOutcome.ALREADY_REVERSED: "ALREADY GIVEN BACK",
    AdjustmentOutcome.NOT_POSSIBLE: "NOT POSSIBLE HERE",
    AdjustmentOutcome.PROVIDER_UNREACHABLE: "NO CONNECTION",
}
WIRE = "concert"


@dataclass(frozen=True, slots=True)
class ConcertOptions:
    """`terminal` names this terminal in keys; `sale_s` ends a sale before the till's own 120 s do."""

    terminal: str = "facepay"
    currencies: frozenset[str] = frozenset({"EUR"})
    sale_s: float = 100.0
    repetition: RepetitionOptions = field(default_factory=RepetitionOptions)
    timing: Timing = field(default_factory=Timing)


class ConcertTerminal:
    """Serves one Concert line after another; give `serve` to a SerialServer or TcpServer."""

    def __init__(
        self,
        session: TransactionSession,
        options: ConcertOptions | None = None,
        upstream: Upstream | None = None,
    ) -> None:
        self._session = session
        self._options = options or ConcertOptions()
        self._upstream = upstream
        self._watch = RepetitionWatch(session.deadlines, self._options.repetition)

    def serve(self, link: Link) -> None:
        """Serve one link until it closes; raises LinkClosed then."""
        inbox = Inbox()
        with Pump(link, inbox):
            line = Line(link, inbox, self._options.timing)
            while True:
                if line.next(_IDLE_S) is Control.ENQ and self._is_available():
                    _Exchange(self, line, inbox).run()
                    line.forget()

    def _is_available(self) -> bool:
        """Busy or broken terminals leave the till's ENQ unanswered, unless the card terminal can help."""
        status = self._session.status()
        if status is TerminalStatus.OUT_OF_ORDER:
            return self._upstream is not None
        return status is TerminalStatus.READY

    def check(self, payload: bytes) -> None:
        """Refuses, with a PosError, a frame that cannot become a sale here."""
        request = decode_request(payload)
        request.amount.require_payable()
        if request.amount.currency not in self._options.currencies:
            raise NotRepresentable(f"{request.amount.currency} is not taken here")

    def key_for(self, till: str) -> ExchangeKey:
        """A fresh key: this wire has none of its own."""
        return ExchangeKey(WIRE, self._options.terminal, till, secrets.token_hex(8))


class _Exchange:
    """One request from the till's frame to the end of its money."""

    def __init__(self, terminal: ConcertTerminal, line: Line, inbox: Inbox) -> None:
        self._terminal = terminal
        self._session = terminal._session
        self._options = terminal._options
        self._upstream = terminal._upstream
        self._watch = terminal._watch
        self._line = line
        self._inbox = inbox

    def run(self) -> None:
        """Take the frame and do what it asks."""
        payload = self._line.accept(self._terminal.check)
        if payload is None:
            return
        request = decode_request(payload)
        if request.kind is Kind.DEBIT and request.mode != _CHEQUE:
            self._sell(request, payload)
        elif request.kind in (Kind.CREDIT, Kind.CANCEL):
            self._give_back(request, payload)
        else:
            self.conclude(request, payload, Outcome.SHOPPER_CHOSE_CARD, "NOT BY FACE")

    # -- sales -------------------------------------------------------------------------------------

    def _sell(self, request: Request, payload: bytes) -> None:
        order = PaymentRequest(
            self._terminal.key_for(request.till),
            request.amount,
            reference=request.private.strip(),
            timeout_s=self._options.sale_s,
            till_listens=not request.at_once,
        )
        sell(self._session, self._watch, order, self._inbox.put, _TillSide(self, request, payload))

    def await_end(self, sale: Sale) -> PaymentResponse:
        """The sale's end; a till that asks again meanwhile hears nothing, as on a busy terminal."""
        deadline = time.monotonic() + self._options.sale_s
        while (response := sale.response) is None:
            self._line.next(_IDLE_S)
            if time.monotonic() > deadline:
                sale.cancel()
                deadline = float("inf")
        return response

    def call(self, answer: bytes, telling: Callable[[], object] = lambda: None) -> Delivery:
        """Give an answer with its whole ceremony."""
        try:
            return self._line.call(answer, telling)
        except NotToBeTold:
            _log.exception("the till is not told")
            self._line.send(Control.EOT)
            return Delivery.UNREACHED

    def conclude(self, request: Request, payload: bytes, outcome: Outcome, message: str) -> None:
        """The face did not pay: let the card terminal answer in our place, or tell the till."""
        if self._upstream is not None and outcome in FALL_BACK:
            self._forward(payload, self._upstream, request)
            return
        result = RESULTS[outcome]
        if result is not None and not request.at_once:
            self._line.call(_answer(request, result, message))

    def _forward(self, payload: bytes, upstream: Upstream, request: Request) -> None:
        key = self._terminal.key_for(request.till).text
        with self._session.occupied():
            try:
                answer = ask_card_terminal(payload, upstream, key, self._options.timing)
            except UpstreamUnreachable as error:
                _log.warning("%s: %s", key, error)
                answer = _answer(request, Result.NOT_DONE, "CARD TERMINAL DOES NOT ANSWER")
            self._line.call(answer)

    # -- money back --------------------------------------------------------------------------------

    def _give_back(self, request: Request, payload: bytes) -> None:
        outcome = self._try_to_give_back(request)
        if outcome is AdjustmentOutcome.DONE:
            self._line.call(_answer(request, Result.OK, "REFUNDED"))
        elif outcome is not AdjustmentOutcome.PROVIDER_UNKNOWN:
            self.conclude(request, payload, Outcome.DECLINED, f"NOT REFUNDED: {_WHY[outcome]}")

    def _try_to_give_back(self, request: Request) -> AdjustmentOutcome:
        try:
            if request.kind is Kind.CANCEL:
                return self._cancel_last(request)
            key = self._terminal.key_for(request.till)
            return self._session.host.refund(RefundRequest(key, amount=request.amount)).outcome
        except Exception:
            _log.exception("the payment host failed to give money back")
            return AdjustmentOutcome.NOT_POSSIBLE

    def _cancel_last(self, request: Request) -> AdjustmentOutcome:
        """This wire names no transaction: only the till's last payment, of exactly this amount, is undone."""
        record = self._session.host.latest(WIRE, request.till)
        if record is None or record.response is None or record.response.authorised != request.amount:
            return AdjustmentOutcome.NOT_FOUND
        key = self._terminal.key_for(request.till)
        return self._session.host.reverse(ReversalRequest(key, record.response.transaction)).outcome


@dataclass(frozen=True, slots=True)
class _TillSide:
    """One sale's till, as `keyless.sell` speaks to it."""

    exchange: _Exchange
    request: Request
    payload: bytes

    def answer_at_once(self) -> None:
        self.exchange.call(_answer(self.request, Result.NOT_VERIFIED, "SEE THE DISPLAY"))

    def await_end(self, sale: Sale) -> PaymentResponse:
        return self.exchange.await_end(sale)

    def announce(self, response: PaymentResponse, telling: Callable[[], object]) -> bool:
        report = f"{response.brand.upper()} {response.account} {response.approval_code}"
        delivery = self.exchange.call(_answer(self.request, Result.OK, report), telling)
        return delivery is Delivery.ACKNOWLEDGED

    def conclude(self, response: PaymentResponse) -> None:
        self.exchange.conclude(self.request, self.payload, response.outcome, response.message)


def _answer(request: Request, result: Result, report: str) -> bytes:
    text = report.encode("ascii", "replace").decode("ascii") if request.wants_report else None
    return encode_answer(Answer(request.till, result, request.amount, "0", request.private, text))

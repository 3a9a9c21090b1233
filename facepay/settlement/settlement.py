"""Authorise, announce, capture or void; and after a restart, finish what was begun.

Rules: the journal row comes before the effect. UNKNOWN is asked again, then voided. A till is told of a
decline only when the provider holds nothing for certain; otherwise `OutcomeUnknown` is raised and the
row stays open until `settle_open` has closed it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass

from facepay.errors import OutcomeUnknown
from facepay.journal import OPEN, Entry, Facts, Journal, State, Step, UnknownPayment
from facepay.psp.base import (
    Answer,
    Authorisation,
    PayerToken,
    PaymentProvider,
    PspError,
    PspMisconfigured,
    Reason,
    RefundProvider,
    Stage,
)
from facepay.settlement.asking import Asking, Patience
from facepay.settlement.orders import make_order, order_facts, order_of, refund_order
from pos_adapter.types import Money, TransactionId

DECIDED = frozenset({State.CONFIRMED, State.VOIDING, State.REFUNDING})
"""Open states whose next effect is decided and only has to be carried out."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Settled:
    """What `settle_open` did: ids by where they ended, and those still open."""

    captured: tuple[TransactionId, ...] = ()
    voided: tuple[TransactionId, ...] = ()
    refunded: tuple[TransactionId, ...] = ()
    ended: tuple[TransactionId, ...] = ()
    still_open: tuple[TransactionId, ...] = ()
    telling: tuple[TransactionId, ...] = ()
    """Left as they are: their tills may know, and say so by what they ask next (`take_silence`)."""

    @property
    def clean(self) -> bool:
        """Whether nothing is left open, so that the next sale may start."""
        return not self.still_open


class Settlement:
    """One terminal's hand on the money.

    Args:
        wait: Sleeps for some seconds; tests pass one that does not.
        statement: Signs the authorisation of an AUTHORISED entry; what it signs is kept with ANNOUNCED.
    """

    def __init__(
        self,
        journal: Journal,
        provider: PaymentProvider,
        refunds: RefundProvider | None = None,
        *,
        wait: Callable[[float], object],
        patience: Patience | None = None,
        statement: Callable[[Entry], str] | None = None,
    ) -> None:
        self._journal = journal
        self._provider = provider
        self._refunds = refunds
        self._asking = Asking(provider, wait, patience or Patience())
        self._statement = statement
        # Two threads that finish the same entry would ask the provider twice and collide in the journal.
        self._lock = threading.RLock()

    def authorise(
        self,
        payment: TransactionId,
        payer: PayerToken,
        amount: Money,
        *,
        payee: str,
        terminal: str,
        identified: Facts | None = None,
        wanted: Callable[[], bool] = lambda: False,
        resolving: Callable[[], object] = lambda: None,
    ) -> Authorisation:
        """Hold the money for a payment.

        Args:
            identified: What is known of the payer, where the payment is NEW; None where it is IDENTIFIED.
            wanted: Whether the till is to be told of an approval at once, asked when the money is held;
                then the entry is ANNOUNCED as well, in the same commit (ADR 0140).
            resolving: Called when the provider's answer is unclear and is being asked for again.

        Returns:
            APPROVED (the entry is AUTHORISED or ANNOUNCED) or DECLINED (the entry is DECLINED or VOIDED).

        Raises:
            OutcomeUnknown: Nobody knows yet; the entry stays open and is settled later.
            PspError: With `certain` set: nothing was held; the entry is DECLINED.
        """
        order = make_order(self._require(payment), payer, amount, payee=payee, terminal=terminal)
        known = () if identified is None else (Step(State.IDENTIFIED, identified),)
        entry = self._journal.walk(payment, *known, Step(State.AUTHORISING, order_facts(order)))
        try:
            answer = self._asking.authorise(order)
        except PspError as error:
            self._journal.advance(payment, State.DECLINED, facts={"reason": type(error).__name__})
            raise
        if answer.answer is Answer.UNKNOWN:
            self._journal.advance(payment, State.UNKNOWN)
            resolving()
            answer = self._asking.find(order)
        return self._conclude(entry, answer, wanted)

    def announce(self, payment: TransactionId, facts: Facts | None = None) -> Entry:
        """Write that the till is about to be told of the approval, with the signed statement over it.

        Calling it again changes nothing.
        """
        entry = self._require(payment)
        if entry.state is State.ANNOUNCED:
            return entry
        return self._journal.walk(payment, self._announcing(entry, facts))

    def telling(self, payment: TransactionId, *, till_will_say: bool = False) -> Entry:
        """Write that the till is given the whole approval now; calling it again changes nothing.

        Args:
            till_will_say: Its next order says whether it heard (ZVT's receipt synchronisation), so that its
                silence means nothing.

        Raises:
            IllegalTransition: It is no approval any more: nothing may be told.
        """
        entry = self._require(payment)
        if entry.state in {State.TELLING, State.CONFIRMED, State.CAPTURED}:
            return entry
        return self._journal.advance(payment, State.TELLING, {"till_will_say": True} if till_will_say else {})

    def acknowledge(self, payment: TransactionId, *, learned: bool) -> Entry:
        """Capture when the till has learned of the approval, void when it never will.

        Calling it again changes nothing. The entry returned may still be CONFIRMED or VOIDING where the
        provider does not answer; `settle_open` finishes it.
        """
        entry = self._require(payment)
        if entry.state not in {State.AUTHORISED, State.ANNOUNCED, State.TELLING}:
            if learned and entry.state in {State.VOIDING, State.VOIDED}:
                _log.error("payment %s: the till acknowledged an approval after it was voided", payment)
            return entry
        if learned and entry.state is not State.AUTHORISED:
            return self._capture(self._journal.advance(payment, State.CONFIRMED))
        return self._void(self._journal.advance(payment, State.VOIDING))

    def refund(self, refund: Entry) -> Entry:
        """Carry out a refund entry that is REFUNDING; it stays so where the provider does not answer."""
        if self._refunds is None or refund.original is None:
            raise PspMisconfigured("this payment provider pays nothing back")
        order, refunds = refund_order(refund, self._require(refund.original)), self._refunds
        with self._lock:
            refund = self._require(refund.payment)
            if refund.state is not State.REFUNDING:
                return refund
            movement = self._asking.repeat(lambda: refunds.refund(order))
            if movement is None:
                return refund
            if movement.answer is Answer.DECLINED:
                return self._journal.advance(refund.payment, State.DECLINED, facts=_reason(movement.reason))
            reference = {"reference": movement.reference}
            return self._journal.advance(refund.payment, State.REFUNDED, facts=reference)

    def settle_open(self, learned: Callable[[Entry], bool | None] = lambda _: None) -> Settled:
        """Finish every open entry of this chain but those TELLING; call it at start, before the first sale.

        Args:
            learned: Whether the till of an ANNOUNCED or TELLING entry has learned of the approval; None where
                nobody can say.
        """
        return self._settle_all(OPEN, learned)

    def finish(self) -> Settled:
        """Try again what is decided but not done (captures, voids, refunds); safe while a sale runs."""
        return self._settle_all(DECIDED, lambda _: None)

    def take_silence(self, payments: Collection[TransactionId]) -> tuple[Entry, ...]:
        """Capture what was being told when an earlier run died and no till has asked about since.

        A till that was cut off asks again, in its wire's way; one that did not has its answer.
        """
        asked = (self._require(payment) for payment in payments)
        silent = [e for e in asked if e.state is State.TELLING and not e.facts.get("till_will_say")]
        said = {"learned": "silence"}
        return tuple(
            self._capture(self._journal.advance(e.payment, State.CONFIRMED, facts=said)) for e in silent
        )

    def _settle_all(self, states: Collection[State], learned: Callable[[Entry], bool | None]) -> Settled:
        done = [self._settle(entry, learned) for entry in self._journal.open_entries(states)]

        def ended(*states: State) -> tuple[TransactionId, ...]:
            return tuple(entry.payment for entry in done if entry.state in states)

        return Settled(
            captured=ended(State.CAPTURED),
            voided=ended(State.VOIDED),
            refunded=ended(State.REFUNDED),
            ended=ended(State.DECLINED, State.ABORTED),
            still_open=ended(*(OPEN - {State.TELLING})),
            telling=ended(State.TELLING),
        )

    def _settle(self, entry: Entry, learned: Callable[[Entry], bool | None]) -> Entry:
        match entry.state:
            case State.NEW | State.IDENTIFIED:
                return self._journal.advance(entry.payment, State.ABORTED, facts={"reason": "restart"})
            case State.CONFIRMED:
                return self._capture(entry)
            case State.ANNOUNCED | State.TELLING if learned(entry):
                return self._capture(self._journal.advance(entry.payment, State.CONFIRMED))
            case State.TELLING if learned(entry) is None:
                return entry
            case State.REFUNDING:
                return self.refund(entry)
            case State.VOIDING:
                return self._void(entry)
            case _:
                return self._void(self._journal.advance(entry.payment, State.VOIDING))

    def _announcing(self, entry: Entry, facts: Facts | None = None) -> Step:
        signed = {"statement": self._statement(entry)} if self._statement else {}
        return Step(State.ANNOUNCED, {**(facts or {}), **signed})

    def _conclude(self, entry: Entry, answer: Authorisation, wanted: Callable[[], bool]) -> Authorisation:
        payment = entry.payment
        if answer.answer is Answer.APPROVED:
            told = (self._announcing(entry),) if wanted() else ()
            self._journal.walk(payment, Step(State.AUTHORISED, {"reference": answer.reference}), *told)
            return answer
        if answer.answer is Answer.DECLINED:
            self._journal.advance(payment, State.DECLINED, facts=_reason(answer.reason))
            return answer
        entry = self._void(self._journal.advance(payment, State.VOIDING))
        if entry.state is not State.VOIDED:
            raise OutcomeUnknown(f"payment {payment}: the provider does not say whether it holds money")
        return Authorisation(answer.order, Answer.DECLINED, Stage.VOIDED, answer.reference, Reason.VOIDED)

    def _capture(self, entry: Entry) -> Entry:
        with self._lock:
            entry = self._require(entry.payment)
            return self._capture_now(entry) if entry.state is State.CONFIRMED else entry

    def _capture_now(self, entry: Entry) -> Entry:
        order = order_of(entry)
        movement = self._asking.repeat(lambda: self._provider.capture(order, order.amount))
        if movement is None:
            return entry
        if movement.answer is Answer.DECLINED:
            _log.error("payment %s: the provider refuses the capture of an approval", entry.payment)
            return self._journal.advance(entry.payment, State.DECLINED, facts=_reason(movement.reason))
        return self._journal.advance(
            entry.payment, State.CAPTURED, facts={"captured_minor": order.amount.minor}
        )

    def _void(self, entry: Entry) -> Entry:
        with self._lock:
            entry = self._require(entry.payment)
            return self._void_now(entry) if entry.state is State.VOIDING else entry

    def _void_now(self, entry: Entry) -> Entry:
        order = order_of(entry)
        movement = self._asking.repeat(lambda: self._provider.void(order))
        if movement is None:
            return entry
        if movement.answer is Answer.DECLINED:
            _log.error("payment %s: the provider has captured what was to be voided", entry.payment)
            return self._journal.advance(
                entry.payment, State.CAPTURED, facts={"captured_minor": order.amount.minor}
            )
        return self._journal.advance(entry.payment, State.VOIDED)

    def _require(self, payment: TransactionId) -> Entry:
        entry = self._journal.find(payment)
        if entry is None:
            raise UnknownPayment(f"the journal has no payment {payment}")
        return entry


def _reason(reason: Reason | None) -> Facts:
    return {"reason": reason.value if reason else None}

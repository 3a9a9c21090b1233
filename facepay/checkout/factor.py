"""Asks the shopper for what the policy wants beside the face: digits that narrow, or the PIN."""

from __future__ import annotations

from dataclasses import replace

from facepay.checkout.identity import Given, Look
from facepay.checkout.parts import CheckoutParts
from facepay.checkout.screen import Screen
from facepay.counter import Answer, Answers, Phase
from facepay.errors import FactorFailed, LimitExceeded
from facepay.gallery import EnrolledSubject
from facepay.policy import FactorDecision, FactorRequirement, PolicyInputs, decide
from facepay.types import SubjectId
from pos_adapter.types import Money


class FactorDesk:
    """The factors of one sale."""

    def __init__(self, parts: CheckoutParts, answers: Answers, screen: Screen) -> None:
        self._parts = parts
        self._answers = answers
        self._screen = screen

    def ask_pin(self, account: str) -> str:
        """Ask for the PIN of an account before the face is looked at; raises FactorFailed, and counts."""
        pin = self._ask("pin")
        self._parts.accounts.require_pin(account, pin)
        return pin

    def ask_candidates(self) -> frozenset[SubjectId]:
        """Ask for digits and tell who has them; nobody has, and nobody will be found."""
        return self._parts.gallery.candidates_for(self._ask("digits"))

    def require_factors(
        self,
        subject: EnrolledSubject,
        amount: Money,
        look: Look,
        decision: FactorDecision,
    ) -> Given:
        """Ask until the policy, whose first `decision` is known, is content.

        Raises:
            LimitExceeded: the policy refuses whatever is added.
            FactorFailed: what was entered is wrong too often, or locked.
        """
        given = look.given
        for _ in range(self._parts.terms.factor_tries):
            if decision.required is FactorRequirement.REFUSE:
                raise LimitExceeded(f"the policy refuses: {', '.join(decision.rules)}")
            if decision.satisfied:
                return given
            given = self._add(decision.missing, subject, given)
            decision = self.decide(subject, amount, look, given)
        raise FactorFailed("the factors asked for were not given")

    def decide(self, subject: EnrolledSubject, amount: Money, look: Look, given: Given) -> FactorDecision:
        """What the policy makes of this payment with what was given so far."""
        spending, preference = self._parts.accounts.standing(subject.account)
        return decide(
            PolicyInputs(
                amount=amount,
                spending=spending,
                liveness_level=look.level,
                margin=look.identification.margin,
                gallery_size=1 if given.digits or given.code else max(1, self._parts.gallery.size),
                first_payment=spending.since_success_s is None,
                look_alike=subject.look_alike,
                preference=preference,
                offline=not self._parts.reachable(),
                digits_given=given.digits,
                pin_given=given.pin,
            ),
            self._parts.rules,
        )

    def _add(self, missing: FactorRequirement, subject: EnrolledSubject, given: Given) -> Given:
        if missing is FactorRequirement.DIGITS:
            if subject.subject not in self._parts.gallery.candidates_for(self._ask("digits")):
                self._parts.accounts.note_failure(subject.account)
                raise FactorFailed("the digits are another account's")
            return replace(given, digits=True)
        self._parts.accounts.require_pin(subject.account, self._ask("pin"))
        return replace(given, pin=True)

    def _ask(self, factor: str) -> str:
        # A code typed before it was asked for belongs to nothing on the screen.
        self._answers.forget(Answer.DIGITS)
        self._screen.show(Phase.FACTOR, factor=factor)
        return self._answers.wait(Answer.DIGITS, self._parts.terms.factor_s)

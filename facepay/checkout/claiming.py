"""A payment that begins with the shopper's own code: whose it is, and the one reference it opens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from facepay.capture.capture import OpenCapture
from facepay.checkout.code_reader import find_holder_code
from facepay.checkout.factor import FactorDesk
from facepay.checkout.identity import Given
from facepay.checkout.parts import CheckoutParts
from facepay.counter import Answer, Answers
from facepay.errors import CodeRefused, FailureToAcquire
from facepay.gallery import forget
from facepay.types import Pixels, Reference
from liveness.session import LivenessSession


@dataclass(frozen=True, slots=True)
class Claimed:
    """A code that opened: whose it is, its reference in the clear, and what the shopper has given so far."""

    account: str
    reference: Reference = field(repr=False)
    given: Given


class ClaimDesk:
    """Takes the code of one sale and opens it for as long as the capture lasts."""

    def __init__(self, parts: CheckoutParts, answers: Answers, factors: FactorDesk) -> None:
        self._parts = parts
        self._answers = answers
        self._factors = factors

    def read(self, capture: OpenCapture, attempt: LivenessSession) -> str:
        """The text of the code, from the camera or from a scanner, whichever comes first.

        Raises:
            FailureToAcquire: no code was shown in time.
        """
        text = capture.scan(attempt, self._reader(), self._parts.terms.code_s)
        if text is None:
            raise FailureToAcquire("no code was shown in time")
        return text

    def _reader(self) -> Callable[[Pixels], str | None]:
        return lambda pixels: self._answers.take(Answer.CODE) or find_holder_code(pixels)

    @contextmanager
    def opened(self, text: str) -> Iterator[Claimed]:
        """Open the code; its reference is overwritten when the block is left.

        Raises:
            CodeRefused: the code is unknown, withdrawn, past its time, or does not open.
            FactorFailed: the PIN that is part of the key is wrong or locked.
        """
        claim = self._parts.held.find(text)
        account = claim.subject.account
        pin = self._factors.ask_pin(account) if claim.needs_pin else ""
        try:
            reference = self._parts.held.open(claim, pin, self._parts.identifier.model)
        except CodeRefused:
            self._parts.accounts.note_failure(account)
            raise
        try:
            yield Claimed(account, reference, Given(pin=claim.needs_pin, code=True))
        finally:
            forget(reference)

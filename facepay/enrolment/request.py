"""What a shopper brings to an enrolment."""

from __future__ import annotations

from dataclasses import dataclass, field

from facepay.enrolment.consent_text import ConsentText
from facepay.errors import FactorFailed
from facepay.types import TemplateMode

CODE_DIGITS = (4, 12)


@dataclass(frozen=True, slots=True)
class EnrolmentRequest:
    """Consent, code and, if wanted, the last digits of a phone number.

    `account` is made anew where it is empty. `reviewed` says that a member of staff has looked at both
    people after the terminal found somebody enrolled who looks the same. `mode` is where the shopper wants
    the template to be kept.

    Raises:
        FactorFailed: code or digits are not digits, too short, or too easily guessed.
    """

    consent: ConsentText
    pin: str = field(repr=False)
    digits: str = field(default="", repr=False)
    account: str = ""
    reviewed: bool = False
    mode: TemplateMode = TemplateMode.GALLERY

    def __post_init__(self) -> None:
        low, high = CODE_DIGITS
        if not (self.pin.isascii() and self.pin.isdigit() and low <= len(self.pin) <= high):
            raise FactorFailed(f"a code has {low} to {high} digits")
        if len(set(self.pin)) == 1 or self.pin in "01234567890" or self.pin in "09876543210":
            raise FactorFailed("this code is too easily guessed: choose another one")
        if self.digits and not (self.digits.isascii() and self.digits.isdigit() and len(self.digits) == low):
            raise FactorFailed("the digits are the last four of a phone number")

"""What the errors of the other rooms mean to whoever opened a page."""

from __future__ import annotations

from facepay.errors import Busy, Declined, Fault
from facepay.psp.base import PspError
from facepay.web.problems import BAD_INPUT, CONFLICT, TOO_MANY, UNAVAILABLE, PageError
from hardware.errors import FrameRateExceeded, FrameRefused, HardwareError
from pos_adapter.errors import PosError


def refusal_of(error: Exception) -> PageError | None:
    """The refusal to answer with, or None for an error that no page foresaw."""
    if isinstance(error, FrameRateExceeded):
        return PageError(TOO_MANY, "Pictures come faster than they are taken; send the newest one only.")
    if isinstance(error, FrameRefused):
        return PageError(BAD_INPUT, f"The picture was refused: {error}")
    if isinstance(error, HardwareError):
        return PageError(CONFLICT, "The terminal takes no pictures now.")
    if isinstance(error, Busy):
        return PageError(CONFLICT, "The camera is in use by a sale. Try again in a moment.")
    if isinstance(error, Declined):
        return PageError(CONFLICT, str(error))
    if isinstance(error, Fault):
        # The text of a fault is for the operator; a page says only whom to ask.
        return PageError(UNAVAILABLE, "The terminal cannot do that now; the reason is in its log.")
    if isinstance(error, PspError):
        return PageError(UNAVAILABLE, "The payment provider does not answer now; try again in a moment.")
    if isinstance(error, PosError):
        return PageError(BAD_INPUT, str(error))
    return None

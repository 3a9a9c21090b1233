"""The one error family of pos_adapter.

Above a codec or link only these exist: a leaked ValueError is a bug. Each class says who can fix it.
Texts name what was wrong and never quote secrets, card data or whole frames.

    PosError
      MalformedMessage        the till sent bytes that are no message
        ChecksumMismatch        the line is noisy
        FrameTooLarge           more bytes than the wire allows
      BadRequest              a well-formed message asks for something impossible
        UnknownCurrency, AmountNotRepresentable, UnknownCommand
        KeyReused, RequestInProgress, RecordNotFound, NotAllowed
      Unauthenticated         the till did not prove who it is
      NotToBeTold             an approval could not be written down, so the till must not hear it
      NotRepresentable        an answer has no form on this wire (our bug or a setting)
      LinkError               cable, socket or port
        LinkClosed (LinkReset), LinkTimeout, LinkUnavailable
      UpstreamUnreachable     the shop's card terminal does not answer
"""


class PosError(Exception):
    """Base of everything pos_adapter raises on purpose."""


class MalformedMessage(PosError):
    """Received bytes do not form a message of this wire; the till's maker can fix it."""


class ChecksumMismatch(MalformedMessage):
    """A frame's CRC or LRC is wrong; the cable or its settings (speed, parity) can be fixed."""


class FrameTooLarge(MalformedMessage):
    """A frame is longer than the wire allows or never ends."""


class BadRequest(PosError):
    """A well-formed message asks for something this terminal cannot do; the till can ask otherwise."""


class UnknownCurrency(BadRequest):
    """The currency is not in ISO 4217's active list or not one this terminal takes."""


class AmountNotRepresentable(BadRequest):
    """The amount is not a whole, positive number of the currency's minor units, or too large."""


class UnknownCommand(BadRequest):
    """The command exists on the wire but not in this terminal."""


class KeyReused(BadRequest):
    """The same recovery key arrived with another request."""


class RequestInProgress(BadRequest):
    """The same request is still running; ask for its status instead of repeating it."""


class RecordNotFound(BadRequest):
    """No recorded transaction answers to this key."""


class NotAllowed(BadRequest):
    """The transaction's state or the terminal's settings forbid what was asked."""


class Unauthenticated(PosError):
    """The till's key, passphrase or signature is missing or wrong; one text for every cause."""


class NotToBeTold(PosError):
    """The host could not write down that the till is told an approval, or has taken it back."""


class NotRepresentable(PosError):
    """An answer cannot be written on this wire (a field too long, an outcome without a row)."""


class LinkError(PosError):
    """The cable, socket or port failed; `retryable` says whether trying again can help."""

    retryable = True


class LinkClosed(LinkError):
    """The peer hung up, or the line is gone."""


class LinkReset(LinkClosed):
    """The peer broke the connection off instead of ending it: what we sent last may be lost."""


class LinkTimeout(LinkError):
    """The peer did not take our bytes in time."""


class LinkUnavailable(LinkError):
    """The port or address cannot be opened; the text says what to check."""


class UpstreamUnreachable(PosError):
    """The shop's card terminal behind this one does not answer; the cashier uses it directly."""

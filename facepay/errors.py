"""The two families of errors above the leaves, and the seam rule.

`Declined` means the system works and says no: the shopper hears it in plain words and the card is
the way on. `Fault` means something is broken: the operator hears it. `facepay.outcomes` is the only
map from either to an answer for the till; what is not in it answers FAILURE and alerts.

An error's text is for the operator's log. It never carries pixels, features, scores or key material.
"""


class FacepayError(Exception):
    """Base of everything this package raises on purpose."""


class Declined(FacepayError):
    """The system works and says no; charging by card is the way on."""


class FailureToAcquire(Declined):
    """No usable face was captured before the deadline (a non-response, never called an attack)."""


class AttackSuspected(Declined):
    """Presentation or injection attack detection refused the capture."""


class NoMatch(Declined):
    """Nobody enrolled here is similar enough."""


class NotTheHolder(NoMatch):
    """The face is not the one that the shopper's own code was made for.

    `account` is whose code it was, so that the failure counts there.
    """

    def __init__(self, text: str, account: str) -> None:
        super().__init__(text)
        self.account = account


class AmbiguousMatch(Declined):
    """The best and second-best identities are too close to tell apart."""


class NotEnrolled(Declined):
    """The claimed account (digits, capsule) has no reference here."""


class CodeRefused(NotEnrolled):
    """A shopper's own code is unknown, withdrawn, past its time, or of another shop or recogniser."""


class LookAlike(Declined):
    """Somebody enrolled looks the same; staff has to review before this person is enrolled."""


class FactorFailed(Declined):
    """A required second factor was wrong, missing or locked."""


class LimitExceeded(Declined):
    """A shopper's, merchant's or policy limit forbids this payment by face."""


class AuthorisationDeclined(Declined):
    """The payment provider said no; no money moved."""


class Cancelled(Declined):
    """Shopper or cashier ended the sale before a decision."""


class ChoseCard(Cancelled):
    """The shopper or the cashier took the card instead."""


class Busy(Declined):
    """Another sale has the camera; this one was not started."""


class Fault(FacepayError):
    """Something is broken; an operator has to act."""


class ReferenceUnreadable(Fault):
    """An enrolled reference could not be unsealed."""


class KeyRetired(Fault):
    """A wrapping key was retired while something was being sealed under it; trying again may help."""


class AuditBroken(Fault):
    """The audit log does not extend what was signed: entries were altered, removed or replaced."""


class ReceiptRefused(Fault):
    """A deletion receipt does not hold: not ours, altered, or the database says otherwise."""


class ApprovalMissing(Fault):
    """A deed that needs two persons lacks their approvals; the text says whose and of what."""


class ModelMismatch(Fault):
    """Template and recogniser, or pack and calibration, do not belong together."""


class SettingsError(Fault):
    """A setting is unknown, missing or impossible; the text names it and what to write instead."""


class PackMissing(SettingsError):
    """A model pack is not here or damaged; the text says what to type. No setting need be changed."""


class DatabaseFault(Fault):
    """The database cannot be opened, read or written; the text says what the operator can do."""


class PluginError(Fault):
    """A plugin named in the settings is missing or broke its contract."""


class OutcomeUnknown(Fault):
    """Nobody knows yet whether money moved; never reported to a till as declined."""


class UnknownName(Fault):
    """Whoever asked named a payment, an account or a payer that is not here; the text repeats the name."""


class InputUnusable(Fault):
    """A file or data set the operator supplied cannot be used; the text names it and what is wrong."""

"""One row per error: the answer on the wire, the words, whether to alert, whether a retry makes sense.

Everything about who stands there (no match, ambiguous, an attack, a wrong factor, a lock-out, a limit of
the account) has one row to the outside, so that the till's answer teaches an attacker nothing; which it was
is in the journal. `tests/unit/outcomes` proves that every error class of the house is in the table.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from facepay import errors
from facepay.accounts.lockouts import LockedOut
from facepay.journal import errors as journal
from facepay.outcomes.words import CashierWords, ShopperWords
from facepay.psp import base as psp
from facepay.settlement.refunds import RefundRefused
from hardware.errors import HardwareError
from keys.errors import KeysError
from liveness.errors import LivenessError
from pos_adapter import errors as pos
from pos_adapter.types import Outcome


@dataclass(frozen=True, slots=True)
class Row:
    """What follows from an error. `retry` says that the same sale may be tried again by face at once."""

    outcome: Outcome
    shopper: ShopperWords
    cashier: CashierWords
    alert: bool = False
    retry: bool = False


_S, _C, _O = ShopperWords, CashierWords, Outcome

_WHO = Row(_O.NO_MATCH, _S.CARD_PLEASE, _C.CARD_PLEASE)
_BROKEN = Row(_O.FAILURE, _S.OUT_OF_ORDER, _C.CALL_OPERATOR, alert=True)
_DEVICE = Row(_O.DEVICE_DEAD, _S.OUT_OF_ORDER, _C.OUT_OF_ORDER, alert=True)
_UNKNOWN = Row(_O.PROVIDER_UNKNOWN, _S.ONE_MOMENT, _C.WAIT_UNKNOWN, alert=True)
_BAD_REQUEST = Row(_O.BAD_REQUEST, _S.CARD_PLEASE, _C.BAD_REQUEST)
_CHANGED = Row(_O.BAD_REQUEST, _S.CARD_PLEASE, _C.REQUEST_CHANGED)
_NOT_ALLOWED = Row(_O.BAD_REQUEST, _S.CARD_PLEASE, _C.NOT_ALLOWED)

UNFORESEEN = _BROKEN
"""Answer to an error nobody foresaw: failure, and somebody is alerted."""

ROWS: Mapping[type[BaseException], Row] = MappingProxyType(
    {
        errors.FailureToAcquire: Row(_O.TIMEOUT, _S.TIMED_OUT, _C.TIMED_OUT, retry=True),
        errors.AttackSuspected: _WHO,
        errors.NoMatch: _WHO,
        errors.AmbiguousMatch: _WHO,
        errors.NotEnrolled: _WHO,
        errors.FactorFailed: _WHO,
        errors.LimitExceeded: _WHO,
        errors.AuthorisationDeclined: Row(_O.DECLINED, _S.NOT_PAID, _C.NOT_PAID),
        errors.Cancelled: Row(_O.SHOPPER_CHOSE_CARD, _S.CARD_CHOSEN, _C.CARD_CHOSEN),
        errors.Busy: Row(_O.BUSY, _S.BUSY, _C.BUSY, retry=True),
        errors.Declined: Row(_O.DECLINED, _S.CARD_PLEASE, _C.CARD_PLEASE),
        errors.OutcomeUnknown: _UNKNOWN,
        errors.ReferenceUnreadable: _BROKEN,
        errors.ModelMismatch: _BROKEN,
        errors.SettingsError: _BROKEN,
        errors.PluginError: _BROKEN,
        errors.Fault: _BROKEN,
        LockedOut: _WHO,
        RefundRefused: _NOT_ALLOWED,
        journal.RequestChanged: _CHANGED,
        journal.JournalError: _BROKEN,
        psp.PspUnreachable: Row(
            _O.PROVIDER_UNREACHABLE, _S.CARD_PLEASE, _C.PROVIDER_UNREACHABLE, alert=True, retry=True
        ),
        psp.PspMisconfigured: _BROKEN,
        psp.BadOrder: _BAD_REQUEST,
        psp.KeyReused: _CHANGED,
        psp.WebhookRefused: _BROKEN,
        # A driver that broke in an unforeseen way may have charged: that is never told as a refusal.
        psp.PspError: _UNKNOWN,
        HardwareError: _DEVICE,
        LivenessError: _DEVICE,
        KeysError: _BROKEN,
        pos.BadRequest: _BAD_REQUEST,
        pos.MalformedMessage: _BAD_REQUEST,
        pos.KeyReused: _CHANGED,
        pos.RecordNotFound: _NOT_ALLOWED,
        pos.NotAllowed: _NOT_ALLOWED,
        pos.Unauthenticated: _NOT_ALLOWED,
        pos.PosError: _BROKEN,
    }
)
"""The table. A class that is not a key answers as its nearest base class that is one."""


def outcome_of(error: BaseException) -> Row:
    """The row of an error; an error nobody foresaw is a failure that alerts."""
    return next((ROWS[kind] for kind in type(error).__mro__ if kind in ROWS), UNFORESEEN)

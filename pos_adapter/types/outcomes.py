"""How a payment stands and how it ended, in words that every wire has a row for."""

from __future__ import annotations

from enum import Enum


class Outcome(Enum):
    """How a payment request ended. Every wire has a row for each in its outcome table."""

    APPROVED = "approved"
    PARTIAL = "partial"
    NO_MATCH = "no_match"
    ATTACK_SUSPECTED = "attack_suspected"
    SHOPPER_CHOSE_CARD = "shopper_chose_card"
    CASHIER_ABORT = "cashier_abort"
    TIMEOUT = "timeout"
    DECLINED = "declined"
    """Policy, limit or payment provider said no; nothing was charged."""
    DEVICE_DEAD = "device_dead"
    PROVIDER_UNREACHABLE = "provider_unreachable"
    PROVIDER_UNKNOWN = "provider_unknown"
    """Nobody knows yet whether money moved; never told to a till as a refusal."""
    BUSY = "busy"
    BAD_REQUEST = "bad_request"
    FAILURE = "failure"
    """Anything nobody foresaw; nothing was charged, the operator is alerted."""

    @property
    def is_approval(self) -> bool:
        """Whether money is authorised and waits for the till's acknowledgement."""
        return self in (Outcome.APPROVED, Outcome.PARTIAL)


class ProgressStep(Enum):
    """Where a running payment stands; wires show it to the cashier or use it as a sign of life."""

    WAITING_FOR_SHOPPER = "waiting_for_shopper"
    CAPTURING = "capturing"
    CONFIRMING = "confirming"
    AUTHORISING = "authorising"
    RESOLVING = "resolving"
    """The provider's answer is unknown and is being asked for again."""
    FORWARDED = "forwarded"
    """The shop's card terminal has taken over."""


class TerminalStatus(Enum):
    """Whether a sale could start now."""

    READY = "ready"
    BUSY = "busy"
    OUT_OF_ORDER = "out_of_order"

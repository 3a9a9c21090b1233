"""What the wires need from the others: a payment host above, a link below, a codec in the middle."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from pos_adapter.types import (
    AdjustmentResponse,
    ExchangeKey,
    IdentifyRequest,
    IdentifyResponse,
    PaymentRecord,
    PaymentRequest,
    PaymentResponse,
    ProgressStep,
    RefundRequest,
    ReversalRequest,
    TerminalStatus,
    Totals,
    TransactionId,
)

ProgressListener = Callable[[ProgressStep], None]
"""Called by the host whenever a payment moves on; returns at once and never raises."""

EventT_co = TypeVar("EventT_co", covariant=True)
MessageT_contra = TypeVar("MessageT_contra", contravariant=True)


class PaymentHost(Protocol):
    """Takes payments. Safe to call from any wire's thread; one sale at a time."""

    def pay(self, request: PaymentRequest, progress: ProgressListener) -> PaymentResponse:
        """Run one payment to its end and answer; blocks.

        A second request meanwhile answers `Outcome.BUSY` at once. A repeated key answers what was
        recorded. Money is only authorised here: `acknowledge` captures or voids it.
        """

    def acknowledge(self, transaction: TransactionId, learned: bool) -> None:
        """The till has learned of the approval (capture it) or never will (void it).

        Calling it again, or for a transaction without an open authorisation, changes nothing.
        """

    def cancel(self, key: ExchangeKey) -> None:
        """Ask the running payment of this key to end as `CASHIER_ABORT`; unknown keys change nothing."""

    def status(self) -> TerminalStatus:
        """Whether a sale could start now; answers at once."""


class TellingHost(Protocol):
    """Remembers which tills may know, on wires whose till does not say back that it heard."""

    def telling(self, transaction: TransactionId, till_will_say: bool) -> None:
        """The till is given the whole approval as soon as this returns; write it down first.

        After a crash an approval that was never being told is voided. One that was is left open for the
        till's next request, which shows whether it heard, and captured when none comes; with
        `till_will_say` only the till's own word counts. Calling it again changes nothing. Whatever it
        raises keeps the till from being told.
        """


class RecordsHost(Protocol):
    """Remembers payments and undoes them."""

    def find(self, key: ExchangeKey) -> PaymentRecord | None:
        """What is recorded for this key, for at least 48 hours; None when it was never seen."""

    def reverse(self, request: ReversalRequest) -> AdjustmentResponse:
        """Undo a whole payment: void it, or refund it when it was captured. Repeating a key is safe."""

    def refund(self, request: RefundRequest) -> AdjustmentResponse:
        """Give some or all of a payment back.

        Repeating a key answers what was recorded; with another payment or amount it raises KeyReused.
        """

    def totals(self, close: bool) -> Totals:
        """Figures since the last close; `close` starts a new period."""


class HistoryHost(Protocol):
    """Looks a payment up where the wire gives no key."""

    def latest(self, wire: str, till: str) -> PaymentRecord | None:
        """The newest record of this till on this wire, finished or not."""

    def find_receipt(self, receipt_number: int) -> PaymentRecord | None:
        """The newest record with this receipt number."""


class IdentifyHost(Protocol):
    """Says who stands there, without paying."""

    def identify(self, request: IdentifyRequest, progress: ProgressListener) -> IdentifyResponse:
        """Run one identification to its end and answer; blocks. `cancel` of its key ends it."""


class TillHost(PaymentHost, TellingHost, RecordsHost, HistoryHost, IdentifyHost, Protocol):
    """Everything the wires may ask for; facepay's checkout and the simulated host satisfy it."""


class Codec(Protocol[EventT_co, MessageT_contra]):
    """Bytes to events and messages to bytes, without I/O.

    `feed` never raises for what a peer sent: damage becomes an event that holds a `PosError`, so any
    chunking of the same bytes gives the same events. The buffer is bounded.
    """

    def feed(self, data: bytes) -> Sequence[EventT_co]:
        """Take bytes as they come; return the events they complete, in order."""

    def finish(self) -> Sequence[EventT_co]:
        """The peer hung up or paused too long: what is left in the buffer is damage. Empties it."""

    def encode(self, message: MessageT_contra) -> bytes:
        """The bytes of one message; raises NotRepresentable when the wire cannot carry it."""


class Link(Protocol):
    """A byte stream to one peer. One thread reads, any thread may write."""

    @property
    def peer(self) -> str:
        """Who is at the other end, for logs."""

    def read(self, timeout_s: float) -> bytes:
        """Some bytes, or `b""` when none came in time; raises LinkClosed when none will come."""

    def write(self, data: bytes) -> None:
        """Send all bytes; raises LinkClosed or LinkTimeout."""

    def close(self) -> None:
        """Hang up; safe to call twice and from any thread."""

"""What a shopper may see and do with an account, and what the merchant may see; drawn by the pages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from facepay.audit import AuditLog
from facepay.errors import FactorFailed, NotEnrolled
from facepay.gallery import EnrolledSubject
from facepay.monitoring import Rates
from facepay.psp.base import PayerToken
from facepay.terminal import Terminal
from pos_adapter.types import Totals

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of a list: when, what happened (the key of a word), and how much."""

    at: datetime
    what: str
    amount: str = ""


@dataclass(frozen=True, slots=True)
class Overview:
    """Everything that is kept about one payer, as they may read it themselves."""

    account: str
    signed_up: datetime
    origin: str
    balance: str
    payments: tuple[Line, ...]
    looks: tuple[Line, ...]


class AccountDesk(Protocol):
    """A payer's own view of their account."""

    def enter(self, account: str, pin: str) -> None:
        """Check that account and code belong together; raises Declined otherwise."""
        ...

    def overview(self, account: str) -> Overview:
        """What is kept; raises NotEnrolled when nothing is any more."""
        ...

    def withdraw(self, account: str) -> str:
        """Erase the payer and return the signed receipt."""
        ...


class ConsoleDesk(Protocol):
    """The merchant's view: sums and states, never a person."""

    def totals(self) -> Totals:
        """Figures since the last close."""
        ...

    def states(self) -> Mapping[str, int]:
        """How many of the latest payments stand in each state."""
        ...

    def payers(self) -> int:
        """How many people are signed up."""
        ...

    def rates(self) -> Rates:
        """How captures and payments have gone since the start."""
        ...


class TerminalAccounts:
    """The accounts of a running terminal."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal
        names = terminal.settings.terminal
        self._audit = AuditLog(terminal.database, terminal.keys, names.tenant, actor=names.terminal)

    def enter(self, account: str, pin: str) -> None:
        """Check the code; the accounts count failures and lock."""
        self._require(account)
        self._terminal.accounts.require_pin(account, pin)

    def overview(self, account: str) -> Overview:
        """Sign-up, balance, payments and looks."""
        found = self._require(account)
        return Overview(
            account=account,
            signed_up=_time(found.enrolled_at_ms),
            origin=found.origin,
            balance=str(self._terminal.wallet.balance(PayerToken(account))),
            payments=self._payments(account),
            looks=self._looks(found),
        )

    def withdraw(self, account: str) -> str:
        """Erase face and code; the books keep what the law asks for, without a face."""
        return self._terminal.leaving.leave(self._require(account))

    def _require(self, account: str) -> EnrolledSubject:
        found = self._terminal.gallery.find_account(account)
        if found is None:
            raise NotEnrolled("there is no such account")
        return found

    def _payments(self, account: str) -> tuple[Line, ...]:
        entries = self._terminal.history.of_account(account, SHOWN)
        return tuple(
            Line(_time(entry.at_ms), f"state-{entry.state.value.lower()}", str(entry.amount))
            for entry in entries
        )

    def _looks(self, found: EnrolledSubject) -> tuple[Line, ...]:
        entries = self._audit.extract(found.subject)
        return tuple(Line(_time(e.at_ms), f"look-{e.event}") for e in reversed(entries[-SHOWN:]))


class TerminalConsole:
    """Figures of a running terminal."""

    def __init__(self, terminal: Terminal) -> None:
        self._terminal = terminal

    def totals(self) -> Totals:
        """Figures since the last close, without closing."""
        return self._terminal.checkout.totals(close=False)

    def states(self) -> Mapping[str, int]:
        """States of the latest thousand payments."""
        return {state.value: count for state, count in self._terminal.history.states(1000).items()}

    def payers(self) -> int:
        """How many people are signed up."""
        return self._terminal.gallery.size

    def rates(self) -> Rates:
        """How captures and payments have gone since the start."""
        return self._terminal.monitor.rates()


def require_together(desk: AccountDesk, account: str, pin: str) -> None:
    """Check account and code; whatever is wrong has one answer, so that no account can be guessed at.

    Raises:
        FactorFailed: they do not belong together, or there were too many tries.
    """
    try:
        desk.enter(account, pin)
    except NotEnrolled as error:
        raise FactorFailed("account and code do not belong together") from error


def _time(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC).astimezone()

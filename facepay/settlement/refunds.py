"""Refunds and reversals: no face needed, but the original payment, a role, and above an amount two people.

Everything is journalled as an entry of its own that names its original; the sum of all refunds of a
payment never passes what was captured, checked in the transaction that begins the refund.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntEnum

from facepay.errors import Declined
from facepay.journal import Entry, Journal, Opening, State
from facepay.settlement.settlement import Settlement
from pos_adapter.types import Money, TransactionId


class Role(IntEnum):
    """Who may do what; a higher value may do more."""

    NONE = 0
    CASHIER = 1
    SUPERVISOR = 2
    MANAGER = 3


@dataclass(frozen=True, slots=True)
class Actor:
    """A person at the till, named as the till or the console knows them."""

    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class RefundTerms:
    """The merchant's rules; amounts in minor units of the terminal's currency."""

    role: Role = Role.CASHIER
    cashier_limit_minor: int = 5_000
    second_person_minor: int = 10_000
    second_role: Role = Role.SUPERVISOR
    within_days: int = 90


@dataclass(frozen=True, slots=True)
class RefundOf:
    """What is asked: `amount` None gives back all that is left. `request` is the till's key, for ever."""

    request: str
    original: TransactionId
    amount: Money | None
    actor: Actor
    second: Actor | None = None
    reason: str = ""


class RefundRefused(Declined):
    """Role, age, state or amount forbids it; nothing moved and the text says which."""


class SecondPersonNeeded(RefundRefused):
    """The amount needs a second, different person of sufficient role."""


class Refunds:
    """The refund desk of one terminal."""

    def __init__(
        self,
        journal: Journal,
        settlement: Settlement,
        terms: RefundTerms,
        *,
        now_ms: Callable[[], int],
        new_id: Callable[[], str] = lambda: f"r-{secrets.token_hex(12)}",
    ) -> None:
        self._journal = journal
        self._settlement = settlement
        self._terms = terms
        self._now_ms = now_ms
        self._new_id = new_id

    def refund(self, asked: RefundOf) -> Entry:
        """Give back some or all of a captured payment; the same request again answers the same entry.

        Raises:
            RefundRefused: Not allowed; the text names the rule.
            RequestChanged: The request's key was used for another refund.
        """
        amount = asked.amount or self._left(asked)
        opening = Opening(
            payment=TransactionId(self._new_id()),
            request=asked.request,
            fingerprint=_fingerprint(asked),
            amount=amount,
            facts=_facts(asked),
            original=asked.original,
        )

        def guard(original: Entry, before: Sequence[Entry]) -> None:
            self._require_allowed(asked, amount, original, before)

        begun = self._journal.begin_refund(opening, guard)
        if begun.entry.state is State.NEW:
            return self._settlement.refund(self._journal.advance(begun.entry.payment, State.REFUNDING))
        return self._settlement.refund(begun.entry) if begun.entry.state is State.REFUNDING else begun.entry

    def reverse(self, asked: RefundOf) -> Entry:
        """Undo a whole payment: void what is only held, refund what was captured."""
        original = self._journal.find(asked.original)
        if original is not None and original.state in {State.AUTHORISED, State.ANNOUNCED, State.TELLING}:
            if asked.actor.role < self._terms.role:
                raise RefundRefused("a reversal needs a role that may refund")
            return self._settlement.acknowledge(asked.original, learned=False)
        return self.refund(asked)

    def _left(self, asked: RefundOf) -> Money:
        known = self._journal.find_request(asked.request)
        if known is not None:
            return known.amount
        original = self._journal.find(asked.original)
        if original is None:
            raise RefundRefused("there is no such payment")
        left = captured_minor(original) - returned_minor(self._journal.refunds_of(asked.original))
        if left <= 0:
            raise RefundRefused("nothing is left to give back")
        return Money(left, original.amount.currency)

    def _require_allowed(
        self, asked: RefundOf, amount: Money, original: Entry, before: Sequence[Entry]
    ) -> None:
        if original.state is not State.CAPTURED or original.original is not None:
            raise RefundRefused(f"the payment is {original.state.value}, not captured")
        if amount.currency != original.amount.currency or amount.minor <= 0:
            raise RefundRefused("a refund is above 0 and in the currency of its payment")
        if returned_minor(before) + amount.minor > captured_minor(original):
            raise RefundRefused("refunds would exceed what was captured")
        if self._now_ms() - original.at_ms > self._terms.within_days * 86_400_000:
            raise RefundRefused(f"the payment is older than {self._terms.within_days} days")
        self._require_people(asked, amount.minor)

    def _require_people(self, asked: RefundOf, minor: int) -> None:
        terms = self._terms
        if asked.actor.role < terms.role:
            raise RefundRefused("the role may not refund")
        limit = terms.second_person_minor
        if asked.actor.role is Role.CASHIER:
            limit = min(limit, terms.cashier_limit_minor)
        if minor <= limit:
            return
        second = asked.second
        if second is None or second.role < terms.second_role or second.name == asked.actor.name:
            raise SecondPersonNeeded("a second, different person of sufficient role has to approve")


def captured_minor(original: Entry) -> int:
    """What was captured of a payment, in minor units; 0 where nothing was."""
    return int(original.facts.get("captured_minor") or 0)


def returned_minor(refunds: Sequence[Entry]) -> int:
    """What has gone back or may still go back, in minor units."""
    nothing_moved = {State.DECLINED, State.ABORTED}
    return sum(refund.amount.minor for refund in refunds if refund.state not in nothing_moved)


def _fingerprint(asked: RefundOf) -> str:
    amount = "all" if asked.amount is None else f"{asked.amount.minor} {asked.amount.currency}"
    return hashlib.sha256(f"refund\x1f{asked.original}\x1f{amount}".encode()).hexdigest()


def _facts(asked: RefundOf) -> dict[str, str | int | bool | None]:
    return {
        "actor": asked.actor.name,
        "role": asked.actor.role.name.lower(),
        "second": asked.second.name if asked.second else None,
        "reason_given": asked.reason[:200],
    }

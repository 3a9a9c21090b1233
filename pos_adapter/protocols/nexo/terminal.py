"""What the parts of the nexo wire share: session, settings, what runs, and the card terminal behind us."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Protocol

from pos_adapter.errors import UpstreamUnreachable
from pos_adapter.http_messages import HttpRequest
from pos_adapter.http_upstream import HttpUpstream
from pos_adapter.protocols.nexo.answers import Body
from pos_adapter.protocols.nexo.envelope import Message
from pos_adapter.protocols.nexo.exchanges import Exchange, Exchanges
from pos_adapter.protocols.nexo.identities import Identities
from pos_adapter.protocols.nexo.loyalty import LoyaltyProgramme
from pos_adapter.protocols.nexo.options import NexoOptions
from pos_adapter.protocols.nexo.recall import Records
from pos_adapter.sale import Sale
from pos_adapter.session import TransactionSession
from pos_adapter.types import ExchangeKey, Settlement, TransactionId

_log = logging.getLogger(__name__)


class Learning(Protocol):
    """What to do round the sending of an answer that may be an approval."""

    def telling(self) -> None:
        """Right before it leaves; raises NotToBeTold where it must not."""

    def learned(self, sent: bool) -> None:
        """Right after it left, or could not."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back: a body, or bytes as the card terminal gave them, or (neither) nothing at all.

    `learning` is there where the answer may tell of an approval: its money hangs on whether the answer left.
    """

    body: Body | None = None
    raw: bytes | None = None
    learning: Learning | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message: opened, and as the request that carried it."""

    message: Message
    request: HttpRequest


class Terminal:
    """State shared by all requests; safe for the threads of an HTTP server."""

    def __init__(
        self,
        session: TransactionSession,
        options: NexoOptions,
        card: HttpUpstream | None = None,
        loyalty: LoyaltyProgramme | None = None,
    ) -> None:
        self.session = session
        self.options = options
        self.card = card
        self.loyalty = loyalty
        self.exchanges = Exchanges()
        self.records = Records(session, options)
        self.identities = Identities(options.acquisition_s)
        self.logged_in = ""

    def by_card(self, incoming: Incoming, key: str) -> Answer:
        """The card terminal's answer in our place; the till's request goes there as it came.

        Hidden messages stay hidden: the card terminal must know the passphrase that the till uses.

        Raises:
            UpstreamUnreachable: there is none, or it does not answer with a message.
        """
        if self.card is None:
            raise UpstreamUnreachable("there is no card terminal behind this one")
        answer = self.card.ask(incoming.request, key)
        if answer.status != 200 or not isinstance(answer.body, bytes):
            raise UpstreamUnreachable(f"the card terminal answers with status {answer.status}")
        return Answer(raw=answer.body)

    def currency_of(self, transaction: TransactionId) -> str | None:
        """The currency of an earlier payment; None when this terminal does not remember it."""
        return self.exchanges.find_currency(transaction) or self.options.currency or None

    def learning(self, exchange: Exchange | None, key: ExchangeKey) -> Learning:
        """What to do round the sending of an answer that may be an approval."""
        return _Learning(self, exchange, key)

    def telling(self, exchange: Exchange | None, key: ExchangeKey) -> None:
        """The till is given the answer now; raises NotToBeTold where it must not be."""
        sale = exchange.sale if exchange else None
        if sale is not None and not sale.is_settled:
            sale.telling()
        else:
            self.session.telling(key)

    def learned(self, exchange: Exchange | None, key: ExchangeKey) -> None:
        """The till has the answer in hand: an open approval is captured."""
        self._settle(exchange, key, learned=True)

    def await_question(self, exchange: Exchange | None, key: ExchangeKey) -> None:
        """The answer did not arrive: the till may ask for the status for a while, then it is voided."""
        self.session.deadlines.after(
            self.options.learn_within_s,
            lambda: self._settle(exchange, key, learned=False),
            f"giving up {key.text}",
        )

    def _settle(self, exchange: Exchange | None, key: ExchangeKey, *, learned: bool) -> None:
        try:
            self._settle_once(exchange.sale if exchange else None, key, learned=learned)
            if exchange is not None:
                self.exchanges.file(exchange)
        except Exception:
            _log.exception("settling %s (learned: %s) failed", key.text, learned)

    def _settle_once(self, sale: Sale | None, key: ExchangeKey, *, learned: bool) -> None:
        if sale is not None and sale.settle(learned):
            return
        record = self.session.host.find(key)
        response = record.response if record else None
        if record is None or response is None or response.transaction is None:
            return
        if record.settlement is Settlement.PENDING:
            self.session.host.acknowledge(response.transaction, learned)


@dataclass(frozen=True, slots=True)
class _Learning:
    terminal: Terminal
    exchange: Exchange | None
    key: ExchangeKey

    def telling(self) -> None:
        self.terminal.telling(self.exchange, self.key)

    def learned(self, sent: bool) -> None:
        if sent:
            self.terminal.learned(self.exchange, self.key)
        else:
            self.terminal.await_question(self.exchange, self.key)

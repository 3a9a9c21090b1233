"""What one ZVT terminal remembers across its connections: how the till registered, and who answers."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from pos_adapter.errors import PosError
from pos_adapter.protocols.zvt.apdu import Apdu
from pos_adapter.protocols.zvt.commands import Config, Order
from pos_adapter.protocols.zvt.options import ZvtOptions
from pos_adapter.session import TransactionSession
from pos_adapter.types import ExchangeKey, PaymentRecord, ProgressStep
from pos_adapter.upstream import Upstream

_log = logging.getLogger(__name__)
WIRE = "zvt"
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Registration:
    """What the till said in 06 00; a till that never registered gets no print lines and no 04 FF."""

    config: Config = field(default_factory=lambda: Config(0))
    permitted: frozenset[int] = field(default_factory=frozenset)
    message: Apdu | None = None
    """The till's own 06 00, repeated towards the card terminal behind this one."""


class Terminal:
    """State shared by all connections of one ZVT terminal; values are replaced whole, never changed."""

    def __init__(
        self,
        session: TransactionSession,
        options: ZvtOptions,
        upstream: Upstream | None = None,
        *,
        upstream_is_serial: bool = False,
    ) -> None:
        self.session = session
        self.options = options
        self.upstream = upstream
        self.upstream_is_serial = upstream_is_serial
        self.registration = Registration()
        self.last_sale_by_card = False
        self.abort_running: Callable[[], object] | None = None

    def register(self, order: Order, message: Apdu) -> None:
        """Remember how the till wants to be spoken to."""
        config = order.config if order.config is not None else Config(0)
        self.registration = Registration(config, order.permitted_commands, message)

    def new_key(self) -> ExchangeKey:
        """A fresh key: ZVT has none of its own."""
        options = self.options
        return ExchangeKey(WIRE, f"{options.terminal_id:08d}", options.till, secrets.token_hex(8))

    def latest(self) -> PaymentRecord | None:
        """The till's newest payment, or None, also when the records cannot be read."""
        try:
            return self.session.host.latest(WIRE, self.options.till)
        except PosError:
            raise
        except Exception:
            _log.exception("the records cannot be read")
            return None

    def if_it_can(self, work: Callable[[], T]) -> T | None:
        """What the payment host answers; None when it fails and a card terminal can answer instead."""
        try:
            return work()
        except PosError:
            raise
        except Exception:
            if self.upstream is None:
                raise
            _log.exception("the payment host failed; the card terminal is asked")
            return None

    @staticmethod
    def no_listener(step: ProgressStep) -> None:
        """For host calls whose progress the till is not told."""

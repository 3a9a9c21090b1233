"""What a shop sets for the ZVT wire, and the times of PA00P015 in seconds."""

from __future__ import annotations

from dataclasses import dataclass, field

from pos_adapter.protocols.zvt.channel import SerialTimes


@dataclass(frozen=True, slots=True)
class ZvtTimes:
    """T3 for the till's answers, the wait for the answer to 04 0F, and how often signs of life are sent.

    `keep_alive_s` stays below 10 s: some tills give up after 30 s of silence, and a busy line loses some.
    """

    t3_s: float = 5.0
    acknowledgement_s: float = 30.0
    keep_alive_s: float = 5.0
    repeat_status_s: float = 2.0
    repeat_status_at_most: int = 15
    serial: SerialTimes = field(default_factory=SerialTimes)


@dataclass(frozen=True, slots=True)
class ZvtOptions:
    """One terminal on the ZVT wire.

    `terminal_id` is up to eight digits, `currency` the one the terminal takes, `till` the name under which
    this wire's till is journaled (ZVT tells none), `name` the card name on receipts, `header` the shop's
    lines above a receipt, `language` de or en.
    """

    terminal_id: int = 1
    currency: str = "EUR"
    till: str = "zvt"
    name: str = "FACEPAY"
    header: tuple[str, ...] = ()
    language: str = "de"
    version: str = "facepay 0.1"
    times: ZvtTimes = field(default_factory=ZvtTimes)

"""How long from a press of cancel, or of card, until the till has its answer, at every moment of a sale?

`FACEPAY_MODELS=... python -m benchmarks.cancel [TIMES]`. While money is asked for, the provider is silent for
seconds: the till does not wait for it. The aim is 300 ms.
"""

from __future__ import annotations

import dataclasses
import itertools
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.arguments import whole_numbers
from benchmarks.results import Row, quantiles, tell
from facepay.counter import Phase
from facepay.demo.people import default_photos, find_people
from facepay.demo.shopper import Manners
from facepay.demo.theatre import Cast, Theatre
from facepay.psp.base import Authorisation, Order
from facepay.settings import load_settings
from pos_adapter.types import ExchangeKey, Money, PaymentRequest, TerminalStatus

AIM_MS = 300
PIN = "2580"
PHASES = (Phase.OFFERED, Phase.CAPTURING, Phase.FACTOR, Phase.CONFIRM, Phase.AUTHORISING)
NUMBERS = itertools.count()


class SilentProvider:
    """Makes the terminal's provider wait before it answers."""

    def __init__(self, theatre: Theatre) -> None:
        provider = theatre.terminal.money.provider
        self._authorise: Callable[[Order], Authorisation] = provider.authorise
        self.silence_s = 0.0
        # The provider is the demonstration's own; nothing else can make it slow.
        provider.authorise = self._late  # type: ignore[method-assign]

    def _late(self, order: Order) -> Authorisation:
        time.sleep(self.silence_s)
        return self._authorise(order)


def press(theatre: Theatre, payer: Cast, phase: Phase, key: str) -> float:
    """Milliseconds from the press at a phase to the till's answer."""
    theatre.shopper.manners = Manners(
        pin=PIN,
        taps=phase is not Phase.OFFERED,
        types=phase is not Phase.FACTOR,
        confirms=phase is Phase.AUTHORISING,
    )
    theatre.stage.clear() if phase is Phase.CAPTURING else theatre.stage.show(payer.person.photo)
    minor = 1240 if phase is Phase.FACTOR else 310
    asked = PaymentRequest(ExchangeKey("bench", "T1", "till", f"sale-{next(NUMBERS)}"), Money(minor, "EUR"))
    checkout, counter = theatre.terminal.checkout, theatre.terminal.counter
    sale = threading.Thread(target=lambda: checkout.pay(asked, lambda step: None))
    sale.start()
    while counter.view.phase is not phase:
        time.sleep(0.001)
    pressed_s = time.perf_counter()
    if key == "cancel":
        checkout.cancel(asked.key)
    else:
        counter.choose_card()
    sale.join()
    spent_ms = (time.perf_counter() - pressed_s) * 1e3
    while checkout.status() is TerminalStatus.BUSY:
        time.sleep(0.01)
    return spent_ms


def main(times: int = 5) -> None:
    """Press each key at each phase and print the table."""
    settings = load_settings()
    policy = dataclasses.replace(settings.policy, quick_repeat_s=0.0, payments_before_factor=10**6)
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        settings = dataclasses.replace(settings, policy=policy, data=Path(folder))
        with Theatre(settings) as theatre:
            people = find_people(default_photos(), theatre.terminal.engine.detector)
            payer, _ = theatre.enrol(people[0], PIN)
            theatre.shopper.manners.pin = PIN
            theatre.stage.show(payer.person.photo)
            theatre.pay(100)
            provider = SilentProvider(theatre)
            for phase, key in itertools.product(PHASES, ("cancel", "card")):
                provider.silence_s = 2.0 if phase is Phase.AUTHORISING else 0.0
                spent = [press(theatre, payer, phase, key) for _ in range(times)]
                name = f"{key} while {phase.value}, ms"
                rows.append({"what": name, **quantiles(spent), "most": max(spent), "aim": AIM_MS})
    tell("cancel", rows, [f"{times} presses each"])


if __name__ == "__main__":
    main(*whole_numbers(sys.argv[1:], "[TIMES]", most=1))

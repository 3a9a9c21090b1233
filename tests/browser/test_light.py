"""The light of a liveness step in a real browser: shone as the terminal drew it, reported, and spared."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import Chrome

from facepay.terminal import Terminal
from pos_adapter.types import ExchangeKey, Money, PaymentRequest, PaymentResponse
from tests.browser.test_pay_by_face import Page

pytestmark = [pytest.mark.browser, pytest.mark.models, pytest.mark.photos, pytest.mark.timeout(120)]

PERSON = "bona_fide/*.mp4"
Browser = Callable[[Path | None], AbstractContextManager[Chrome]]
WATCH = """
window.lit = new Set();
const node = document.querySelector("[data-light]");
const look = () => { window.lit.add(getComputedStyle(node).backgroundColor); requestAnimationFrame(look); };
look();
"""


class Sale:
    """A sale above the amount from which light is asked for, and everything the counter showed of it."""

    def __init__(self, terminal: Terminal) -> None:
        self.lights: dict[int, dict[str, Any]] = {}  # JSON as the page receives it.
        self.phases: list[str] = []
        self.answers: list[PaymentResponse] = []
        self._terminal = terminal

    @contextmanager
    def running(self, name: str):  # type: ignore[no-untyped-def]
        key = ExchangeKey("test", "T1", "till", name)
        asked = PaymentRequest(key, Money(1240, "EUR"))
        checkout = self._terminal.checkout
        watcher = threading.Thread(target=self._watch, daemon=True)
        watcher.start()
        sale = threading.Thread(target=lambda: self.answers.append(checkout.pay(asked, lambda step: None)))
        sale.start()
        try:
            yield
        finally:
            checkout.cancel(key)
            sale.join(10)

    def _watch(self) -> None:
        for view in self._terminal.counter.subscribe(0.5):
            if view is not None:
                self.phases.append(view.phase.value)
                if view.light:
                    light = json.loads(view.light)
                    self.lights[light["id"]] = light
                if view.phase.ended:
                    return


def channels(colour: str) -> tuple[int, int, int]:
    """`rgb(r, g, b)` or `#rrggbb` as numbers."""
    if colour.startswith("#"):
        return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
    red, green, blue = (int(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3])
    return red, green, blue


def test_the_light_is_shone_as_drawn_and_reported_and_can_be_spared(
    shop: tuple[Terminal, str],
    browser: Browser,
    film: Callable[[str, int, int], Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal, url = shop
    reported: list[int] = []
    report = terminal.counter.report_light

    def note(number: int, at_ns: int, sale: str = "") -> bool:
        reported.append(number)
        return report(number, at_ns, sale)

    monkeypatch.setattr(terminal.counter, "report_light", note)
    with browser(film(PERSON, 0, 90)) as driver:
        page = Page(driver)
        driver.get(f"{url}/kiosk/")
        lit = Sale(terminal)
        with lit.running("lit"):
            page.wait_for_phase("offered")
            driver.execute_script(WATCH)
            page.press("form[data-action=tap] button")
            page.wait_for_phase("challenge")
            page.wait_for_phase("factor", "confirm", "declined")
        shone = [channels(colour) for colour in driver.execute_script("return [...window.lit]")]
        assert lit.lights
        assert set(reported) == set(lit.lights)
        for light in lit.lights.values():
            for step in light["steps"]:
                wanted = channels(step["colour"])
                assert any(max(abs(a - b) for a, b in zip(one, wanted, strict=True)) <= 3 for one in shone)
        # Nothing of it stays: the paper is as it was.
        assert (
            driver.execute_script("return document.querySelector('[data-light]').style.backgroundColor") == ""
        )

        spared = Sale(terminal)
        with spared.running("spared"):
            page.wait_for_phase("offered")
            page.press("[data-no-light]")
            page.press("form[data-action=tap] button")
            page.wait_for_phase("factor", "confirm", "declined")
        assert spared.lights == {}
        assert page.complaints() == []

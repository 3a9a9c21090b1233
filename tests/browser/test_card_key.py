"""The card in one key in a real browser: without a camera, with the engine dead, with the terminal gone."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from facepay.counter import Answer, Counter, Phase, SaleView
from facepay.settings import Settings, WebSettings
from facepay.web import Shop, WebDeps, create_app
from facepay.web.opening import open_pages_out_of_order
from facepay.web.server import PagesServer
from hardware.camera_browser import BrowserCamera
from tests.browser.test_pay_by_face import Page

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]
Browser = Callable[[Path | None], AbstractContextManager[Chrome]]
LOCAL = WebSettings(port=0)
OFFER = SaleView(
    Phase.OFFERED, sale="s1", payee="Corner shop", amount="12.40 EUR", amount_minor=1240, currency="EUR"
)


def says(driver: Chrome, selector: str, words: str) -> bool:
    return bool(
        WebDriverWait(driver, 20, 0.05).until(
            lambda d: words in d.find_element(By.CSS_SELECTOR, selector).text
        )
    )


def test_the_card_key_answers_with_a_dead_engine_and_with_the_terminal_gone(browser: Browser) -> None:
    with browser(None) as driver:
        with open_pages_out_of_order(replace(Settings(), web=LOCAL)) as address:
            driver.get(f"{address.url}/kiosk/")
            assert says(driver, ".words", "out of order")
            driver.get(f"{address.url}/till/")
            assert says(driver, "[data-status]", "out of order")
            ActionChains(driver).send_keys(Keys.F2).perform()
            assert says(driver, "[data-status]", "Take the card")
            driver.refresh()
            assert says(driver, "[data-status]", "out of order")
        ActionChains(driver).send_keys(Keys.F2).perform()
        assert says(driver, "[data-status]", "Take the card")


def test_without_a_camera_the_kiosk_says_so_and_the_card_works(browser: Browser) -> None:
    counter = Counter()
    deps = WebDeps(Shop("Corner shop", "T1"), counter, b"secret of this test", frames=BrowserCamera())
    with browser(None) as driver, PagesServer(create_app(deps), LOCAL) as server:
        page = Page(driver)
        driver.get(f"{server.address.url}/kiosk/")
        answers = counter.open("s1")
        counter.show(OFFER)
        page.wait_for_phase("offered")
        page.press("form[data-action=tap] button")
        assert says(driver, "[data-notice]", "You can pay by card")
        assert not answers.has(Answer.TAP)
        page.press("form[data-action=card] button")
        WebDriverWait(driver, 20, 0.05).until(lambda _: answers.has(Answer.CARD))
        counter.close()

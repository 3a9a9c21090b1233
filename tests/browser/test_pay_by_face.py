"""A whole enrolment and payment in a real browser, with a video for a face."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from facepay.psp.base import PayerToken
from facepay.terminal import Terminal

pytestmark = [pytest.mark.browser, pytest.mark.models, pytest.mark.photos, pytest.mark.timeout(180)]

PERSON = "bona_fide/*.mp4"
PATIENCE_S = 60
CODE = "2846"
Browser = Callable[[Path | None], AbstractContextManager[Chrome]]


@pytest.fixture(scope="module", params=["commerce", "builtin"])
def weights(request: pytest.FixtureRequest, models_dir: Path) -> dict[str, object]:
    """Both the larger weights and those that pip installs."""
    return {"pack": request.param, "models": [str(models_dir)]}


class Page:
    """What a person does with a page: see, press, type."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver

    def press(self, selector: str) -> None:
        def usable(driver: Chrome) -> object:
            found = driver.find_elements(By.CSS_SELECTOR, selector)
            return next((e for e in found if e.is_displayed() and e.is_enabled()), None)

        WebDriverWait(self.driver, PATIENCE_S).until(usable).click()

    def type(self, name: str, text: str) -> None:
        self.driver.find_element(By.NAME, name).send_keys(text)

    def text(self, selector: str) -> str:
        return str(self.driver.find_element(By.CSS_SELECTOR, selector).text)

    def wait_for_phase(self, *phases: str) -> str:
        def there(driver: Chrome) -> str | None:
            phase = driver.find_element(By.TAG_NAME, "body").get_attribute("data-phase")
            return phase if phase in phases else None

        return str(WebDriverWait(self.driver, PATIENCE_S, 0.05).until(there))

    def complaints(self) -> list[str]:
        # A picture that was on its way when the capture ended is refused, and the console notes it.
        found = [one for one in self.driver.get_log("browser") if "/frames" not in one["message"]]
        return [one["message"] for one in found if one["level"] in {"SEVERE", "WARNING"}]


def sign_up(page: Page, url: str) -> str:
    page.driver.get(f"{url}/enrol/")
    assert "2026-11" in page.text(".consent")
    page.press("[name=agree]")
    page.press("form .primary")
    page.type("code", CODE)
    page.type("again", CODE)
    page.press("form .primary")
    page.press("a.primary")
    page.press("[data-begin]")
    WebDriverWait(page.driver, PATIENCE_S).until(lambda driver: "/enrol/done" in driver.current_url)
    return page.text("[data-account]")


def start_sale(page: Page) -> None:
    page.press("[data-good=Bread]")
    ActionChains(page.driver).send_keys("620", "+").perform()
    assert page.text("[data-total]") == "9.40 EUR"
    page.press("[data-start-button]")
    page.wait_for_phase("offered")


def pay(page: Page) -> str:
    page.press("form[data-action=tap] button")
    phase = page.wait_for_phase("factor", "confirm", "declined")
    if phase == "factor":
        page.driver.find_element(By.CSS_SELECTOR, "[data-code-field]").send_keys(CODE, Keys.ENTER)
        phase = page.wait_for_phase("confirm", "declined")
    assert phase == "confirm", page.text(".words")
    sentence = page.text("h1")
    page.press("form[data-action=confirm] button")
    page.wait_for_phase("approved")
    return sentence


def withdraw(page: Page, url: str, account: str) -> None:
    page.driver.get(f"{url}/account/")
    page.type("account", account)
    page.type("code", CODE)
    page.press("form .primary")
    assert "9.40 EUR" in page.text("tbody")
    page.press("form .danger")
    page.press("[name=sure] + .danger")
    assert page.driver.find_element(By.ID, "receipt").text.count(".") == 2


def test_a_shopper_signs_up_and_pays_and_the_card_is_one_key_away(
    shop: tuple[Terminal, str], browser: Browser, film: Callable[[str, int, int], Path]
) -> None:
    terminal, url = shop
    with browser(film(PERSON, 0, 90)) as driver:
        account = sign_up(Page(driver), url)
    with browser(film(PERSON, 490, 618)) as driver:
        page = Page(driver)
        driver.get(f"{url}/kiosk/")
        kiosk = driver.current_window_handle
        driver.switch_to.new_window("tab")
        till = driver.current_window_handle
        driver.get(f"{url}/till/")

        start_sale(page)
        driver.switch_to.window(kiosk)
        page.wait_for_phase("offered")
        assert page.text("[data-camera-pill]") == "Camera is off"
        assert pay(page) == f"Pay 9.40 EUR to Corner shop with account ...{account[-2:]}?"
        assert page.text("[data-camera-pill]") == "Camera is off"
        assert "9.40 EUR" in page.text(".words")

        driver.switch_to.window(till)
        page.wait_for_phase("approved")
        assert "Paid: 9.40 EUR" in page.text("[data-status]")
        WebDriverWait(driver, PATIENCE_S).until(
            lambda _: terminal.wallet.balance(PayerToken(account)).minor == 10_000 - 940
        )

        page.press("[data-good=Milk]")
        page.press("[data-start-button]")
        page.wait_for_phase("offered")
        ActionChains(driver).send_keys(Keys.F2).perform()
        assert "Take the card" in page.text("[data-status]")
        driver.switch_to.window(kiosk)
        page.wait_for_phase("card")
        driver.get(f"{url}/console/")
        assert "9.40 EUR" in page.text(".tiles")
        withdraw(page, url, account)
        assert page.complaints() == []
    assert terminal.gallery.size == 0
    assert terminal.wallet.balance(PayerToken(account)).minor == 10_000 - 940


def test_the_pages_can_be_used_without_a_mouse_and_say_what_they_are(
    shop: tuple[Terminal, str], browser: Browser
) -> None:
    _, url = shop
    with browser(None) as driver:
        for path in ("/", "/till/", "/kiosk/", "/enrol/"):
            driver.get(url + path)
            assert driver.execute_script(NAMELESS) == [], path
            assert driver.execute_script("return document.querySelectorAll('h1').length") == 1, path
            ActionChains(driver).send_keys(Keys.TAB).perform()
            assert driver.execute_script("return document.activeElement.className") == "skip", path
        for width, height in ((1280, 800), (800, 1280), (390, 844)):
            driver.execute_cdp_cmd(
                "Emulation.setDeviceMetricsOverride",
                {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 900},
            )
            for path in ("/till/", "/kiosk/", "/enrol/"):
                driver.get(url + path)
                spare = "return document.documentElement.scrollWidth - innerWidth"
                assert driver.execute_script(spare) <= 0, (path, width)


# Everything that can be pressed or filled in has a name that a screen reader can say.
NAMELESS = """
const named = (e) => (e.getAttribute("aria-label") || e.innerText || e.title || "").trim()
  || (e.labels && e.labels.length) || e.closest("[aria-hidden=true]") || e.type === "hidden";
return [...document.querySelectorAll("a, button, input, select, [tabindex='0']")]
  .filter((e) => e.checkVisibility() && !named(e)).map((e) => e.outerHTML);
"""

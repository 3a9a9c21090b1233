"""The evaluation report opens in a browser that reaches nothing, and every figure of it is drawn."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import cv2
import numpy as np
import pytest
from selenium.webdriver.chrome.webdriver import WebDriver
from selenium.webdriver.common.by import By

from facepay.evaluation.report import write_report
from tests.reports import make_report

pytestmark = pytest.mark.browser
FIGURES = 7
"""Trade-off, errors by threshold, scores, open set, groups, presentations, latency."""
OFFLINE = {"offline": True, "latency": 0, "downloadThroughput": 0, "uploadThroughput": 0}


def screenshot(driver: WebDriver, path: Path) -> np.ndarray:  # type: ignore[type-arg]
    """The whole page as `uint8[H, W, 3]` BGR, one pixel a CSS pixel."""
    width, height = driver.execute_script(
        "const page = document.documentElement; return [page.clientWidth, page.scrollHeight]"
    )
    size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    driver.save_screenshot(str(path))
    picture = cv2.imread(str(path))
    assert picture is not None
    return picture


def test_the_report_shows_every_figure_without_a_network(
    tmp_path: Path, browser: Callable[[Path | None], AbstractContextManager[WebDriver]]
) -> None:
    page, _ = write_report(make_report("two names for one person"), tmp_path)
    with browser(None) as driver:
        driver.execute_cdp_cmd("Network.enable", {})
        driver.execute_cdp_cmd("Network.emulateNetworkConditions", OFFLINE)
        driver.get(page.as_uri())
        assert driver.execute_script("return performance.getEntriesByType('resource').length") == 0
        assert driver.get_log("browser") == []
        picture = screenshot(driver, tmp_path / "shot.png")
        figures = driver.find_elements(By.CSS_SELECTOR, "figure")
        assert len(figures) == FIGURES
        for figure in figures:
            caption = figure.find_element(By.TAG_NAME, "figcaption").text
            assert caption
            box = figure.find_element(By.TAG_NAME, "svg").rect
            top, left = round(box["y"]), round(box["x"])
            drawn = picture[top : top + round(box["height"]), left : left + round(box["width"])]
            assert drawn.shape[0] > 100, caption
            assert drawn.shape[1] > 300, caption
            high, wide = (length // 8 for length in drawn.shape[:2])
            inner = drawn[high:-high, wide:-wide]
            assert (inner < 200).all(axis=2).any(), f"nothing is drawn: {caption}"
        spare = driver.execute_script("return document.documentElement.scrollWidth - innerWidth")
    assert spare <= 0
    # White paper, dark words, and figures in the accent colour (BGR 98, 110, 11).
    assert (picture > 240).all(axis=2).mean() > 0.5
    assert (picture < 90).all(axis=2).mean() > 0.002
    accent = abs(picture.astype(int) - (98, 110, 11)).max(axis=2) < 30
    assert accent.sum() > 200

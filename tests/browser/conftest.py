"""A terminal with its pages, and Chromium before them with a video for a camera.

The video is made at test time from the shared photos and lies in the test's own folder only.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from facepay.settings import settings_from
from facepay.terminal import Terminal, open_terminal
from facepay.web.opening import open_pages
from hardware.camera_browser import BrowserCamera

WIDTH, HEIGHT = 640, 480
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--use-fake-ui-for-media-stream",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
    "--window-size=1280,960",
)
Film = Callable[[str, int, int], Path]


@pytest.fixture(scope="session")
def film(photos_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Film:
    """Cuts frames out of the last shared video that fits, and makes a camera's file of them (MJPEG)."""

    def cut(pattern: str, first: int, last: int) -> Path:
        path = tmp_path_factory.mktemp("film") / "camera.mjpeg"
        name = sorted(photos_dir.glob(pattern))[-1]
        video = cv2.VideoCapture(str(name))
        video.set(cv2.CAP_PROP_POS_FRAMES, first)
        with path.open("wb") as file:
            for _ in range(last - first):
                there, frame = video.read()
                assert there, f"{name.name} ends before frame {last}"
                file.write(
                    cv2.imencode(".jpg", as_camera(frame), [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
                )
        return path

    return cut


def as_camera(frame: np.ndarray) -> np.ndarray:  # type: ignore[type-arg]
    """Scale to the height of a camera and fill or cut the sides, `uint8[480, 640, 3]` BGR."""
    scaled = cv2.resize(frame, (round(frame.shape[1] * HEIGHT / frame.shape[0]), HEIGHT))
    spare = WIDTH - scaled.shape[1]
    if spare > 0:
        return cv2.copyMakeBorder(scaled, 0, 0, spare // 2, spare - spare // 2, cv2.BORDER_REPLICATE)
    return scaled[:, -spare // 2 : -spare // 2 + WIDTH]


@contextmanager
def chromium(camera: Path | None) -> Iterator[webdriver.Chrome]:
    """A fresh headless Chromium; with a film for a camera, or without any camera at all."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with tempfile.TemporaryDirectory() as profile:
        for argument in (*ARGUMENTS, f"--user-data-dir={profile}"):
            options.add_argument(argument)
        if camera is not None:
            options.add_argument("--use-fake-device-for-media-stream")
            options.add_argument(f"--use-file-for-fake-video-capture={camera}")
        driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
        driver.implicitly_wait(20)
        try:
            yield driver
        finally:
            driver.quit()


@pytest.fixture
def browser() -> Callable[[Path | None], object]:
    """Opens a Chromium as a context manager."""
    return chromium


@pytest.fixture
def shop(weights: dict[str, object], tmp_path: Path) -> Iterator[tuple[Terminal, str]]:
    """A demonstration terminal that takes pictures from pages, and its address."""
    settings = settings_from(
        {
            "data": str(tmp_path),
            "web": {"port": 0},
            "recognition": weights,
            # A machine that tests other things as well may be slow to send pictures.
            "capture": {"frame_timeout_s": 20.0},
        },
        {},
    )
    with open_terminal(settings, BrowserCamera()) as terminal, open_pages(terminal) as address:
        assert urlsplit(address.url).port
        yield terminal, address.url

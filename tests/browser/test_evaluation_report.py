"""The evaluation report opens in a browser that reaches nothing, and shows its figures."""

from __future__ import annotations

import subprocess
from pathlib import Path

import cv2
import pytest

from facepay.cli.main import main

pytestmark = pytest.mark.browser
CHROMIUM = (
    *("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars"),
    # Every name resolves to nowhere: a page that needed the network would show holes.
    "--host-resolver-rules=MAP * ~NOTFOUND",
)


def test_the_report_shows_its_figures_without_a_network(tmp_path: Path) -> None:
    scores = tmp_path / "scores.txt"
    scores.write_text("".join(f"a{n} a{n} p 0.{6 + n % 4}\na{n} b{n} q 0.{n % 5}\n" for n in range(200)))
    assert main(["evaluate", "--scores", str(scores), "--out", str(tmp_path)]) == 0
    shot = tmp_path / "shot.png"
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    page = (tmp_path / "report.html").as_uri()
    command = [*CHROMIUM, profile, "--window-size=1000,1600", f"--screenshot={shot}", page]
    subprocess.run(command, check=True, capture_output=True, timeout=90)
    picture = cv2.imread(str(shot))
    assert picture is not None
    assert picture.shape == (1600, 1000, 3)
    # White paper, dark words, and figures in the accent colour (BGR 98, 110, 11).
    assert (picture > 250).all(axis=2).mean() > 0.5
    assert (picture < 90).all(axis=2).mean() > 0.002
    accent = abs(picture.astype(int) - (98, 110, 11)).max(axis=2) < 30
    assert accent.sum() > 200

"""The demonstration in a browser, without the browser: it says where its pages are, and they answer."""

from __future__ import annotations

import io
import re
import urllib.request
from pathlib import Path

import pytest

from facepay.demo.pages import show_pages
from facepay.settings import settings_from


@pytest.mark.models
def test_the_demonstration_prints_addresses_that_answer(models_dir: Path, tmp_path: Path) -> None:
    settings = settings_from(
        {"data": str(tmp_path), "web": {"port": 0}, "recognition": {"models": [str(models_dir)]}}, {}
    )
    out = io.StringIO()
    seen: list[tuple[str, int]] = []

    def look() -> None:
        for url in re.findall(r"http://\S+", out.getvalue()):
            with urllib.request.urlopen(url, timeout=10) as answer:
                seen.append((url.rsplit("/", 2)[1], answer.status))

    show_pages(settings, out, look)
    assert seen == [("till", 200), ("kiosk", 200), ("enrol", 200)]

"""The colours of the stylesheets keep the contrast that WCAG 2.2 asks for (1.4.3 and 1.4.11, level AA)."""

from __future__ import annotations

import re
from importlib.resources import files

import pytest

STYLE = files("facepay.web").joinpath("static", "css", "base.css").read_text("utf-8")
COLOURS = dict(re.findall(r"--([\w-]+):\s*(#[0-9a-f]{6})", STYLE)) | {"white": "#ffffff"}
TEXT = [
    ("ink", "paper"), ("soft", "paper"), ("soft", "sheet"), ("soft", "green-soft"), ("soft", "amber-soft"),
    ("white", "green"), ("white", "green-deep"), ("white", "ink"), ("green", "paper"), ("green", "sheet"),
    ("amber", "amber-soft"), ("red", "sheet"),
]  # fmt: skip
EDGES = [("line-strong", "sheet"), ("focus", "paper"), ("focus", "sheet"), ("green", "sheet")]


def luminance(colour: str) -> float:
    """Relative luminance 0..1 of `#rrggbb`, as WCAG 2.2 defines it."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio 1..21 of two colours of the stylesheets."""
    darker, lighter = sorted((luminance(COLOURS[one]), luminance(COLOURS[other])))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize(("text", "ground"), TEXT)
def test_text_can_be_read(text: str, ground: str) -> None:
    assert contrast(text, ground) >= 4.5


@pytest.mark.parametrize(("edge", "ground"), EDGES)
def test_edges_of_fields_and_the_focus_can_be_seen(edge: str, ground: str) -> None:
    assert contrast(edge, ground) >= 3.0

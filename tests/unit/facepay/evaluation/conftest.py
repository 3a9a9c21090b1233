"""Synthetic people for error rates: nobody's face is behind them."""

from __future__ import annotations

import pytest

from tests.reports import People, make_people


@pytest.fixture
def people() -> People:
    """Makes people: so many, so many images each, so much spread around one direction a person."""
    return make_people

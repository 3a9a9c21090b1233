"""The broad package names really are this distribution's (ADR 0001)."""

from __future__ import annotations

import importlib
import importlib.metadata
from pathlib import Path

import pytest

PACKAGES = ("facepay", "hardware", "keys", "liveness", "pos_adapter")


def home_of(name: str) -> Path:
    return Path(importlib.import_module(name).__file__ or "").resolve().parents[1]


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_lies_beside_facepay(name: str) -> None:
    assert home_of(name) == home_of("facepay")


@pytest.mark.parametrize("name", PACKAGES)
def test_no_other_distribution_installs_the_name(name: str) -> None:
    assert set(importlib.metadata.packages_distributions().get(name, ["facepay"])) == {"facepay"}

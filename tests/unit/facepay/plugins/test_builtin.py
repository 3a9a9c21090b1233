"""What `pyproject.toml` registers and the table of our own plugins are the same, and all can be imported."""

from __future__ import annotations

import importlib
import tomllib
from pathlib import Path

import pytest

from facepay.plugins.builtin import BUILTIN

PROJECT = Path(__file__).resolve().parents[4] / "pyproject.toml"


def test_the_registered_plugins_are_those_of_the_table() -> None:
    registered = tomllib.loads(PROJECT.read_text("utf-8"))["project"]["entry-points"]
    assert registered == {f"facepay.{group}": dict(rows) for group, rows in BUILTIN.items()}


@pytest.mark.parametrize("target", [target for rows in BUILTIN.values() for target in rows.values()])
def test_every_plugin_of_ours_exists(target: str) -> None:
    module, _, name = target.partition(":")
    assert callable(getattr(importlib.import_module(module), name))

"""Plugins: only what is named is loaded, and what is missing is named."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from facepay.errors import PluginError
from facepay.plugins import BUILTIN, Tools, load_factory, names_of
from facepay.settings import settings_from

ROOT = Path(__file__).resolve().parents[4]
TOOLS = Tools(settings_from({}))


def test_our_own_are_registered_in_the_package_as_any_others() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    registered = {
        group.removeprefix("facepay."): names
        for group, names in project["entry-points"].items()
        if group.startswith("facepay.")
    }
    assert registered == {group: dict(names) for group, names in BUILTIN.items()}


@pytest.mark.parametrize("group", sorted(BUILTIN))
def test_every_plugin_of_ours_can_be_loaded(group: str) -> None:
    for name in BUILTIN[group]:
        assert callable(load_factory(group, name))
        assert name in names_of(group)


def test_an_unknown_name_gets_the_nearest_known_one() -> None:
    with pytest.raises(PluginError, match="did you mean opencv"):
        load_factory("camera", "open-cv")


def test_options_a_plugin_does_not_take_are_its_error() -> None:
    with pytest.raises(PluginError, match="knows no option no"):
        load_factory("psp", "stripe")({"no": "such"}, TOOLS)

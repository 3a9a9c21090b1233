"""Loads one plugin by group and name."""

from __future__ import annotations

import difflib
import importlib
from collections.abc import Callable, Mapping
from importlib.metadata import entry_points

from facepay.errors import PluginError
from facepay.plugins.builtin import BUILTIN
from facepay.plugins.tools import Tools

Factory = Callable[[Mapping[str, object], Tools], object]


def names_of(group: str) -> tuple[str, ...]:
    """The names known in a group, installed ones and ours, sorted."""
    installed = {point.name for point in entry_points(group=f"facepay.{group}")}
    return tuple(sorted(installed | BUILTIN.get(group, {}).keys()))


def load_factory(group: str, name: str) -> Factory:
    """The factory of a plugin.

    Raises:
        PluginError: nothing of this name is installed, or it cannot be imported.
    """
    target = _target(group, name)
    module, _, attribute = target.partition(":")
    try:
        found: Factory = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError) as error:
        raise PluginError(f"the {group} plugin {name} ({target}) cannot be loaded: {error}") from error
    return _guarded(found, group, name)


def _target(group: str, name: str) -> str:
    installed = {point.name: point.value for point in entry_points(group=f"facepay.{group}")}
    known = {**BUILTIN.get(group, {}), **installed}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.4)
    advice = f"did you mean {near[0]}?" if near else f"known are: {', '.join(sorted(known)) or 'none'}"
    raise PluginError(f"no {group} plugin is called {name!r}: {advice}")


def _guarded(factory: Factory, group: str, name: str) -> Factory:
    def build(options: Mapping[str, object], tools: Tools) -> object:
        try:
            return factory(options, tools)
        except (TypeError, KeyError, ValueError) as error:
            # Options come from a person; what is wrong with them is theirs to mend, not a crash.
            raise PluginError(f"the {group} plugin {name} does not accept its options: {error}") from error

    return build

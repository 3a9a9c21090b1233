"""Finds what the settings name: cameras, key stores, wires, providers and the rest.

This room alone reads entry points, and loads only the one that is named. Our own are registered the
same way; running from a source tree without installation, the table of our own is used instead.
A factory takes `(options, tools)`, returns an object that satisfies its group's Protocol, reads no
configuration and opens nothing on its own.
"""

from facepay.plugins.builtin import BUILTIN
from facepay.plugins.load import Factory, load_factory, names_of
from facepay.plugins.tools import Tools

__all__ = ["BUILTIN", "Factory", "Tools", "load_factory", "names_of"]

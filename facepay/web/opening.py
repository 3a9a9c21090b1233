"""Opens the pages of a running terminal; what `facepay serve` and `facepay demo` both call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from facepay.settings import Settings
from facepay.terminal import Terminal
from facepay.web.app import STREAMS, create_app
from facepay.web.base import WebDeps
from facepay.web.rooms import deps_from, deps_out_of_order
from facepay.web.server import Address, PagesServer


@contextmanager
def open_pages(terminal: Terminal) -> Iterator[Address]:
    """Serve the pages until the block ends; gives the address they are reached at.

    Raises:
        SettingsError: the port is in use, or the certificate cannot be used.
    """
    with _serving(deps_from(terminal), terminal.settings) as address:
        yield address


@contextmanager
def open_pages_out_of_order(settings: Settings) -> Iterator[Address]:
    """Serve till and kiosk of a terminal that could not be built, so that the cashier goes on with cards.

    Raises:
        SettingsError: the port is in use, or the certificate cannot be used.
    """
    with _serving(deps_out_of_order(settings), settings) as address:
        yield address


@contextmanager
def _serving(deps: WebDeps, settings: Settings) -> Iterator[Address]:
    app = create_app(deps)
    with PagesServer(app, settings.web) as server:
        try:
            yield server.address
        finally:
            app.extensions[STREAMS].close()

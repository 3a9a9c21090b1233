"""Opens the pages of a running terminal; what `facepay serve` and `facepay demo` both call."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from facepay.terminal import Terminal
from facepay.web.app import STREAMS, create_app
from facepay.web.rooms import deps_from
from facepay.web.server import Address, PagesServer


@contextmanager
def open_pages(terminal: Terminal) -> Iterator[Address]:
    """Serve the pages until the block ends; gives the address they are reached at.

    Raises:
        SettingsError: the port is in use, or the certificate cannot be used.
    """
    app = create_app(deps_from(terminal))
    with PagesServer(app, terminal.settings.web) as server:
        try:
            yield server.address
        finally:
            app.extensions[STREAMS].close()

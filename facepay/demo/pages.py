"""The demonstration in a browser: a terminal with its pages, and their addresses."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TextIO

from facepay.settings import Settings
from facepay.terminal import Terminal, open_terminal
from facepay.web.opening import open_pages
from hardware.types import FrameOrigin

ADDRESSES = (("Till", "/till/"), ("Kiosk", "/kiosk/"), ("Sign up", "/enrol/"))

CAMERAS = {
    FrameOrigin.BROWSER: "Pictures come from the page's camera and are marked as such.",
    FrameOrigin.REPLAY: "A recording is replayed as the camera, and every frame is marked as one.",
    FrameOrigin.DEVICE: "The camera of this machine looks at the shopper.",
}


def show_pages(settings: Settings, out: TextIO, wait: Callable[[], object] | None = None) -> None:
    """Serve the pages and print where they are; opens no browser and ends with Ctrl-C.

    Args:
        settings: of the demonstration; without a camera in them, the pages' own looks at the shopper.
        out: where the addresses are printed.
        wait: returns when the pages may close; waits for an interruption without it.

    Raises:
        SettingsError: the port is in use, or no model pack is installed.
    """
    with open_terminal(settings) as terminal, open_pages(terminal) as address:
        _print_addresses(address.url, terminal, out)
        try:
            (wait or threading.Event().wait)()
        except KeyboardInterrupt:
            print("\nClosed. What you tried is kept in", settings.data, file=out)


def _print_addresses(url: str, terminal: Terminal, out: TextIO) -> None:
    payee, payers = terminal.settings.terminal.payee, terminal.gallery.size
    print(f"{payee} is open. Open these pages in a browser, side by side:\n", file=out)
    for name, path in ADDRESSES:
        print(f"  {name:<8} {url}{path}", file=out)
    signed_up = "Nobody is signed up yet: begin with Sign up." if not payers else f"{payers} signed up."
    print(f"\n{signed_up} {CAMERAS[terminal.camera.identity.origin]}", file=out)
    print("All data is in", terminal.settings.data, "- press Ctrl-C to stop.", file=out, flush=True)

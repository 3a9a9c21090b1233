"""`facepay serve`: the terminal of a shop, with its pages and its wires, until it is stopped.

Nothing is downloaded. A camera that is not plugged in is waited for: until then every sale is sent to the
card at once. Where the terminal itself cannot be built (no models, a damaged database, another key store),
wires and pages are opened all the same and say "out of order", so that the cashier and the card terminal
behind the wires go on working; the exit code at the end is then 1.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import signal
import threading
from collections.abc import Mapping
from contextlib import ExitStack

from facepay.cli.exits import Exit
from facepay.errors import Fault, PackMissing, SettingsError
from facepay.journal.forwards import Forwards
from facepay.outcomes import load_words
from facepay.settings import Settings
from facepay.terminal import Terminal, open_terminal
from facepay.terminal.keeping import now_ms
from facepay.terminal.out_of_order import OutOfOrderHost
from facepay.terminal.wires import open_wires
from facepay.web.opening import open_pages, open_pages_out_of_order
from hardware.errors import HardwareError
from keys import KeysError
from liveness.errors import LivenessError

log = logging.getLogger(__name__)
BROKEN = (Fault, HardwareError, KeysError, LivenessError)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of this command."""
    parser.add_argument("--no-pages", action="store_true", help="open the wires only, no web pages")


def run(arguments: argparse.Namespace, settings: Settings) -> Exit:
    """Serve until SIGTERM or Ctrl-C."""
    stopped = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: stopped.set())
    with ExitStack() as stack:
        terminal = _open(stack, settings)
        pages = not arguments.no_pages
        if terminal is None:
            addresses = _apologise(stack, settings, pages=pages)
        else:
            addresses = _listen(stack, settings, terminal, pages=pages)
        # What was built lives as long as the process: the collector need not look at it in every sale.
        gc.collect()
        gc.freeze()
        _tell(addresses, as_json=arguments.json)
        stopped.wait()
    return Exit.DONE if terminal else Exit.FAULT


def _open(stack: ExitStack, settings: Settings) -> Terminal | None:
    try:
        terminal = stack.enter_context(open_terminal(settings))
    except SettingsError as error:
        # A wrong setting is mended before anything starts; models that went missing in a running shop
        # are a breakdown, and its tills still need their answer.
        if not (settings.production and isinstance(error, PackMissing)):
            raise
        log.critical("the terminal is out of order: %s", error)
        return None
    except BROKEN as error:
        log.critical("the terminal is out of order, cards are forwarded where an upstream is set: %s", error)
        return None
    camera = terminal.camera.identity
    if not camera.is_present:
        log.error("%s is not there; every sale goes to the card until it is plugged in", camera.sensor)
    return terminal


def _listen(stack: ExitStack, settings: Settings, terminal: Terminal, *, pages: bool) -> Mapping[str, str]:
    forwards = Forwards(terminal.database, settings.terminal.terminal, now_ms)
    addresses = dict(stack.enter_context(open_wires(settings, terminal.checkout, forwards)))
    if pages:
        addresses["pages"] = stack.enter_context(open_pages(terminal)).url
    return addresses


def _apologise(stack: ExitStack, settings: Settings, *, pages: bool) -> Mapping[str, str]:
    host = OutOfOrderHost(load_words(settings.terminal.language))
    addresses = dict(stack.enter_context(open_wires(settings, host)))
    if pages:
        addresses["pages"] = stack.enter_context(open_pages_out_of_order(settings)).url
    return addresses


def _tell(addresses: Mapping[str, str], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"listening": dict(addresses)}), flush=True)
        return
    for name, address in addresses.items():
        print(f"{name:<10} {address}", flush=True)
    print("Stop with Ctrl-C.", flush=True)

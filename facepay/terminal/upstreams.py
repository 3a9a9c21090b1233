"""`[upstream]`: the shop's card terminal behind each wire, turned into the links that reach it."""

from __future__ import annotations

import dataclasses
import ssl
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

from facepay.errors import SettingsError
from facepay.settings import Settings
from pos_adapter.base import Link
from pos_adapter.errors import NotAllowed
from pos_adapter.http_upstream import HttpUpstream
from pos_adapter.serial_link import SerialLink, SerialOptions
from pos_adapter.tcp_link import connect_tcp
from pos_adapter.upstream import ForwardJournal, Upstream

_WRITTEN = "is written tcp://HOST:PORT or serial:/dev/ttyUSB1?baud=9600"


def require_opened(settings: Settings) -> None:
    """Refuses, with a SettingsError, a card terminal behind a wire that is not opened."""
    wires = {field.name for field in dataclasses.fields(settings.upstream)} - {"authority"}
    for wire in sorted(wires - set(settings.pos.wires)):
        if address_of(settings, wire):
            raise SettingsError(f"upstream.{wire} is for a wire that pos.wires does not open")


def address_of(settings: Settings, wire: str) -> str:
    """What the settings say, empty where the shop has no card terminal behind this wire."""
    return str(getattr(settings.upstream, wire, ""))


def line_upstream(
    settings: Settings, wire: str, journal: ForwardJournal | None, *, stop_bits: int = 1
) -> Upstream | None:
    """The card terminal behind a serial or TCP wire; None without one; raises SettingsError."""
    address = address_of(settings, wire)
    if not address:
        return None
    return Upstream(_connector(f"upstream.{wire}", address, stop_bits), journal=journal)


def _connector(name: str, address: str, stop_bits: int) -> Callable[[], Link]:
    parts = urlsplit(address)
    try:
        if parts.scheme == "tcp" and parts.hostname and parts.port:
            host, port = parts.hostname, parts.port
            return lambda: connect_tcp(host, port)
        if parts.scheme == "serial" and parts.path:
            baud = int(parse_qs(parts.query).get("baud", ["9600"])[0])
            options = SerialOptions(parts.path, baud=baud, stop_bits=stop_bits)
            return lambda: SerialLink(options)
    except ValueError as error:
        raise SettingsError(f"{name}: {address!r} has an impossible number") from error
    raise SettingsError(f"{name}: {address!r} {_WRITTEN}")


def http_upstream(settings: Settings, wire: str, journal: ForwardJournal | None) -> HttpUpstream | None:
    """The card terminal behind an HTTP wire; None without one; raises SettingsError."""
    address, authority = address_of(settings, wire), settings.upstream.authority
    if not address:
        return None
    try:
        tls = ssl.create_default_context(cafile=authority or None)
        # A card terminal's certificate names the terminal and not its address in the shop.
        tls.check_hostname = not authority
        return HttpUpstream(address, tls, journal=journal)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"upstream.authority: {authority} cannot be read: {error}") from error
    except NotAllowed as error:
        raise SettingsError(f"upstream.{wire}: {error}; write https://HOST:PORT") from error

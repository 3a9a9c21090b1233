"""Opens the wires to the till that the settings name, all over one payment host.

The factories of the plugin group `pos_protocol`. Each takes the options under `[pos.options.<wire>]` and
gives a context manager that listens while it is open and whose value is the address. `tools.parts`
holds `session` (a `pos_adapter.session.TransactionSession`) and `forwards` (a `ForwardJournal` or None).
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from facepay.errors import SettingsError
from facepay.plugins import Tools, load_factory
from facepay.settings import Settings
from facepay.settings.convert import section_from
from facepay.terminal.upstreams import http_upstream, line_upstream, require_opened
from facepay.terminal.wire_settings import (
    NexoSection,
    ZvtSection,
    nexo_options,
    zvt_options,
)
from pos_adapter.base import Link, TillHost
from pos_adapter.certificates import server_context
from pos_adapter.http_link import HttpServer, app_of
from pos_adapter.http_upstream import HttpUpstream
from pos_adapter.protocols.caisse_ap.terminal import CaisseOptions, CaisseTerminal
from pos_adapter.protocols.concert.terminal import ConcertOptions, ConcertTerminal
from pos_adapter.protocols.hw_proxy.options import HwProxyOptions
from pos_adapter.protocols.hw_proxy.wire import HwProxyWire
from pos_adapter.protocols.nexo.wire import TLS_PORT, NexoWire
from pos_adapter.protocols.rest.options import ApiKey, RestOptions
from pos_adapter.protocols.rest.webhooks import Webhook
from pos_adapter.protocols.rest.wire import RestWire
from pos_adapter.protocols.zvt.session import ZvtTerminal
from pos_adapter.repetition import Repetition, RepetitionOptions
from pos_adapter.serial_link import SerialOptions, SerialServer
from pos_adapter.session import TransactionSession
from pos_adapter.tcp_link import TcpOptions, TcpServer
from pos_adapter.upstream import ForwardJournal, Upstream

Opened = AbstractContextManager[str]


@contextmanager
def open_wires(
    settings: Settings, host: TillHost, forwards: ForwardJournal | None = None
) -> Iterator[Mapping[str, str]]:
    """Listen on every wire of `settings.pos.wires`; gives each one's address.

    Raises:
        SettingsError: an option is unknown or impossible. PluginError: no such wire.
        PosError: a port cannot be used; the text names it.
    """
    require_opened(settings)
    known = set(settings.pos.wires)
    for name in settings.pos.options:
        if name not in known:
            raise SettingsError(f"pos.options.{name} is for a wire that pos.wires does not open")
    with ExitStack() as stack:
        session = stack.enter_context(TransactionSession(host))
        addresses = {}
        for name in settings.pos.wires:
            tools = Tools(settings, {"session": session, "forwards": forwards})
            options = settings.pos.options.get(name, {})
            if not isinstance(options, Mapping):
                raise SettingsError(f"pos.options.{name} is a table: write [pos.options.{name}]")
            wire = cast("Opened", load_factory("pos_protocol", name)(options, tools))
            addresses[name] = stack.enter_context(wire)
        yield addresses


def _session(tools: Tools) -> TransactionSession:
    # `open_wires` fills the parts; their types are the group's contract.
    return cast("TransactionSession", tools.parts["session"])


def _forwards(tools: Tools) -> ForwardJournal | None:
    return cast("ForwardJournal | None", tools.parts.get("forwards"))


def _behind(tools: Tools, wire: str, *, stop_bits: int = 1) -> Upstream | None:
    return line_upstream(tools.settings, wire, _forwards(tools), stop_bits=stop_bits)


def _behind_http(tools: Tools, wire: str) -> HttpUpstream | None:
    return http_upstream(tools.settings, wire, _forwards(tools))


@dataclass(frozen=True, slots=True)
class _Http:
    """Where an HTTP wire listens; port 0 takes its usual one."""

    host: str = ""
    port: int = 0
    certificate: str = ""
    private_key: str = ""
    origins: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Line:
    """Where a serial or TCP wire listens, and how repetitions are taken."""

    host: str = ""
    port: int = 0
    serial_port: str = ""
    serial_baud: int = 0
    repetition: Repetition = Repetition.ASK


def _tls(options: _Http) -> ssl.SSLContext | None:
    if not options.certificate:
        return None
    return server_context(Path(options.certificate), Path(options.private_key))


@contextmanager
def _listening(
    wire: RestWire | HwProxyWire | NexoWire, options: _Http, usual: int, tools: Tools
) -> Iterator[str]:
    host = options.host or tools.settings.pos.host
    tls = _tls(options)
    with ExitStack() as stack:
        server = HttpServer(app_of([wire]), host=host, port=options.port or usual, tls=tls)
        stack.enter_context(server)
        if not isinstance(wire, NexoWire):
            stack.enter_context(wire)
        yield f"{'https' if tls else 'http'}://{host}:{server.port}"


def rest(options: Mapping[str, object], tools: Tools) -> Opened:
    """The REST wire: `pos.rest_port`, `pos.rest_token`, `pos.webhook_url` and `pos.webhook_secret`."""
    section = cast("_Http", section_from(_Http, options, "pos.options.rest"))
    pos, names = tools.settings.pos, tools.settings.terminal
    if not pos.rest_token:
        raise SettingsError("the REST wire needs pos.rest_token as env:NAME or file:PATH")
    hooks: tuple[Webhook, ...] = ()
    if pos.webhook_url:
        hooks = (Webhook(pos.webhook_url, "1", pos.webhook_secret.read().decode("ascii")),)
    wire = RestWire(
        _session(tools),
        RestOptions(
            keys=(ApiKey("1", pos.rest_token.read().decode("ascii", "replace")),),
            terminal=names.terminal,
            currencies=frozenset({names.currency}),
            webhooks=hooks,
        ),
        _behind_http(tools, "rest"),
    )
    return _listening(wire, section, pos.rest_port, tools)


def hw_proxy(options: Mapping[str, object], tools: Tools) -> Opened:
    """Odoo's hw_proxy on 8069; `origins` are the pages that may call."""
    section = cast("_Http", section_from(_Http, options, "pos.options.hw_proxy"))
    names = tools.settings.terminal
    wire = HwProxyWire(
        _session(tools),
        HwProxyOptions(frozenset(section.origins), names.terminal, frozenset({names.currency})),
        _behind_http(tools, "hw_proxy"),
    )
    return _listening(wire, section, 8069, tools)


def nexo(options: Mapping[str, object], tools: Tools) -> Opened:
    """nexo on 8443, with its own certificate (`facepay certificates` makes one) and passphrases."""
    section = cast("NexoSection", section_from(NexoSection, options, "pos.options.nexo"))
    wire = NexoWire(_session(tools), nexo_options(section, tools.settings), _behind_http(tools, "nexo"))
    where = _Http(section.host, section.port, section.certificate, section.private_key)
    return _listening(wire, where, TLS_PORT, tools)


@contextmanager
def _serving(
    serve: Callable[[Link], None], section: _Line, tools: Tools, *, usual: int, stop_bits: int = 1
) -> Iterator[str]:
    """A serial port where one is named, TCP otherwise."""
    pos = tools.settings.pos
    port = section.serial_port or (pos.serial_port if usual == 0 else "")
    if port:
        baud = section.serial_baud or pos.serial_baud
        with SerialServer(serve, SerialOptions(port, baud, stop_bits=stop_bits)):
            yield port
        return
    if not usual and not section.port:
        raise SettingsError("this wire needs pos.serial_port, such as /dev/ttyUSB0")
    host = section.host or pos.host
    with TcpServer(serve, TcpOptions(host, section.port or usual)) as server:
        yield f"tcp://{host}:{server.port}"


def concert(options: Mapping[str, object], tools: Tools) -> Opened:
    """Concert on `pos.serial_port`, or on TCP where a converter carries the line."""
    section = cast("_Line", section_from(_Line, options, "pos.options.concert"))
    names = tools.settings.terminal
    settings = ConcertOptions(
        names.terminal, frozenset({names.currency}), repetition=RepetitionOptions(section.repetition)
    )
    terminal = ConcertTerminal(_session(tools), settings, _behind(tools, "concert"))
    return _serving(terminal.serve, section, tools, usual=0)


def caisse_ap(options: Mapping[str, object], tools: Tools) -> Opened:
    """Caisse-AP over IP on 8888."""
    section = cast("_Line", section_from(_Line, options, "pos.options.caisse_ap"))
    names = tools.settings.terminal
    settings = CaisseOptions(
        names.terminal, frozenset({names.currency}), repetition=RepetitionOptions(section.repetition)
    )
    terminal = CaisseTerminal(_session(tools), settings, _behind(tools, "caisse_ap"))
    return _serving(terminal.serve, section, tools, usual=8888)


def zvt(options: Mapping[str, object], tools: Tools) -> Opened:
    """ZVT on TCP `pos.tcp_port`, or on the wire's own `serial_port` with two stop bits."""
    section = cast("ZvtSection", section_from(ZvtSection, options, "pos.options.zvt"))
    terminal = ZvtTerminal(
        _session(tools),
        zvt_options(section, tools.settings),
        _behind(tools, "zvt", stop_bits=2),
        upstream_is_serial=tools.settings.upstream.zvt.startswith("serial:"),
    )
    serve = terminal.serve_serial if section.serial_port else terminal.serve
    line = _Line(section.host, section.port, section.serial_port, section.serial_baud)
    return _serving(serve, line, tools, usual=tools.settings.pos.tcp_port, stop_bits=2)

"""A simulated terminal on any wire: the simulated host behind the real one, for people who write tills."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pos_adapter.certificates import CertificateOrder, make_certificates, server_context
from pos_adapter.errors import BadRequest
from pos_adapter.http_link import HttpServer, app_of
from pos_adapter.protocols.caisse_ap.terminal import PORT, CaisseTerminal
from pos_adapter.protocols.concert.terminal import ConcertTerminal
from pos_adapter.protocols.hw_proxy.options import HwProxyOptions
from pos_adapter.protocols.hw_proxy.wire import HwProxyWire
from pos_adapter.protocols.nexo.local_encryption import KeyName
from pos_adapter.protocols.nexo.options import NexoOptions
from pos_adapter.protocols.nexo.wire import TLS_PORT as NEXO_PORT
from pos_adapter.protocols.nexo.wire import NexoWire
from pos_adapter.protocols.rest.options import ApiKey, RestOptions
from pos_adapter.protocols.rest.wire import RestWire
from pos_adapter.protocols.zvt.session import TCP_PORT as ZVT_PORT
from pos_adapter.protocols.zvt.session import ZvtTerminal
from pos_adapter.serial_link import SerialOptions, SerialServer
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.desks import DeskOptions, host_and_port
from pos_adapter.simulator.desks.nexo import nexo_key
from pos_adapter.tcp_link import TcpOptions, TcpServer

SERVED = ("caisse_ap", "concert", "hw_proxy", "nexo", "rest", "zvt")


@dataclass(frozen=True, slots=True)
class ServeOptions:
    """Where to listen, and for hw_proxy which pages may call."""

    desk: DeskOptions
    origins: frozenset[str] = field(default_factory=frozenset)


@contextmanager
def serve_simulated(wire: str, session: TransactionSession, options: ServeOptions) -> Iterator[str]:
    """Serve one wire; gives the address it listens on.

    Raises:
        BadRequest: no such wire, or an option it needs is missing.
        LinkUnavailable: the port cannot be used.
    """
    desk = options.desk
    with ExitStack() as stack:
        if wire == "concert":
            yield stack.enter_context(_concert(session, desk))
        elif wire == "caisse_ap":
            host, port = host_and_port(desk.address or "127.0.0.1", PORT)
            tcp = TcpServer(CaisseTerminal(session).serve, TcpOptions(host, port))
            yield f"{host}:{stack.enter_context(tcp).port}"
        elif wire in ("rest", "hw_proxy"):
            host, port = host_and_port(desk.address or "127.0.0.1", 8477 if wire == "rest" else 8069)
            spoken = _http_wire(wire, session, options)
            server = stack.enter_context(HttpServer(app_of([spoken]), host=host, port=port))
            stack.enter_context(spoken)
            yield f"http://{host}:{server.port}"
        elif wire == "zvt":
            yield stack.enter_context(_zvt(session, desk))
        elif wire == "nexo":
            yield stack.enter_context(_nexo(session, desk))
        else:
            raise BadRequest(f"no wire {wire!r} to serve; there are {', '.join(SERVED)}")


@contextmanager
def _concert(session: TransactionSession, desk: DeskOptions) -> Iterator[str]:
    """A serial port, or TCP where a converter would carry the line."""
    terminal = ConcertTerminal(session)
    if desk.port:
        with SerialServer(terminal.serve, SerialOptions(desk.port, desk.baud)):
            yield desk.port
        return
    if not desk.address:
        raise BadRequest("Concert needs a serial port: --port /dev/ttyUSB0")
    host, port = host_and_port(desk.address, 9100)
    with TcpServer(terminal.serve, TcpOptions(host, port)) as server:
        yield f"{host}:{server.port}"


@contextmanager
def _zvt(session: TransactionSession, desk: DeskOptions) -> Iterator[str]:
    terminal = ZvtTerminal(session)
    if desk.port:
        options = SerialOptions(desk.port, desk.baud, stop_bits=2)
        with SerialServer(terminal.serve_serial, options):
            yield desk.port
        return
    host, port = host_and_port(desk.address or "127.0.0.1", ZVT_PORT)
    with TcpServer(terminal.serve, TcpOptions(host, port)) as server:
        yield f"{host}:{server.port}"


@contextmanager
def _nexo(session: TransactionSession, desk: DeskOptions) -> Iterator[str]:
    """HTTPS with certificates of its own, gone when it stops; messages in clear, and hidden with a key."""
    host, port = host_and_port(desk.address or "127.0.0.1", NEXO_PORT)
    identifier, version, passphrase = nexo_key(desk.key) if desk.key else ("", 0, "")
    passphrases = {KeyName(identifier, version): passphrase} if passphrase else {}
    wire = NexoWire(session, NexoOptions(passphrases=passphrases, clear_allowed=True, api_key=desk.key))
    with tempfile.TemporaryDirectory(prefix="facepay-simulator-") as folder:
        files = make_certificates(Path(folder), CertificateOrder("FACE01-000000001", [host, "localhost"]))
        tls = server_context(files.leaf, files.key)
        with HttpServer(app_of([wire]), host=host, port=port, tls=tls) as server:
            yield f"https://{host}:{server.port}/nexo (authority {files.authority})"


def _http_wire(wire: str, session: TransactionSession, options: ServeOptions) -> RestWire | HwProxyWire:
    if wire == "hw_proxy":
        return HwProxyWire(session, HwProxyOptions(origins=options.origins))
    return RestWire(session, RestOptions(keys=(ApiKey(options.desk.till, options.desk.key),)))

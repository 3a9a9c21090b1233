"""A simulated terminal on any wire: the simulated host behind the real one, for people who write tills."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from pos_adapter.errors import BadRequest
from pos_adapter.http_link import HttpServer, app_of
from pos_adapter.protocols.caisse_ap.terminal import PORT, CaisseTerminal
from pos_adapter.protocols.concert.terminal import ConcertTerminal
from pos_adapter.protocols.hw_proxy.wire import HwProxyOptions, HwProxyWire
from pos_adapter.protocols.rest.wire import ApiKey, RestOptions, RestWire
from pos_adapter.serial_link import SerialOptions, SerialServer
from pos_adapter.session import TransactionSession
from pos_adapter.simulator.desks import DeskOptions, host_and_port
from pos_adapter.tcp_link import TcpOptions, TcpServer

SERVED = ("caisse_ap", "concert", "hw_proxy", "rest")


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
            stack.enter_context(
                SerialServer(ConcertTerminal(session).serve, SerialOptions(desk.port, desk.baud))
            )
            yield desk.port
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
        else:
            raise BadRequest(f"no wire {wire!r} to serve; there are {', '.join(SERVED)}")


def _http_wire(wire: str, session: TransactionSession, options: ServeOptions) -> RestWire | HwProxyWire:
    if wire == "hw_proxy":
        return HwProxyWire(session, HwProxyOptions(origins=options.origins))
    return RestWire(session, RestOptions(keys=(ApiKey(options.desk.till, options.desk.key),)))

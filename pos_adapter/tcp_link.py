"""TCP and TLS links: a server with limits, and a client for simulators and the card terminal behind us.

Knows no protocol. Each connection is served in a thread of its own; there are never more threads than
`max_connections`, and a peer that does not finish its TLS greeting in time is dropped.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass

from pos_adapter.base import Link
from pos_adapter.errors import LinkClosed, LinkError, LinkReset, LinkTimeout, LinkUnavailable

_log = logging.getLogger(__name__)
_CHUNK = 65536


class TcpLink:
    """One connected socket, plain or TLS. One thread reads; any thread writes."""

    def __init__(self, connection: socket.socket, *, peer: str, write_timeout_s: float = 10.0) -> None:
        self._socket = connection
        self._peer = peer
        self._write_timeout_s = write_timeout_s
        # An SSL object may not be used by two threads at once before Python 3.13.
        self._lock = threading.Lock()
        self._selector = selectors.DefaultSelector()
        self._selector.register(connection, selectors.EVENT_READ)
        self._closed = False
        connection.setblocking(False)

    @property
    def peer(self) -> str:
        """Address of the other end, `host:port`."""
        return self._peer

    def read(self, timeout_s: float) -> bytes:
        """Some bytes, `b""` when none came in time; raises LinkClosed or LinkReset."""
        try:
            pending = isinstance(self._socket, ssl.SSLSocket) and self._socket.pending()
            if not pending and not self._selector.select(max(timeout_s, 0.0)):
                return b""
            with self._lock:
                data = self._socket.recv(_CHUNK)
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            return b""
        except (ConnectionError, ssl.SSLError) as error:
            raise LinkReset(f"{self._peer} broke the connection off") from error
        except (OSError, ValueError, KeyError) as error:
            raise LinkClosed(f"connection to {self._peer} is closed") from error
        if not data:
            raise LinkClosed(f"{self._peer} ended the connection")
        return data

    def write(self, data: bytes) -> None:
        """Send all bytes within the write timeout; raises LinkTimeout or LinkReset."""
        try:
            with self._lock:
                self._socket.settimeout(self._write_timeout_s)
                try:
                    self._socket.sendall(data)
                finally:
                    self._socket.settimeout(0)
        except TimeoutError as error:
            raise LinkTimeout(f"{self._peer} does not take our bytes") from error
        except (OSError, ValueError) as error:
            raise LinkReset(f"connection to {self._peer} is gone") from error

    def finish_writing(self) -> None:
        """Tell the peer that nothing more comes; what it still sends can be read."""
        try:
            with self._lock:
                self._socket.shutdown(socket.SHUT_WR)
        except OSError as error:
            raise LinkReset(f"connection to {self._peer} is gone") from error

    def close(self) -> None:
        """Hang up; safe to call twice and from any thread."""
        if self._closed:
            return
        self._closed = True
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._selector.close()
        self._socket.close()


def connect_tcp(
    host: str, port: int, *, timeout_s: float = 5.0, tls: ssl.SSLContext | None = None
) -> TcpLink:
    """A client link; raises LinkUnavailable naming the address."""
    try:
        connection = socket.create_connection((host, port), timeout_s)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            connection = tls.wrap_socket(connection, server_hostname=host)
    except (OSError, ssl.SSLError) as error:
        why = error.strerror or error
        raise LinkUnavailable(f"cannot reach {host}:{port} ({why}): does a terminal listen there?") from error
    return TcpLink(connection, peer=f"{host}:{port}")


@dataclass(frozen=True, slots=True)
class TcpOptions:
    """Where to listen and how much to take; port 0 lets the system choose."""

    host: str = "127.0.0.1"
    port: int = 0
    max_connections: int = 16
    greeting_timeout_s: float = 5.0
    write_timeout_s: float = 10.0


class TcpServer:
    """Listens and gives each connection to `serve` in a thread; a context manager.

    Raises:
        LinkUnavailable: the port is taken or may not be used; the text says which.
    """

    def __init__(
        self, serve: Callable[[Link], None], options: TcpOptions, *, tls: ssl.SSLContext | None = None
    ) -> None:
        self._serve = serve
        self._options = options
        self._tls = tls
        self._slots = threading.BoundedSemaphore(options.max_connections)
        self._links: set[TcpLink] = set()
        self._guard = threading.Lock()
        self._stopped = threading.Event()
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None

    @property
    def port(self) -> int:
        """The port listened on, also when the system chose it."""
        return int(self._listener.getsockname()[1]) if self._listener else self._options.port

    def __enter__(self) -> TcpServer:
        options = self._options
        try:
            family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
            self._listener = socket.create_server((options.host, options.port), family=family, backlog=16)
        except (OSError, OverflowError) as error:
            text = f"cannot listen on {options.host}:{options.port}: {error}; choose another port"
            raise LinkUnavailable(text) from error
        self._thread = threading.Thread(target=self._accept, name=f"tcp-{self.port}", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        if self._listener is not None:
            # A shutdown wakes the accepting thread on Linux; closing alone may not.
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
        with self._guard:
            links = list(self._links)
        for link in links:
            link.close()
        if self._thread is not None:
            self._thread.join(5)

    def _accept(self) -> None:
        listener = self._listener
        while listener is not None and not self._stopped.is_set():
            try:
                connection, address = listener.accept()
            except OSError:
                if not self._stopped.is_set():
                    _log.exception("accepting a connection failed")
                    self._stopped.wait(0.2)
                continue
            if not self._slots.acquire(blocking=False):
                _log.warning("too many connections; %s:%s is turned away", *address[:2])
                connection.close()
                continue
            name = f"till-{address[0]}:{address[1]}"
            threading.Thread(target=self._run, args=(connection, name[5:]), name=name, daemon=True).start()

    def _run(self, connection: socket.socket, peer: str) -> None:
        link: TcpLink | None = None
        try:
            link = self._greet(connection, peer)
            with self._guard:
                self._links.add(link)
            self._serve(link)
        except LinkClosed as error:
            _log.debug("%s", error)
        except (LinkError, OSError, ssl.SSLError) as error:
            _log.warning("%s: connection failed: %s", peer, error)
        except Exception:
            _log.exception("serving %s failed", peer)
        finally:
            self._slots.release()
            if link is not None:
                with self._guard:
                    self._links.discard(link)
                link.close()
            else:
                connection.close()

    def _greet(self, connection: socket.socket, peer: str) -> TcpLink:
        connection.settimeout(self._options.greeting_timeout_s)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True)
        return TcpLink(connection, peer=peer, write_timeout_s=self._options.write_timeout_s)

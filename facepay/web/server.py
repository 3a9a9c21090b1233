"""Serves the pages with cheroot: threads, bounded bodies, TLS where the settings have a certificate.

An open event stream holds one thread, so at most half of the threads may be streams; the other half
stays free for taps, pictures and the card key.
"""

from __future__ import annotations

import errno
import logging
import ssl
import threading
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from wsgiref.types import WSGIApplication

from cheroot.ssl.builtin import BuiltinSSLAdapter
from cheroot.wsgi import Server

from facepay.errors import SettingsError
from facepay.settings import WebSettings
from facepay.web.inputs import FRAME_LIMIT

log = logging.getLogger(__name__)
IDLE_S = 20


def streams_for(threads: int) -> int:
    """How many event streams a server of `threads` threads may hold open."""
    return max(1, threads // 2)


@dataclass(frozen=True, slots=True)
class Address:
    """Where pages are reached, once the port is open."""

    scheme: str
    host: str
    port: int

    @property
    def url(self) -> str:
        """The address of the front page, without a slash at its end."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


class PagesServer:
    """A running server; leaving it stops accepting, ends the streams and joins the threads."""

    def __init__(self, app: WSGIApplication, settings: WebSettings) -> None:
        self._settings = settings
        self._server = Server(
            (settings.host, settings.port),
            app,
            numthreads=settings.threads,
            server_name="facepay",
            request_queue_size=64,
            timeout=IDLE_S,
            shutdown_timeout=2,
        )
        # The pages bound their bodies themselves and say so kindly; this is the wall behind them.
        self._server.max_request_body_size = 4 * FRAME_LIMIT
        self._server.max_request_header_size = 32 * 1024
        # cheroot logs by this attribute and documents that it may be replaced.
        self._server.error_log = _log  # type: ignore[method-assign,assignment]
        if settings.certificate:
            self._server.ssl_adapter = _tls(settings)
        self._thread = threading.Thread(target=self._server.serve, name="pages", daemon=True)

    def __enter__(self) -> Self:
        """Open the port and serve.

        Raises:
            SettingsError: the port is in use or may not be opened.
        """
        try:
            self._server.prepare()
        except OSError as error:
            raise SettingsError(_port_trouble(error, self._settings)) from error
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop serving."""
        self._server.stop()
        self._thread.join(timeout=5)

    @property
    def address(self) -> Address:
        """Where the pages are reached; a port of 0 in the settings has become a real one."""
        scheme = "https" if self._settings.certificate else "http"
        return Address(scheme, self._settings.host, int(self._server.bind_addr[1]))


def _tls(settings: WebSettings) -> BuiltinSSLAdapter:
    try:
        adapter = BuiltinSSLAdapter(settings.certificate, settings.private_key)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(
            f"web.certificate and web.private_key cannot be used ({error}): name two PEM files that "
            "belong together"
        ) from error
    adapter.context.minimum_version = ssl.TLSVersion.TLSv1_2
    return adapter


def _port_trouble(error: OSError, settings: WebSettings) -> str:
    where = f"{settings.host} port {settings.port}"
    # cheroot wraps the system's error and keeps only its text.
    if error.errno == errno.EADDRINUSE or "in use" in str(error):
        return f"{where} is in use: stop the other program, or set web.port to another number"
    return f"{where} cannot be opened ({error}): set web.host and web.port to an address of this machine"


def _log(message: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
    log.log(level, "%s", message.strip(), exc_info=traceback)

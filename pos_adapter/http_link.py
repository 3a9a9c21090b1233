"""HTTP links: Flask blueprints for HTTP wires, and a threaded server with TLS to run them alone.

Knows no protocol. Bodies are read up to the wire's limit, with or without a Content-Length (a chunked
body has none). Errors of the link itself are answered in the wire's own words.
"""

from __future__ import annotations

import contextlib
import json
import logging
import select
import socket
import ssl
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from cheroot import wsgi
from cheroot.server import HTTPConnection, HTTPRequest
from cheroot.ssl.builtin import BuiltinSSLAdapter
from flask import Blueprint, Flask, Response, request
from werkzeug.exceptions import HTTPException

from pos_adapter.errors import LinkUnavailable
from pos_adapter.http_messages import HttpRequest, HttpResponse, HttpRoute, HttpWire

_log = logging.getLogger(__name__)
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_HUNG_UP = "pos_adapter.hung_up"
_DRAINED = 2 * 1024 * 1024
"""Bytes of an oversized body that are read and dropped before the connection is closed."""


class _TooLarge(Exception):
    """The body goes on beyond the wire's limit."""


class _CutOff(Exception):
    """The till hung up, or its chunks are malformed."""


def blueprint_of(wire: HttpWire) -> Blueprint:
    """A Flask blueprint that answers the wire's routes, 405 included."""
    blueprint = Blueprint(f"pos_{wire.name}", __name__)
    by_rule: dict[str, list[HttpRoute]] = defaultdict(list)
    for route in wire.routes():
        by_rule[route.rule].append(route)
    for number, (rule, routes) in enumerate(by_rule.items()):
        view = _view(wire, {route.method: route for route in routes})
        blueprint.add_url_rule(
            rule,
            endpoint=f"r{number}",
            view_func=view,
            methods=_METHODS,
            provide_automatic_options=False,
            strict_slashes=True,
        )
    return blueprint


def _view(wire: HttpWire, routes: dict[str, HttpRoute]) -> Callable[..., Response]:
    def view(**parameters: str) -> Response:
        route = routes.get("GET" if request.method == "HEAD" else request.method)
        if route is None:
            refusal = wire.refuse(405, f"{request.path} takes {', '.join(sorted(routes))}")
            return _flask_response(refusal, allow=", ".join(sorted(routes)))
        try:
            return _flask_response(route.answer(_plain_request(wire.max_body, parameters)))
        except _TooLarge:
            return _flask_response(wire.refuse(413, f"the body may have {wire.max_body} bytes"))
        except HTTPException as error:
            return _flask_response(wire.refuse(error.code or 400, "the request could not be read"))
        except _CutOff:
            return _flask_response(wire.refuse(400, "the body was cut off"))
        except Exception:
            _log.exception("%s %s failed", request.method, request.path)
            return _flask_response(wire.refuse(500, "the terminal failed; see its log"))

    return view


def _plain_request(limit: int, parameters: dict[str, str]) -> HttpRequest:
    try:
        body = request.stream.read(limit + 1)
        if len(body) > limit:
            _drain()
            raise _TooLarge
    except (OSError, ValueError) as error:
        raise _CutOff from error
    return HttpRequest(
        method=request.method,
        path=request.path,
        headers={name.lower(): value for name, value in request.headers.items()},
        query=request.args.to_dict(),
        parameters=parameters,
        body=body,
        peer=request.remote_addr or "",
        target=request.environ.get("REQUEST_URI") or request.full_path.rstrip("?"),
        hung_up=request.environ.get(_HUNG_UP, lambda: False),
    )


def _drain() -> None:
    """Read on for a while, so that a till which is still sending comes to read our refusal."""
    left = _DRAINED
    while left > 0 and (piece := request.stream.read(65536)):
        left -= len(piece)


def _flask_response(answer: HttpResponse, *, allow: str | None = None) -> Response:
    body = answer.body
    watched = answer.before_sent is not None or answer.after_sent is not None
    if watched:
        pieces = [body] if isinstance(body, bytes) else body
        body = _watched(iter(pieces), answer)
    response = Response(body, status=answer.status, content_type=answer.content_type)
    if watched and isinstance(answer.body, bytes):
        response.content_length = len(answer.body)
    for name, value in answer.headers:
        response.headers.add(name, value)
    if allow is not None:
        response.headers["Allow"] = allow
    return response


def _watched(pieces: Iterator[bytes], answer: HttpResponse) -> Iterator[bytes]:
    """The server sends nothing, no header either, before the first piece, and asks for the piece after the
    last one only when the last one was sent."""
    sent = False
    try:
        if answer.before_sent is not None:
            answer.before_sent()
        yield from pieces
        sent = True
    finally:
        if answer.after_sent is not None:
            answer.after_sent(sent)


def app_of(wires: Sequence[HttpWire]) -> Flask:
    """A Flask application of HTTP wires alone; unknown paths are answered by the first wire."""
    app = Flask("pos_adapter")
    for wire in wires:
        app.register_blueprint(blueprint_of(wire))

    def unknown(error: HTTPException) -> Response:
        code = error.code or 500
        return _flask_response(wires[0].refuse(code, f"nothing is at {request.path[:200]!r}"))

    app.register_error_handler(HTTPException, unknown)
    return app


class _WatchingGateway(wsgi.Gateway_10):
    """Tells the application whether the till has already ended the connection."""

    def get_environ(self) -> Any:  # Cheroot's base class is untyped and says None.
        """The WSGI environment with one entry more."""
        environ = super().get_environ()  # type: ignore[no-untyped-call]
        connection: socket.socket = self.req.conn.socket
        environ[_HUNG_UP] = lambda: _ended(connection)
        return environ


def _ended(connection: socket.socket) -> bool:
    """Whether the peer sends nothing more; told without reading, on systems that can."""
    flag = getattr(select, "POLLRDHUP", 0)
    try:
        watch = select.poll()
        watch.register(connection, flag)
        return bool(watch.poll(0))
    except (OSError, ValueError, AttributeError):
        # A closed socket has no number any more; a system without poll cannot tell.
        return connection.fileno() < 0


class _PlainProblems(HTTPRequest):
    """Refusals of the server itself (a broken request line, endless headers) as problem documents."""

    def simple_response(self, status: str | int, msg: str = "") -> None:
        """Answer before any wire saw the request, and hang up."""
        number, _, title = str(status).partition(" ")
        document = {"type": "about:blank", "title": title, "status": int(number), "detail": msg}
        body = json.dumps(document).encode()
        head = (
            f"{self.server.protocol} {status}\r\nContent-Length: {len(body)}\r\n"
            "Content-Type: application/problem+json\r\nConnection: close\r\n\r\n"
        )
        self.close_connection = True
        with contextlib.suppress(OSError):
            self.conn.wfile.write(head.encode("latin-1") + body)


class _Connection(HTTPConnection):
    """Cheroot's connection with our refusals."""

    RequestHandlerClass = _PlainProblems


class _LoggingServer(wsgi.Server):
    """Cheroot's server, whose complaints go to our log instead of standard error."""

    ConnectionClass = _Connection

    def error_log(self, msg: str = "", level: int = logging.INFO, traceback: bool = False) -> None:
        """Write one complaint."""
        _log.log(level, "%s", msg, exc_info=traceback)


class HttpServer:
    """Runs a WSGI application in threads, with TLS where a context is given; a context manager."""

    def __init__(
        self,
        app: Flask,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        threads: int = 16,
    ) -> None:
        self._server = _LoggingServer((host, port), app, numthreads=threads, server_name="facepay")
        self._server.gateway = _WatchingGateway
        self._server.timeout = 30
        # How often idle connections are looked at, and so how long stopping takes.
        self._server.expiration_interval = 0.1
        self._server.shutdown_timeout = 1
        self._server.max_request_header_size = 65536
        if tls is not None:
            self._server.ssl_adapter = _adapter_of(tls)
        self._thread = threading.Thread(target=self._server.serve, name="http", daemon=True)

    @property
    def port(self) -> int:
        """The port listened on, also when the system chose it."""
        return int(self._server.bind_addr[1])

    def __enter__(self) -> HttpServer:
        try:
            self._server.prepare()
        except OSError as error:
            raise LinkUnavailable(f"cannot listen on {self._server.bind_addr}: {error}") from error
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()
        self._thread.join(5)


def _adapter_of(tls: ssl.SSLContext) -> BuiltinSSLAdapter:
    """Cheroot's adapter around a context that is already made: its own constructor wants file names."""
    adapter = BuiltinSSLAdapter.__new__(BuiltinSSLAdapter)
    adapter.__dict__.update(certificate=None, private_key=None, certificate_chain=None, ciphers=None)
    adapter.__dict__.update(private_key_password=None, _server_env={})
    adapter.context = tls
    return adapter

"""A small HTTP proxy in front of a Stripe emulator: keeps idempotency keys, and loses answers as told.

The emulator (PyPI `localstripe`) forgets idempotency keys and does not know the `created` filter of lists.
This proxy honours the first as Stripe documents it (the same key and body gives the first answer again,
another body is an error), drops the second, and has the hosted page for cards that the emulator lacks.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from facepay.testing.stripe_sessions import HostedPages


@dataclass(frozen=True, slots=True)
class _Answer:
    status: int
    body: bytes


class StripeProxy:
    """A context manager; `address` is what the client is given.

    Args:
        upstream: Host and port of the emulator.
        lose: Asked once per request with method and path: "request" loses it before the emulator sees
            it, "answer" after, "nonsense" garbles the answer, "" lets it pass.
    """

    def __init__(self, upstream: tuple[str, int], lose: Callable[[str, str], str]) -> None:
        self._upstream = upstream
        self._lose = lose
        self._kept: dict[str, tuple[bytes, _Answer]] = {}
        self._pages = HostedPages()
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    @property
    def address(self) -> str:
        """Where the proxy listens."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, method: str, path: str, headers: dict[str, str], body: bytes) -> _Answer | None:
        """The answer to one request; None: the connection is to break off."""
        fate = self._lose(method, urlsplit(path).path)
        if fate == "request":
            return None
        key = headers.get("Idempotency-Key", "")
        with self._lock:
            # One at a time: the emulator is no model of concurrency, and the key must be kept at once.
            found = self._kept.get(key) if key and method == "POST" else None
            if found is not None:
                answer = found[1] if found[0] == path.encode() + body else _idempotency_error()
            else:
                answer = self._pass(method, path, headers, body)
                if key and method == "POST" and answer.status < 500:
                    self._kept[key] = (path.encode() + body, answer)
        if fate == "answer":
            return None
        return _Answer(200, b"<html>not json</html>") if fate == "nonsense" else answer

    def _pass(self, method: str, path: str, headers: dict[str, str], body: bytes) -> _Answer:
        def forward(method: str, path: str, body: bytes) -> tuple[int, bytes]:
            answer = self._forward(method, path, headers, body)
            return answer.status, answer.body

        hosted = self._pages.answer(method, urlsplit(path).path, body, forward)
        return _Answer(*hosted) if hosted else self._forward(method, path, headers, body)

    def _forward(self, method: str, path: str, headers: dict[str, str], body: bytes) -> _Answer:
        parts = urlsplit(path)
        query = urlencode([(k, v) for k, v in parse_qsl(parts.query) if not k.startswith("created")])
        target = f"{parts.path}?{query}" if query else parts.path
        passed_on = frozenset({"Authorization", "Content-Type"})
        sent = {name: value for name, value in headers.items() if name in passed_on}
        connection = http.client.HTTPConnection(*self._upstream, timeout=10)
        try:
            connection.request(method, target, body or None, sent)
            response = connection.getresponse()
            return _Answer(response.status, response.read())
        finally:
            connection.close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._serve()

            def do_POST(self) -> None:
                self._serve()

            def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
                return

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                answer = proxy.answer(self.command, self.path, dict(self.headers), body)
                self.close_connection = True
                if answer is None:
                    return
                self.send_response(answer.status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(answer.body)))
                self.send_header("Connection", "close")
                self.end_headers()
                self.wfile.write(answer.body)

        return Handler


def _idempotency_error() -> _Answer:
    error = {"type": "idempotency_error", "message": "Keys for idempotent requests can only be used once."}
    return _Answer(400, json.dumps({"error": error}).encode())

"""The shop's card terminal behind an HTTP wire: a request goes on as it came, and its answer comes back.

Knows no protocol and needs no camera, model or database. Method, target, body and the till's own headers
are unchanged; only those that belong to one connection are made anew (RFC 9110 section 7.6.1).
"""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from pos_adapter.errors import NotAllowed, UpstreamUnreachable
from pos_adapter.http_messages import HttpRequest, HttpResponse
from pos_adapter.upstream import ForwardJournal, ForwardState, write_down

LONGEST_ANSWER = 1024 * 1024
_STREAM = "text/event-stream"
_OF_ONE_CONNECTION = frozenset(
    {
        "connection",
        "content-length",
        "host",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
_OF_ONE_ANSWER = _OF_ONE_CONNECTION | {"content-type", "date", "server"}


@dataclass(frozen=True, slots=True)
class HttpUpstream:
    """Where the card terminal listens, such as `https://192.168.1.20:8443`; seconds it may say nothing.

    `tls` holds the certificate authority it is checked against. A path in `url` replaces the till's own.

    Raises:
        NotAllowed: the address is no http(s) address.
    """

    url: str
    tls: ssl.SSLContext | None = None
    timeout_s: float = 150.0
    journal: ForwardJournal | None = None

    def __post_init__(self) -> None:
        parts = urlsplit(self.url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise NotAllowed(f"the card terminal's address {self.url!r} is no http(s) address")

    def tell(self, key: str, state: ForwardState, detail: str) -> None:
        """Write one step of a forward down."""
        write_down(self.journal, key, state, detail)

    def ask(self, request: HttpRequest, key: str) -> HttpResponse:
        """`send`, with each step written down under `key`.

        Raises:
            UpstreamUnreachable: as `send`, and where the answer is a server's error.
        """
        self.tell(key, ForwardState.STARTED, self.url)
        try:
            answer = self.send(request)
            if answer.status >= http.client.INTERNAL_SERVER_ERROR:
                raise UpstreamUnreachable(f"the card terminal answers with status {answer.status}")
        except UpstreamUnreachable as error:
            self.tell(key, ForwardState.FAILED, str(error))
            raise
        size = f"{len(answer.body)} bytes" if isinstance(answer.body, bytes) else "a stream"
        self.tell(key, ForwardState.ANSWERED, f"status {answer.status}, {size}")
        return answer

    def send(self, request: HttpRequest) -> HttpResponse:
        """The card terminal's answer to a till's request, both unchanged; a stream stays a stream.

        Raises:
            UpstreamUnreachable: it cannot be reached, breaks off, or is silent for too long.
        """
        connection = self._connect()
        kept = {n: v for n, v in request.headers.items() if n not in _OF_ONE_CONNECTION}
        target = urlsplit(self.url).path.rstrip("/") or request.target or request.path
        try:
            connection.request(request.method, target, request.body or None, kept)
            return _relayed(connection, connection.getresponse())
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise UpstreamUnreachable(f"the card terminal does not answer: {error}") from error

    def _connect(self) -> http.client.HTTPConnection:
        parts = urlsplit(self.url)
        host = parts.hostname or ""
        if parts.scheme == "https":
            return http.client.HTTPSConnection(host, parts.port, timeout=self.timeout_s, context=self.tls)
        return http.client.HTTPConnection(host, parts.port, timeout=self.timeout_s)


def _relayed(connection: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> HttpResponse:
    kind = answer.headers.get("content-type", "")
    headers = tuple((n, v) for n, v in answer.headers.items() if n.lower() not in _OF_ONE_ANSWER)
    if kind.partition(";")[0].strip().lower() == _STREAM:
        return HttpResponse(answer.status, _pieces(connection, answer), kind, headers)
    try:
        body = answer.read(LONGEST_ANSWER + 1)
    finally:
        connection.close()
    if len(body) > LONGEST_ANSWER:
        raise UpstreamUnreachable(f"the card terminal answers with more than {LONGEST_ANSWER} bytes")
    return HttpResponse(answer.status, body, kind, headers)


def _pieces(connection: http.client.HTTPConnection, answer: http.client.HTTPResponse) -> Iterator[bytes]:
    try:
        while piece := answer.read1(65536):
            yield piece
    except (OSError, http.client.HTTPException):
        # A stream that breaks off ends; the till goes on after its last event.
        return
    finally:
        connection.close()


def repeated(request: HttpRequest, *, method: str = "", target: str = "", **headers: str) -> HttpRequest:
    """The till's request turned to another target of the same wire, without a body, under its own key.

    `headers` are added with underscores as hyphens; an empty value takes a header away.
    """
    merged: dict[str, str] = dict(request.headers)
    merged.update({name.replace("_", "-"): value for name, value in headers.items()})
    kept: Mapping[str, str] = {name: value for name, value in merged.items() if value}
    where = target or request.target or request.path
    body = b"" if method == "GET" else request.body
    return HttpRequest(method or request.method, where, kept, body=body, target=where)

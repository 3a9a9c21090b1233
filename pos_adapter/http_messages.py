"""HTTP as the wires see it: plain values, no web framework. `http_link` carries them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One request, its body already read and bounded. Header names are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    peer: str = ""
    target: str = ""
    """Path and query as the till wrote them."""
    hung_up: Callable[[], bool] = lambda: False
    """Whether the till has already ended the connection, where the server can tell."""


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """One answer; `body` is whole, or pieces for a stream that stays open."""

    status: int
    body: bytes | Iterable[bytes] = b""
    content_type: str = "application/json"
    headers: tuple[tuple[str, str], ...] = ()
    before_sent: Callable[[], object] | None = None
    """Called right before the first byte leaves; what it raises keeps the answer from leaving."""
    after_sent: Callable[[bool], None] | None = None
    """Called once the body was handed to the connection (True), or could not be (False)."""


@dataclass(frozen=True, slots=True)
class HttpRoute:
    """`rule` is a path with `<name>` parts, such as `/v1/payments/<payment>`."""

    method: str
    rule: str
    answer: Callable[[HttpRequest], HttpResponse]


class HttpWire(Protocol):
    """A wire that speaks HTTP."""

    @property
    def name(self) -> str:
        """Lower-case word, unique in one server."""

    @property
    def max_body(self) -> int:
        """Largest request body in bytes."""

    def routes(self) -> Sequence[HttpRoute]:
        """Everything it answers."""

    def refuse(self, status: int, detail: str) -> HttpResponse:
        """An error of the link (413, 404, 405, 500) in the wire's own words."""

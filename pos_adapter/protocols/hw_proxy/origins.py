"""Whose pages may call: cross-origin requests, preflights, and those into a private network.

Fetch standard, "CORS protocol"; Private Network Access, section 3: a page from the internet asks before
it speaks to an address in the shop.
"""

from __future__ import annotations

from pos_adapter.http_messages import HttpRequest, HttpResponse

Headers = tuple[tuple[str, str], ...]


def may_call(request: HttpRequest, origins: frozenset[str]) -> bool:
    """A browser names its page's origin; programs that are no browsers name none."""
    origin = request.headers.get("origin")
    return origin is None or origin in origins


def cross_origin(request: HttpRequest, origins: frozenset[str]) -> Headers:
    """What lets the page read the answer."""
    origin = request.headers.get("origin")
    if origin is None or origin not in origins:
        return (("Vary", "Origin"),)
    return (("Vary", "Origin"), ("Access-Control-Allow-Origin", origin))


def preflight(request: HttpRequest, origins: frozenset[str]) -> HttpResponse:
    """The answer to an allowed page's OPTIONS."""
    headers = [
        *cross_origin(request, origins),
        ("Access-Control-Allow-Methods", "GET, POST, OPTIONS"),
        ("Access-Control-Allow-Headers", "Content-Type, X-Debug-Mode"),
        ("Access-Control-Max-Age", "600"),
    ]
    if request.headers.get("access-control-request-private-network") == "true":
        headers.append(("Access-Control-Allow-Private-Network", "true"))
    return HttpResponse(204, headers=tuple(headers))

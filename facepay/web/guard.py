"""What every request and response of the pages must satisfy.

Pages load nothing from elsewhere and run no inline script; only this origin may post to them; only the
known host names are answered (a page of a stranger cannot reach a terminal by renaming it in DNS).
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, request

from facepay.web.problems import FORBIDDEN, PageError

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "media-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)

HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: browsers then send "Origin: null" with forms, and the same-origin check fails.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

OTHER_DEVICES = (
    "microphone=(), geolocation=(), payment=(), usb=(), serial=(), hid=(), midi=(), display-capture=()"
)
SIGNED = frozenset({"webhooks"})
"""Blueprints that no page posts to: what comes there is signed, and refused where it is not."""

CAMERA_PAGES = frozenset({"kiosk", "enrol"})
"""Blueprints whose pages may ask for the camera; all others are forbidden to by their own headers."""


def register(app: Flask) -> None:
    """Check every request of `app` before its view, and put the headers on every response."""

    @app.before_request
    def require_same_origin() -> None:
        if request.method not in SAFE and request.blueprint not in SIGNED:
            require_own_page()

    @app.after_request
    def add_headers(response: Response) -> Response:
        for name, value in HEADERS.items():
            response.headers.setdefault(name, value)
        camera = "camera=(self)" if request.blueprint in CAMERA_PAGES else "camera=()"
        response.headers["Permissions-Policy"] = f"{camera}, {OTHER_DEVICES}"
        if request.endpoint != "static":
            response.headers.setdefault("Cache-Control", "no-store")
        if request.is_secure:
            response.headers["Strict-Transport-Security"] = "max-age=31536000"
        return response


def require_own_page() -> None:
    """Refuse a change that was not sent by a page of this very terminal.

    Browsers send `Sec-Fetch-Site` and `Origin` themselves and pages cannot forge them. A sender that
    has neither is refused: programs use the till's wires, not the pages.

    Raises:
        PageError: the request comes from elsewhere, or does not say where from.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None and site != "same-origin":
        raise PageError(FORBIDDEN, "This address only takes input from its own pages.")
    origin = request.headers.get("Origin")
    if origin is None and site is None:
        raise PageError(FORBIDDEN, "The request does not say which page it comes from (no Origin header).")
    if origin is not None and _place(origin) != _place(request.host_url):
        raise PageError(FORBIDDEN, "This address only takes input from its own pages.")


def _place(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()

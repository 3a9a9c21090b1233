"""The shopper's page: payee and amount, one tap, the capture, the confirmation, the result.

The page's camera runs only between a tap and the end of the capture. Each tap gives the page that
made it a fresh ticket; pictures without it are refused, so no other page can feed the terminal.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Mapping

from flask import Blueprint, Response, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from facepay.counter import Counter, Phase
from facepay.web.base import WebDeps
from facepay.web.inputs import FRAME_LIMIT, digits, fields, require_length, text, token, whole
from facepay.web.language import phrases
from facepay.web.pictures import read_picture, shown_ns
from facepay.web.presenting import Audience, present
from facepay.web.problems import CONFLICT, UNAVAILABLE, PageError, wants_json
from facepay.web.streams import Streams
from keys.holder_code import TEXT_LIMIT

# The code is typed between two looks: a picture that was on its way by then does not end the capture.
CAPTURING = frozenset(
    {Phase.OFFERED, Phase.CODE, Phase.CAPTURING, Phase.CHALLENGE, Phase.FACTOR, Phase.CONFIRM}
)


class Ticket:
    """Names the one page whose pictures are taken: the page that made the latest tap."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._current = ""

    def renew(self) -> str:
        """Give out a new ticket; the earlier one is void from now on."""
        with self._lock:
            self._current = secrets.token_urlsafe(16)
            return self._current

    def require(self, ticket: str) -> None:
        """Refuse any other ticket than the latest.

        Raises:
            PageError: the ticket is void; the page stops its camera.
        """
        with self._lock:
            if not self._current or not secrets.compare_digest(self._current.encode(), ticket.encode()):
                raise PageError(CONFLICT, "This page's capture is over; tap again to start one.")


def kiosk_pages(deps: WebDeps, streams: Streams) -> Blueprint:
    """The blueprint of `/kiosk`."""
    pages = Blueprint("kiosk", __name__, url_prefix="/kiosk")
    ticket = Ticket()
    _reading(pages, deps, streams)
    _answering(pages, deps, ticket)
    _lights(pages, deps)
    _pictures(pages, deps, ticket)
    return pages


def _reading(pages: Blueprint, deps: WebDeps, streams: Streams) -> None:
    @pages.get("/")
    def page() -> str:
        view = present(deps.counter.view, Audience.KIOSK, phrases())
        return render_template("kiosk.html", view=view, page_camera=deps.frames is not None)

    @pages.get("/state")
    def state() -> Response:
        return jsonify(present(deps.counter.view, Audience.KIOSK, phrases()))

    @pages.get("/events")
    def events() -> Response:
        t = phrases()
        return streams.respond(deps.counter, lambda v: present(v, Audience.KIOSK, t))


def _answering(pages: Blueprint, deps: WebDeps, ticket: Ticket) -> None:
    counter = deps.counter

    @pages.post("/tap")
    def tap() -> AnyResponse:
        values = fields()
        require_phase(deps, Phase.OFFERED)
        fresh = ticket.renew()
        return given(lambda: counter.tap(begun(counter, values)), ticket=fresh)

    @pages.post("/show-code")
    def show_code() -> AnyResponse:
        values = fields()
        require_phase(deps, Phase.OFFERED)
        fresh = ticket.renew()
        return given(lambda: counter.show_code(begun(counter, values)), ticket=fresh)

    @pages.post("/code")
    def code() -> AnyResponse:
        values = fields()
        read, sale = text(values, "code", TEXT_LIMIT), begun(counter, values)
        require_phase(deps, Phase.OFFERED, Phase.CODE)
        # A scan at the offer begins the capture, and so takes the place of the tap.
        more = {"ticket": ticket.renew()} if deps.counter.view.phase is Phase.OFFERED else {}
        return given(lambda: counter.enter_code(read, sale), **more)

    @pages.post("/confirm")
    def confirm() -> AnyResponse:
        values = fields()
        require_phase(deps, Phase.CONFIRM)
        return given(lambda: counter.confirm(token(values, "sale")))

    @pages.post("/digits", endpoint="digits")
    def enter() -> AnyResponse:
        values = fields()
        typed, sale = digits(values, "digits", 4, 12), token(values, "sale")
        require_phase(deps, Phase.FACTOR)
        return given(lambda: counter.enter_digits(typed, sale))

    @pages.post("/card")
    def card() -> AnyResponse:
        values = fields()
        return given(lambda: counter.choose_card(token(values, "sale")))

    @pages.post("/cancel")
    def cancel() -> AnyResponse:
        values = fields()
        return given(lambda: counter.cancel(token(values, "sale")))


def _lights(pages: Blueprint, deps: WebDeps) -> None:
    @pages.post("/shown")
    def shown() -> AnyResponse:
        values = fields()
        number, sale = whole(values, "number", 0, 10_000), token(values, "sale")
        at_ns = shown_ns(values, time.monotonic_ns())
        return given(lambda: deps.counter.report_light(number, at_ns, sale))


def _pictures(pages: Blueprint, deps: WebDeps, ticket: Ticket) -> None:
    @pages.post("/frames")
    def frames() -> AnyResponse:
        require_length(FRAME_LIMIT)
        if deps.frames is None:
            raise PageError(UNAVAILABLE, "This terminal uses its own camera.")
        ticket.require(request.headers.get("X-Capture", ""))
        if deps.counter.view.phase not in CAPTURING:
            raise PageError(CONFLICT, "The capture is over.")
        deps.frames.push(read_picture())
        return Response(status=204)


def begun(counter: Counter, values: Mapping[str, object]) -> str:
    """The sale that a shopper begins, who may have asked for no light from the screen."""
    sale = token(values, "sale")
    if values.get("light") is False:
        counter.spare_light(sale)
    return sale


def require_phase(deps: WebDeps, *phases: Phase) -> None:
    """Refuse an answer to a question that is not on the screen.

    Raises:
        PageError: the sale has moved on; the page reads the new state.
    """
    if deps.counter.view.phase not in phases:
        raise PageError(CONFLICT, "The sale has moved on.")


def given(give: Callable[[], bool], **more: str) -> AnyResponse:
    """Give an answer to the counter, and tell the page whether it counted.

    Raises:
        PageError: there is no such sale any more.
    """
    if not give():
        raise PageError(CONFLICT, "This sale is over.")
    if wants_json():
        return jsonify({"taken": True, **more})
    return redirect(url_for("kiosk.page"), 303)
